//! One number modulo p in plain 64-bit words.
//!
//! A value in range is any number below 2^256. Sums and products are first collected, unreduced, in a [`Sum`] of five
//! words, and reduced once at the end; 2^256 = C modulo p does it.

use super::{Field, Packed};
use crate::safegcd::Modulus;
use crate::words::{self, opaque};

/// p = 2^256 - C
const P: [u64; 4] = [C.wrapping_neg(), u64::MAX, u64::MAX, u64::MAX];
/// 2^32 + 977
const C: u64 = 0x1_0000_03d1;

static MODULUS: Modulus = Modulus::new(P);

/// The inverse modulo p of a number below 2^256, below p; 0 for 0. About a microsecond.
pub(crate) fn invert_words(number: [u64; 4]) -> [u64; 4] {
    MODULUS.invert(canonical(number))
}

/// True if x and y are below p and y^2 = x^3 + 7.
pub(crate) fn is_on_curve(Packed([x0, x1, x2, x3, y0, y1, y2, y3]): &Packed) -> bool {
    let (x, y) = (Fe1([*x0, *x1, *x2, *x3]), Fe1([*y0, *y1, *y2, *y3]));
    let right = x.sqr().mul_add(x, Fe1([7, 0, 0, 0]));
    canonical(x.0) == x.0 && canonical(y.0) == y.0 && y.sqr().sub(right).is_zero() == 1
}

/// Replaces each number by its inverse modulo p. None may be 0.
#[inline(never)]
pub(crate) fn invert_all_words<const N: usize>(numbers: &mut [[u64; 4]; N]) {
    let mut before = [Fe1([1, 0, 0, 0]); N];
    for i in 1..N {
        before[i] = before[i - 1].mul(Fe1(numbers[i - 1]));
    }
    let mut inverse = Fe1(invert_words(before[N - 1].mul(Fe1(numbers[N - 1])).0));
    for i in (0..N).rev() {
        let this = inverse.mul(before[i]);
        inverse = inverse.mul(Fe1(numbers[i]));
        numbers[i] = this.0;
    }
}

/// One number: any four words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fe1([u64; 4]);

/// `low + high * 2^256`. `high` between -2^40 and 2^40: a product has at most 2^33, and no operation here collects more
/// than 2^4 of them.
#[derive(Clone, Copy)]
struct Sum {
    low: [u64; 4],
    high: i64,
}

impl Sum {
    #[inline(always)]
    fn product(a: Fe1, b: Fe1) -> Self {
        Self::fold(words::mul(a.0, b.0))
    }

    #[inline(always)]
    fn square(a: Fe1) -> Self {
        Self::fold(words::sqr(a.0))
    }

    #[inline(always)]
    fn fold(t: [u64; 8]) -> Self {
        let (r0, c) = t[4].carrying_mul_add(C, t[0], 0);
        let (r1, c) = t[5].carrying_mul_add(C, t[1], c);
        let (r2, c) = t[6].carrying_mul_add(C, t[2], c);
        let (r3, c) = t[7].carrying_mul_add(C, t[3], c);
        Self { low: [r0, r1, r2, r3], high: c as i64 }
    }

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        let (low, c) = words::add(self.low, b.low);
        Self { low, high: self.high + b.high + i64::from(c) }
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        let (low, c) = words::sub(self.low, b.low);
        Self { low, high: self.high - b.high - i64::from(c) }
    }

    #[inline(always)]
    fn twice(self) -> Self {
        self.add(self)
    }

    /// The same number modulo p, below 2^256.
    #[inline(always)]
    fn reduce(self) -> Fe1 {
        let more = i128::from(self.high) * i128::from(C);
        let sign = opaque((self.high >> 63) as u64);
        let (low, c) = words::add(self.low, [more as u64, (more >> 64) as u64, sign, sign]);
        // Once more, for what left the four words: -1, 0 or 1. Then the rest is so close to 0 or 2^256 that only the
        // first two words can change.
        let again = (self.high >> 63) + i64::from(c);
        let more = again * C as i64;
        let (r0, c) = low[0].carrying_add(more as u64, false);
        let (r1, _) = low[1].carrying_add((more >> 63) as u64, c);
        Fe1([opaque(r0), opaque(r1), opaque(low[2]), opaque(low[3])])
    }
}

