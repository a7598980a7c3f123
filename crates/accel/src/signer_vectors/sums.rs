//! Sums of signer vectors, each times its weight.
//!
//! Weights are cut in pieces of 13 bits. An entry times a piece has 21 bits, so a 32-bit number holds 2^11 of them, and
//! processors have an instruction that multiplies pairs of 16-bit numbers and adds each pair: two vectors at once.

#[cfg(target_arch = "x86_64")]
pub(super) mod x86;

/// As [`vigil_crypto::signer_vectors::weighted_sums`].
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::weighted_sums_sse2 as weighted_sums;

/// As [`vigil_crypto::signer_vectors::weighted_sums`].
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn weighted_sums(vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
    by_lanes::<plain::Plain>(vectors, weights, sums);
}

#[cfg(any(test, not(target_arch = "x86_64")))]
pub(super) mod plain;

use vigil_crypto::signer_vectors::check_shape;

const PIECES: usize = 5;
const PIECE_BITS: usize = 13;
/// Vectors whose products are summed in 32 bits: 1024 * 255 * (2^13 - 1) < 2^31.
const GROUP: usize = 1024;
/// Entries in the widest block.
const BLOCK_MAX: usize = 32;

/// The pieces of the weights of two vectors, the first one's in the low half of each number.
type Pieces = [u32; PIECES];

/// Some 32-bit sums in a register, two of which make a block of entries.
///
/// # Safety
/// The functions need the instructions of the implementation; `pairs` and `store` take and write as many bytes and
/// numbers as a block has entries, and half of that.
pub(super) trait Lanes: Copy {
    /// Entries of a block.
    const ENTRIES: usize;
    /// The number in every lane.
    unsafe fn splat(number: u32) -> Self;
    /// The entries of a block of two vectors: in each lane an entry of the first in the low 16 bits, the same entry of the
    /// second in the high ones.
    unsafe fn pairs(a: *const u8, b: *const u8) -> [Self; 2];
    /// In each lane `self + low(pair) * low(piece) + high(pair) * high(piece)`.
    unsafe fn add_products(self, pair: Self, piece: Self) -> Self;
    /// The lanes in order.
    unsafe fn store(self, to: *mut u32);
}

/// [`weighted_sums`] with the registers of `L`; only for CPUs that have them.
#[inline(always)]
pub(super) fn by_lanes<L: Lanes>(vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
    check_shape(sums.len(), vectors);
    assert_eq!(vectors.len(), weights.len(), "a weight for each vector");
    if vectors.is_empty() {
        sums.fill(0);
    }
    let whole = sums.len() - sums.len() % L::ENTRIES;
    for (group, (vectors, weights)) in vectors.chunks(GROUP).zip(weights.chunks(GROUP)).enumerate() {
        let fresh = group == 0;
        let pieces: Vec<Pieces> = weights.chunks(2).map(cut).collect();
        let (blocks, rest) = sums.split_at_mut(whole);
        for (block, sums) in blocks.chunks_exact_mut(L::ENTRIES).enumerate() {
            let start = block * L::ENTRIES;
            add_block::<L>(&pieces, |k| &vectors[k.min(vectors.len() - 1)][start..start + L::ENTRIES], fresh, sums);
        }
        if !rest.is_empty() {
            let padded: Vec<[u8; BLOCK_MAX]> = vectors.iter().map(|vector| pad(&vector[whole..])).collect();
            let mut block = [0; BLOCK_MAX];
            block[..rest.len()].copy_from_slice(rest);
            add_block::<L>(&pieces, |k| &padded[k.min(padded.len() - 1)], fresh, &mut block[..L::ENTRIES]);
            rest.copy_from_slice(&block[..rest.len()]);
        }
    }
}

/// The pieces of one or two weights; a missing one is 0.
fn cut(weights: &[u64]) -> Pieces {
    let piece = |weight: u64, i: usize| (weight >> (PIECE_BITS * i)) as u32 & ((1 << PIECE_BITS) - 1);
    std::array::from_fn(|i| piece(weights[0], i) | piece(weights.get(1).copied().unwrap_or(0), i) << 16)
}

fn pad(rest: &[u8]) -> [u8; BLOCK_MAX] {
    let mut block = [0; BLOCK_MAX];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// Adds to `sums`, or to 0 if `fresh`, a block of weighted entries; `entries(k)` are those of vector k, at least as many as a block has.
#[inline(always)]
fn add_block<'a, L: Lanes>(pieces: &[Pieces], entries: impl Fn(usize) -> &'a [u8], fresh: bool, sums: &mut [u128]) {
    assert_eq!(sums.len(), L::ENTRIES);
    let mut by_piece = [[0u32; BLOCK_MAX]; PIECES];
    // SAFETY: the caller has the instructions of `L`; the slices are checked to have a block's entries, and
    // `by_piece` holds the greatest block.
    unsafe {
        let mut lanes = [[L::splat(0); 2]; PIECES];
        for (pair, pieces) in pieces.iter().enumerate() {
            let (a, b) = (entries(2 * pair), entries(2 * pair + 1));
            assert!(a.len() >= L::ENTRIES && b.len() >= L::ENTRIES);
            let [first, second] = L::pairs(a.as_ptr(), b.as_ptr());
            for (lanes, piece) in lanes.iter_mut().zip(pieces) {
                let piece = L::splat(*piece);
                *lanes = [lanes[0].add_products(first, piece), lanes[1].add_products(second, piece)];
            }
        }
        for (by_piece, [first, second]) in by_piece.iter_mut().zip(lanes) {
            first.store(by_piece.as_mut_ptr());
            second.store(by_piece[L::ENTRIES / 2..].as_mut_ptr());
        }
    }
    let [a, b, c, d, e] = &by_piece;
    let (mut low, mut high) = ([0; BLOCK_MAX], [0; BLOCK_MAX]);
    for i in 0..L::ENTRIES {
        // Below 2^58 and 2^45; the upper one starts at bit 39.
        let lower = u64::from(a[i]) + (u64::from(b[i]) << PIECE_BITS) + (u64::from(c[i]) << (2 * PIECE_BITS));
        let upper = u64::from(d[i]) + (u64::from(e[i]) << PIECE_BITS);
        low[i] = lower.wrapping_add(upper << (3 * PIECE_BITS));
        high[i] = (upper >> (64 - 3 * PIECE_BITS)) + u64::from(low[i] < lower);
    }
    for (sum, (low, high)) in sums.iter_mut().zip(low.into_iter().zip(high)) {
        let more = u128::from(low) | u128::from(high) << 64;
        *sum = if fresh { more } else { *sum + more };
    }
}
