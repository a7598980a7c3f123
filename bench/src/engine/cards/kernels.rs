//! Kernels alone, on rows that stay on the card. A card that fails here has no such row, and the reason is said.

use super::super::plan::Op;
use super::super::row::Row;
use super::Card;
use vigil_accel::pieces::cards::{Step, per_second};

/// Items of a launch in software.
const FEW: usize = 64;
/// Most items whose registers find room.
const MANY: usize = 16_384;

/// The row of 32-bit multiplications.
const MULTIPLICATIONS: &str = "imad-wide";

/// Steps of an operation, with their cases.
const fn steps(op: Op) -> &'static [(&'static str, Step)] {
    match op {
        Op::Recover => &[("resident", Step::Recover)],
        Op::VerifyKnown => &[("resident-hot-payer", Step::HotPayer)],
        Op::Keccak256 => &[("resident-len-135", Step::Keccak)],
        Op::Checkpoint => &[("resident-miller", Step::Miller), ("resident-g1-add", Step::AddG1)],
        Op::SignerVectors | Op::Trie => &[],
    }
}

/// How many multiplications a card does, if it can be measured.
pub(super) fn multiplications(card: &Card) -> Option<Row> {
    let measured = card.is_cuda().then(|| row(card, MULTIPLICATIONS, "resident", Step::Multiply));
    measured.flatten()
}

/// The same by the card's own name: one card may be there through several interfaces.
pub(super) fn multipliers(cards: &[Card], rows: &[Row]) -> Vec<(String, f64)> {
    let rate = |card: &Card| {
        let row = rows.iter().find(|row| row.op == MULTIPLICATIONS && row.backend == card.label)?;
        Some((card.gpu.info().name.clone(), row.items_per_s))
    };
    cards.iter().filter_map(rate).collect()
}

/// The rows of an operation.
pub(super) fn rows(card: &Card, op: Op) -> Vec<Row> {
    steps(op).iter().filter_map(|(case, step)| row(card, op.as_str(), case, *step)).collect()
}

fn row(card: &Card, op: &str, case: &str, step: Step) -> Option<Row> {
    let info = card.gpu.info();
    let n = match step {
        _ if info.software => FEW,
        Step::Miller | Step::AddG1 => info.items_max.min(MANY),
        _ => info.items_max,
    };
    match per_second(card.gpu, step, n) {
        Ok(rate) => {
            eprintln!("  {case:<32} n {n:>7}  {:<13} {rate:>16.0} a second", card.label);
            Some(Row::of_kernel(op, case, card.label, n, rate))
        }
        Err(why) => {
            eprintln!("  {case:<32} {}: not measured: {why}", card.label);
            None
        }
    }
}
