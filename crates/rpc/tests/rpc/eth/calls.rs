//! `eth_call`, `eth_estimateGas`, `eth_createAccessList`.

use super::chain::{address, hash, topic};
use super::fake::FakeEth;
use super::running::Eth;
use alloy_primitives::TxKind;
use serde_json::json;
use vigil_primitives::{Address, Bytes, U256};
use vigil_rpc::ServerConfig;
use vigil_rpc::eth::{CallOutcome, Estimate, EthAt, EthError};

fn to(byte: u8) -> (Option<Address>, Bytes) {
    (Some(address(byte)), Bytes::new())
}

fn halt(reason: &str) -> CallOutcome {
    CallOutcome::Halt { reason: reason.to_owned(), gas_used: 100 }
}

/// Contracts that end in each way.
async fn node() -> Eth {
    let mut fake = FakeEth::small();
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    let reason = [&[0x08, 0xc3, 0x79, 0xa0], &word(32)[..], &word(3), b"no!\0\0"].concat();
    let outcomes = [
        (1, Ok(CallOutcome::Success { output: Bytes::from(vec![0xff, 0xee]), gas_used: 5 })),
        (2, Ok(CallOutcome::Revert { output: reason.into(), gas_used: 5 })),
        (3, Ok(CallOutcome::Revert { output: Bytes::from(vec![1, 2]), gas_used: 5 })),
        (4, Ok(halt("out of gas"))),
        (5, Ok(halt("invalid opcode: INVALID"))),
        (6, Ok(halt("stack underflow (0 <=> 1)"))),
        (7, Ok(halt("max code size exceeded"))),
        (8, Err(EthError::new("insufficient funds for gas * price + value: address 0x01 have 0 want 5"))),
        (9, Err(EthError::new("execution aborted (timeout = 5s)"))),
    ];
    for (byte, outcome) in outcomes {
        if let Ok(outcome) = &outcome {
            let estimate = match outcome {
                CallOutcome::Success { .. } => Estimate::Gas(50_000),
                outcome => Estimate::Fails(outcome.clone()),
            };
            fake.estimates.insert(to(byte), estimate);
        }
        fake.outcomes.insert(to(byte), outcome);
    }
    Eth::start(fake, ServerConfig::default()).await
}

#[tokio::test]
async fn each_way_to_end() {
    let node = node().await;
    assert_eq!(node.result("eth_call", json!([{"to": address(1)}])).await, "0xffee");
    assert_eq!(node.result("eth_estimateGas", json!([{"to": address(1)}])).await, "0xc350");
    let revert = |message: &str, data: &str| json!({"code": 3, "message": message, "data": data});
    let data = "0x08c379a0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000000000000000000000000000000000036e6f210000";
    for (byte, error) in [
        (2, revert("execution reverted: no!", data)),
        (3, revert("execution reverted", "0x0102")),
        (4, json!({"code": -32000, "message": "out of gas"})),
        (5, json!({"code": -32000, "message": "invalid opcode: INVALID"})),
        (6, json!({"code": -32000, "message": "stack underflow (0 <=> 1)"})),
        (7, json!({"code": -32000, "message": "max code size exceeded"})),
    ] {
        for method in ["eth_call", "eth_estimateGas"] {
            assert_eq!(node.ask(method, json!([{"to": address(byte)}])).await["error"], error, "{method}");
        }
    }
    for byte in [8, 9] {
        let error = node.ask("eth_call", json!([{"to": address(byte)}])).await["error"].clone();
        assert!(error["code"] == -32000 && error.get("data").is_none(), "{error}");
    }
}

