//! Methods about the node, accounts and the mempool, traces, and what is said to bad arguments.

use super::chain::{self, GWEI_4000, address, hash, topic};
use super::fake::FakeEth;
use super::running::Eth;
use serde_json::json;
use vigil_primitives::{Hash, U256};
use vigil_rpc::ServerConfig;
use vigil_rpc::eth::{EthRules, EthSyncing};

#[tokio::test]
async fn the_node_and_the_chain() {
    let node = Eth::small().await;
    for (method, result) in [
        ("web3_clientVersion", json!("Vigil/v0.1.0/<test>")),
        ("net_version", json!("366")),
        ("net_listening", json!(true)),
        ("net_peerCount", json!("0x12")),
        ("eth_chainId", json!("0x16e")),
        ("eth_protocolVersion", json!("0x41")),
        ("eth_syncing", json!(false)),
        ("eth_accounts", json!([])),
        ("eth_blockNumber", json!("0x5")),
        ("eth_gasPrice", json!("0x3a352944000")),
        ("eth_baseFee", json!("0x3a352944000")),
        ("eth_maxPriorityFeePerGas", json!("0x0")),
    ] {
        assert_eq!(node.result(method, json!([])).await, result, "{method}");
        let too_many = (-32602, "too many arguments, want at most 0".to_owned());
        assert_eq!(node.error(method, json!([1])).await, too_many, "{method}");
    }
    let modules = node.result("rpc_modules", json!([])).await;
    assert_eq!(modules["eth"], "1.0");
    let empty = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    assert_eq!(node.result("web3_sha3", json!(["0x"])).await, empty);
    *node.fake.syncing.lock().unwrap() = Some(EthSyncing { starting: 0, current: 5, highest: 900 });
    let syncing = json!({"startingBlock": "0x0", "currentBlock": "0x5", "highestBlock": "0x384"});
    assert_eq!(node.result("eth_syncing", json!([])).await, syncing);
}

/// Chains with a name of their own have a number of 256 bits.
#[tokio::test]
async fn chain_numbers_of_256_bits() {
    let rules = EthRules { chain_number: U256::MAX, ..chain::rules() };
    let node = Eth::start(FakeEth { rules, ..FakeEth::small() }, ServerConfig::default()).await;
    let number = format!("0x{}", "f".repeat(64));
    assert_eq!(node.result("eth_chainId", json!([])).await, number);
    assert_eq!(node.result("net_version", json!([])).await, U256::MAX.to_string());
    assert_eq!(node.result("eth_call", json!([{"chainId": number, "data": "0x12"}])).await, "0x");
    let (code, text) = node.error("eth_call", json!([{"chainId": "0x16e"}])).await;
    assert_eq!(code, -32602);
    assert!(text.contains("chainId does not match node's (have=366, want=1157920892373161"), "{text}");
}

#[tokio::test]
async fn accounts() {
    let node = Eth::small().await;
    let (rich, contract, nobody) = (address(0xf0), address(0xcc), address(1));
    for (method, params, result) in [
        ("eth_getBalance", json!([rich, "latest"]), json!("0x3e8")),
        ("eth_getBalance", json!([rich]), json!("0x3e8")),
        ("eth_getBalance", json!([rich, "0x2"]), json!("0x3e8")),
        ("eth_getBalance", json!([rich, {"blockHash": hash("block", 2), "requireCanonical": true}]), json!("0x3e8")),
        ("eth_getBalance", json!([rich, "finalized"]), json!("0x3e8")),
        ("eth_getBalance", json!([nobody, "safe"]), json!("0x0")),
        ("eth_getTransactionCount", json!([rich, "latest"]), json!("0xf")),
        ("eth_getTransactionCount", json!([rich, "pending"]), json!("0x11")),
        ("eth_getCode", json!([contract, "latest"]), json!("0x6001")),
        ("eth_getCode", json!([nobody]), json!("0x")),
        ("eth_getStorageAt", json!([contract, "0x7", "latest"]), json!(topic(0x38))),
        ("eth_getStorageAt", json!([contract, format!("0x{:064x}", 7), "latest"]), json!(topic(0x38))),
        ("eth_getStorageAt", json!([contract, "0x8"]), json!(Hash::ZERO)),
    ] {
        assert_eq!(node.result(method, params.clone()).await, result, "{method} {params}");
    }
    for method in ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"] {
        let unknown = (-32000, "header not found".to_owned());
        assert_eq!(node.error(method, json!([rich, "0x6"])).await, unknown, "{method}: 6 is not settled");
        assert_eq!(node.error(method, json!([rich, Hash::repeat_byte(0xee)])).await, unknown, "{method}");
        let (code, text) = node.error(method, json!([rich, "0x384"])).await;
        assert!(code == -32000 && text.starts_with("missing trie node: historical state"), "{text}");
    }
    let nothing = Eth::start(FakeEth { finalized: None, ..FakeEth::small() }, ServerConfig::default()).await;
    let (code, text) = nothing.error("eth_getBalance", json!([rich, "finalized"])).await;
    assert_eq!((code, text.as_str()), (-32000, "finalized block not found"));
}

