//! A fake node filled with the answers of `vectors/execution-apis`, so that their requests can be asked as they are.

use super::fake::FakeEth;
use alloy_rpc_types_eth::{AccessList, Log};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use vigil_primitives::{Address, BlockHeader, Bytes, Hash, U256};
use vigil_rpc::eth::{
    Bloom, CallOutcome, Estimate, EthAccount, EthBlock, EthFees, EthFound, EthPlace, EthReceipt, EthTx, EthTxInfo,
};

/// A request and its answer.
pub(crate) struct Pair {
    /// `eth_call/call-contract.io`.
    pub(crate) name: String,
    pub(crate) request: Value,
    pub(crate) answer: Value,
}

#[derive(Default)]
struct Seen {
    /// By hash.
    txs: BTreeMap<Hash, Value>,
    receipts: BTreeMap<Hash, Value>,
    blocks: Vec<Value>,
}

/// The node that gave these answers.
pub(crate) fn fill(pairs: &[Pair]) -> FakeEth {
    let mut fake = FakeEth::empty(0x36);
    fake.rules.block_gas_max = 0x0beb_c200;
    let mut seen = Seen::default();
    for Pair { request, answer, .. } in pairs {
        let (params, result) = (&request["params"], &answer["result"]);
        match request["method"].as_str().expect("a method") {
            "net_version" => fake.rules.chain_number = result.as_str().expect("text").parse().expect("decimal"),
            "eth_baseFee" => fake.rules.base_fee = number(result) as u128,
            "eth_getBlockByHash" | "eth_getBlockByNumber" => seen.block(result),
            "eth_getTransactionByHash" | "eth_getTransactionByBlockNumberAndIndex" => seen.tx(result),
            "eth_getTransactionReceipt" => seen.receipt(result),
            "eth_getBlockReceipts" => list(result).for_each(|receipt| seen.receipt(receipt)),
            "eth_getLogs" => list(result).for_each(|log| add_log(&mut fake.logs, log)),
            "eth_getBlockTransactionCountByHash" => fake_genesis(&mut seen, params),
            "eth_getBalance" => account(&mut fake, params).balance = typed(result),
            "eth_getTransactionCount" => account(&mut fake, params).nonce = number(result),
            "eth_getCode" => drop(fake.codes.insert(typed(&params[0]), typed(result))),
            "eth_getStorageAt" => drop(fake.slots.insert((typed(&params[0]), typed(&params[1])), typed(result))),
            "eth_call" => drop(fake.outcomes.insert(message(params), Ok(outcome(answer)))),
            "eth_estimateGas" if params[0].get("authorizationList").is_none() => {
                let estimate = match answer.get("error") {
                    Some(_) => Estimate::Fails(outcome(answer)),
                    None => Estimate::Gas(number(result)),
                };
                fake.estimates.insert(message(params), estimate);
            }
            "eth_createAccessList" => drop(fake.access_lists.insert(message(params), typed(result))),
            _ => {}
        }
    }
    seen.pour(&mut fake);
    fake
}

impl Seen {
    fn block(&mut self, block: &Value) {
        if block.is_object() {
            list(&block["transactions"]).filter(|tx| tx.is_object()).for_each(|tx| self.tx(tx));
            self.blocks.push(block.clone());
        }
    }

    fn tx(&mut self, tx: &Value) {
        if tx.is_object() {
            self.txs.insert(typed(&tx["hash"]), tx.clone());
        }
    }

    fn receipt(&mut self, receipt: &Value) {
        if receipt.is_object() {
            self.receipts.insert(typed(&receipt["transactionHash"]), receipt.clone());
        }
    }

    fn pour(self, fake: &mut FakeEth) {
        let hashes = self.txs.keys().chain(self.receipts.keys());
        for hash in hashes {
            let (tx, receipt) = (self.txs.get(hash), self.receipts.get(hash));
            let either = tx.or(receipt).expect("one of both");
            let place = EthPlace {
                block_hash: typed(&either["blockHash"]),
                number: number(&either["blockNumber"]),
                timestamp: tx.map_or(0, |tx| number(&tx["blockTimestamp"])),
                index: number(&either["transactionIndex"]),
                first_log: receipt.map_or(0, |receipt| number(&receipt["logs"][0]["logIndex"])),
            };
            let timestamp = receipt.map_or(place.timestamp, |receipt| {
                receipt["logs"][0].get("blockTimestamp").map_or(place.timestamp, number)
            });
            let found = EthFound::Settled(Box::new(self.info(*hash)), EthPlace { timestamp, ..place });
            fake.txs.insert(*hash, found);
        }
        let blocks = self.blocks.iter().map(|json| (number(&json["number"]), Arc::new(self.block_of(json))));
        fake.blocks = Mutex::new(blocks.collect());
    }

    fn info(&self, hash: Hash) -> EthTxInfo {
        let (tx, receipt) = (self.txs.get(&hash), self.receipts.get(&hash));
        let fallback = || EthTx { hash, ..tx_of(&Value::Null, &Value::Null) };
        let tx = match (tx, receipt) {
            (None, None) => fallback(),
            (tx, receipt) => tx_of(tx.unwrap_or(&Value::Null), receipt.unwrap_or(&Value::Null)),
        };
        EthTxInfo { tx: Arc::new(tx), receipt: receipt_of(receipt.unwrap_or(&Value::Null)) }
    }