/// Text is escaped as JSON wants, not as Go does.
#[tokio::test]
async fn escapes() {
    let node = node().await;
    let body = super::running::request("eth_call", json!([{"to": address(6)}]));
    let answer = crate::http::post(node.address, &body).await;
    assert!(answer.contains(r#""message":"stack underflow (0 <=> 1)"}"#) && answer.ends_with("}\n"), "{answer}");
}

#[tokio::test]
async fn what_tools_send() {
    let node = node().await;
    let asked = async |params| {
        node.result("eth_estimateGas", params).await;
        node.fake.asked.lock().unwrap().take().expect("asked")
    };
    // web3.py, then cast: a creation with both names of the data, and keys that nobody knows.
    let call = asked(json!([{"from": address(5), "to": address(1), "gas": "0x5208", "value": "0x7"}, "latest"])).await;
    assert_eq!((call.at, call.request.gas, call.request.value), (EthAt::Settled, Some(21_000), Some(U256::from(7))));
    let create = json!({
        "from": address(5), "to": null, "data": "0x6001", "input": "0x6001", "nonce": "0x2", "chainId": "0x16e",
        "gasPrice": null, "maxFeePerGas": "0x5", "maxPriorityFeePerGas": "0x4", "type": "0x2", "unknown": {"a": [1]},
        "accessList": [{"address": address(1), "storageKeys": [topic(1)]}],
    });
    let call = asked(json!([create, "pending"])).await;
    let creates = matches!(call.request.to, None | Some(TxKind::Create));
    assert!(creates && call.at == EthAt::Tip);
    assert_eq!(call.request.input.input, Some(Bytes::from(vec![0x60, 0x01])));
    assert_eq!((call.request.max_fee_per_gas, call.request.nonce), (Some(5), Some(2)));
    assert_eq!(call.request.access_list.expect("set").0[0].storage_keys, [topic(1)]);
    let call = asked(json!([{"data": "0x12"}, hash("block", 2)])).await;
    assert_eq!(call.request.input.input, Some(Bytes::from(vec![0x12])));
    assert_eq!(call.at, EthAt::Hash(hash("block", 2)));
    let overrides = json!({address(9).to_string(): {"code": "0x60", "nonce": "0x1", "stateDiff": {topic(1).to_string(): topic(2)}}});
    let call = asked(json!([{}, "0x3", overrides, {"time": "0x5", "baseFeePerGas": "0x0"}])).await;
    let state = call.overrides.state.expect("set");
    assert_eq!(state[&address(9)].code, Some(Bytes::from(vec![0x60])));
    assert_eq!(state[&address(9)].state_diff.as_ref().expect("set")[&topic(1)], topic(2));
    assert_eq!(call.overrides.block.expect("set").time, Some(5));
}

#[tokio::test]
async fn access_lists() {
    let node = node().await;
    let list = node.result("eth_createAccessList", json!([{"to": address(1)}, "latest", {}])).await;
    assert_eq!(list, json!({"accessList": [], "gasUsed": "0x0"}));
}

#[tokio::test]
async fn bad_messages() {
    let node = node().await;
    let both = json!({address(9).to_string(): {"state": {}, "stateDiff": {}}});
    let moved = json!({address(9).to_string(): {"movePrecompileToAddress": address(1)}});
    for (params, text) in [
        (json!([]), "missing value for required argument 0"),
        (json!(["0x"]), "invalid argument 0: "),
        (json!([{"to": "0x12"}]), "invalid argument 0: "),
        (json!([{"value": "five"}]), "invalid argument 0: "),
        (json!([{"gas": "0x10000000000000000"}]), "invalid argument 0: "),
        (json!([{"data": "0x1", "to": address(1)}]), "invalid argument 0: "),
        (
            json!([{"data": "0x01", "input": "0x02"}]),
            "invalid argument 0: both \"data\" and \"input\" are set and not equal",
        ),
        (
            json!([{"gasPrice": "0x1", "maxFeePerGas": "0x1"}]),
            "invalid argument 0: both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ),
        (
            json!([{"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"}]),
            "invalid argument 0: maxFeePerGas (1) < maxPriorityFeePerGas (2)",
        ),
        (json!([{"chainId": "0x1"}]), "invalid argument 0: chainId does not match node's (have=1, want=366)"),
        (json!([{"blobVersionedHashes": [topic(1)]}]), "invalid argument 0: this chain has no blob transactions"),
        (json!([{"authorizationList": []}]), "invalid argument 0: this chain has no transactions with authorizations"),
        (json!([{}, "latest", both]), "invalid argument 2: account 0x0909"),
        (json!([{}, "latest", moved]), "invalid argument 2: account 0x0909"),
        (json!([{}, "latest", {address(9).to_string(): {"wealth": "0x1"}}]), "invalid argument 2: "),
        (json!([{}, "latest", {}, {}, 1]), "too many arguments, want at most 4"),
    ] {
        for method in ["eth_call", "eth_estimateGas"] {
            let got = node.error(method, params.clone()).await;
            assert!(got.0 == -32602 && got.1.starts_with(text), "{method} {params}: {got:?}");
        }
    }
}
