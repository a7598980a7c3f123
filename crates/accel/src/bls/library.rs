//! blst's functions that are used here, safe to call.

use blst::*;

/// The product of the Miller values of pairs. None of the points is infinity.
pub(crate) fn miller_product(pairs: &[(blst_p1_affine, blst_p2_affine)]) -> blst_fp12 {
    let mut product = one();
    for (p, q) in pairs {
        product = multiply(&product, &miller(p, q));
    }
    product
}

pub(crate) fn miller(p: &blst_p1_affine, q: &blst_p2_affine) -> blst_fp12 {
    let mut value = blst_fp12::default();
    // SAFETY: points of blst.
    unsafe { blst_miller_loop(&mut value, q, p) };
    value
}

pub(crate) fn one() -> blst_fp12 {
    // SAFETY: a constant of blst.
    unsafe { *blst_fp12_one() }
}

pub(crate) fn multiply(a: &blst_fp12, b: &blst_fp12) -> blst_fp12 {
    let mut product = blst_fp12::default();
    // SAFETY: numbers of blst.
    unsafe { blst_fp12_mul(&mut product, a, b) };
    product
}

/// A product in Fp.
pub(crate) fn product(a: &blst_fp, b: &blst_fp) -> blst_fp {
    let mut product = blst_fp::default();
    // SAFETY: numbers of blst.
    unsafe { blst_fp_mul(&mut product, a, b) };
    product
}

/// A sum in Fp.
pub(crate) fn sum(a: &blst_fp, b: &blst_fp) -> blst_fp {
    let mut sum = blst_fp::default();
    // SAFETY: numbers of blst.
    unsafe { blst_fp_add(&mut sum, a, b) };
    sum
}

/// A product in Fp2.
pub(crate) fn product_fp2(a: &blst_fp2, b: &blst_fp2) -> blst_fp2 {
    let mut product = blst_fp2::default();
    // SAFETY: numbers of blst.
    unsafe { blst_fp2_mul(&mut product, a, b) };
    product
}

/// A sum in Fp2.
pub(crate) fn sum_fp2(a: &blst_fp2, b: &blst_fp2) -> blst_fp2 {
    let mut sum = blst_fp2::default();
    // SAFETY: numbers of blst.
    unsafe { blst_fp2_add(&mut sum, a, b) };
    sum
}

/// `c0 - c1 u`
pub(crate) fn conjugate_fp2(a: &blst_fp2) -> blst_fp2 {
    let mut conjugate = *a;
    // SAFETY: numbers of blst.
    unsafe { blst_fp_cneg(&mut conjugate.fp[1], &a.fp[1], true) };
    conjugate
}

/// A number below p from its words of 32 bits, the least significant first.
pub(crate) fn fp_from_words(words: &[u32; 12]) -> blst_fp {
    let mut number = blst_fp::default();
    // SAFETY: 12 words.
    unsafe { blst_fp_from_uint32(&mut number, words.as_ptr()) };
    number
}

/// Which of a number and its negative it is, as compressed points say it: by the second half, or the first where that is 0.
pub(crate) fn is_large(a: &blst_fp2) -> bool {
    let is_large = |half: &blst_fp| {
        let mut words = [0; 12];
        // SAFETY: room for 12 words.
        unsafe { blst_uint32_from_fp(words.as_mut_ptr(), half) };
        words.iter().rev().gt(HALF_OF_P.iter().rev())
    };
    if a.fp[1] == blst_fp::default() { is_large(&a.fp[0]) } else { is_large(&a.fp[1]) }
}

/// (p - 1) / 2
pub(crate) const HALF_OF_P: [u32; 12] = [
    0xffff_d555,
    0xdcff_7fff,
    0x58a9_ffff,
    0x0f55_ffff,
    0x7b58_7b12,
    0xb398_6950,
    0x79c2_895f,
    0xb23b_a5c2,
    0x21a5_d66b,
    0x258d_d3db,
    0x1cbf_f34d,
    0x0d00_88f5,
];

pub(crate) fn square(a: &blst_fp12) -> blst_fp12 {
    let mut square = blst_fp12::default();
    // SAFETY: a number of blst.
    unsafe { blst_fp12_sqr(&mut square, a) };
    square
}

pub(crate) fn conjugate(a: &mut blst_fp12) {
    // SAFETY: a number of blst.
    unsafe { blst_fp12_conjugate(a) }
}

