//! The shape of every answer, as recorded and reviewed text in `snapshots/` (`VIGIL_UPDATE_SNAPSHOTS=1` writes them anew).

use crate::fake::Fake;
use crate::http::{Connection, post};
use crate::running::Running;
use crate::values::send;
use std::path::Path;
use vigil_primitives::keccak256;

/// Snapshot, method, params.
const CASES: &[(&str, &str, &str)] = &[
    ("version", "GetVersion", "{}"),
    ("status", "GetStatus", "{}"),
    ("peers", "GetPeers", r#"{"skip_edge_node":true}"#),
    ("pending_transactions", "GetPendingTransactions", "{}"),
    ("account", "GetAccount", r#"{"address":"0x1111111111111111111111111111111111111111"}"#),
    ("account_preview", "GetAccount", r#"{"address":"1111111111111111111111111111111111111111","preview":true}"#),
    ("account_at_height", "GetAccount", r#"{"address":"1111111111111111111111111111111111111111","height":"7"}"#),
    ("account_pruned", "GetAccount", r#"{"address":"1111111111111111111111111111111111111111","height":"1"}"#),
    ("account_no_block", "GetAccount", r#"{"address":"1111111111111111111111111111111111111111","height":"99"}"#),
    ("account_unknown", "GetAccount", r#"{"address":"2e833968e5bb786ae419c4d13189fb081cc43bab"}"#),
    (
        "account_unknown_at_height",
        "GetAccount",
        r#"{"address":"2e833968e5bb786ae419c4d13189fb081cc43bab","height":"7"}"#,
    ),
    ("account_no_address", "GetAccount", "{}"),
    ("code_of_plain_account", "GetCode", r#"{"address":"1111111111111111111111111111111111111111"}"#),
    ("code", "GetCode", r#"{"address":"0x4444444444444444444444444444444444444444"}"#),
    ("code_of_nobody", "GetCode", r#"{"address":"0x55"}"#),
    ("code_no_address", "GetCode", "{}"),
    ("storage", "GetStorageAt", r#"{"address":"4444444444444444444444444444444444444444","storage_positon":"0x05"}"#),
    ("storage_of_nobody", "GetStorageAt", r#"{"address":"55","storage_positon":"0"}"#),
    ("split_rule", "GetSplitRule", r#"{"resource_id":"rid<1>"}"#),
    ("split_rule_none", "GetSplitRule", r#"{"resource_id":"other"}"#),
    (
        "transaction_pending",
        "GetTransaction",
        r#"{"hash":"0202020202020202020202020202020202020202020202020202020202020202"}"#,
    ),
    (
        "transaction_abandoned",
        "GetTransaction",
        r#"{"hash":"0x0303030303030303030303030303030303030303030303030303030303030303"}"#,
    ),
    (
        "transaction_committed",
        "GetTransaction",
        r#"{"hash":"0x0101010101010101010101010101010101010101010101010101010101010101"}"#,
    ),
    (
        "transaction_guardian_finalized",
        "GetTransaction",
        r#"{"hash":"0x0606060606060606060606060606060606060606060606060606060606060606"}"#,
    ),
    ("transaction_unknown", "GetTransaction", r#"{"hash":"0x04"}"#),
    ("transaction_no_hash", "GetTransaction", "{}"),
    ("block", "GetBlock", r#"{"hash":"0x0505050505050505050505050505050505050505050505050505050505050505"}"#),
    ("block_unknown", "GetBlock", r#"{"hash":"0x9999999999999999999999999999999999999999999999999999999999999999"}"#),
    ("block_by_height", "GetBlockByHeight", r#"{"height":"5","include_eth_tx_hashes":true}"#),
    ("block_by_height_none", "GetBlockByHeight", r#"{"height":"11"}"#),
    ("block_by_height_unsettled", "GetBlockByHeight", r#"{"height":"11","include_unfinalized_blocks":true}"#),
    ("block_committed", "GetBlock", r#"{"hash":"0x0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"}"#),
    ("block_guardian_finalized", "GetBlockByHeight", r#"{"height":"4"}"#),
    ("finality_cert", "GetFinalityCert", r#"{"height":"4"}"#),
    ("finality_cert_highest", "GetFinalityCert", "{}"),
    ("finality_cert_no_checkpoint", "GetFinalityCert", r#"{"height":"3"}"#),
    ("finality_cert_not_final", "GetFinalityCert", r#"{"height":"6"}"#),
    ("finality_cert_passed", "GetFinalityCert", r#"{"height":"2"}"#),
    ("guardian_info", "GetGuardianInfo", "{}"),
    ("blocks_by_range", "GetBlocksByRange", r#"{"start":"9","end":"10"}"#),
    ("blocks_by_range_from_genesis", "GetBlocksByRange", r#"{"start":"0","end":"1"}"#),
    ("blocks_by_range_only_genesis", "GetBlocksByRange", "{}"),
    ("blocks_by_range_beyond", "GetBlocksByRange", r#"{"start":"9","end":"11"}"#),
    ("trace_down", "TraceBlocks", r#"{"hash":"0x0909090909090909090909090909090909090909090909090909090909090909"}"#),
    (
        "trace_up",
        "TraceBlocks",
        r#"{"hash":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c","upstream":true}"#,
    ),
    (
        "trace_up_from_settled",
        "TraceBlocks",
        r#"{"hash":"0x0505050505050505050505050505050505050505050505050505050505050505","upstream":true}"#,
    ),
    ("trace_tip", "TraceBlocks", r#"{"hash":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"}"#),
    (
        "trace_unknown",
        "TraceBlocks",
        r#"{"hash":"0x9999999999999999999999999999999999999999999999999999999999999999"}"#,
    ),
    ("vcp", "GetVcpByHeight", r#"{"height":"5"}"#),
    ("vcp_pruned", "GetVcpByHeight", r#"{"height":"1"}"#),
    ("vcp_no_block", "GetVcpByHeight", r#"{"height":"99"}"#),
    ("gcp", "GetGcpByHeight", r#"{"height":"5"}"#),
    ("eenp", "GetEenpByHeight", r#"{"height":"5"}"#),
    ("eenp_no_block", "GetEenpByHeight", r#"{"height":"99"}"#),
    (
        "eenp_stake",
        "GetEenpStakeByHeight",
        r#"{"height":"5","source":"0x2222222222222222222222222222222222222222","holder":"0xdededededededededededededededededededede","withdrawn_only":true}"#,
    ),
    (
        "eenp_stake_none",
        "GetEenpStakeByHeight",
        r#"{"height":"5","source":"0x1111111111111111111111111111111111111111","holder":"0xdededededededededededededededededededede","withdrawn_only":true}"#,
    ),
    ("reward_distribution", "GetStakeRewardDistributionByHeight", r#"{"height":"5"}"#),
    ("reward_distribution_of_nobody", "GetStakeRewardDistributionByHeight", r#"{"height":"5","address":"11"}"#),
    ("stake_returns", "GetEliteEdgeNodeStakeReturnsByHeight", r#"{"height":"28800"}"#),
    ("stake_returns_none", "GetEliteEdgeNodeStakeReturnsByHeight", r#"{"height":"5"}"#),
    ("pending_stake_returns", "GetAllPendingEliteEdgeNodeStakeReturns", "{}"),
    (
        "transaction_of_contract_failed",
        "GetTransaction",
        r#"{"hash":"0x0700000000000000000000000000000000000000000000000000000000000000"}"#,
    ),
    (
        "transaction_of_ethereum",
        "GetTransaction",
        r#"{"hash":"0x0c00000000000000000000000000000000000000000000000000000000000000"}"#,
    ),
    ("call_no_bytes", "CallSmartContract", "{}"),
    ("call_bad_hex", "CallSmartContract", r#"{"sctx_bytes":"07f"}"#),
    ("call_not_rlp", "CallSmartContract", r#"{"sctx_bytes":"07c1"}"#),
    ("broadcast_eth_bad_hex", "BroadcastRawEthTransaction", r#"{"tx_bytes":"0xzz"}"#),
    ("broadcast_eth_nothing", "BroadcastRawEthTransactionAsync", "{}"),
    ("broadcast_eth_blob", "BroadcastRawEthTransactionAsync", r#"{"tx_bytes":"0x03c0"}"#),
    ("broadcast", "BroadcastRawTransaction", r#"{"tx_bytes":"0x02c0"}"#),
    ("broadcast_async", "BroadcastRawTransactionAsync", r#"{"tx_bytes":"02c0"}"#),
    ("broadcast_bad_hex", "BroadcastRawTransactionAsync", r#"{"tx_bytes":"0x02zz"}"#),
    ("broadcast_nothing", "BroadcastRawTransactionAsync", "{}"),
];

#[tokio::test]
async fn every_shape() {
    let node = Running::plain().await;
    let mut connection = Connection::open(node.address).await;
    for (name, method, params) in CASES {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"theta.{method}","params":{params},"id":1}}"#);
        let answer = connection.post(body.as_bytes()).await.body;
        same_as_recorded(name, &answer);
        let in_array = body.replace(r#""params":{"#, r#""params":[{"#).replace(r#"},"id""#, r#"}],"id""#);
        assert_eq!(connection.post(in_array.as_bytes()).await.body, answer, "{name}: params in an array");
    }
}

#[tokio::test]
async fn a_transaction_by_either_spelling_of_its_hash() {
    let node = Running::plain().await;
    let hash = keccak256(send().to_raw());
    for text in [format!("{hash}"), hex::encode(hash), hex::encode_upper(hash)] {
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"theta.GetTransaction","params":{{"hash":"{text}"}}}}"#);
        same_as_recorded("transaction", &post(node.address, &body).await);
    }
}

#[tokio::test]
async fn peer_urls_are_at_most_256() {
    let node = Running::plain().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"theta.GetPeerURLs"}"#;
    let answer: serde_json::Value = serde_json::from_str(&post(node.address, body).await).expect("JSON");
    let urls = answer["result"]["peer_urls"].as_array().expect("a list");
    let distinct: std::collections::BTreeSet<_> = urls.iter().map(ToString::to_string).collect();
    assert_eq!((urls.len(), distinct.len()), (256, 256));
}

#[tokio::test]
async fn a_node_without_guardians_says_so() {
    let fake = Fake { nothing_final: true, ..Fake::default() };
    let node = Running::start(fake, vigil_rpc::ServerConfig::default()).await;
    for (name, method, params) in [
        ("status_nothing_final", "GetStatus", "{}"),
        ("finality_cert_none", "GetFinalityCert", "{}"),
        ("finality_cert_bad_height", "GetFinalityCert", r#"{"height":"-4"}"#),
        ("finality_cert_height_is_no_text", "GetFinalityCert", r#"{"height":4}"#),
        ("guardian_info_none", "GetGuardianInfo", "{}"),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"theta.{method}","params":{params}}}"#);
        same_as_recorded(name, &post(node.address, &body).await);
    }
}

/// `not_ready` stands in the status only while there is a reason: the answer of a node that is well is the reference's.
#[tokio::test]
async fn the_status_of_a_node_that_is_not_well_says_why() {
    let fake = Fake { reason: Some("journal rolled back: not signing".into()), ..Fake::default() };
    let node = Running::start(fake, vigil_rpc::ServerConfig::default()).await;
    let answer = post(node.address, r#"{"jsonrpc":"2.0","id":1,"method":"theta.GetStatus"}"#).await;
    let recorded = include_str!("snapshots/status.json");
    assert_eq!(answer, recorded.replace("}}", r#","not_ready":"journal rolled back: not signing"}}"#));
}

#[tokio::test]
async fn graphics_cards_stand_in_the_status_where_there_are_any() {
    let node = Running::start(Fake { has_cards: true, ..Fake::default() }, vigil_rpc::ServerConfig::default()).await;
    let answer = post(node.address, r#"{"jsonrpc":"2.0","id":1,"method":"theta.GetStatus"}"#).await;
    let cards = r#","graphics_cards":[{"name":"cuda 0: H","backend":"cuda","in_use":true,"faults":0},{"name":"cuda 1: H","backend":"cuda","in_use":false,"why_not":"a digest is wrong","faults":1}]}}"#;
    assert_eq!(answer, include_str!("snapshots/status.json").replace("}}", cards));
}

/// Every transaction type, as `GetBlock` shows it.
#[tokio::test]
async fn every_transaction_type() {
    let node = Running::start(Fake { all_types: true, ..Fake::default() }, vigil_rpc::ServerConfig::default()).await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"theta.GetBlockByHeight","params":{"height":"5"}}"#;
    let answer: Box<serde_json::value::RawValue> = serde_json::from_str(&post(node.address, body).await).expect("JSON");
    let (_, transactions) = answer.get().split_once(r#""transactions":"#).expect("transactions");
    same_as_recorded("transaction_types", &transactions.replace(r#"{"raw""#, "\n{\"raw\""));
}

fn same_as_recorded(name: &str, answer: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/rpc/snapshots/{name}.json"));
    if std::env::var_os("VIGIL_UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        std::fs::write(&file, answer).expect("writable");
    }
    let recorded = std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    assert_eq!(answer, recorded, "{name}");
}
