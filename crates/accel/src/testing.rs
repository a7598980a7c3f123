//! Numbers and guardians for tests, and arithmetic too plain to be wrong.

use crate::checkpoint::GuardianKeys;
use num_bigint::BigUint;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use vigil_crypto::bls;

/// A generator; the seed is printed.
pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    eprintln!("seed {seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

pub(crate) fn big(words: &[u64]) -> BigUint {
    words.iter().rev().fold(BigUint::ZERO, |sum, word| (sum << 64) + word)
}

/// 2^bits
pub(crate) fn power(bits: u32) -> BigUint {
    BigUint::from(1u8) << bits
}

/// The words of a number below 2^256.
pub(crate) fn words(number: &BigUint) -> [u64; 4] {
    let mut digits = number.to_u64_digits();
    assert!(digits.len() <= 4, "{number} has at most 256 bits");
    digits.resize(4, 0);
    [digits[0], digits[1], digits[2], digits[3]]
}

pub(crate) fn random(rng: &mut ChaCha8Rng) -> [u64; 4] {
    std::array::from_fn(|_| rng.next_u64())
}

/// Random words of which many are all ones, all zeros, or runs of either.
pub(crate) fn lopsided(rng: &mut ChaCha8Rng) -> [u64; 4] {
    std::array::from_fn(|_| match rng.next_u32() % 6 {
        0 => 0,
        1 => u64::MAX,
        2 => u64::MAX << (rng.next_u32() % 64),
        3 => u64::MAX >> (rng.next_u32() % 64),
        4 => 1 << (rng.next_u32() % 64),
        _ => rng.next_u64(),
    })
}

/// Numbers below 2^256 at which arithmetic modulo `modulus` (close below 2^256) is likely to be wrong.
pub(crate) fn edges(modulus: [u64; 4]) -> Vec<[u64; 4]> {
    let (m, end) = (big(&modulus), power(256));
    let mut numbers = vec![];
    for near in [BigUint::ZERO, m.clone(), &m >> 1, &end - &m, &m - (&end - &m), end.clone()] {
        for offset in 0..4u8 {
            numbers.extend([&near + offset, &end + &near - offset]);
        }
    }
    for bits in (1..256).filter(|bits| bits % 32 < 2 || bits % 52 < 2 || *bits > 250) {
        numbers.extend([
            power(bits) - 1u8,
            power(bits),
            power(bits) + 1u8,
            &end - power(bits),
            &end + &m - power(bits),
        ]);
    }
    let mut words: Vec<_> = numbers.into_iter().map(|number| words(&(number % &end))).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// `edges`, then as many lopsided and random numbers as asked.
pub(crate) fn numbers(modulus: [u64; 4], seed: u64, more: usize) -> Vec<[u64; 4]> {
    let mut rng = rng(seed);
    let mut numbers = edges(modulus);
    for _ in 0..more {
        numbers.extend([lopsided(&mut rng), random(&mut rng)]);
    }
    numbers
}

/// So many guardians, always the same.
pub(crate) fn guardians(n: u64) -> (Arc<GuardianKeys>, Vec<bls::SecretKey>) {
    let secret = |at: u64| {
        let mut bytes = [9; 32];
        bytes[..8].copy_from_slice(&at.to_be_bytes());
        bls::SecretKey::from_bytes(&bytes).expect("below the order")
    };
    let secrets: Vec<_> = (0..n).map(secret).collect();
    let keys: Vec<_> = secrets.iter().map(bls::SecretKey::public_key).collect();
    (Arc::new(GuardianKeys::new(&keys)), secrets)
}
