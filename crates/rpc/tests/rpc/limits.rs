//! Limits of DESIGN §6, at, below and above.

use crate::fake::Fake;
use crate::http::{Connection, post, request};
use crate::running::Running;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vigil_rpc::ServerConfig;
use vigil_rpc::limits::{
    BATCH_MAX, BODY_BYTES_MAX, HEAVY_RANGES_MAX, NESTING_MAX, RANGE_BLOCKS_MAX, RESPONSE_BYTES_MAX,
};

const JSON: &str = "content-type: application/json\r\n";

/// A good request padded with spaces to `length` bytes.
fn padded(length: usize) -> Vec<u8> {
    let mut body = br#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":1}"#.to_vec();
    body.resize(length, b' ');
    body
}

#[tokio::test]
async fn bodies() {
    let node = Running::plain().await;
    let mut connection = Connection::open(node.address).await;
    assert_eq!(connection.post(&padded(BODY_BYTES_MAX - 1)).await.status, 200);
    assert_eq!(connection.post(&padded(BODY_BYTES_MAX)).await.status, 200);
    // The server answers before it has read everything and closes; the answer may be lost to the reset.
    let over = request("POST", "/rpc", JSON, &padded(BODY_BYTES_MAX + 1));
    let _sent_or_reset = connection.send(&over).await;
    if let Some(answer) = connection.receive().await {
        assert_eq!(answer.status, 413);
        assert!(answer.body.contains("-32600"), "{}", answer.body);
    }
    assert_eq!(Connection::open(node.address).await.post(&padded(100)).await.status, 200);
}

#[tokio::test]
async fn batches() {
    let node = Running::plain().await;
    let one = r#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":1}"#;
    let batch = |n: usize| format!("[{}]", vec![one; n].join(","));
    let answers: Vec<serde_json::Value> =
        serde_json::from_str(&post(node.address, &batch(BATCH_MAX)).await).expect("an array");
    assert_eq!(answers.len(), BATCH_MAX);
    assert!(answers.iter().all(|answer| answer["result"]["version"] == "0.1.0"));
    let refused = post(node.address, &batch(BATCH_MAX + 1)).await;
    assert!(refused.contains("-32600") && refused.contains("1000"), "{refused}");
}

#[tokio::test]
async fn nesting() {
    let node = Running::plain().await;
    let nested = |depth: usize| {
        // The request and its params are two levels.
        let (open, close) = ("[".repeat(depth - 2), "]".repeat(depth - 2));
        format!(r#"{{"jsonrpc":"2.0","method":"theta.GetVersion","id":1,"params":{{"x":{open}{close}}}}}"#)
    };
    assert!(post(node.address, &nested(NESTING_MAX)).await.contains("result"));
    assert!(post(node.address, &nested(NESTING_MAX + 1)).await.contains("-32700"));
    let mut connection = Connection::open(node.address).await;
    let flood = "[".repeat(BODY_BYTES_MAX);
    assert!(connection.post(flood.as_bytes()).await.body.contains("-32700"));
    assert_eq!(connection.post(&padded(100)).await.status, 200, "the connection is usable afterwards");
}

fn range(start: u64, end: u64) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"theta.GetBlocksByRange","id":1,"params":{{"start":"{start}","end":"{end}"}}}}"#
    )
}

#[tokio::test]
async fn answers() {
    let fake = Fake { padding: 1024 * 1024, ..Fake::default() };
    let node = Running::start(fake, ServerConfig::default()).await;
    let fits = post(node.address, &range(1, 24)).await;
    assert!(fits.len() > 24 * 1024 * 1024 && fits.len() < RESPONSE_BYTES_MAX + 1024);
    let refused = post(node.address, &range(1, 25)).await;
    assert!(refused.contains(r#""code":-32000"#) && refused.contains("ask for less"), "{}", &refused[..200]);
    // In a batch the limit is on the sum.
    let answer = post(node.address, &format!("[{},{}]", range(1, 20), range(1, 20))).await;
    assert!(answer.len() < RESPONSE_BYTES_MAX + 1024);
    let answers: Vec<serde_json::Value> = serde_json::from_str(&answer).expect("an array");
    assert!(answers[0]["result"].is_array() && answers[1]["error"]["code"] == -32000);
}

#[tokio::test]
async fn ranges() {
    let fake = Fake { padding: 1, ..Fake::default() };
    let node = Running::start(fake, ServerConfig::default()).await;
    let longest = post(node.address, &range(1, 1 + RANGE_BLOCKS_MAX)).await;
    let list: serde_json::Value = serde_json::from_str(&longest).expect("JSON");
    assert_eq!(list["result"].as_array().map(Vec::len), Some(RANGE_BLOCKS_MAX as usize + 1));
    let refused = post(node.address, &range(1, 2 + RANGE_BLOCKS_MAX)).await;
    assert!(refused.contains("can't retrieve more than 5000 blocks at a time"), "{refused}");
    let refused = post(node.address, &range(6, 5)).await;
    assert!(refused.contains("starting block must be less than ending block"), "{refused}");
}

#[tokio::test]
async fn heavy_ranges_at_once() {
    let gate = Arc::new(tokio::sync::Barrier::new(HEAVY_RANGES_MAX + 1));
    let fake = Fake { padding: 1, hold: Some(gate.clone()), ..Fake::default() };
    let node = Running::start(fake, ServerConfig::default()).await;
    let address = node.address;
    // Each waits inside its first read, so all hold their permits.
    let running: Vec<_> =
        (0..HEAVY_RANGES_MAX).map(|_| tokio::spawn(async move { post(address, &range(1, 502)).await })).collect();
    while node.fake.reads.load(Ordering::Relaxed) < HEAVY_RANGES_MAX {
        tokio::task::yield_now().await;
    }
    let refused = post(address, &range(1, 502)).await;
    let text = "too many pending heavy getBlocksByRange queries, rejecting getBlocksByRange query from block 1 to 502";
    assert!(refused.contains(text), "{refused}");
    running.iter().for_each(tokio::task::JoinHandle::abort);
}
