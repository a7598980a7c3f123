//! Eight numbers modulo p (381 bits), 8x52-bit limbs, Montgomery form with R = 2^416.
//!
//! `vpmadd52` multiplies the low 52 bits of its operands and adds the low or the high half of the 104-bit product to a
//! 64-bit accumulator. It **drops** higher bits of its operands without a word, so every limb that is multiplied must be
//! below 2^52. Ranges, per lane:
//!
//! | what | limbs 0 to 6 | limb 7 | value |
//! |---|---|---|---|
//! | a number ([`Fp`]), in and out of every function | 0 to 2^52 - 1 | 0 to 2^27 - 1 | 0 to `bound` p, `bound` <= 512 |
//! | a product before reduction ([`Wide`]) | columns -2^63 to 2^63 | | `bound` p^2 in size, `bound` <= 2^24 |
//! | its reduction ([`Wide::reduce`]), not negative | 0 to 2^52 - 1 | | 0 to 2 p |
//! | its reduction ([`Wide::reduce_signed`]) | 0 to 2^52 - 1 | | 0 to 3 p |
//!
//! R is 2^35 times p or more: a product of numbers of up to 512 p is still small beside R p, so sums and differences are
//! never reduced, only carried. `bound` is kept by debug builds and the feature `bounds-check`, which assert the table.
//! The reduction of T is (T + q p) / R with 0 <= q < R, so between T / R and T / R + p; |T| / R is below 2^24 p^2 / 2^416,
//! which is less than 2^-10 p. A negative T is made positive by adding p.

#[macro_use]
mod macros;
mod convert;
mod wide;

use super::bound::{Bound, CHECKED};
use crate::bls::row::Row;
use crate::bls::words::{self, LOW52, Limbs};
use convert::transpose;
use std::arch::x86_64::*;

pub(super) type V = __m512i;

/// Most times p that a number in range may be.
const BOUND_MAX: u64 = 512;
/// Most times p^2 that a product may be before it is reduced.
const WIDE_MAX: u64 = 1 << 24;
/// Most products in a column: each column gets at most 16 halves, below 2^52, of each.
const PRODUCTS_MAX: u64 = 100;

/// Eight numbers modulo p.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fp {
    limbs: [V; 8],
    bound: Bound,
}

/// Columns of sums and differences of products.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide {
    columns: [V; 16],
    bound: Bound,
    products: Bound,
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn read(from: &[u64; 8]) -> V {
    // SAFETY: 64 bytes are read from 64 bytes.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn write(a: V, to: &mut [u64; 8]) {
    // SAFETY: 64 bytes are written to 64 bytes.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), a) }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn splat(a: u64) -> V {
    _mm512_set1_epi64(a as i64)
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn to_words(a: V) -> [u64; 8] {
    let mut out = [0; 8];
    write(a, &mut out);
    out
}

/// Carries from limb to limb, of signed limbs.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn ripple(mut l: [V; 8], bound: Bound) -> Fp {
    let low = splat(LOW52);
    macro_rules! carry {
        ($($i:literal)*) => {$(
            l[$i + 1] = _mm512_add_epi64(l[$i + 1], _mm512_srai_epi64::<52>(l[$i]));
            l[$i] = _mm512_and_si512(l[$i], low);
        )*};
    }
    carry!(0 1 2 3 4 5 6);
    Fp { limbs: l, bound }.checked()
}

/// A number given by signed limbs that are not carried, of between p and 512 p, less so many p that it is below 3 p.
///
/// The quotient is estimated from limb 7, which is less than 4 off, as the other limbs are less than 4 times 2^52 in size:
/// (limb 7 - 4) / (limb 7 of p + 1) is at most the quotient, and less than 2 below it.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn settle(l: [V; 8]) -> Fp {
    let p = &words::P;
    let top = _mm512_sub_epi64(l[7], splat(4));
    let zero = _mm512_setzero_si512();
    let quotient = _mm512_madd52hi_epu64(zero, top, splat(const { (1 << 52) / (words::P[7] + 1) }));
    let low = limbs!(I => _mm512_madd52lo_epu64(zero, quotient, splat(p[I])));
    let high = limbs!(I => if I == 0 { zero } else { _mm512_madd52hi_epu64(zero, quotient, splat(p[(I + 7) % 8])) });
    let rest = limbs!(I => _mm512_sub_epi64(_mm512_sub_epi64(l[I], low[I]), high[I]));
    ripple(rest, Bound::new(3))
}

