//! Four messages at a time, in AVX2 vectors.

use super::permutation::Word;
use super::plain::{digest_plain, first_block};
use super::sponge::{self, Lanes};
use super::{RATE_WORDS, batch};
use core::arch::x86_64::*;
use vigil_primitives::Hash;

/// A vector of four words.
///
/// Its functions must end up in a function with `#[target_feature]` of avx2, which is called only where the processor
/// has it: that is the reason why each `unsafe` below is sound.
#[derive(Clone, Copy)]
struct Words4(__m256i);

impl Word for Words4 {
    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm256_set1_epi64x(word as i64) })
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm256_xor_si256(self.0, b.0) })
    }
    #[inline(always)]
    fn rotl<const N: i32>(self) -> Self {
        // SAFETY: see the type.
        Self(unsafe {
            match N {
                8 => _mm256_shuffle_epi8(self.0, repeat(0x0605_0403_0201_0007, 0x0e0d_0c0b_0a09_080f)),
                56 => _mm256_shuffle_epi8(self.0, repeat(0x0007_0605_0403_0201, 0x080f_0e0d_0c0b_0a09)),
                _ => {
                    let left = _mm256_sll_epi64(self.0, _mm_cvtsi64_si128(N.into()));
                    _mm256_or_si256(left, _mm256_srl_epi64(self.0, _mm_cvtsi64_si128(64 - i64::from(N))))
                }
            }
        })
    }
    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm256_xor_si256(self.0, _mm256_andnot_si256(b.0, c.0)) })
    }
}

/// Places of bytes in both halves.
#[target_feature(enable = "avx2")]
#[inline]
fn repeat(low: i64, high: i64) -> __m256i {
    _mm256_set_epi64x(high, low, high, low)
}

impl Lanes<4> for Words4 {
    #[inline(always)]
    fn load(rests: &[&[u8]; 4]) -> [Self; RATE_WORDS] {
        let mut rows = [[Self::splat(0).0; 4]; 4];
        let mut last = [0; 4];
        for lane in 0..4 {
            first_block(rests[lane], |block| {
                let (parts, end) = block.as_chunks::<32>();
                // SAFETY: see the type; a part has the 32 bytes that are read.
                unsafe { (0..4).for_each(|i| rows[i][lane] = _mm256_loadu_si256(parts[i].as_ptr().cast())) };
                last[lane] = i64::from_le_bytes(end.try_into().expect("8 bytes"));
            });
        }
        let mut words = [Self::splat(0); RATE_WORDS];
        for i in 0..4 {
            // SAFETY: see the type.
            words[4 * i..4 * i + 4].copy_from_slice(&unsafe { transpose(rows[i]) }.map(Self));
        }
        // SAFETY: see the type.
        words[RATE_WORDS - 1] = Self(unsafe { _mm256_setr_epi64x(last[0], last[1], last[2], last[3]) });
        words
    }

    #[inline(always)]
    fn store(words: [Self; 4]) -> [Hash; 4] {
        let mut hashes = [Hash::ZERO; 4];
        // SAFETY: see the type; a vector is written to the 32 bytes of a hash.
        unsafe {
            for (hash, row) in hashes.iter_mut().zip(transpose(words.map(|word| word.0))) {
                _mm256_storeu_si256(hash.as_mut_ptr().cast(), row);
            }
        }
        hashes
    }
}

/// Word i of each row.
#[target_feature(enable = "avx2")]
#[inline]
fn transpose([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (ab02, ab13) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (cd02, cd13) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    [
        _mm256_permute2x128_si256::<0x20>(ab02, cd02),
        _mm256_permute2x128_si256::<0x20>(ab13, cd13),
        _mm256_permute2x128_si256::<0x31>(ab02, cd02),
        _mm256_permute2x128_si256::<0x31>(ab13, cd13),
    ]
}

/// Fewer messages are hashed faster one by one.
const GROUP_MIN: usize = 2;

/// Keccak-256 of each message.
///
/// # Safety
/// The processor has avx2.
///
/// # Panics
/// If `out` has another length than `messages`.
pub(crate) unsafe fn batch_x4(messages: &[&[u8]], out: &mut [Hash]) {
    // SAFETY: as the function's.
    batch::in_groups(messages, out, GROUP_MIN, |group| unsafe { digests_x4(group) }, digest_plain);
}

#[target_feature(enable = "avx2")]
fn digests_x4(messages: &[&[u8]; 4]) -> [Hash; 4] {
    sponge::digests::<Words4, 4>(messages)
}

/// [`super::point_digest`] of four points; word i of a number in `[i]`, a lane a point.
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn point_digest_x4(x: [__m256i; 4], y: [__m256i; 4]) -> [__m256i; 4] {
    let swap = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607));
    let words = [x[3], x[2], x[1], x[0], y[3], y[2], y[1], y[0]];
    sponge::digest_of_64(words.map(|word| Words4(_mm256_shuffle_epi8(word, swap)))).map(|word| word.0)
}
