//! Eight numbers of Fp2 = Fp[u] / (u^2 + 1).
//!
//! Ranges are those of [`Fp`]; a product's halves are at most 3 p. A half of a product is two products of
//! limbs, added up before one reduction: that is faster than Karatsuba's three, whose columns go through memory.

use super::fp::{Fp, Wide};
use crate::bls::row::{Row, Row2};
use crate::bls::words::Limbs;

/// `c0 + c1 u`, a number a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fp2 {
    pub(super) c0: Fp,
    pub(super) c1: Fp,
}

/// A sum of products, not reduced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide2 {
    pub(super) c0: Wide,
    pub(super) c1: Wide,
}

impl Fp2 {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn zero() -> Self {
        Self { c0: Fp::zero(), c1: Fp::zero() }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn one() -> Self {
        Self { c0: Fp::one(), c1: Fp::zero() }
    }

    /// The same number, given in Montgomery form, in all lanes.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn splat(number: &[Limbs; 2]) -> Self {
        Self { c0: Fp::splat(&number[0]), c1: Fp::splat(&number[1]) }
    }

    /// The number of each lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn load(rows: [&Row2; 8]) -> Self {
        Self { c0: Fp::load(rows.map(|row| &row[0])), c1: Fp::load(rows.map(|row| &row[1])) }
    }

    /// The number of each lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn store(&self) -> [Row2; 8] {
        let (c0, c1) = (self.c0.store(), self.c1.store());
        let mut rows = [[Row::ZERO; 2]; 8];
        for (row, halves) in rows.iter_mut().zip(c0.into_iter().zip(c1)) {
            *row = [halves.0, halves.1];
        }
        rows
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_blst(lanes: &[blst::blst_fp2; 8]) -> Self {
        Self { c0: Fp::from_blst(&lanes.map(|lane| lane.fp[0])), c1: Fp::from_blst(&lanes.map(|lane| lane.fp[1])) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_blst(self) -> [blst::blst_fp2; 8] {
        let (c0, c1) = (self.c0.to_blst(), self.c1.to_blst());
        let mut lanes = [blst::blst_fp2::default(); 8];
        for (lane, halves) in lanes.iter_mut().zip(c0.into_iter().zip(c1)) {
            lane.fp = [halves.0, halves.1];
        }
        lanes
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul(&self, b: &Self) -> Self {
        let minus = self.c1.neg::<128>();
        let c0 = Fp::dot([&self.c0, &minus], [&b.c0, &b.c1]);
        Self { c0, c1: Fp::dot([&self.c0, &self.c1], [&b.c1, &b.c0]) }
    }

    /// `a b`: the first half a0 b0 - a1 b1, the second a0 b1 + a1 b0. Halves of this of at most 128 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn wide_mul(&self, b: &Self) -> Wide2 {
        let minus = self.c1.neg::<128>();
        let c0 = Fp::wide_dot([&self.c0, &minus], [&b.c0, &b.c1]);
        Wide2 { c0, c1: Fp::wide_dot([&self.c0, &self.c1], [&b.c1, &b.c0]) }
    }

    /// First half (a0 + a1) (a0 - a1), second 2 a0 a1. Halves of at most 128 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sqr(&self) -> Self {
        let c0 = self.c0.add(&self.c1).mul(&self.c0.sub::<128>(&self.c1));
        let c1 = self.c0.shl::<1>().mul(&self.c1);
        Self { c0, c1 }
    }

    /// `a b - 8 c^2`. Halves of a of at most 128 p, of c of at most 4 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_less_8_squares(&self, b: &Self, c: &Self) -> Self {
        let minus = self.c1.neg::<128>();
        // 8 (c0 + c1) (c1 - c0) and -16 c0 c1
        let (sum, difference) = (c.c0.add(&c.c1).shl::<3>(), c.c1.sub::<4>(&c.c0));
        let eighth = c.c0.neg::<4>().shl::<4>();
        Self {
            c0: Fp::dot3([&self.c0, &minus, &sum], [&b.c0, &b.c1, &difference]),
            c1: Fp::dot3([&self.c0, &self.c1, &eighth], [&b.c1, &b.c0, &c.c1]),
        }
    }

    /// `a b - c d`. Halves of a and c of at most 128 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_less_mul(&self, b: &Self, c: &Self, d: &Self) -> Self {
        let (minus_a, minus_c0, minus_c1) = (self.c1.neg::<128>(), c.c0.neg::<128>(), c.c1.neg::<128>());
        Self {
            c0: Fp::dot4([&self.c0, &minus_a, &minus_c0, &c.c1], [&b.c0, &b.c1, &d.c0, &d.c1]),
            c1: Fp::dot4([&self.c0, &self.c1, &minus_c0, &minus_c1], [&b.c1, &b.c0, &d.c1, &d.c0]),
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn mul_fp(&self, b: &Fp) -> Self {
        Self { c0: self.c0.mul(b), c1: self.c1.mul(b) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn add(&self, b: &Self) -> Self {
        Self { c0: self.c0.add(&b.c0), c1: self.c1.add(&b.c1) }
    }

    /// `2^SHIFT self`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn shl<const SHIFT: u32>(&self) -> Self {
        Self { c0: self.c0.shl::<SHIFT>(), c1: self.c1.shl::<SHIFT>() }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn triple(&self) -> Self {
        Self { c0: self.c0.triple(), c1: self.c1.triple() }
    }

    /// The difference, for `b` with halves of at most `M p`, which are added.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn sub<const M: u64>(&self, b: &Self) -> Self {
        Self { c0: self.c0.sub::<M>(&b.c0), c1: self.c1.sub::<M>(&b.c1) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn neg<const M: u64>(&self) -> Self {
        Self { c0: self.c0.neg::<M>(), c1: self.c1.neg::<M>() }
    }

    /// `c0 - c1 u`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn conjugate<const M: u64>(&self) -> Self {
        Self { c0: self.c0, c1: self.c1.neg::<M>() }
    }

    /// Times 1 + u.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn mul_xi<const M: u64>(&self) -> Self {
        Self { c0: self.c0.sub::<M>(&self.c1), c1: self.c0.add(&self.c1) }
    }

    /// `b` where a bit of the mask is set.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn select(&self, mask: u8, b: &Self) -> Self {
        Self { c0: self.c0.select(mask, &b.c0), c1: self.c1.select(mask, &b.c1) }
    }

    /// The negative where a bit of the mask is set.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn neg_where<const M: u64>(&self, mask: u8) -> Self {
        Self { c0: self.c0.neg_where::<M>(mask), c1: self.c1.neg_where::<M>(mask) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn is_zero(&self) -> u8 {
        self.c0.is_zero() & self.c1.is_zero()
    }

    /// Halves of `b` at most 64 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn equals(&self, b: &Self) -> u8 {
        self.c0.equals(&b.c0) & self.c1.equals(&b.c1)
    }

    /// `c0^2 + c1^2`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn norm(&self) -> Fp {
        self.c0.wide_sqr().add(&self.c1.wide_sqr()).reduce()
    }

    /// The smaller numbers below 3 p that a store wants: times 1.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduced(&self) -> Self {
        self.mul_fp(&Fp::one())
    }

    /// The sign of RFC 9380 section 4.1: whether the first half, or the second if that is 0, is odd.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sgn0(&self) -> u8 {
        self.c0.is_odd() | (self.c0.is_zero() & self.c1.is_odd())
    }

    /// The sign of a compressed point: whether the second half, or the first if that is 0, is above (p - 1) / 2.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn is_large(&self) -> u8 {
        self.c1.is_large() | (self.c1.is_zero() & self.c0.is_large())
    }
}

#[cfg(test)]
impl Wide2 {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduce(&self) -> Fp2 {
        Fp2 { c0: self.c0.reduce_signed(), c1: self.c1.reduce_signed() }
    }
}

#[cfg(test)]
mod tests;
