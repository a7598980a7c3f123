//! Tells the program which commit it is built from.

use std::process::Command;

fn main() {
    // The log of HEAD changes with every commit and checkout.
    for path in ["logs/HEAD", "HEAD"] {
        if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", path]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
    for (name, format) in [("VIGIL_COMMIT", "%h"), ("VIGIL_COMMIT_TIME", "%cI")] {
        let found = git(&["log", "-1", "--abbrev=12", &format!("--format={format}")]);
        println!("cargo:rustc-env={name}={}", found.as_deref().unwrap_or("unknown"));
    }
}

/// What git says on one line; none outside a checkout.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    let line = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}