impl Fp {
    /// Asserts the table of the module.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn checked(self) -> Self {
        if CHECKED {
            self.bound.at_most(BOUND_MAX);
            for (i, limb) in self.limbs.iter().enumerate() {
                let bits = if i == 7 { 27 } else { 52 };
                assert!(to_words(*limb).iter().all(|word| word >> bits == 0), "limb {i} is not below 2^{bits}");
            }
        }
        self
    }

    /// The same number, given in Montgomery form, in all lanes.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn splat(number: &Limbs) -> Self {
        Self { limbs: limbs!(I => splat(number[I])), bound: Bound::new(1) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn zero() -> Self {
        Self { limbs: [_mm512_setzero_si512(); 8], bound: Bound::new(0) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn one() -> Self {
        Self::splat(&words::R)
    }

    /// The number of `at(lane)` in each lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn load(rows: [&Row; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = rows;
        let rows = [read(&a.0), read(&b.0), read(&c.0), read(&d.0), read(&e.0), read(&f.0), read(&g.0), read(&h.0)];
        Self { limbs: transpose(rows), bound: Bound::new(3) }.checked()
    }

    /// The number of each lane, for [`Fp::load`].
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn store(&self) -> [Row; 8] {
        self.bound.at_most(3);
        let mut rows = [Row::ZERO; 8];
        for (row, limbs) in rows.iter_mut().zip(transpose(self.limbs)) {
            write(limbs, &mut row.0);
        }
        rows
    }

    /// Any limbs, for tests.
    #[cfg(test)]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn raw(rows: &[Row; 8], bound: u64) -> Self {
        Self { bound: Bound::new(bound), ..Self::load(rows.each_ref()) }.checked()
    }

    /// The limbs of any number, for tests.
    #[cfg(test)]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn rows(&self) -> [Row; 8] {
        Self { bound: Bound::new(1), ..*self }.store()
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul(&self, b: &Self) -> Self {
        self.bound.times(b.bound).at_most(WIDE_MAX);
        let (a, b) = (&self.limbs, &b.limbs);
        let mut c = [_mm512_setzero_si512(); 16];
        product!(c, a, b);
        reduced!(c, 2)
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sqr(&self) -> Self {
        self.bound.times(self.bound).at_most(WIDE_MAX);
        let a = &self.limbs;
        let mut c = [_mm512_setzero_si512(); 16];
        square!(c, a);
        reduced!(c, 2)
    }

    /// `a b + c d`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn dot([a, c]: [&Self; 2], [b, d]: [&Self; 2]) -> Self {
        a.bound.times(b.bound).plus(c.bound.times(d.bound)).at_most(WIDE_MAX);
        let mut columns = [_mm512_setzero_si512(); 16];
        product!(columns, a.limbs, b.limbs);
        product!(columns, c.limbs, d.limbs);
        reduced!(columns, 2)
    }

    /// The sum of three products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn dot3([a, c, e]: [&Self; 3], [b, d, f]: [&Self; 3]) -> Self {
        let bound = a.bound.times(b.bound).plus(c.bound.times(d.bound)).plus(e.bound.times(f.bound));
        bound.at_most(WIDE_MAX);
        let mut columns = [_mm512_setzero_si512(); 16];
        product!(columns, a.limbs, b.limbs);
        product!(columns, c.limbs, d.limbs);
        product!(columns, e.limbs, f.limbs);
        reduced!(columns, 2)
    }

    /// The sum of four products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn dot4([a, c, e, g]: [&Self; 4], [b, d, f, h]: [&Self; 4]) -> Self {
        let bound = a.bound.times(b.bound).plus(c.bound.times(d.bound));
        bound.plus(e.bound.times(f.bound)).plus(g.bound.times(h.bound)).at_most(WIDE_MAX);
        let mut columns = [_mm512_setzero_si512(); 16];
        product!(columns, a.limbs, b.limbs);
        product!(columns, c.limbs, d.limbs);
        product!(columns, e.limbs, f.limbs);
        product!(columns, g.limbs, h.limbs);
        reduced!(columns, 2)
    }

    /// `a b + c d`, not reduced.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn wide_dot([a, c]: [&Self; 2], [b, d]: [&Self; 2]) -> Wide {
        let mut columns = [_mm512_setzero_si512(); 16];
        product!(columns, a.limbs, b.limbs);
        product!(columns, c.limbs, d.limbs);
        let bound = a.bound.times(b.bound).plus(c.bound.times(d.bound));
        Wide { columns, bound, products: Bound::new(2) }
    }

    /// The product, not reduced.
    #[cfg(test)]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn wide_mul(&self, b: &Self) -> Wide {
        let (a, bound, b) = (&self.limbs, self.bound.times(b.bound), &b.limbs);
        let mut c = [_mm512_setzero_si512(); 16];
        product!(c, a, b);
        Wide { columns: c, bound, products: Bound::new(1) }
    }

    /// The square, not reduced.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn wide_sqr(&self) -> Wide {
        let a = &self.limbs;
        let mut c = [_mm512_setzero_si512(); 16];
        square!(c, a);
        Wide { columns: c, bound: self.bound.times(self.bound), products: Bound::new(1) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn add(&self, b: &Self) -> Self {
        let (l, r) = (&self.limbs, &b.limbs);
        ripple(limbs!(I => _mm512_add_epi64(l[I], r[I])), self.bound.plus(b.bound))
    }

    /// The sum, below 3 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn add_reduced(&self, b: &Self) -> Self {
        self.bound.plus(b.bound).at_most(511);
        let (l, r, p) = (&self.limbs, &b.limbs, &words::P);
        settle(limbs!(I => _mm512_add_epi64(_mm512_add_epi64(l[I], r[I]), splat(p[I]))))
    }

    /// `2^SHIFT self`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn shl<const SHIFT: u32>(&self) -> Self {
        let l = &self.limbs;
        ripple(limbs!(I => _mm512_slli_epi64::<SHIFT>(l[I])), self.bound.times(Bound::new(1 << SHIFT)))
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn triple(&self) -> Self {
        let l = &self.limbs;
        let sum = limbs!(I => _mm512_add_epi64(_mm512_add_epi64(l[I], l[I]), l[I]));
        ripple(sum, self.bound.times(Bound::new(3)))
    }

    /// `self - b + M p`, for `b` of at most `M p`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn sub<const M: u64>(&self, b: &Self) -> Self {
        b.bound.at_most(M);
        let (l, r, bias) = (&self.limbs, &b.limbs, &const { words::multiple_of_p(M) });
        let difference = limbs!(I => _mm512_add_epi64(_mm512_sub_epi64(l[I], r[I]), splat(bias[I])));
        ripple(difference, self.bound.plus(Bound::new(M)))
    }

    /// `M p - self`, for a number of at most `M p`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn neg<const M: u64>(&self) -> Self {
        Self::zero().sub::<M>(self)
    }

    /// `b` where a bit of the mask is set.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn select(&self, mask: u8, b: &Self) -> Self {
        let (l, r) = (&self.limbs, &b.limbs);
        Self { limbs: limbs!(I => _mm512_mask_blend_epi64(mask, l[I], r[I])), bound: self.bound.larger(b.bound) }
    }

    /// The negative where a bit of the mask is set. Numbers of at most `M p`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn neg_where<const M: u64>(&self, mask: u8) -> Self {
        self.select(mask, &self.neg::<M>())
    }

    /// The same number below p, in the same form.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn canonical(&self) -> Self {
        self.mul(&Self::one()).below_p()
    }

    /// The number itself (not its Montgomery form), below p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn plain(&self) -> Self {
        self.mul(&Self { limbs: limbs!(I => splat(words::ONE[I])), bound: Bound::new(1) }).below_p()
    }

    /// A number of at most 2 p, less p if that is not negative.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn below_p(&self) -> Self {
        self.bound.at_most(2);
        let (l, p) = (&self.limbs, &words::P);
        let mut less = limbs!(I => _mm512_sub_epi64(l[I], splat(p[I])));
        let low = splat(LOW52);
        for i in 0..7 {
            less[i + 1] = _mm512_add_epi64(less[i + 1], _mm512_srai_epi64::<52>(less[i]));
            less[i] = _mm512_and_si512(less[i], low);
        }
        let negative = _mm512_movepi64_mask(less[7]);
        let limbs = limbs!(I => _mm512_mask_blend_epi64(negative, less[I], l[I]));
        Self { limbs, bound: Bound::new(1) }.checked()
    }

    /// Which lanes are 0 modulo p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn is_zero(&self) -> u8 {
        let [a, b, c, d, e, f, g, h] = self.canonical().limbs;
        let or = |a, b| _mm512_or_si512(a, b);
        let any = or(or(or(a, b), or(c, d)), or(or(e, f), or(g, h)));
        _mm512_testn_epi64_mask(any, any)
    }

    /// `self - b - c`, below 3 p, for numbers below 3 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn less_both(&self, b: &Self, c: &Self) -> Self {
        self.bound.at_most(3);
        b.bound.at_most(3);
        c.bound.at_most(3);
        let (l, b, c, bias) = (&self.limbs, &b.limbs, &c.limbs, &const { words::multiple_of_p(7) });
        let both = limbs!(I => _mm512_add_epi64(b[I], c[I]));
        settle(limbs!(I => _mm512_add_epi64(_mm512_sub_epi64(l[I], both[I]), splat(bias[I]))))
    }

    /// Which lanes may be 0: all that are, and hardly others. Numbers below 7 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(super) fn may_be_zero(&self) -> u8 {
        self.bound.at_most(7);
        let multiples = const {
            let mut low = [0; 7];
            let mut i = 0;
            while i < 7 {
                low[i] = words::multiple_of_p(i as u64)[0];
                i += 1;
            }
            low
        };
        multiples.iter().fold(0, |mask, low| mask | _mm512_cmpeq_epi64_mask(self.limbs[0], splat(*low)))
    }

    /// Which lanes are equal modulo p. Numbers of at most 64 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn equals(&self, b: &Self) -> u8 {
        self.sub::<64>(b).is_zero()
    }

    /// Which lanes are odd, as numbers below p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn is_odd(&self) -> u8 {
        _mm512_test_epi64_mask(self.plain().limbs[0], splat(1))
    }

    /// Which lanes are above (p - 1) / 2, as numbers below p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn is_large(&self) -> u8 {
        // Twice the number, less p: positive, as p is odd.
        let (l, p) = (&self.plain().limbs, &words::P);
        let mut carry = _mm512_setzero_si512();
        for i in 0..8 {
            let column = _mm512_sub_epi64(_mm512_add_epi64(l[i], l[i]), splat(p[i]));
            carry = _mm512_srai_epi64::<52>(_mm512_add_epi64(column, carry));
        }
        !_mm512_movepi64_mask(carry)
    }

    /// Numbers that are the same in all lanes after lane i took the place of lane i xor `STEP`: 1, 2 or 4.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn swap_lanes<const STEP: usize>(&self) -> Self {
        let l = &self.limbs;
        let order = const {
            let mut order = [0u64; 8];
            let mut i = 0;
            while i < 8 {
                order[i] = (i ^ STEP) as u64;
                i += 1;
            }
            order
        };
        let order = read(&order);
        Self { limbs: limbs!(I => _mm512_permutexvar_epi64(order, l[I])), bound: self.bound }
    }
}

#[cfg(test)]
mod tests;