impl From<Fe1> for Sum {
    #[inline(always)]
    fn from(a: Fe1) -> Self {
        Self { low: a.0, high: 0 }
    }
}

/// The number below p.
#[inline(always)]
fn canonical(number: [u64; 4]) -> [u64; 4] {
    let (less, carry) = words::add(number, [C, 0, 0, 0].map(opaque));
    words::select(number, less, carry)
}

impl Field for Fe1 {
    const LANES: usize = 1;

    #[inline(always)]
    fn splat(words: [u64; 4]) -> Self {
        Self(words)
    }

    #[inline(always)]
    fn load(at: impl Fn(usize) -> [u64; 4]) -> Self {
        Self(at(0))
    }

    #[inline(always)]
    fn store(self, mut put: impl FnMut(usize, [u64; 4])) {
        put(0, canonical(self.0));
    }

    #[inline(always)]
    fn load_points<'a>(at: impl Fn(usize) -> &'a Packed) -> (Self, Self) {
        let [x0, x1, x2, x3, y0, y1, y2, y3] = at(0).0;
        (Self([x0, x1, x2, x3]), Self([y0, y1, y2, y3]))
    }

    #[inline(always)]
    fn store_points(x: Self, y: Self, mut put: impl FnMut(usize, Packed)) {
        let (x, y) = (canonical(x.0), canonical(y.0));
        put(0, Packed([x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]]));
    }

    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Sum::product(self, b).reduce()
    }

    #[inline(always)]
    fn sqr(self) -> Self {
        Sum::square(self).reduce()
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Sum::product(self, b).add(c.into()).reduce()
    }

    #[inline(always)]
    fn mul_sub(self, b: Self, c: Self) -> Self {
        Sum::product(self, b).sub(c.into()).reduce()
    }

    #[inline(always)]
    fn sqr_sub(self, b: Self, c: Self) -> Self {
        let less = Sum::from(c).twice().add(b.into());
        Sum::square(self).sub(less).reduce()
    }

    #[inline(always)]
    fn sqr_sub_twice(self, c: Self) -> Self {
        Sum::square(self).sub(Sum::from(c).twice()).reduce()
    }

    #[inline(always)]
    fn sqr_triple(self) -> Self {
        let square = Sum::square(self);
        square.twice().add(square).reduce()
    }

    #[inline(always)]
    fn sqr_add_mul(self, b: Self, c: Self) -> Self {
        Sum::square(self).add(Sum::product(b, c)).reduce()
    }

    #[inline(always)]
    fn twice_mul_add_mul(self, b: Self, c: Self, d: Self) -> Self {
        Sum::product(self, b).add(Sum::product(c, d)).twice().reduce()
    }

    #[inline(always)]
    fn invert(self) -> Self {
        Self(invert_words(self.0))
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Sum::from(self).sub(b.into()).reduce()
    }

    #[inline(always)]
    fn twice_sub(self, b: Self) -> Self {
        Sum::from(self).sub(b.into()).twice().reduce()
    }

    #[inline(always)]
    fn twice(self) -> Self {
        Sum::from(self).twice().reduce()
    }

    #[inline(always)]
    fn neg(self) -> Self {
        Self([0; 4]).sub(self)
    }

    #[inline(always)]
    fn neg_where(self, mask: u64) -> Self {
        self.select(self.neg(), mask)
    }

    #[inline(always)]
    fn twice_neg_where(self, mask: u64) -> Self {
        self.neg_where(mask).twice()
    }

    #[inline(always)]
    fn select(self, b: Self, mask: u64) -> Self {
        Self(words::select(self.0, b.0, mask & 1 != 0))
    }

    #[inline(always)]
    fn is_zero(self) -> u64 {
        u64::from(words::is_zero(self.0) | (self.0 == P))
    }

    #[inline(always)]
    fn canonical(self) -> Self {
        Self(canonical(self.0))
    }

    #[inline(always)]
    fn is_odd(self) -> u64 {
        canonical(self.0)[0] & 1
    }
}

#[cfg(test)]
mod tests;
