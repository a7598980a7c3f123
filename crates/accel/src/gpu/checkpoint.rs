//! The operation `checkpoint` on a card: [`Maths`] by programs, and sums of keys.
//!
//! What a card gives is used in equations of pairings, which a wrong value does not fulfil; signatures come with evidence. Values
//! that were right another time would fulfil the equations of that time, so each answer shows that it is of this launch ([`Drawn`],
//! [`key_sum`]). So an answer that all votes are good needs no second look, and any other is worked out again by the CPU.

use super::card::Fault;
use super::desk::{Desk, Task};
use super::fp381::{self, Drawn, Evidence, NUMBER, Routine, Tree, programs, words_of};
use super::key_sum;
use super::post::{Kind, Post};
use crate::bls::plain::Plain;
use crate::bls::row::{Point, Row12};
use crate::bls::{Maths, library};
use crate::checkpoint::Scheme;
use blst::{blst_fp12, blst_p1, blst_p1_affine, blst_p1_affine_generator, blst_p2_affine};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Most items of a run: their registers must fit into a buffer.
const ITEMS_MAX: usize = 16_384;

/// Fewer Miller loops are done sooner by the CPU.
const PAIRS_MIN: usize = 64;

/// A card's way.
pub(crate) struct OnCard<'a> {
    post: &'a Post,
}

