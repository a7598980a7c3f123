//! Signatures good and bad, and their rows.

use super::rig::bytes_as_words;
use crate::ops::{PublicKey, Signed};
use crate::secp::order::N;
use crate::testing::{big, power, random, rng};
use num_bigint::BigUint;
use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use vigil_crypto::SecretKey;
use vigil_primitives::Hash;

pub(super) fn n() -> BigUint {
    big(&N)
}

pub(super) fn p() -> BigUint {
    power(256) - power(32) - 977u16
}

/// 1 / x modulo n.
pub(super) fn inverse(x: &BigUint) -> BigUint {
    x.modpow(&(n() - 2u8), &n())
}

pub(super) fn to_be(number: &BigUint) -> [u8; 32] {
    let bytes = number.to_bytes_be();
    let mut all = [0; 32];
    all[32 - bytes.len()..].copy_from_slice(&bytes);
    all
}

/// Of a number from 1 to n - 1.
pub(super) fn secret(number: &BigUint) -> SecretKey {
    SecretKey::from_bytes(&to_be(number)).expect("a key")
}

pub(super) fn signed(z: &BigUint, r: &BigUint, s: &BigUint, v: u8) -> Signed {
    let mut signature = [v; 65];
    signature[..32].copy_from_slice(&to_be(r));
    signature[32..64].copy_from_slice(&to_be(s));
    Signed { digest: Hash::from(to_be(z)), signature }
}

/// z, r, s, v.
pub(super) fn parts(item: &Signed) -> (BigUint, BigUint, BigUint, u8) {
    let number = BigUint::from_bytes_be;
    (number(&item.digest.0), number(&item.signature[..32]), number(&item.signature[32..64]), item.signature[64])
}

/// The row of an item for `Mode::Recover`.
pub(super) fn row(item: &Signed) -> Vec<u32> {
    let mut row = bytes_as_words(&item.digest.0).to_vec();
    row.extend(bytes_as_words(&item.signature[..32]));
    row.extend(bytes_as_words(&item.signature[32..64]));
    row.push(item.signature[64].into());
    row
}

/// The row of an item and the key that is said to have signed it.
pub(super) fn row_with_key(item: &Signed, key: &PublicKey) -> Vec<u32> {
    let mut row = row(item);
    row.extend(bytes_as_words(&key.0[..32]));
    row.extend(bytes_as_words(&key.0[32..]));
    row
}

/// The row of an item and the number of a table.
pub(super) fn row_with_table(item: &Signed, table: u32) -> Vec<u32> {
    let mut row = row(item);
    row.push(table);
    row
}

/// Good signatures by this key.
pub(super) fn good(key: &SecretKey, count: usize, rng: &mut ChaCha8Rng) -> Vec<Signed> {
    let sign = |_| {
        let mut digest = [0; 32];
        rng.fill_bytes(&mut digest);
        let digest = Hash::from(digest);
        Signed { digest, signature: *key.sign(&digest).0.first_chunk().expect("65 bytes") }
    };
    (0..count).map(sign).collect()
}

/// Good forms whose story is an edge: digests of 0, n and more, s at its limits, small r, another v.
pub(super) fn odd(from: &[Signed]) -> Vec<Signed> {
    let (n, one) = (n(), BigUint::from(1u8));
    let mut items = vec![];
    for item in from {
        let (z, r, s, v) = parts(item);
        for z in [BigUint::ZERO, one.clone(), &n - 1u8, n.clone(), &n + 1u8, power(256) - 1u8] {
            items.push(signed(&z, &r, &s, v));
        }
        for s in [one.clone(), BigUint::from(2u8), &n >> 1] {
            items.push(signed(&z, &r, &s, v));
        }
        items.push(signed(&z, &r, &s, 1 - v));
    }
    // About half of these r are no x of a point; of some that are none, r + n is one.
    items.extend((1u8..60).flat_map(|r| (0..2).map(move |v| signed(&power(77), &r.into(), &power(9), v))));
    items.extend((1u8..20).map(|d| signed(&power(77), &(&n - d), &power(9), 0)));
    items
}

/// Malformed, each in one way.
pub(super) fn malformed(item: &Signed) -> Vec<Signed> {
    let (z, r, s, v) = parts(item);
    let (n, zero, end) = (n(), BigUint::ZERO, power(256) - 1u8);
    let mut items = vec![];
    for bad in [&zero, &n, &(&n + 1u8), &p(), &(&r + power(255)).max(n.clone()).min(end.clone()), &end] {
        items.push(signed(&z, bad, &s, v));
    }
    for bad in [&zero, &(&n - &s), &((&n >> 1) + 1u8), &(&n - 1u8), &n, &(&n + &zero + 1u8), &end] {
        items.push(signed(&z, &r, bad, v));
    }
    items.extend([2, 3, 27, 28, 255].map(|v| signed(&z, &r, &s, v)));
    items
}

/// A point that a random number of times is G, and that number.
pub(super) fn random_point(rng: &mut ChaCha8Rng) -> (BigUint, PublicKey) {
    let k = big(&random(rng)) % n();
    let key = secret(&k).public_key();
    (k, key)
}

/// x and y.
pub(super) fn coordinates(key: &PublicKey) -> (BigUint, BigUint) {
    (BigUint::from_bytes_be(&key.0[..32]), BigUint::from_bytes_be(&key.0[32..]))
}

pub(super) fn key_of(x: &BigUint, y: &BigUint) -> PublicKey {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&to_be(x));
    bytes[32..].copy_from_slice(&to_be(y));
    PublicKey(bytes)
}

/// Whether y is odd.
pub(super) fn parity(y: &BigUint) -> u8 {
    y.bit(0).into()
}

/// The seed's generator, said aloud.
pub(super) fn numbers(seed: u64) -> ChaCha8Rng {
    rng(seed)
}
