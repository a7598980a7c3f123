//! Blocks, transactions, receipts and fees.

use super::chain::{GWEI_4000, address, hash, topic};
use super::fake::FakeEth;
use super::running::Eth;
use serde_json::{Value, json};
use vigil_rpc::ServerConfig;

#[tokio::test]
async fn blocks_by_any_name() {
    let node = Eth::small().await;
    for (name, number) in [
        ("latest", "0x5"),
        ("safe", "0x5"),
        ("pending", "0x6"),
        ("finalized", "0x3"),
        ("earliest", "0x0"),
        ("0x4", "0x4"),
    ] {
        let block = node.result("eth_getBlockByNumber", json!([name, false])).await;
        assert_eq!(block["number"], number, "{name}");
        let by_hash = node.result("eth_getBlockByHash", json!([block["hash"], false])).await;
        assert_eq!(by_hash, block);
    }
    for unknown in ["0x6", "0xffffffffffffffff"] {
        for method in ["eth_getBlockByNumber", "eth_getBlockReceipts", "eth_getBlockTransactionCountByNumber"] {
            let params = if method == "eth_getBlockByNumber" { json!([unknown, true]) } else { json!([unknown]) };
            assert_eq!(node.result(method, params).await, Value::Null, "{method} {unknown}");
        }
    }
    let nothing = Eth::start(FakeEth { finalized: None, ..FakeEth::small() }, ServerConfig::default()).await;
    assert_eq!(nothing.result("eth_getBlockByNumber", json!(["finalized", false])).await, Value::Null);
}

#[tokio::test]
async fn a_block() {
    let node = Eth::small().await;
    let block = node.result("eth_getBlockByNumber", json!(["0x2", false])).await;
    let want = json!({
        "number": "0x2", "hash": hash("block", 2), "parentHash": hash("block", 1), "mixHash": hash("block", 1),
        "nonce": "0x0000000000000000", "difficulty": "0x0", "totalDifficulty": "0x0", "extraData": "0x",
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347", "uncles": [],
        "transactionsRoot": hash("txs", 2), "stateRoot": hash("state", 2), "receiptsRoot": hash("receipts", 2),
        "logsBloom": format!("0x{}", "0".repeat(512)), "miner": address(0x99), "timestamp": "0x6553f102",
        "size": "0x3e8", "gasUsed": "0x15f90", "gasLimit": "0x3938700", "baseFeePerGas": "0x3a352944000",
        "transactions": [hash("tx", 20), hash("tx", 21), hash("tx", 22)],
    });
    assert_eq!(block, want);
    let full = node.result("eth_getBlockByHash", json!([hash("block", 2), true])).await;
    let by_hash = node.result("eth_getTransactionByHash", json!([hash("tx", 22)])).await;
    assert_eq!(full["transactions"][2], by_hash);
    for method in ["eth_getTransactionByBlockHashAndIndex", "eth_getTransactionByBlockNumberAndIndex"] {
        let at = if method.contains("Hash") { json!(hash("block", 2)) } else { json!("0x2") };
        assert_eq!(node.result(method, json!([at, "0x2"])).await, by_hash);
        assert_eq!(node.result(method, json!([at, "0x3"])).await, Value::Null);
    }
    assert_eq!(node.result("eth_getBlockTransactionCountByHash", json!([hash("block", 2)])).await, "0x3");
    assert_eq!(node.result("eth_getUncleCountByBlockNumber", json!(["0x2"])).await, "0x0");
    assert_eq!(node.result("eth_getUncleCountByBlockHash", json!([hash("block", 2)])).await, "0x0");
    assert_eq!(node.result("eth_getUncleCountByBlockNumber", json!(["0x99"])).await, Value::Null);
    assert_eq!(node.result("eth_getUncleByBlockNumberAndIndex", json!(["0x2", "0x0"])).await, Value::Null);
}