    fn block_of(&self, json: &Value) -> EthBlock {
        let hashes = list(&json["transactions"]).map(|tx| typed(tx.get("hash").unwrap_or(tx)));
        let mut txs: Vec<EthTxInfo> = hashes.map(|hash| self.info(hash)).collect();
        let gas: u64 = number(&json["gasUsed"]);
        for (info, count) in txs.iter_mut().zip(1..) {
            info.receipt.cumulative_gas_used = info.receipt.cumulative_gas_used.max(count);
            info.receipt.gas_used = info.receipt.gas_used.max(1);
        }
        if let Some(last) = txs.last_mut() {
            last.receipt.cumulative_gas_used = gas;
        }
        let header = BlockHeader {
            height: number(&json["number"]),
            parent: typed(&json["parentHash"]),
            tx_root: typed(&json["transactionsRoot"]),
            state_root: typed(&json["stateRoot"]),
            timestamp: number(&json["timestamp"]),
            proposer: typed(&json["miner"]),
            ..BlockHeader::default()
        };
        EthBlock {
            hash: typed(&json["hash"]),
            header,
            receipts_root: typed(&json["receiptsRoot"]),
            bloom: typed(&json["logsBloom"]),
            size: number(&json["size"]),
            txs,
        }
    }
}

/// A transaction of its own JSON, or as far as its receipt tells. Without either it pays a tip of 1.
fn tx_of(tx: &Value, receipt: &Value) -> EthTx {
    let either = |key: &str| tx.get(key).or(receipt.get(key)).cloned().unwrap_or_default();
    let price = or_zero(tx.get("gasPrice").or(receipt.get("effectiveGasPrice")));
    let access_list = tx.get("accessList").map_or_else(AccessList::default, typed);
    let fees = match (either("type").as_str(), tx.is_object()) {
        (Some("0x0"), _) => EthFees::Legacy { gas_price: price },
        (Some("0x1"), _) => EthFees::Priced { gas_price: price, access_list },
        (Some(_), _) => EthFees::Dynamic { max_fee: price, max_priority_fee: price, access_list },
        (None, _) => EthFees::Dynamic { max_fee: U256::MAX, max_priority_fee: U256::from(1), access_list },
    };
    let hash = tx.get("hash").or(receipt.get("transactionHash"));
    EthTx {
        hash: hash.map_or(Hash::ZERO, typed),
        from: or_zero(tx.get("from").or(receipt.get("from"))),
        to: typed(&either("to")),
        nonce: number(&tx["nonce"]),
        value: or_zero(tx.get("value")),
        gas_limit: number(&tx["gas"]),
        fees,
        input: tx.get("input").map_or_else(Bytes::new, typed),
        chain_id: typed(&tx["chainId"]),
        v: or_zero(tx.get("v")),
        r: or_zero(tx.get("r")),
        s: or_zero(tx.get("s")),
    }
}

fn receipt_of(json: &Value) -> EthReceipt {
    let log = |log: &Value| typed::<Log>(log).inner;
    EthReceipt {
        // Before Byzantium there was no status.
        success: json.get("status").is_none_or(|status| status == "0x1"),
        gas_used: number(&json["gasUsed"]),
        cumulative_gas_used: number(&json["cumulativeGasUsed"]),
        logs: list(&json["logs"]).map(log).collect(),
        bloom: json.get("logsBloom").map_or(Bloom::ZERO, typed),
        contract_address: typed(&json["contractAddress"]),
    }
}

/// Genesis is named by its hash alone.
fn fake_genesis(seen: &mut Seen, params: &Value) {
    seen.blocks.push(serde_json::json!({
        "hash": params[0], "number": "0x0", "parentHash": Hash::ZERO, "transactionsRoot": Hash::ZERO,
        "stateRoot": Hash::ZERO, "timestamp": "0x0", "miner": Address::ZERO, "receiptsRoot": Hash::ZERO,
        "logsBloom": Bloom::ZERO, "size": "0x0", "gasUsed": "0x0", "transactions": [],
    }));
}

fn account<'a>(fake: &'a mut FakeEth, params: &Value) -> &'a mut EthAccount {
    let at = params[1].as_str().filter(|at| at.len() == 66).map(|_| typed(&params[1]));
    fake.accounts.entry((typed(&params[0]), at)).or_default()
}

fn message(params: &Value) -> (Option<Address>, Bytes) {
    (typed(&params[0]["to"]), params[0].get("input").map_or_else(Bytes::new, typed))
}

fn outcome(answer: &Value) -> CallOutcome {
    match answer.get("error") {
        Some(error) => CallOutcome::Revert { output: typed(&error["data"]), gas_used: 1 },
        None => CallOutcome::Success { output: typed(&answer["result"]), gas_used: 1 },
    }
}

fn add_log(logs: &mut Vec<Log>, json: &Value) {
    let log = typed(json);
    if !logs.contains(&log) {
        logs.push(log);
    }
}

fn list(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn typed<T: serde::de::DeserializeOwned>(json: &Value) -> T {
    serde_json::from_value(json.clone()).unwrap_or_else(|why| panic!("{why}: {json}"))
}

fn or_zero<T: serde::de::DeserializeOwned + Default>(json: Option<&Value>) -> T {
    json.map_or_else(T::default, typed)
}

/// A quantity; 0 if it is missing.
fn number(json: &Value) -> u64 {
    json.as_str().map_or(0, |text| u64::from_str_radix(&text[2..], 16).expect("a quantity"))
}
