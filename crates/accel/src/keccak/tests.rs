//! Every width against the judge, which is `vigil-crypto`.

use super::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vigil_crypto::keccak256;
use vigil_primitives::Hash;
use vigil_testkit::vectors::{self, array, hex_at, string, unhex};

type Batch = fn(&[&[u8]], &mut [Hash]);

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

/// What this machine can run, by name.
fn widths() -> Vec<(&'static str, Batch)> {
    let mut widths: Vec<(&str, Batch)> = vec![("plain", batch_plain)];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: just asked.
        widths.push(("x4", |messages, out| unsafe { batch_x4(messages, out) }));
    }
    #[cfg(target_arch = "x86_64")]
    if has_avx512() {
        // SAFETY: just asked.
        widths.push(("x8", |messages, out| unsafe { batch_x8(messages, out) }));
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("neon") {
        // SAFETY: just asked.
        widths.push(("x2", |messages, out| unsafe { batch_x2(messages, out) }));
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("sha3") {
        // SAFETY: just asked.
        widths.push(("x2 with sha3", |messages, out| unsafe { batch_x2_sha3(messages, out) }));
    }
    widths
}

/// Hashes the messages with every width and compares.
fn check(messages: &[Vec<u8>], what: &str) {
    let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let wanted: Vec<Hash> = messages.iter().map(keccak256).collect();
    for (width, batch) in widths() {
        let mut out = vec![Hash::ZERO; messages.len()];
        batch(&slices, &mut out);
        for (i, (got, wanted)) in out.iter().zip(&wanted).enumerate() {
            assert_eq!(got, wanted, "{what}: width {width}, message {i} of {} bytes", messages[i].len());
        }
    }
}

fn message(rng: &mut ChaCha8Rng, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rng.fill(&mut bytes[..]);
    bytes
}

#[test]
fn every_length_alone_and_in_every_number() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for len in 0..=600 {
        for count in [1, 2, 3, 8, 9] {
            let messages: Vec<_> = (0..count).map(|_| message(&mut rng, len)).collect();
            check(&messages, "one length");
        }
    }
}

#[test]
fn mixed_lengths() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for round in 0..400 {
        let longest = [16, 135, 300, 700, 5_000][round % 5];
        let messages: Vec<_> = (0..rng.random_range(0..=100))
            .map(|_| {
                let len = rng.random_range(0..=longest);
                message(&mut rng, len)
            })
            .collect();
        check(&messages, "seed 2, mixed lengths");
    }
}

/// A message that differs from all others, at each position of a vector and beyond.
#[test]
fn every_position_is_its_own() {
    for len in [0, 1, 32, 63, 64, 65, 127, 128, 129, 134, 135, 136, 137, 271, 272, 532] {
        for count in 1..=17 {
            for position in 0..count {
                let mut messages = vec![vec![0x5a; len]; count];
                messages[position] = vec![0xc3; (len + position) % 600];
                check(&messages, "one differs");
            }
        }
    }
}

/// Bytes beyond the ends of a message, and where it lies, change nothing.
#[test]
fn neighbours_and_alignment_do_not_matter() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let memory = message(&mut rng, 4_096);
    for len in [0, 1, 31, 63, 64, 100, 127, 128, 135, 136, 200, 272] {
        let slices: Vec<&[u8]> = (0..64).map(|start| &memory[start..start + len]).collect();
        let ends: Vec<&[u8]> = (0..64).map(|skip| &memory[memory.len() - len - skip..memory.len() - skip]).collect();
        for (width, batch) in widths() {
            for set in [&slices, &ends] {
                let mut out = vec![Hash::ZERO; set.len()];
                batch(set, &mut out);
                for (message, got) in set.iter().zip(&out) {
                    assert_eq!(*got, keccak256(message), "seed 3, width {width}, {len} bytes");
                }
            }
        }
    }
}

