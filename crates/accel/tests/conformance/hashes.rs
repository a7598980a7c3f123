//! Keccak-256 of messages of every length, in every lane.

use crate::judge::one_in;
use crate::make;
use rand_chacha::rand_core::RngCore;
use vigil_accel::{Backend, oracle};
use vigil_primitives::Hash;
use vigil_testkit::signatures::keccak_known_answers;
use vigil_testkit::vectors::{self, array, hex_at, string};

/// Lanes that any backend may have: every message is tried in each.
const LANES: usize = 16;

fn check(backend: &dyn Backend, messages: &[&[u8]], right: &[Hash]) {
    let mut got = vec![Hash::repeat_byte(0xee); messages.len()];
    backend.keccak256(messages, &mut got);
    for (i, message) in messages.iter().enumerate() {
        let (name, n) = (backend.name(), messages.len());
        assert_eq!(got[i], right[i], "{name}: message {i} of {n}, {} bytes: {}", message.len(), Hash::from(right[i]));
    }
}

fn check_by_oracle(backend: &dyn Backend, messages: &[&[u8]]) {
    let right: Vec<_> = messages.iter().map(|message| oracle::digest(message)).collect();
    check(backend, messages, &right);
}

fn random_bytes(n: usize) -> Vec<u8> {
    let mut bytes = vec![0; n];
    make::rng(0x6b65_6363).fill_bytes(&mut bytes);
    bytes
}

/// The answers of the files, alone and in every lane.
pub(crate) fn known_answers(backend: &dyn Backend) {
    let mut cases = vec![
        (Vec::new(), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470".parse::<Hash>().expect("hex")),
        (b"abc".to_vec(), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45".parse().expect("hex")),
    ];
    let answers = keccak_known_answers().unwrap_or_default();
    cases.extend(answers.into_iter().map(|case| (case.message, Hash::from(case.digest))));
    if let Some(file) = vectors::json("ethers-signed-tx/hashes.json") {
        let known = file.as_array().expect("an array").iter();
        cases.extend(known.map(|case| (hex_at(case, "data"), Hash::from_slice(&hex_at(case, "keccak256")))));
    }
    if let Some(file) = vectors::json("ledger/crypto.json") {
        let known = array(&file, "keccak256").iter();
        cases.extend(known.map(|case| (string(case, "message_text").into(), Hash::from_slice(&hex_at(case, "hash")))));
    }
    let messages: Vec<&[u8]> = cases.iter().map(|(message, _)| message.as_slice()).collect();
    let right: Vec<_> = cases.iter().map(|(_, digest)| *digest).collect();
    messages.iter().zip(&right).for_each(|(message, digest)| check(backend, &[*message], &[*digest]));
    for ahead in 0..LANES {
        let messages = [vec![b"".as_slice(); ahead], messages.clone()].concat();
        check(backend, &messages, &[vec![right[0]; ahead], right.clone()].concat());
    }
}

/// All lengths up to 1,000: each alone, in batches of one length, and next to each other; at odd addresses.
pub(crate) fn every_length(backend: &dyn Backend) {
    let bytes = random_bytes(4_096);
    let rising: Vec<_> = (0..=1_000).map(|n| &bytes[n % 61..n % 61 + n]).collect();
    let falling: Vec<_> = rising.iter().rev().copied().collect();
    check_by_oracle(backend, &rising);
    check_by_oracle(backend, &falling);
    for (n, message) in rising.iter().enumerate() {
        check_by_oracle(backend, &[*message]);
        let same: Vec<_> = (0..LANES + n % 5).map(|i| &bytes[7 * i..7 * i + n]).collect();
        check_by_oracle(backend, &same);
        // A message that ends where its memory ends.
        check_by_oracle(backend, &[message.to_vec().into_boxed_slice().as_ref(), &bytes[..n]]);
    }
}

/// One message that differs in length from its neighbours, in every lane; and random lengths.
pub(crate) fn mixed_lengths(backend: &dyn Backend) {
    let bytes = random_bytes(20_000);
    let lengths = [0, 1, 7, 8, 31, 32, 55, 64, 134, 135, 136, 137, 271, 272, 273, 407, 408, 409, 532, 1_088, 10_000];
    for others in lengths {
        for odd in lengths {
            for lane in (0..LANES).step_by(one_in(3)) {
                let length = |i: usize| if i == lane { odd } else { others };
                let messages: Vec<_> = (0..LANES).map(|i| &bytes[i..i + length(i)]).collect();
                if others + odd < 2_000 || lane % 5 == 0 {
                    check_by_oracle(backend, &messages);
                }
            }
        }
    }
    let rng = &mut make::rng(0x6d69_7865);
    let rounds = if vectors::long() { 1_000 } else { 20 };
    for round in 0..rounds {
        let n = rng.next_u32() as usize % 1_500;
        let longest = [33, 136, 137, 700, 3_000][round % 5];
        let mut message = || (rng.next_u32() as usize % 5_000, rng.next_u32() as usize % longest);
        let places: Vec<_> = (0..n).map(|_| message()).collect();
        check_by_oracle(backend, &places.iter().map(|(from, n)| &bytes[*from..from + n]).collect::<Vec<_>>());
    }
}

/// Every size of a batch, of short, of one-block and of longer messages.
pub(crate) fn batch_sizes(backend: &dyn Backend) {
    let bytes = random_bytes(10_000);
    for length in [0, 20, 32, 64, 135, 136, 200, 532] {
        for n in (0..=70).chain([127, 128, 129, 1_000, 4_097]) {
            let messages: Vec<_> = (0..n).map(|i| &bytes[i..i + length]).collect();
            check_by_oracle(backend, &messages);
        }
    }
}
