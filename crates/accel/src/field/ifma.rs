//! Eight numbers modulo p, 5x52-bit limbs, AVX-512 IFMA.
//!
//! `vpmadd52` multiplies the low 52 bits of its operands and adds the low or the high half of the 104-bit product to a
//! 64-bit accumulator. It **drops** higher bits of its operands without a word, so every limb that is multiplied must be
//! below 2^52. Ranges, per lane:
//!
//! | what | limbs 0 to 3 | limb 4 |
//! |---|---|---|
//! | a value in range (in and out of every function) | < 2^52 | < 2^49 |
//! | columns given to [`reduce`] | < 2^60 | < 2^60 |
//! | columns given to [`settle`] | < 2^60 | < 2^60 |
//!
//! A value in range is below 2^257; it is not unique modulo p. In debug builds and with the feature `bounds-check` every function asserts
//! the table.

use super::Field;
use super::Packed;
use super::scalar::invert_all_words;
use std::arch::x86_64::*;

type V = __m512i;

/// 2^52 - 1
const LOW52: u64 = (1 << 52) - 1;
/// 2^48 - 1: limb 4 holds the bits from 208 on, of which 48 are below 2^256.
const LOW48: u64 = (1 << 48) - 1;
/// 2^256 mod p
const FOLD256: u64 = 0x1_0000_03d1;
/// 2^260 mod p
const FOLD260: u64 = FOLD256 << 4;
/// Limbs of 4 p, each at least as large as a limb of a value in range.
const BIAS: [u64; 5] = [4 * 0xf_fffe_ffff_fc2f, 4 * LOW52, 4 * LOW52, 4 * LOW52, 4 * LOW48];

/// Eight numbers modulo p.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fe8([V; 5]);

// The wrappers below are the only places of this file that call intrinsics.
//
// SAFETY of all of them: a value of `V` is made only inside the entry points of `backends::avx512ifma`, which need its
// token, and the token exists only where the CPU has the instructions. `#[inline(always)]` puts each call into such an
// entry point, which has the target features.

macro_rules! wrap {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty = $intrinsic:expr;)*) => {
        $($(#[$doc])*
        #[inline(always)]
        fn $name($($arg: $ty),*) -> $out {
            // SAFETY: see above.
            unsafe { $intrinsic }
        })*
    };
}

wrap! {
    splat(a: u64) -> V = _mm512_set1_epi64(a as i64);
    add(a: V, b: V) -> V = _mm512_add_epi64(a, b);
    sub(a: V, b: V) -> V = _mm512_sub_epi64(a, b);
    and(a: V, b: V) -> V = _mm512_and_si512(a, b);
    or(a: V, b: V) -> V = _mm512_or_si512(a, b);
    blend(mask: u8, a: V, b: V) -> V = _mm512_mask_blend_epi64(mask, a, b);
    test_zero(a: V) -> u8 = _mm512_testn_epi64_mask(a, a);
    test_any(a: V, bits: V) -> u8 = _mm512_test_epi64_mask(a, bits);
    /// `acc` + low 52 bits of the product
    madd_lo(acc: V, a: V, b: V) -> V = _mm512_madd52lo_epu64(acc, a, b);
    /// `acc` + bits 52 to 103 of the product
    madd_hi(acc: V, a: V, b: V) -> V = _mm512_madd52hi_epu64(acc, a, b);
    unpack_lo(a: V, b: V) -> V = _mm512_unpacklo_epi64(a, b);
    unpack_hi(a: V, b: V) -> V = _mm512_unpackhi_epi64(a, b);
    read(from: &[u64; 8]) -> V = _mm512_loadu_si512(from.as_ptr().cast());
    write(a: V, to: &mut [u64; 8]) -> () = _mm512_storeu_si512(to.as_mut_ptr().cast(), a);
}

#[inline(always)]
fn to_words(a: V) -> [u64; 8] {
    let mut words = [0; 8];
    write(a, &mut words);
    words
}

#[inline(always)]
fn shr<const BITS: u32>(a: V) -> V {
    // SAFETY: see above.
    unsafe { _mm512_srli_epi64::<BITS>(a) }
}

