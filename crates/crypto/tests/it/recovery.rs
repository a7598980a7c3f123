//! Recovery and signing: bitcoin-core's edge cases, geth's precompile, RFC 6979, the reference node's keys.

use crate::differential::agreed;
use secp256k1::{Message, PublicKey, SECP256K1};
use serde_json::Value;
use vigil_crypto::{SecretKey, SignatureError, recover_eth, verify_digest};
use vigil_primitives::{Address, Hash, Signature};
use vigil_testkit::vectors::{self, array, hex_at, string, unhex};

fn key(hex: &str) -> Option<SecretKey> {
    SecretKey::from_bytes(&unhex(hex).try_into().unwrap())
}

fn digest(case: &Value, name: &str) -> Hash {
    Hash::from_slice(&hex_at(case, name))
}

fn with_v(rs: &[u8], v: u8) -> [u8; 65] {
    [rs, &[v]].concat().try_into().unwrap()
}

#[test]
fn bitcoin_core_edge_cases() {
    let Some(file) = vectors::json("secp256k1-recovery/bitcoin-core_recovery_edge_cases.json") else { return };
    for case in array(&file, "recover") {
        let recid = case["recid"].as_u64().unwrap() as u8;
        let result = agreed(&digest(case, "msg32"), &with_v(&hex_at(case, "sig_rs"), recid));
        if recid > 1 {
            assert_eq!(result, Err(SignatureError::RecoveryId(recid)), "ours are 0 and 1 only");
        } else {
            assert_eq!(result.is_ok(), case["recovers"].as_bool().unwrap(), "{}: {result:?}", case["id"]);
        }
    }
    // The node reads no DER; these assert what both libraries below it do with it.
    let sigb64 = [[0; 31].as_slice(), &[4], &[0; 31], &[4]].concat();
    let message = digest(&file["recover"][0], "msg32");
    let signature = secp256k1::ecdsa::RecoverableSignature::from_compact(&sigb64, secp256k1::ecdsa::RecoveryId::Zero);
    let key = signature.unwrap().recover(Message::from_digest(message.0)).unwrap();
    for case in array(&file, "der") {
        let der = hex_at(case, "der");
        let parsed = secp256k1::ecdsa::Signature::from_der(&der);
        let verifies = parsed.is_ok_and(|s| SECP256K1.verify_ecdsa(Message::from_digest(message.0), &s, &key).is_ok());
        let expected = case["parses"] == true && case["verifies_under_recovered_key_of_sigb64"] == true;
        assert_eq!(verifies, expected, "{}", case["id"]);
    }
}

#[test]
fn geth_precompile() {
    let Some(file) = vectors::json("secp256k1-recovery/geth_ecRecover.json") else { return };
    for case in file.as_array().unwrap() {
        let mut input = hex_at(case, "Input");
        input.resize(128, 0);
        let v_fits = input[32..63].iter().all(|b| *b == 0) && matches!(input[63], 27 | 28);
        let result = recover_eth(&Hash::from_slice(&input[..32]), &with_v(&input[64..128], input[63]));
        let expected = hex_at(case, "Expected");
        // The precompile alone takes a high s.
        if result != Err(SignatureError::HighS) {
            let got = result.ok().filter(|_| v_fits).map(|a| a.into_word().to_vec()).unwrap_or_default();
            assert_eq!(got, expected, "{}", case["Name"]);
        }
    }
}

#[test]
fn rfc_6979_signatures() {
    let Some(file) = vectors::json("secp256k1-recovery/ecdsa.json") else { return };
    let flips_up_to = if vectors::long() { usize::MAX } else { 16 };
    for (i, case) in array(&file, "valid").iter().enumerate() {
        let (key, digest) = (key(string(case, "d")).unwrap(), digest(case, "m"));
        let signature = key.sign(&digest);
        assert_eq!(signature.0[..64], hex_at(case, "signature")[..], "case {i}");
        assert_eq!(agreed(&digest, signature.as_array().unwrap()), Ok(key.address()));
        if i < flips_up_to {
            no_bit_may_change(&key.address(), &digest, &signature);
        }
    }
    for case in array(&file["invalid"], "sign") {
        assert!(key(string(case, "d")).is_none(), "{}", case["description"]);
    }
    for case in array(&file["invalid"], "verify") {
        let key = PublicKey::from_slice(&hex_at(case, "Q"));
        let rs = hex_at(case, "signature");
        let owner = key.map(|k| Address::from_raw_public_key(&k.serialize_uncompressed()[1..]));
        let recovers = |v| owner.is_ok_and(|o| rs.len() == 64 && agreed(&digest(case, "m"), &with_v(&rs, v)) == Ok(o));
        assert!(!recovers(0) && !recovers(1), "{}", case["description"]);
    }
}

