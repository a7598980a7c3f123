//! secp256k1: recovery and signing through libsecp256k1 (`spec/ledger.md` §1.4).

use rand::{TryRngCore, rngs::OsRng};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};
use vigil_primitives::{Address, Hash, SIGNATURE_BYTES, Signature};
use zeroize::Zeroizing;

/// Order n of the group, big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];
/// Largest low s: (n - 1) / 2, big-endian.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e,
    0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// Why a signature recovers nobody. Checked in this order, so that every implementation gives the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SignatureError {
    /// Not 65 bytes.
    #[error("a signature has 65 bytes, got {0}")]
    Length(usize),
    /// The last byte is not 0 or 1 (or, where Ethereum's forms are allowed, none of those either).
    #[error("recovery id {0} is not allowed here")]
    RecoveryId(u8),
    /// r is 0 or at least the group order.
    #[error("r is not in 1..n")]
    R,
    /// s is 0 or at least the group order.
    #[error("s is not in 1..n")]
    S,
    /// s is above half the group order.
    #[error("s is in the upper half")]
    HighS,
    /// No point has this x, or the key would be the point at infinity.
    #[error("no public key gives this signature")]
    NoKey,
    /// Only where the signer's key was given: it is not the key that signed, or no key signed.
    #[error("not signed with this key")]
    WrongKey,
}

/// A point of the curve as x and y, 32 bytes each, big-endian. Not checked: bytes that are no point signed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; 64]);

impl PublicKey {
    /// The account it controls: the last 20 bytes of its Keccak-256.
    pub fn address(&self) -> Address {
        Address::from_raw_public_key(&self.0)
    }

    /// From the 64-bit words of x and of y, the least significant first.
    pub fn from_words(words: [u64; 8]) -> Self {
        let mut bytes = [0; 64];
        let (x, y) = words.split_at(4);
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(x.iter().rev().chain(y.iter().rev())) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Self(bytes)
    }

    /// The 64-bit words of x and of y, the least significant first.
    pub fn to_words(&self) -> [u64; 8] {
        let word = |i: usize| u64::from_be_bytes(self.0[8 * i..][..8].try_into().expect("8 bytes"));
        std::array::from_fn(|i| if i < 4 { word(3 - i) } else { word(11 - i) })
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", hex::encode(self.0))
    }
}

/// The address whose key signed `digest`.
///
/// - `sig`: `r || s || v`, r and s 32 bytes big-endian in 1..n, s in the lower half, v 0 or 1.
///
/// # Errors
/// [`SignatureError`], the first rule that is broken.
pub fn recover(digest: &Hash, sig: &[u8; SIGNATURE_BYTES]) -> Result<Address, SignatureError> {
    recover_key(digest, sig).map(|key| key.address())
}

/// As [`recover`], but the key.
///
/// # Errors
/// [`SignatureError`], the first rule that is broken.
pub fn recover_key(digest: &Hash, sig: &[u8; SIGNATURE_BYTES]) -> Result<PublicKey, SignatureError> {
    let (compact, v) = split(sig);
    check(compact, v)?;
    let id = if v == 0 { RecoveryId::Zero } else { RecoveryId::One };
    let signature = RecoverableSignature::from_compact(compact, id).map_err(|_| SignatureError::NoKey)?;
    let key = SECP256K1.recover_ecdsa(Message::from_digest(digest.0), &signature).map_err(|_| SignatureError::NoKey)?;
    Ok(key_of(&key))
}

/// Whether `key` signed `digest`: exactly when [`recover_key`] gives `key`.
///
/// # Errors
/// [`SignatureError`]: the first rule of form that is broken, else [`SignatureError::WrongKey`].
pub fn verify_known(digest: &Hash, sig: &[u8; SIGNATURE_BYTES], key: &PublicKey) -> Result<(), SignatureError> {
    match recover_key(digest, sig) {
        Ok(signer) if signer == *key => Ok(()),
        Ok(_) | Err(SignatureError::NoKey) => Err(SignatureError::WrongKey),
        Err(reason) => Err(reason),
    }
}

