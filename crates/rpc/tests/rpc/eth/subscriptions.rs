//! Events over a WebSocket.

use super::chain::{self, address, hash, topic};
use super::fake::{ADMITTED_MAX, FakeEth};
use super::running::Eth;
use crate::http::post;
use futures::SinkExt as _;
use serde_json::json;
use std::sync::atomic::Ordering;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;
use vigil_primitives::Bytes;
use vigil_rpc::ServerConfig;
use vigil_rpc::eth::{EthSyncing, EthTx};
use vigil_rpc::limits::{FILTERS_MAX, SUBSCRIPTIONS_MAX};

#[tokio::test]
async fn heads() {
    let node = Eth::small().await;
    let mut socket = node.socket().await;
    let name = socket.subscribe(json!(["newHeads"])).await;
    node.fake.settle();
    node.fake.settle();
    for number in [6, 7] {
        let (whose, head) = socket.event().await;
        assert_eq!(whose, name);
        let block = node.result("eth_getBlockByNumber", json!([format!("{number:#x}"), false])).await;
        let mut header = block.as_object().expect("an object").clone();
        for of_blocks in ["transactions", "uncles", "size", "totalDifficulty"] {
            header.remove(of_blocks);
        }
        assert_eq!(head, json!(header));
    }
}

#[tokio::test]
async fn logs() {
    let node = Eth::small().await;
    let mut socket = node.socket().await;
    let name = socket.subscribe(json!(["logs", {"address": address(0xdd), "topics": [null, topic(9)]}])).await;
    let mut all = node.socket().await;
    all.subscribe(json!(["logs"])).await;
    node.fake.settle();
    node.fake.settle();
    for number in [6u64, 7] {
        let (whose, log) = socket.event().await;
        assert_eq!((whose, &log["blockHash"]), (name.clone(), &json!(hash("block", number))));
        let logs = node.result("eth_getLogs", json!([{"blockHash": hash("block", number)}])).await;
        assert_eq!(log, logs[2]);
        for index in 0..4 {
            assert_eq!(all.event().await.1, logs[index]);
        }
    }
}

#[tokio::test]
async fn admitted_transactions() {
    let node = Eth::small().await;
    let mut socket = node.socket().await;
    let hashes = socket.subscribe(json!(["newPendingTransactions"])).await;
    let full = socket.subscribe(json!(["newPendingTransactions", true])).await;
    node.fake.admit(chain::tx(8, 2));
    let mut events = [socket.event().await, socket.event().await];
    events.sort_by_key(|(name, _)| *name != hashes);
    assert_eq!(events[0], (hashes, json!(hash("tx", 82))));
    let by_hash = node.result("eth_getTransactionByHash", json!([hash("tx", 82)])).await;
    assert_eq!(events[1], (full, by_hash));
}

#[tokio::test]
async fn syncing() {
    let node = Eth::small().await;
    let mut socket = node.socket().await;
    socket.subscribe(json!(["syncing"])).await;
    assert_eq!(socket.event().await.1, json!(false));
    *node.fake.syncing.lock().unwrap() = Some(EthSyncing { starting: 5, current: 6, highest: 900 });
    node.fake.settle();
    let want = json!({"syncing": true, "startingBlock": "0x5", "currentBlock": "0x6", "highestBlock": "0x384"});
    assert_eq!(socket.event().await.1, want);
    *node.fake.syncing.lock().unwrap() = None;
    node.fake.settle();
    assert_eq!(socket.event().await.1, json!(false));
}

#[tokio::test]
async fn ends() {
    let node = Eth::small().await;
    let mut socket = node.socket().await;
    let kept = socket.subscribe(json!(["newHeads"])).await;
    let ended = socket.subscribe(json!(["newHeads"])).await;
    assert_eq!(socket.ask("eth_unsubscribe", json!([ended])).await["result"], true);
    let unknown = json!({"code": -32000, "message": "subscription not found"});
    assert_eq!(socket.ask("eth_unsubscribe", json!([ended])).await["error"], unknown);
    // Nobody ends what is another's.
    assert_eq!(node.socket().await.ask("eth_unsubscribe", json!([kept])).await["error"], unknown);
    node.fake.settle();
    node.fake.settle();
    assert_eq!([socket.event().await.0, socket.event().await.0], [kept.clone(), kept]);
    assert_eq!(socket.ask("eth_chainId", json!([])).await["result"], "0x16e", "no event of the other comes between");
}

