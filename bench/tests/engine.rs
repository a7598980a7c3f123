//! `vigil-bench engine` as people call it.
#![forbid(unsafe_code)]

use serde_json::Value;
use std::process::{Command, Output};

fn engine(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vigil-bench")).arg("engine").args(flags).output().expect("runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_flags_name_what_is_allowed() {
    for (flags, words) in [
        (["--ops", "checkpoint"], ["comes with the guardians", "recover"]),
        (["--ops", "recover,verify"], ["no such operation", "verify_known"]),
        (["--backends", "sse2"], ["no such backend", "avx512ifma"]),
        (["--sizes", "0"], ["--sizes", "0"]),
        (["--threads", "two"], ["one", "all"]),
    ] {
        let output = engine(&flags);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        for word in words {
            assert!(stderr(&output).contains(word), "{flags:?}: no {word:?} in {}", stderr(&output));
        }
    }
}

#[test]
fn an_absent_backend_is_said_aloud() {
    let absent = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    let output = engine(&["--backends", absent, "--quick"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("no {absent}")), "{}", stderr(&output));
    assert!(stderr(&output).contains("portable"), "{}", stderr(&output));
}

#[test]
fn a_small_run_writes_rows_and_reports() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let [json, markdown, html] = ["engine.json", "engine.md", "engine.html"].map(path);
    let files = ["--json", &json, "--markdown", &markdown, "--html", &html];
    let output = engine(&[&["--sizes", "1,16", "--rounds", "2", "--threads", "one"], files.as_slice()].concat());
    assert!(output.status.success(), "{}", stderr(&output));

    let read = |path: &str| std::fs::read_to_string(path).expect("written");
    let record: Value = serde_json::from_str(&read(&json)).expect("JSON");
    assert!(record["machine"].is_object() && record["commit"].is_string());
    let rows = record["rows"].as_array().expect("rows");
    for row in rows {
        shape(row);
    }
    let has = |op: &str, case: &str, n: u64, peer: &str| {
        rows.iter().any(|r| r["op"] == op && r["case"] == case && r["n"] == n && r["peer"] == peer)
    };
    assert!(["portable", "engine"].iter().all(|name| rows.iter().any(|r| r["backend"] == *name)));
    for n in [1, 16] {
        assert!(has("recover", "cold", n, "libsecp256k1") && has("recover", "bad-1pct", n, "k256"));
        assert!(has("verify_known", "distinct-payers", n, "recover-libsecp256k1"));
        assert!(has("keccak256", "len-32", n, "keccak-asm") && has("keccak256", "mixed", n, "tiny-keccak"));
        assert!(has("keccak256", "len-135", n, "p3-keccak"));
    }
    assert!(has("signer_vectors", "n10000-k20", 1, ""));
    assert!(read(&markdown).contains("## What must be shown"));
    assert!(read(&html).starts_with("<!DOCTYPE html>"));
}

/// DESIGN §5.
fn shape(row: &Value) {
    for text in ["op", "case", "backend", "peer"] {
        assert!(row[text].is_string(), "{text} in {row}");
    }
    for count in ["threads", "n"] {
        assert!(row[count].as_u64().is_some_and(|count| count > 0), "{count} in {row}");
    }
    for figure in ["ns_per_item", "items_per_s"] {
        assert!(row[figure].as_f64().is_some_and(|figure| figure > 0.0), "{figure} in {row}");
    }
    for figure in ["peer_ns_per_item", "ratio"] {
        assert!(row[figure].as_f64().is_some_and(|figure| (figure > 0.0) == (row["peer"] != "")), "{figure} in {row}");
    }
}
