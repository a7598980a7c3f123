//! Limits of DESIGN §6 on the Ethereum side, at, below and above; and input at random.

use super::chain;
use super::fake::FakeEth;
use super::running::{Eth, request};
use crate::http::{Connection, post};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use vigil_rpc::ServerConfig;
use vigil_rpc::limits::{
    BATCH_MAX, BODY_BYTES_MAX, FEE_BLOCKS_MAX, FILTER_VALUES_MAX, LOG_BLOCKS_MAX, NESTING_MAX, RESPONSE_BYTES_MAX,
    REWARD_BLOCKS_MAX,
};
use vigil_testkit::vectors;

const CHAIN_ID: &str = r#"{"jsonrpc":"2.0","method":"eth_chainId","id":1}"#;

#[tokio::test]
async fn bodies() {
    let node = Eth::small().await;
    let mut connection = Connection::open(node.address).await;
    for length in [BODY_BYTES_MAX - 1, BODY_BYTES_MAX] {
        let body = format!("{CHAIN_ID}{}", " ".repeat(length - CHAIN_ID.len()));
        assert_eq!(connection.post(body.as_bytes()).await.status, 200);
    }
    let over = format!("{CHAIN_ID}{}", " ".repeat(BODY_BYTES_MAX + 1 - CHAIN_ID.len()));
    let request = crate::http::request("POST", "/", "content-type: application/json\r\n", over.as_bytes());
    // The answer may be lost to the reset.
    let _sent_or_reset = connection.send(&request).await;
    assert!(connection.receive().await.is_none_or(|answer| answer.status == 413));
}

#[tokio::test]
async fn batches() {
    let node = Eth::small().await;
    let batch = |count: usize| format!("[{}]", vec![CHAIN_ID; count].join(","));
    for count in [BATCH_MAX - 1, BATCH_MAX] {
        assert_eq!(node.post(&batch(count)).await.as_array().map(Vec::len), Some(count));
    }
    assert_eq!(node.post(&batch(BATCH_MAX + 1)).await["error"]["code"], -32600);
    assert_eq!(node.post("[]").await["error"]["code"], -32600);
}

#[tokio::test]
async fn nesting() {
    let node = Eth::small().await;
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!(r#"{{"jsonrpc":"2.0","method":"eth_chainId","id":1,"params":{open}{close}}}"#)
    };
    for (depth, code) in [(NESTING_MAX - 1, -32602), (NESTING_MAX, -32602), (NESTING_MAX + 1, -32700)] {
        assert_eq!(node.post(&nested(depth)).await["error"]["code"], code, "{depth}");
    }
    for method in ["eth_call", "eth_getLogs", "eth_newFilter", "debug_traceCall", "eth_feeHistory", "eth_getBalance"] {
        let deep = nested(NESTING_MAX).replace("eth_chainId", method);
        assert_eq!(node.post(&deep).await["error"]["code"], -32602, "{method}");
    }
}

