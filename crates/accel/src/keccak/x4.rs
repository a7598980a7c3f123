//! Four messages at a time, in AVX2 vectors.
//!
//! The functions that are `#[inline(always)]` are called, directly or through others, only by those with
//! `#[target_feature]`, and these only where the processor has the instructions. "See the module" means this reason.

use super::permutation::{State, Word};
use super::plain::{digest_plain, first_block};
use super::sponge::{self, Lanes};
use super::{RATE, RATE_WORDS, batch};
use core::arch::x86_64::*;
use vigil_primitives::Hash;

impl Word for __m256i {
    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: see the module.
        unsafe { _mm256_set1_epi64x(word as i64) }
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        // SAFETY: see the module.
        unsafe { _mm256_xor_si256(self, b) }
    }
    #[inline(always)]
    fn rotl<const N: i32>(self) -> Self {
        // SAFETY: see the module.
        unsafe {
            match N {
                8 => _mm256_shuffle_epi8(self, repeat(0x0605_0403_0201_0007, 0x0e0d_0c0b_0a09_080f)),
                56 => _mm256_shuffle_epi8(self, repeat(0x0007_0605_0403_0201, 0x080f_0e0d_0c0b_0a09)),
                _ => {
                    let left = _mm256_sll_epi64(self, _mm_cvtsi64_si128(N.into()));
                    _mm256_or_si256(left, _mm256_srl_epi64(self, _mm_cvtsi64_si128(64 - i64::from(N))))
                }
            }
        }
    }
    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: see the module.
        unsafe { _mm256_xor_si256(self, _mm256_andnot_si256(b, c)) }
    }
}

/// Places of bytes, for both halves.
#[inline(always)]
fn repeat(low: i64, high: i64) -> __m256i {
    // SAFETY: see the module.
    unsafe { _mm256_set_epi64x(high, low, high, low) }
}

impl Lanes<4> for __m256i {
    #[inline(always)]
    fn absorb(state: &mut State<Self>, rests: &[&[u8]; 4]) {
        let mut blocks = [[0; RATE]; 4];
        for lane in 0..4 {
            blocks[lane] = first_block(rests[lane]);
        }
        for part in 0..4 {
            let mut rows = [Self::splat(0); 4];
            for lane in 0..4 {
                // SAFETY: see the module; 32 part + 32 is below the block's 136 bytes.
                rows[lane] = unsafe { _mm256_loadu_si256(blocks[lane].as_ptr().add(32 * part).cast()) };
            }
            let words = transpose(rows);
            for i in 0..4 {
                state[4 * part + i] = state[4 * part + i].xor(words[i]);
            }
        }
        let last = |lane: usize| i64::from_le_bytes(*blocks[lane].last_chunk().expect("136 are more than 8"));
        // SAFETY: see the module.
        let words = unsafe { _mm256_setr_epi64x(last(0), last(1), last(2), last(3)) };
        state[RATE_WORDS - 1] = state[RATE_WORDS - 1].xor(words);
    }

    #[inline(always)]
    fn squeeze(state: &State<Self>, digests: &mut [Hash; 4]) {
        let [w0, w1, w2, w3, ..] = *state;
        let rows = transpose([w0, w1, w2, w3]);
        for lane in 0..4 {
            // SAFETY: see the module; a vector is written to the 32 bytes of a hash.
            unsafe { _mm256_storeu_si256(digests[lane].as_mut_ptr().cast(), rows[lane]) };
        }
    }
}

/// Word i of each row.
#[inline(always)]
fn transpose([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    // SAFETY: see the module.
    unsafe {
        let (ab02, ab13) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
        let (cd02, cd13) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
        [
            _mm256_permute2x128_si256::<0x20>(ab02, cd02),
            _mm256_permute2x128_si256::<0x20>(ab13, cd13),
            _mm256_permute2x128_si256::<0x31>(ab02, cd02),
            _mm256_permute2x128_si256::<0x31>(ab13, cd13),
        ]
    }
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
    batch::in_groups(messages, out, GROUP_MIN, |group, out| unsafe { digests_x4(group, out) }, digest_plain);
}

#[target_feature(enable = "avx2")]
fn digests_x4(messages: &[&[u8]; 4], digests: &mut [Hash; 4]) {
    sponge::digests::<__m256i, 4>(messages, digests);
}

/// [`super::point_digest`] of four points; word i of a number in `[i]`, a lane a point.
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn point_digest_x4(x: [__m256i; 4], y: [__m256i; 4]) -> [__m256i; 4] {
    let swap = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607));
    let mut words = [x[3], x[2], x[1], x[0], y[3], y[2], y[1], y[0]];
    for word in &mut words {
        *word = _mm256_shuffle_epi8(*word, swap);
    }
    sponge::digest_of_64(words)
}
