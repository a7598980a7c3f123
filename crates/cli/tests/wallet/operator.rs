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
