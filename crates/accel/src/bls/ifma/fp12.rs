//! Eight numbers of Fp12 = Fp6[w] / (w^2 - v). All numbers here have parts of at most 3 p.

use super::fp2::Fp2;
use super::fp6::Fp6;
use crate::bls::row::{Row, Row12};
use blst::blst_fp12;

/// `c0 + c1 w`, a number a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fp12 {
    pub(super) c0: Fp6,
    pub(super) c1: Fp6,
}

/// `c0 + c1 v + c4 v w`
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) c0: Fp2,
    pub(super) c1: Fp2,
    pub(super) c4: Fp2,
}

impl Fp12 {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn one() -> Self {
        let zero = Fp2::zero();
        let c1 = Fp6 { c0: zero, c1: zero, c2: zero };
        Self { c0: Fp6 { c0: Fp2::one(), ..c1 }, c1 }
    }

    /// Three products of Fp6.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul(&self, b: &Self) -> Self {
        let t0 = self.c0.wide_mul(&b.c0);
        let t1 = self.c1.wide_mul(&b.c1);
        let cross = self.c0.add(&self.c1).wide_mul(&b.c0.add(&b.c1));
        Self { c0: t0.plus_v(&t1), c1: cross.less_both(&t0, &t1) }
    }

    /// `(1 + a w) (1 + b w)`: one product of Fp6.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_units(a: &Fp6, b: &Fp6) -> Self {
        Self { c0: a.mul(b).one_plus_v(), c1: a.add_reduced(b) }
    }

    /// With t = c0 c1: (c0 + c1) (c0 + v c1) - t - v t, and 2 t.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sqr(&self) -> Self {
        let t = self.c0.wide_mul(&self.c1);
        let sum = self.c0.add(&self.c1).wide_mul(&self.c0.add(&self.c1.mul_v()));
        Self { c0: sum.less_and_less_v(&t), c1: t.double() }
    }

    /// 13 products of Fp2.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_line(&self, line: &Line) -> Self {
        let t0 = self.c0.wide_mul_01(&line.c0, &line.c1);
        let t1 = self.c1.wide_mul_1(&line.c4);
        let cross = self.c0.add(&self.c1).wide_mul_01(&line.c0, &line.c1.add(&line.c4));
        Self { c0: t0.plus_v(&t1), c1: cross.less_both(&t0, &t1) }
    }

    /// `c0 - c1 w` where a bit of the mask is set: up to a factor that the final exponentiation takes out, the inverse.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn conjugate_where(&self, mask: u8) -> Self {
        let Fp6 { c0, c1, c2 } = &self.c1;
        let c1 = Fp6 { c0: c0.neg_where::<3>(mask), c1: c1.neg_where::<3>(mask), c2: c2.neg_where::<3>(mask) };
        Self { c0: self.c0, c1 }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn load(rows: [&Row12; 8]) -> Self {
        let part = |i: usize| Fp2::load(rows.map(|row| &row.0[i]));
        Self { c0: Fp6 { c0: part(0), c1: part(1), c2: part(2) }, c1: Fp6 { c0: part(3), c1: part(4), c2: part(5) } }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn store(&self) -> [Row12; 8] {
        let Self { c0: low, c1: high } = self;
        let mut rows = [Row12([[Row::ZERO; 2]; 6]); 8];
        for (i, part) in [&low.c0, &low.c1, &low.c2, &high.c0, &high.c1, &high.c2].into_iter().enumerate() {
            rows.iter_mut().zip(part.store()).for_each(|(row, part)| row.0[i] = part);
        }
        rows
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_blst(self) -> [blst_fp12; 8] {
        self.store().map(Row12::to_blst)
    }
}

#[cfg(test)]
mod tests;
