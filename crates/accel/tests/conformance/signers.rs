//! Signer vectors: sums, counts, merging and the wire form, by the definitions of `vigil_crypto::signer_vectors`.

use crate::make;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use std::panic::{AssertUnwindSafe, catch_unwind};
use vigil_accel::Backend;
use vigil_crypto::signer_vectors as right;

/// Numbers of guardians: around the sizes of words, vectors and blocks.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=70).chain([127, 128, 129, 191, 192, 193, 255, 256, 257, 383, 384, 385, 1_000, 1_023, 1_025, 4_099])
}

/// Entries of up to `largest`, of which `zeros` in 8 are 0.
fn vector(rng: &mut ChaCha20Rng, n: usize, largest: u8, zeros: u32) -> Vec<u8> {
    let mut entry = || {
        let (is_zero, entry) = (rng.next_u32() % 8 < zeros, rng.next_u32() % (u32::from(largest) + 1));
        if is_zero { 0 } else { entry as u8 }
    };
    (0..n).map(|_| entry()).collect()
}

/// Vectors of every length: sparse and dense, of small and of the largest entries.
fn vectors(rng: &mut ChaCha20Rng) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for n in lengths() {
        for largest in [0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 128, 129, 254, 255] {
            let zeros = rng.next_u32() % 9;
            all.push(vector(rng, n, largest, zeros));
        }
        all.extend([0, 1, 2, 255].map(|entry| vec![entry; n]));
        // One entry that is not like the others, at the ends and in the middle.
        for at in [0, n / 2, n.saturating_sub(1)].into_iter().filter(|at| *at < n) {
            for (others, one) in [(0, 1), (0, 255), (1, 0), (255, 0), (1, 255)] {
                let mut vector = vec![others; n];
                vector[at] = one;
                all.push(vector);
            }
        }
    }
    all
}

pub(crate) fn sums(backend: &dyn Backend) {
    let rng = &mut make::rng(0x7369_676e);
    let weight_of = |rng: &mut ChaCha20Rng| match rng.next_u32() % 5 {
        0 => 0,
        1 => u64::MAX,
        2 => u64::from(u32::MAX),
        3 => 1 << (rng.next_u32() % 64),
        _ => rng.next_u64(),
    };
    for n in lengths() {
        for k in [0, 1, 2, 3, 7, 8, 9, 20, 33] {
            let vectors: Vec<_> = (0..k).map(|_| vector(rng, n, 255, k as u32 % 9)).collect();
            check_sums(backend, &vectors, &(0..k).map(|_| weight_of(rng)).collect::<Vec<_>>());
            check_sums(backend, &vec![vec![255; n]; k], &vec![u64::MAX; k]);
        }
    }
    // So many of the largest that every partial sum is full.
    for k in [255, 256, 257, 1_000, 70_000] {
        check_sums(backend, &vec![vec![255; 17]; k], &vec![u64::MAX; k]);
    }
}

fn check_sums(backend: &dyn Backend, vectors: &[Vec<u8>], weights: &[u64]) {
    let vectors: Vec<&[u8]> = vectors.iter().map(Vec::as_slice).collect();
    let n = vectors.first().map_or(5, |vector| vector.len());
    let (mut got, mut expected) = (vec![7; n], vec![9; n]);
    backend.weighted_sums(&vectors, weights, &mut got);
    right::weighted_sums(&vectors, weights, &mut expected);
    assert_eq!(got, expected, "{}: {} vectors of {n}", backend.name(), vectors.len());
}

pub(crate) fn counts(backend: &dyn Backend) {
    let rng = &mut make::rng(0x636f_756e);
    for vector in vectors(rng) {
        assert_eq!(backend.signer_count(&vector), right::signer_count(&vector), "{}: {vector:?}", backend.name());
    }
    for n in lengths() {
        for k in [0, 1, 2, 5] {
            let vectors: Vec<_> = (0..k).map(|_| vector(rng, n, 255, 7)).collect();
            let vectors: Vec<&[u8]> = vectors.iter().map(Vec::as_slice).collect();
            assert_eq!(backend.signer_support(n, &vectors), right::support(n, &vectors), "{}: {n}", backend.name());
        }
    }
}