#[tokio::test]
async fn sending() {
    let node = Eth::small().await;
    let sent = node.result("eth_sendRawTransaction", json!(["0x0201"])).await;
    assert_eq!(sent, json!(vigil_primitives::keccak256([2, 1])));
    let low = (-32000, "nonce too low: next nonce 5, tx nonce 4".to_owned());
    assert_eq!(node.error("eth_sendRawTransaction", json!(["0xff"])).await, low);
    let under = (-32003, "transaction underpriced".to_owned());
    assert_eq!(node.error("eth_sendRawTransaction", json!(["0xfe"])).await, under);
}

#[tokio::test]
async fn the_pool() {
    let node = Eth::small().await;
    assert_eq!(node.result("txpool_status", json!([])).await, json!({"pending": "0x1", "queued": "0x1"}));
    let content = node.result("txpool_content", json!([])).await;
    let sender = format!("{:#x}", address(0xf0));
    assert_eq!(content["pending"][&sender]["26"]["hash"], json!(hash("tx", 82)));
    assert_eq!(content["queued"][&sender]["27"]["hash"], json!(hash("tx", 90)));
    let theirs = node.result("txpool_contentFrom", json!([address(0xf0)])).await;
    assert_eq!(theirs["pending"], content["pending"][&sender]);
    let nobodys = node.result("txpool_contentFrom", json!([address(1)])).await;
    assert_eq!(nobodys, json!({"pending": {}, "queued": {}}));
    let inspect = node.result("txpool_inspect", json!([])).await;
    let to = address(0xcc).to_string();
    let text = format!("{to}: 5 wei + 100000 gas × {} wei", 2 * GWEI_4000);
    assert_eq!(inspect["pending"][&sender]["26"], text);
}

#[tokio::test]
async fn traces() {
    let node = Eth::small().await;
    let tracer = json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}});
    for (method, params) in [
        ("debug_traceTransaction", json!([hash("tx", 20), tracer])),
        ("debug_traceBlockByNumber", json!(["0x2", tracer])),
        ("debug_traceBlockByHash", json!([hash("block", 2), tracer])),
        ("debug_traceCall", json!([{"to": address(0xcc)}, "latest", tracer])),
    ] {
        assert_eq!(node.result(method, params).await["type"], "CALL", "{method}");
        let traced = node.fake.traced.lock().unwrap().take().expect("asked");
        let (tracer, config) = (traced.tracer.expect("set"), traced.tracer_config.into_json());
        assert_eq!((json!(tracer), config), (json!("callTracer"), json!({"onlyTopCall": true})), "{method}");
    }
    let with_overrides = json!([
        {"data": "0x12"}, "0x2",
        {"disableStack": true, "stateOverrides": {address(0xcc).to_string(): {"balance": "0x5"}}, "blockOverrides": {"number": "0x7"}}
    ]);
    node.result("debug_traceCall", with_overrides).await;
    let asked = node.fake.asked.lock().unwrap().take().expect("asked");
    assert_eq!(asked.overrides.state.expect("set")[&address(0xcc)].balance, Some(U256::from(5)));
    assert_eq!(asked.overrides.block.expect("set").number, Some(U256::from(7)));
    assert_eq!(node.fake.traced.lock().unwrap().take().expect("asked").config.disable_stack, Some(true));
    for (method, params, code, text) in [
        ("debug_traceTransaction", json!([hash("none", 0)]), -32000, "transaction not found"),
        ("debug_traceBlockByNumber", json!(["0x99"]), -32000, "header not found"),
        (
            "debug_traceTransaction",
            json!([hash("tx", 20), {"tracer": "{data: []}"}]),
            -32602,
            "invalid argument 1: tracer not found",
        ),
        (
            "debug_traceCall",
            json!([{}, "latest", {"txIndex": "0x1"}]),
            -32602,
            "invalid argument 2: txIndex is not supported",
        ),
    ] {
        let got = node.error(method, params).await;
        assert!(got.0 == code && got.1.starts_with(text), "{method}: {got:?}");
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let node = Eth::small().await;
    for method in [
        "eth_getProof",
        "eth_sendTransaction",
        "eth_fillTransaction",
        "eth_blobBaseFee",
        "Eth_chainId",
        "theta.GetStatus",
        "",
    ] {
        let text = format!("the method {method} does not exist/is not available");
        assert_eq!(node.error(method, json!([])).await, (-32601, text));
    }
    let (code, text) = node.error("eth_subscribe", json!(["newHeads"])).await;
    assert!(code == -32601 && text.contains("notifications not supported"), "{text}");
}

