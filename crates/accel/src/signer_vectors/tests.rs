//! The quick forms against the definitions.

use crate::backend::detect;
use crate::testing::rng;
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;
use vigil_crypto::signer_vectors as twin;

/// Entries up to `largest`, some 0.
fn vector(rng: &mut ChaCha8Rng, n: usize, largest: u8) -> Vec<u8> {
    (0..n).map(|_| if rng.random_bool(0.3) { 0 } else { rng.random_range(0..=largest) }).collect()
}

type Sums = fn(&[&[u8]], &[u64], &mut [u128]);

/// Every form that this machine can run, whether a backend uses it or not.
fn implementations() -> Vec<(&'static str, Sums)> {
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
    let mut all: Vec<(&str, Sums)> =
        vec![("any", super::weighted_sums), ("plain", super::sums::by_lanes::<super::sums::plain::Plain>)];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the feature was detected.
            all.push(("avx2", |vectors, weights, sums| unsafe { super::weighted_sums_avx2(vectors, weights, sums) }));
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
            // SAFETY: the features were detected.
            all.push(("avx512", |vectors, weights, sums| unsafe {
                super::weighted_sums_avx512(vectors, weights, sums)
            }));
        }
    }
    all
}

#[test]
fn conformance_weighted_sums() {
    let mut rng = rng(81);
    for n in (0..70).chain([127, 128, 129, 1000, 1023]) {
        for count in [0, 1, 2, 3, 20] {
            let mut vectors: Vec<_> = (0..count).map(|_| vector(&mut rng, n, 255)).collect();
            let mut weights: Vec<_> = (0..count).map(|_| rng.next_u64()).collect();
            if n % 3 == 0 {
                // The largest sums that there are, and weights of which one half is all zeros or ones.
                vectors.iter_mut().for_each(|vector| vector.fill(255));
                weights.fill([u64::MAX, u64::MAX << 32, u64::MAX >> 32][n % 9 / 3]);
            }
            let vectors: Vec<_> = vectors.iter().map(Vec::as_slice).collect();
            let mut want = vec![1; n];
            twin::weighted_sums(&vectors, &weights, &mut want);
            let check = |name: &str, got: Vec<u128>| {
                assert_eq!(got, want, "{name} of {count} vectors of {n} entries");
            };
            for (name, sums) in implementations() {
                let mut got = vec![2; n];
                sums(&vectors, &weights, &mut got);
                check(name, got);
            }
            for backend in detect() {
                let mut got = vec![2; n];
                backend.weighted_sums(&vectors, &weights, &mut got);
                check(backend.name().as_str(), got);
            }
        }
    }
}

/// Groups of 1,024 vectors are summed in 32 bits, filled here to the brim.
#[test]
fn conformance_weighted_sums_of_many_vectors() {
    for count in [1023, 1024, 1025, 5000] {
        for n in [1, 33] {
            let entries = vec![255; n];
            let vectors = vec![entries.as_slice(); count];
            let weights = vec![u64::MAX; count];
            for (name, sums) in implementations() {
                let mut got = vec![1; n];
                sums(&vectors, &weights, &mut got);
                assert_eq!(got, vec![255 * u128::from(u64::MAX) * count as u128; n], "{name} of {count}");
            }
        }
    }
}

#[test]
fn conformance_counts_support_and_merge() {
    let mut rng = rng(82);
    for backend in detect() {
        for n in (0..70).chain([191, 192, 193, 1000]) {
            let low = [vector(&mut rng, n, 1), vector(&mut rng, n, 127), vector(&mut rng, n, 255)];
            let mut ones = vec![0; n];
            ones.iter_mut().for_each(|entry| *entry = 1 << rng.random_range(0..8));
            for v in low.iter().chain([&ones]) {
                assert_eq!(backend.signer_count(v), twin::signer_count(v), "{v:?}");
                assert_eq!(backend.signer_support(n, &[v]), twin::support(n, &[v]), "{v:?}");
            }
            let all = [low[0].as_slice(), &low[1], &ones];
            assert_eq!(backend.signer_support(n, &all), twin::support(n, &all));
            assert_eq!(backend.signer_support(n, &[]), twin::support(n, &[]));
            for (a, b) in [(&low[0], &low[1]), (&low[1], &low[1]), (&low[0], &low[2]), (&low[2], &ones)] {
                assert_eq!(backend.merge_signers(a, b), twin::merge(a, b), "{a:?} + {b:?}");
            }
            for i in 0..n {
                // One entry over the cap, wherever it is.
                let (mut a, mut b) = (vec![255; n], vec![0; n]);
                assert_eq!(backend.merge_signers(&a, &b), Some(a.clone()));
                (a[i], b[i]) = (200, 56);
                assert_eq!(backend.merge_signers(&a, &b), None);
            }
        }
    }
}

#[test]
fn conformance_pack_and_unpack() {
    let mut rng = rng(83);
    for backend in detect() {
        for n in (0..40).chain([64, 1000]) {
            for largest in [0, 1, 2, 3, 4, 5, 9, 17, 33, 65, 129, 254, 255] {
                let vector = vector(&mut rng, n, largest);
                let packed = twin::pack(&vector);
                assert_eq!(backend.pack_signers(&vector), packed, "{vector:?}");
                assert_eq!(backend.unpack_signers(n, &packed), Ok(vector));
            }
        }
    }
}

/// Packed vectors that are cut, extended, changed in one bit, or read for another set: the same reason as the twin's.
#[test]
fn conformance_unpack_of_spoilt_bytes() {
    let mut rng = rng(84);
    let mut refused = 0;
    for backend in detect() {
        let mut check = |n: usize, bytes: &[u8]| {
            let want = twin::unpack(n, bytes);
            refused += usize::from(want.is_err());
            assert_eq!(backend.unpack_signers(n, bytes), want, "{n} entries from {bytes:?}");
        };
        for n in [0, 1, 2, 7, 8, 9, 15, 16, 17, 40] {
            for largest in [0, 1, 2, 3, 5, 9, 100, 255] {
                let packed = twin::pack(&vector(&mut rng, n, largest));
                for length in 0..packed.len() {
                    check(n, &packed[..length]);
                }
                for bit in 0..8 * packed.len() {
                    let mut spoilt = packed.clone();
                    spoilt[bit / 8] ^= 1 << (bit % 8);
                    check(n, &spoilt);
                }
                for width in 0..=255 {
                    let mut spoilt = packed.clone();
                    spoilt[0] = width;
                    check(n, &spoilt);
                }
                for other in [0, n.saturating_sub(1), n + 1, n + 8] {
                    check(other, &packed);
                }
                check(n, &[packed.as_slice(), &[0]].concat());
                let mut ones = packed.clone();
                ones[1..].fill(0xff);
                check(n, &ones);
            }
        }
        for _ in 0..20_000 {
            let mut bytes = vec![0; rng.random_range(1..8)];
            rng.fill_bytes(&mut bytes);
            bytes[0] %= 10;
            check(rng.random_range(0..20), &bytes);
        }
    }
    assert!(refused > 10_000, "{refused}");
}
