//! BLS signatures: Ethereum's vectors for the proof-of-possession suite, the reference's keys, our own rules.

use serde_json::Value;
use std::path::PathBuf;
use vigil_crypto::bls::{BlsError, PublicKey, Scheme, SecretKey, Signature};
use vigil_testkit::vectors::{self, array, hex_at, string, unhex};

const POP: Scheme = Scheme::ProofOfPossession;

fn cases(folder: &str) -> Vec<(PathBuf, Value)> {
    let files = vectors::files(&format!("bls12-381-tests/{folder}")).unwrap_or_default();
    let read = |path: PathBuf| (path.clone(), serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
    files.into_iter().map(read).collect()
}

fn keys(input: &Value) -> Result<Vec<PublicKey>, BlsError> {
    array(input, "pubkeys").iter().map(|k| PublicKey::from_bytes(&unhex(k.as_str().unwrap()))).collect()
}

fn signature(input: &Value) -> Result<Signature, BlsError> {
    Signature::from_bytes(&hex_at(input, "signature"))
}

#[test]
fn deserialization() {
    for (path, case) in cases("deserialization_G1") {
        let result = PublicKey::from_bytes(&hex_at(&case["input"], "pubkey")).map(|k| k.to_bytes().to_vec());
        check_point(&path, &case, "pubkey", result);
    }
    for (path, case) in cases("deserialization_G2") {
        let result = Signature::from_bytes(&hex_at(&case["input"], "signature")).map(|s| s.to_bytes().to_vec());
        check_point(&path, &case, "signature", result);
    }
}

/// Infinity decodes in the vectors; here it is a point that decodes but is no key and no signature.
fn check_point(path: &std::path::Path, case: &Value, name: &str, result: Result<Vec<u8>, BlsError>) {
    let name_of_file = path.file_name().unwrap().to_str().unwrap();
    let valid = case["output"].as_bool().unwrap();
    if valid && name_of_file.contains("infinity") {
        assert_eq!(result, Err(BlsError::Infinity), "{name_of_file}");
    } else if valid {
        assert_eq!(result, Ok(hex_at(&case["input"], name)), "{name_of_file}");
    } else {
        assert!(matches!(&result, Err(e) if *e != BlsError::Infinity), "{name_of_file}: {result:?}");
    }
}

#[test]
fn sign() {
    for (path, case) in cases("sign") {
        let key = SecretKey::from_bytes(&hex_at(&case["input"], "privkey").try_into().unwrap());
        let signed = key.map(|k| k.sign(POP, &hex_at(&case["input"], "message")).to_bytes().to_vec());
        assert_eq!(signed.ok(), case["output"].as_str().map(unhex), "{}", path.display());
    }
}

#[test]
fn verify() {
    for (path, case) in cases("verify") {
        let input = &case["input"];
        let key = PublicKey::from_bytes(&hex_at(input, "pubkey"));
        let message = hex_at(input, "message");
        let valid = matches!((key, signature(input)), (Ok(k), Ok(s)) if k.verify(POP, &message, &s));
        assert_eq!(valid, case["output"] == true, "{}", path.display());
    }
}

#[test]
fn aggregates() {
    for (path, case) in cases("aggregate") {
        let parts: Result<Vec<_>, _> = case["input"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| Signature::from_bytes(&unhex(s.as_str().unwrap())))
            .collect();
        let sum = parts.and_then(|parts| Signature::aggregate(&parts)).map(|s| s.to_bytes().to_vec());
        let infinity = path.to_str().unwrap().contains("infinity");
        // The one part is the point at infinity, which is no signature here.
        let expected = case["output"].as_str().filter(|_| !infinity).map(unhex);
        assert_eq!(sum.ok(), expected, "{}", path.display());
    }
    for (path, case) in cases("fast_aggregate_verify") {
        let (input, message) = (&case["input"], hex_at(&case["input"], "message"));
        let valid = matches!((keys(input), signature(input)), (Ok(k), Ok(s)) if s.verify_same_message(&k, &message));
        assert_eq!(valid, case["output"] == true, "{}", path.display());
    }
    for (path, case) in cases("aggregate_verify") {
        let input = &case["input"];
        let messages: Vec<_> = array(input, "messages").iter().map(|m| unhex(m.as_str().unwrap())).collect();
        let valid = match (keys(input), signature(input)) {
            (Ok(keys), Ok(s)) => {
                let parts: Vec<_> = keys.into_iter().zip(messages.iter().map(Vec::as_slice)).collect();
                s.verify_aggregate(POP, &parts)
            }
            _ => false,
        };
        assert_eq!(valid, case["output"] == true, "{}", path.display());
    }
}

/// There is no batch check here; one by one, the forged set must fail.
#[test]
fn sets_of_signatures() {
    for (path, case) in cases("batch_verify") {
        let input = &case["input"];
        let signatures = array(input, "signatures").iter().map(|s| Signature::from_bytes(&unhex(s.as_str().unwrap())));
        let messages = array(input, "messages").iter().map(|m| unhex(m.as_str().unwrap()));
        let mut all = keys(input).unwrap().into_iter().zip(messages).zip(signatures);
        let valid = all.all(|((key, message), s)| s.is_ok_and(|s| key.verify(POP, &message, &s)));
        assert_eq!(valid, case["output"] == true, "{}", path.display());
    }
}

#[test]
fn sums_of_public_keys() {
    for folder in vectors::files("bls12-381-tests/eth_aggregate_pubkeys").unwrap_or_default() {
        let text = std::fs::read_to_string(folder.join("data.yaml")).unwrap();
        let quoted = |line: &str| line.split('\'').nth(1).map(unhex);
        let (inputs, output) = text.split_once("output:").unwrap();
        let keys: Result<Vec<_>, _> =
            inputs.lines().filter_map(quoted).map(|bytes| PublicKey::from_bytes(&bytes)).collect();
        let sum = keys.and_then(|keys| PublicKey::aggregate(&keys)).map(|k| k.to_bytes().to_vec());
        assert_eq!(sum.ok(), quoted(output), "{}", folder.display());
    }
    assert_eq!(PublicKey::aggregate(&[]), Err(BlsError::Empty));
    assert_eq!(Signature::aggregate(&[]), Err(BlsError::Empty));
}

/// The reference's own signatures are of an older scheme (DESIGN §4: ours is the IETF form); its keys are the same.
#[test]
fn reference_keys() {
    let Some(file) = vectors::json("ledger/bls.json") else { return };
    for case in array(&file, "vectors") {
        let key = SecretKey::from_bytes(&hex_at(case, "secret_key").try_into().unwrap()).unwrap();
        assert_eq!(key.public_key().to_bytes().to_vec(), hex_at(case, "public_key"));
        let old = Signature::from_bytes(&hex_at(case, "pop")).expect("a point all the same");
        assert!(!key.public_key().verify_possession(&old), "the old form proves nothing here");
        assert_eq!(string(case, "message"), "0x7468657461");
    }
}

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).unwrap()
}

