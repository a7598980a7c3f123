//! Points of y^2 = x^3 + 4 (1 + u) over Fp2, a point a lane.
//!
//! The formulas for sums are not for equal or opposite points, nor for infinity. Whoever may meet such points looks at Z in
//! the end: a sum of exceptional points has Z = 0, and so has everything that is computed from it.

use super::fp::Fp;
use super::fp2::Fp2;
use crate::bls::constants::{PSI_X, PSI_Y, PSI2_X, X_ABS};
use blst::blst_p2_affine;

/// `(x, y)`, not infinity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub(super) x: Fp2,
    pub(super) y: Fp2,
}

/// `(x / z^2, y / z^3)`. Bounds: x 67, y 3, z 6.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian {
    pub(super) x: Fp2,
    pub(super) y: Fp2,
    pub(super) z: Fp2,
}

impl Affine {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_blst(points: &[blst_p2_affine; 8]) -> Self {
        Self { x: Fp2::from_blst(&points.map(|point| point.x)), y: Fp2::from_blst(&points.map(|point| point.y)) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_blst(self) -> [blst_p2_affine; 8] {
        let (x, y) = (self.x.to_blst(), self.y.to_blst());
        let mut points = [blst_p2_affine::default(); 8];
        for (point, (x, y)) in points.iter_mut().zip(x.into_iter().zip(y)) {
            *point = blst_p2_affine { x, y };
        }
        points
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_jacobian(self) -> Jacobian {
        Jacobian { x: self.x, y: self.y, z: Fp2::one() }
    }

    /// The endomorphism psi: on the subgroup of order r it is the product with the curve's parameter x.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn psi(&self) -> Self {
        let Jacobian { x, y, .. } = self.to_jacobian().psi();
        Self { x, y }
    }

    /// Which lanes are in the subgroup of order r, and which the formulas cannot tell: `(inside, unknown)`.
    ///
    /// Scott, "A note on group membership tests": psi(P) = x P holds in the subgroup alone.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn in_subgroup(&self) -> (u8, u8) {
        let product = self.to_jacobian().mul_x_abs_by(|product| product.add_affine(self));
        let psi = self.psi();
        // psi(P) = -(|x| P)
        let zz = product.z.sqr();
        let same_x = psi.x.mul(&zz).equals(&product.x.reduced());
        let opposite_y = psi.y.mul(&zz.mul(&product.z)).add(&product.y).is_zero();
        let unknown = product.z.is_zero();
        (same_x & opposite_y & !unknown, unknown)
    }
}

impl Jacobian {
    /// 2M + 5S with one square and one product reduced together.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn double(&self) -> Self {
        let Self { x, y, z } = self;
        let yy = y.sqr();
        let e = x.sqr().triple();
        let d = x.mul(&yy).shl::<2>();
        let x3 = e.sqr().sub::<24>(&d.shl::<1>());
        let y3 = d.sub::<64>(&x3).mul_less_8_squares(&e, &yy);
        Self { x: x3, y: y3, z: y.mul(z).shl::<1>() }
    }

    /// With a point of other x.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add_affine(&self, b: &Affine) -> Self {
        let zz = self.z.sqr();
        let u = b.x.mul(&zz);
        let s = b.y.mul(&self.z.mul(&zz));
        self.add_scaled(&self.x, &self.y, &u, &s, &self.z)
    }

    /// With a point of other x.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add(&self, b: &Self) -> Self {
        let (zz, zz2) = (self.z.sqr(), b.z.sqr());
        let (u1, u2) = (self.x.mul(&zz2), b.x.mul(&zz));
        let s1 = self.y.mul(&b.z.mul(&zz2));
        let s2 = b.y.mul(&self.z.mul(&zz));
        self.add_scaled(&u1, &s1, &u2, &s2, &self.z.mul(&b.z))
    }

    /// Of points with the same denominators.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add_scaled(&self, u1: &Fp2, s1: &Fp2, u2: &Fp2, s2: &Fp2, z: &Fp2) -> Self {
        let h = u2.sub::<67>(u1);
        let r = s2.sub::<4>(s1);
        let hh = h.sqr();
        let hhh = h.mul(&hh);
        let v = u1.mul(&hh);
        let x3 = r.sqr().sub::<16>(&hhh.add(&v.shl::<1>()));
        let y3 = r.mul_less_mul(&v.sub::<24>(&x3), s1, &hhh);
        Self { x: x3, y: y3, z: z.mul(&h) }
    }

    /// The product with [`X_ABS`].
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_x_abs(&self) -> Self {
        self.mul_x_abs_by(|product| product.add(self))
    }

    /// The product with [`X_ABS`]; `add` adds this point.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn mul_x_abs_by(&self, add: impl Fn(&Self) -> Self) -> Self {
        let mut product = *self;
        for bit in (0..63).rev() {
            product = product.double();
            if X_ABS >> bit & 1 == 1 {
                product = add(&product);
            }
        }
        product
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn psi(&self) -> Self {
        // The conjugate (x0 - x1 u) times k u is k x1 + k x0 u.
        let k = Fp::splat(&PSI_X);
        let x = Fp2 { c0: self.x.c1.mul(&k), c1: self.x.c0.mul(&k) };
        let y = self.y.conjugate::<4>().mul(&Fp2::splat(&PSI_Y));
        Self { x, y, z: self.z.conjugate::<6>() }
    }

    /// psi(psi(P))
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn psi2(&self) -> Self {
        Self { x: self.x.mul_fp(&Fp::splat(&PSI2_X)), y: self.y.neg::<4>(), z: self.z }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn neg(&self) -> Self {
        Self { y: self.y.neg::<4>(), ..*self }
    }

    /// With the inverses of Z.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_affine(self, inverse: &Fp2) -> Affine {
        let squared = inverse.sqr();
        Affine { x: self.x.mul(&squared), y: self.y.mul(&squared.mul(inverse)) }
    }
}

#[cfg(test)]
mod tests;
