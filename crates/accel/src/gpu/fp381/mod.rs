//! Numbers modulo the prime of BLS12-381 on graphics cards: programs, which one small kernel runs for many items in step.
//!
//! | file | what |
//! |---|---|
//! | `program` | the form of programs, and how they are made |
//! | `tower`, `g2`, `power`, `hash`, `miller` | arithmetic to write them with |
//! | `programs` | those of `checkpoint` |
//! | `drawn` | how the CPU sees that an answer is of this launch |
//! | `evidence` | how the CPU sees that a point of a signature is one |
//! | `machine` | the judge: runs them one item at a time |

mod constants;
mod drawn;
mod evidence;
mod g2;
mod hash;
#[cfg(test)]
mod machine;
mod miller;
mod power;
mod program;
pub(crate) mod programs;
#[cfg(test)]
mod tests;
mod tower;

pub(crate) use constants::{number_of, words_of};
pub(crate) use drawn::Drawn;
pub(crate) use evidence::Evidence;
pub(crate) use hash::expanded;
pub(crate) use program::NUMBER;
pub(crate) use programs::{Routine, Tree};

use blst::{blst_fp2, blst_fp12};

/// Of 24 words.
pub(crate) fn fp2_of(words: &[u32]) -> blst_fp2 {
    blst_fp2 { fp: [number_of(&words[..NUMBER]), number_of(&words[NUMBER..2 * NUMBER])] }
}

/// Of 144 words.
pub(crate) fn fp12_of(words: &[u32]) -> blst_fp12 {
    let mut number = blst_fp12::default();
    let parts = number.fp6.iter_mut().flat_map(|half| &mut half.fp2);
    parts.zip(words.chunks_exact(2 * NUMBER)).for_each(|(part, words)| *part = fp2_of(words));
    number
}

/// The other way round.
pub(crate) fn words_of_fp12(number: &blst_fp12) -> Vec<u32> {
    number.fp6.iter().flat_map(|half| &half.fp2).flat_map(|part| &part.fp).flat_map(words_of).collect()
}
