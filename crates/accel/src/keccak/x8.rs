//! Eight messages at a time, in AVX-512 vectors.

use super::permutation::Word;
use super::sponge::{self, Lanes};
use super::{LAST_BIT, RATE, RATE_WORDS, batch};
use core::arch::x86_64::*;
use vigil_primitives::Hash;

/// A vector of eight words.
///
/// Its functions must end up in a function with `#[target_feature]` of avx512f, avx512bw, avx512dq and avx512vl, which is
/// called only where the processor has them: that is the reason why each `unsafe` below is sound.
#[derive(Clone, Copy)]
struct Words8(__m512i);

/// The truth table of `a ^ (!b & c)`.
const CHI: i32 = 0xd2;

impl Word for Words8 {
    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_set1_epi64(word as i64) })
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_xor_si512(self.0, b.0) })
    }
    #[inline(always)]
    fn rotl<const N: i32>(self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_rol_epi64::<N>(self.0) })
    }
    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_ternarylogic_epi64::<CHI>(self.0, b.0, c.0) })
    }
}

impl Lanes<8> for Words8 {
    #[inline(always)]
    fn load(rests: &[&[u8]; 8]) -> [Self; RATE_WORDS] {
        // SAFETY: see the type.
        unsafe { load(rests) }.map(Self)
    }

    #[inline(always)]
    fn store(words: [Self; 4]) -> [Hash; 8] {
        let mut hashes = [Hash::ZERO; 8];
        // SAFETY: see the type.
        unsafe { store(words.map(|word| word.0), &mut hashes) };
        hashes
    }
}

/// The words of the first block of each rest, padded where it is shorter.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn load(rests: &[&[u8]; 8]) -> [__m512i; RATE_WORDS] {
    let mut shortest = usize::MAX;
    let mut longest = 0;
    for rest in rests {
        shortest = shortest.min(rest.len());
        longest = longest.max(rest.len());
    }
    if shortest >= RATE { load_full(rests) } else { load_padded(rests, longest) }
}

/// The words of the first block of each rest, which all have one.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn load_full(rests: &[&[u8]; 8]) -> [__m512i; RATE_WORDS] {
    let mut words = [_mm512_setzero_si512(); RATE_WORDS];
    let mut rows = [[_mm512_setzero_si512(); 8]; 2];
    let mut last = [0; 8];
    for lane in 0..8 {
        let block: &[u8; RATE] = rests[lane].first_chunk().expect("the caller has looked");
        // SAFETY: bytes 0 to 127 of the 136 of a block.
        unsafe {
            rows[0][lane] = _mm512_loadu_si512(block.as_ptr().cast());
            rows[1][lane] = _mm512_loadu_si512(block.as_ptr().add(64).cast());
        }
        last[lane] = i64::from_le_bytes(*block.last_chunk().expect("136 are more than 8"));
    }
    words[..8].copy_from_slice(&transpose(rows[0]));
    words[8..16].copy_from_slice(&transpose(rows[1]));
    words[16] = gather(last);
    words
}

/// The words of the first block of each rest, none longer than `longest`: padded, or as it is if it is whole.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn load_padded(rests: &[&[u8]; 8], longest: usize) -> [__m512i; RATE_WORDS] {
    let mut words = [_mm512_setzero_si512(); RATE_WORDS];
    words[..8].copy_from_slice(&transpose(rows(rests, 0)));
    if longest >= 64 {
        words[8..16].copy_from_slice(&transpose(rows(rests, 64)));
    }
    words[16] = if longest >= 128 {
        let [a, b, c, d, e, f, g, h] = *rests;
        gather([
            last_word(a),
            last_word(b),
            last_word(c),
            last_word(d),
            last_word(e),
            last_word(f),
            last_word(g),
            last_word(h),
        ])
    } else {
        _mm512_set1_epi64(LAST_BIT as i64)
    };
    words
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn gather([a, b, c, d, e, f, g, h]: [i64; 8]) -> __m512i {
    _mm512_setr_epi64(a, b, c, d, e, f, g, h)
}

/// 64 bytes of each padded rest, from byte `from` on.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn rows(&[a, b, c, d, e, f, g, h]: &[&[u8]; 8], from: usize) -> [__m512i; 8] {
    [row(a, from), row(b, from), row(c, from), row(d, from), row(e, from), row(f, from), row(g, from), row(h, from)]
}

/// A one after 64 zeros: 64 bytes from place `64 - n` hold it at byte n.
static PADDING: [u8; 129] = {
    let mut bytes = [0; 129];
    bytes[64] = 1;
    bytes
};

