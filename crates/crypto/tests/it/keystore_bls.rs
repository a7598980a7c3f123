//! Key files of guardians: private, bound to the guardian and its public key, and no account's.

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use vigil_crypto::bls::SecretKey;
use vigil_crypto::keystore::{BlsKeystore, Cost, Keystore, KeystoreError};
use vigil_primitives::Address;

const GUARDIAN: Address = Address::repeat_byte(0xab);

fn store() -> (tempfile::TempDir, BlsKeystore) {
    let dir = tempfile::tempdir().unwrap();
    let store = BlsKeystore::open(dir.path().join("guardian/encrypted")).unwrap();
    (dir, store)
}

fn public(key: &SecretKey) -> String {
    hex::encode(key.public_key().to_bytes())
}

#[test]
fn a_key_is_written_once_and_opens_again() {
    let (dir, store) = store();
    let key = SecretKey::generate();
    let path = store.save(&GUARDIAN, &key, "pässwörd", Cost::Light).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(path.file_name().unwrap().to_str().unwrap(), &GUARDIAN.to_checksum(None)[2..]);
    let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!((&file["address"], &file["bls_public_key"]), (&json!("ab".repeat(20)), &json!(public(&key))));
    assert!(!file.to_string().contains(&hex::encode(*key.to_bytes())));

    assert_eq!(store.list().unwrap(), [GUARDIAN]);
    assert_eq!(public(&store.load(&GUARDIAN, "pässwörd").unwrap()), public(&key));
    assert!(matches!(store.load(&GUARDIAN, "wrong"), Err(KeystoreError::Password)));
    let again = store.save(&GUARDIAN, &SecretKey::generate(), "p", Cost::Light);
    assert!(matches!(again, Err(KeystoreError::Exists { .. })), "a key in use is never replaced");
    assert!(!store.contains(&Address::ZERO));
    assert!(matches!(store.load(&Address::ZERO, "p"), Err(KeystoreError::NoKey { .. })));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");

    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o750)).unwrap();
    let open = BlsKeystore::open(dir.path().join("guardian/encrypted"));
    assert!(matches!(open, Err(KeystoreError::Mode { mode: 0o750, .. })));
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let (_dir, store) = store();
    let (key, other) = (SecretKey::generate(), SecretKey::generate());
    let path = store.save(&GUARDIAN, &key, "p", Cost::Light).unwrap();
    let good: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let error = |at: &str, value: Value| {
        let mut file = good.clone();
        *at.split('.').fold(&mut file, |at, name| &mut at[name]) = value;
        fs::write(&path, file.to_string()).unwrap();
        store.load(&GUARDIAN, "p").unwrap_err()
    };
    let field = |error: KeystoreError| match error {
        KeystoreError::Format { field, .. } => field,
        other => panic!("{other}"),
    };
    let foreign = error("bls_public_key", json!(public(&other)));
    assert!([public(&key), public(&other)].iter().all(|key| foreign.to_string().contains(key)), "{foreign}");
    assert_eq!(field(foreign), "bls_public_key");
    assert_eq!(field(error("bls_public_key", Value::Null)), "bls_public_key");
    assert_eq!(field(error("address", Value::Null)), "address");
    assert_eq!(field(error("version", json!(4))), "version");
    let stated = error("address", json!("cd".repeat(20)));
    assert!(
        matches!(stated, KeystoreError::WrongAddress { expected: GUARDIAN, got } if got == Address::repeat_byte(0xcd))
    );
    let text = good["crypto"]["ciphertext"].as_str().unwrap();
    let last = if text.ends_with("00") { "01" } else { "00" };
    let damaged = error("crypto.ciphertext", json!(format!("{}{last}", &text[..62])));
    assert!(matches!(damaged, KeystoreError::Password), "{damaged}");
    fs::write(&path, &good.to_string()[..100]).unwrap();
    assert_eq!(field(store.load(&GUARDIAN, "p").unwrap_err()), "file");

    let mut upper = good.clone();
    upper["bls_public_key"] = json!(format!("0x{}", public(&key).to_uppercase()));
    fs::write(&path, upper.to_string()).unwrap();
    assert!(store.load(&GUARDIAN, "p").is_ok());
}

#[test]
fn keys_of_accounts_and_guardians_are_not_mixed_up() {
    let (dir, store) = store();
    let path = store.save(&GUARDIAN, &SecretKey::generate(), "p", Cost::Light).unwrap();
    let accounts = Keystore::open(path.parent().unwrap()).unwrap();
    assert!(matches!(
        accounts.load(&GUARDIAN, "p"),
        Err(KeystoreError::WrongAddress { .. } | KeystoreError::Format { .. })
    ));

    let wallet = Keystore::open(dir.path().join("wallet")).unwrap();
    let key = vigil_crypto::SecretKey::generate();
    wallet.save(&key, "p", Cost::Light).unwrap();
    let error = BlsKeystore::open(dir.path().join("wallet")).unwrap().load(&key.address(), "p").unwrap_err();
    assert!(matches!(error, KeystoreError::Format { field: "bls_public_key", .. }), "{error}");
}