pub(crate) fn merged(backend: &dyn Backend) {
    let rng = &mut make::rng(0x6d65_7267);
    for n in lengths() {
        for largest in [1, 100, 127, 128, 255] {
            let (a, b) = (vector(rng, n, largest, 2), vector(rng, n, 127, 2));
            assert_eq!(backend.merge_signers(&a, &b), right::merge(&a, &b), "{}: {a:?} and {b:?}", backend.name());
        }
        // The largest sum that fits, and one more, in every place.
        for at in (0..n).step_by(1 + n / 40) {
            for (one, fits) in [(127, true), (128, false)] {
                let (a, mut b) = (vec![128; n], vec![127; n]);
                b[at] = one;
                assert_eq!(backend.merge_signers(&a, &b).is_some(), fits, "{}: {n}, {at}", backend.name());
                assert_eq!(backend.merge_signers(&b, &a), right::merge(&b, &a));
            }
        }
    }
}

pub(crate) fn packed(backend: &dyn Backend) {
    for vector in vectors(&mut make::rng(0x7061_636b)) {
        let bytes = backend.pack_signers(&vector);
        assert_eq!(bytes, right::pack(&vector), "{}: {vector:?}", backend.name());
        assert_eq!(backend.unpack_signers(vector.len(), &bytes), Ok(vector), "{}: {bytes:?}", backend.name());
    }
}

/// Bytes that are no vector, and bytes of another length of vector: the same refusal.
pub(crate) fn unpacked(backend: &dyn Backend) {
    let rng = &mut make::rng(0x756e_7061);
    let check = |n: usize, bytes: &[u8]| {
        assert_eq!(backend.unpack_signers(n, bytes), right::unpack(n, bytes), "{}: {n} of {bytes:?}", backend.name());
    };
    for (i, vector) in vectors(rng).into_iter().enumerate().filter(|(_, vector)| vector.len() < 400) {
        let (n, bytes) = (vector.len(), right::pack(&vector));
        for other in [n + 1, n + 8, n.saturating_sub(1), n / 2] {
            check(other, &bytes);
        }
        check(n, &bytes[..bytes.len() - 1]);
        check(n, &[bytes.as_slice(), &[0]].concat());
        for _ in 0..4 {
            let mut changed = bytes.clone();
            let at = rng.next_u32() as usize % (8 * bytes.len());
            changed[at / 8] ^= 1 << (at % 8);
            check(n, &changed);
        }
        let mut other_width = bytes.clone();
        other_width[0] = (i % 12) as u8;
        check(n, &other_width);
        let last = bytes.len() - 1;
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[last] ^= 1 << bit;
            check(n, &changed);
        }
    }
    for n in 0..40 {
        for width in 0..=9u8 {
            for fill in [0, 0xff] {
                let signers = if fill == 0 { 0 } else { n };
                let tail = (signers * usize::from(width)).div_ceil(8);
                check(n, &[vec![width], vec![fill; n.div_ceil(8)], vec![fill; tail]].concat());
                // The bits that belong to nobody are 0.
                let mut bitmap = vec![fill; n.div_ceil(8)];
                if n % 8 != 0 {
                    *bitmap.last_mut().expect("not empty") &= (1 << (n % 8)) - 1;
                }
                check(n, &[vec![width], bitmap, vec![fill; tail]].concat());
            }
        }
    }
}

/// The callers' mistakes are panics, as the trait says.
pub(crate) fn shapes(backend: &dyn Backend) {
    let panics = |run: &dyn Fn()| catch_unwind(AssertUnwindSafe(run)).is_err();
    assert!(panics(&|| backend.weighted_sums(&[&[1, 2]], &[1], &mut [0; 3])));
    assert!(panics(&|| backend.weighted_sums(&[&[1, 2]], &[1, 2], &mut [0; 2])));
    assert!(panics(&|| backend.weighted_sums(&[&[1, 2], &[1]], &[1, 2], &mut [0; 2])));
    assert!(panics(&|| drop(backend.signer_support(3, &[&[1, 2]]))));
    assert!(panics(&|| drop(backend.merge_signers(&[1, 2], &[1]))));
}
