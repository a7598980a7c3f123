//! Weighted sums of signer vectors on a card.

use super::backend::Gpu;
use super::card::Fault;
use super::desk::{Messages, SUMS_ANSWER};
use super::post::Kind;
use super::tag::{Rows, Seeds, TAG};
use rand::Rng;

/// More signer vectors are summed by the CPU: a thread of a card takes one entry of all.
const VECTORS_MAX: usize = 4_096;
impl Gpu {
    /// `sums[i]` is the sum of `weights[k] * vectors[k][i]`.
    ///
    /// # Errors
    /// The card's; [`Fault::Lies`].
    pub(super) fn sums(&self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) -> Result<(), Fault> {
        let n = sums.len();
        if n == 0 || vectors.is_empty() || vectors.len() > VECTORS_MAX {
            self.cpu.weighted_sums(vectors, weights, sums);
            return Ok(());
        }
        let mut packed = Messages::default();
        vectors.iter().for_each(|vector| packed.push(vector));
        let words: Vec<u32> = weights.iter().flat_map(|weight| [*weight as u32, (weight >> 32) as u32]).collect();
        let answers = self.post.send(Kind::Sums, n, move |desk, limit| {
            let seeds = Seeds::random();
            let answers = desk.sums(n, packed.words(), &words, seeds, limit)?;
            match seeds.fit(None, 0, Rows { words: &answers, row: SUMS_ANSWER }) {
                true => Ok(answers),
                false => Err(Fault::Lies("the tag of a sum does not fit".to_owned())),
            }
        });
        let said: Vec<u128> =
            answers.wait()?.chunks_exact(SUMS_ANSWER).map(|row| number(&row[..SUMS_ANSWER - TAG])).collect();
        if !are_right(vectors, weights, &said) {
            return Err(Fault::Lies("a sum of signer vectors is wrong".to_owned()));
        }
        sums.copy_from_slice(&said);
        Ok(())
    }
}

/// More than any sum of so many entries of 8 bits with weights of 64.
const SUM_MAX: u128 = 1 << 96;

/// Freivalds' check: both sides of `sums = weights * vectors` times a random vector. Wrong sums pass once in 2^32: an error
/// is below [`SUM_MAX`], so of all factors of 32 bits at most one makes up for the others modulo 2^128.
fn are_right(vectors: &[&[u8]], weights: &[u64], sums: &[u128]) -> bool {
    if sums.iter().any(|sum| *sum >= SUM_MAX) {
        return false;
    }
    let mut dice = rand::rng();
    let factors: Vec<u32> = sums.iter().map(|_| dice.random()).collect();
    let of_vector =
        |vector: &[u8]| -> u64 { vector.iter().zip(&factors).map(|(v, f)| u64::from(*v) * u64::from(*f)).sum() };
    let add = |sum: u128, (a, b): (u128, u128)| sum.wrapping_add(a.wrapping_mul(b));
    let right = vectors.iter().zip(weights).map(|(v, w)| (of_vector(v).into(), u128::from(*w))).fold(0, add);
    sums.iter().zip(&factors).map(|(sum, factor)| (*sum, u128::from(*factor))).fold(0, add) == right
}

fn number(words: &[u32]) -> u128 {
    words.iter().rev().fold(0, |number, word| number << 32 | u128::from(*word))
}

#[cfg(test)]
mod tests {
    use super::are_right;

    #[test]
    fn no_wrong_sum_is_believed() {
        let vectors: [&[u8]; 3] = [&[255, 0, 3, 128], &[1, 1, 0, 255], &[7, 255, 9, 255]];
        let weights = [u64::MAX, 1 << 63, 12_345];
        let mut sums = [0; 4];
        vigil_crypto::signer_vectors::weighted_sums(&vectors, &weights, &mut sums);
        assert!(are_right(&vectors, &weights, &sums));
        assert!(are_right(&[], &[], &[0; 4]) && !are_right(&[], &[], &[0, 0, 0, 1]));
        for at in 0..4 {
            for bit in 0..128 {
                let mut wrong = sums;
                wrong[at] ^= 1 << bit;
                assert!(!are_right(&vectors, &weights, &wrong), "entry {at}, bit {bit}");
            }
        }
        sums.swap(0, 1);
        assert!(!are_right(&vectors, &weights, &sums), "in another order");
    }
}
