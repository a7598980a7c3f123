//! Eight numbers of Fp6 = Fp2[v] / (v^3 - (1 + u)). Products stay unreduced until all of a result is added up.

use super::fp::{Fp, Wide};
use super::fp2::{Fp2, Wide2};

/// `c0 + c1 v + c2 v^2`, a number a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fp6 {
    pub(super) c0: Fp2,
    pub(super) c1: Fp2,
    pub(super) c2: Fp2,
}

/// A product, not reduced: the two halves of each coefficient. A column has up to 14 products of limbs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide6([Wide; 6]);

impl Fp6 {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add(&self, b: &Self) -> Self {
        Self { c0: self.c0.add(&b.c0), c1: self.c1.add(&b.c1), c2: self.c2.add(&b.c2) }
    }

    /// The sum, with parts below 3 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add_reduced(&self, b: &Self) -> Self {
        let part = |a: &Fp2, b: &Fp2| Fp2 { c0: a.c0.add_reduced(&b.c0), c1: a.c1.add_reduced(&b.c1) };
        Self { c0: part(&self.c0, &b.c0), c1: part(&self.c1, &b.c1), c2: part(&self.c2, &b.c2) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul(&self, b: &Self) -> Self {
        self.wide_mul(b).reduce()
    }

    /// `1 + v self`, with parts below 3 p. Numbers of at most 3 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn one_plus_v(&self) -> Self {
        let Fp2 { c0: a, c1: b } = &self.c2;
        let c0 = Fp2 { c0: a.sub::<3>(b).add_reduced(&Fp::one()), c1: a.add_reduced(b) };
        Self { c0, c1: self.c0, c2: self.c1 }
    }

    /// A number whose product with this one is of Fp2, and that product. Numbers of at most 3 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn adjoint(&self) -> (Self, Fp2) {
        let Self { c0: a, c1: b, c2: c } = self;
        let adjoint = Self {
            c0: a.sqr().sub::<6>(&b.mul(c).mul_xi::<3>()),
            c1: c.sqr().mul_xi::<3>().sub::<3>(&a.mul(b)),
            c2: b.sqr().sub::<3>(&a.mul(c)),
        };
        let product = a.mul(&adjoint.c0).add(&c.mul(&adjoint.c1).add(&b.mul(&adjoint.c2)).mul_xi::<6>());
        (adjoint, product)
    }

    /// Times v. Numbers of at most 3 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_v(&self) -> Self {
        Self { c0: self.c2.mul_xi::<3>(), c1: self.c0, c2: self.c1 }
    }

    /// Six products of Fp2 (Karatsuba): t0 + xi (t12 - t1 - t2), t01 - t0 - t1 + xi t2, t02 - t0 - t2 + t1.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn wide_mul(&self, b: &Self) -> Wide6 {
        let t0 = self.c0.wide_mul(&b.c0);
        let t1 = self.c1.wide_mul(&b.c1);
        let t2 = self.c2.wide_mul(&b.c2);
        let t12 = self.c1.add(&self.c2).wide_mul(&b.c1.add(&b.c2));
        let t01 = self.c0.add(&self.c1).wide_mul(&b.c0.add(&b.c1));
        let t02 = self.c0.add(&self.c2).wide_mul(&b.c0.add(&b.c2));
        let (low, high) = (t12.c0.less_both(&t1.c0, &t2.c0), t12.c1.less_both(&t1.c1, &t2.c1));
        Wide6([
            t0.c0.add(&low).sub(&high),
            t0.c1.add(&low).add(&high),
            t01.c0.less_both(&t0.c0, &t1.c0).add(&t2.c0).sub(&t2.c1),
            t01.c1.less_both(&t0.c1, &t1.c1).add(&t2.c0).add(&t2.c1),
            t02.c0.less_both(&t0.c0, &t2.c0).add(&t1.c0),
            t02.c1.less_both(&t0.c1, &t2.c1).add(&t1.c1),
        ])
    }

    /// Times `b0 + b1 v`: five products, t0 + xi c2 b1, t01 - t0 - t1, c2 b0 + t1.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn wide_mul_01(&self, b0: &Fp2, b1: &Fp2) -> Wide6 {
        let t0 = self.c0.wide_mul(b0);
        let t1 = self.c1.wide_mul(b1);
        let t01 = self.c0.add(&self.c1).wide_mul(&b0.add(b1));
        let (t21, t20) = (self.c2.wide_mul(b1), self.c2.wide_mul(b0));
        Wide6([
            t0.c0.add(&t21.c0).sub(&t21.c1),
            t0.c1.add(&t21.c0).add(&t21.c1),
            t01.c0.less_both(&t0.c0, &t1.c0),
            t01.c1.less_both(&t0.c1, &t1.c1),
            t20.c0.add(&t1.c0),
            t20.c1.add(&t1.c1),
        ])
    }

    /// Times `b1 v`: three products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn wide_mul_1(&self, b1: &Fp2) -> Wide6 {
        let t2 = self.c2.wide_mul(b1);
        let (Wide2 { c0: a, c1: b }, Wide2 { c0: c, c1: d }) = (self.c0.wide_mul(b1), self.c1.wide_mul(b1));
        Wide6([t2.c0.sub(&t2.c1), t2.c0.add(&t2.c1), a, b, c, d])
    }
}

