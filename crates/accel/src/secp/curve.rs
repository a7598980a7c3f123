//! Points, many at a time.
//!
//! [`Jacobian`] stands for the affine point (X / Z^2, W / (2 Z^3)): W = 2 Y, because the formulas then need no halving and
//! one multiplication by two less. Written from the formulas dbl-2009-l and madd-2007-bl of the Explicit-Formulas Database
//! (hyperelliptic.org/EFD, curve shape a = 0).

use crate::field::Field;

/// x of the generator (SEC 2, §2.4.1), least significant word first.
pub(crate) const GX: [u64; 4] =
    [0x59f2_815b_16f8_1798, 0x029b_fcdb_2dce_28d9, 0x55a0_6295_ce87_0b07, 0x79be_667e_f9dc_bbac];
/// y of the generator.
pub(crate) const GY: [u64; 4] =
    [0x9c47_d08f_fb10_d4b8, 0xfd17_b448_a685_5419, 0x5da4_fbfc_0e11_08a8, 0x483a_da77_26a3_c465];
/// A finite point in each lane.
#[derive(Clone, Copy)]
pub(crate) struct Affine<F> {
    pub(crate) x: F,
    pub(crate) y: F,
}

/// A point in each lane. Z = 0 says that the lane went through an addition that the formula cannot do (equal or opposite
/// points); it stays 0 in all that follows. Opposite points leave X = t^2, W = -2 t^3 with t not 0: the point at infinity,
/// and so does its double. All is 0 after equal points, or if anything was added to the point at infinity: then the lane is
/// worth nothing.
#[derive(Clone, Copy)]
pub(crate) struct Jacobian<F> {
    pub(crate) x: F,
    pub(crate) w: F,
    pub(crate) z: F,
}

impl<F: Field> Jacobian<F> {
    /// A finite point.
    #[inline(always)]
    pub(crate) fn from_affine(p: Affine<F>) -> Self {
        Self { x: p.x, w: p.y.twice(), z: F::splat([1, 0, 0, 0]) }
    }

    /// **Minus** twice the point, 3M + 4S. The sign saves a negation; callers keep account of it.
    #[inline(always)]
    pub(crate) fn minus_double(self) -> Self {
        let e = self.x.sqr_triple();
        let b = self.w.sqr();
        let s = self.x.mul(b);
        let x = e.sqr_sub_twice(s);
        let w = b.sqr_add_mul(e, x.twice_sub(s));
        Self { x, w, z: self.w.mul(self.z) }
    }

    /// The sum with the affine point (x2, w2 / 2), 8M + 3S.
    #[inline(always)]
    pub(crate) fn add(self, x2: F, w2: F) -> Self {
        let zz = self.z.sqr();
        let h = x2.mul_sub(zz, self.x);
        let minus_w = self.w.neg();
        let r = w2.mul_add(self.z.mul(zz), minus_w);
        let twice_h = h.twice();
        let i = twice_h.sqr();
        let j = h.mul(i);
        let v = self.x.mul(i);
        let x = r.sqr_sub(j, v);
        let w = r.twice_mul_add_mul(v.sub(x), minus_w, j);
        Self { x, w, z: self.z.mul(twice_h) }
    }

    /// `b` where the mask has a one, else `self`.
    #[inline(always)]
    pub(crate) fn select(self, b: Self, mask: u64) -> Self {
        Self { x: self.x.select(b.x, mask), w: self.w.select(b.w, mask), z: self.z.select(b.z, mask) }
    }

    /// The affine point, given 1 / Z.
    #[inline(always)]
    pub(crate) fn to_affine(self, z_inverse: F) -> Affine<F> {
        let zz = z_inverse.sqr();
        // y = w / (2 z^3); a half is (p + 1) / 2.
        let half = F::splat([0xffff_ffff_7fff_fe18, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff]);
        Affine { x: self.x.mul(zz), y: self.w.mul(zz).mul(z_inverse.mul(half)) }
    }
}

impl<F: Field> Affine<F> {
    /// `b` where the mask has a one, else `self`.
    #[inline(always)]
    pub(crate) fn select(self, b: Self, mask: u64) -> Self {
        Self { x: self.x.select(b.x, mask), y: self.y.select(b.y, mask) }
    }

    /// The sum with a point whose x is `self.x + dx` and whose y is `self.y + dy`, given 1 / dx: 2M + 1S.
    #[inline(always)]
    pub(crate) fn add(self, dx: F, dy: F, dx_inverse: F) -> Self {
        let slope = dy.mul(dx_inverse);
        let x = slope.sqr_sub(dx, self.x);
        Self { x, y: slope.mul_sub(self.x.sub(x), self.y) }
    }

    /// Twice the point, given 1 / (2 y): 2M + 2S.
    #[inline(always)]
    pub(crate) fn double(self, twice_y_inverse: F) -> Self {
        let slope = self.x.sqr_triple().mul(twice_y_inverse);
        let x = slope.sqr_sub_twice(self.x);
        Self { x, y: slope.mul_sub(self.x.sub(x), self.y) }
    }
}