#[tokio::test]
async fn bad_arguments() {
    let node = Eth::small().await;
    let rich = address(0xf0);
    for (method, params, text) in [
        ("eth_getBalance", json!([]), "missing value for required argument 0"),
        ("eth_getBalance", json!([null]), "missing value for required argument 0"),
        ("eth_getBalance", json!([rich, "latest", 1]), "too many arguments, want at most 2"),
        ("eth_getBalance", json!({"address": rich}), "non-array args"),
        ("eth_getBalance", json!(["0x12", "latest"]), "invalid argument 0: hex string has length 2, want 40"),
        ("eth_getBalance", json!([7, "latest"]), "invalid argument 0: invalid type: integer `7`, expected a string"),
        ("eth_getBalance", json!([rich, "soon"]), "invalid argument 1: hex string without 0x prefix"),
        ("eth_getBalance", json!([rich, "0x05"]), "invalid argument 1: hex number with leading zero digits"),
        ("eth_getBalance", json!([rich, "0x10000000000000000"]), "invalid argument 1: hex number > 64 bits"),
        ("eth_getBalance", json!([rich, format!("0x{}", "1".repeat(65))]), "invalid argument 1: hex number > 256 bits"),
        ("eth_getBalance", json!([rich, {}]), "invalid argument 1: cannot specify both"),
        (
            "eth_getStorageAt",
            json!([rich, format!("0x{}", "1".repeat(65))]),
            "invalid argument 1: storage key too long",
        ),
        ("eth_getStorageAt", json!([rich, "0x"]), "invalid argument 1: empty hex string"),
        ("eth_getStorageAt", json!([rich, "0xzz"]), "invalid argument 1: invalid hex string"),
        (
            "eth_getBlockByNumber",
            json!(["latest", "yes"]),
            "invalid argument 1: invalid type: string \"yes\", expected a boolean",
        ),
        ("eth_getBlockByNumber", json!([hash("block", 1), false]), "invalid argument 0: "),
        ("eth_getBlockByHash", json!(["0x1", false]), "invalid argument 0: hex string has length 1, want 64"),
        ("eth_sendRawTransaction", json!(["0x123"]), "invalid argument 0: hex string of odd length"),
        ("eth_sendRawTransaction", json!(["1234"]), "invalid argument 0: hex string without 0x prefix"),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            json!(["0x2", "0x10000000000000000"]),
            "invalid argument 1: hex number > 64 bits",
        ),
        ("eth_getUncleByBlockHashAndIndex", json!([hash("block", 1)]), "missing value for required argument 1"),
        ("web3_sha3", json!(["0xg"]), "invalid argument 0: hex string of odd length"),
    ] {
        let got = node.error(method, params.clone()).await;
        assert!(got.0 == -32602 && got.1.starts_with(text), "{method} {params}: {got:?}");
    }
}
