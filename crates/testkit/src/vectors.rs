//! The one way to the shared test vectors.
//!
//! They are read from `$VIGIL_VECTORS`, else from `../shared/vectors` beside the checkout. Where they are missing the
//! test prints `skipped: no vectors` and passes, unless `VIGIL_REQUIRE_VECTORS=1`.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// The folder of the vectors, if there is one.
///
/// # Panics
/// If it is missing and `VIGIL_REQUIRE_VECTORS` is `1`.
pub fn dir() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let dir = std::env::var_os("VIGIL_VECTORS").map_or_else(beside, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    let required = std::env::var("VIGIL_REQUIRE_VECTORS").is_ok_and(|v| v == "1");
    assert!(!required, "VIGIL_REQUIRE_VECTORS=1, but {} is no folder: set VIGIL_VECTORS", dir.display());
    eprintln!("skipped: no vectors at {}", dir.display());
    None
}

/// The bytes of one file below [`dir`].
///
/// # Panics
/// If the folder is there and the file is not.
pub fn bytes(path: &str) -> Option<Vec<u8>> {
    let file = dir()?.join(path);
    Some(std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display())))
}

/// One file as text; panics as [`bytes`] does, and on text that is not UTF-8.
pub fn text(path: &str) -> Option<String> {
    Some(String::from_utf8(bytes(path)?).expect("vectors are UTF-8"))
}

/// One file as JSON; panics as [`bytes`] does, and on bad JSON.
pub fn json(path: &str) -> Option<Value> {
    Some(serde_json::from_slice(&bytes(path)?).unwrap_or_else(|e| panic!("{path}: {e}")))
}

/// Files in a folder below [`dir`], sorted by name.
pub fn files(path: &str) -> Option<Vec<PathBuf>> {
    let folder = dir()?.join(path);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|e| e.expect("readable folder").path()).collect();
    files.sort();
    Some(files)
}

/// One JSON file of the vectors that are kept in this repository (`crates/testkit/vectors`), so always there.
///
/// # Panics
/// If the file is missing or no JSON.
pub fn kept_json(path: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(path);
    let bytes = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The array at `key`.
///
/// # Panics
/// If there is none.
pub fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("`{key}` is no array in {value}"))
}

/// The text at `key`.
///
/// # Panics
/// If there is none.
pub fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("`{key}` is no text in {value}"))
}

/// The bytes of the hex text at `key`.
///
/// # Panics
/// If there are none.
pub fn hex_at(value: &Value, key: &str) -> Vec<u8> {
    unhex(string(value, key))
}

/// True if the long tier was asked for (`VIGIL_TEST_LONG=1`).
pub fn long() -> bool {
    std::env::var("VIGIL_TEST_LONG").is_ok_and(|v| v == "1")
}

/// `count`, or what `VIGIL_TEST_ITEMS_MAX` allows if that is less: where tests run emulated.
///
/// # Panics
/// If the variable is no number.
pub fn items_at_most(count: usize) -> usize {
    let max = std::env::var("VIGIL_TEST_ITEMS_MAX").ok();
    max.map_or(count, |max| count.min(max.parse().expect("VIGIL_TEST_ITEMS_MAX is a number")))
}

/// Bytes of a hex text, `0x` optional.
///
/// # Panics
/// On anything that is not hex.
pub fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).unwrap_or_else(|e| panic!("{text}: {e}"))
}
