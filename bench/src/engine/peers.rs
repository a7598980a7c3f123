//! Who is compared with, in which version.

use std::collections::BTreeMap;

/// The lock file that this program was built with.
const LOCK: &str = include_str!("../../../Cargo.lock");
const PEERS: [&str; 8] =
    ["blst", "secp256k1", "secp256k1-sys", "k256", "keccak-asm", "tiny-keccak", "p3-keccak", "alloy-trie"];
/// Instruction sets that decide which code runs.
const FEATURES: [&str; 11] =
    ["avx2", "bmi2", "adx", "avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512ifma", "avx512vbmi", "asimd", "sha3"];

/// Crate to locked version, and with what `alloy` hashes in this build (feature unification decides).
pub(crate) fn versions() -> BTreeMap<String, String> {
    let mut versions: BTreeMap<_, _> =
        PEERS.iter().filter_map(|name| Some(((*name).to_owned(), version(LOCK, name)?))).collect();
    versions.insert("alloy-primitives hashes with".into(), alloy_hasher().into());
    versions.insert("lanes of p3-keccak in this build".into(), p3_keccak::VECTOR_LEN.to_string());
    versions
}

/// The version of a crate that this program is built with. Where the lock file holds several, it says which after the name.
fn version(lock: &str, name: &str) -> Option<String> {
    let package = |name: &str| lock.find(&format!("name = \"{name}\"\n")).map(|start| &lock[start..]);
    let own = package(env!("CARGO_PKG_NAME"))?;
    let own = &own[..own.find("\n\n").unwrap_or(own.len())];
    let named = format!(" \"{name} ");
    if let Some(with_version) = own.lines().find_map(|line| line.strip_prefix(named.as_str())) {
        return with_version.strip_suffix("\",").map(str::to_owned);
    }
    let line = package(name)?.lines().nth(1)?;
    line.strip_prefix("version = \"")?.strip_suffix('"').map(str::to_owned)
}

/// alloy-trie, and what it hashes with in this build.
pub(crate) fn alloy_trie() -> &'static str {
    match alloy_hasher() {
        "keccak-asm" => "alloy-trie (keccak-asm)",
        "tiny-keccak" => "alloy-trie (tiny-keccak)",
        _ => "alloy-trie",
    }
}

/// alloy does not say what it was linked with, but its hasher is a wrapper of the other's.
fn alloy_hasher() -> &'static str {
    let alloy = size_of::<alloy_primitives::Keccak256>();
    if alloy == size_of::<keccak_asm::Keccak256>() {
        "keccak-asm"
    } else if alloy == size_of::<tiny_keccak::Keccak>() {
        "tiny-keccak"
    } else {
        "another"
    }
}

/// Of [`FEATURES`], those that the kernel lists for the first processor.
pub(crate) fn features() -> Vec<String> {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line =
        cpuinfo.lines().find(|line| line.starts_with("flags") || line.starts_with("Features")).unwrap_or_default();
    let has = |feature: &&&str| line.split_whitespace().any(|word| word == **feature);
    FEATURES.iter().filter(has).map(|feature| (*feature).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_is_locked() {
        for name in PEERS {
            assert!(version(LOCK, name).is_some_and(|v| v.split('.').count() == 3), "{name}");
        }
        assert_eq!(version(LOCK, "secp256k1").as_deref(), Some("0.31.1"));
    }

    #[test]
    fn the_hashers_can_be_told_apart() {
        assert_ne!(size_of::<keccak_asm::Keccak256>(), size_of::<tiny_keccak::Keccak>());
        assert_eq!(alloy_hasher(), "keccak-asm", "the workspace asks alloy for asm-keccak");
    }
}
