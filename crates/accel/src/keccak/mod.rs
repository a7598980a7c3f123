//! Keccak-256 of many messages at once: eight in AVX-512 vectors, four in AVX2, two in NEON, one in plain words.
//!
//! Messages of any lengths may come together: [`batch`] fills the lanes with messages of as many blocks. Nothing is read
//! outside of a message, and each is padded on its way into the registers.

mod batch;
mod permutation;
mod plain;
mod sponge;
#[cfg(target_arch = "aarch64")]
mod x2;
#[cfg(target_arch = "x86_64")]
mod x4;
#[cfg(target_arch = "x86_64")]
mod x8;
#[cfg(target_arch = "x86_64")]
mod x8_round;

pub(crate) use plain::{batch_plain, point_digest};
#[cfg(target_arch = "aarch64")]
pub(crate) use x2::{batch_x2, batch_x2_sha3};
#[cfg(target_arch = "x86_64")]
pub(crate) use x4::{batch_x4, point_digest_x4};
#[cfg(target_arch = "x86_64")]
pub(crate) use x8::{batch_x8, point_digest_x8};

/// Bytes that one permutation takes in.
const RATE: usize = 136;

/// Words of a block.
const RATE_WORDS: usize = RATE / 8;

/// The bit that ends the padding, in the last word of a block.
const LAST_BIT: u64 = 1 << 63;

#[cfg(test)]
mod tests;