impl Wide6 {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn reduce(&self) -> Fp6 {
        let x = &self.0;
        let part = |i: usize| Fp2 { c0: x[i].reduce_signed(), c1: x[i + 1].reduce_signed() };
        Fp6 { c0: part(0), c1: part(2), c2: part(4) }
    }

    /// `self - b - c`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn less_both(&self, b: &Self, c: &Self) -> Fp6 {
        let [x, y, z] = [&self.0, &b.0, &c.0];
        let part = |i: usize| Fp2 {
            c0: x[i].less_both(&y[i], &z[i]).reduce_signed(),
            c1: x[i + 1].less_both(&y[i + 1], &z[i + 1]).reduce_signed(),
        };
        Fp6 { c0: part(0), c1: part(2), c2: part(4) }
    }

    /// `self + b v`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn plus_v(&self, b: &Self) -> Fp6 {
        let (x, y) = (&self.0, &b.0);
        Fp6 {
            c0: Fp2 { c0: x[0].add(&y[4]).sub(&y[5]).reduce_signed(), c1: x[1].add(&y[4]).add(&y[5]).reduce_signed() },
            c1: Fp2 { c0: x[2].add(&y[0]).reduce_signed(), c1: x[3].add(&y[1]).reduce_signed() },
            c2: Fp2 { c0: x[4].add(&y[2]).reduce_signed(), c1: x[5].add(&y[3]).reduce_signed() },
        }
    }

    /// `self - b - b v`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn less_and_less_v(&self, b: &Self) -> Fp6 {
        let (x, y) = (&self.0, &b.0);
        Fp6 {
            c0: Fp2 {
                c0: x[0].less_both(&y[0], &y[4]).add(&y[5]).reduce_signed(),
                c1: x[1].less_both(&y[1], &y[4]).sub(&y[5]).reduce_signed(),
            },
            c1: Fp2 {
                c0: x[2].less_both(&y[2], &y[0]).reduce_signed(),
                c1: x[3].less_both(&y[3], &y[1]).reduce_signed(),
            },
            c2: Fp2 {
                c0: x[4].less_both(&y[4], &y[2]).reduce_signed(),
                c1: x[5].less_both(&y[5], &y[3]).reduce_signed(),
            },
        }
    }

    /// Twice.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn double(&self) -> Fp6 {
        let x = &self.0;
        let part = |i: usize| Fp2 { c0: x[i].shl::<1>().reduce_signed(), c1: x[i + 1].shl::<1>().reduce_signed() };
        Fp6 { c0: part(0), c1: part(2), c2: part(4) }
    }
}
