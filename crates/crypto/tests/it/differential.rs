//! libsecp256k1 and k256 give the same verdict, the reason included, for every input.

use k256::elliptic_curve::PrimeField;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use vigil_crypto::{SecretKey, SignatureError, recover, second_opinion};
use vigil_primitives::{Address, Hash, U256};
use vigil_testkit::vectors;

const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

/// The verdict of both.
pub(crate) fn agreed(digest: &Hash, sig: &[u8; 65]) -> Result<Address, SignatureError> {
    let (ours, second) = (recover(digest, sig), second_opinion::recover(digest, sig));
    assert_eq!(ours, second, "digest {digest}, signature {}", hex::encode(sig));
    ours
}

fn order() -> U256 {
    U256::from_str_radix(ORDER, 16).unwrap()
}

fn join(r: U256, s: U256, v: u8) -> [u8; 65] {
    [r.to_be_bytes::<32>().as_slice(), &s.to_be_bytes::<32>(), &[v]].concat().try_into().unwrap()
}

fn random(rng: &mut ChaCha20Rng) -> U256 {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    U256::from_be_bytes(bytes)
}

/// Numbers at which implementations differ: around 0, n/2, n, p, 2^256.
fn edges() -> Vec<U256> {
    let n = order();
    let p = U256::MAX - U256::from(0x1_0000_03d0u64);
    let near = |x: U256| (0..3).flat_map(move |d| [x.wrapping_add(U256::from(d)), x.wrapping_sub(U256::from(d))]);
    [U256::ZERO, n >> 1, n, p, p - n, n - (p - n), U256::from(1) << 128].into_iter().flat_map(near).collect()
}

/// A honest signature, changed in one of the ways that have broken implementations.
fn case(rng: &mut ChaCha20Rng, key: &SecretKey, edges: &[U256]) -> (Hash, [u8; 65]) {
    let digest = Hash::from(random(rng));
    let honest = *key.sign(&digest).as_array().unwrap();
    let (r, s) = (U256::from_be_slice(&honest[..32]), U256::from_be_slice(&honest[32..64]));
    let (n, v) = (order(), honest[64]);
    let edge = edges[rng.next_u32() as usize % edges.len()];
    let sig = match rng.next_u32() % 16 {
        0 | 1 => honest,
        2 => join(r, n - s, v ^ 1),
        3 => join(r, s, v ^ 1),
        4 => join(r, s, rng.next_u32() as u8),
        5 => join(r.wrapping_add(n), s, v),
        6 => join(n - r, s, v),
        7 => join(edge, s, v),
        8 => join(r, edge, v),
        9 => join(edge, edges[rng.next_u32() as usize % edges.len()], v),
        10 => join(random(rng), random(rng) >> 1, v),
        11 => join(random(rng), random(rng), v),
        12 => join(random(rng) >> 128, random(rng) >> 128, v),
        13 => join(r, s ^ (U256::from(1) << (rng.next_u32() as usize % 256)), v),
        14 => return (Hash::from(edge), honest),
        _ => return no_key(rng, v),
    };
    (digest, sig)
}

/// R = k·G and s·R = z·G, so that the key would be the point at infinity.
fn no_key(rng: &mut ChaCha20Rng, v: u8) -> (Hash, [u8; 65]) {
    let k = U256::from(rng.next_u64()) + U256::from(1);
    let point = secp256k1::SecretKey::from_byte_array(k.to_be_bytes::<32>()).unwrap().public_key(secp256k1::SECP256K1);
    let compressed = point.serialize();
    let scalar = |x: U256| k256::Scalar::from_repr(x.to_be_bytes::<32>().into()).unwrap();
    let s = random(rng) >> 2;
    let z = scalar(s) * scalar(k);
    let v = if rng.next_u32().is_multiple_of(8) { v } else { compressed[0] - 2 };
    (Hash::from_slice(&z.to_bytes()), join(U256::from_be_slice(&compressed[1..]), s, v))
}

#[test]
fn both_libraries_agree() {
    let count = if vectors::long() { 1_000_000 } else { 100_000 };
    let seed = 0x5669_6769_6c00;
    let rng = &mut ChaCha20Rng::seed_from_u64(seed);
    eprintln!("{count} signatures, seed {seed}");
    let edges = edges();
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    let mut key = SecretKey::from_bytes(&[1; 32]).unwrap();
    for i in 0..count {
        if i % 16 == 0 {
            let number: U256 = random(rng) >> 1;
            key = SecretKey::from_bytes(&number.to_be_bytes()).unwrap();
        }
        let (digest, sig) = case(rng, &key, &edges);
        let verdict = match agreed(&digest, &sig) {
            Ok(signer) if signer == key.address() => "signer".to_owned(),
            Ok(_) => "somebody else".to_owned(),
            Err(SignatureError::RecoveryId(_)) => "recovery id".to_owned(),
            Err(reason) => format!("{reason:?}"),
        };
        *seen.entry(verdict).or_default() += 1;
    }
    eprintln!("{seen:?}");
    for verdict in ["signer", "somebody else", "recovery id", "R", "S", "HighS", "NoKey"] {
        assert!(seen.get(verdict).copied().unwrap_or(0) > count / 1_000, "{verdict} is hardly met: {seen:?}");
    }
}

/// One signature a reason, so that the order of the rules is fixed in words.
#[test]
fn reasons_in_order() {
    let (n, one) = (order(), U256::from(1));
    let digest = Hash::repeat_byte(3);
    let why = |r, s, v| agreed(&digest, &join(r, s, v)).unwrap_err();
    assert_eq!(why(U256::ZERO, U256::ZERO, 2), SignatureError::RecoveryId(2));
    assert_eq!(why(U256::ZERO, U256::ZERO, 255), SignatureError::RecoveryId(255));
    assert_eq!(why(U256::ZERO, U256::ZERO, 0), SignatureError::R);
    assert_eq!(why(n, n, 0), SignatureError::R);
    assert_eq!(why(n - one, U256::ZERO, 0), SignatureError::S);
    assert_eq!(why(one, n, 1), SignatureError::S);
    assert_eq!(why(U256::from(5), n - one, 0), SignatureError::HighS);
    assert_eq!(why(U256::from(5), (n >> 1) + one, 0), SignatureError::HighS);
    assert_eq!(why(U256::from(5), n >> 1, 0), SignatureError::NoKey, "no point has x = 5");
    assert!(agreed(&digest, &join(one, n >> 1, 0)).is_ok(), "half the order is still low");
    let (digest, sig) = no_key(&mut ChaCha20Rng::seed_from_u64(1), 9);
    let infinity = agreed(&digest, &sig);
    assert!(matches!(infinity, Err(SignatureError::NoKey | SignatureError::RecoveryId(9))), "{infinity:?}");
}
