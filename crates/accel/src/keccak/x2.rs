//! Two messages at a time, in NEON vectors; faster where the processor has the SHA-3 instructions.

use super::permutation::Word;
use super::plain::{digest_plain, first_block};
use super::sponge::{self, Lanes};
use super::{RATE_WORDS, batch};
use core::arch::aarch64::*;
use vigil_primitives::Hash;

/// A vector of two words; with `SHA3`, the instructions of that extension are used.
///
/// Its functions must end up in a function with `#[target_feature]` of neon (and sha3, if so), which is called only where
/// the processor has it: that is the reason why each `unsafe` below is sound.
#[derive(Clone, Copy)]
struct Words2<const SHA3: bool>(uint64x2_t);

impl<const SHA3: bool> Word for Words2<SHA3> {
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
        Self(unsafe { if SHA3 { vbcaxq_u64(self.0, c.0, b.0) } else { veorq_u64(self.0, vbicq_u64(c.0, b.0)) } })
    }
}

impl<const SHA3: bool> Lanes<2> for Words2<SHA3> {
    #[inline(always)]
    fn load(rests: &[&[u8]; 2]) -> [Self; RATE_WORDS] {
        let lanes = rests.map(|rest| first_block(rest, super::plain::words));
        // SAFETY: see the type; two words are read.
        std::array::from_fn(|i| Self(unsafe { vld1q_u64([lanes[0][i], lanes[1][i]].as_ptr()) }))
    }

    #[inline(always)]
    fn store(words: [Self; 4]) -> [Hash; 2] {
        let mut hashes = [Hash::ZERO; 2];
        for half in 0..2 {
            let (a, b) = (words[2 * half].0, words[2 * half + 1].0);
            // SAFETY: see the type; 16 bytes are written to each half of the 32 of a hash.
            unsafe {
                vst1q_u8(hashes[0][16 * half..][..16].as_mut_ptr(), vreinterpretq_u8_u64(vzip1q_u64(a, b)));
                vst1q_u8(hashes[1][16 * half..][..16].as_mut_ptr(), vreinterpretq_u8_u64(vzip2q_u64(a, b)));
            }
        }
        hashes
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
    batch::in_groups(messages, out, GROUP_MIN, |group| unsafe { digests_x2(group) }, digest_plain);
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
    batch::in_groups(messages, out, GROUP_MIN, |group| unsafe { digests_x2_sha3(group) }, digest_plain);
}

#[target_feature(enable = "neon")]
fn digests_x2(messages: &[&[u8]; 2]) -> [Hash; 2] {
    sponge::digests::<Words2<false>, 2>(messages)
}

#[target_feature(enable = "neon,sha3")]
fn digests_x2_sha3(messages: &[&[u8]; 2]) -> [Hash; 2] {
    sponge::digests::<Words2<true>, 2>(messages)
}
