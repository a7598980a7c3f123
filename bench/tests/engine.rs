//! `vigil-bench engine` as people call it.
#![forbid(unsafe_code)]

use serde_json::Value;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// For the first rows of a run.
const PATIENCE: Duration = Duration::from_secs(120);

fn engine(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vigil-bench")).arg("engine").args(flags).output().expect("runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_flags_name_what_is_allowed() {
    for (flags, words) in [
        (["--ops", "checkpoints"], ["no such operation", "checkpoint, trie"]),
        (["--ops", "recover,verify"], ["no such operation", "verify_known"]),
        (["--backends", "sse2"], ["no such backend", "avx512ifma"]),
        (["--backends", "opencl"], ["no such backend", "cuda-twin, wgpu-software"]),
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
    let ops = ["--ops", "recover,verify_known,keccak256,signer_vectors"];
    let small = ["--sizes", "1,16", "--rounds", "2", "--threads", "one"];
    let output = engine(&[ops.as_slice(), &small, &files].concat());
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
        assert!(has("recover", "bad-1pct-digests", n, "libsecp256k1"));
        assert!(has("verify_known", "distinct-payers", n, "recover-libsecp256k1"));
        assert!(has("verify_known", "distinct-payers-bad-1pct-digests", n, "libsecp256k1"));
        for case in ["signers-hot-payer", "signers-known-payers", "signers-new-payers"] {
            assert!(has("verify_known", case, n, "recover-libsecp256k1"), "{case}");
        }
        assert!(has("keccak256", "len-32", n, "keccak-asm") && has("keccak256", "mixed", n, "tiny-keccak"));
        assert!(has("keccak256", "len-135", n, "p3-keccak"));
    }
    assert!(has("signer_vectors", "n10000-k20", 1, ""));
    assert!(read(&markdown).contains("## What must be shown"));
    assert!(read(&html).starts_with("<!DOCTYPE html>"));
}

/// Each case judges its answers by blst's.
#[test]
fn votes_of_guardians_are_merged_beside_blst() {
    let dir = tempfile::tempdir().expect("a folder");
    let json = dir.path().join("engine.json").to_str().expect("UTF-8").to_owned();
    let output = engine(&["--ops", "checkpoint", "--quick", "--json", &json]);
    assert!(output.status.success(), "{}", stderr(&output));
    let record: Value = serde_json::from_str(&std::fs::read_to_string(&json).expect("written")).expect("JSON");
    let rows = record["rows"].as_array().expect("rows");
    for row in rows {
        shape(row);
        assert_eq!(row["op"], "checkpoint");
    }
    for (case, peer) in [
        ("pop-n1000-k20", "blst"),
        ("pop-n1000-vs-pairings", "blst-pairings"),
        ("augmented-table-n1000", "blst"),
        ("augmented-n1000-k20", "blst"),
    ] {
        let found = |r: &Value| r["case"] == case && r["peer"] == peer && r["backend"] == "portable";
        assert!(rows.iter().any(found), "{case} beside {peer}");
    }
}

/// The path of cards, on the kernels as C++: rows from host memory with a rival, kernels alone, the model, crossovers.
#[cfg(target_arch = "x86_64")]
#[test]
fn what_stands_in_for_a_card_is_measured_like_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let [json, markdown] = ["engine.json", "engine.md"].map(path);
    let what = ["--backends", "cuda-twin", "--ops", "recover,verify_known,keccak256,signer_vectors"];
    // Of 1,024 items an engine gives some to a card.
    let size = ["--sizes", "16,1024", "--rounds", "1"];
    let output = engine(&[what.as_slice(), &size, &["--json", &json, "--markdown", &markdown]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("is faster than cpu-pool"), "{}", stderr(&output));
    let record: Value = serde_json::from_str(&std::fs::read_to_string(&json).expect("written")).expect("JSON");
    let card = record["machine"]["cards"][0].as_str().expect("a card");
    assert!(card.starts_with("cuda-twin: ") && card.contains("its speed means nothing"), "{card}");
    let rows = record["rows"].as_array().expect("rows");
    for row in rows {
        shape(row);
        assert!(
            ["cuda-twin", "engine-cards"].iter().any(|by| row["backend"] == *by) && row["clock"] == "wall",
            "{row}"
        );
    }
    let by = |by: &str, op: &str, case: &str| {
        rows.iter().find(|row| row["backend"] == *by && row["op"] == op && row["case"] == case).cloned()
    };
    let find = |op: &str, case: &str| by("cuda-twin", op, case);
    for (op, case) in [("recover", "cold"), ("recover", "messages-135"), ("verify_known", "hot-payer")] {
        assert!(by("engine-cards", op, case).is_some_and(|row| row["peer"] == "cpu-pool"), "{op} {case}");
    }
    assert!(by("engine-cards", "keccak256", "len-532").is_none(), "the processor's work");
    for (op, case, peer, in_model) in [
        ("imad-wide", "resident", "", false),
        ("recover", "cold", "cpu-pool", true),
        ("recover", "resident", "", true),
        ("verify_known", "hot-payer", "cpu-pool", true),
        ("verify_known", "resident-hot-payer", "", true),
        ("keccak256", "len-532", "cpu-pool", true),
        ("keccak256", "resident-len-135", "", true),
    ] {
        let row = find(op, case).unwrap_or_else(|| panic!("no {op} {case}"));
        assert_eq!(row["peer"], peer, "{row}");
        assert_eq!(row["model_limit_per_s"].as_f64().is_some_and(|limit| limit > 0.0), in_model, "{row}");
        assert_eq!(row["share_of_limit"].is_number(), in_model, "{row}");
    }
    assert!(find("signer_vectors", "n10000-k20").is_some_and(|row| row["peer"] != ""));
    assert!(find("signer_vectors", "count-n10000").is_none(), "no work of cards");
    let crossover = record["crossover"].as_array().expect("crossovers");
    assert!(crossover.iter().any(|found| found["op"] == "recover" && found["peer"] == "cpu-pool"), "{crossover:?}");
    let report = std::fs::read_to_string(&markdown).expect("written");
    assert!(report.contains("## Graphics cards\n") && report.contains("| card | cuda-twin: "), "{report}");
    let goal = report.lines().find(|line| line.starts_with("| recover, on the card |")).expect("a goal");
    assert_eq!(
        goal, "| recover, on the card |  | not measured | 25.0 M/s | 65.6 M/s |  |  |",
        "by a card, not by software"
    );
}

/// What is measured is kept: files are whole after each operation.
#[test]
fn a_run_that_is_ended_early_leaves_its_rows() {
    let dir = tempfile::tempdir().expect("a folder");
    let [json, markdown] = ["engine.json", "engine.md"].map(|name| dir.path().join(name));
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigil-bench"));
    command.args([
        "engine",
        "--backends",
        "portable",
        "--ops",
        "signer_vectors,trie",
        "--threads",
        "one",
        "--rounds",
        "10",
    ]);
    command.arg("--json").arg(&json).arg("--markdown").arg(&markdown).stderr(Stdio::null());
    let mut run = command.spawn().expect("runs");
    let begun = Instant::now();
    while !markdown.exists() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    let is_running = run.try_wait().expect("asked").is_none();
    run.kill().expect("a process");
    run.wait().expect("a process");
    assert!(is_running, "a trie of a million accounts takes longer");
    let record: Value = serde_json::from_str(&std::fs::read_to_string(&json).expect("written")).expect("JSON");
    let rows = record["rows"].as_array().expect("rows");
    assert!(!rows.is_empty() && rows.iter().all(|row| row["op"] == "signer_vectors"), "{rows:?}");
    assert!(std::fs::read_to_string(&markdown).expect("written").contains("## signer_vectors, one core"));
}

#[test]
fn a_card_that_is_not_there_is_said_aloud() {
    for name in ["cuda", "wgpu"] {
        let output = engine(&["--backends", name, "--quick", "--ops", "keccak256"]);
        match output.status.code() {
            Some(0) => assert!(stderr(&output).contains(&format!("{name}: ")), "{}", stderr(&output)),
            code => {
                assert_eq!(code, Some(1));
                assert!(stderr(&output).contains(&format!("this machine has no {name}: ")), "{}", stderr(&output));
            }
        }
    }
}

/// The rows of one run stand with those of another, and are not measured again.
#[test]
fn a_small_trie_is_hashed_beside_alloy_trie() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let [once, twice] = ["once.json", "twice.json"].map(path);
    let read =
        |path: &str| -> Value { serde_json::from_str(&std::fs::read_to_string(path).expect("written")).expect("JSON") };
    let output = engine(&["--ops", "trie", "--quick", "--json", &once]);
    assert!(output.status.success(), "{}", stderr(&output));
    let record = read(&once);
    let rows = record["rows"].as_array().expect("rows");
    for row in rows {
        shape(row);
        assert_eq!(
            (&row["op"], &row["case"], &row["n"]),
            (&"trie".into(), &"dirty-trie-1000-in-10000".into(), &1000.into())
        );
        assert_eq!(row["peer"], "alloy-trie (keccak-asm)");
    }
    assert!(["portable", "engine"].iter().all(|name| rows.iter().any(|r| r["backend"] == *name)));

    // A link is written through, as `/dev/stdout` must be.
    let link = path("link.json");
    std::fs::write(&twice, "").expect("written");
    std::os::unix::fs::symlink(&twice, &link).expect("linked");
    let output = engine(&["--from", &once, "--append", &once, "--json", &link]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
    assert_eq!(read(&twice)["rows"].as_array().expect("rows").len(), 2 * rows.len());
    let other = std::fs::read_to_string(&once).expect("written").replacen("\"commit\": \"", "\"commit\": \"0", 1);
    std::fs::write(&twice, other).expect("written");
    let output = engine(&["--from", &once, "--append", &twice]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("of another commit or machine"), "{}", stderr(&output));
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