fn no_bit_may_change(signer: &Address, digest: &Hash, signature: &Signature) {
    assert!(verify_digest(signer, digest, signature));
    for bit in 0..520 {
        let mut changed = signature.0.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify_digest(signer, digest, &Signature(changed.into())), "bit {bit}");
    }
}

#[test]
fn nonces_and_points() {
    let Some(file) = vectors::json("secp256k1-recovery/rfc6979.json") else { return };
    for case in file.as_array().unwrap() {
        use sha2::Digest;
        let digest = Hash::from_slice(&sha2::Sha256::digest(string(case, "message")));
        let signature = key(string(case, "d")).unwrap().sign(&digest);
        let nonce = secp256k1::SecretKey::from_byte_array(hex_at(case, "k0").try_into().unwrap()).unwrap();
        let x_of_nonce = &PublicKey::from_secret_key(SECP256K1, &nonce).serialize()[1..];
        assert_eq!(&signature.0[..32], x_of_nonce, "{}", case["message"]);
    }
    let Some(file) = vectors::json("secp256k1-recovery/points.json") else { return };
    for case in array(&file["valid"], "pointFromScalar") {
        let point = PublicKey::from_slice(&hex_at(case, "expected")).unwrap().serialize_uncompressed();
        let address = Address::from_raw_public_key(&point[1..]);
        assert_eq!(key(string(case, "d")).unwrap().address(), address, "{}", case["d"]);
    }
    for case in array(&file["invalid"], "pointFromScalar") {
        assert!(key(string(case, "d")).is_none(), "{}", case["description"]);
    }
    for case in array(&file["valid"], "isPoint") {
        let bytes = hex_at(case, "P");
        // Hybrid encodings (06, 07) are points to libsecp256k1 only.
        let parses = !matches!(bytes.first(), Some(6 | 7)) && PublicKey::from_slice(&bytes).is_ok();
        assert_eq!(parses, case["expected"].as_bool().unwrap(), "{}", case["P"]);
        // 05, the x alone, is an encoding to k256 only.
        assert!(bytes[0] == 5 || parses == k256::PublicKey::from_sec1_bytes(&bytes).is_ok(), "{}", case["P"]);
    }
}

#[test]
fn reference_keys() {
    let Some(file) = vectors::json("ledger/crypto.json") else { return };
    for case in array(&file, "keys").iter().chain(array(&file, "rpc_test_wallets")) {
        let address = key(string(case, "private_key")).unwrap().address();
        assert_eq!(address.to_checksum(None), string(case, "address"));
    }
    for case in array(&file, "recover") {
        let address = agreed(&digest(case, "message_hash"), &hex_at(case, "signature").try_into().unwrap());
        assert_eq!(address, Ok(Address::from_raw_public_key(&hex_at(case, "public_key")[1..])));
    }
    let dev = key(vigil_testkit::keys::DEV_KEY).unwrap();
    assert_eq!(dev.address().to_checksum(None), format!("0x{}", vigil_testkit::keys::DEV_ADDRESS));
}

#[test]
fn ethereum_forms_of_v() {
    let (key, digest) = (SecretKey::from_bytes(&[7; 32]).unwrap(), Hash::repeat_byte(9));
    let native = key.sign(&digest);
    let of_v = |v: u8| recover_eth(&digest, &with_v(&native.0[..64], v));
    let right = 27 + native.0[64];
    let wrong = 55 - right;
    assert_eq!(of_v(right), Ok(key.address()));
    assert_ne!(of_v(wrong), Ok(key.address()));
    for v in (0..27).chain(29..=255) {
        assert_eq!(of_v(v), Err(SignatureError::RecoveryId(v)));
    }
}

#[test]
fn keys_are_not_printed() {
    let key = SecretKey::from_bytes(&[0xab; 32]).unwrap();
    let bls = vigil_crypto::bls::SecretKey::generate();
    assert_eq!((format!("{key:?}"), format!("{bls:?}")), ("SecretKey(..)".into(), "SecretKey(..)".into()));
    assert_ne!(SecretKey::generate().address(), SecretKey::generate().address());
    assert!(SecretKey::from_bytes(&[0; 32]).is_none() && SecretKey::from_bytes(&[0xff; 32]).is_none());
}