/// What `work` makes of a card's answers.
///
/// # Errors
/// The card's. `work` is left at once then: nothing that it would do without the card is of use.
pub(super) fn on_card<R>(post: &Post, work: impl FnOnce(&OnCard<'_>) -> R) -> Result<R, Fault> {
    catch_unwind(AssertUnwindSafe(|| work(&OnCard { post }))).map_err(|panic| match panic.downcast::<Fault>() {
        Ok(fault) => *fault,
        Err(bug) => resume_unwind(bug),
    })
}

/// Leaves [`on_card`]'s work if the card failed.
fn or_leave<R>(answer: Result<R, Fault>) -> R {
    answer.unwrap_or_else(|fault| resume_unwind(Box::new(fault)))
}

/// Runs a program on rows of inputs: rows of answers.
pub(super) fn each(post: &Post, routine: &'static Routine, inputs: Vec<u32>) -> Result<Vec<u32>, Fault> {
    let chunks: Vec<_> = inputs
        .chunks(routine.input * ITEMS_MAX)
        .map(|inputs| {
            let count = inputs.len() / routine.input;
            let drawn = Drawn::new(count);
            let rows = drawn.behind(inputs, routine);
            post.send(Kind::Program, count, move |desk, limit| {
                let registers = routine.program.registers;
                desk.run(routine, &Task { count, room: count, registers, offset: 0, inputs: &rows })?;
                drawn.of_each(&desk.answers(routine, count, limit)?, routine)
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(inputs.len() / routine.input * routine.answer);
    for chunk in chunks {
        answers.append(&mut chunk.wait()?);
    }
    Ok(answers)
}

/// Runs a tree on rows of inputs: an answer for each chunk.
pub(super) fn tree(post: &Post, tree: &'static Tree, inputs: Vec<u32>) -> Result<Vec<Vec<u32>>, Fault> {
    let chunks: Vec<_> = inputs
        .chunks(tree.leaf.input * ITEMS_MAX)
        .map(|inputs| {
            let count = inputs.len() / tree.leaf.input;
            let drawn = Drawn::new(count);
            let rows = drawn.behind(inputs, &tree.leaf);
            post.send(Kind::Program, count, move |desk, limit| {
                climb(desk, tree, &rows, count)?;
                drawn.of_all(&desk.answers(&tree.out, 1, limit)?, &tree.out)
            })
        })
        .collect();
    chunks.into_iter().map(|chunk| chunk.wait()).collect()
}

fn climb(desk: &mut Desk, tree: &'static Tree, rows: &[u32], room: usize) -> Result<(), Fault> {
    let registers = tree.registers();
    let task = |count, offset, inputs| Task { count, room, registers, offset, inputs };
    desk.run(&tree.leaf, &task(room, 0, rows))?;
    let mut count = room;
    while count > 1 {
        let half = count / 2;
        desk.run(&tree.join, &task(half, count - half, &[]))?;
        count -= half;
    }
    desk.run(&tree.out, &task(1, 0, &[]))
}

/// A hash to G2 and a sum of keys: the kernels are right, and built when votes come.
pub(super) fn self_test(post: &Post) -> Result<(), Fault> {
    let (message, tag) = (b"self-test", Scheme::ProofOfPossession.tag());
    let words = each(post, &programs::HASH, fp381::expanded(message, tag).to_vec())?;
    let hash = blst_p2_affine { x: fp381::fp2_of(&words), y: fp381::fp2_of(&words[2 * NUMBER..]) };
    if hash != library::hash_to_g2(message, tag) {
        return Err(Fault::Lies("a hash of the self-test is wrong".to_owned()));
    }
    // SAFETY: blst's constant.
    let generator = Point::from_blst(unsafe { &*blst_p1_affine_generator() });
    let (keys, times) = ([generator; 3], [1, 2, u16::MAX]);
    let sum = library::to_affine(&key_sum::key_sum(post, &keys, &times, 1)?);
    if sum == library::to_affine(&Plain.key_sum(&keys, &times)) {
        Ok(())
    } else {
        Err(Fault::Lies("a sum of keys of the self-test is wrong".to_owned()))
    }
}

impl Maths for OnCard<'_> {
    fn signatures(&self, compressed: &[[u8; 96]]) -> Vec<Option<blst_p2_affine>> {
        let by_card = || {
            let asked: Vec<Option<Evidence>> = compressed.iter().map(Evidence::asked).collect();
            let rows = asked.iter().flatten().flat_map(Evidence::row).collect();
            let answers = each(self.post, &programs::SIGNATURE, rows)?;
            let mut answers = answers.chunks_exact(programs::SIGNATURE.answer);
            let point = |asked: &Option<Evidence>| asked.as_ref().and_then(|asked| asked.point(answers.next()?));
            Ok(asked.iter().map(point).collect())
        };
        or_leave(by_card())
    }

    fn key_sum(&self, points: &[Point], times: &[u16]) -> blst_p1 {
        // Not even halved once before the CPU takes over.
        if key_sum::points_of(times) < 2 * key_sum::LEFT {
            return Plain.key_sum(points, times);
        }
        or_leave(key_sum::key_sum(self.post, points, times, key_sum::LEFT))
    }

    fn miller_values(&self, points: &[Point], signed: &[Vec<u8>], tag: &[u8]) -> Vec<Row12> {
        let by_card = || {
            let mut rows = Vec::with_capacity(points.len() * programs::MILLER_OF_HASH.input);
            for (point, signed) in points.iter().zip(signed) {
                rows.extend(key_sum::row(&point.to_blst()));
                rows.extend(fp381::expanded(signed, tag));
            }
            let answers = each(self.post, &programs::MILLER_OF_HASH, rows)?;
            let mut values = Vec::with_capacity(points.len());
            for (at, words) in answers.chunks_exact(programs::MILLER_OF_HASH.answer).enumerate() {
                let (value, unknown) = words.split_at(12 * NUMBER);
                values.push(match unknown {
                    [0] => Row12::from_blst(&fp381::fp12_of(value)),
                    _ => Plain.miller_values(&points[at..=at], &signed[at..=at], tag)[0],
                });
            }
            Ok(values)
        };
        or_leave(by_card())
    }

    fn hashes(&self, messages: &[Vec<u8>], tag: &[u8]) -> Vec<blst_p2_affine> {
        let by_card = || {
            let rows = messages.iter().flat_map(|message| fp381::expanded(message, tag)).collect();
            let answers = each(self.post, &programs::HASH, rows)?;
            let point = |(words, message): (&[u32], &Vec<u8>)| match words.split_at(4 * NUMBER) {
                (point, [0]) => blst_p2_affine { x: fp381::fp2_of(point), y: fp381::fp2_of(&point[2 * NUMBER..]) },
                _ => library::hash_to_g2(message, tag),
            };
            Ok(answers.chunks_exact(programs::HASH.answer).zip(messages).map(point).collect())
        };
        or_leave(by_card())
    }

    fn product(&self, values: &[Row12], powers: &[u16]) -> blst_fp12 {
        let by_card = || {
            let mut rows = Vec::with_capacity(values.len() * programs::VALUES.leaf.input);
            for (value, power) in values.iter().zip(powers).filter(|(_, power)| **power > 0) {
                rows.extend(fp381::words_of_fp12(&value.to_blst()));
                rows.push((*power).into());
            }
            let products = tree(self.post, &programs::VALUES, rows)?;
            let multiply = |product, words: &Vec<u32>| library::multiply(&product, &fp381::fp12_of(words));
            Ok(products.iter().fold(library::one(), multiply))
        };
        or_leave(by_card())
    }

    fn miller_product(&self, pairs: &[(blst_p1_affine, blst_p2_affine)]) -> blst_fp12 {
        if pairs.len() < PAIRS_MIN {
            return Plain.miller_product(pairs);
        }
        let by_card = || {
            let numbers = |(p, q): &(blst_p1_affine, blst_p2_affine)| {
                [p.x, p.y, q.x.fp[0], q.x.fp[1], q.y.fp[0], q.y.fp[1]].each_ref().map(words_of).concat()
            };
            let values = each(self.post, &programs::MILLER, pairs.iter().flat_map(numbers).collect())?;
            let multiply = |product, words: &[u32]| library::multiply(&product, &fp381::fp12_of(words));
            Ok(values.chunks_exact(programs::MILLER.answer).fold(library::one(), multiply))
        };
        or_leave(by_card())
    }
}
