//! The node key: an Ed25519 key of its own, apart from the consensus key.

use libp2p::identity::{Keypair, ed25519};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why the node key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The file.
    #[error("node key {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("node key {path} has mode {mode:04o}, it must be 0600: run chmod 600 on it")]
    Mode {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not 64 hexadecimal digits.
    #[error("node key {path} is not 64 hexadecimal digits; remove it to get a new identity")]
    Content {
        /// Which.
        path: PathBuf,
    },
}

/// Reads the node key from `path`, or makes one from the system's randomness and writes it there with mode 0600.
///
/// # Errors
/// [`IdentityError`].
pub fn load_or_create_identity(path: &Path) -> Result<Keypair, IdentityError> {
    let file = |source| IdentityError::File { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(IdentityError::Mode { path: path.to_owned(), mode });
            }
            let content = || IdentityError::Content { path: path.to_owned() };
            let text = std::fs::read_to_string(path).map_err(file)?;
            let mut secret = hex::decode(text.trim()).map_err(|_| content())?;
            Keypair::ed25519_from_bytes(&mut secret).map_err(|_| content())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let pair = ed25519::Keypair::generate();
            let mut out =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file)?;
            writeln!(out, "{}", hex::encode(pair.secret())).and_then(|()| out.sync_all()).map_err(file)?;
            Ok(pair.into())
        }
        Err(error) => Err(file(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p2p.key");
        let made = load_or_create_identity(&path).unwrap();
        let loaded = load_or_create_identity(&path).unwrap();
        assert_eq!(made.public(), loaded.public());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p2p.key");
        load_or_create_identity(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load_or_create_identity(&path), Err(IdentityError::Mode { mode: 0o644, .. })));
    }

    #[test]
    fn a_broken_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p2p.key");
        for text in ["", "zz", "00ff"] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(load_or_create_identity(&path), Err(IdentityError::Content { .. })), "{text:?}");
        }
    }
}
