//! Keccak and tags.

use super::functions as twin;
use super::rig::{Rig, SEEDS, expected_tag};
use crate::gpu::card::Kernel;
use crate::gpu::start::Start;
use crate::oracle;
use crate::testing::rng;
use rand::RngCore;

/// Bytes as words; the rest of the last word is filled with ones.
pub(super) fn words_of(bytes: &[u8]) -> Vec<u32> {
    let word = |chunk: &[u8]| {
        let mut word = [0xff; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u32::from_le_bytes(word)
    };
    bytes.chunks(4).map(word).collect()
}

#[test]
fn keccak_of_every_length() {
    let mut rng = rng(7);
    for bytes in 0..=600 {
        let mut message = vec![0; bytes];
        rng.fill_bytes(&mut message);
        let digest = twin::keccak(&words_of(&message), bytes);
        assert_eq!(words_of(&oracle::digest(&message).0), digest, "{bytes} bytes");
    }
}

#[test]
fn tags_are_as_the_contract_says() {
    let round = |h: u32, word: u32| {
        let h = (h ^ word).wrapping_mul(0x9e37_79b1);
        h ^ (h >> 15)
    };
    let seed = 5 ^ 3u32.wrapping_mul(0x85eb_ca6b);
    assert_eq!(twin::tag(5, 3, &[]), seed);
    assert_eq!(twin::tag(5, 3, &[9, u32::MAX]), round(round(seed, 9), u32::MAX));
}

/// Messages of these lengths with junk between them, and their spans.
fn messages(lengths: impl Iterator<Item = usize>) -> (Vec<Vec<u8>>, Vec<u32>, Vec<u32>) {
    let mut rng = rng(8);
    let (mut texts, mut words, mut spans) = (vec![], vec![], vec![]);
    for length in lengths {
        let mut text = vec![0; length];
        rng.fill_bytes(&mut text);
        spans.extend([words.len() as u32, length as u32]);
        words.extend(words_of(&text));
        words.push(rng.next_u32());
        texts.push(text);
    }
    (texts, words, spans)
}

#[test]
fn messages_by_their_spans() {
    let lengths = (0..=600).chain([1087, 1088, 1089, 5000, 0]);
    let (texts, words_of_all, spans_of) = messages(lengths);
    let mut rig = Rig::new(&Start::random());
    let (words, spans) = (rig.filled(&words_of_all), rig.filled(&spans_of));
    // Row length, place of the digest, whether a tag is behind it.
    for (row, at, tag) in [(8, 0, 0), (25, 0, 0), (10, 0, 1), (17, 5, 1), (13, 5, 0)] {
        let answers = rig.buffer(row * texts.len());
        let params = [0, 0, row as u32, at as u32, tag];
        rig.launch(Kernel::KeccakMessages, texts.len(), &[&words, &spans, &answers], &params);
        for (item, (got, text)) in rig.read(&answers).chunks_exact(row).zip(&texts).enumerate() {
            let digest = words_of(&oracle::digest(text).0);
            let mut expected = vec![0xdead_beef; row];
            expected[at..at + 8].copy_from_slice(&digest);
            if tag == 1 {
                let (first, length) = (spans_of[2 * item] as usize, spans_of[2 * item + 1]);
                let asked = &words_of_all[first..][..(length as usize).div_ceil(4)];
                let covered = [&[length], asked, &digest].concat();
                let tags = SEEDS.map(|seed| expected_tag(seed, item as u32, &covered));
                expected[at + 8..at + 10].copy_from_slice(&tags);
            }
            assert_eq!(got, expected, "{} bytes, rows of {row}", text.len());
        }
    }
}
