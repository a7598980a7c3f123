//! Points of y^2 = x^3 + 4 over Fp in programs, with formulas that hold for all points (Renes, Costello and Batina 2016,
//! algorithms 7 and 9): keys stand in a set twice, and with their opposites.

use super::constants::small;
use super::program::{Builder, Flag, Fp};

/// `(x / z, y / z)`; infinity is (0, 1, 0).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projective<'b> {
    pub(crate) x: Fp<'b>,
    pub(crate) y: Fp<'b>,
    pub(crate) z: Fp<'b>,
}

impl<'b> Projective<'b> {
    pub(crate) fn infinity(of: &'b Builder) -> Self {
        Self { x: small(of, 0), y: small(of, 1), z: small(of, 0) }
    }

    pub(crate) fn of(get: impl Fn(u32) -> Fp<'b>) -> Self {
        Self { x: get(0), y: get(1), z: get(2) }
    }

    pub(crate) fn keep(self, slot: u32) {
        self.x.keep(slot);
        self.y.keep(slot + 1);
        self.z.keep(slot + 2);
    }

    pub(crate) fn where_else(self, flag: Flag<'b>, other: Self) -> Self {
        let part = |a: Fp<'b>, b| a.where_else(flag, b);
        Self { x: part(self.x, other.x), y: part(self.y, other.y), z: part(self.z, other.z) }
    }

    /// Nine products, three reductions for the last six.
    pub(crate) fn add(self, b: Self) -> Self {
        let (t0, t1, t2) = (self.x * b.x, self.y * b.y, self.z * b.z);
        let cross = |a: [Fp<'b>; 2], b: [Fp<'b>; 2]| t0.of().sum(&[(a[0], b[1]), (a[1], b[0])], &[]);
        let xy = cross([self.x, self.y], [b.x, b.y]);
        let yz = cross([self.y, self.z], [b.y, b.z]);
        let xz = times_12(cross([self.x, self.z], [b.x, b.z]));
        let (t0, t2) = (t0 + t0 + t0, times_12(t2));
        let (sum, difference) = (t1 + t2, t1 - t2);
        let of = t0.of();
        Self {
            x: of.sum(&[(xy, difference)], &[(yz, xz)]),
            y: of.sum(&[(difference, sum), (t0, xz)], &[]),
            z: of.sum(&[(yz, sum), (t0, xy)], &[]),
        }
    }

    pub(crate) fn double(self) -> Self {
        let (yy, yz) = (self.y.square(), self.y * self.z);
        let t2 = times_12(self.z.square());
        let eight = yy.double().double().double();
        let difference = yy - (t2 + t2 + t2);
        let of = yy.of();
        Self {
            x: (self.x * self.y * difference).double(),
            y: of.sum(&[(t2, eight), (difference, yy + t2)], &[]),
            z: yz * eight,
        }
    }
}

/// 3 b of the curve.
fn times_12(a: Fp<'_>) -> Fp<'_> {
    let four = a.double().double();
    four.double() + four
}
