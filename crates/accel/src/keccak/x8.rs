//! Eight messages at a time, in AVX-512 vectors.
//!
//! The functions that are `#[inline(always)]` are called, directly or through others, only by those with
//! `#[target_feature]`, and these only where the processor has the instructions. "See the module" means this reason.

use super::permutation::{State, Word};
use super::sponge::{self, Lanes};
use super::{LAST_BIT, RATE, RATE_WORDS, batch, x8_round};
use core::arch::x86_64::*;
use vigil_primitives::Hash;

/// The truth table of `a ^ (!b & c)`.
const CHI: i32 = 0xd2;

impl Word for __m512i {
    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: see the module.
        unsafe { _mm512_set1_epi64(word as i64) }
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        // SAFETY: see the module.
        unsafe { _mm512_xor_si512(self, b) }
    }
    #[inline(always)]
    fn rotl<const N: i32>(self) -> Self {
        // SAFETY: see the module.
        unsafe { _mm512_rol_epi64::<N>(self) }
    }
    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: see the module.
        unsafe { _mm512_ternarylogic_epi64::<CHI>(self, b, c) }
    }
    #[inline(always)]
    fn rounds(state: &mut State<Self>, constants: &[u64]) {
        // SAFETY: see the module.
        unsafe { x8_round::rounds(state, constants) };
    }
}

impl Lanes<8> for __m512i {
    #[inline(always)]
    fn absorb(state: &mut State<Self>, rests: &[&[u8]; 8]) {
        let mut longest = 0;
        for rest in rests {
            longest = longest.max(rest.len());
        }
        add(state, 0, transpose(rows(rests, 0)));
        if longest >= 64 {
            add(state, 8, transpose(rows(rests, 64)));
        }
        let last = if longest >= 128 { last_words(rests) } else { Self::splat(LAST_BIT) };
        state[RATE_WORDS - 1] = state[RATE_WORDS - 1].xor(last);
    }

    #[inline(always)]
    fn squeeze(state: &State<Self>, digests: &mut [Hash; 8]) {
        let [w0, w1, w2, w3, ..] = *state;
        // SAFETY: see the module; each half vector is written to the 32 bytes of a hash.
        unsafe {
            // Words 0 and 1 of lanes (0, 2, 4, 6) and (1, 3, 5, 7), words 2 and 3 of the same.
            let [even01, odd01] = [_mm512_unpacklo_epi64(w0, w1), _mm512_unpackhi_epi64(w0, w1)];
            let [even23, odd23] = [_mm512_unpacklo_epi64(w2, w3), _mm512_unpackhi_epi64(w2, w3)];
            let low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
            let high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
            for (lane, a, b, pick) in
                [(0, even01, even23, low), (1, odd01, odd23, low), (4, even01, even23, high), (5, odd01, odd23, high)]
            {
                let pair = _mm512_permutex2var_epi64(a, pick, b);
                _mm256_storeu_si256(digests[lane].as_mut_ptr().cast(), _mm512_castsi512_si256(pair));
                _mm256_storeu_si256(digests[lane + 2].as_mut_ptr().cast(), _mm512_extracti64x4_epi64::<1>(pair));
            }
        }
    }
}

#[inline(always)]
fn add(state: &mut State<__m512i>, from: usize, words: [__m512i; 8]) {
    for i in 0..8 {
        state[from + i] = state[from + i].xor(words[i]);
    }
}

/// 64 bytes of each padded rest, from byte `from` on.
#[inline(always)]
fn rows(rests: &[&[u8]; 8], from: usize) -> [__m512i; 8] {
    let mut rows = [__m512i::splat(0); 8];
    for lane in 0..8 {
        rows[lane] = row(rests[lane], from);
    }
    rows
}

/// A one after 64 zeros: the 64 bytes from place `64 - n` on hold it at byte n.
static PADDING: [u8; 129] = {
    let mut bytes = [0; 129];
    bytes[64] = 1;
    bytes
};

/// n ones, at `n + 1`; none at 0.
static ONES: [u64; 66] = {
    let mut masks = [0; 66];
    let mut n = 1;
    while n <= 64 {
        masks[n + 1] = u64::MAX >> (64 - n);
        n += 1;
    }
    masks
};

/// 64 bytes of the padded rest, from byte `from` on.
#[inline(always)]
fn row(rest: &[u8], from: usize) -> __m512i {
    let end = (rest.len() as isize - from as isize).clamp(-1, 64); // of the rest within the row; -1: before it
    // SAFETY: see the module; 64 - end is at most 65, and 65 + 64 is the length of the table; of the rest only the bytes
    // that the mask names are read, and those are `end` ones from `from` on.
    unsafe {
        let wanted = *ONES.get_unchecked((end + 1) as usize);
        let padding = _mm512_loadu_si512(PADDING.as_ptr().offset(64 - end).cast());
        _mm512_mask_loadu_epi8(padding, wanted, rest.as_ptr().wrapping_add(from).cast())
    }
}

