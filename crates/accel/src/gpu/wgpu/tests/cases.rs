//! Signatures of all kinds, with the codes of the answers to them.

use crate::ops::{Claim, PublicKey, SignatureError, Signed};
use crate::oracle;
use crate::secp::order::{N, Order};
use crate::testing::{big, edges, words};
use crate::words::to_be;
use num_bigint::BigUint;
use vigil_crypto::{SecretKey, keccak256};
use vigil_primitives::Hash;

const P: [u64; 4] = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];
pub(super) const GOOD: u32 = 0;
pub(super) const MALFORMED: u32 = 1;
pub(super) const UNKNOWN: u32 = 2;
pub(super) const WRONG_KEY: u32 = 3;

pub(super) fn number(n: u64) -> Order {
    Order::reduce([n, 0, 0, 0])
}

pub(super) fn secret(key: Order) -> SecretKey {
    SecretKey::from_bytes(&to_be(key.words())).expect("not 0")
}

/// Keys of honest signers.
pub(super) fn key(i: usize) -> SecretKey {
    SecretKey::from_bytes(&keccak256(i.to_be_bytes()).0).expect("a key")
}

pub(super) fn signed(digest: [u8; 32], r: [u64; 4], s: [u64; 4], v: u8) -> Signed {
    let mut signature = [0; 65];
    signature[..32].copy_from_slice(&to_be(r));
    signature[32..64].copy_from_slice(&to_be(s));
    signature[64] = v;
    Signed { digest: Hash::from(digest), signature }
}

pub(super) fn honest(i: usize, digest: [u8; 32]) -> Claim {
    let signature = key(i).sign(&Hash::from(digest));
    let signature = signature.0[..].try_into().expect("65 bytes");
    Claim { signed: Signed { digest: Hash::from(digest), signature }, key: key(i).public_key() }
}

/// Honest signatures, also of digests at the edges of n.
pub(super) fn honest_claims() -> Vec<Claim> {
    let digests = edges(N).into_iter().map(to_be).chain((0..60u64).map(|i| keccak256(i.to_le_bytes()).0));
    digests.enumerate().map(|(i, digest)| honest(i % 7, digest)).collect()
}

/// Numbers r and s that nobody chose by signing: 1, 2, 3, ... and the largest that are allowed.
pub(super) fn unusual() -> Vec<Signed> {
    let half = words(&(big(&N) >> 1));
    let mut all = vec![];
    for i in 1..40u64 {
        let low = |n: u64| [n, 0, 0, 0];
        let r = if i % 3 == 0 { words(&(big(&N) - i)) } else { low(i) };
        let s = if i % 2 == 0 { words(&(big(&half) - (i / 2 - 1))) } else { low(i) };
        all.push(signed(keccak256(i.to_be_bytes()).0, r, s, (i % 2) as u8));
    }
    all
}

/// Signatures that break a rule of form, and what they become if one part is good.
pub(super) fn malformed() -> Vec<Signed> {
    let good = honest(0, [5; 32]).signed;
    let (n, p) = (big(&N), big(&P));
    let mut all = vec![];
    for value in [words(&n), words(&(&n + 1u8)), words(&p), [u64::MAX; 4], [0; 4]] {
        for place in [0, 32] {
            let mut bad = good;
            bad.signature[place..place + 32].copy_from_slice(&to_be(value));
            all.push(bad);
        }
    }
    for high in [words(&((&n >> 1) + 1u8)), words(&(&n - 1u8)), [0, 0, 0, 1 << 63]] {
        let mut bad = good;
        bad.signature[32..64].copy_from_slice(&to_be(high));
        all.push(bad);
    }
    for v in [2, 3, 27, 28, 255] {
        let mut bad = good;
        bad.signature[64] = v;
        all.push(bad);
    }
    all
}

/// Signatures with the nonce k whose sum for recovery is the point at infinity.
pub(super) fn of_nobody(k: u64, i: usize) -> Signed {
    let point = secret(number(k)).public_key().to_words();
    let digest = keccak256(i.to_be_bytes());
    let s = Order::from_digest(&digest).mul(number(k).invert());
    let (negated, s) = s.halved();
    signed(digest.0, [point[0], point[1], point[2], point[3]], s, u8::from((point[4] & 1 == 1) ^ negated))
}

