//! How fast a card's kernels are without copies, for benches. What they answer is checked.

use super::backend::Gpu;
use super::canaries::TABLE;
use super::card::Fault;
use super::desk::{IMADS_OF_A_ROUND, Messages, POINT, Points};
use super::fp381::programs::MILLER;
use super::fp381::{Drawn, Routine, words_of};
use super::guard::{Canary, Mixed, Said};
use super::key_sum;
use super::post::Kind;
use super::question::{Hot, Question, Recover};
use super::tag::{Seeds, TAG};
use crate::bls::library;
use crate::oracle;
use blst::{blst_fp12, blst_p1, blst_p1_affine, blst_p2_affine};
use std::sync::Arc;
use std::time::Duration;

/// Rounds of multiplications of a thread.
const ROUNDS: u32 = 256;
/// Additions of points an item: a launch of as many as there are items would not fill a card.
const ADDITIONS: usize = 64;
/// Different points that are added; of half of the pairs of an item each comes once.
const POINTS: usize = ADDITIONS / 2;
/// Bytes of a message that is hashed by one permutation.
const ONE_BLOCK: usize = 135;

/// What is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Signers of signatures.
    Recover,
    /// Signatures of one key with a table.
    HotPayer,
    /// Permutations of Keccak, each with its message.
    Keccak,
    /// Miller loops.
    Miller,
    /// Additions of points of G1.
    AddG1,
    /// Multiplications of 32-bit words, added to 64 bits. Only CUDA has this.
    Multiply,
}

impl Gpu {
    /// Steps on rows that stay on the card, `items` side by side: how many these are, and the time that they take, the mean of
    /// `times` times.
    ///
    /// # Errors
    /// The card's; [`Fault::Lies`] if an answer is wrong.
    pub fn rate(&self, step: Step, items: usize, times: u32) -> Result<(usize, Duration), Fault> {
        let (items, times) = (items.clamp(1, self.info().items_max), times.max(1));
        let took = match step {
            Step::Recover => self.recover_time(items, times)?,
            Step::HotPayer => self.hot_time(items, times)?,
            Step::Keccak => self.keccak_time(items, times)?,
            Step::Miller => self.miller_time(items, times)?,
            Step::AddG1 => {
                let fit = self.info().buffer_bytes_max as usize / (2 * POINT * size_of::<u32>());
                let pairs = (items * ADDITIONS).min(fit / ADDITIONS * ADDITIONS);
                return Ok((pairs, self.addition_time(pairs, times)?));
            }
            Step::Multiply => {
                let took = self.multiplication_time(items, times)?;
                return Ok((items * IMADS_OF_A_ROUND * ROUNDS as usize, took));
            }
        };
        Ok((items, took))
    }

    fn recover_time(&self, items: usize, times: u32) -> Result<Duration, Fault> {
        let (mixed, seeds) = (good(&self.canaries.recover, items), Seeds::random());
        let sent = self.post.send(Kind::Repeated, items * (times as usize + 1), move |desk, limit| {
            let (answers, took) = desk.signatures_repeated::<Recover>(&mixed.rows, None, (seeds, times, limit))?;
            all_good(&mixed, &answers, seeds).map(|()| took)
        });
        sent.wait()
    }

    fn hot_time(&self, items: usize, times: u32) -> Result<Duration, Fault> {
        let (mixed, seeds, tables) = (good(&self.canaries.hot, items), Seeds::random(), Arc::clone(&self.room));
        let sent = self.post.send(Kind::Repeated, items * (times as usize + 1), move |desk, limit| {
            let tables = Some((&*tables, TABLE as usize + 1));
            let (answers, took) = desk.signatures_repeated::<Hot>(&mixed.rows, tables, (seeds, times, limit))?;
            all_good(&mixed, &answers, seeds).map(|()| took)
        });
        sent.wait()
    }

