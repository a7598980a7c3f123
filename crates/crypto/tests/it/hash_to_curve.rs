//! RFC 9380. The safe API of blst shows the final point only (a signature with the key 1 *is* the hashed point), so P is
//! asserted for the random-oracle suites; `expand_message` and the field elements u are asserted for all suites through
//! the few lines below. Q0, Q1 and the non-uniform suites are `accel`'s, which has its own map to the curve.

use alloy_primitives::U512;
use blst::{min_pk, min_sig};
use serde_json::Value;
use sha2::{Digest, Sha256};
use vigil_testkit::vectors::{self, array, hex_at, string, unhex};

/// `expand_message_xmd` with SHA-256 (RFC 9380 §5.3.1, §5.3.3 for long tags).
fn expand(message: &[u8], tag: &[u8], length: usize) -> Vec<u8> {
    let hashed;
    let tag = if tag.len() > 255 {
        hashed = Sha256::digest([b"H2C-OVERSIZE-DST-".as_slice(), tag].concat());
        hashed.as_slice()
    } else {
        tag
    };
    let tag = [tag, &[tag.len() as u8]].concat();
    let first = [&[0; 64], message, &(length as u16).to_be_bytes(), &[0], &tag].concat();
    let b0 = Sha256::digest(first);
    let mut out = Vec::new();
    let mut block = [0u8; 32];
    for i in 1..=length.div_ceil(32) as u8 {
        block.iter_mut().zip(b0).for_each(|(x, y)| *x ^= y);
        block = Sha256::digest([block.as_slice(), &[i], &tag].concat()).into();
        out.extend_from_slice(&block);
    }
    out.truncate(length);
    out
}

#[test]
fn expand_message() {
    for file in ["expand_message_xmd_SHA256_38", "expand_message_xmd_SHA256_256"] {
        let Some(file) = vectors::json(&format!("hash-to-curve/{file}.json")) else { return };
        for case in array(&file, "tests") {
            let length = usize::from_str_radix(string(case, "len_in_bytes").trim_start_matches("0x"), 16).unwrap();
            let bytes = expand(string(case, "msg").as_bytes(), string(&file, "DST").as_bytes(), length);
            assert_eq!(bytes, hex_at(case, "uniform_bytes"));
        }
    }
}

/// A field element of one or two coordinates, each as 64 bytes.
fn coordinates(text: &str) -> Vec<U512> {
    text.split(',').map(|c| U512::from_be_slice(&even(c))).collect()
}

/// Hex without leading zeros may have an odd number of digits.
fn even(hex: &str) -> Vec<u8> {
    let hex = hex.trim_start_matches("0x");
    unhex(&format!("{}{hex}", if hex.len() % 2 == 1 { "0" } else { "" }))
}

fn suite(name: &str) -> Option<(Value, Vec<u8>)> {
    let file = vectors::json(&format!("hash-to-curve/{name}.json"))?;
    let tag = string(&file, "dst").as_bytes().to_vec();
    Some((file, tag))
}

#[test]
fn field_elements() {
    let suites = [
        ("BLS12381G1_XMD_SHA-256_SSWU_RO_", 64),
        ("BLS12381G1_XMD_SHA-256_SSWU_NU_", 64),
        ("BLS12381G2_XMD_SHA-256_SSWU_RO_", 64),
        ("BLS12381G2_XMD_SHA-256_SSWU_NU_", 64),
        ("secp256k1_XMD_SHA-256_SSWU_RO_", 48),
    ];
    for (name, bytes_each) in suites {
        let Some((file, tag)) = suite(name) else { return };
        let p = U512::from_be_slice(&even(string(&file["field"], "p")));
        for case in array(&file, "vectors") {
            let u: Vec<U512> = array(case, "u").iter().flat_map(|u| coordinates(u.as_str().unwrap())).collect();
            let uniform = expand(string(case, "msg").as_bytes(), &tag, bytes_each * u.len());
            let ours: Vec<U512> = uniform.chunks(bytes_each).map(|c| U512::from_be_slice(c) % p).collect();
            assert_eq!(ours, u, "{name}");
        }
    }
}

/// Big-endian 48-byte coordinates in the order of the uncompressed encodings: c1 before c0.
fn encoded(point: &Value) -> Vec<u8> {
    let coordinate = |name| {
        let mut parts = coordinates(string(point, name));
        parts.reverse();
        parts.into_iter().flat_map(|c| c.to_be_bytes::<64>()[16..].to_vec()).collect::<Vec<u8>>()
    };
    [coordinate("x"), coordinate("y")].concat()
}

fn one() -> [u8; 32] {
    std::array::from_fn(|i| u8::from(i == 31))
}

#[test]
fn points_of_g1_and_g2() {
    let Some((file, tag)) = suite("BLS12381G1_XMD_SHA-256_SSWU_RO_") else { return };
    let key = min_sig::SecretKey::from_bytes(&one()).unwrap();
    for case in array(&file, "vectors") {
        let point = key.sign(string(case, "msg").as_bytes(), &tag, &[]);
        assert_eq!(point.serialize().to_vec(), encoded(&case["P"]));
    }
    let Some((file, tag)) = suite("BLS12381G2_XMD_SHA-256_SSWU_RO_") else { return };
    let key = min_pk::SecretKey::from_bytes(&one()).unwrap();
    for case in array(&file, "vectors") {
        let point = key.sign(string(case, "msg").as_bytes(), &tag, &[]);
        assert_eq!(point.serialize().to_vec(), encoded(&case["P"]));
    }
    for path in vectors::files("bls12-381-tests/hash_to_G2").unwrap_or_default() {
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let point = key.sign(string(&case["input"], "msg").as_bytes(), &tag, &[]);
        assert_eq!(point.serialize().to_vec(), encoded(&case["output"]), "{}", path.display());
    }
}
