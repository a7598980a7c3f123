//! Keys and signatures, good and bad, from a seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use secp256k1::{Message, PublicKey as SecpKey, SECP256K1, SecretKey};
use vigil_accel::{PublicKey, Signed};
use vigil_primitives::{Hash, SIGNATURE_BYTES};

pub(crate) type Random = ChaCha8Rng;

/// Good signatures of several keys.
pub(crate) struct Pool {
    /// By key: as libsecp256k1 parses it.
    pub(crate) parsed: Vec<SecpKey>,
    /// By key: as 64 bytes.
    pub(crate) keys: Vec<PublicKey>,
    pub(crate) signed: Vec<Signed>,
    /// By item: the place of its key.
    pub(crate) signers: Vec<usize>,
}

impl Pool {
    /// `count` signatures over random digests, with `key_count` random keys in turn.
    pub(crate) fn new(random: &mut Random, count: usize, key_count: usize) -> Self {
        let digests: Vec<Hash> = (0..count).map(|_| Hash::new(random.random())).collect();
        Self::over(random, &digests, key_count)
    }

    /// Signatures over these digests, likewise.
    pub(crate) fn over(random: &mut Random, digests: &[Hash], key_count: usize) -> Self {
        let secrets: Vec<SecretKey> = (0..key_count).map(|_| secret(random)).collect();
        let parsed: Vec<SecpKey> = secrets.iter().map(|s| SecpKey::from_secret_key(SECP256K1, s)).collect();
        let signers: Vec<usize> = (0..digests.len()).map(|item| item % key_count).collect();
        let signed = signers.iter().zip(digests).map(|(at, digest)| sign(&secrets[*at], *digest)).collect();
        Self { keys: parsed.iter().map(bytes).collect(), parsed, signed, signers }
    }
}

/// The generator of `seed`.
pub(crate) fn random(seed: u64) -> Random {
    Random::seed_from_u64(seed)
}

fn secret(random: &mut Random) -> SecretKey {
    loop {
        if let Ok(key) = SecretKey::from_byte_array(random.random()) {
            return key;
        }
    }
}

fn bytes(key: &SecpKey) -> PublicKey {
    PublicKey(*key.serialize_uncompressed().last_chunk().expect("65 bytes"))
}

fn sign(key: &SecretKey, digest: Hash) -> Signed {
    let (id, compact) = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest.0), key).serialize_compact();
    let mut signature = [0; SIGNATURE_BYTES];
    signature[..64].copy_from_slice(&compact);
    signature[64] = i32::from(id) as u8;
    Signed { digest, signature }
}

/// How many items hold one bad, for the two rates of bad items that are measured: 0.1 % and 1 %.
pub(crate) const BAD_ONE_IN: [usize; 2] = [1000, 100];

/// Which items of a workload are bad, and in what way.
#[derive(Clone, Copy)]
pub(crate) struct Bad {
    pub(crate) one_in: usize,
    pub(crate) corrupt: fn(&mut Random, &mut Signed),
}

impl Bad {
    /// The places of the bad ones of `count` items: one at random in each stretch of `one_in`.
    pub(crate) fn places(self, random: &mut Random, count: usize) -> Vec<usize> {
        (0..count / self.one_in).map(|stretch| stretch * self.one_in + random.random_range(0..self.one_in)).collect()
    }
}

/// Flips a bit of the digest: the item looks good until everything is computed. An adversary would do nothing else.
pub(crate) fn flip_digest(random: &mut Random, item: &mut Signed) {
    let byte = random.random_range(0..32);
    item.digest.0[byte] ^= 1 << random.random_range(0..8);
}

/// Makes an item bad in a way that still recovers a key (somebody else's) or, half of the time that r changes, none.
/// Every verifier refuses it for the key that signed.
pub(crate) fn corrupt(random: &mut Random, item: &mut Signed) {
    match random.random_range(0..3) {
        0 => flip_digest(random, item),
        1 => random.fill(&mut item.signature[1..32]),
        _ => random.fill(&mut item.signature[33..64]),
    }
}

/// As [`corrupt`], or a wrong parity, or a form that every implementation refuses: r or s of 0, r of at least the order,
/// a recovery id of 27.
pub(crate) fn corrupt_any(random: &mut Random, item: &mut Signed) {
    match random.random_range(0..8) {
        0 => item.signature[64] ^= 1,
        1 => item.signature[..32].fill(0),
        2 => item.signature[32..64].fill(0),
        3 => item.signature[..32].fill(0xff),
        4 => item.signature[64] = 27,
        _ => corrupt(random, item),
    }
}
