//! Key files: foreign ones open, ours have the right shape, folders are private, and nothing is lost on the way.

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use vigil_crypto::SecretKey;
use vigil_crypto::keystore::{Cost, Keystore, KeystoreError, decrypt, encrypt};
use vigil_primitives::Address;
use vigil_testkit::vectors::{self, array, hex_at, kept_json, string};

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).unwrap()
}

fn store() -> (tempfile::TempDir, Keystore) {
    let dir = tempfile::tempdir().unwrap();
    let store = Keystore::open(dir.path().join("keys/encrypted")).unwrap();
    (dir, store)
}

#[test]
fn files_of_the_npm_package_open() {
    for case in array(&kept_json("theta-js/keystore.json"), "cases") {
        let file = case["keystore"].to_string();
        let key = decrypt(&file, string(case, "password")).unwrap();
        assert_eq!(key.to_bytes().to_vec(), hex_at(case, "private_key"));
        assert_eq!(key.address().to_checksum(None), string(case, "address"));
        assert!(matches!(decrypt(&file, "wrong"), Err(KeystoreError::Password)));
    }
}

#[test]
fn ethereum_files_open() {
    let Some(file) = vectors::json("ethereum-trie-rlp-basic/KeyStoreTests/basic_tests.json") else { return };
    for (name, case) in file.as_object().unwrap() {
        if case["json"]["crypto"]["kdfparams"]["r"] == 1 {
            // n = 2^18 with r = 1 is outside RFC 7914 (n < 2^(16 r)), and so outside the library.
            let error = decrypt(&case["json"].to_string(), string(case, "password")).unwrap_err();
            assert!(matches!(error, KeystoreError::Format { field: "crypto.kdfparams", .. }), "{name}: {error}");
            continue;
        }
        let key =
            decrypt(&case["json"].to_string(), string(case, "password")).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(key.to_bytes().to_vec(), hex_at(case, "priv"), "{name}");
    }
}

#[test]
fn our_files_have_the_published_shape() {
    let text = encrypt(&key(5), "pässwörd", Cost::Standard);
    let file: Value = serde_json::from_str(&text).unwrap();
    let (crypto, params) = (&file["crypto"], &file["crypto"]["kdfparams"]);
    assert_eq!(file["address"], hex::encode(key(5).address()));
    assert_eq!(
        (&file["version"], &crypto["cipher"], &crypto["kdf"]),
        (&json!(3), &json!("aes-128-ctr"), &json!("scrypt"))
    );
    let numbers = [&params["dklen"], &params["n"], &params["p"], &params["r"]];
    assert_eq!(numbers.map(|n| n.as_u64().unwrap()), [32, 262_144, 1, 8]);
    let lengths = [&crypto["ciphertext"], &crypto["cipherparams"]["iv"], &params["salt"], &crypto["mac"]];
    assert_eq!(lengths.map(|t| t.as_str().unwrap().len()), [64, 32, 64, 64]);
    let id = string(&file, "id");
    assert_eq!((id.len(), &id[14..15], id.matches('-').count()), (36, "4", 4));
    assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"));
    assert!(params.get("c").is_none() && params.get("prf").is_none());
    assert_eq!(decrypt(&text, "pässwörd").unwrap().to_bytes(), key(5).to_bytes());
    assert_ne!(encrypt(&key(5), "", Cost::Light), encrypt(&key(5), "", Cost::Light), "fresh salt and iv");
}