    fn keccak_time(&self, items: usize, times: u32) -> Result<Duration, Fault> {
        let message = |item: usize| -> Vec<u8> { (0..ONE_BLOCK).map(|byte| (item + byte) as u8).collect() };
        let mut packed = Messages::default();
        (0..items).for_each(|item| packed.push(&message(item)));
        let seeds = Seeds::random();
        let sent = self.post.send(Kind::Repeated, items * (times as usize + 1), move |desk, limit| {
            desk.digests_repeated(&packed, (seeds, times, limit))
        });
        let (answers, took) = sent.wait()?;
        let last = &answers[(items - 1) * Messages::ANSWER..];
        let words = last[..Messages::ANSWER - TAG].iter().flat_map(|word| word.to_le_bytes());
        right(words.eq(oracle::digest(&message(items - 1)).0), "a digest").map(|()| took)
    }

    fn miller_time(&self, items: usize, times: u32) -> Result<Duration, Fault> {
        let (p, q) = (library::minus_g1(), library::hash_to_g2(b"a point", b"of any tag"));
        let row = [p.x, p.y, q.x.fp[0], q.x.fp[1], q.y.fp[0], q.y.fp[1]].each_ref().map(words_of).concat();
        let (answers, took) = self.program_time(&MILLER, row, items, times)?;
        let value = super::fp381::fp12_of(&answers[..MILLER.answer]);
        right(is_miller_value(&value, &p, &q), "a Miller value").map(|()| took)
    }

    /// Additions of pairs, all at once: of the multiples 1 to 32 of G, over and over, and -64 to -33. To be read the sums are
    /// halved once more, which doubles them: both halves are the same.
    fn addition_time(&self, pairs: usize, times: u32) -> Result<Duration, Fault> {
        let minus_g = library::minus_g1();
        let multiples: Vec<_> = (0..2 * POINTS)
            .scan(blst_p1::default(), |sum, _| {
                *sum = library::add(sum, &library::negative(&minus_g));
                library::to_affine(sum)
            })
            .collect();
        let (first, rest) = multiples.split_at(POINTS);
        let second: Vec<_> = rest.iter().rev().map(library::negative).collect();
        let rows = first.iter().chain(&second).flat_map(key_sum::row).collect();
        let slot = |at: usize| ((at >= pairs) as usize * POINTS + at % pairs % POINTS) as u32;
        let points = Points { rows, slots: (0..2 * pairs).map(slot).collect(), levels: 2 };
        let sent = self.post.send(Kind::Repeated, 2 * pairs * (times as usize + 1), move |desk, limit| {
            desk.fold_repeated(&points, (times, limit))
        });
        let (answers, took) = sent.wait()?;
        let sums = first
            .iter()
            .zip(&second)
            .map(|(a, b)| library::double(&library::add(&library::add(&blst_p1::default(), a), b)));
        let sums: Vec<_> = sums.map(|sum| library::to_affine(&sum)).collect();
        let is_right =
            answers.chunks_exact(POINT).zip(sums.iter().cycle()).all(|(row, sum)| key_sum::point_of(row) == *sum);
        right(is_right, "a sum of points").map(|()| took)
    }

    /// A program on the same row for every item. All answers must be the same.
    fn program_time(
        &self,
        routine: &'static Routine,
        row: Vec<u32>,
        items: usize,
        times: u32,
    ) -> Result<(Vec<u32>, Duration), Fault> {
        let drawn = Drawn::new(items);
        let rows = drawn.behind(&row.repeat(items), routine);
        let sent = self.post.send(Kind::Repeated, items * (times as usize + 1), move |desk, limit| {
            desk.run_repeated(routine, &rows, (times, limit))
        });
        let (answers, took) = sent.wait()?;
        let answers = drawn.of_each(&answers, routine)?;
        let (first, _) = answers.split_at(routine.answer);
        right(answers.chunks_exact(routine.answer).all(|answer| answer == first), "a program's answer")?;
        Ok((answers, took))
    }

