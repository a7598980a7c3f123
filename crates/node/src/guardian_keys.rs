//! The BLS keys that this node's guardians vote with: one file a guardian below `guardian/encrypted`, all under the
//! password of the node's key.

use std::path::{Path, PathBuf};
use std::thread;
use vigil_crypto::bls::SecretKey;
use vigil_crypto::keystore::{BlsKeystore, Cost, KeystoreError};
use vigil_primitives::{Address, Bytes, keccak256};
use vigil_rpc::GuardianInfo;

/// Most key files that are worked on at once: each may take 256 MiB.
const THREADS_MAX: usize = 4;

/// A guardian's key that cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum GuardianKeyError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] KeystoreError),
    /// One key.
    #[error("key of guardian {address} in {}: {source}; guardians' keys have the password of the node's key", folder.display())]
    Key {
        /// Whose.
        address: Address,
        /// Where.
        folder: PathBuf,
        /// Why.
        source: KeystoreError,
    },
}

/// A guardian and the key that it votes with.
pub type GuardianKey = (Address, SecretKey);

/// Opens the key of the guardian `address` below `folder`, or makes one.
///
/// # Errors
/// [`GuardianKeyError`].
pub fn open_or_create(folder: &Path, address: &Address, password: &str) -> Result<SecretKey, GuardianKeyError> {
    let keystore = BlsKeystore::open(folder)?;
    let opened = match keystore.contains(address) {
        true => keystore.load(address, password),
        false => {
            let key = SecretKey::generate();
            keystore.save(address, &key, password, Cost::Standard).map(|_path| key)
        }
    };
    opened.map_err(|source| GuardianKeyError::Key { address: *address, folder: folder.to_path_buf(), source })
}

/// Opens every key below `folder`, ascending by address, on several threads.
///
/// # Errors
/// [`GuardianKeyError`] with the first key that does not open.
pub fn load_all(folder: &Path, password: &str) -> Result<Vec<GuardianKey>, GuardianKeyError> {
    let keystore = BlsKeystore::open(folder)?;
    in_threads(&keystore.list()?, |address| match keystore.load(address, password) {
        Ok(key) => Ok((*address, key)),
        Err(source) => Err(GuardianKeyError::Key { address: *address, folder: folder.to_path_buf(), source }),
    })
}

/// What a deposit names to stake on the guardian with this node key and this BLS key (`spec/cli.md` §2).
pub fn info(node: &vigil_crypto::SecretKey, key: &SecretKey) -> GuardianInfo {
    let proof = key.prove_possession().to_bytes();
    GuardianInfo {
        address: node.address(),
        bls_pubkey: Bytes::copy_from_slice(&key.public_key().to_bytes()),
        bls_pop: Bytes::copy_from_slice(&proof),
        signature: node.sign(&keccak256(proof)),
    }
}

/// Writes new keys below `folder`, on several threads.
///
/// # Errors
/// [`GuardianKeyError`]; some keys may be written then.
pub fn save_all(folder: &Path, keys: &[GuardianKey], password: &str, cost: Cost) -> Result<(), GuardianKeyError> {
    let keystore = BlsKeystore::open(folder)?;
    let save = |(address, key): &GuardianKey| match keystore.save(address, key, password, cost) {
        Ok(_path) => Ok(()),
        Err(source) => Err(GuardianKeyError::Key { address: *address, folder: folder.to_path_buf(), source }),
    };
    in_threads(keys, save).map(drop)
}

/// `work` on each item, in order of the items; ends with the first error of a thread.
fn in_threads<T: Sync, R: Send, E: Send>(items: &[T], work: impl Fn(&T) -> Result<R, E> + Sync) -> Result<Vec<R>, E> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let share = items.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let run = |part: &[T]| part.iter().map(&work).collect::<Result<Vec<R>, E>>();
        let started: Vec<_> = items.chunks(share).map(|part| scope.spawn(move || run(part))).collect();
        let parts: Result<Vec<_>, E> = started.into_iter().map(|t| t.join().expect("no thread panics")).collect();
        Ok(parts?.into_iter().flatten().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_open_in_order_and_a_wrong_password_names_the_key() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let folder = dir.path().join("guardian/encrypted");
        assert!(load_all(&folder, "p").expect("no keys").is_empty());
        let keys: Vec<_> = (1..=9u8).map(|i| (Address::repeat_byte(i), SecretKey::generate())).collect();
        save_all(&folder, &keys, "p", Cost::Light).expect("written");
        let public = |keys: &[GuardianKey]| -> Vec<_> { keys.iter().map(|(a, k)| (*a, k.public_key())).collect() };
        assert_eq!(public(&load_all(&folder, "p").expect("opened")), public(&keys));
        let error = load_all(&folder, "q").expect_err("refused").to_string();
        assert!(error.contains(&Address::repeat_byte(1).to_string()) && error.contains("password"), "{error}");
        assert!(save_all(&folder, &keys[..1], "p", Cost::Light).is_err(), "a key in use is never replaced");
    }

    #[test]
    fn what_a_deposit_names_is_proven() {
        let (node, key) = (vigil_crypto::SecretKey::generate(), SecretKey::generate());
        let info = info(&node, &key);
        let proof = vigil_crypto::bls::Signature::from_bytes(&info.bls_pop).expect("a signature");
        assert!(key.public_key().verify_possession(&proof));
        assert_eq!(info.bls_pubkey[..], key.public_key().to_bytes());
        let signature = info.signature.as_array().expect("65 bytes");
        assert_eq!(vigil_crypto::recover(&keccak256(&info.bls_pop), signature).expect("a signature"), node.address());
    }

    #[test]
    fn a_key_is_made_once() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let (folder, address) = (dir.path().join("guardian/encrypted"), Address::repeat_byte(7));
        let made = open_or_create(&folder, &address, "p").expect("made").public_key();
        assert_eq!(open_or_create(&folder, &address, "p").expect("opened").public_key(), made);
        assert!(open_or_create(&folder, &address, "q").is_err());
    }
}
