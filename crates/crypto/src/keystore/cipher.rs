//! The `crypto` part of a key file: 32 secret bytes under a password.

use super::KeystoreError;
use crate::keccak256;
use aes::cipher::{KeyIvInit, StreamCipher};
use rand::{TryRngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;

const CIPHER: &str = "aes-128-ctr";
const PRF: &str = "hmac-sha256";
/// Most memory that a file may make us use (scrypt's n * r * 128), in bytes.
const SCRYPT_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Most repetitions of that work.
const SCRYPT_P_MAX: u64 = 16;
/// Most rounds of pbkdf2.
const PBKDF2_ROUNDS_MAX: u64 = 10_000_000;
const DERIVED_BYTES_MAX: u64 = 64;

/// How much work a password guess costs: scrypt's n, with r = 8 and p = 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// n = 262,144: about a second and 256 MiB.
    Standard,
    /// n = 4,096: for keys that are public anyway, as in tests and on a localnet.
    Light,
}

impl Cost {
    fn n(self) -> u64 {
        match self {
            Self::Standard => 262_144,
            Self::Light => 4_096,
        }
    }
}

/// Cipher, key derivation and check value.
#[derive(Serialize, Deserialize)]
pub(super) struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdf: String,
    kdfparams: KdfParams,
    mac: String,
}

#[derive(Serialize, Deserialize)]
struct CipherParams {
    iv: String,
}

/// Of both derivations; each uses its own.
#[derive(Serialize, Deserialize)]
struct KdfParams {
    dklen: u64,
    salt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prf: Option<String>,
}

impl Crypto {
    /// Encrypts.
    pub(super) fn seal(secret: &[u8; 32], password: &str, cost: Cost) -> Self {
        let (salt, iv) = (random::<32>(), random::<16>());
        let (n, r, p) = (Some(cost.n()), Some(8), Some(1));
        let kdfparams = KdfParams { dklen: 32, salt: hex::encode(salt), n, r, p, c: None, prf: None };
        let derived = scrypt(&kdfparams, password, &salt).expect("our own parameters are within the limits");
        let mut text = Zeroizing::new(*secret);
        apply_cipher(&derived, &iv, text.as_mut());
        Self {
            cipher: CIPHER.into(),
            cipherparams: CipherParams { iv: hex::encode(iv) },
            ciphertext: hex::encode(text.as_ref()),
            kdf: "scrypt".into(),
            kdfparams,
            mac: hex::encode(mac(&derived, text.as_ref())),
        }
    }

    /// Decrypts. A shorter secret is padded with zeros in front.
    pub(super) fn open(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        expect("crypto.cipher", self.cipher.as_str(), CIPHER)?;
        let mut text = Zeroizing::new(bytes("crypto.ciphertext", &self.ciphertext)?);
        if text.is_empty() || text.len() > 32 {
            return Err(format("crypto.ciphertext", format!("has {} bytes, must have 1 to 32", text.len())));
        }
        let iv = bytes("crypto.cipherparams.iv", &self.cipherparams.iv)?;
        let iv: [u8; 16] =
            iv.as_slice().try_into().map_err(|_| format("crypto.cipherparams.iv", "must have 16 bytes".into()))?;
        let derived = derive(self, password)?;
        if !same(&mac(&derived, &text), &bytes("crypto.mac", &self.mac)?) {
            return Err(KeystoreError::Password);
        }
        apply_cipher(&derived, &iv, &mut text);
        let mut padded = Zeroizing::new([0u8; 32]);
        padded[32 - text.len()..].copy_from_slice(&text);
        Ok(padded)
    }
}

fn derive(crypto: &Crypto, password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let params = &crypto.kdfparams;
    in_range("crypto.kdfparams.dklen", Some(params.dklen), 32, DERIVED_BYTES_MAX)?;
    let salt = bytes("crypto.kdfparams.salt", &params.salt)?;
    match crypto.kdf.as_str() {
        "scrypt" => scrypt(params, password, &salt),
        "pbkdf2" => pbkdf2(params, password, &salt),
        other => Err(format("crypto.kdf", format!("is `{other}`, must be scrypt or pbkdf2"))),
    }
}

/// The first 32 bytes; a longer `dklen` has the same beginning and nothing uses the rest.
fn scrypt(params: &KdfParams, password: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let n = in_range("crypto.kdfparams.n", params.n, 2, SCRYPT_BYTES_MAX / 128)?;
    let r = in_range("crypto.kdfparams.r", params.r, 1, SCRYPT_BYTES_MAX / 128 / n)?;
    let p = in_range("crypto.kdfparams.p", params.p, 1, SCRYPT_P_MAX)?;
    if !n.is_power_of_two() {
        return Err(format("crypto.kdfparams.n", format!("is {n}, must be a power of two")));
    }
    let problem = |_| format("crypto.kdfparams", format!("n {n}, r {r}, p {p} are not possible together"));
    let params = scrypt::Params::new(n.ilog2() as u8, r as u32, p as u32, 32).map_err(problem)?;
    let mut derived = Zeroizing::new([0u8; 32]);
    scrypt::scrypt(password.as_bytes(), salt, &params, derived.as_mut()).expect("32 bytes is a valid length");
    Ok(derived)
}

fn pbkdf2(params: &KdfParams, password: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    expect("crypto.kdfparams.prf", params.prf.as_deref().unwrap_or_default(), PRF)?;
    let rounds = in_range("crypto.kdfparams.c", params.c, 1, PBKDF2_ROUNDS_MAX)? as u32;
    let mut derived = Zeroizing::new([0u8; 32]);
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password.as_bytes(), salt, rounds, derived.as_mut());
    Ok(derived)
}

fn apply_cipher(derived: &[u8; 32], iv: &[u8; 16], text: &mut [u8]) {
    let key: &[u8; 16] = derived[..16].try_into().expect("16 of 32 bytes");
    Aes128Ctr::new(key.into(), iv.into()).apply_keystream(text);
}

fn mac(derived: &[u8; 32], ciphertext: &[u8]) -> [u8; 32] {
    keccak256([&derived[16..], ciphertext].concat()).0
}

/// Equality in a time that depends on lengths only.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    OsRng.try_fill_bytes(&mut bytes).expect("the operating system has randomness");
    bytes
}

pub(super) fn format(field: &'static str, problem: String) -> KeystoreError {
    KeystoreError::Format { field, problem }
}

pub(super) fn expect<T: PartialEq + std::fmt::Display>(
    field: &'static str,
    got: T,
    expected: T,
) -> Result<(), KeystoreError> {
    if got == expected { Ok(()) } else { Err(format(field, format!("is `{got}`, must be `{expected}`"))) }
}

fn in_range(field: &'static str, got: Option<u64>, min: u64, max: u64) -> Result<u64, KeystoreError> {
    match got {
        Some(got) if (min..=max).contains(&got) => Ok(got),
        Some(got) => Err(format(field, format!("is {got}, must be {min} to {max}"))),
        None => Err(format(field, "is missing".into())),
    }
}

pub(super) fn bytes(field: &'static str, text: &str) -> Result<Vec<u8>, KeystoreError> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|e| format(field, format!("is not hex: {e}")))
}