/// Word 16 of each padded rest.
#[inline(always)]
fn last_words(rests: &[&[u8]; 8]) -> __m512i {
    let mut padded = 0; // the lanes whose rest ends in this block
    for (lane, rest) in rests.iter().enumerate() {
        padded |= u8::from(rest.len() < RATE) << lane;
    }
    let word = |lane: usize| last_word(rests[lane]);
    // SAFETY: see the module.
    unsafe {
        let (ab, cd) = (_mm_unpacklo_epi64(word(0), word(1)), _mm_unpacklo_epi64(word(2), word(3)));
        let (ef, gh) = (_mm_unpacklo_epi64(word(4), word(5)), _mm_unpacklo_epi64(word(6), word(7)));
        let (low, high) = (_mm256_set_m128i(cd, ab), _mm256_set_m128i(gh, ef));
        let words = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high);
        _mm512_mask_xor_epi64(words, padded, words, _mm512_set1_epi64(LAST_BIT as i64))
    }
}

/// Word 16 of the rest, padded but for the last bit; in the low half.
#[inline(always)]
fn last_word(rest: &[u8]) -> __m128i {
    let from = RATE - 8;
    let end = (rest.len() as isize - from as isize).clamp(-1, 8); // as in `row`
    let wanted = ((1 << end.max(0)) - 1) as u16;
    // SAFETY: as in `row`.
    unsafe {
        let padding = _mm_loadu_si128(PADDING.as_ptr().add((64 - end) as usize).cast());
        _mm_mask_loadu_epi8(padding, wanted, rest.as_ptr().wrapping_add(from).cast())
    }
}

/// Word i of each row.
#[inline(always)]
fn transpose([a, b, c, d, e, f, g, h]: [__m512i; 8]) -> [__m512i; 8] {
    // SAFETY: see the module.
    unsafe {
        // Quarters of 128 bits: word 2 q of two rows, word 2 q + 1 of two rows.
        let [w0, w2, w4, w6] = transpose_quarters([
            _mm512_unpacklo_epi64(a, b),
            _mm512_unpacklo_epi64(c, d),
            _mm512_unpacklo_epi64(e, f),
            _mm512_unpacklo_epi64(g, h),
        ]);
        let [w1, w3, w5, w7] = transpose_quarters([
            _mm512_unpackhi_epi64(a, b),
            _mm512_unpackhi_epi64(c, d),
            _mm512_unpackhi_epi64(e, f),
            _mm512_unpackhi_epi64(g, h),
        ]);
        [w0, w1, w2, w3, w4, w5, w6, w7]
    }
}

/// Quarter i of each row.
#[inline(always)]
fn transpose_quarters([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    // SAFETY: see the module.
    unsafe {
        let (ab02, ab13) = (_mm512_shuffle_i64x2::<0x88>(a, b), _mm512_shuffle_i64x2::<0xdd>(a, b));
        let (cd02, cd13) = (_mm512_shuffle_i64x2::<0x88>(c, d), _mm512_shuffle_i64x2::<0xdd>(c, d));
        [
            _mm512_shuffle_i64x2::<0x88>(ab02, cd02),
            _mm512_shuffle_i64x2::<0x88>(ab13, cd13),
            _mm512_shuffle_i64x2::<0xdd>(ab02, cd02),
            _mm512_shuffle_i64x2::<0xdd>(ab13, cd13),
        ]
    }
}

/// Fewer messages are hashed faster one by one.
const GROUP_MIN: usize = 1;

/// Keccak-256 of each message.
///
/// # Safety
/// The processor has avx512f, avx512bw, avx512dq and avx512vl.
///
/// # Panics
/// If `out` has another length than `messages`.
pub(crate) unsafe fn batch_x8(messages: &[&[u8]], out: &mut [Hash]) {
    // SAFETY: as the function's.
    batch::in_groups(
        messages,
        out,
        GROUP_MIN,
        |group, out| unsafe { digests_x8(group, out) },
        super::plain::digest_plain,
    );
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn digests_x8(messages: &[&[u8]; 8], digests: &mut [Hash; 8]) {
    sponge::digests::<__m512i, 8>(messages, digests);
}

/// [`super::point_digest`] of eight points, one a lane.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
pub(crate) fn point_digest_x8(x: [__m512i; 4], y: [__m512i; 4]) -> [__m512i; 4] {
    let swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607));
    let mut words = [x[3], x[2], x[1], x[0], y[3], y[2], y[1], y[0]];
    for word in &mut words {
        *word = _mm512_shuffle_epi8(*word, swap);
    }
    sponge::digest_of_64(words)
}
