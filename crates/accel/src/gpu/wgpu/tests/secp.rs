//! Signatures, from rows to answers, against the oracle.

use super::cards::on_all;
use super::work::{Bench, Question, claim_row, packed, row, tables_of};
use crate::ops::{Claim, PublicKey, SignatureError, Signed};
use crate::oracle;
use crate::secp::digits::signed_digits;
use crate::secp::glv;
use crate::secp::order::{N, Order, Parsed};
use crate::testing::{big, edges, words};
use crate::words::to_be;
use num_bigint::BigUint;
use vigil_crypto::{SecretKey, keccak256};
use vigil_primitives::Hash;

const P: [u64; 4] = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];
const GOOD: u32 = 0;
const MALFORMED: u32 = 1;
const UNKNOWN: u32 = 2;
const WRONG_KEY: u32 = 3;

fn number(n: u64) -> Order {
    Order::reduce([n, 0, 0, 0])
}

fn secret(key: Order) -> SecretKey {
    SecretKey::from_bytes(&to_be(key.words())).expect("not 0")
}

/// Keys of honest signers.
fn key(i: usize) -> SecretKey {
    SecretKey::from_bytes(&keccak256(i.to_be_bytes()).0).expect("a key")
}

fn signed(digest: [u8; 32], r: [u64; 4], s: [u64; 4], v: u8) -> Signed {
    let mut signature = [0; 65];
    signature[..32].copy_from_slice(&to_be(r));
    signature[32..64].copy_from_slice(&to_be(s));
    signature[64] = v;
    Signed { digest: Hash::from(digest), signature }
}

fn honest(i: usize, digest: [u8; 32]) -> Claim {
    let signature = key(i).sign(&Hash::from(digest));
    let signature = signature.0[..].try_into().expect("65 bytes");
    Claim { signed: Signed { digest: Hash::from(digest), signature }, key: key(i).public_key() }
}

/// Honest signatures, also of digests at the edges of n.
fn honest_claims() -> Vec<Claim> {
    let digests = edges(N).into_iter().map(to_be).chain((0..60u64).map(|i| keccak256(i.to_le_bytes()).0));
    digests.enumerate().map(|(i, digest)| honest(i % 7, digest)).collect()
}

