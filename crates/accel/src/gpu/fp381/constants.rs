//! Constants of programs.

use super::program::{Builder, Fp, NUMBER};
use super::tower::Fp2;
use crate::bls::row::Row;
use crate::bls::words::{self, Limbs};
use blst::blst_fp;

/// The words of a number of blst, which has the Montgomery form of programs.
pub(crate) fn words_of(number: &blst_fp) -> [u32; NUMBER] {
    std::array::from_fn(|i| (number.l[i / 2] >> (32 * (i % 2))) as u32)
}

/// A number of blst from its words.
pub(crate) fn number_of(words: &[u32]) -> blst_fp {
    blst_fp { l: std::array::from_fn(|i| u64::from(words[2 * i]) | u64::from(words[2 * i + 1]) << 32) }
}

/// A constant of [`crate::bls::constants`].
pub(crate) fn fp<'b>(of: &'b Builder, limbs: &Limbs) -> Fp<'b> {
    of.constant(words_of(&Row(*limbs).to_blst()))
}

pub(crate) fn fp2<'b>(of: &'b Builder, [c0, c1]: &[Limbs; 2]) -> Fp2<'b> {
    Fp2 { c0: fp(of, c0), c1: fp(of, c1) }
}

/// A small number.
pub(crate) fn small<'b>(of: &'b Builder, number: u64) -> Fp<'b> {
    fp(of, &words::small(number))
}

/// What the product with makes Montgomery forms of numbers times 2^`bits`.
pub(crate) fn shift(of: &Builder, bits: u32) -> Fp<'_> {
    // R^2 2^bits / R, with R = 2^384; `doubled` doubles a plain number, and its limbs are taken as they are.
    let plain = words::words(&words::doubled(words::ONE, 768 + bits));
    of.constant(words_of(&blst_fp { l: plain }))
}
