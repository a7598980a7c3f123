//! Vectors of multiplicities: how often each guardian's signature is in an aggregate (`spec/consensus.md` §2.4, §2.8).
//!
//! A vector has one entry a guardian, in the order of the guardian set; 0 says "did not sign". Definitions of the
//! engine's operation `signer_vectors`, plain.
//!
//! On the wire a vector of n entries is
//! - one byte: the width k, the least number of bits, 0 to 8, in which every `entry - 1` of a signer fits (0 if all are 1);
//! - `ceil(n / 8)` bytes: who signed, guardian i in bit `i % 8` of byte `i / 8`;
//! - `ceil(signers * k / 8)` bytes: `entry - 1` of each signer in k bits, the first one lowest.
//!
//! Bits that belong to nobody are 0, so a vector has one encoding only.

/// How many vectors one call takes at most.
pub const VECTORS_MAX: usize = 1 << 24;

/// Why bytes are no vector of n entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UnpackError {
    /// Too short or too long for n, the width and the number of signers.
    #[error("a packed signer vector must have {expected} bytes here, got {got}")]
    Length {
        /// What the bytes so far ask for.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// The first byte is no width.
    #[error("entries have at most 8 bits, the width byte says {0}")]
    Width(u8),
    /// The bitmap names a guardian that is not in the set.
    #[error("the signer bitmap has a bit beyond the {entries} guardians of the set")]
    Bitmap {
        /// Guardians in the set.
        entries: usize,
    },
    /// An entry of 256.
    #[error("the entry of guardian {index} is 256, at most 255 is allowed")]
    Entry {
        /// Its place in the set.
        index: usize,
    },
    /// Bits after the last entry.
    #[error("the unused bits after the last entry must be 0")]
    Padding,
    /// A smaller width would do.
    #[error("entries are written in {width} bits, {least} are enough")]
    Wide {
        /// As written.
        width: u8,
        /// As it must be.
        least: u8,
    },
}

/// Writes the sum of the vectors, each times its weight.
///
/// # Panics
/// If a vector is not as long as `sums`, there are not as many weights as vectors, or more than [`VECTORS_MAX`].
pub fn weighted_sums(vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
    check_shape(sums.len(), vectors);
    assert_eq!(vectors.len(), weights.len(), "a weight for each vector");
    sums.fill(0);
    for (vector, weight) in vectors.iter().zip(weights) {
        for (sum, entry) in sums.iter_mut().zip(*vector) {
            *sum += u128::from(*weight) * u128::from(*entry);
        }
    }
}

/// How many guardians signed: entries that are not 0.
pub fn signer_count(vector: &[u8]) -> usize {
    vector.iter().filter(|entry| **entry != 0).count()
}

/// Who signed in any of the vectors, as the bitmap of the wire form.
///
/// # Panics
/// If a vector has not `n` entries, or there are more than [`VECTORS_MAX`].
pub fn support(n: usize, vectors: &[&[u8]]) -> Vec<u8> {
    check_shape(n, vectors);
    let mut bitmap = vec![0; n.div_ceil(8)];
    for vector in vectors {
        for i in signers(vector) {
            bitmap[i / 8] |= 1 << (i % 8);
        }
    }
    bitmap
}

/// The sum of two vectors; `None` if an entry would be above 255.
///
/// # Panics
/// If they differ in length.
pub fn merge(a: &[u8], b: &[u8]) -> Option<Vec<u8>> {
    assert_eq!(a.len(), b.len(), "vectors over one guardian set");
    a.iter().zip(b).map(|(a, b)| a.checked_add(*b)).collect()
}

/// The wire form.
pub fn pack(vector: &[u8]) -> Vec<u8> {
    let largest = vector.iter().max().copied().unwrap_or(0);
    let width = bits(largest.saturating_sub(1));
    let mut bytes = vec![width];
    bytes.extend(support(vector.len(), &[vector]));
    let start = 8 * bytes.len();
    bytes.resize(bytes.len() + (signer_count(vector) * usize::from(width)).div_ceil(8), 0);
    for (j, i) in signers(vector).enumerate() {
        for bit in 0..usize::from(width) {
            let at = start + j * usize::from(width) + bit;
            bytes[at / 8] |= ((vector[i] - 1) >> bit & 1) << (at % 8);
        }
    }
    bytes
}

/// Reads the wire form of a vector of `n` entries. Takes memory for `n` entries, whatever the bytes say.
///
/// # Errors
/// [`UnpackError`], the first rule that is broken, in the order of its variants; the bitmap is read only if it is there.
pub fn unpack(n: usize, bytes: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let got = bytes.len();
    let head = 1 + n.div_ceil(8);
    if got < head {
        return Err(UnpackError::Length { expected: head, got });
    }
    let (width, bitmap) = (bytes[0], &bytes[1..head]);
    if width > 8 {
        return Err(UnpackError::Width(width));
    }
    let signed = |i: usize| bitmap[i / 8] >> (i % 8) & 1 == 1;
    if (n..8 * bitmap.len()).any(signed) {
        return Err(UnpackError::Bitmap { entries: n });
    }
    let used = (0..n).filter(|i| signed(*i)).count() * usize::from(width);
    let expected = head + used.div_ceil(8);
    if got != expected {
        return Err(UnpackError::Length { expected, got });
    }
    let bit = |at: usize| bytes[head + at / 8] >> (at % 8) & 1;
    let mut vector = vec![0; n];
    let mut at = 0;
    let mut largest = 0;
    for i in (0..n).filter(|i| signed(*i)) {
        let less_one = (0..width).map(|k| bit(at + usize::from(k)) << k).sum::<u8>();
        vector[i] = less_one.checked_add(1).ok_or(UnpackError::Entry { index: i })?;
        largest = largest.max(less_one);
        at += usize::from(width);
    }
    if (used..8 * (got - head)).any(|at| bit(at) == 1) {
        return Err(UnpackError::Padding);
    }
    if bits(largest) != width {
        return Err(UnpackError::Wide { width, least: bits(largest) });
    }
    Ok(vector)
}

/// The shapes that all implementations ask for.
///
/// # Panics
/// If a vector has not `n` entries, or there are more than [`VECTORS_MAX`].
pub fn check_shape(n: usize, vectors: &[&[u8]]) {
    assert!(vectors.len() <= VECTORS_MAX, "{} vectors, at most {VECTORS_MAX}", vectors.len());
    assert!(vectors.iter().all(|vector| vector.len() == n), "every vector has {n} entries");
}

fn signers(vector: &[u8]) -> impl Iterator<Item = usize> {
    vector.iter().enumerate().filter(|(_, entry)| **entry != 0).map(|(i, _)| i)
}

/// Bits that a number takes.
fn bits(number: u8) -> u8 {
    (u8::BITS - number.leading_zeros()) as u8
}
