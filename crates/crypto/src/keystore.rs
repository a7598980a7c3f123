//! Key files: the Ethereum "version 3" keystore, one JSON file a key in a private folder (`spec/cli.md` §3); the same for
//! the BLS keys of guardians, each file named by the guardian's address.

mod cipher;
mod file;
mod folder;

pub use cipher::Cost;
pub use file::{decrypt, encrypt};

use crate::{SecretKey, bls};
use file::{decrypt_bls, encrypt_bls};
use folder::Folder;
use std::io;
use std::path::{Path, PathBuf};
use vigil_primitives::Address;

/// What can go wrong with a key file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could read the folder.
    #[error("{} must have permission set to 0700, it has {mode:04o}", path.display())]
    Mode {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// No file for this address.
    #[error("no key for {address} in {}", path.display())]
    NoKey {
        /// Asked for.
        address: Address,
        /// The folder.
        path: PathBuf,
    },
    /// A file for this address is there already.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The MAC does not fit: wrong password, or a damaged file.
    #[error("could not decrypt the key with the given password")]
    Password,
    /// The file holds the key of another account.
    #[error("the key file is for {expected}, but its key is that of {got}")]
    WrongAddress {
        /// Asked for, or stated in the file.
        expected: Address,
        /// The key's.
        got: Address,
    },
    /// Not a version 3 key file, or one with parameters outside our limits.
    #[error("key file: `{field}` {problem}")]
    Format {
        /// The JSON key.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// A folder of key files, mode 0700, each file named by its address.
#[derive(Clone, Debug)]
pub struct Keystore(Folder);

impl Keystore {
    /// Opens a folder; makes it, mode 0700, if it is not there.
    ///
    /// # Errors
    /// [`KeystoreError::Mode`] if others have access to it, [`KeystoreError::Io`].
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, KeystoreError> {
        Folder::open(folder.into()).map(Self)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Addresses of the keys, ascending.
    ///
    /// # Errors
    /// [`KeystoreError::Io`].
    pub fn list(&self) -> Result<Vec<Address>, KeystoreError> {
        self.0.list()
    }

    /// True if there is a key file for `address`.
    pub fn contains(&self, address: &Address) -> bool {
        self.0.find(address).is_ok()
    }

    /// Decrypts the key of `address`.
    ///
    /// # Errors
    /// [`KeystoreError`]: no file, wrong password, another account's key, a broken file.
    pub fn load(&self, address: &Address, password: &str) -> Result<SecretKey, KeystoreError> {
        let key = decrypt(&self.0.read(address)?, password)?;
        if key.address() == *address {
            Ok(key)
        } else {
            Err(KeystoreError::WrongAddress { expected: *address, got: key.address() })
        }
    }

    /// Writes the file of a new key; answers its path.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`] if there is one already, [`KeystoreError::Io`].
    pub fn save(&self, key: &SecretKey, password: &str, cost: Cost) -> Result<PathBuf, KeystoreError> {
        self.0.write_new(&key.address(), || encrypt(key, password, cost))
    }

    /// Encrypts the key of `address` under a new password. The old file stays until the new one is whole.
    ///
    /// # Errors
    /// As [`Self::load`] and [`Self::save`].
    pub fn change_password(&self, address: &Address, old: &str, new: &str, cost: Cost) -> Result<(), KeystoreError> {
        let key = self.load(address, old)?;
        self.0.write(&self.0.find(address)?, &encrypt(&key, new, cost))
    }

    /// Removes the key file of `address`, for good.
    ///
    /// # Errors
    /// [`KeystoreError::NoKey`], [`KeystoreError::Io`].
    pub fn delete(&self, address: &Address) -> Result<(), KeystoreError> {
        self.0.delete(address)
    }
}

/// A folder of the BLS keys that guardians vote with, mode 0700, each file named by the guardian's address.
#[derive(Clone, Debug)]
pub struct BlsKeystore(Folder);

impl BlsKeystore {
    /// As [`Keystore::open`].
    ///
    /// # Errors
    /// As there.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, KeystoreError> {
        Folder::open(folder.into()).map(Self)
    }

    /// Addresses of the guardians, ascending.
    ///
    /// # Errors
    /// [`KeystoreError::Io`].
    pub fn list(&self) -> Result<Vec<Address>, KeystoreError> {
        self.0.list()
    }

    /// True if there is a key file for `address`.
    pub fn contains(&self, address: &Address) -> bool {
        self.0.find(address).is_ok()
    }

    /// Decrypts the key of the guardian `address`.
    ///
    /// # Errors
    /// [`KeystoreError`]: no file, wrong password, another guardian's file, another public key than the file states, a
    /// broken file.
    pub fn load(&self, address: &Address, password: &str) -> Result<bls::SecretKey, KeystoreError> {
        decrypt_bls(address, &self.0.read(address)?, password)
    }

    /// Writes the file of the guardian `address`; answers its path.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`] if there is one already, [`KeystoreError::Io`].
    pub fn save(
        &self,
        address: &Address,
        key: &bls::SecretKey,
        password: &str,
        cost: Cost,
    ) -> Result<PathBuf, KeystoreError> {
        self.0.write_new(address, || encrypt_bls(address, key, password, cost))
    }
}