/// As [`recover`], for the signature of an Ethereum transaction as the ledger stores it: v is 27 or 28. (Bytes from 35 on,
/// which the reference takes too (`spec/ledger.md` §1.6), would give one transaction many forms.)
///
/// # Errors
/// [`SignatureError`], as [`recover`].
pub fn recover_eth(digest: &Hash, sig: &[u8; SIGNATURE_BYTES]) -> Result<Address, SignatureError> {
    recover(digest, &native(sig)?)
}

/// The form that [`recover`] takes of a signature of [`recover_eth`]'s.
pub(crate) fn native(sig: &[u8; SIGNATURE_BYTES]) -> Result<[u8; SIGNATURE_BYTES], SignatureError> {
    let mut native = *sig;
    native[64] = match sig[64] {
        v @ 27..=28 => v - 27,
        v => return Err(SignatureError::RecoveryId(v)),
    };
    Ok(native)
}

/// True if `signature` is `signer`'s over `digest`, by the rules of [`recover`].
pub fn verify_digest(signer: &Address, digest: &Hash, signature: &Signature) -> bool {
    signature.as_array().is_some_and(|sig| recover(digest, sig) == Ok(*signer))
}

fn split(sig: &[u8; SIGNATURE_BYTES]) -> (&[u8], u8) {
    (&sig[..64], sig[64])
}

fn check(compact: &[u8], v: u8) -> Result<(), SignatureError> {
    let (r, s) = compact.split_at(32);
    let in_order = |x: &[u8]| x.iter().any(|b| *b != 0) && x < ORDER.as_slice();
    if v > 1 {
        Err(SignatureError::RecoveryId(v))
    } else if !in_order(r) {
        Err(SignatureError::R)
    } else if !in_order(s) {
        Err(SignatureError::S)
    } else if s > HALF_ORDER.as_slice() {
        Err(SignatureError::HighS)
    } else {
        Ok(())
    }
}

fn key_of(key: &secp256k1::PublicKey) -> PublicKey {
    let bytes = key.serialize_uncompressed();
    PublicKey(*bytes.last_chunk().expect("65 bytes"))
}

/// A private key. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// From 32 bytes, big-endian. `None` if the number is 0 or at least the group order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let mut key = secp256k1::SecretKey::from_byte_array(*bytes).ok()?;
        key.non_secure_erase();
        Some(Self(Zeroizing::new(*bytes)))
    }

    /// A new key from the operating system's randomness.
    ///
    /// # Panics
    /// If the operating system gives none.
    pub fn generate() -> Self {
        loop {
            let mut bytes = Zeroizing::new([0u8; 32]);
            OsRng.try_fill_bytes(bytes.as_mut()).expect("the operating system has randomness");
            if let Some(key) = Self::from_bytes(&bytes) {
                return key;
            }
        }
    }

    /// The 32 bytes, big-endian; wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// The account it controls.
    pub fn address(&self) -> Address {
        self.public_key().address()
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        self.with_key(|key| key_of(&secp256k1::PublicKey::from_secret_key(SECP256K1, key)))
    }

    /// Signs a digest: deterministic nonce (RFC 6979), low s, v 0 or 1.
    pub fn sign(&self, digest: &Hash) -> Signature {
        let message = Message::from_digest(digest.0);
        let (id, compact) = self.with_key(|key| SECP256K1.sign_ecdsa_recoverable(message, key)).serialize_compact();
        let mut bytes = [0u8; SIGNATURE_BYTES];
        bytes[..64].copy_from_slice(&compact);
        bytes[64] = i32::from(id) as u8;
        Signature::from(bytes)
    }

    fn with_key<T>(&self, f: impl FnOnce(&secp256k1::SecretKey) -> T) -> T {
        let mut key = secp256k1::SecretKey::from_byte_array(*self.0).expect("checked when made");
        let result = f(&key);
        key.non_secure_erase();
        result
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}
