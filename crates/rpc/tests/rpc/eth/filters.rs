//! Logs, and filters that are asked for what is new.

use super::chain::{self, address, hash, topic};
use super::fake::{ADMITTED_MAX, FakeEth};
use super::running::Eth;
use alloy_primitives::LogData;
use alloy_rpc_types_eth::Log;
use serde_json::{Value, json};
use vigil_rpc::ServerConfig;
use vigil_rpc::limits::{FILTERS_MAX, LOG_BLOCKS_MAX, RESPONSE_BYTES_MAX};

fn places(logs: &Value) -> Vec<(String, String)> {
    let text = |log: &Value, key: &str| log[key].as_str().expect("text").to_owned();
    let logs = logs.as_array().expect("a list");
    logs.iter().map(|log| (text(log, "blockNumber"), text(log, "logIndex"))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test]
async fn logs_by_range_address_and_topic() {
    let node = Eth::small().await;
    let (contract, other) = (address(0xcc), address(0xdd));
    for (filter, expected) in [
        (json!({"fromBlock": "0x2", "toBlock": "0x3", "address": other}), &[("0x2", "0x2"), ("0x3", "0x2")][..]),
        (json!({"address": [contract]}), &[("0x5", "0x0"), ("0x5", "0x1"), ("0x5", "0x3")]),
        (
            json!({"fromBlock": "earliest", "topics": [[topic(1), topic(4)]], "address": [other, other]}),
            &[("0x1", "0x2"), ("0x4", "0x2")],
        ),
        (
            json!({"fromBlock": "0x0", "toBlock": "finalized", "topics": [topic(3), topic(9)], "address": other}),
            &[("0x3", "0x2")],
        ),
        (json!({"fromBlock": "0x0", "topics": [null, topic(1)]}), &[]),
        (json!({"fromBlock": "0x0", "topics": [null, null, topic(1)]}), &[]),
        (json!({"fromBlock": "pending", "address": other}), &[("0x5", "0x2")]),
        (json!({"fromBlock": "0x6"}), &[]),
        (json!({"fromBlock": "0x6", "toBlock": "0xffffffffffffffff"}), &[]),
        (json!({"fromBlock": "0x5", "toBlock": "0x99", "address": other}), &[("0x5", "0x2")]),
        (json!({"blockHash": hash("block", 2), "address": other}), &[("0x2", "0x2")]),
    ] {
        let logs = node.result("eth_getLogs", json!([filter])).await;
        assert_eq!(places(&logs), pairs(expected), "{filter}");
    }
    for (filter, code, text) in [
        (json!({"fromBlock": "0x3", "toBlock": "0x2"}), -32602, "invalid block range params"),
        (json!({"fromBlock": "latest", "toBlock": "0x2"}), -32602, "invalid block range params"),
        (json!({"blockHash": hash("none", 0)}), -32000, "unknown block"),
        (
            json!({"blockHash": hash("block", 2), "fromBlock": "0x1"}),
            -32602,
            "invalid argument 0: cannot specify both BlockHash",
        ),
        (json!({"fromBlock": "0x01"}), -32602, "invalid argument 0: hex number with leading zero digits"),
        (json!({"address": "cc"}), -32602, "invalid argument 0: "),
        (json!({"topics": [7]}), -32602, "invalid argument 0: "),
        (json!("all"), -32602, "invalid argument 0: "),
    ] {
        let got = node.error("eth_getLogs", json!([filter])).await;
        assert!(got.0 == code && got.1.starts_with(text), "{filter}: {got:?}");
    }
}

#[tokio::test]
async fn blocks() {
    let node = Eth::small().await;
    let name = node.result("eth_newBlockFilter", json!([])).await;
    let changes = async || node.result("eth_getFilterChanges", json!([name])).await;
    assert_eq!(changes().await, json!([]));
    node.fake.settle();
    node.fake.settle();
    assert_eq!(changes().await, json!([hash("block", 6), hash("block", 7)]));
    assert_eq!(changes().await, json!([]));
    let no_logs = (-32000, "filter not found".to_owned());
    assert_eq!(node.error("eth_getFilterLogs", json!([name])).await, no_logs);
    assert_eq!(node.result("eth_uninstallFilter", json!([name])).await, true);
    assert_eq!(node.result("eth_uninstallFilter", json!([name])).await, false);
    assert_eq!(node.error("eth_getFilterChanges", json!([name])).await, no_logs);
}

#[tokio::test]
async fn new_logs() {
    let node = Eth::small().await;
    let filter = json!({"fromBlock": "0x4", "toBlock": "0x7", "address": address(0xdd)});
    let name = node.result("eth_newFilter", json!([filter])).await;
    let later = node.result("eth_newFilter", json!([{"fromBlock": "0x7", "address": address(0xdd)}])).await;
    let changes = async |name: &Value| places(&node.result("eth_getFilterChanges", json!([name])).await);
    assert!(changes(&name).await.is_empty(), "only what is new");
    let all = node.result("eth_getFilterLogs", json!([name])).await;
    assert_eq!(places(&all), pairs(&[("0x4", "0x2"), ("0x5", "0x2")]));
    node.fake.settle();
    assert_eq!(changes(&name).await, pairs(&[("0x6", "0x2")]));
    (0..3).for_each(|_| node.fake.settle());
    assert_eq!(changes(&name).await, pairs(&[("0x7", "0x2")]), "to the end of its range");
    assert!(changes(&name).await.is_empty());
    assert_eq!(changes(&later).await, pairs(&[("0x7", "0x2"), ("0x8", "0x2"), ("0x9", "0x2")]));
    let (code, text) = node.error("eth_newFilter", json!([{"blockHash": hash("block", 2)}])).await;
    assert!(code == -32602 && text.contains("use eth_getLogs"), "{text}");
}

/// Who comes back late gets all, in pieces that the limits allow.
#[tokio::test]
async fn new_logs_of_many_blocks() {
    let node = Eth::start(FakeEth { logs_max: 4, ..FakeEth::small() }, ServerConfig::default()).await;
    let name = node.result("eth_newFilter", json!([{}])).await;
    (0..3).for_each(|_| node.fake.settle());
    let mut told = Vec::new();
    for _ in 0..3 {
        told.extend(places(&node.result("eth_getFilterChanges", json!([name])).await));
    }
    assert_eq!(told.len(), 12);
    assert_eq!((&told[0].0[..], &told[11].0[..]), ("0x6", "0x8"));
    node.fake.ranges.lock().unwrap().clear();
    node.fake.settle_to(8 + 2 * LOG_BLOCKS_MAX + 1);
    for _ in 0..4 {
        node.result("eth_getFilterChanges", json!([name])).await;
    }
    let first = 9 + LOG_BLOCKS_MAX;
    let ranges =
        [(9, first - 1), (first, first + LOG_BLOCKS_MAX - 1), (first + LOG_BLOCKS_MAX, first + LOG_BLOCKS_MAX)];
    assert_eq!(*node.fake.ranges.lock().unwrap(), ranges);
}

/// One block has too many: the filter says so, and keeps its place.
#[tokio::test]
async fn new_logs_of_one_block_that_are_too_many() {
    let node = Eth::start(FakeEth { logs_max: 3, ..FakeEth::small() }, ServerConfig::default()).await;
    let name = node.result("eth_newFilter", json!([{}])).await;
    node.fake.settle();
    for _ in 0..2 {
        let (code, _) = node.error("eth_getFilterChanges", json!([name])).await;
        assert_eq!(code, -32005);
    }
}

/// What cannot be told is not taken as told.
#[tokio::test]
async fn new_logs_that_are_larger_than_an_answer() {
    let data = LogData::new_unchecked(vec![], vec![7; RESPONSE_BYTES_MAX / 2].into());
    let inner = alloy_primitives::Log { address: address(1), data };
    let log = Log { inner, block_number: Some(6), ..Log::default() };
    let node = Eth::start(FakeEth { logs: vec![log], ..FakeEth::small() }, ServerConfig::default()).await;
    let name = node.result("eth_newFilter", json!([{}])).await;
    node.fake.settle();
    for _ in 0..2 {
        let (code, text) = node.error("eth_getFilterChanges", json!([name])).await;
        assert!(code == -32000 && text.contains("ask for less at once"), "{text}");
    }
}

#[tokio::test]
async fn admitted_transactions() {
    let node = Eth::small().await;
    let hashes = node.result("eth_newPendingTransactionFilter", json!([])).await;
    let full = node.result("eth_newPendingTransactionFilter", json!([true])).await;
    let changes = async |name: &Value| node.result("eth_getFilterChanges", json!([name])).await;
    assert_eq!(changes(&hashes).await, json!([]));
    node.fake.admit(chain::tx(11, 0));
    node.fake.admit(chain::tx(11, 2));
    assert_eq!(changes(&hashes).await, json!([hash("tx", 110), hash("tx", 112)]));
    assert_eq!(changes(&full).await[1]["maxPriorityFeePerGas"], "0x7");
    // The channel forgets: what is left is the newest.
    for number in 0..ADMITTED_MAX as u64 + 10 {
        node.fake.admit(chain::tx(100 + number, 0));
    }
    let left = changes(&hashes).await;
    assert_eq!(left.as_array().map(Vec::len), Some(ADMITTED_MAX));
    assert_eq!(left[ADMITTED_MAX - 1], json!(hash("tx", 10 * (100 + ADMITTED_MAX as u64 + 9))));
    assert_eq!(changes(&hashes).await, json!([]));
}

#[tokio::test]
async fn unknown_filters() {
    let node = Eth::small().await;
    for method in ["eth_getFilterChanges", "eth_getFilterLogs"] {
        for name in ["0x0", "0x1", "0xffffffffffffffff", "0x10000000000000000", "0x", "1", "none"] {
            assert_eq!(node.error(method, json!([name])).await, (-32000, "filter not found".to_owned()));
        }
        for bad in [json!(1), json!({})] {
            assert_eq!(node.error(method, json!([bad])).await.0, -32602, "{bad}");
        }
    }
}

#[tokio::test]
async fn filters_have_a_limit() {
    let node = Eth::small().await;
    let one = r#"{"jsonrpc":"2.0","method":"eth_newBlockFilter","id":1}"#;
    let names = node.post(&format!("[{}]", vec![one; FILTERS_MAX].join(","))).await;
    let names: Vec<&Value> = names.as_array().expect("a list").iter().map(|answer| &answer["result"]).collect();
    assert!(names.len() == FILTERS_MAX && names.iter().all(|name| name.is_string()));
    for (method, params) in [
        ("eth_newBlockFilter", json!([])),
        ("eth_newFilter", json!([{}])),
        ("eth_newPendingTransactionFilter", json!([])),
    ] {
        let (code, text) = node.error(method, params).await;
        assert!(code == -32000 && text.starts_with("too many filters"), "{text}");
    }
    let subscribed = node.socket().await.ask("eth_subscribe", json!(["newHeads"])).await;
    assert_eq!(subscribed["error"]["code"], -32000, "subscriptions count as filters");
    node.result("eth_uninstallFilter", json!([names[7]])).await;
    node.result("eth_newFilter", json!([{}])).await;
}
