//! What is measured of graphics cards.

use super::super::cards::Card;
use super::super::pin::Clock;
use super::{ITEMS_MAX, Op, Plan, SIZES};
use std::time::Duration;
use vigil_accel::engine::calibrate::{Calibration, Row};
use vigil_accel::engine::{self, machine};
use vigil_accel::gpu::{Fault, Gpu};
use vigil_accel::{Backend, Engine, EngineConfig, detect};
use vigil_node::accel::each_card_once;

/// Batch sizes that are measured too, unless others are asked for.
const CARD_SIZES: [usize; 2] = [262_144, 1_048_576];
/// Smaller batches are not worth a card's while, and take long.
const CARD_MIN: usize = 16;
/// Rounds of the largest batches.
const CARD_ROUNDS: usize = 3;
/// Time for the rounds of one batch size that count; there is one at least.
const SIZE_TIME: Duration = Duration::from_secs(8);

/// Who does what in an engine, by one calibration.
#[derive(Clone)]
pub(super) struct Planned {
    /// Without cards.
    pub(super) cpu: engine::Plan,
    with_cards: WithCards,
}

/// An engine's cards, and who does what with them.
#[derive(Clone)]
pub(super) struct WithCards {
    plan: engine::Plan,
    cards: Vec<&'static Gpu>,
}

impl Planned {
    /// As the node does at its first start. What stands in for a card is used where there is no other, and not measured but
    /// taken to be as fast as one of the processor's threads: else the engine would give it nothing.
    pub(super) fn measure(measured: &[Card]) -> Self {
        let is_software = |card: &&Card| card.gpu.info().software;
        let only_software = measured.iter().all(|card| is_software(&card));
        let cards: Vec<&Gpu> =
            measured.iter().filter(|card| only_software || !is_software(card)).map(|card| card.gpu).collect();
        let cards = each_card_once(&cards);
        let calibration = match only_software {
            true => with_stand_ins(Calibration::measure(&detect(), &[], ""), &cards),
            false => Calibration::measure(&detect(), &cards, ""),
        };
        let with_cards = WithCards { plan: calibration.plan(&detect(), &cards), cards };
        Self { cpu: calibration.plan(&detect(), &[]), with_cards }
    }
}

fn with_stand_ins(mut calibration: Calibration, cards: &[&'static Gpu]) -> Calibration {
    calibration.machine = machine::Machine::here(&detect(), cards);
    let fastest = |op| {
        let of_op = calibration.rows.iter().filter(|row| row.op == op).map(|row| row.ns_per_item);
        of_op.fold(f64::INFINITY, f64::min)
    };
    let row =
        |(backend, op): (&String, engine::Op)| Row { op, backend: backend.clone(), items: 1, ns_per_item: fastest(op) };
    let names = &calibration.machine.cards;
    let rows: Vec<Row> = names.iter().flat_map(|name| engine::Op::ALL.map(|op| row((name, op)))).collect();
    calibration.rows.extend(rows);
    calibration
}

impl Plan {
    /// The same for an operation of one card and its rivals.
    pub(crate) fn of_card(&self, card: Card, op: Op) -> Self {
        let mut sizes: Vec<usize> = self.sizes.iter().copied().filter(|n| *n >= CARD_MIN).collect();
        if !card.gpu.info().software && self.is_full() {
            sizes.extend(CARD_SIZES);
        }
        if sizes.is_empty() {
            sizes.push(CARD_MIN);
        }
        // The operations that an engine does on one thread are compared with the fastest backend.
        let fastest = detect().pop().filter(|_| matches!(op, Op::Checkpoint | Op::SignerVectors));
        let planned = self.planned.clone();
        Self {
            ops: vec![op],
            backends: fastest.into_iter().chain([card.gpu as &dyn Backend]).collect(),
            cards: vec![card],
            planned: None,
            with_cards: planned
                .as_ref()
                .map(|planned| planned.with_cards.clone())
                .filter(|with| with.takes_part(card, op)),
            engine: planned.map(|planned| planned.cpu),
            pool: true,
            sizes,
            runs: Vec::new(),
            clock: Clock::Wall,
            ..*self
        }
    }

    /// Nobody asked for other batch sizes.
    fn is_full(&self) -> bool {
        SIZES.split(',').filter_map(|n| n.parse::<usize>().ok()).eq(self.sizes.iter().copied())
    }

    /// A new engine with all workers and the cards, beside the first of these.
    pub(crate) fn engine_with_cards(&self) -> Option<Engine> {
        let WithCards { plan, cards } = self.with_cards.clone()?;
        Some(self.start(EngineConfig { plan: Some(plan), cards, ..EngineConfig::default() }))
    }

    /// A card that failed, of those that this plan is about.
    pub(crate) fn failed_card(&self) -> Option<(String, Fault)> {
        let of_engine = self.with_cards.iter().flat_map(|with| &with.cards).map(|gpu| (gpu.label(), *gpu));
        let cards = self.cards.iter().map(|card| (card.label, card.gpu)).chain(of_engine);
        cards.into_iter().find_map(|(name, gpu)| Some((name.to_owned(), gpu.why_not()?)))
    }

    /// Rounds for batches of `n`: fewer for the largest, which take seconds and average over much of what disturbs.
    pub(crate) fn rounds(&self, n: usize) -> usize {
        let least = if self.cards.is_empty() { 1 } else { CARD_ROUNDS };
        self.rounds.min((ITEMS_MAX / n).max(least))
    }

    /// The same after a first round of all sides that does not count: a card is to have figures of all its operations soon, also
    /// beside a slow processor.
    pub(crate) fn rounds_after(&self, n: usize, first: Duration) -> usize {
        if self.cards.is_empty() { self.rounds(n) } else { fitting(self.rounds(n), first) }
    }

    /// Whether batches of `n` take too long, if a round of `smaller` ones took so long. Only the largest are ever left out.
    pub(crate) fn leaves_out(&self, n: usize, (smaller, took): (usize, Duration)) -> bool {
        !self.cards.is_empty() && CARD_SIZES.contains(&n) && is_too_long(n, smaller, took)
    }
}

fn fitting(rounds: usize, first: Duration) -> usize {
    let fit = SIZE_TIME.as_secs_f64() / first.as_secs_f64().max(1e-9);
    rounds.min(fit as usize).max(1)
}

fn is_too_long(n: usize, smaller: usize, took: Duration) -> bool {
    took.as_secs_f64() * n as f64 > SIZE_TIME.as_secs_f64() * smaller as f64
}

impl WithCards {
    /// Its engine is measured beside the first card, in operations that it divides.
    fn takes_part(&self, card: Card, op: Op) -> bool {
        let is_first = self.cards.first().is_some_and(|first| std::ptr::eq(*first, card.gpu));
        is_first && matches!(op, Op::Recover | Op::VerifyKnown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_sides_cost_rounds_and_then_sizes() {
        let rounds = [0, 1_000, 3_000, 60_000].map(|ms| fitting(7, Duration::from_millis(ms)));
        assert_eq!(rounds, [7, 7, 2, 1]);
        let [quick, slow] = [1, 3].map(|s| is_too_long(1 << 20, 1 << 18, Duration::from_secs(s)));
        assert!(!quick && slow);
        let of_processor = Plan::for_tests(vec![16], 7, 1);
        assert_eq!(of_processor.rounds_after(1_024, Duration::from_secs(100)), 7);
        assert!(!of_processor.leaves_out(1 << 20, (1 << 18, Duration::from_secs(100))));
    }
}
