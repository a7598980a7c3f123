//! Key files: of an account, the Ethereum "version 3" form; of a guardian, the same with its BLS public key.

use super::KeystoreError;
use super::cipher::{Cost, Crypto, expect, format, random};
use crate::{SecretKey, bls};
use serde::{Deserialize, Serialize};
use vigil_primitives::Address;

const VERSION: u64 = 3;
/// Largest key file that is read, in bytes.
const FILE_BYTES_MAX: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
struct KeyFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bls_public_key: Option<String>,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
    #[serde(default)]
    id: String,
    version: u64,
}

impl KeyFile {
    fn text(address: &Address, bls_public_key: Option<String>, crypto: Crypto) -> String {
        let (address, id) = (Some(hex::encode(address)), uuid_v4(random()));
        let file = Self { address, bls_public_key, crypto, id, version: VERSION };
        serde_json::to_string(&file).expect("strings and numbers")
    }

    fn read(json: &str) -> Result<Self, KeystoreError> {
        if json.len() > FILE_BYTES_MAX {
            return Err(format("file", format!("has {} bytes, the limit is {FILE_BYTES_MAX}", json.len())));
        }
        let file: Self = serde_json::from_str(json).map_err(|e| format("file", format!("is no version 3 key: {e}")))?;
        expect("version", file.version, VERSION)?;
        Ok(file)
    }

    /// The address that it states, if any.
    fn stated(&self) -> Result<Option<Address>, KeystoreError> {
        let parse = |text: &str| text.parse().map_err(|_| format("address", format!("`{text}` is no address")));
        self.address.as_deref().map(parse).transpose()
    }
}

/// Encrypts a key; answers the JSON of its file.
///
/// # Panics
/// If the operating system gives no randomness.
pub fn encrypt(key: &SecretKey, password: &str, cost: Cost) -> String {
    KeyFile::text(&key.address(), None, Crypto::seal(&key.to_bytes(), password, cost))
}

/// Decrypts the key of a file.
///
/// The file's own parameters are obeyed within limits on memory and time: scrypt n * r * 128 up to 512 MiB and p up to
/// 16, pbkdf2 up to 10 million rounds.
///
/// # Errors
/// [`KeystoreError::Format`], [`KeystoreError::Password`], [`KeystoreError::WrongAddress`] if the file states another.
pub fn decrypt(json: &str, password: &str) -> Result<SecretKey, KeystoreError> {
    let file = KeyFile::read(json)?;
    let key = SecretKey::from_bytes(&*file.crypto.open(password)?);
    let key = key.ok_or_else(|| format("crypto.ciphertext", "is no private key".into()))?;
    match file.stated()? {
        Some(expected) if expected != key.address() => {
            Err(KeystoreError::WrongAddress { expected, got: key.address() })
        }
        _ => Ok(key),
    }
}

/// Encrypts the BLS key that the guardian `address` votes with; answers the JSON of its file.
pub(super) fn encrypt_bls(address: &Address, key: &bls::SecretKey, password: &str, cost: Cost) -> String {
    let public = hex::encode(key.public_key().to_bytes());
    KeyFile::text(address, Some(public), Crypto::seal(&key.to_bytes(), password, cost))
}

/// Decrypts the key of a file of the guardian `address`.
pub(super) fn decrypt_bls(address: &Address, json: &str, password: &str) -> Result<bls::SecretKey, KeystoreError> {
    let file = KeyFile::read(json)?;
    let missing = |field| format(field, "is missing: this is no guardian's key".into());
    let got = file.stated()?.ok_or_else(|| missing("address"))?;
    if got != *address {
        return Err(KeystoreError::WrongAddress { expected: *address, got });
    }
    let expected = file.bls_public_key.as_deref().ok_or_else(|| missing("bls_public_key"))?;
    let key = bls::SecretKey::from_bytes(&*file.crypto.open(password)?);
    let key = key.map_err(|e| format("crypto.ciphertext", format!("is no BLS key: {e}")))?;
    let got = hex::encode(key.public_key().to_bytes());
    expect("bls_public_key", expected.strip_prefix("0x").unwrap_or(expected).to_lowercase(), got)?;
    Ok(key)
}

fn uuid_v4(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}