#[tokio::test]
async fn answers() {
    let around = r#"{"jsonrpc":"2.0","id":1,"result":{"data":"","type":"CALL"}}"#.len();
    for (bytes, fits) in [(RESPONSE_BYTES_MAX - 1, true), (RESPONSE_BYTES_MAX, true), (RESPONSE_BYTES_MAX + 1, false)] {
        let fake = FakeEth { trace_bytes: bytes - around, ..FakeEth::small() };
        let node = Eth::start(fake, ServerConfig::default()).await;
        let answer = post(node.address, &request("debug_traceCall", json!([{}]))).await;
        assert_eq!(answer.contains(r#""result""#), fits, "{bytes}");
        assert!(fits || answer.contains(r#""code":-32000"#) && answer.contains("ask for less at once"));
    }
}

#[tokio::test]
async fn ranges_of_logs() {
    let node = Eth::start(FakeEth::empty(3 * LOG_BLOCKS_MAX), ServerConfig::default()).await;
    let range = |blocks: u64| json!([{"fromBlock": "0x64", "toBlock": format!("{:#x}", 0x64 + blocks - 1)}]);
    for blocks in [LOG_BLOCKS_MAX - 1, LOG_BLOCKS_MAX] {
        assert_eq!(node.result("eth_getLogs", range(blocks)).await, json!([]));
    }
    let refused = (-32602, format!("query exceeds max block range {LOG_BLOCKS_MAX}"));
    assert_eq!(node.error("eth_getLogs", range(LOG_BLOCKS_MAX + 1)).await, refused);
    assert_eq!(node.error("eth_getLogs", json!([{"fromBlock": "earliest"}])).await, refused);
    assert_eq!(
        node.error("eth_getLogs", json!([{"fromBlock": "0x0", "toBlock": "0xffffffffffffffff"}])).await,
        refused
    );
    assert_eq!(node.fake.ranges.lock().unwrap().len(), 2, "what is refused is not read");
}

#[tokio::test]
async fn numbers_of_logs() {
    for (logs_max, fits) in [(5, true), (4, true), (3, false)] {
        let node = Eth::start(FakeEth { logs_max, ..FakeEth::small() }, ServerConfig::default()).await;
        let answer = node.ask("eth_getLogs", json!([{"fromBlock": "0x2", "toBlock": "0x2"}])).await;
        assert_eq!(answer["result"].as_array().map(Vec::len), fits.then_some(4));
        let refused = json!({"code": -32005, "message": "query returned more than 3 results"});
        assert!(fits || answer["error"] == refused, "{answer}");
    }
}

#[tokio::test]
async fn values_of_filters() {
    let node = Eth::small().await;
    for (count, fits) in [(FILTER_VALUES_MAX - 1, true), (FILTER_VALUES_MAX, true), (FILTER_VALUES_MAX + 1, false)] {
        let filter = json!([{"address": vec![chain::address(1); count]}]);
        for method in ["eth_getLogs", "eth_newFilter"] {
            let answer = node.ask(method, filter.clone()).await;
            assert!(fits == answer.get("error").is_none() && (fits || answer["error"]["code"] == -32602), "{answer}");
        }
    }
}

#[tokio::test]
async fn blocks_of_fees() {
    let head = FEE_BLOCKS_MAX + 10;
    let blocks = (0..=head).map(|number| (number, Arc::new(chain::block(number)))).collect();
    let fake = FakeEth { blocks: Mutex::new(blocks), ..FakeEth::empty(head) };
    let node = Eth::start(fake, ServerConfig::default()).await;
    for (count, percentiles, got) in [
        (FEE_BLOCKS_MAX - 1, json!([]), FEE_BLOCKS_MAX - 1),
        (FEE_BLOCKS_MAX, json!([]), FEE_BLOCKS_MAX),
        (FEE_BLOCKS_MAX + 1, json!([]), FEE_BLOCKS_MAX),
        (u64::MAX, json!([]), FEE_BLOCKS_MAX),
        (REWARD_BLOCKS_MAX, json!([50]), REWARD_BLOCKS_MAX),
        (REWARD_BLOCKS_MAX + 1, json!([50]), REWARD_BLOCKS_MAX),
    ] {
        let history = node.result("eth_feeHistory", json!([format!("{count:#x}"), "latest", percentiles])).await;
        assert_eq!(history["gasUsedRatio"].as_array().map(Vec::len), Some(got as usize), "{count}");
        assert_eq!(history["oldestBlock"], format!("{:#x}", head + 1 - got));
    }
}

/// Every method, with arguments at random: an answer each time, and the connection lives on.
#[tokio::test]
async fn arguments_at_random() {
    let seed = 0x6a09_e667_f3bc_c908;
    eprintln!("seed {seed:#x}");
    let node = Eth::small().await;
    let mut random = Random(seed);
    let mut connection = Connection::open(node.address).await;
    for round in 0..6_000 {
        let method = METHODS[round % METHODS.len()];
        let params: Vec<Value> = (0..random.below(4)).map(|_| random.value(3)).collect();
        let body = request(method, json!(params));
        let answer = connection.post(body.as_bytes()).await.body;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|why| panic!("{why}: {body}: {answer}"));
        let code = answer["error"]["code"].as_i64();
        let known = code.is_none_or(|code| matches!(code, 3 | -32000 | -32003 | -32005 | -32601 | -32602));
        assert!(known && (code.is_some() || answer.get("result").is_some()), "{body}: {answer}");
    }
}

/// The JSON torture files as bodies and as parameters.
#[tokio::test]
async fn torture_files() {
    let node = Eth::small().await;
    let mut connection = Connection::open(node.address).await;
    for file in vectors::files("json-test-suite/test_parsing").unwrap_or_default() {
        let bytes = std::fs::read(&file).expect("readable");
        for method in ["eth_call", "eth_getLogs", "eth_feeHistory"] {
            let head = format!(r#"{{"jsonrpc":"2.0","method":"{method}","id":1,"params":["#);
            for body in [bytes.clone(), [head.as_bytes(), &bytes, b"]}"].concat()] {
                let answer = connection.post(&body).await;
                let name = file.display();
                assert!(answer.status == 200 || answer.status == 204, "{name}: HTTP {}", answer.status);
                assert!(answer.status == 204 || serde_json::from_str::<Value>(&answer.body).is_ok(), "{name}");
            }
        }
    }
    assert!(connection.post(CHAIN_ID.as_bytes()).await.body.contains("0x16e"));
}

const METHODS: [&str; 30] = [
    "web3_sha3",
    "eth_feeHistory",
    "eth_getBalance",
    "eth_getTransactionCount",
    "eth_getCode",
    "eth_getStorageAt",
    "eth_call",
    "eth_estimateGas",
    "eth_createAccessList",
    "eth_sendRawTransaction",
    "eth_getBlockByNumber",
    "eth_getBlockByHash",
    "eth_getBlockTransactionCountByNumber",
    "eth_getBlockReceipts",
    "eth_getUncleByBlockNumberAndIndex",
    "eth_getTransactionByHash",
    "eth_getTransactionByBlockHashAndIndex",
    "eth_getTransactionByBlockNumberAndIndex",
    "eth_getTransactionReceipt",
    "eth_getLogs",
    "eth_newFilter",
    "eth_newPendingTransactionFilter",
    "eth_getFilterChanges",
    "eth_getFilterLogs",
    "eth_uninstallFilter",
    "eth_subscribe",
    "txpool_contentFrom",
    "debug_traceTransaction",
    "debug_traceCall",
    "debug_traceBlockByNumber",
];

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.next().is_multiple_of(2)),
            2 => json!(self.next() as i64 >> self.below(64)),
            3 => json!(f64::from_bits(self.next())),
            4 | 5 => json!(self.text()),
            6 => (0..self.below(6)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let keys: Vec<&str> = (0..self.below(6)).map(|_| self.one_of(&KEYS)).collect();
                keys.into_iter().map(|key| (key.to_owned(), self.value(depth - 1))).collect()
            }
        }
    }

    fn text(&mut self) -> String {
        match self.below(5) {
            0 => self
                .one_of(&["latest", "pending", "safe", "finalized", "earliest", "newHeads", "", "0x", "é\u{0}<"])
                .to_owned(),
            1 => format!("{:#x}", self.next() >> self.below(64)),
            2 => chain::hash("block", self.next() % 7).to_string(),
            3 => chain::address(0xcc).to_string(),
            _ => format!("0x{}", "0f".repeat(self.below(70))),
        }
    }
}

const KEYS: [&str; 20] = [
    "to",
    "from",
    "data",
    "input",
    "gas",
    "gasPrice",
    "maxFeePerGas",
    "value",
    "nonce",
    "chainId",
    "accessList",
    "blockHash",
    "blockNumber",
    "fromBlock",
    "toBlock",
    "address",
    "topics",
    "tracer",
    "tracerConfig",
    "stateOverrides",
];