#[test]
fn tags_keep_apart_what_is_signed() {
    let key = key(1);
    let public = key.public_key();
    let message = public.to_bytes();
    let signatures = [key.sign(Scheme::Augmented, &message), key.sign(POP, &message), key.prove_possession()];
    for (i, s) in signatures.iter().enumerate() {
        let verdicts = [
            public.verify(Scheme::Augmented, &message, s),
            public.verify(POP, &message, s),
            public.verify_possession(s),
        ];
        assert_eq!(verdicts, [i == 0, i == 1, i == 2]);
    }
    assert_eq!(Scheme::from_name("augmented"), Some(Scheme::Augmented));
    assert_eq!(Scheme::from_name("proof-of-possession"), Some(POP));
    assert_eq!(Scheme::from_name("basic"), None);
}

#[test]
fn augmented_aggregates_and_foreign_proofs() {
    let keys: Vec<_> = (1..=5).map(key).collect();
    let messages: Vec<Vec<u8>> = (0..5).map(|i| vec![i / 2; 10]).collect();
    let parts: Vec<_> = keys.iter().zip(&messages).map(|(k, m)| (k.public_key(), m.as_slice())).collect();
    for scheme in [Scheme::Augmented, POP] {
        let signatures: Vec<_> = keys.iter().zip(&messages).map(|(k, m)| k.sign(scheme, m)).collect();
        let sum = Signature::aggregate(&signatures).unwrap();
        assert!(sum.verify_aggregate(scheme, &parts));
        assert!(!sum.verify_aggregate(scheme, &parts[1..]) && !sum.verify_aggregate(scheme, &[]));
        let mut swapped = parts.clone();
        (swapped[0].1, swapped[4].1) = (parts[4].1, parts[0].1);
        assert!(!sum.verify_aggregate(scheme, &swapped));
    }
    let proof = keys[0].prove_possession();
    assert!(keys[0].public_key().verify_possession(&proof));
    assert!(!keys[1].public_key().verify_possession(&proof));
}

