//! Between limbs of eight lanes and words of one.

use super::{Fp, V};
use crate::bls::ifma::bound::Bound;
use crate::bls::row::Row;
use crate::bls::words;
use std::arch::x86_64::*;

impl Fp {
    /// Words of numbers of up to 384 bits, one a lane, as they are: a Montgomery form only if the words are.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(in crate::bls::ifma) fn from_words(lanes: &[[u64; 6]; 8]) -> Self {
        let mut rows = [Row::ZERO; 8];
        for (row, lane) in rows.iter_mut().zip(lanes) {
            *row = Row(words::limbs(lane));
        }
        let [a, b, c, d, e, f, g, h] = &rows;
        // 2^384 is less than 10 p.
        Self { bound: Bound::new(10), ..Self::load([a, b, c, d, e, f, g, h]) }
    }

    /// Words of each lane, as they are. Numbers below p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(in crate::bls::ifma) fn to_words(self) -> [[u64; 6]; 8] {
        self.bound.at_most(1);
        self.store().map(|row| words::words(&row.0))
    }

    /// From blst's form.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(in crate::bls::ifma) fn from_blst(lanes: &[blst::blst_fp; 8]) -> Self {
        Self::from_words(&lanes.map(|lane| lane.l)).mul(&Self::splat(&words::FROM_BLST))
    }

    /// To blst's form.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(in crate::bls::ifma) fn to_blst(self) -> [blst::blst_fp; 8] {
        self.mul(&Self::splat(&words::TO_BLST)).below_p().to_words().map(|l| blst::blst_fp { l })
    }

    /// From numbers below 2^384 that are in no form.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(in crate::bls::ifma) fn from_plain(lanes: &[[u64; 6]; 8]) -> Self {
        Self::from_words(lanes).mul(&Self::splat(&words::R2))
    }
}

/// Row i of the result is column i of `rows`.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(super) fn transpose(rows: [V; 8]) -> [V; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    let low = |a, b| _mm512_unpacklo_epi64(a, b);
    let high = |a, b| _mm512_unpackhi_epi64(a, b);
    let [r0, r2, r4, r6] = every_other([low(a, b), low(c, d), low(e, f), low(g, h)]);
    let [r1, r3, r5, r7] = every_other([high(a, b), high(c, d), high(e, f), high(g, h)]);
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// 128-bit pieces 0 of all four, then pieces 1, 2 and 3.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn every_other([ab, cd, ef, gh]: [V; 4]) -> [V; 4] {
    let even = |a, b| _mm512_shuffle_i64x2::<0x88>(a, b);
    let odd = |a, b| _mm512_shuffle_i64x2::<0xdd>(a, b);
    let (low, high) = (even(ab, cd), odd(ab, cd));
    let (low2, high2) = (even(ef, gh), odd(ef, gh));
    [even(low, low2), even(high, high2), odd(low, low2), odd(high, high2)]
}
