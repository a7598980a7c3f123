//! The operation `signer_vectors`: sums, counts and wire form of vectors of multiplicities. Definitions and limits are in
//! [`vigil_crypto::signer_vectors`]; here the same answers, quicker, in plain code that compilers turn into vectors.

mod sums;
mod wire;

use vigil_crypto::signer_vectors::check_shape;

pub(crate) use sums::weighted_sums;
#[cfg(target_arch = "x86_64")]
pub(crate) use sums::x86::{weighted_sums_avx2, weighted_sums_avx512};
pub(crate) use wire::{pack, unpack};

/// As [`vigil_crypto::signer_vectors::signer_count`].
pub(crate) fn signer_count(vector: &[u8]) -> usize {
    // Counts of a few bytes fit in a byte, so that a vector of bytes can count.
    vector.chunks(192).map(|chunk| usize::from(chunk.iter().map(|entry| u8::from(*entry != 0)).sum::<u8>())).sum()
}

/// As [`vigil_crypto::signer_vectors::support`].
pub(crate) fn support(n: usize, vectors: &[&[u8]]) -> Vec<u8> {
    check_shape(n, vectors);
    let mut any = vec![0; n];
    for vector in vectors {
        for (any, entry) in any.iter_mut().zip(*vector) {
            *any |= *entry;
        }
    }
    bitmap(&any)
}

/// The bitmap of the entries that are not 0.
fn bitmap(vector: &[u8]) -> Vec<u8> {
    let (eights, rest) = vector.as_chunks::<8>();
    let mut bitmap: Vec<u8> = eights.iter().map(bits_of_eight).collect();
    if !rest.is_empty() {
        let mut eight = [0; 8];
        eight[..rest.len()].copy_from_slice(rest);
        bitmap.push(bits_of_eight(&eight));
    }
    bitmap
}

/// Bit i says that byte i is not 0.
#[inline(always)]
fn bits_of_eight(bytes: &[u8; 8]) -> u8 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let word = u64::from_le_bytes(*bytes);
    // The top bit of each byte that is not 0, moved to its bottom; the product brings bit 8 i to bit 56 + i.
    let ones = ((((word & LOW) + LOW) | word) & !LOW) >> 7;
    (ones.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// As [`vigil_crypto::signer_vectors::merge`].
pub(crate) fn merge(a: &[u8], b: &[u8]) -> Option<Vec<u8>> {
    assert_eq!(a.len(), b.len(), "vectors over one guardian set");
    let sum: Vec<u8> = a.iter().zip(b).map(|(a, b)| a.wrapping_add(*b)).collect();
    let carried = sum.iter().zip(a).fold(false, |carried, (sum, a)| carried | (sum < a));
    (!carried).then_some(sum)
}

#[cfg(test)]
mod tests;