#[inline(always)]
fn shl<const BITS: u32>(a: V) -> V {
    // SAFETY: see above.
    unsafe { _mm512_slli_epi64::<BITS>(a) }
}

/// 128-bit pieces: two of `a` and two of `b`, chosen by `HOW`.
#[inline(always)]
fn pieces<const HOW: i32>(a: V, b: V) -> V {
    // SAFETY: see above.
    unsafe { _mm512_shuffle_i64x2::<HOW>(a, b) }
}

/// 128-bit pieces 0 of all four, then pieces 1, 2 and 3.
#[inline(always)]
fn every_other(ab: V, cd: V, ef: V, gh: V) -> [V; 4] {
    let (low, high) = (pieces::<0x88>(ab, cd), pieces::<0xdd>(ab, cd));
    let (low2, high2) = (pieces::<0x88>(ef, gh), pieces::<0xdd>(ef, gh));
    [pieces::<0x88>(low, low2), pieces::<0x88>(high, high2), pieces::<0xdd>(low, low2), pieces::<0xdd>(high, high2)]
}

/// Row i of the result is column i of `rows`.
#[inline(always)]
fn transpose(rows: [V; 8]) -> [V; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    // 2x2 blocks of words
    let (ab0, ab1) = (unpack_lo(a, b), unpack_hi(a, b));
    let (cd0, cd1) = (unpack_lo(c, d), unpack_hi(c, d));
    let (ef0, ef1) = (unpack_lo(e, f), unpack_hi(e, f));
    let (gh0, gh1) = (unpack_lo(g, h), unpack_hi(g, h));
    let [r0, r2, r4, r6] = every_other(ab0, cd0, ef0, gh0);
    let [r1, r3, r5, r7] = every_other(ab1, cd1, ef1, gh1);
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// Asserts that each lane of limb i is below `2^bits[i]`.
#[inline(always)]
fn check(limbs: &[V], bits: &[u32]) {
    if cfg!(any(debug_assertions, feature = "bounds-check")) {
        for (limb, bits) in limbs.iter().zip(bits) {
            assert!(to_words(*limb).iter().all(|word| word >> bits == 0), "a limb is not below 2^{bits}: {limb:x?}");
        }
    }
}

/// Four 64-bit words to five limbs.
#[inline(always)]
fn limbs_of([w0, w1, w2, w3]: [V; 4]) -> Fe8 {
    let low = splat(LOW52);
    Fe8([
        and(w0, low),
        and(or(shr::<52>(w0), shl::<12>(w1)), low),
        and(or(shr::<40>(w1), shl::<24>(w2)), low),
        and(or(shr::<28>(w2), shl::<36>(w3)), low),
        shr::<16>(w3),
    ])
}

/// Columns of `a * b`, added to `start` (columns 0 to 4). Limbs of `a` and `b` below 2^52.
#[inline(always)]
fn mul_columns(start: [V; 5], a: &[V; 5], b: &[V; 5]) -> [V; 10] {
    let zero = splat(0);
    let [s0, s1, s2, s3, s4] = start;
    add_mul_columns([s0, s1, s2, s3, s4, zero, zero, zero, zero, zero], a, b)
}

/// Columns of `a * b`, added to `columns`.
#[inline(always)]
fn add_mul_columns(mut columns: [V; 10], a: &[V; 5], b: &[V; 5]) -> [V; 10] {
    check(a, &[52, 52, 52, 52, 49]);
    check(b, &[52, 52, 52, 52, 49]);
    for i in 0..5 {
        for j in 0..5 {
            columns[i + j] = madd_lo(columns[i + j], a[i], b[j]);
            columns[i + j + 1] = madd_hi(columns[i + j + 1], a[i], b[j]);
        }
    }
    columns
}

/// Columns of `a^2`: the products of different limbs once, doubled, then the squares.
#[inline(always)]
fn sqr_columns(a: &[V; 5]) -> [V; 10] {
    check(a, &[52, 52, 52, 52, 49]);
    let mut columns = [splat(0); 10];
    for i in 0..5 {
        for j in i + 1..5 {
            columns[i + j] = madd_lo(columns[i + j], a[i], a[j]);
            columns[i + j + 1] = madd_hi(columns[i + j + 1], a[i], a[j]);
        }
    }
    for column in &mut columns[1..9] {
        *column = add(*column, *column);
    }
    for i in 0..5 {
        columns[2 * i] = madd_lo(columns[2 * i], a[i], a[i]);
        columns[2 * i + 1] = madd_hi(columns[2 * i + 1], a[i], a[i]);
    }
    columns
}

/// The value of ten columns, in range.
///
/// The sum over columns 5 to 9 must be below 2^(52*5 - 1), which the product of two values in range and sums of a few
/// such are: its limb 4 is then below 2^51, and what it carries out of limb 4 of the result below 2^36.
#[inline(always)]
fn reduce(columns: [V; 10]) -> Fe8 {
    check(&columns, &[60; 10]);
    let low = splat(LOW52);
    let [mut c0, mut c1, mut c2, mut c3, mut c4, mut h0, mut h1, mut h2, mut h3, mut h4] = columns;
    h1 = add(h1, shr::<52>(h0));
    h2 = add(h2, shr::<52>(h1));
    h3 = add(h3, shr::<52>(h2));
    h4 = add(h4, shr::<52>(h3));
    h0 = and(h0, low);
    h1 = and(h1, low);
    h2 = and(h2, low);
    h3 = and(h3, low);
    check(&[h4], &[51]);
    let fold = splat(FOLD260);
    c0 = madd_lo(c0, h0, fold);
    c1 = madd_hi(c1, h0, fold);
    c1 = madd_lo(c1, h1, fold);
    c2 = madd_hi(c2, h1, fold);
    c2 = madd_lo(c2, h2, fold);
    c3 = madd_hi(c3, h2, fold);
    c3 = madd_lo(c3, h3, fold);
    c4 = madd_hi(c4, h3, fold);
    c4 = madd_lo(c4, h4, fold);
    // What stands above 2^256: below 2^(60-48) + 2^(51+37-52+4).
    let over = add(shr::<48>(c4), shl::<4>(madd_hi(splat(0), h4, fold)));
    let fold = splat(FOLD256);
    c0 = madd_lo(c0, over, fold);
    c1 = madd_hi(c1, over, fold);
    ripple([c0, c1, c2, c3, and(c4, splat(LOW48))])
}

/// No instruction: the value stands in registers here. Calls of this stay in their order, and with them the arithmetic
/// around: otherwise the compiler brings each product next to the one that needs it, to keep fewer values, and the
/// processor has nothing to do while it waits for the carries of the first (a doubling is then 30 % slower).
#[inline]
#[target_feature(enable = "avx512f")]
fn in_order([mut l0, mut l1, mut l2, mut l3, mut l4]: [V; 5]) -> [V; 5] {
    // SAFETY: there is nothing in it.
    unsafe {
        std::arch::asm!(
            "/* {} {} {} {} {} */",
            inout(zmm_reg) l0, inout(zmm_reg) l1, inout(zmm_reg) l2, inout(zmm_reg) l3, inout(zmm_reg) l4,
            options(nomem, nostack, preserves_flags),
        );
    }
    [l0, l1, l2, l3, l4]
}

/// The value of five columns, in range.
#[inline(always)]
fn settle([c0, c1, c2, c3, c4]: [V; 5]) -> Fe8 {
    check(&[c0, c1, c2, c3, c4], &[60; 5]);
    let c0 = madd_lo(c0, shr::<48>(c4), splat(FOLD256));
    ripple([c0, c1, c2, c3, and(c4, splat(LOW48))])
}

/// Carries from limb to limb. Limb 4 below 2^48 takes a carry below 2^12, and that is all.
#[inline(always)]
fn ripple([c0, c1, c2, c3, c4]: [V; 5]) -> Fe8 {
    let low = splat(LOW52);
    let c1 = add(c1, shr::<52>(c0));
    let c2 = add(c2, shr::<52>(c1));
    let c3 = add(c3, shr::<52>(c2));
    let c4 = add(c4, shr::<52>(c3));
    check(&[c4], &[49]);
    // SAFETY: see above.
    unsafe { Fe8(in_order([and(c0, low), and(c1, low), and(c2, low), and(c3, low), c4])) }
}

/// `f(i, a_i)` of each limb.
#[inline(always)]
fn map(a: &[V; 5], f: impl Fn(usize, V) -> V) -> [V; 5] {
    [f(0, a[0]), f(1, a[1]), f(2, a[2]), f(3, a[3]), f(4, a[4])]
}

impl Fe8 {
    /// Limbs of `times * 4 p - self`, for `times * 4 p - 2^k self` with small k too: none is negative.
    #[inline(always)]
    fn below_bias(&self, times: u64, shift: u32) -> [V; 5] {
        let twice = |v| if shift == 1 { add(v, v) } else { v };
        map(&self.0, |i, limb| sub(splat(BIAS[i] * times), twice(limb)))
    }

    /// The words of one point a lane: x, y, each as vectors of word i.
    #[inline(always)]
    pub(crate) fn load_point_words<'a>(at: impl Fn(usize) -> &'a Packed) -> ([V; 4], [V; 4]) {
        let row = |lane| read(&at(lane).0);
        let [x0, x1, x2, x3, y0, y1, y2, y3] =
            transpose([row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)]);
        ([x0, x1, x2, x3], [y0, y1, y2, y3])
    }

    /// Hands four vectors of words to `put(lane, words)`.
    #[inline(always)]
    pub(crate) fn store_words([w0, w1, w2, w3]: [V; 4], mut put: impl FnMut(usize, [u64; 4])) {
        let (w0, w1, w2, w3) = (to_words(w0), to_words(w1), to_words(w2), to_words(w3));
        for lane in 0..8 {
            put(lane, [w0[lane], w1[lane], w2[lane], w3[lane]]);
        }
    }

    /// The number below p of each lane, in the same form.
    #[inline(always)]
    fn canonical(self) -> Self {
        // Below 2^256 + 2^34 after this.
        let low = settle(self.0);
        // p or more exactly if adding 2^256 - p reaches 2^256; that sum without its bit 256 is the number less p.
        let [l0, l1, l2, l3, l4] = low.0;
        let high = ripple([add(l0, splat(FOLD256)), l1, l2, l3, l4]);
        let above = test_any(high.0[4], splat(!LOW48));
        let wrapped = [high.0[0], high.0[1], high.0[2], high.0[3], and(high.0[4], splat(LOW48))];
        low.select(Self(wrapped), u64::from(above))
    }

    /// The words of the canonical number, vectors of word i.
    #[inline(always)]
    pub(crate) fn words(self) -> [V; 4] {
        let [l0, l1, l2, l3, l4] = self.canonical().0;
        [
            or(l0, shl::<52>(l1)),
            or(shr::<12>(l1), shl::<40>(l2)),
            or(shr::<24>(l2), shl::<28>(l3)),
            or(shr::<36>(l3), shl::<16>(l4)),
        ]
    }
}

