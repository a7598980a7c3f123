//! One message at a time, in plain 64-bit words.

use super::RATE;
use super::permutation::{State, Word};
use super::sponge::{self, Lanes};
use vigil_primitives::Hash;

impl Word for u64 {
    #[inline(always)]
    fn splat(word: u64) -> Self {
        word
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        self ^ b
    }
    #[inline(always)]
    fn rotl<const N: i32>(self) -> Self {
        self.rotate_left(N as u32)
    }
    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        self ^ (!b & c)
    }
}

impl Lanes<1> for u64 {
    #[inline(always)]
    fn absorb(state: &mut State<Self>, rests: &[&[u8]; 1]) {
        let block = first_block(rests[0]);
        for (word, bytes) in state.iter_mut().zip(block.as_chunks().0) {
            *word ^= Self::from_le_bytes(*bytes);
        }
    }

    #[inline(always)]
    fn squeeze(state: &State<Self>, digests: &mut [Hash; 1]) {
        for (bytes, word) in digests[0].as_chunks_mut().0.iter_mut().zip(state) {
            *bytes = word.to_le_bytes();
        }
    }
}

/// The first block of a rest, padded if the rest is shorter.
#[inline(always)]
pub(super) fn first_block(rest: &[u8]) -> [u8; RATE] {
    if let Some(block) = rest.first_chunk() {
        return *block;
    }
    let mut block = [0; RATE];
    block[..rest.len()].copy_from_slice(rest);
    block[rest.len()] = 1;
    block[RATE - 1] |= 0x80;
    block
}

/// Keccak-256 of each message.
///
/// # Panics
/// If `out` has another length than `messages`.
pub(crate) fn batch_plain(messages: &[&[u8]], out: &mut [Hash]) {
    assert_eq!(messages.len(), out.len(), "one digest a message");
    for (message, digest) in messages.iter().zip(out) {
        *digest = digest_plain(message);
    }
}

pub(super) fn digest_plain(message: &[u8]) -> Hash {
    let mut digests = [Hash::ZERO];
    sponge::digests::<u64, 1>(&[message], &mut digests);
    digests[0]
}

/// Keccak-256 of a point, x and y as 64 bytes: numbers and digest in words. The number's least significant word comes
/// first; the digest's words are in the order of its bytes, little-endian.
pub(crate) fn point_digest(x: [u64; 4], y: [u64; 4]) -> [u64; 4] {
    let word = |number: [u64; 4], i: usize| number[3 - i].swap_bytes();
    sponge::digest_of_64(std::array::from_fn(|i| if i < 4 { word(x, i) } else { word(y, i - 4) }))
}