/// Whether the final exponentiation gives 1.
pub(crate) fn exponentiates_to_one(value: &blst_fp12) -> bool {
    let mut result = blst_fp12::default();
    // SAFETY: numbers of blst.
    unsafe {
        blst_final_exp(&mut result, value);
        blst_fp12_is_one(&result)
    }
}

/// What a message is hashed to a curve from: section 5.3.1 of RFC 9380, with SHA-256.
pub(crate) fn expand_message<const N: usize>(message: &[u8], tag: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: slices with their lengths.
    unsafe { blst_expand_message_xmd(bytes.as_mut_ptr(), N, message.as_ptr(), message.len(), tag.as_ptr(), tag.len()) };
    bytes
}

/// The hash of bytes to G2, under a domain separation tag.
pub(crate) fn hash_to_g2(bytes: &[u8], tag: &[u8]) -> blst_p2_affine {
    let (mut point, mut affine) = (blst_p2::default(), blst_p2_affine::default());
    // SAFETY: slices with their lengths, and points of blst.
    unsafe {
        blst_hash_to_g2(&mut point, bytes.as_ptr(), bytes.len(), tag.as_ptr(), tag.len(), std::ptr::null(), 0);
        blst_p2_to_affine(&mut affine, &point);
    }
    affine
}

/// The negative of G1's generator.
pub(crate) fn minus_g1() -> blst_p1_affine {
    // SAFETY: a constant of blst.
    unsafe { BLS12_381_NEG_G1 }
}

/// A sum of points of G2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SumG2(blst_p2);

impl SumG2 {
    pub(crate) fn of<'a>(points: impl IntoIterator<Item = &'a blst_p2_affine>) -> Self {
        let mut sum = blst_p2::default();
        for point in points {
            let before = sum;
            // SAFETY: points of blst; the default is infinity.
            unsafe { blst_p2_add_or_double_affine(&mut sum, &before, point) };
        }
        Self(sum)
    }

    /// `None` for infinity.
    pub(crate) fn to_affine(self) -> Option<blst_p2_affine> {
        let mut affine = blst_p2_affine::default();
        // SAFETY: points of blst.
        unsafe {
            if blst_p2_is_inf(&self.0) {
                return None;
            }
            blst_p2_to_affine(&mut affine, &self.0);
        }
        Some(affine)
    }
}

pub(crate) fn compress(point: &blst_p2_affine) -> [u8; 96] {
    let mut bytes = [0; 96];
    // SAFETY: a point of blst and 96 bytes of room.
    unsafe { blst_p2_affine_compress(bytes.as_mut_ptr(), point) };
    bytes
}

/// The affine form of a sum of keys; `None` for infinity.
pub(crate) fn to_affine(sum: &blst_p1) -> Option<blst_p1_affine> {
    let mut affine = blst_p1_affine::default();
    // SAFETY: points of blst.
    unsafe {
        if blst_p1_is_inf(sum) {
            return None;
        }
        blst_p1_to_affine(&mut affine, sum);
    }
    Some(affine)
}

/// `a + b`, whatever they are.
pub(crate) fn add(a: &blst_p1, b: &blst_p1_affine) -> blst_p1 {
    let mut sum = blst_p1::default();
    // SAFETY: points of blst.
    unsafe { blst_p1_add_or_double_affine(&mut sum, a, b) };
    sum
}

/// `a + b`, whatever they are.
pub(crate) fn add_jacobian(a: &blst_p1, b: &blst_p1) -> blst_p1 {
    let mut sum = blst_p1::default();
    // SAFETY: points of blst.
    unsafe { blst_p1_add_or_double(&mut sum, a, b) };
    sum
}

pub(crate) fn double(a: &blst_p1) -> blst_p1 {
    let mut twice = blst_p1::default();
    // SAFETY: a point of blst.
    unsafe { blst_p1_double(&mut twice, a) };
    twice
}

/// One of 2^64 - 1, drawn anew each time; never infinity.
pub(crate) fn random_multiple_of_g1() -> blst_p1_affine {
    let times = rand::random::<u64>().max(1);
    let mut point = blst_p1::default();
    // SAFETY: a point of blst, and as many bits as there are.
    unsafe { blst_p1_mult(&mut point, blst_p1_generator(), times.to_le_bytes().as_ptr(), 64) };
    to_affine(&point).expect("less often than the order")
}

pub(crate) fn negative(a: &blst_p1_affine) -> blst_p1_affine {
    let mut negative = *a;
    // SAFETY: numbers of blst.
    unsafe { blst_fp_cneg(&mut negative.y, &a.y, true) };
    negative
}