#[tokio::test]
async fn bad_subscriptions() {
    let node = Eth::small().await;
    let mut socket = node.socket().await;
    for (params, code) in [
        (json!([]), -32602),
        (json!([7]), -32602),
        (json!(["newHeads", {}, {}]), -32602),
        (json!(["transactionReceipts"]), -32601),
        (json!(["none"]), -32601),
        (json!(["logs", {"topics": 7}]), -32602),
        (json!(["logs", {"blockHash": hash("block", 1)}]), -32602),
        (json!(["newPendingTransactions", "yes"]), -32602),
    ] {
        assert_eq!(socket.ask("eth_subscribe", params.clone()).await["error"]["code"], code, "{params}");
    }
    assert_eq!(socket.ask("eth_unsubscribe", json!([7])).await["error"]["code"], -32602);
    assert_eq!(socket.ask("eth_unsubscribe", json!(["x"])).await["error"]["code"], -32000);
}

#[tokio::test]
async fn a_socket_has_a_limit_and_gives_all_back() {
    let node = Eth::small().await;
    for _ in 0..2 + FILTERS_MAX / SUBSCRIPTIONS_MAX {
        let mut socket = node.socket().await;
        for _ in 0..SUBSCRIPTIONS_MAX {
            subscribe_when_free(&mut socket).await;
        }
        let refused = socket.ask("eth_subscribe", json!(["newHeads"])).await;
        let text = refused["error"]["message"].as_str().expect("a text");
        assert!(text.starts_with("too many subscriptions") || text.starts_with("too many filters"), "{text}");
    }
}

/// The server may still be closing the sockets before.
async fn subscribe_when_free(socket: &mut super::running::Socket) {
    while socket.ask("eth_subscribe", json!(["newHeads"])).await.get("error").is_some() {
        tokio::task::yield_now().await;
    }
}

/// More than sockets buffer: the node waits for the client, and the client misses nothing.
#[tokio::test]
async fn a_slow_client_gets_every_block() {
    let node = Eth::small().await;
    let mut socket = node.socket().await;
    socket.subscribe(json!(["newHeads"])).await;
    let count = 12_000;
    (0..count).for_each(|_| node.fake.settle());
    // Other clients are served meanwhile.
    assert!(post(node.address, &super::running::request("eth_blockNumber", json!([]))).await.contains("result"));
    let mut reads = node.fake.block_reads.load(Ordering::Relaxed);
    for number in 6..6 + count {
        assert_eq!(socket.event().await.1["number"], format!("{number:#x}"));
        let now = node.fake.block_reads.load(Ordering::Relaxed);
        assert!(now >= reads);
        reads = now;
    }
}

/// Admitted transactions that a client is too slow for are left out; it goes on with the newest.
#[tokio::test]
async fn a_slow_client_misses_admitted_transactions() {
    let node = Eth::small().await;
    let mut socket = node.socket().await;
    socket.subscribe(json!(["newPendingTransactions", true])).await;
    let count = 4 * ADMITTED_MAX as u64;
    for number in 0..count {
        node.fake.admit(EthTx { input: Bytes::from(vec![7; 100_000]), ..chain::tx(number, 0) });
    }
    let mut events = 0;
    loop {
        let (_, tx) = socket.event().await;
        events += 1;
        if tx["hash"] == json!(hash("tx", 10 * (count - 1))) {
            break;
        }
    }
    assert!(events <= ADMITTED_MAX, "{events}");
}

/// The answer to the request comes before the first event, even from a batch that waits for something else.
#[tokio::test]
async fn the_name_comes_first() {
    let node = Eth::start(FakeEth { logs_gate: Semaphore::new(0), ..FakeEth::small() }, ServerConfig::default()).await;
    let mut socket = node.socket().await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]},
        {"jsonrpc": "2.0", "id": 2, "method": "eth_getLogs", "params": [{}]},
    ]);
    socket.0.send(Message::text(batch.to_string())).await.expect("open");
    while node.fake.ranges.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    node.fake.settle();
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    node.fake.logs_gate.add_permits(1);
    let answers = socket.next().await.expect("answers");
    let (name, head) = socket.event().await;
    assert_eq!((&answers[0]["result"], &head["number"]), (&json!(name), &json!("0x6")), "and nothing is missed");
}

/// A block that cannot be read ends the socket rather than leave a gap.
#[tokio::test]
async fn no_silent_gap() {
    let node = Eth::start(FakeEth::small(), ServerConfig::default()).await;
    let mut socket = node.socket().await;
    socket.subscribe(json!(["newHeads"])).await;
    node.fake.settle_to(8);
    assert_eq!(socket.event().await.1["number"], "0x6");
    assert!(socket.next().await.is_none());
}
