//! Keccak-256 and signer vectors.

use super::cards::on_all;
use super::work::{Bench, SEEDS, bytes, packed, untagged};
use crate::gpu::card::{Kernel, PARAMS};
use crate::oracle;
use crate::testing::rng;
use rand::RngCore;
use vigil_crypto::SecretKey;

/// Messages of all lengths from 0 to 600, each at a whole word, with rubbish between them; and the spans.
fn messages() -> (Vec<Vec<u8>>, Vec<u32>, Vec<u32>) {
    let mut rng = rng(50);
    let (mut all, mut words, mut spans) = (vec![], vec![], vec![]);
    for length in (0..=600).rev() {
        let mut message = vec![0; length];
        rng.fill_bytes(&mut message);
        let mut padded = message.clone();
        padded.resize(length.next_multiple_of(4) + 4 * (length % 3), 0xff);
        spans.extend([words.len() as u32, length as u32]);
        words.extend(packed(&padded));
        all.push(message);
    }
    (all, words, spans)
}

#[test]
fn hashes_are_right() {
    let (messages, all_words, all_spans) = messages();
    on_all(|card, arithmetic| {
        let mut bench = Bench::new(card, &SecretKey::from_bytes(&[1; 32]).expect("a key"));
        let (words, spans) = (bench.room(&all_words), bench.room(&all_spans));
        for (width, place, tagged) in [(8, 0, false), (10, 0, true), (25, 3, false), (13, 2, true)] {
            let answers = bench.room(&vec![7; messages.len() * width]);
            let mut params = [0; PARAMS];
            params[0] = messages.len() as u32;
            params[3..6].copy_from_slice(&[width as u32, place as u32, u32::from(tagged)]);
            [params[14], params[15]] = SEEDS;
            bench.launch(Kernel::KeccakMessages, messages.len(), &[&words, &spans, &answers], params);
            let answers = bench.read(&answers);
            for (i, (message, row)) in messages.iter().zip(answers.chunks(width)).enumerate() {
                let written = if tagged { 10 } else { 8 };
                let (before, rest) = row.split_at(place);
                let (answer, behind) = rest.split_at(written);
                assert!(before.iter().chain(behind).all(|word| *word == 7), "message {i}, {width} words a row");
                let (first, length) = (all_spans[2 * i] as usize, all_spans[2 * i + 1]);
                let covered = [&[length], &all_words[first..][..(length as usize).div_ceil(4)]].concat();
                let digest = if tagged { untagged(i as u32, &covered, answer) } else { answer.to_vec() };
                assert_eq!(bytes(&digest), oracle::digest(message).0, "message {i} with {arithmetic:?}");
            }
        }
    });
}

#[test]
fn weighted_sums_are_right() {
    let mut rng = rng(51);
    for (guardians, vectors, largest) in [(1, 1, false), (37, 5, false), (130, 300, false), (3, 65_536, true)] {
        let stride = usize::div_ceil(guardians, 4) + 1;
        let mut entries = vec![0; vectors * stride * 4];
        rng.fill_bytes(&mut entries);
        let mut weights: Vec<u64> = (0..vectors).map(|_| rng.next_u64()).collect();
        if largest {
            entries.fill(0xff);
            weights.fill(u64::MAX);
        }
        let sum = |i: usize| -> u128 {
            weights
                .iter()
                .zip(entries.chunks(stride * 4))
                .map(|(weight, entries)| u128::from(*weight) * u128::from(entries[i]))
                .sum()
        };
        let want: Vec<u128> = (0..guardians).map(sum).collect();
        let weight_words: Vec<u32> = super::work::halves(&weights).collect();
        on_all(|card, arithmetic| {
            let mut bench = Bench::new(card, &SecretKey::from_bytes(&[1; 32]).expect("a key"));
            let (entries, weights) = (bench.room(&packed(&entries)), bench.room(&weight_words));
            let answers = bench.room(&vec![0; guardians * 6]);
            let mut params = [0; PARAMS];
            params[..4].copy_from_slice(&[guardians as u32, 0, vectors as u32, stride as u32]);
            [params[14], params[15]] = SEEDS;
            bench.launch(Kernel::SignerSums, guardians, &[&entries, &weights, &answers], params);
            for (i, row) in bench.read(&answers).chunks(6).enumerate() {
                let words = untagged(i as u32, &[], row);
                let sum = words.iter().rev().fold(0, |sum, word| sum << 32 | u128::from(*word));
                assert_eq!(sum, want[i], "guardian {i} of {guardians}, {vectors} vectors, {arithmetic:?}");
            }
        });
    }
}