/// 64 bytes of the padded rest, from byte `from` on.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn row(rest: &[u8], from: usize) -> __m512i {
    let end = (rest.len() as isize - from as isize).clamp(-1, 64); // of the rest within the row; -1: before it
    let wanted = u64::MAX.checked_shr(64 - end.max(0) as u32).unwrap_or(0);
    // SAFETY: 64 - end is from 0 to 65, and 65 + 64 is the length of the table; of the rest only the bytes that the mask
    // names are read, and those are `end` ones from `from` on.
    unsafe {
        let padding = _mm512_loadu_si512(PADDING.as_ptr().add((64 - end) as usize).cast());
        _mm512_mask_loadu_epi8(padding, wanted, rest.as_ptr().wrapping_add(from.min(rest.len())).cast())
    }
}

/// Word 16 of the padded rest.
#[inline(always)]
fn last_word(rest: &[u8]) -> i64 {
    let Some(over) = rest.len().checked_sub(RATE - 8) else { return LAST_BIT as i64 };
    if let Some(word) = rest[RATE - 8..].first_chunk() {
        return i64::from_le_bytes(*word);
    }
    let mut bytes = [0; 8];
    bytes[..over].copy_from_slice(&rest[RATE - 8..]);
    bytes[over] = 1;
    (u64::from_le_bytes(bytes) | LAST_BIT) as i64
}

/// Word i of each row.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn transpose(rows: [__m512i; 8]) -> [__m512i; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    // 128-bit quarters: (word 2 q of two rows), (word 2 q + 1 of two rows)
    let even = [
        _mm512_unpacklo_epi64(a, b),
        _mm512_unpacklo_epi64(c, d),
        _mm512_unpacklo_epi64(e, f),
        _mm512_unpacklo_epi64(g, h),
    ];
    let odd = [
        _mm512_unpackhi_epi64(a, b),
        _mm512_unpackhi_epi64(c, d),
        _mm512_unpackhi_epi64(e, f),
        _mm512_unpackhi_epi64(g, h),
    ];
    let [w0, w2, w4, w6] = transpose_quarters(even);
    let [w1, w3, w5, w7] = transpose_quarters(odd);
    [w0, w1, w2, w3, w4, w5, w6, w7]
}

/// Quarter i of each row.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn transpose_quarters([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let (ab02, ab13) = (_mm512_shuffle_i64x2::<0x88>(a, b), _mm512_shuffle_i64x2::<0xdd>(a, b));
    let (cd02, cd13) = (_mm512_shuffle_i64x2::<0x88>(c, d), _mm512_shuffle_i64x2::<0xdd>(c, d));
    [
        _mm512_shuffle_i64x2::<0x88>(ab02, cd02),
        _mm512_shuffle_i64x2::<0x88>(ab13, cd13),
        _mm512_shuffle_i64x2::<0xdd>(ab02, cd02),
        _mm512_shuffle_i64x2::<0xdd>(ab13, cd13),
    ]
}

/// Digests from their words.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn store([w0, w1, w2, w3]: [__m512i; 4], hashes: &mut [Hash; 8]) {
    // Words 0 and 1 of lanes (0, 2, 4, 6) and (1, 3, 5, 7), words 2 and 3 of the same.
    let [even01, odd01] = [_mm512_unpacklo_epi64(w0, w1), _mm512_unpackhi_epi64(w0, w1)];
    let [even23, odd23] = [_mm512_unpacklo_epi64(w2, w3), _mm512_unpackhi_epi64(w2, w3)];
    let low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    let high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    for (lane, a, b, pick) in
        [(0, even01, even23, low), (1, odd01, odd23, low), (4, even01, even23, high), (5, odd01, odd23, high)]
    {
        let pair = _mm512_permutex2var_epi64(a, pick, b);
        // SAFETY: each half vector is written to the 32 bytes of a hash.
        unsafe {
            _mm256_storeu_si256(hashes[lane].as_mut_ptr().cast(), _mm512_castsi512_si256(pair));
            _mm256_storeu_si256(hashes[lane + 2].as_mut_ptr().cast(), _mm512_extracti64x4_epi64::<1>(pair));
        }
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
    batch::in_groups(messages, out, GROUP_MIN, |group| unsafe { digests_x8(group) }, super::plain::digest_plain);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn digests_x8(messages: &[&[u8]; 8]) -> [Hash; 8] {
    sponge::digests::<Words8, 8>(messages)
}

/// [`super::point_digest`] of eight points, one a lane.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
pub(crate) fn point_digest_x8(x: [__m512i; 4], y: [__m512i; 4]) -> [__m512i; 4] {
    let swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607));
    let words = [x[3], x[2], x[1], x[0], y[3], y[2], y[1], y[0]];
    sponge::digest_of_64(words.map(|word| Words8(_mm512_shuffle_epi8(word, swap)))).map(|word| word.0)
}