/// Rogue key: K = x·G - (sum of the others). Same-message aggregates fall to it, possession stops it, augmentation too.
#[test]
fn a_rogue_key_cannot_prove_possession() {
    let (honest, attacker) = (key(3).public_key(), key(4));
    let mut negated = honest.to_bytes();
    negated[0] ^= 0x20;
    let rogue = PublicKey::aggregate(&[attacker.public_key(), PublicKey::from_bytes(&negated).unwrap()]).unwrap();
    let forged = attacker.sign(POP, b"checkpoint");
    assert!(forged.verify_same_message(&[honest, rogue], b"checkpoint"), "why proofs are asked for");
    assert!(!rogue.verify_possession(&attacker.prove_possession()));
    let forged = attacker.sign(Scheme::Augmented, b"checkpoint");
    let parts = [(honest, b"checkpoint".as_slice()), (rogue, b"checkpoint".as_slice())];
    assert!(!forged.verify_aggregate(Scheme::Augmented, &parts));
}

#[test]
fn what_cancels_out_is_refused() {
    let public = key(3).public_key();
    let mut negated = public.to_bytes();
    negated[0] ^= 0x20;
    let negated = PublicKey::from_bytes(&negated).unwrap();
    assert_eq!(PublicKey::aggregate(&[public, negated]), Err(BlsError::Infinity));
    let s = key(3).sign(POP, b"m");
    let mut minus = s.to_bytes();
    minus[0] ^= 0x20;
    let minus = Signature::from_bytes(&minus).unwrap();
    assert_eq!(Signature::aggregate(&[s, minus]), Err(BlsError::Infinity));
    assert!(!s.verify_same_message(&[public, negated], b"m"));
}

#[test]
fn secret_keys() {
    let random = SecretKey::generate();
    assert_ne!(random.public_key(), SecretKey::generate().public_key());
    let again = SecretKey::from_bytes(&random.to_bytes()).unwrap();
    assert_eq!(again.public_key(), random.public_key());
    let order = unhex("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
    let of = |bytes: &[u8]| SecretKey::from_bytes(bytes.try_into().unwrap()).map(|_| ());
    assert_eq!(of(&order), Err(BlsError::SecretKey));
    assert_eq!(of(&[0; 32]), Err(BlsError::SecretKey));
    let mut below = order;
    below[31] -= 1;
    assert_eq!(of(&below), Ok(()));
    for length in [0, 47, 49, 96] {
        let error = BlsError::Length { got: length, expected: 48 };
        assert_eq!(PublicKey::from_bytes(&vec![0x80; length]), Err(error));
    }
}
