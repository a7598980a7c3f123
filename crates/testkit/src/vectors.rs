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

/// Bytes of a hex text, `0x` optional.
///
/// # Panics
/// On anything that is not hex.
pub fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).unwrap_or_else(|e| panic!("{text}: {e}"))
}