#[test]
fn a_life_in_a_folder() {
    let (_dir, store) = store();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.folder()), 0o700);
    let address = key(5).address();
    let path = store.save(&key(5), "one", Cost::Light).unwrap();
    assert_eq!(path.file_name().unwrap().to_str().unwrap(), &address.to_checksum(None)[2..]);
    assert_eq!(mode(&path), 0o600);
    store.save(&key(6), "six", Cost::Light).unwrap();
    let mut both = vec![address, key(6).address()];
    both.sort();
    fs::write(store.folder().join("notes.txt"), "not a key").unwrap();
    assert_eq!(store.list().unwrap(), both);
    assert!(matches!(store.save(&key(5), "other", Cost::Light), Err(KeystoreError::Exists { .. })));
    assert!(matches!(store.change_password(&address, "wrong", "two", Cost::Light), Err(KeystoreError::Password)));
    store.change_password(&address, "one", "two", Cost::Light).unwrap();
    assert!(matches!(store.load(&address, "one"), Err(KeystoreError::Password)));
    assert_eq!(store.load(&address, "two").unwrap().address(), address);
    assert_eq!(mode(&path), 0o600);
    store.delete(&address).unwrap();
    assert!(!store.contains(&address));
    assert!(matches!(store.load(&address, "two"), Err(KeystoreError::NoKey { .. })));
    assert!(matches!(store.delete(&address), Err(KeystoreError::NoKey { .. })));
    assert_eq!(fs::read_dir(store.folder()).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn other_spellings_of_the_name_are_found_and_kept() {
    let address = key(5).address();
    let lower = address.to_checksum(None)[2..].to_lowercase();
    for name in [lower.clone(), lower.to_uppercase()] {
        let (_dir, store) = store();
        fs::write(store.folder().join(&name), encrypt(&key(5), "p", Cost::Light)).unwrap();
        assert_eq!(store.list().unwrap(), [address]);
        assert_eq!(store.load(&address, "p").unwrap().address(), address);
        store.change_password(&address, "p", "q", Cost::Light).unwrap();
        assert!(store.folder().join(&name).is_file() && store.load(&address, "q").is_ok());
        assert_eq!(store.list().unwrap().len(), 1);
    }
}

#[test]
fn another_accounts_key_is_refused() {
    let (_dir, store) = store();
    let path = store.save(&key(5), "p", Cost::Light).unwrap();
    let other = Address::repeat_byte(0x11);
    fs::rename(&path, store.folder().join(&other.to_checksum(None)[2..])).unwrap();
    let error = store.load(&other, "p").unwrap_err();
    assert!(
        matches!(error, KeystoreError::WrongAddress { expected, got } if (expected, got) == (other, key(5).address()))
    );
    let stated = encrypt(&key(5), "p", Cost::Light).replace(&hex::encode(key(5).address()), &hex::encode(other));
    assert!(matches!(decrypt(&stated, "p"), Err(KeystoreError::WrongAddress { .. })));
}

#[test]
fn folders_must_be_private() {
    let dir = tempfile::tempdir().unwrap();
    for mode in [0o755, 0o701, 0o770, 0o600] {
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
        let error = Keystore::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("must have permission set to 0700"), "{error}");
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(Keystore::open(dir.path()).is_ok());
}

/// The file with one value changed; a path like `crypto.kdfparams.n`.
fn with(path: &str, value: Value) -> String {
    let mut file: Value = serde_json::from_str(&encrypt(&key(5), "p", Cost::Light)).unwrap();
    *path.split('.').fold(&mut file, |at, name| &mut at[name]) = value;
    file.to_string()
}

#[test]
fn broken_files_name_their_fault() {
    let cases = [
        ("version", json!(4), "version"),
        ("version", json!("3"), "file"),
        ("crypto.cipher", json!("aes-256-ctr"), "crypto.cipher"),
        ("crypto.ciphertext", json!(""), "crypto.ciphertext"),
        ("crypto.ciphertext", json!("00".repeat(33)), "crypto.ciphertext"),
        ("crypto.ciphertext", json!("zz"), "crypto.ciphertext"),
        ("crypto.cipherparams.iv", json!("00".repeat(15)), "crypto.cipherparams.iv"),
        ("crypto.kdf", json!("argon2"), "crypto.kdf"),
        ("crypto.kdfparams.dklen", json!(31), "crypto.kdfparams.dklen"),
        ("crypto.kdfparams.dklen", json!(65), "crypto.kdfparams.dklen"),
        ("crypto.kdfparams.n", json!(4095), "crypto.kdfparams.n"),
        ("crypto.kdfparams.n", json!(1), "crypto.kdfparams.n"),
        ("crypto.kdfparams.n", Value::Null, "crypto.kdfparams.n"),
        ("crypto.kdfparams.n", json!(1u64 << 63), "crypto.kdfparams.n"),
        ("crypto.kdfparams.n", json!(1 << 20), "crypto.kdfparams.r"),
        ("crypto.kdfparams.r", json!(0), "crypto.kdfparams.r"),
        ("crypto.kdfparams.r", json!(1025), "crypto.kdfparams.r"),
        ("crypto.kdfparams.p", json!(0), "crypto.kdfparams.p"),
        ("crypto.kdfparams.p", json!(17), "crypto.kdfparams.p"),
        ("crypto.mac", json!("0g"), "crypto.mac"),
    ];
    for (path, value, field) in cases {
        let error = decrypt(&with(path, value.clone()), "p").unwrap_err();
        assert!(matches!(&error, KeystoreError::Format { field: f, .. } if *f == field), "{path} = {value}: {error}");
    }
    let rounds = with("crypto.kdf", json!("pbkdf2"));
    let pbkdf2 = |c: u64| rounds.replace("\"n\":4096", &format!("\"c\":{c},\"prf\":\"hmac-sha256\""));
    for c in [0, 10_000_001] {
        assert!(matches!(decrypt(&pbkdf2(c), "p"), Err(KeystoreError::Format { field: "crypto.kdfparams.c", .. })));
    }
    assert!(matches!(decrypt(&pbkdf2(1), "p"), Err(KeystoreError::Password)), "another derivation, another mac");
    assert!(matches!(decrypt("{}", "p"), Err(KeystoreError::Format { field: "file", .. })));
    assert!(matches!(decrypt(&" ".repeat(70_000), "p"), Err(KeystoreError::Format { field: "file", .. })));
    assert!(matches!(decrypt(&with("crypto.mac", json!("00".repeat(32))), "p"), Err(KeystoreError::Password)));
}

/// The largest memory a file may ask for, 512 MiB, is used; the next is refused (above).
#[test]
fn memory_at_the_limit() {
    if vectors::long() {
        let file = with("crypto.kdfparams.n", json!(1 << 19));
        assert!(matches!(decrypt(&file, "p"), Err(KeystoreError::Password)), "derived, so the mac differs");
    }
}
