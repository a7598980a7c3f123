//! The node's own key: exactly one file in its keystore (`spec/cli.md` §1).

use std::path::PathBuf;
use vigil_crypto::SecretKey;
use vigil_crypto::keystore::{Cost, Keystore, KeystoreError};
use vigil_primitives::Address;

/// Why there is no key to run with.
#[derive(Debug, thiserror::Error)]
pub enum NodeKeyError {
    /// More than one.
    #[error("Multiple encrypted keys detected under {folder}. Please keep only one key.")]
    Several {
        /// Where.
        folder: PathBuf,
    },
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
}

/// Address of the one key below `folder`; `None`: no key yet.
///
/// # Errors
/// [`NodeKeyError`].
pub fn address(folder: PathBuf) -> Result<Option<Address>, NodeKeyError> {
    match Keystore::open(&folder)?.list()?.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        _ => Err(NodeKeyError::Several { folder }),
    }
}

/// Opens the one key below `folder` with `password`, or makes one.
///
/// # Errors
/// [`NodeKeyError`]: a wrong password, several keys, no access.
pub fn open_or_create(folder: PathBuf, password: &str) -> Result<SecretKey, NodeKeyError> {
    let keystore = Keystore::open(&folder)?;
    match address(folder)? {
        Some(address) => Ok(keystore.load(&address, password)?),
        None => {
            let key = SecretKey::generate();
            keystore.save(&key, password, Cost::Standard)?;
            Ok(key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_opens_and_two_are_refused() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let folder = dir.path().join("encrypted");
        let keystore = Keystore::open(&folder).expect("made");
        let keys = [SecretKey::generate(), SecretKey::generate()];
        assert_eq!(address(folder.clone()).expect("empty"), None);
        keystore.save(&keys[0], "p", Cost::Light).expect("saved");
        assert_eq!(address(folder.clone()).expect("one"), Some(keys[0].address()));
        assert_eq!(open_or_create(folder.clone(), "p").expect("opens").address(), keys[0].address());
        assert!(open_or_create(folder.clone(), "q").is_err());
        keystore.save(&keys[1], "p", Cost::Light).expect("saved");
        assert!(matches!(open_or_create(folder, "p"), Err(NodeKeyError::Several { .. })));
    }
}
