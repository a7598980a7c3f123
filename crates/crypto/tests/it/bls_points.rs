//! Encodings of multiples of the generators, signatures without a tag's suffix, pairings.

use blst::min_pk;
use blst::{BLST_ERROR, blst_fp12, blst_p1_affine, blst_p2_affine, min_sig};
use vigil_crypto::bls::{BlsError, PublicKey, SecretKey, Signature};
use vigil_primitives::U256;
use vigil_testkit::vectors::{self, hex_at, unhex};

fn secret(n: u64) -> SecretKey {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&n.to_be_bytes());
    SecretKey::from_bytes(&bytes).unwrap()
}

fn chunks(name: &str, size: usize) -> Option<Vec<Vec<u8>>> {
    let bytes = vectors::bytes(&format!("bls12-381-points/zkcrypto/{name}_valid_test_vectors.dat"))?;
    Some(bytes.chunks(size).map(<[u8]>::to_vec).collect())
}

/// `i * G1` by adding: our sums and our encodings.
#[test]
fn multiples_in_g1() {
    let (Some(compressed), Some(plain)) = (chunks("g1_compressed", 48), chunks("g1_uncompressed", 96)) else { return };
    assert_eq!(PublicKey::from_bytes(&compressed[0]), Err(BlsError::Infinity));
    let generator = secret(1).public_key();
    let mut sum = generator;
    for (i, bytes) in compressed.iter().enumerate().skip(1) {
        assert_eq!(sum.to_bytes().to_vec(), *bytes, "{i}");
        assert_eq!(PublicKey::from_bytes(bytes), Ok(sum), "{i}");
        let point = min_pk::PublicKey::deserialize(&plain[i]).unwrap();
        assert_eq!((point.compress().to_vec(), point.serialize().to_vec()), (bytes.clone(), plain[i].clone()));
        assert_eq!(PublicKey::from_bytes(&plain[i]), Err(BlsError::Length { got: 96, expected: 48 }));
        sum = PublicKey::aggregate(&[sum, generator]).unwrap();
    }
}

#[test]
fn multiples_in_g2() {
    let (Some(compressed), Some(plain)) = (chunks("g2_compressed", 96), chunks("g2_uncompressed", 192)) else { return };
    assert_eq!(Signature::from_bytes(&compressed[0]), Err(BlsError::Infinity));
    let generator = Signature::from_bytes(&compressed[1]).unwrap();
    let mut sum = generator;
    for (i, bytes) in compressed.iter().enumerate().skip(1) {
        assert_eq!(sum.to_bytes().to_vec(), *bytes, "{i}");
        assert_eq!(Signature::from_bytes(bytes), Ok(sum), "{i}");
        let point = min_pk::Signature::deserialize(&plain[i]).unwrap();
        assert_eq!((point.compress().to_vec(), point.serialize().to_vec()), (bytes.clone(), plain[i].clone()));
        sum = Signature::aggregate(&[sum, generator]).unwrap();
    }
}

/// The tag of these is none of our schemes', so the library below us is asked.
#[test]
fn signatures_without_scheme() {
    const G2_TAG: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";
    const G1_TAG: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
    let ok = BLST_ERROR::BLST_SUCCESS;
    let generator = min_pk::PublicKey::from_bytes(&secret(1).public_key().to_bytes()).unwrap();
    for (key, message, signature) in lines("g2") {
        let key = min_pk::SecretKey::from_bytes(&key).unwrap();
        let signed = key.sign(&message, G2_TAG, &[]);
        assert_eq!(signed.compress().to_vec(), signature);
        let longer = [message.as_slice(), &[0]].concat();
        let public = key.sk_to_pk();
        assert_eq!(signed.verify(true, &message, G2_TAG, &[], &public, true), ok);
        assert_ne!(signed.verify(true, &longer, G2_TAG, &[], &public, true), ok);
        let sum = min_pk::AggregatePublicKey::aggregate(&[&public, &generator], false).unwrap().to_public_key();
        assert_ne!(signed.verify(true, &message, G2_TAG, &[], &sum, true), ok);
    }
    for (key, message, signature) in lines("g1") {
        let key = min_sig::SecretKey::from_bytes(&key).unwrap();
        assert_eq!(key.sign(&message, G1_TAG, &[]).compress().to_vec(), signature);
    }
}

fn lines(group: &str) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let text = vectors::text(&format!("bls12-381-points/bls12-381-{group}-test-vectors.txt")).unwrap_or_default();
    let parse = |line: &str| {
        let mut parts = line.trim().split(':').map(unhex);
        let mut next = || parts.next().unwrap();
        (reduced(&next()), next(), next())
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
}

/// Half of these keys are at least the group order; their makers reduce them, we would refuse them.
fn reduced(key: &[u8]) -> Vec<u8> {
    let order = U256::from_be_slice(&unhex("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"));
    (U256::from_be_slice(key) % order).to_be_bytes_vec()
}

/// `e(n G1, n G2)` to the byte.
#[test]
fn pairings() {
    let Some(text) = vectors::text("bls12-381-points/pairing.jsonl") else { return };
    let g2 = chunks("g2_compressed", 96).unwrap();
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let n = case["n"].as_u64().unwrap() + 1;
        let p = min_pk::PublicKey::from_bytes(&secret(n).public_key().to_bytes()).unwrap();
        let q = min_pk::Signature::from_bytes(&g2[n as usize]).unwrap();
        let gt = blst_fp12::miller_loop(<&blst_p2_affine>::from(&q), <&blst_p1_affine>::from(&p)).final_exp();
        assert_eq!(highest_first(&gt.to_bendian()), hex_at(&case, "gt"), "{n}");
    }
}

/// The vectors begin with the highest coefficient and write one half of the sextic tower after the other; blst begins with
/// the lowest and alternates between the halves. A coefficient is two numbers of 48 bytes.
fn highest_first(gt: &[u8]) -> Vec<u8> {
    let numbers: Vec<_> = gt.chunks(48).rev().collect();
    let coefficient = |i: usize| [numbers[2 * i], numbers[2 * i + 1]].concat();
    [0, 2, 4, 1, 3, 5].into_iter().flat_map(coefficient).collect()
}
