//! `vigil genesis`, `init` and `start` as an operator types them.

use crate::{Ended, Home};
use std::path::PathBuf;

const HOLDER: &str = "0x2E833968E5bB786Ae419c4d13189fB081Cc43bab";

/// The path of a file in the home folder, as text.
fn at(home: &Home, name: &str) -> String {
    home.path().join(name).to_str().expect("UTF-8").to_owned()
}

/// Runs `vigil genesis` with one validator; writes `out`.
fn genesis(home: &Home, out: &str, more: &[&str]) -> Ended {
    let (balances, stakes) = (at(home, "balances.json"), at(home, "stakes.json"));
    let wei = "10000000000000000000000000";
    std::fs::write(&balances, format!(r#"{{"{HOLDER}": "{wei}"}}"#)).expect("writable");
    let stake = format!(r#"[{{"source": "{HOLDER}", "holder": "{HOLDER}", "amount": "{wei}"}}]"#);
    std::fs::write(&stakes, stake).expect("writable");
    let mut args = vec!["genesis", "--balances", &balances, "--stakes", &stakes, "-o", out];
    args.extend(more);
    home.vigil(&args, "")
}

#[test]
fn a_rule_out_of_range_is_wrong_usage() {
    let home = Home::new();
    let out = at(&home, "genesis.json");
    for (pair, says) in [("delta_ms=3", "`delta_ms` is 3, must be 10 to 60000"), ("foo=1", "no key `foo`")] {
        let ended = genesis(&home, &out, &["--set", pair]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.contains(says), "{ended:?}");
        let ended = home.vigil(&["localnet", "--genesis", pair, "--base-port", "20300"], "");
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.contains(says), "{ended:?}");
    }
    let ended = home.vigil(&["localnet", "--base-port", "65500"], "");
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("65500 leaves no room for 4 nodes"), "{ended:?}");
    assert!(!PathBuf::from(out).exists());
}

#[test]
fn init_makes_a_folder_once_and_goes_on_where_it_was_cut_short() {
    let home = Home::new();
    let (out, node) = (at(&home, "genesis.json"), at(&home, "node"));
    assert_eq!(genesis(&home, &out, &[]).code, 0);
    let init = ["init", "--data-dir", &node, "--genesis", &out];
    std::fs::create_dir(&node).expect("made");
    std::fs::write(at(&home, "node/genesis.json"), "another").expect("writable");
    let refused = home.vigil(&init, "");
    assert!(refused.code == 1 && refused.stderr.contains("node/genesis.json exists with other content"), "{refused:?}");
    assert_eq!(std::fs::read(at(&home, "node/genesis.json")).expect("there"), b"another");

    std::fs::copy(&out, at(&home, "node/genesis.json")).expect("as a process that was killed leaves it");
    assert_eq!(home.vigil(&init, "").code, 0);
    let again = home.vigil(&init, "");
    assert!(again.code == 1 && again.stderr.contains("config.toml exists"), "{again:?}");
}

#[test]
fn init_that_fails_leaves_nothing() {
    let home = Home::new();
    let (out, node) = (at(&home, "genesis.json"), at(&home, "node"));
    assert_eq!(genesis(&home, &out, &[]).code, 0);
    // The genesis fits below this limit, the configuration does not.
    let limit_kib = std::fs::metadata(&out).expect("there").len().div_ceil(1024);
    let vigil = env!("CARGO_BIN_EXE_vigil");
    let init = |before: &str| {
        let command = format!("{before} ulimit -f {limit_kib}; exec {vigil} init --data-dir {node} --genesis {out}");
        std::process::Command::new("bash").args(["-c", &command]).output().expect("bash")
    };
    let refused = init("trap '' XFSZ;"); // a write fails
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot write") && stderr.contains("node/config.toml"), "{stderr}");
    assert!(!PathBuf::from(&node).exists(), "the folder is taken back");

    let killed = init(""); // the system kills it in the middle of the write
    assert_eq!(killed.status.code(), None, "{killed:?}");
    assert!(!PathBuf::from(&node).join("config.toml").exists());
    let ended = home.vigil(&["init", "--data-dir", &node, "--genesis", &out], "");
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn a_start_that_makes_a_key_says_so() {
    let home = Home::new();
    let (out, node) = (at(&home, "genesis.json"), at(&home, "node"));
    assert_eq!(genesis(&home, &out, &[]).code, 0);
    assert_eq!(home.vigil(&["init", "--data-dir", &node, "--genesis", &out], "").code, 0);
    // It ends at a value that is wrong, after its key is opened.
    let quiet =
        ["--rpc.enabled", "false", "--eth.enabled", "false", "--metrics.enabled", "false", "--p2p.seeds", "nonsense"];
    let start = [&["start", "--data-dir", &node, "--password", "pw"], &quiet[..]].concat();
    let first = home.vigil(&start, "");
    let key = std::fs::read_dir(at(&home, "node/key/encrypted")).expect("made").next().expect("a key").expect("listed");
    let made = format!("made a new one, 0x{}, which holds no stake in the genesis", key.file_name().display());
    assert!(first.stderr.contains("WARN") && first.stderr.contains(&made), "{first:?}");
    let second = home.vigil(&start, "");
    assert_eq!(second.code, 2, "{second:?}");
    assert!(second.stderr.contains("`p2p.seeds` is nonsense") && !second.stderr.contains("new one"), "{second:?}");
}

#[test]
fn a_guardian_has_one_key_and_one_summary() {
    let home = Home::new();
    let (out, node) = (at(&home, "genesis.json"), at(&home, "node"));
    assert_eq!(genesis(&home, &out, &[]).code, 0);
    let key = ["guardian", "key", "--data-dir", &node, "--password", "pw"];
    let refused = home.vigil(&key, "");
    assert!(refused.code == 1 && refused.stderr.contains("vigil init"), "{refused:?}");
    assert_eq!(home.vigil(&["init", "--data-dir", &node, "--genesis", &out], "").code, 0);

    let made = home.vigil(&key, "");
    assert_eq!(made.code, 0, "{made:?}");
    let summary = made.stdout.trim_end();
    assert_eq!(summary.len(), 2 + 458, "{made:?}");
    assert!(made.stderr.contains(&summary[..42]) && made.stderr.contains("--purpose 1"), "{made:?}");
    assert!(PathBuf::from(at(&home, "node/guardian/encrypted")).join(&summary[2..42]).exists());
    let again = home.vigil(&[&key[..], &["--json"]].concat(), "");
    let object: serde_json::Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(object["Summary"], summary);
    let joined =
        ["Address", "BlsPubkey", "BlsPop", "Signature"].map(|name| object[name].as_str().expect("text")).concat();
    assert_eq!(joined, summary);

    let wrong = home.vigil(&["guardian", "key", "--data-dir", &node, "--password", "other"], "");
    assert!(wrong.code == 1 && wrong.stderr.contains("could not decrypt"), "{wrong:?}");
}

#[test]
fn a_localnet_says_how_many_guardians_are_possible() {
    let home = Home::new();
    let refused = |args: &[&str], says: &str| {
        let ended = home.vigil(&[&["localnet"], args].concat(), "");
        assert!(ended.code == 2 && ended.stderr.contains(says), "{ended:?}");
    };
    refused(&["--guardians", "1001"], "--guardians must be 0 to 1000, is 1001");
    refused(&["--guardians", "2", "--guardian-processes", "3"], "--guardian-processes must be 1 to");
    refused(&["--validators", "0"], "--validators must be 1 to");
}
