//! Whether a card calculates rightly: products and inverses that the CPU knows.

use super::device::Wgpu;
use super::lane::WgpuLane;
use super::pipelines::build;
use super::shaders::{Arithmetic, Shader};
use crate::field::{Field, Packed, scalar::Fe1};
use crate::gpu::card::{Buffer, Card, Fault, PARAMS};
use crate::secp::order::Order;
use std::sync::Arc;
use std::time::Duration;

/// Operations of the shader that is tried, by their numbers there; all results are fully reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[cfg_attr(not(test), expect(dead_code, reason = "some are asked by tests alone"))]
pub(super) enum Operation {
    /// a b mod p, of any numbers below 2^256, as all that follow mod p.
    FieldMul,
    FieldSqr,
    FieldAdd,
    FieldSub,
    FieldTwice,
    FieldHalf,
    /// 0 of 0.
    FieldInvert,
    /// a^((p + 1) / 4)
    FieldSqrt,
    /// a b mod n, of numbers below n, as all that follow but the last.
    OrderMul,
    OrderSqr,
    OrderAdd,
    OrderNegative,
    /// 0 of 0.
    OrderInvert,
    /// a mod n, of any number.
    OrderReduce,
}

/// An operation and its operands.
pub(super) type Question = (Operation, [u64; 4], [u64; 4]);

/// How long a trial may take; building the shader is not counted.
const LIMIT: Duration = Duration::from_secs(10);

/// Fails if the card gives a wrong answer.
pub(super) fn try_out(card: &Arc<Wgpu>, arithmetic: Arithmetic) -> Result<(), Fault> {
    let questions = questions();
    let answers = ask(card, arithmetic, &questions)?;
    match questions.iter().zip(&answers).find(|(question, answer)| expected(question) != **answer) {
        Some(((operation, ..), _)) => {
            Err(Fault::Lies(format!("{}: {operation:?} with {} is wrong", card.info.name, arithmetic.name())))
        }
        None => Ok(()),
    }
}

/// Asks the card.
pub(super) fn ask(card: &Arc<Wgpu>, arithmetic: Arithmetic, questions: &[Question]) -> Result<Vec<[u64; 4]>, Fault> {
    let built = build(card, &Shader::trial(), arithmetic)?;
    let shared = Arc::clone(card) as Arc<dyn Card>;
    let (items, answers) = (Buffer::new(&shared, questions.len() * 17)?, Buffer::new(&shared, questions.len() * 8)?);
    let mut words = Vec::with_capacity(items.words());
    for (operation, a, b) in questions {
        words.push(*operation as u32);
        words.extend(a.iter().chain(b).flat_map(|word| [*word as u32, (word >> 32) as u32]));
    }
    let mut params = [0; PARAMS];
    params[0] = questions.len() as u32;
    let mut lane = WgpuLane::new(Arc::clone(card))?;
    lane.put_write(&items, 0, &words)?;
    lane.dispatch(&built, questions.len(), &[&items, &answers], &params)?;
    let answers = lane.read_back(&answers, 0..answers.words(), LIMIT)?;
    let number =
        |words: &[u32; 8]| std::array::from_fn(|i| u64::from(words[2 * i]) | u64::from(words[2 * i + 1]) << 32);
    Ok(answers.as_chunks::<8>().0.iter().map(number).collect())
}

/// A few dozen, half of them of numbers that carry far.
fn questions() -> Vec<Question> {
    const ONES: u64 = u64::MAX;
    let mut numbers = vec![
        [0; 4],
        [ONES; 4],
        [0, 0, 0, 1 << 63],
        [0xffff_fffe_ffff_fc2e, ONES, ONES, ONES],
        [ONES, 0, ONES, 0],
        [0xffff_ffff, 0xffff_ffff << 32, 1, ONES],
        [0xffff_fffe_ffff_fc2f, ONES, ONES, ONES],
        [1, 0, 0, 0],
    ];
    let mut word = 1u64;
    while numbers.len() < 16 {
        numbers.push(std::array::from_fn(|_| {
            word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            word ^ word >> 29
        }));
    }
    let mut questions = vec![];
    for (i, &a) in numbers.iter().enumerate() {
        let b = numbers[(i + 5) % numbers.len()];
        let (reduced_a, reduced_b) = (Order::reduce(a).words(), Order::reduce(b).words());
        questions.extend([Operation::FieldMul, Operation::FieldSqr, Operation::FieldSub].map(|what| (what, a, b)));
        questions.push((Operation::FieldInvert, a, b));
        questions.extend([Operation::OrderMul, Operation::OrderInvert].map(|what| (what, reduced_a, reduced_b)));
    }
    questions
}

/// What the CPU says to the questions of a trial.
fn expected(&(operation, a, b): &Question) -> [u64; 4] {
    let field = |result: Fe1| {
        let mut words = [0; 4];
        Fe1::store_points(result, result, |_, Packed([x0, x1, x2, x3, ..])| words = [x0, x1, x2, x3]);
        words
    };
    let (fa, fb) = (Fe1::splat(a), Fe1::splat(b));
    let (oa, ob) = (Order::reduce(a), Order::reduce(b));
    match operation {
        Operation::FieldMul => field(fa.mul(fb)),
        Operation::FieldSqr => field(fa.sqr()),
        Operation::FieldSub => field(fa.sub(fb)),
        Operation::FieldInvert if fa.is_zero() == 1 => [0; 4],
        Operation::FieldInvert => field(fa.invert()),
        Operation::OrderMul => oa.mul(ob).words(),
        Operation::OrderInvert => oa.invert().words(),
        _ => unreachable!("not asked in trials"),
    }
}
