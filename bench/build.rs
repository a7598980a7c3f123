//! Tells the program which commit it is built from.

use std::process::Command;

/// What the program is made of; where it differs from the commit, the commit's name ends in `-dirty`.
const SOURCES: [&str; 6] = ["../crates", "../Cargo.toml", "../Cargo.lock", "src", "build.rs", "Cargo.toml"];

fn main() {
    SOURCES.iter().for_each(|path| println!("cargo:rerun-if-changed={path}"));
    // The log of HEAD changes with every commit and checkout.
    for path in ["logs/HEAD", "HEAD"] {
        if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", path]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    // A copy of the tree has no history: who makes one says whose it is.
    println!("cargo:rerun-if-env-changed=VIGIL_COMMIT");
    let commit = std::env::var("VIGIL_COMMIT").ok().or_else(here).unwrap_or_else(|| "unknown".into());
    println!("cargo:rustc-env=VIGIL_COMMIT={commit}");
}

/// Of this checkout.
fn here() -> Option<String> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&[["status", "--porcelain", "--untracked-files=no", "--"].as_slice(), &SOURCES].concat())?;
    Some(if changed.is_empty() { commit } else { commit + "-dirty" })
}

/// What git says; none outside a checkout.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
