//! Key files: the Ethereum "version 3" keystore, one JSON file a key in a private folder (`spec/cli.md` §3).

mod file;

pub use file::{Cost, decrypt, encrypt};

use crate::SecretKey;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use vigil_primitives::Address;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

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

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeystoreError {
    let path = path.to_owned();
    |source| KeystoreError::Io { path, source }
}

/// A folder of key files, mode 0700, each file named by its address.
#[derive(Clone, Debug)]
pub struct Keystore {
    folder: PathBuf,
}

impl Keystore {
    /// Opens a folder; makes it, mode 0700, if it is not there.
    ///
    /// # Errors
    /// [`KeystoreError::Mode`] if others have access to it, [`KeystoreError::Io`].
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, KeystoreError> {
        let folder = folder.into();
        if !folder.exists() {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&folder).map_err(at(&folder))?;
        }
        let mode = fs::metadata(&folder).map_err(at(&folder))?.permissions().mode() & 0o777;
        if mode != FOLDER_MODE {
            return Err(KeystoreError::Mode { path: folder, mode });
        }
        Ok(Self { folder })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Addresses of the keys, ascending.
    ///
    /// # Errors
    /// [`KeystoreError::Io`].
    pub fn list(&self) -> Result<Vec<Address>, KeystoreError> {
        let mut addresses = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(at(&self.folder))? {
            let name = entry.map_err(at(&self.folder))?.file_name();
            let is_address = |name: &&str| name.len() == 40 && name.bytes().all(|b| b.is_ascii_hexdigit());
            addresses.extend(name.to_str().filter(is_address).and_then(|name| name.parse::<Address>().ok()));
        }
        addresses.sort_unstable();
        addresses.dedup();
        Ok(addresses)
    }

    /// True if there is a key file for `address`.
    pub fn contains(&self, address: &Address) -> bool {
        self.find(address).is_ok()
    }

    /// Decrypts the key of `address`.
    ///
    /// # Errors
    /// [`KeystoreError`]: no file, wrong password, another account's key, a broken file.
    pub fn load(&self, address: &Address, password: &str) -> Result<SecretKey, KeystoreError> {
        let path = self.find(address)?;
        let key = decrypt(&fs::read_to_string(&path).map_err(at(&path))?, password)?;
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
        let address = key.address();
        if let Ok(path) = self.find(&address) {
            return Err(KeystoreError::Exists { path });
        }
        let path = self.folder.join(names(&address)[0].as_str());
        self.write(&path, &encrypt(key, password, cost))?;
        Ok(path)
    }

    /// Encrypts the key of `address` under a new password. The old file stays until the new one is whole.
    ///
    /// # Errors
    /// As [`Self::load`] and [`Self::save`].
    pub fn change_password(&self, address: &Address, old: &str, new: &str, cost: Cost) -> Result<(), KeystoreError> {
        let key = self.load(address, old)?;
        self.write(&self.find(address)?, &encrypt(&key, new, cost))
    }

    /// Removes the key file of `address`, for good.
    ///
    /// # Errors
    /// [`KeystoreError::NoKey`], [`KeystoreError::Io`].
    pub fn delete(&self, address: &Address) -> Result<(), KeystoreError> {
        let path = self.find(address)?;
        fs::remove_file(&path).map_err(at(&path))
    }

    fn find(&self, address: &Address) -> Result<PathBuf, KeystoreError> {
        let mut paths = names(address).into_iter().map(|name| self.folder.join(name));
        let missing = || KeystoreError::NoKey { address: *address, path: self.folder.clone() };
        paths.find(|path| path.is_file()).ok_or_else(missing)
    }

    /// A temporary file in the same folder, synced, then renamed.
    fn write(&self, path: &Path, text: &str) -> Result<(), KeystoreError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:016x}.tmp", rand::random::<u64>()));
        let temporary = self.folder.join(name);
        let result = write_new(&temporary, text).and_then(|()| fs::rename(&temporary, path));
        if result.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&temporary);
        }
        result.map_err(at(path))?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(at(&self.folder))
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The names a key file may have: checksum case (ours), lower, upper; no `0x`.
fn names(address: &Address) -> [String; 3] {
    let checksum = address.to_checksum(None).split_off(2);
    let (lower, upper) = (checksum.to_lowercase(), checksum.to_uppercase());
    [checksum, lower, upper]
}