impl Field for Fe8 {
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(words: [u64; 4]) -> Self {
        limbs_of([splat(words[0]), splat(words[1]), splat(words[2]), splat(words[3])])
    }

    #[inline(always)]
    fn load(at: impl Fn(usize) -> [u64; 4]) -> Self {
        let (mut w0, mut w1, mut w2, mut w3) = ([0; 8], [0; 8], [0; 8], [0; 8]);
        for lane in 0..8 {
            [w0[lane], w1[lane], w2[lane], w3[lane]] = at(lane);
        }
        limbs_of([read(&w0), read(&w1), read(&w2), read(&w3)])
    }

    #[inline(always)]
    fn load_points<'a>(at: impl Fn(usize) -> &'a Packed) -> (Self, Self) {
        let (x, y) = Self::load_point_words(at);
        (limbs_of(x), limbs_of(y))
    }

    #[inline(always)]
    fn store_points(x: Self, y: Self, mut put: impl FnMut(usize, Packed)) {
        let ([x0, x1, x2, x3], [y0, y1, y2, y3]) = (x.words(), y.words());
        let rows = transpose([x0, x1, x2, x3, y0, y1, y2, y3]);
        for (lane, row) in rows.into_iter().enumerate() {
            put(lane, Packed(to_words(row)));
        }
    }

    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        reduce(mul_columns([splat(0); 5], &self.0, &b.0))
    }

    #[inline(always)]
    fn sqr(self) -> Self {
        reduce(sqr_columns(&self.0))
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        reduce(mul_columns(c.0, &self.0, &b.0))
    }

    #[inline(always)]
    fn mul_sub(self, b: Self, c: Self) -> Self {
        reduce(mul_columns(c.below_bias(1, 0), &self.0, &b.0))
    }

    #[inline(always)]
    fn sqr_sub_twice(self, c: Self) -> Self {
        let mut columns = sqr_columns(&self.0);
        let start = c.below_bias(2, 1);
        for i in 0..5 {
            columns[i] = add(columns[i], start[i]);
        }
        reduce(columns)
    }

    #[inline(always)]
    fn sqr_sub(self, b: Self, c: Self) -> Self {
        let mut columns = sqr_columns(&self.0);
        let start = c.below_bias(3, 1);
        for i in 0..5 {
            columns[i] = add(columns[i], sub(start[i], b.0[i]));
        }
        reduce(columns)
    }

    #[inline(always)]
    fn sqr_triple(self) -> Self {
        let mut columns = sqr_columns(&self.0);
        for column in &mut columns {
            *column = add(*column, add(*column, *column));
        }
        reduce(columns)
    }

    #[inline(always)]
    fn sqr_add_mul(self, b: Self, c: Self) -> Self {
        reduce(add_mul_columns(sqr_columns(&self.0), &b.0, &c.0))
    }

    #[inline(always)]
    fn twice_mul_add_mul(self, b: Self, c: Self, d: Self) -> Self {
        let mut columns = add_mul_columns(mul_columns([splat(0); 5], &self.0, &b.0), &c.0, &d.0);
        for column in &mut columns {
            *column = add(*column, *column);
        }
        reduce(columns)
    }

    #[inline(always)]
    fn invert(self) -> Self {
        let mut numbers = [[0; 4]; 8];
        Self::store_words(self.words(), |lane, words| numbers[lane] = words);
        invert_all_words(&mut numbers);
        Self::load(|lane| numbers[lane])
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        let negative = b.below_bias(1, 0);
        settle(map(&self.0, |i, limb| add(limb, negative[i])))
    }

    #[inline(always)]
    fn twice_sub(self, b: Self) -> Self {
        let negative = b.below_bias(1, 0);
        let once = map(&self.0, |i, limb| add(limb, negative[i]));
        settle(map(&once, |_, limb| add(limb, limb)))
    }

    #[inline(always)]
    fn twice(self) -> Self {
        settle(map(&self.0, |_, limb| add(limb, limb)))
    }

    #[inline(always)]
    fn neg(self) -> Self {
        settle(self.below_bias(1, 0))
    }

    #[inline(always)]
    fn neg_where(self, mask: u64) -> Self {
        let negative = self.below_bias(1, 0);
        settle(map(&self.0, |i, limb| blend(mask as u8, limb, negative[i])))
    }

    #[inline(always)]
    fn twice_neg_where(self, mask: u64) -> Self {
        let negative = self.below_bias(2, 1);
        settle(map(&self.0, |i, limb| blend(mask as u8, add(limb, limb), negative[i])))
    }

    #[inline(always)]
    fn select(self, b: Self, mask: u64) -> Self {
        Self(map(&self.0, |i, limb| blend(mask as u8, limb, b.0[i])))
    }

    #[inline(always)]
    fn is_zero(self) -> u64 {
        let [l0, l1, l2, l3, l4] = self.canonical().0;
        u64::from(test_zero(or(or(or(l0, l1), or(l2, l3)), l4)))
    }

    #[inline(always)]
    fn is_odd(self) -> u64 {
        u64::from(test_any(self.canonical().0[0], splat(1)))
    }
}

#[cfg(test)]
mod tests;
