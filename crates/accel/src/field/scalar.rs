//! One number modulo p in plain 64-bit words.
//!
//! A value in range is any number below 2^256. Sums and products are first collected, unreduced, in a [`Sum`] of five
//! words, and reduced once at the end; 2^256 = C modulo p does it.

#[cfg(target_arch = "x86_64")]
mod mulx;

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
    let (x, y) = (Fe1::splat([*x0, *x1, *x2, *x3]), Fe1::splat([*y0, *y1, *y2, *y3]));
    let right = x.sqr().mul_add(x, Fe1::splat([7, 0, 0, 0]));
    canonical(x.0) == x.0 && canonical(y.0) == y.0 && y.sqr().sub(right).is_zero() == 1
}

/// Replaces each number by its inverse modulo p. None may be 0.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
pub(crate) fn invert_all_words<const N: usize>(numbers: &mut [[u64; 4]; N]) {
    let mut before = [Fe1::splat([1, 0, 0, 0]); N];
    for i in 1..N {
        before[i] = before[i - 1].mul(Fe1::splat(numbers[i - 1]));
    }
    let mut inverse = Fe1::splat(invert_words(before[N - 1].mul(Fe1::splat(numbers[N - 1])).0));
    for i in (0..N).rev() {
        let this = inverse.mul(before[i]);
        inverse = inverse.mul(Fe1::splat(numbers[i]));
        numbers[i] = this.0;
    }
}

/// One number: any four words. With `MULX`, products are made by hand with that instruction; such values may only be
/// worked on below the gate of a backend that has BMI2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fe<const MULX: bool>([u64; 4]);

/// One number, on any machine.
pub(crate) type Fe1 = Fe<false>;
/// One number, on x86-64 with BMI2.
#[cfg(target_arch = "x86_64")]
pub(crate) type Fe1Mulx = Fe<true>;

/// `low + high * 2^256`. `high` between -2^40 and 2^40: a product has at most 2^33, and no operation here collects more
/// than 2^4 of them.
#[derive(Clone, Copy)]
struct Sum {
    low: [u64; 4],
    high: i64,
}

impl Sum {
    #[inline(always)]
    fn product<const MULX: bool>(a: Fe<MULX>, b: Fe<MULX>) -> Self {
        #[cfg(target_arch = "x86_64")]
        if MULX {
            let (low, high) = mulx::product(a.0, b.0);
            return Self { low, high: high as i64 };
        }
        Self::fold(words::mul(a.0, b.0))
    }

    #[inline(always)]
    fn square<const MULX: bool>(a: Fe<MULX>) -> Self {
        #[cfg(target_arch = "x86_64")]
        if MULX {
            let (low, high) = mulx::square(a.0);
            return Self { low, high: high as i64 };
        }
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
    fn reduce<const MULX: bool>(self) -> Fe<MULX> {
        if cfg!(any(debug_assertions, feature = "bounds-check")) {
            assert!(self.high.unsigned_abs() <= 1 << 40, "{} * 2^256 is not between -2^40 and 2^40", self.high);
        }
        Fe(add_folded(self.low, i128::from(self.high) * i128::from(C)))
    }
}

/// `low + more`, and once more folded what leaves the four words: -1, 0 or 1. Then the rest is so close to 0 or 2^256 that
/// only the first two words can change. `more` between -2^74 and 2^74.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn add_folded(low: [u64; 4], more: i128) -> [u64; 4] {
    let sign = opaque((more >> 127) as u64);
    let (low, c) = words::add(low, [more as u64, (more >> 64) as u64, sign, sign]);
    let again = (sign as i64 + i64::from(c)) * C as i64;
    let (r0, c) = low[0].carrying_add(again as u64, false);
    let (r1, _) = low[1].carrying_add((again >> 63) as u64, c);
    [opaque(r0), opaque(r1), opaque(low[2]), opaque(low[3])]
}

/// The same by hand: it is nearly always done after two words, and a jump is taken.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn add_folded(low: [u64; 4], more: i128) -> [u64; 4] {
    let [mut r0, mut r1, mut r2, mut r3] = low;
    // SAFETY: arithmetic in registers.
    unsafe {
        std::arch::asm!(
            "add {r0}, {m0}",
            "adc {r1}, {m1}",
            "adc {s}, 0", // the carry and the sign: -1, 0 or 1 for the third word
            "jz 2f",
            "mov {t}, {s}",
            "sar {t}, 63",
            "add {r2}, {s}",
            "adc {r3}, {t}",
            "adc {t}, 0", // what leaves the fourth word: -1, 0 or 1
            "mov {s}, {c}",
            "imul {s}, {t}",
            "sar {t}, 63",
            "add {r0}, {s}",
            "adc {r1}, {t}",
            "2:",
            c = const C,
            r0 = inout(reg) r0, r1 = inout(reg) r1, r2 = inout(reg) r2, r3 = inout(reg) r3,
            m0 = in(reg) more as u64, m1 = in(reg) (more >> 64) as u64,
            s = inout(reg) (more >> 127) as u64 => _, t = out(reg) _,
            options(pure, nomem, nostack),
        );
    }
    [r0, r1, r2, r3]
}

impl<const MULX: bool> From<Fe<MULX>> for Sum {
    #[inline(always)]
    fn from(a: Fe<MULX>) -> Self {
        Self { low: a.0, high: 0 }
    }
}

/// The number below p.
#[inline(always)]
fn canonical(number: [u64; 4]) -> [u64; 4] {
    let (less, carry) = words::add(number, [C, 0, 0, 0].map(opaque));
    words::select(number, less, carry)
}

impl<const MULX: bool> Field for Fe<MULX> {
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
        #[cfg(target_arch = "x86_64")]
        if MULX {
            return Self(mulx::mul(self.0, b.0));
        }
        Sum::product(self, b).reduce()
    }

    #[inline(always)]
    fn sqr(self) -> Self {
        #[cfg(target_arch = "x86_64")]
        if MULX {
            return Self(mulx::sqr(self.0));
        }
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
    fn is_odd(self) -> u64 {
        canonical(self.0)[0] & 1
    }
}

#[cfg(test)]
mod tests;
