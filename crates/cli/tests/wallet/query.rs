//! `vigil query`.

use crate::Home;
use crate::node::Node;
use serde_json::{Value, json};

#[test]
fn each_query_is_one_call() {
    let node = Node::new(|_, _| Ok(json!({"b": [1, {"d": null, "c": "x"}], "a": "<1>"})));
    let home = Home::new();
    let cases: &[(&[&str], &str, Value)] = &[
        (&["status"], "GetStatus", json!({})),
        (&["version"], "GetVersion", json!({})),
        (&["peers"], "GetPeers", json!({"skip_edge_node": true})),
        (&["peers", "--skip_edge_node=false"], "GetPeers", json!({"skip_edge_node": false})),
        (&["account", "--address=ab"], "GetAccount", json!({"address": "ab", "height": "0", "preview": false})),
        (
            &["account", "--address", "0xab", "--height", "7", "--preview"],
            "GetAccount",
            json!({"address": "0xab", "height": "7", "preview": true}),
        ),
        (&["block", "--hash=0x1"], "GetBlock", json!({"hash": "0x1", "include_eth_tx_hashes": false})),
        (
            &["block", "--height=3", "--include_eth_tx_hashes"],
            "GetBlockByHeight",
            json!({"height": "3", "include_eth_tx_hashes": true, "include_unfinalized_blocks": false}),
        ),
        (
            &["block", "--start=3", "--end=5"],
            "GetBlocksByRange",
            json!({"start": "3", "end": "5", "include_eth_tx_hashes": false}),
        ),
        (&["chain_of_blocks", "--hash=0x1"], "TraceBlocks", json!({"hash": "0x1", "upstream": true})),
        (
            &["chain_of_blocks", "--hash=0x1", "--upstream=false"],
            "TraceBlocks",
            json!({"hash": "0x1", "upstream": false}),
        ),
        (&["tx", "--hash=0x1"], "GetTransaction", json!({"hash": "0x1"})),
        (&["split_rule", "--resource_id=r"], "GetSplitRule", json!({"resource_id": "r"})),
        (&["vcp", "--height=4"], "GetVcpByHeight", json!({"height": "4"})),
        (&["gcp", "--height=4"], "GetGcpByHeight", json!({"height": "4"})),
        (&["finality"], "GetFinalityCert", json!({"height": "0"})),
        (&["finality", "--height=40"], "GetFinalityCert", json!({"height": "40"})),
        (&["eenp", "--height=4"], "GetEenpByHeight", json!({"height": "4"})),
        (&["srdrs", "--height=4"], "GetStakeRewardDistributionByHeight", json!({"height": "4", "address": ""})),
        (&["stake_returns"], "GetAllPendingEliteEdgeNodeStakeReturns", json!({})),
        (&["stake_returns", "--height=9"], "GetEliteEdgeNodeStakeReturnsByHeight", json!({"height": "9"})),
    ];
    for (args, method, params) in cases {
        let ended = home.vigil_at(&node.url, &[&["query"], *args].concat(), "");
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        assert_eq!(node.asked(), [(format!("theta.{method}"), json!([params]))], "{args:?}");
        let indented = "{\n    \"a\": \"<1>\",\n    \"b\": [\n        1,\n        {\n            \"c\": \"x\",\n            \"d\": null\n        }\n    ]\n}\n";
        assert_eq!(ended.stdout, indented);
    }
}

#[test]
fn a_guardian_is_printed_with_its_summary() {
    let info = json!({"BLSPubkey": "0a", "BLSPop": "0b", "Address": "0xAb", "Signature": "0c"});
    let node = Node::new(move |_, _| Ok(info.clone()));
    let home = Home::new();
    let ended = home.vigil_at(&node.url, &["query", "guardian"], "");
    let printed: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let expected =
        json!({"Address": "0xAb", "BlsPubkey": "0a", "BlsPop": "0b", "Signature": "0c", "Summary": "0xAb0a0b0c"});
    assert_eq!((ended.code, printed), (0, expected));
    assert_eq!(node.asked(), [("theta.GetGuardianInfo".to_owned(), json!([{}]))]);
    let other = Node::new(|_, _| Ok(json!({"Address": 7})));
    let ended = home.vigil_at(&other.url, &["query", "guardian"], "");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert!(ended.stderr.contains("no text `Address`"), "{}", ended.stderr);
}

#[test]
fn a_height_is_a_number() {
    let node = Node::new(|_, _| Ok(json!({})));
    for height in ["-1", "x", "", "18446744073709551616"] {
        let ended = Home::new().vigil_at(&node.url, &["query", "finality", &format!("--height={height}")], "");
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{height}");
        assert!(ended.stderr.contains("--height"), "{}", ended.stderr);
    }
    assert!(node.asked().is_empty());
}

#[test]
fn the_node_is_named_by_flag_before_environment() {
    let node = Node::new(|_, _| Ok(json!({})));
    let home = Home::new();
    for flag in ["--remote", "--rpc"] {
        let ended = home.vigil(&["query", "status", flag, &node.url], "");
        assert_eq!((ended.code, ended.stdout.as_str()), (0, "{}\n"));
    }
    let ended = home.vigil(&["query", "status"], "");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert!(ended.stderr.contains("no answer from http://127.0.0.1:1/rpc"), "{}", ended.stderr);
}

#[test]
fn refusals_go_to_stderr() {
    let node = Node::new(|_, _| Err(json!({"code": -32000, "message": "KeyNotFound"})));
    let ended = Home::new().vigil_at(&node.url, &["query", "block", "--hash=0x1"], "");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert_eq!(ended.stderr, "Error: Server returned error: -32000:KeyNotFound\n");
}
