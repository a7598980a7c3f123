//! Keccak and tags.

use super::functions as twin;
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