#[test]
fn known_answers() {
    let mut checked = 0;
    for file in ["ShortMsgKAT_256.txt", "LongMsgKAT_256.txt"] {
        let Some(text) = vectors::text(&format!("keccak/{file}")) else { return };
        let (mut bits, mut messages, mut digests) = (0, Vec::new(), Vec::new());
        for line in text.lines() {
            match line.split_once(" = ") {
                Some(("Len", n)) => bits = n.trim().parse::<usize>().unwrap(),
                Some(("Msg", hex)) if bits % 8 == 0 => messages.push(unhex(hex.trim())[..bits / 8].to_vec()),
                Some(("MD", hex)) if bits % 8 == 0 => digests.push(Hash::from_slice(&unhex(hex.trim()))),
                _ => {}
            }
        }
        assert_eq!(messages.len(), digests.len(), "{file}");
        checked += messages.len();
        check_answers(&messages, &digests, file);
    }
    assert!(checked > 150, "only {checked} byte-aligned cases found");
}

#[test]
fn ledger_answers() {
    let Some(file) = vectors::json("ledger/crypto.json") else { return };
    let cases = array(&file, "keccak256");
    let messages: Vec<_> = cases.iter().map(|case| string(case, "message_text").as_bytes().to_vec()).collect();
    let digests: Vec<_> = cases.iter().map(|case| Hash::from_slice(&hex_at(case, "hash"))).collect();
    check_answers(&messages, &digests, "ledger/crypto.json");
}

fn check_answers(messages: &[Vec<u8>], digests: &[Hash], what: &str) {
    let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    for (width, batch) in widths() {
        let mut out = vec![Hash::ZERO; messages.len()];
        batch(&slices, &mut out);
        assert_eq!(out, digests, "{what}, width {width}");
    }
}

/// Eight points as numbers, and their digests as the judge gives them.
fn points() -> ([[u64; 4]; 8], [[u64; 4]; 8], [Hash; 8]) {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (xs, ys): ([[u64; 4]; 8], [[u64; 4]; 8]) = rng.random();
    let bytes = |number: [u64; 4]| number.into_iter().rev().flat_map(u64::to_be_bytes);
    let digests = std::array::from_fn(|i| keccak256(bytes(xs[i]).chain(bytes(ys[i])).collect::<Vec<_>>()));
    (xs, ys, digests)
}

fn digest_bytes(words: [u64; 4]) -> Vec<u8> {
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

#[test]
fn plain_point() {
    let (xs, ys, digests) = points();
    for i in 0..8 {
        assert_eq!(digest_bytes(point_digest(xs[i], ys[i])), digests[i].to_vec(), "seed 4, point {i}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn points_in_vectors() {
    let (xs, ys, digests) = points();
    // SAFETY: asked before each call; arrays of words have no other form than the vectors.
    unsafe {
        use core::arch::x86_64::{__m256i, __m512i};
        use core::mem::transmute;
        for half in [0, 4] {
            let columns = |numbers: &[[u64; 4]; 8]| -> [[u64; 4]; 4] {
                std::array::from_fn(|word| std::array::from_fn(|lane| numbers[half + lane][word]))
            };
            if is_x86_feature_detected!("avx2") {
                let vectors = |numbers| transmute::<[[u64; 4]; 4], [__m256i; 4]>(columns(numbers));
                let got: [[u64; 4]; 4] = transmute::<[__m256i; 4], _>(point_digest_x4(vectors(&xs), vectors(&ys)));
                for lane in 0..4 {
                    let words = std::array::from_fn(|word| got[word][lane]);
                    assert_eq!(digest_bytes(words), digests[half + lane].to_vec(), "seed 4, point {}", half + lane);
                }
            }
        }
        if has_avx512() {
            let columns = |numbers: &[[u64; 4]; 8]| -> [[u64; 8]; 4] {
                std::array::from_fn(|word| std::array::from_fn(|lane| numbers[lane][word]))
            };
            let vectors = |numbers| transmute::<[[u64; 8]; 4], [__m512i; 4]>(columns(numbers));
            let got: [[u64; 8]; 4] = transmute::<[__m512i; 4], _>(point_digest_x8(vectors(&xs), vectors(&ys)));
            for lane in 0..8 {
                let words = std::array::from_fn(|word| got[word][lane]);
                assert_eq!(digest_bytes(words), digests[lane].to_vec(), "seed 4, point {lane}");
            }
        }
    }
}
