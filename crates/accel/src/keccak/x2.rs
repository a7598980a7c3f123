//! Two messages at a time, in NEON vectors; faster where the processor has the SHA-3 instructions, which compilers know
//! to make of these exclusive ors and rotations.

use super::permutation::{State, Word};
use super::plain::{digest_plain, first_block};
use super::sponge::{self, Lanes};
use super::{RATE_WORDS, batch};
use core::arch::aarch64::*;
use vigil_primitives::Hash;

/// A vector of two words.
///
/// Its functions must end up in a function with `#[target_feature]` of neon, which every AArch64 processor that this is
/// compiled for has: that is the reason why each `unsafe` below is sound.
#[derive(Clone, Copy)]
struct Words2(uint64x2_t);

impl Word for Words2 {
    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: see the type.
        Self(unsafe { vdupq_n_u64(word) })
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { veorq_u64(self.0, b.0) })
    }
    #[inline(always)]
    fn rotl<const N: i32>(self) -> Self {
        // SAFETY: see the type.
        Self(unsafe {
            let left = vshlq_u64(self.0, vdupq_n_s64(N.into()));
            vorrq_u64(left, vshlq_u64(self.0, vdupq_n_s64(i64::from(N) - 64)))
        })
    }
    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { veorq_u64(self.0, vbicq_u64(c.0, b.0)) })
    }
}

impl Lanes<2> for Words2 {
    #[inline(always)]
    fn absorb(state: &mut State<Self>, rests: &[&[u8]; 2]) {
        let blocks = rests.map(first_block);
        let [first, second] = blocks.each_ref().map(|block| block.as_chunks::<8>().0);
        for i in 0..RATE_WORDS {
            let words = [u64::from_le_bytes(first[i]), u64::from_le_bytes(second[i])];
            // SAFETY: see the type; two words are read.
            state[i] = state[i].xor(Self(unsafe { vld1q_u64(words.as_ptr()) }));
        }
    }

    #[inline(always)]
    fn squeeze(state: &State<Self>, digests: &mut [Hash; 2]) {
        for i in 0..4 {
            // SAFETY: see the type.
            let words = unsafe { [vgetq_lane_u64::<0>(state[i].0), vgetq_lane_u64::<1>(state[i].0)] };
            for (digest, word) in digests.iter_mut().zip(words) {
                digest[8 * i..8 * i + 8].copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

/// Fewer messages are hashed faster one by one.
const GROUP_MIN: usize = 2;

/// Keccak-256 of each message.
///
/// # Safety
/// The processor has neon.
///
/// # Panics
/// If `out` has another length than `messages`.
pub(crate) unsafe fn batch_x2(messages: &[&[u8]], out: &mut [Hash]) {
    // SAFETY: as the function's.
    batch::in_groups(messages, out, GROUP_MIN, |group, out| unsafe { digests_x2(group, out) }, digest_plain);
}

/// [`batch_x2`] with the SHA-3 instructions.
///
/// # Safety
/// The processor has neon and sha3.
///
/// # Panics
/// If `out` has another length than `messages`.
pub(crate) unsafe fn batch_x2_sha3(messages: &[&[u8]], out: &mut [Hash]) {
    // SAFETY: as the function's.
    batch::in_groups(messages, out, GROUP_MIN, |group, out| unsafe { digests_x2_sha3(group, out) }, digest_plain);
}

#[target_feature(enable = "neon")]
fn digests_x2(messages: &[&[u8]; 2], digests: &mut [Hash; 2]) {
    sponge::digests::<Words2, 2>(messages, digests);
}

#[target_feature(enable = "neon,sha3")]
fn digests_x2_sha3(messages: &[&[u8]; 2], digests: &mut [Hash; 2]) {
    sponge::digests::<Words2, 2>(messages, digests);
}