/// A claim whose sum for checking is the point at infinity: z = -r key.
pub(super) fn nowhere(i: usize) -> Claim {
    let log = number(1000 + i as u64);
    let digest = keccak256(i.to_be_bytes());
    let r = Order::from_digest(&digest).mul(log.invert()).neg();
    Claim { signed: signed(digest.0, r.words(), [1 + i as u64, 0, 0, 0], 0), key: secret(log).public_key() }
}

/// Who signed, with the codes.
pub(super) fn recoveries() -> Vec<(Signed, u32)> {
    let by_oracle = |signed: Signed| {
        let code = if oracle::recover(&signed).is_ok() { GOOD } else { MALFORMED };
        (signed, code)
    };
    let mut items: Vec<_> = honest_claims().into_iter().map(|claim| (claim.signed, GOOD)).collect();
    items.extend(unusual().into_iter().map(by_oracle));
    items.extend(malformed().into_iter().map(by_oracle));
    items.extend((0..5).map(|i| (of_nobody(79 + i as u64, i), UNKNOWN)));
    for code in [GOOD, MALFORMED, UNKNOWN] {
        assert!(items.iter().filter(|item| item.1 == code).count() > 4, "some of code {code}");
    }
    items
}

/// Claims of keys with tables, with the codes: those of the keys 0 to 6 in turn, then `nowhere` ones.
pub(super) fn claims() -> Vec<(Claim, u32)> {
    let honest = honest_claims();
    let mut claims: Vec<_> = honest.iter().map(|claim| (*claim, GOOD)).collect();
    for (i, claim) in honest.iter().enumerate().take(60) {
        let mut wrong = *claim;
        match i % 4 {
            0 => wrong.signed.digest.0[i % 32] ^= 1 << (i % 8),
            1 => wrong.signed.signature[64] ^= 1,
            2 => wrong.signed.signature[31] ^= 1,
            _ => wrong.key = key((i + 1) % 7).public_key(),
        }
        claims.push((wrong, WRONG_KEY));
    }
    claims.extend(unusual().into_iter().map(|signed| (Claim { signed, key: key(3).public_key() }, WRONG_KEY)));
    let form = |signed: Signed| {
        let claim = Claim { signed, key: key(0).public_key() };
        let code = match oracle::verify(&claim) {
            Ok(()) => GOOD,
            Err(SignatureError::WrongKey) => WRONG_KEY,
            Err(_) => MALFORMED,
        };
        (claim, code)
    };
    claims.extend(malformed().into_iter().map(form));
    claims.extend((0..3).map(|i| (nowhere(i), UNKNOWN)));
    for (claim, code) in &claims {
        assert_eq!(oracle::verify(claim).is_ok(), *code == GOOD, "{claim:?}");
    }
    claims
}

/// Keys that are no points: also points with p + x for x, which is a number below 2^256.
pub(super) fn off_curve() -> Vec<Claim> {
    let claim = honest(1, [9; 32]);
    let p = big(&P);
    let mut keys = vec![PublicKey([0; 64]), PublicKey([0xff; 64])];
    for (place, bit) in [(0, 1), (31, 128), (32, 1), (63, 1)] {
        let mut key = claim.key;
        key.0[place] ^= bit;
        keys.push(key);
    }
    for x in 1..20u8 {
        let y = (big(&[u64::from(x).pow(3) + 7, 0, 0, 0])).modpow(&((&p + 1u8) >> 2), &p);
        let number = |number: &BigUint| to_be(words(number));
        let key = |x: BigUint| PublicKey([number(&x), number(&y)].concat().try_into().expect("64 bytes"));
        // Half of the small numbers are no x of a point: both keys are none then.
        let [small, large] = [x.into(), &p + x].map(key);
        keys.push(large);
        let is_point = &y * &y % &p == BigUint::from(u32::from(x).pow(3) + 7);
        if !is_point {
            keys.push(small);
        }
    }
    keys.into_iter().map(|key| Claim { key, ..claim }).collect()
}