/// Numbers r and s that nobody chose by signing: 1, 2, 3, ... and the largest that are allowed.
fn unusual() -> Vec<Signed> {
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
fn malformed() -> Vec<Signed> {
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
fn of_nobody(k: u64, i: usize) -> Signed {
    let point = secret(number(k)).public_key().to_words();
    let digest = keccak256(i.to_be_bytes());
    let s = Order::from_digest(&digest).mul(number(k).invert());
    let (negated, s) = s.halved();
    signed(digest.0, [point[0], point[1], point[2], point[3]], s, u8::from((point[4] & 1 == 1) ^ negated))
}

/// A claim whose sum for checking is the point at infinity: z = -r key.
fn nowhere(i: usize) -> Claim {
    let log = number(1000 + i as u64);
    let digest = keccak256(i.to_be_bytes());
    let r = Order::from_digest(&digest).mul(log.invert()).neg();
    Claim { signed: signed(digest.0, r.words(), [1 + i as u64, 0, 0, 0], 0), key: secret(log).public_key() }
}

/// Who signed, with the codes.
fn recoveries() -> Vec<(Signed, u32)> {
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

fn check_recovery(items: &[(Signed, u32)], start: &SecretKey, inverters: u32) {
    let rows: Vec<_> = items.iter().map(|(signed, _)| row(signed)).collect();
    on_all(|card, arithmetic| {
        let mut bench = Bench::new(card, start);
        let full = bench.secp(Question::WhoSigned, &rows, &[], inverters);
        let short = bench.secp(Question::SignerWord, &rows, &[], inverters);
        for (i, (signed, code)) in items.iter().enumerate() {
            let mut want = vec![*code];
            match oracle::recover(signed) {
                Ok(signer) if *code == GOOD => {
                    want.extend(packed(&signer.address.0[..]).into_iter().chain(packed(&signer.key.0)));
                }
                answer => {
                    assert!(*code == UNKNOWN || answer.is_err(), "item {i} is good");
                    want.resize(22, 0);
                }
            }
            assert_eq!(full[i], want, "item {i}, {signed:?}, {arithmetic:?}");
            assert_eq!(short[i], want[..2], "item {i}, {signed:?}, {arithmetic:?}");
        }
    });
}

/// Claims of keys with tables, with the codes: those of the keys 0 to 6 in turn, then `nowhere` ones.
fn claims() -> Vec<(Claim, u32)> {
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
fn off_curve() -> Vec<Claim> {
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

fn check_claims(question: Question, claims: &[(Claim, u32)], start: &SecretKey, inverters: u32) {
    let mut keys: Vec<PublicKey> = vec![];
    let mut rows = vec![];
    for (claim, _) in claims {
        rows.push(if question == Question::DidTable {
            let table = keys.iter().position(|key| *key == claim.key).unwrap_or_else(|| {
                keys.push(claim.key);
                keys.len() - 1
            });
            let mut row = row(&claim.signed);
            row.push(table as u32);
            row
        } else {
            claim_row(claim)
        });
    }
    let tables = tables_of(&keys);
    on_all(|card, arithmetic| {
        let mut bench = Bench::new(card, start);
        for (i, answer) in bench.secp(question, &rows, &tables, inverters).into_iter().enumerate() {
            let (claim, code) = &claims[i];
            assert_eq!(answer[0], *code, "claim {i}, {claim:?}, {arithmetic:?}");
            match *code {
                GOOD => assert_eq!(
                    answer[1..],
                    row(&claim.signed)[15..16].iter().map(|word| word.swap_bytes()).collect::<Vec<_>>()
                ),
                WRONG_KEY => {}
                _ => assert_eq!(answer[1], 0),
            }
        }
    });
}

#[test]
fn signers_are_right() {
    let items = recoveries();
    check_recovery(&items, &key(100), 7);
    check_recovery(&items[..1], &key(101), 1);
    check_recovery(&items[items.len() - 60..], &key(102), 1000);
}

#[test]
fn verdicts_are_right() {
    let claims = claims();
    for (question, inverters) in [(Question::DidThisKey, 64), (Question::DidTable, 5)] {
        check_claims(question, &claims, &key(103), inverters);
    }
}

#[test]
fn keys_off_the_curve_are_refused() {
    let claims: Vec<_> = off_curve().into_iter().map(|claim| (claim, MALFORMED)).collect();
    check_claims(Question::DidThisKey, &claims, &key(104), 2);
}

#[test]
fn tables_that_are_not_there_are_not_known() {
    let claim = honest(0, [3; 32]);
    let rows: Vec<_> =
        [0u32, 1, 2, 65_536, u32::MAX].iter().map(|table| [row(&claim.signed), vec![*table]].concat()).collect();
    let tables = tables_of(&[claim.key, key(1).public_key()]);
    on_all(|card, arithmetic| {
        let answers = Bench::new(card, &key(105)).secp(Question::DidTable, &rows, &tables, 1);
        let codes: Vec<_> = answers.iter().map(|answer| answer[0]).collect();
        assert_eq!(codes, [GOOD, WRONG_KEY, UNKNOWN, UNKNOWN, UNKNOWN], "{arithmetic:?}");
    });
}

/// Starts that the walk of u2 times the point with this logarithm meets in its first addition: the point that it adds and
/// the opposite one. `None` if that addition is of the second half.
fn starts_met(u2: Order, log: Order) -> Option<[SecretKey; 2]> {
    let [half, other] = glv::split(u2);
    let (mut digits, mut others) = ([0; 33], [0; 33]);
    signed_digits::<4, 33, 2>(half.magnitude, |window, digit| digits[window] = digit);
    signed_digits::<4, 33, 2>(other.magnitude, |window, digit| others[window] = digit);
    let window = (0..33).rev().find(|window| digits[*window] != 0 || others[*window] != 0)?;
    let digit = number(digits[window].unsigned_abs().into());
    let doublings = (0..4 * (32 - window)).fold(number(1), |product, _| product.add(product));
    let start = (digits[window] != 0).then(|| digit.mul(log).mul(doublings.invert()))?;
    Some([secret(start), secret(start.neg())])
}

#[test]
fn walks_that_meet_their_start_are_not_known() {
    let honest = honest_claims();
    let (place, starts) = (40..honest.len())
        .find_map(|i| {
            let parsed = Parsed::new(&honest[i].signed.signature).expect("of good form");
            let log = Order::from_be(&key(i % 7).to_bytes()).expect("below n");
            Some((i, starts_met(parsed.r.mul(parsed.s.invert()), log)?))
        })
        .expect("a walk that begins in the first half");
    let claims: Vec<_> = (0..place + 3).map(|i| (honest[i], if i == place { UNKNOWN } else { GOOD })).collect();
    for start in &starts {
        check_claims(Question::DidThisKey, &claims, start, 9);
    }
}

#[test]
fn sums_of_tables_that_meet_their_start_are_not_known() {
    let honest = &honest_claims()[..30];
    // What the first window adds: a multiple of the key, or its opposite.
    let lowest = |claim: &Claim| {
        let parsed = Parsed::new(&claim.signed.signature).expect("of good form");
        let mut lowest = 0;
        signed_digits::<8, 32, 4>(parsed.r.mul(parsed.s.invert()).halved().1, |window, digit| {
            if window == 0 {
                lowest = digit.unsigned_abs();
            }
        });
        (claim.key, lowest)
    };
    let place = 11;
    let met = lowest(&honest[place]);
    assert_ne!(met.1, 0, "another claim is needed");
    let log = Order::from_be(&key(place % 7).to_bytes()).expect("below n");
    let start = log.mul(number(met.1.into()));
    let code = |claim: &Claim| if lowest(claim) == met { UNKNOWN } else { GOOD };
    let claims: Vec<_> = honest.iter().map(|claim| (*claim, code(claim))).collect();
    for start in [start, start.neg()] {
        check_claims(Question::DidTable, &claims, &secret(start), 9);
    }
}