#[tokio::test]
async fn transactions() {
    let node = Eth::small().await;
    let legacy = node.result("eth_getTransactionByHash", json!([hash("tx", 20)])).await;
    let s = format!("0x{}", "f".repeat(63));
    let want = json!({
        "blockHash": hash("block", 2), "blockNumber": "0x2", "blockTimestamp": "0x6553f102", "transactionIndex": "0x0",
        "from": address(0xf0), "to": address(0xcc), "gas": "0x186a0", "gasPrice": "0x3a352944001", "nonce": "0x6",
        "hash": hash("tx", 20), "input": "0xabcd", "value": "0x5", "type": "0x0", "chainId": "0x16e",
        "v": "0x2ff", "r": "0xabcdef", "s": s,
    });
    assert_eq!(legacy, want);
    let creation = node.result("eth_getTransactionByHash", json!([hash("tx", 21)])).await;
    assert_eq!(
        (&creation["to"], &creation["type"], &creation["yParity"]),
        (&Value::Null, &json!("0x1"), &json!("0x1"))
    );
    assert_eq!(creation["accessList"], json!([{"address": address(0xaa), "storageKeys": [topic(1)]}]));
    let dynamic = node.result("eth_getTransactionByHash", json!([hash("tx", 22)])).await;
    let prices = ["gasPrice", "maxFeePerGas", "maxPriorityFeePerGas"].map(|key| dynamic[key].as_str().expect("text"));
    assert_eq!(prices, ["0x3a352944007", "0x746a5288000", "0x7"]);
    let pending = node.result("eth_getTransactionByHash", json!([hash("tx", 82)])).await;
    for null in ["blockHash", "blockNumber", "transactionIndex"] {
        assert!(pending.as_object().expect("an object").get(null).is_some_and(Value::is_null), "{null}");
    }
    assert_eq!(pending["gasPrice"], pending["maxFeePerGas"]);
    assert_eq!(node.result("eth_getTransactionReceipt", json!([hash("tx", 82)])).await, Value::Null);
    for method in ["eth_getTransactionByHash", "eth_getTransactionReceipt"] {
        assert_eq!(node.result(method, json!([hash("none", 1)])).await, Value::Null);
    }
}

#[tokio::test]
async fn receipts() {
    let node = Eth::small().await;
    let receipts = node.result("eth_getBlockReceipts", json!(["0x2"])).await;
    assert_eq!(receipts.as_array().map(Vec::len), Some(3));
    for (index, receipt) in receipts.as_array().expect("a list").iter().enumerate() {
        let one = node.result("eth_getTransactionReceipt", json!([hash("tx", 20 + index as u64)])).await;
        assert_eq!(&one, receipt);
    }
    let failed = json!({
        "blockHash": hash("block", 2), "blockNumber": "0x2", "transactionHash": hash("tx", 21), "transactionIndex": "0x1",
        "from": address(0xf0), "to": null, "contractAddress": address(0xce), "type": "0x1", "status": "0x0",
        "gasUsed": "0x7530", "cumulativeGasUsed": "0xea60", "effectiveGasPrice": "0x3a352944001", "logs": [],
        "logsBloom": format!("0x{}", "0".repeat(512)),
    });
    assert_eq!(receipts[1], failed);
    assert_eq!(receipts[2]["effectiveGasPrice"], "0x3a352944007");
    assert_eq!((&receipts[0]["contractAddress"], &receipts[0]["status"]), (&Value::Null, &json!("0x1")));
    let log = json!({
        "address": address(0xdd), "topics": [topic(2), topic(9)], "data": "0x01", "blockHash": hash("block", 2),
        "blockNumber": "0x2", "blockTimestamp": "0x6553f102", "transactionHash": hash("tx", 22),
        "transactionIndex": "0x2", "logIndex": "0x2", "removed": false,
    });
    assert_eq!(receipts[2]["logs"][1], log);
}

