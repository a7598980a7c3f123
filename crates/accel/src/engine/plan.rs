//! Which backend does an operation, by the size of the batch.

use super::workers::PIECE_MAX;
use crate::backend::{Backend, BackendName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Fewer items are not worth the way to a card and back.
const CARD_MIN: usize = 256;

/// Operations that are dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Who signed.
    Recover,
    /// Whether a known key signed, without tables.
    VerifyCold,
    /// Whether a known key signed, with its tables.
    VerifyHot,
    /// Keccak-256.
    Keccak256,
    /// Sums, counts and wire form of signer vectors; an item is a vector.
    SignerVectors,
    /// Guardians' votes merged and verified; an item is a vote.
    Checkpoint,
    /// The table of a checkpoint in the augmented scheme; an item is a guardian.
    MillerValues,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Recover,
        Self::VerifyCold,
        Self::VerifyHot,
        Self::Keccak256,
        Self::SignerVectors,
        Self::Checkpoint,
        Self::MillerValues,
    ];

    /// As in metrics and in the calibration file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::VerifyCold => "verify_cold",
            Self::VerifyHot => "verify_hot",
            Self::Keccak256 => "keccak256",
            Self::SignerVectors => "signer_vectors",
            Self::Checkpoint => "checkpoint",
            Self::MillerValues => "miller_values",
        }
    }

    /// Fewest items for which another thread is worth its wake-up: about a tenth of a millisecond of work.
    pub(crate) const fn piece_min(self) -> usize {
        match self {
            Self::Recover | Self::VerifyCold => 64,
            Self::VerifyHot => 256,
            Self::Keccak256 => 1_024,
            // Thousands of entries take microseconds, and votes are merged: they stay on one thread.
            Self::SignerVectors | Self::Checkpoint => usize::MAX,
            Self::MillerValues => 1,
        }
    }

    /// Items from which a vector backend is taken where nothing was measured.
    const fn unmeasured_crossover(self) -> usize {
        match self {
            Self::Recover | Self::VerifyCold | Self::Keccak256 => 8,
            Self::VerifyHot => 4,
            Self::SignerVectors => 2,
            // The oracle sums keys one by one.
            Self::Checkpoint => 1,
            Self::MillerValues => 8,
        }
    }

    /// Items from which on the time of one no longer depends on how many there are.
    pub(crate) const fn measured_to(self) -> usize {
        match self {
            Self::Checkpoint | Self::MillerValues => 64,
            _ => usize::MAX,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Nothing is known to the nanosecond.
const LITTLE_MORE: f64 = 1.1;

/// From so many items on: a backend, or the oracle (`None`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Items, at least.
    pub from: usize,
    /// Who does them.
    pub backend: Option<BackendName>,
}

/// Steps of every operation, ascending, the first from 1 item; what they cost, if that was measured; and who takes over
/// where a backend fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    steps: [Vec<Step>; Op::ALL.len()],
    costs: [Vec<Cost>; Op::ALL.len()],
    cards: [Vec<CardCost>; Op::ALL.len()],
    ranks: [Vec<Rank>; Op::ALL.len()],
}

/// From so many items on: the backends that are worth asking, the fastest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rank {
    pub(crate) from: usize,
    pub(crate) backends: Vec<BackendName>,
}

/// From so many items on: time of one item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) from: usize,
    pub(crate) ns_per_item: f64,
}

/// Time that a graphics card takes for a batch: copies and all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CardCost {
    /// Which of the cards.
    pub card: usize,
    /// Nanoseconds for any batch.
    pub fixed_ns: f64,
    /// Nanoseconds an item more.
    pub ns_per_item: f64,
}

/// Who does how much of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shares {
    /// Cards and their items, the first items of the batch; the CPU does the rest.
    pub(crate) of_cards: Vec<(usize, usize)>,
    /// When all are to be done, in nanoseconds.
    pub(crate) ns: u64,
}

/// Which signatures of known keys are recovered together with those of unknown ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Together {
    pub(crate) cold: bool,
    pub(crate) hot: bool,
}

