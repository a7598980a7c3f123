//! `vigil key`.

use crate::{Home, secret};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

const KEY: &str = "93a90ea508331dfdf27fb79757d4250b4e84954927ba0073cd67454ac432c737";
const ADDRESS: &str = "0x2E833968E5bB786Ae419c4d13189fB081Cc43bab";

#[test]
fn a_key_lives_and_dies() {
    let home = Home::new();
    let made = home.vigil(&["key", "new"], "first\n");
    assert_eq!(made.code, 0, "{made:?}");
    let address =
        made.stdout.trim_end().strip_prefix("Successfully created key: ").expect("thetacli's text").to_owned();
    assert!(address.starts_with("0x") && address.len() == 42);
    assert_eq!(home.vigil(&["key", "list"], "").stdout, format!("{address}\n"));
    let file = home.keys().join(&address[2..]);
    assert_eq!(std::fs::metadata(&file).expect("named by its address").permissions().mode() & 0o777, 0o600);
    for folder in [home.keys(), home.path().join("wallet")] {
        assert_eq!(std::fs::metadata(folder).expect("made").permissions().mode() & 0o777, 0o700);
    }

    let changed = home.vigil(&["key", "password", &address], "first\nsecond\n");
    assert_eq!((changed.code, changed.stdout.as_str()), (0, "Password updated successfully\n"), "{changed:?}");
    let wrong = home.vigil(&["key", "delete", &address], "first\nyes\nfirst\n");
    assert_eq!((wrong.code, wrong.stdout.as_str()), (1, ""), "{wrong:?}");
    let unsure = home.vigil(&["key", "delete", &address], "second\nno\nsecond\n");
    assert_eq!(unsure.code, 1, "{unsure:?}");
    let deleted = home.vigil(&["key", "delete", &address[2..]], "second\nyes\nsecond\n");
    assert_eq!((deleted.code, deleted.stdout), (0, format!("Key for address {address} has been deleted\n")));
    assert_eq!(home.vigil(&["key", "list"], "").stdout, "");
}

#[test]
fn a_private_key_is_imported_once() {
    let home = Home::new();
    let file = home.path().join("key.txt");
    std::fs::write(&file, format!("0x{KEY}\n")).expect("writable");
    let file = file.to_str().expect("UTF-8");
    let import = ["key", "import", "--private-key-file", file, "--password=pw", "--json"];
    let first = home.vigil(&import, "");
    let answer: Value = serde_json::from_str(&first.stdout).expect("only JSON");
    assert_eq!((first.code, &answer["address"]), (0, &Value::from(ADDRESS)));
    let second = home.vigil(&import, "");
    assert_eq!((second.code, second.stdout.as_str()), (1, ""));
    assert!(second.stderr.contains("exists already"), "{}", second.stderr);
    let list: Value = serde_json::from_str(&home.vigil(&["key", "list", "--json"], "").stdout).expect("only JSON");
    assert_eq!(list, serde_json::json!({"addresses": [ADDRESS]}));
}

#[test]
fn a_wallet_that_others_can_enter_is_refused() {
    let home = Home::new();
    home.add(&secret(KEY));
    for folder in [home.path().join("wallet"), home.keys()] {
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&folder, open).expect("ours");
        let refused = home.vigil(&["key", "list"], "");
        assert_eq!(refused.code, 1);
        assert!(refused.stderr.contains("must have permission set to 0700"), "{}", refused.stderr);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("ours");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let home = Home::new();
    for args in [
        &["key"][..],
        &["key", "burn"],
        &["key", "delete"],
        &["key", "delete", "0x12"],
        &["tx", "send", "--colour=blue"],
        &["query", "vcp"],
        &["query", "stake_returns", "--purpose=1"],
        &["--remote=nowhere", "query", "status"],
    ] {
        let ended = home.vigil(args, "");
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{args:?}: {ended:?}");
        assert!(!ended.stderr.is_empty());
    }
}