    fn multiplication_time(&self, threads: usize, times: u32) -> Result<Duration, Fault> {
        let sent = self.post.send(Kind::Repeated, threads * (times as usize + 1), move |desk, limit| {
            desk.multiply_repeated(threads, ROUNDS, (times, limit))
        });
        let (answers, took) = sent.wait()?;
        let is_right = [0, threads - 1].iter().all(|thread| answers[*thread] == multiplied(*thread as u32));
        right(is_right, "a product").map(|()| took)
    }
}

fn right(is_right: bool, what: &str) -> Result<(), Fault> {
    if is_right { Ok(()) } else { Err(Fault::Lies(format!("{what} is wrong"))) }
}

/// So many of the good canaries, over and over.
fn good<Q: Question>(canaries: &[Canary<Q>], items: usize) -> Mixed<Q> {
    let good = canaries.iter().filter(|canary| canary.answer.is_some()).map(|canary| canary.item.clone());
    let good: Vec<Q::Item> = good.collect();
    Mixed::new(good.iter().cycle().take(items).cloned().collect(), &[], &mut rand::rng())
}

fn all_good<Q: Question>(mixed: &Mixed<Q>, answers: &[u32], seeds: Seeds) -> Result<(), Fault> {
    let said = mixed.read(answers, seeds)?;
    right(said.iter().all(|said| matches!(said, Said::Good(_))), "an answer")
}

/// Whether the card's value is blst's, up to what the final exponentiation takes out.
fn is_miller_value(value: &blst_fp12, p: &blst_p1_affine, q: &blst_p2_affine) -> bool {
    library::exponentiates_to_one(&library::multiply(value, &library::miller(&library::negative(p), q)))
}

/// The word of a thread of `imad_rate`.
fn multiplied(thread: u32) -> u32 {
    let b = u64::from(0x9e37_79b1_u32.wrapping_add(thread));
    let first = u64::from(thread + 1) << 32 | u64::from(8 * thread + 1);
    let mut sums: [u64; 8] = std::array::from_fn(|i| first + i as u64);
    for _ in 0..16 * ROUNDS {
        for i in 0..8 {
            sums[i] = sums[i].wrapping_add((sums[(i + 1) % 8] & 0xffff_ffff) * b);
        }
    }
    let sum = sums.iter().fold(0, |all, sum| all ^ sum);
    sum as u32 ^ (sum >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::canaries::Canaries;
    use crate::gpu::{StandIn, stand_in};

    const STEPS: [Step; 5] = [Step::Recover, Step::HotPayer, Step::Keccak, Step::Miller, Step::AddG1];

    #[test]
    fn every_step_is_right_on_what_stands_in_for_cards() {
        for which in [StandIn::CudaTwin, StandIn::Vulkan] {
            let Ok(card) = stand_in(which) else { continue };
            for step in STEPS {
                let (done, took) = card.rate(step, 33, 2).unwrap_or_else(|why| panic!("{which:?} {step:?}: {why}"));
                assert!(done % 33 == 0 && took > Duration::ZERO, "{which:?} {step:?}");
            }
            assert_eq!(card.rate(Step::Multiply, 33, 1).is_ok(), which == StandIn::CudaTwin, "only in CUDA");
        }
    }

    #[test]
    fn a_wrong_answer_is_no_figure() {
        let mixed = good(&Canaries::new().recover, 3);
        let words = vec![0; 3 * Recover::ANSWER];
        assert!(matches!(all_good(&mixed, &words, Seeds([1, 2])), Err(Fault::Lies(_))));
        let (p, q) = (library::minus_g1(), library::hash_to_g2(b"m", b"t"));
        assert!(is_miller_value(&library::miller(&p, &q), &p, &q));
        assert!(!is_miller_value(&library::one(), &p, &q));
        assert_ne!(multiplied(0), multiplied(1));
    }
}
