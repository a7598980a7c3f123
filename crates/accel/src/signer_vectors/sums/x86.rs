//! SSE2, AVX2 and AVX-512.

use super::{Lanes, by_lanes};
use std::arch::x86_64::*;

/// With SSE2, which every x86-64 has.
pub(crate) fn weighted_sums_sse2(vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
    by_lanes::<__m128i>(vectors, weights, sums);
}

/// With AVX2.
#[target_feature(enable = "avx2")]
pub(crate) fn weighted_sums_avx2(vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
    by_lanes::<__m256i>(vectors, weights, sums);
}

/// With AVX-512 F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
pub(crate) fn weighted_sums_avx512(vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
    by_lanes::<__m512i>(vectors, weights, sums);
}

// SAFETY of all blocks below: the rules of the trait `Lanes`.

impl Lanes for __m128i {
    const ENTRIES: usize = 8;

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: see above.
        unsafe { _mm_set1_epi32(number as i32) }
    }

    #[inline(always)]
    unsafe fn pairs(a: *const u8, b: *const u8) -> [Self; 2] {
        // SAFETY: see above.
        unsafe {
            let zero = _mm_setzero_si128();
            let pairs = _mm_unpacklo_epi8(_mm_loadl_epi64(a.cast()), _mm_loadl_epi64(b.cast()));
            [_mm_unpacklo_epi8(pairs, zero), _mm_unpackhi_epi8(pairs, zero)]
        }
    }

    #[inline(always)]
    unsafe fn add_products(self, pair: Self, piece: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_add_epi32(self, _mm_madd_epi16(pair, piece)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u32) {
        // SAFETY: see above.
        unsafe { _mm_storeu_si128(to.cast(), self) }
    }
}

impl Lanes for __m256i {
    const ENTRIES: usize = 16;

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_set1_epi32(number as i32) }
    }

    #[inline(always)]
    unsafe fn pairs(a: *const u8, b: *const u8) -> [Self; 2] {
        // SAFETY: see above.
        unsafe {
            let (a, b) = (_mm_loadu_si128(a.cast()), _mm_loadu_si128(b.cast()));
            [_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b)), _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b))]
        }
    }

    #[inline(always)]
    unsafe fn add_products(self, pair: Self, piece: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_add_epi32(self, _mm256_madd_epi16(pair, piece)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u32) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_si256(to.cast(), self) }
    }
}

impl Lanes for __m512i {
    const ENTRIES: usize = 32;

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(number as i32) }
    }

    #[inline(always)]
    unsafe fn pairs(a: *const u8, b: *const u8) -> [Self; 2] {
        // SAFETY: see above.
        unsafe {
            // Interleaving works within 128 bits: with the middle quarters exchanged, the result is in order.
            let a = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_loadu_si256(a.cast()));
            let b = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_loadu_si256(b.cast()));
            [_mm512_cvtepu8_epi16(_mm256_unpacklo_epi8(a, b)), _mm512_cvtepu8_epi16(_mm256_unpackhi_epi8(a, b))]
        }
    }

    #[inline(always)]
    unsafe fn add_products(self, pair: Self, piece: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_add_epi32(self, _mm512_madd_epi16(pair, piece)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u32) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_si512(to.cast(), self) }
    }
}