impl Plan {
    /// Without measurements: the oracle for a few items, then the fastest of `backends`, which is the last.
    pub fn unmeasured(backends: &[&'static dyn Backend]) -> Self {
        let best = backends.last().map(|backend| backend.name());
        let oracle = Step { from: 1, backend: None };
        let plan = Self::from_steps(|op| vec![oracle, Step { from: op.unmeasured_crossover(), backend: best }]);
        let names: Vec<BackendName> = backends.iter().rev().map(|backend| backend.name()).collect();
        plan.with_ranks(|op| vec![Rank { from: op.unmeasured_crossover(), backends: names.clone() }])
    }

    /// The steps that `of` gives for each operation, each list ascending from 1 on; what changes nothing is left out.
    pub(crate) fn from_steps(of: impl Fn(Op) -> Vec<Step>) -> Self {
        let steps = Op::ALL.map(|op| {
            let mut steps = of(op);
            steps.dedup_by(|next, last| next.backend == last.backend);
            steps
        });
        Self { steps, costs: Default::default(), cards: Default::default(), ranks: Default::default() }
    }

    /// With what an operation costs, ascending in size.
    pub(crate) fn with_costs(self, of: impl Fn(Op) -> Vec<Cost>) -> Self {
        Self { costs: Op::ALL.map(of), ..self }
    }

    /// With what an operation costs on cards.
    pub(crate) fn with_cards(self, of: impl Fn(Op) -> Vec<CardCost>) -> Self {
        Self { cards: Op::ALL.map(of), ..self }
    }

    /// Every operation costs this on the CPU.
    #[cfg(all(test, feature = "host-twin", target_arch = "x86_64"))]
    pub(crate) fn with_same_cost(self, ns_per_item: f64) -> Self {
        self.with_costs(|_| vec![Cost { from: 1, ns_per_item }])
    }

    /// What an operation costs on cards.
    pub fn cards(&self, op: Op) -> &[CardCost] {
        &self.cards[op as usize]
    }

    /// The division of a batch with which all are done soonest, if `under_way(card)` items wait before a card and `threads`
    /// do the CPU's part. Without measurements the CPU does everything.
    pub(crate) fn shares(&self, op: Op, items: usize, threads: usize, under_way: impl Fn(usize) -> usize) -> Shares {
        let cards = self.cards(op);
        // Pieces of the CPU are of about this size.
        let on_cpu = self.ns(op, items.clamp(1, PIECE_MAX)) / items.clamp(1, PIECE_MAX) as f64 / threads.max(1) as f64;
        if cards.is_empty() || on_cpu <= 0.0 {
            return Shares::default();
        }
        // Items that are done by a time, in nanoseconds.
        let by_card = |cost: &CardCost, time: f64| {
            let waits = cost.fixed_ns + under_way(cost.card) as f64 * cost.ns_per_item;
            ((time - waits) / cost.ns_per_item).max(0.0)
        };
        let done = |time: f64| time / on_cpu + cards.iter().map(|cost| by_card(cost, time)).sum::<f64>();
        let (mut early, mut late) = (0.0, items as f64 * on_cpu);
        for _ in 0..50 {
            let time = f64::midpoint(early, late);
            if done(time) < items as f64 { early = time } else { late = time }
        }
        let mut left = items;
        let mut share = |cost: &CardCost| {
            let count = (by_card(cost, late).round() as usize).min(left);
            if count < CARD_MIN {
                return None;
            }
            left -= count;
            Some((cost.card, count))
        };
        Shares { of_cards: cards.iter().filter_map(&mut share).collect(), ns: late as u64 }
    }

    /// Whether a card does a part of a batch within so many nanoseconds, or little more, and it is worth the way.
    pub(crate) fn is_in_time(&self, op: Op, card: usize, items: usize, ns: u64) -> bool {
        let cost = self.cards(op).iter().find(|cost| cost.card == card);
        items >= CARD_MIN
            && cost.is_some_and(|cost| cost.fixed_ns + cost.ns_per_item * items as f64 <= LITTLE_MORE * ns as f64)
    }

    /// With who takes over where a backend fails, ascending in size.
    pub(crate) fn with_ranks(self, of: impl Fn(Op) -> Vec<Rank>) -> Self {
        Self { ranks: Op::ALL.map(of), ..self }
    }

    /// The cheapest way to verify signatures of `new` unknown, `cold` known and `hot` known keys with tables: each kind as a
    /// batch of its own, or in one with the unknown ones. Without measurements, each on its own.
    pub(crate) fn together(&self, new: usize, cold: usize, hot: usize) -> Together {
        let cost = |together: Together| {
            let merged = new + if together.cold { cold } else { 0 } + if together.hot { hot } else { 0 };
            let [cold, hot] = [if together.cold { 0 } else { cold }, if together.hot { 0 } else { hot }];
            self.ns(Op::Recover, merged) + self.ns(Op::VerifyCold, cold) + self.ns(Op::VerifyHot, hot)
        };
        let ways =
            [(false, false), (false, true), (true, false), (true, true)].map(|(cold, hot)| Together { cold, hot });
        ways.into_iter().min_by(|a, b| cost(*a).total_cmp(&cost(*b))).expect("four ways")
    }

    /// Time of a batch on one thread of the CPU; 0 if that is not known.
    pub(crate) fn ns(&self, op: Op, items: usize) -> f64 {
        let cost = self.costs[op as usize].iter().rev().find(|cost| cost.from <= items);
        cost.map_or(0.0, |cost| cost.ns_per_item * items as f64)
    }

    /// Who does `items` items.
    pub fn choose(&self, op: Op, items: usize) -> Option<BackendName> {
        self.steps(op).iter().rev().find(|step| step.from <= items)?.backend
    }

    /// Who does `items` items, and who takes over if that backend fails. None: the oracle does them.
    pub(crate) fn order(&self, op: Op, items: usize) -> impl Iterator<Item = BackendName> {
        let chosen = self.choose(op, items);
        let rank = self.ranks[op as usize].iter().rev().find(|rank| rank.from <= items).filter(|_| chosen.is_some());
        let others = rank.into_iter().flat_map(|rank| &rank.backends).copied();
        chosen.into_iter().chain(others.filter(move |name| Some(*name) != chosen))
    }

    /// Whether a backend does anything.
    pub(crate) fn uses(&self, name: BackendName) -> bool {
        self.steps.iter().flatten().any(|step| step.backend == Some(name))
    }

    /// From how many items on a card takes a part of a batch beside so many threads of the CPU, to the next power of 2; `None`:
    /// of none. Never for [`Op::Keccak256`]: a card hashes the messages of signatures that it verifies, and no others.
    pub fn card_from(&self, op: Op, card: usize, threads: usize) -> Option<usize> {
        if op == Op::Keccak256 {
            return None;
        }
        let has_part =
            |items: &usize| self.shares(op, *items, threads, |_| 0).of_cards.iter().any(|(of, _)| *of == card);
        (0..=20).map(|bits| 1 << bits).find(has_part)
    }

    /// `oracle, from 4 items avx2, from 16 items avx512ifma; card 0 from 2048 items`, beside so many threads.
    pub fn in_words(&self, op: Op, threads: usize) -> String {
        let word = |step: &Step| {
            let name = step.backend.map_or("oracle", BackendName::as_str);
            if step.from == 1 { name.to_owned() } else { format!("from {} items {name}", step.from) }
        };
        let steps = self.steps(op).iter().map(word).collect::<Vec<_>>().join(", ");
        let card = |card: usize| Some(format!("; card {card} from {} items", self.card_from(op, card, threads)?));
        let cards: String = self.cards(op).iter().filter_map(|cost| card(cost.card)).collect();
        steps + &cards
    }

    /// The steps of an operation.
    pub fn steps(&self, op: Op) -> &[Step] {
        &self.steps[op as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_that_is_reached_counts() {
        let (few, many) = (Some(BackendName::Portable), Some(BackendName::Avx2));
        let step = |from, backend| Step { from, backend };
        let plan = Plan::from_steps(|op| match op {
            Op::Recover => vec![step(1, None), step(2, None), step(4, few), step(8, few), step(64, many)],
            _ => vec![step(1, many)],
        });
        assert_eq!(plan.steps(Op::Recover), [step(1, None), step(4, few), step(64, many)]);
        let chosen = [0, 1, 3, 4, 63, 64, 9_999].map(|n| plan.choose(Op::Recover, n));
        assert_eq!(chosen, [None, None, None, few, few, many, many]);
        assert_eq!(plan.choose(Op::Keccak256, 1), many);
        assert_eq!(plan.in_words(Op::Recover, 1), "oracle, from 4 items portable, from 64 items avx2");
    }

    #[test]
    fn the_next_fastest_takes_over() {
        let (plain, few, many) = (BackendName::Portable, BackendName::Avx2, BackendName::Avx512Ifma);
        let step = |from, backend| Step { from, backend };
        let plan = Plan::from_steps(|_| vec![step(1, None), step(4, Some(few)), step(64, Some(many))]);
        let order = |plan: &Plan, items| plan.order(Op::Recover, items).collect::<Vec<_>>();
        assert_eq!(order(&plan, 64), [many], "no others are known");
        let rank = |from, backends: &[BackendName]| Rank { from, backends: backends.to_vec() };
        let plan = plan.with_ranks(|_| vec![rank(1, &[plain]), rank(4, &[few, plain]), rank(16, &[many, few, plain])]);
        assert_eq!(order(&plan, 1), [], "the oracle");
        assert_eq!(order(&plan, 4), [few, plain]);
        assert_eq!(order(&plan, 16), [few, many, plain], "the plan's choice first");
        assert_eq!(order(&plan, 4_096), [many, few, plain]);
        assert!(plan.uses(few) && plan.uses(many) && !plan.uses(plain));
    }

    #[test]
    fn few_known_keys_go_with_the_unknown_ones() {
        let plan = Plan::from_steps(|_| vec![Step { from: 1, backend: None }]);
        let together = |cold, hot| Together { cold, hot };
        assert_eq!(plan.together(5, 5, 5), together(false, false), "nothing was measured");
        let costs = |op| match op {
            Op::Recover => [(1, 30.0), (4, 8.0), (64, 3.0)],
            Op::VerifyCold => [(1, 30.0), (4, 30.0), (64, 2.0)],
            _ => [(1, 30.0), (4, 10.0), (64, 1.0)],
        };
        let cost = |(from, ns_per_item)| Cost { from, ns_per_item };
        let plan = plan.with_costs(|op| costs(op).map(cost).to_vec());
        assert_eq!(plan.together(5, 5, 5), together(true, true));
        assert_eq!(plan.together(500, 5, 500), together(true, false));
        assert_eq!(plan.together(500, 500, 5), together(false, true));
        assert_eq!(plan.together(500, 500, 500), together(false, false));
        assert_eq!(plan.together(0, 0, 100), together(false, false));
    }

    #[test]
    fn without_measurements_few_items_go_to_the_oracle() {
        let plan = Plan::unmeasured(&crate::detect());
        for op in Op::ALL {
            assert!(plan.choose(op, 1).is_none() || op == Op::Checkpoint, "{op}");
            assert!(plan.choose(op, 4_096).is_some(), "{op}");
            assert_eq!(plan.order(op, 4_096).count(), crate::detect().len(), "{op}");
        }
        assert!(Op::ALL.iter().all(|op| Plan::unmeasured(&[]).choose(*op, 4_096).is_none()));
    }

    #[test]
    fn batches_are_divided_so_that_all_are_done_at_once() {
        let cost = |card, fixed_ns, ns_per_item| CardCost { card, fixed_ns, ns_per_item };
        let plan = Plan::from_steps(|_| vec![Step { from: 1, backend: None }])
            .with_costs(|op| if op == Op::Recover { vec![Cost { from: 1, ns_per_item: 3_200.0 }] } else { vec![] })
            .with_cards(|_| vec![cost(0, 200_000.0, 50.0), cost(1, 1_000_000.0, 100.0)]);
        let idle = |_| 0;
        let shares = |items, threads, under_way: &dyn Fn(usize) -> usize| {
            plan.shares(Op::Recover, items, threads, under_way).of_cards
        };
        assert_eq!(shares(100, 16, &idle), [], "not worth the way");
        assert_eq!(plan.shares(Op::Keccak256, 1 << 20, 16, idle), Shares::default(), "nothing is known of the CPU");
        // T = 200 us + 50 ns m = 200 ns (n - m)
        assert_eq!(shares(2_000, 16, &idle), [(0, 800)]);
        let [(0, first), (1, second)] = shares(1_000_000, 16, &idle)[..] else { panic!("two cards") };
        let on_cpu = (1_000_000 - first - second) as f64 * 200.0;
        for time in [200_000.0 + 50.0 * first as f64, 1_000_000.0 + 100.0 * second as f64] {
            assert!((time - on_cpu).abs() < 1_000.0, "{time} {on_cpu}");
        }
        // One that is busy for long is left out.
        let busy = |card| if card == 0 { 10_000_000 } else { 0 };
        assert!(matches!(shares(100_000, 16, &busy)[..], [(1, _)]));
        let in_time = |items, ns| plan.is_in_time(Op::Recover, 0, items, ns);
        assert!(in_time(2_500, 300_000) && !in_time(2_700, 300_000) && !in_time(CARD_MIN - 1, 300_000_000));
        assert!(!plan.is_in_time(Op::Recover, 7, 2_000, u64::MAX), "no such card");
        assert_eq!(plan.in_words(Op::Recover, 16), "oracle; card 0 from 2048 items; card 1 from 32768 items");
        let hashes = plan.clone().with_costs(|_| vec![Cost { from: 1, ns_per_item: 3_200.0 }]);
        assert_eq!(hashes.in_words(Op::Keccak256, 16), "oracle", "the engine does not ask a card for hashes");
        assert_eq!(hashes.card_from(Op::MillerValues, 0, 16), Some(2_048));
        // One slower than all threads takes its part all the same.
        assert_eq!(plan.in_words(Op::Recover, 128), "oracle; card 0 from 16384 items; card 1 from 65536 items");
    }
}
