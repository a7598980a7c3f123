//! Points of y^2 = x^3 + 4 (1 + u) over Fp2 in programs.
//!
//! The formulas for sums are not for equal or opposite points, nor for infinity: such a sum has Z = 0, and so has everything
//! that is computed from it.

use super::constants;
use super::tower::Fp2;
use crate::bls::constants::{PSI_X, PSI_Y, PSI2_X, X_ABS};

/// `(x, y)`, not infinity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine<'b> {
    pub(crate) x: Fp2<'b>,
    pub(crate) y: Fp2<'b>,
}

/// `(x / z^2, y / z^3)`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jacobian<'b> {
    pub(crate) x: Fp2<'b>,
    pub(crate) y: Fp2<'b>,
    pub(crate) z: Fp2<'b>,
}

impl<'b> Affine<'b> {
    pub(crate) fn to_jacobian(self) -> Jacobian<'b> {
        let of = self.x.c0.of();
        let z = Fp2 { c0: constants::small(of, 1), c1: constants::small(of, 0) };
        Jacobian { x: self.x, y: self.y, z }
    }

    /// The product with [`X_ABS`].
    pub(crate) fn mul_x_abs(self) -> Jacobian<'b> {
        self.to_jacobian().mul_x_abs_by(|product| product.add_affine(self))
    }
}

impl<'b> Jacobian<'b> {
    /// 2M + 5S
    pub(crate) fn double(self) -> Self {
        let Self { x, y, z } = self;
        let (e, yy) = (x.square().triple(), y.square());
        let d = (x * yy).double().double();
        let x3 = e.square() - d.double();
        let y3 = e * (d - x3) - yy.square().double().double().double();
        Self { x: x3, y: y3, z: (y * z).double() }
    }

    /// With a point of other x.
    pub(crate) fn add_affine(self, b: Affine<'b>) -> Self {
        let zz = self.z.square();
        self.add_scaled(self.x, self.y, b.x * zz, b.y * (self.z * zz), self.z)
    }

    /// With a point of other x.
    pub(crate) fn add(self, b: Self) -> Self {
        let (zz, zz2) = (self.z.square(), b.z.square());
        let (s1, s2) = (self.y * (b.z * zz2), b.y * (self.z * zz));
        self.add_scaled(self.x * zz2, s1, b.x * zz, s2, self.z * b.z)
    }

    /// Of points with the same denominators.
    fn add_scaled(self, u1: Fp2<'b>, s1: Fp2<'b>, u2: Fp2<'b>, s2: Fp2<'b>, z: Fp2<'b>) -> Self {
        let (h, r) = (u2 - u1, s2 - s1);
        let hh = h.square();
        let (hhh, v) = (h * hh, u1 * hh);
        let x3 = r.square() - hhh - v.double();
        Self { x: x3, y: r * (v - x3) - s1 * hhh, z: z * h }
    }

    /// The product with [`X_ABS`].
    pub(crate) fn mul_x_abs(self) -> Self {
        self.mul_x_abs_by(|product| product.add(self))
    }

    fn mul_x_abs_by(self, add: impl Fn(Self) -> Self) -> Self {
        (0..63).rev().fold(self, |product, bit| {
            let twice = product.double();
            if X_ABS >> bit & 1 == 1 { add(twice) } else { twice }
        })
    }

    /// The endomorphism: on the subgroup of order r it is the product with the curve's parameter x.
    pub(crate) fn psi(self) -> Self {
        let of = self.x.c0.of();
        // The conjugate (x0 - x1 u) times k u is k x1 + k x0 u.
        let k = constants::fp(of, &PSI_X);
        let x = Fp2 { c0: self.x.c1 * k, c1: self.x.c0 * k };
        Self { x, y: self.y.conjugate() * constants::fp2(of, &PSI_Y), z: self.z.conjugate() }
    }

    /// psi(psi(P))
    pub(crate) fn psi2(self) -> Self {
        Self { x: self.x.mul_fp(constants::fp(self.x.c0.of(), &PSI2_X)), y: -self.y, z: self.z }
    }

    pub(crate) fn neg(self) -> Self {
        Self { y: -self.y, ..self }
    }

    /// With an inversion of its own.
    pub(crate) fn to_affine(self) -> Affine<'b> {
        let inverse = self.z.conjugate().mul_fp(super::power::inverse(self.z.norm()));
        let squared = inverse.square();
        Affine { x: self.x * squared, y: self.y * (squared * inverse) }
    }
}