/// Types that tools parse with: those of cast and reth.
#[tokio::test]
async fn tools_read_what_is_written() {
    use alloy_rpc_types_eth::{Block, Filter, Header, Log, SyncStatus, Transaction, TransactionReceipt};
    let node = Eth::small().await;
    let result = async |method, params| node.result(method, params).await;
    let full = result("eth_getBlockByNumber", json!(["0x2", true])).await;
    let block: Block = serde_json::from_value(full).expect("a block");
    assert_eq!((block.header.number, block.header.mix_hash), (2, hash("block", 1)));
    assert_eq!(block.transactions.hashes().collect::<Vec<_>>().len(), 3);
    let txs = block.transactions.into_transactions().collect::<Vec<Transaction>>();
    assert_eq!(txs[2].effective_gas_price, Some(GWEI_4000 + 7));
    assert!(txs.iter().all(|tx| tx.inner.signer() == address(0xf0)));
    for index in 0..3 {
        let receipt = result("eth_getTransactionReceipt", json!([hash("tx", 20 + index)])).await;
        let receipt: TransactionReceipt = serde_json::from_value(receipt).expect("a receipt");
        assert_eq!((receipt.transaction_index, receipt.contract_address.is_some()), (Some(index), index == 1));
    }
    let logs: Vec<Log> =
        serde_json::from_value(result("eth_getLogs", json!([Filter::new().select(2..=3)])).await).expect("logs");
    assert_eq!(logs.len(), 8);
    let status: SyncStatus = serde_json::from_value(result("eth_syncing", json!([])).await).expect("a status");
    assert_eq!(status, SyncStatus::None);
    let mut socket = node.socket().await;
    socket.subscribe(json!(["newHeads"])).await;
    node.fake.settle();
    let head: Header = serde_json::from_value(socket.event().await.1).expect("a header");
    assert_eq!(head.number, 6);
}

#[tokio::test]
async fn fee_history() {
    let node = Eth::small().await;
    let history = node.result("eth_feeHistory", json!(["0x2", "latest", [0, 50, 100]])).await;
    let (price, ratio) = ("0x3a352944000", 90_000.0 / 60_000_000.0);
    let want = json!({
        "oldestBlock": "0x4", "baseFeePerGas": [price, price, price], "gasUsedRatio": [ratio, ratio],
        "baseFeePerBlobGas": ["0x0", "0x0", "0x0"], "blobGasUsedRatio": [0.0, 0.0],
        "reward": [["0x1", "0x1", "0x7"], ["0x1", "0x1", "0x7"]],
    });
    assert_eq!(history, want);
    // Genesis has no transactions; the chain is shorter than what is asked for.
    for count in [json!("0xffff"), json!(65_535), json!("65535")] {
        let all = node.result("eth_feeHistory", json!([count, "pending", [10]])).await;
        assert_eq!((&all["oldestBlock"], &all["reward"][0]), (&json!("0x0"), &json!(["0x0"])), "{count}");
        assert_eq!(all["reward"].as_array().map(Vec::len), Some(6));
    }
    let plain = node.result("eth_feeHistory", json!(["0x1", "0x3", []])).await;
    assert!(plain.get("reward").is_none() && plain["oldestBlock"] == "0x3");
    let none = node.result("eth_feeHistory", json!(["0x0", "0x3"])).await;
    assert_eq!(none, json!({"oldestBlock": "0x0", "gasUsedRatio": []}));
    for (params, code, text) in [
        (json!(["0x1", "0x6"]), -32000, "request beyond head block: requested 6, head 5"),
        (json!(["0x1", "latest", [101]]), -32000, "invalid reward percentile: 101"),
        (json!(["0x1", "latest", [-1]]), -32000, "invalid reward percentile: -1"),
        (json!(["0x1", "latest", [2, 1]]), -32000, "invalid reward percentile: 2 stands before 1"),
        (json!(["0x1", "latest", vec![1; 101]]), -32000, "invalid reward percentile: over the query limit 100"),
        (json!(["0x1", "latest", ["x"]]), -32602, "invalid argument 2: "),
        (json!(["x", "latest"]), -32602, "invalid argument 0: "),
        (json!(["0x1"]), -32602, "missing value for required argument 1"),
    ] {
        let got = node.error("eth_feeHistory", params.clone()).await;
        assert!(got.0 == code && got.1.starts_with(text), "{params}: {got:?}");
    }
}
