//! A private folder of key files, each named by an address.

use super::KeystoreError;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use vigil_primitives::Address;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Mode 0700.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Opens it; makes it if it is not there.
    pub(super) fn open(folder: PathBuf) -> Result<Self, KeystoreError> {
        if !folder.exists() {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&folder).map_err(at(&folder))?;
        }
        let mode = fs::metadata(&folder).map_err(at(&folder))?.permissions().mode() & 0o777;
        if mode == FOLDER_MODE { Ok(Self(folder)) } else { Err(KeystoreError::Mode { path: folder, mode }) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Addresses that have a file, ascending.
    pub(super) fn list(&self) -> Result<Vec<Address>, KeystoreError> {
        let mut addresses = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(at(&self.0))? {
            let name = entry.map_err(at(&self.0))?.file_name();
            let is_address = |name: &&str| name.len() == 40 && name.bytes().all(|b| b.is_ascii_hexdigit());
            addresses.extend(name.to_str().filter(is_address).and_then(|name| name.parse::<Address>().ok()));
        }
        addresses.sort_unstable();
        addresses.dedup();
        Ok(addresses)
    }

    /// The file of `address`.
    pub(super) fn find(&self, address: &Address) -> Result<PathBuf, KeystoreError> {
        let mut paths = names(address).into_iter().map(|name| self.0.join(name));
        let missing = || KeystoreError::NoKey { address: *address, path: self.0.clone() };
        paths.find(|path| path.is_file()).ok_or_else(missing)
    }

    pub(super) fn read(&self, address: &Address) -> Result<String, KeystoreError> {
        let path = self.find(address)?;
        fs::read_to_string(&path).map_err(at(&path))
    }

    pub(super) fn delete(&self, address: &Address) -> Result<(), KeystoreError> {
        let path = self.find(address)?;
        fs::remove_file(&path).map_err(at(&path))
    }

    /// Writes the first file of `address`; answers its path.
    pub(super) fn write_new(&self, address: &Address, text: impl FnOnce() -> String) -> Result<PathBuf, KeystoreError> {
        if let Ok(path) = self.find(address) {
            return Err(KeystoreError::Exists { path });
        }
        let path = self.0.join(names(address)[0].as_str());
        self.write(&path, &text())?;
        Ok(path)
    }

    /// A temporary file in the same folder, synced, then renamed.
    pub(super) fn write(&self, path: &Path, text: &str) -> Result<(), KeystoreError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:016x}.tmp", rand::random::<u64>()));
        let temporary = self.0.join(name);
        let result = write_new(&temporary, text).and_then(|()| fs::rename(&temporary, path));
        if result.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&temporary);
        }
        result.map_err(at(path))?;
        File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(at(&self.0))
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeystoreError {
    let path = path.to_owned();
    |source| KeystoreError::Io { path, source }
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
