//! Contracts as the reference's wallets meet them: runs, receipts, transactions with Ethereum signatures.

use crate::fake::Fake;
use crate::http::post;
use crate::running::Running;
use crate::txs::one_of_each;
use crate::values::{address, input, send};
use serde_json::{Value, json};
use vigil_crypto::{SecretKey, import_eth_for};
use vigil_primitives::{Bytes, Coins, Signature, SmartContract, Tx, TxOutput, U256, keccak256};
use vigil_rpc::ServerConfig;
use vigil_testkit::ethereum::EthTx;

async fn ask(node: &Running, method: &str, params: Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": format!("theta.{method}"), "params": params});
    serde_json::from_str(&post(node.address, &body.to_string()).await).expect("JSON")
}

/// As wallets write it: nobody has signed.
fn unsigned(to: u8, gas_limit: u64) -> String {
    let from = vigil_primitives::TxInput { signature: Signature::none(), ..input(0x11, Coins::ZERO, 1) };
    let data = Bytes::from_static(&[0xb5, 0xa0]);
    let to = TxOutput { address: address(to), coins: Coins::ZERO };
    hex::encode(Tx::SmartContract(SmartContract { from, to, gas_limit, gas_price: U256::ONE, data }).to_raw())
}

#[tokio::test]
async fn a_run_is_answered_in_text_and_its_failure_is_an_answer() {
    let node = Running::plain().await;
    let call = async |bytes: String| ask(&node, "CallSmartContract", json!({"sctx_bytes": bytes})).await;
    let made = |vm_return: &str, contract: u8, gas_used: &str, vm_error: &str| json!({"vm_return": vm_return, "contract_address": address(contract), "gas_used": gas_used, "vm_error": vm_error});
    assert_eq!(call(unsigned(0x44, 20_000_000)).await["result"], made("b5a0", 0x44, "20000000", ""));
    assert_eq!(call(format!("0x{}", unsigned(0, 7))).await["result"], made("b5a0", 0x55, "7", ""));
    assert_eq!(call(unsigned(0x44, 0)).await["result"], made("", 0, "0", "out of gas"));
    let refused = call(unsigned(0x44, 20_000_001)).await["error"].clone();
    let text = "Invalid gas limit. Gas limit needs to be at most 20000000";
    assert_eq!(refused, json!({"code": -32000, "message": text}));
    let other = call(hex::encode(send().to_raw())).await["error"]["message"].clone();
    assert_eq!(other, "sctx_bytes holds a transaction of type 2, want 7: smart contract");
    let damaged = call(unsigned(0x44, 7)[..40].to_owned()).await["error"]["message"].clone();
    assert!(damaged.as_str().expect("text").starts_with("Error decoding tx: "), "{damaged}");
}

/// Signed with the key of eleven for the chain of that number.
fn eth_tx(eth_type: u8, chain_id: u64) -> Vec<u8> {
    let tx = EthTx {
        eth_type,
        chain_id: U256::from(chain_id),
        nonce: 4,
        max_priority_fee_per_gas: U256::from(1),
        max_fee_per_gas: U256::from(4_000_000_000_000u64),
        gas_limit: 60_000,
        to: Some(address(0x33)),
        value: U256::from(12),
        data: Bytes::from_static(&[0x60, 0x80]),
        access_list: vec![],
    };
    let key = SecretKey::from_bytes(&[0x11; 32]).expect("a key");
    let signature = key.sign(&keccak256(tx.unsigned()));
    tx.signed(signature.as_array().expect("65 bytes"))
}

#[tokio::test]
async fn an_ethereum_transaction_is_sent_in_its_native_form() {
    let node = Running::plain().await;
    for eth_type in [0, 1, 2] {
        let raw = eth_tx(eth_type, 366);
        let native = import_eth_for(U256::from(366), &raw).expect("imports");
        let (bare, prefixed) = (hex::encode(&raw), format!("0x{}", hex::encode(&raw)));
        let answer = ask(&node, "BroadcastRawEthTransactionAsync", json!({"tx_bytes": bare})).await;
        assert_eq!(answer["result"], json!({"hash": keccak256(&raw)}), "type {eth_type}");
        let answer = ask(&node, "BroadcastRawEthTransaction", json!({"tx_bytes": prefixed})).await;
        assert_eq!(answer["result"]["hash"], json!(keccak256(&native)), "type {eth_type}");
        assert_eq!(answer["result"]["block"]["Height"], 6);
        let sent = std::mem::take(&mut *node.fake.sent.lock().expect("not poisoned"));
        assert_eq!(sent, [native.clone(), native], "type {eth_type}");
    }
    for eth_type in [0, 1, 2] {
        let other = hex::encode(eth_tx(eth_type, 365));
        let answer = ask(&node, "BroadcastRawEthTransactionAsync", json!({"tx_bytes": other})).await;
        assert_eq!(answer["error"]["message"], "invalid chain id for signer: have 365 want 366", "type {eth_type}");
    }
    assert!(node.fake.sent.lock().expect("not poisoned").is_empty());
}

#[tokio::test]
async fn blocks_name_ethereum_hashes_where_they_are_asked_for() {
    let node = Running::start(Fake { all_types: true, ..Fake::default() }, ServerConfig::default()).await;
    let block = ask(&node, "GetBlockByHeight", json!({"height": "5", "include_eth_tx_hashes": true})).await;
    let txs = one_of_each();
    let shown = block["result"]["transactions"].as_array().expect("a list");
    assert_eq!(shown.len(), txs.len());
    for (tx, shown) in txs.iter().zip(shown) {
        let eth_hash = tx.eth_hash(U256::from(366)).unwrap_or_default();
        assert_eq!(shown["eth_tx_hash"], json!(eth_hash), "{:?}", tx.tx_type());
        assert_eq!(shown["receipt"].is_null(), tx.contract_call().is_none(), "{:?}", tx.tx_type());
        assert_eq!(shown["balance_changes"].is_null(), tx.contract_call().is_none(), "{:?}", tx.tx_type());
    }
    // The sender stands in the receipt: nothing is recovered from the signature, which says another one.
    let ethereum = shown.last().expect("there");
    assert_ne!(ethereum["eth_tx_hash"], json!(vigil_primitives::Hash::ZERO));
    assert_eq!(ethereum["raw"]["from"]["address"], json!(address(0x77)));
}
