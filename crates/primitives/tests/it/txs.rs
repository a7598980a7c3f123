//! Transactions of the reference node: bytes, sign bytes in both wrappers, hashes; chain numbers.

use serde_json::Value;
use vigil_primitives::*;
use vigil_testkit::vectors::{self, array, hex_at, string};

fn amount(value: &Value) -> U256 {
    match value {
        Value::Null => U256::ZERO,
        Value::Number(n) => U256::from(n.as_u64().unwrap()),
        other => other.as_str().unwrap().parse().unwrap(),
    }
}

fn coins(value: &Value) -> Coins {
    Coins::new(amount(&value["theta"]), amount(&value["tfuel"]))
}

fn address(value: &Value) -> Address {
    value.as_str().unwrap().parse().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Signed with a marker, which sign bytes must leave out.
fn input(value: &Value) -> TxInput {
    let signature = Signature(Bytes::from_static(b"signature"));
    TxInput {
        address: address(&value["address"]),
        coins: coins(value),
        sequence: number(&value["sequence"]),
        signature,
    }
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(item).collect()
}

fn output(value: &Value) -> TxOutput {
    TxOutput { address: address(&value["address"]), coins: coins(value) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().into()
}

fn tx(f: &Value) -> Tx {
    let fee = coins(&f["fee"]);
    match number(&f["type"]) {
        0 => Tx::Coinbase(Coinbase {
            proposer: input(&f["proposer"]),
            outputs: list(&f["outputs"], output),
            block_height: number(&f["block_height"]),
        }),
        1 => Tx::Slash(Slash {
            proposer: input(&f["proposer"]),
            slashed_address: address(&f["slashed_address"]),
            reserve_sequence: number(&f["reserve_sequence"]),
            slash_proof: hex_at(f, "slash_proof").into(),
        }),
        2 => Tx::Send(Send { fee, inputs: list(&f["inputs"], input), outputs: list(&f["outputs"], output) }),
        3 => Tx::ReserveFund(ReserveFund {
            fee,
            source: input(&f["source"]),
            collateral: coins(&f["collateral"]),
            resource_ids: list(&f["resource_ids"], text),
            duration: number(&f["duration"]),
        }),
        4 => {
            let (source, reserve_sequence) = (input(&f["source"]), number(&f["reserve_sequence"]));
            Tx::ReleaseFund(ReleaseFund { fee, source, reserve_sequence })
        }
        5 => Tx::ServicePayment(ServicePayment {
            fee,
            source: TxInput { signature: Signature::none(), ..input(&f["source"]) },
            target: input(&f["target"]),
            payment_sequence: number(&f["payment_sequence"]),
            reserve_sequence: number(&f["reserve_sequence"]),
            resource_id: text(&f["resource_id"]),
        }),
        6 => Tx::SplitRule(SplitRuleTx {
            fee,
            resource_id: text(&f["resource_id"]),
            initiator: input(&f["initiator"]),
            splits: list(&f["splits"], |s| Split {
                address: address(&s["address"]),
                percentage: number(&s["percentage"]),
            }),
            duration: number(&f["duration"]),
        }),
        other => panic!("no vector has type {other}"),
    }
}

#[test]
fn reference_unit_tests() {
    let Some(file) = vectors::json("ledger/tx_go_tests.json") else { return };
    for case in array(&file, "vectors") {
        let (source, fields) = (string(case, "source"), &case["fields"]);
        let (chain_id, tx) = (string(fields, "chain_id"), tx(fields));
        let bytes = match &tx {
            Tx::ServicePayment(t) if source.contains("(source") => SignBytes::of_payment_source(chain_id, t),
            _ => SignBytes::of(chain_id, &tx),
        };
        assert_eq!(bytes.wrapped(TxWrapper::V1), hex_at(case, "expected_sign_bytes"), "{source}");
        if case["expected_raw_tx"].is_string() {
            let raw = hex_at(case, "expected_raw_tx");
            let Tx::Send(mut send) = tx else { panic!("the signed vector is a send") };
            send.inputs[0].signature = Signature(hex_at(case, "expected_signature").into());
            let tx = Tx::Send(send);
            assert_eq!((tx.to_raw(), tx.hash().to_vec()), (raw.clone(), hex_at(case, "tx_hash")));
            assert_eq!(Tx::from_raw(&raw), Ok(tx));
        }
    }
}

#[test]
fn reference_signed_transactions() {
    let Some(file) = vectors::json("ledger/tx_reference_signed.json") else { return };
    let chain_id = string(&file, "chain_id");
    for case in array(&file, "vectors") {
        let (name, raw) = (string(case, "name"), hex_at(case, "raw_tx"));
        let tx = Tx::from_raw(&raw).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((tx.to_raw(), tx.hash().to_vec()), (raw, hex_at(case, "tx_hash")), "{name}");
        let bytes = SignBytes::of(chain_id, &tx);
        if let Tx::ServicePayment(t) = &tx {
            let source = SignBytes::of_payment_source(chain_id, t);
            assert_eq!(source.wrapped(TxWrapper::V1), hex_at(case, "source_sign_bytes"), "{name}");
            assert_eq!(bytes.wrapped(TxWrapper::V1), hex_at(case, "target_sign_bytes"), "{name}");
        } else {
            assert_eq!(bytes.wrapped(TxWrapper::V1), hex_at(case, "sign_bytes"), "{name}");
            assert_eq!(bytes.wrapped(TxWrapper::V2), hex_at(case, "sign_bytes_v2"), "{name}");
        }
        let id = keccak256(bytes.wrapped(TxWrapper::V1));
        assert_eq!(id.to_vec(), hex_at(case, "tx_id"), "{name}");
    }
}

#[test]
fn ethereum_transactions() {
    let Some(file) = vectors::json("ledger/eth_tx.json") else { return };
    for case in array(&file, "vectors") {
        let Ok(Tx::SmartContract(tx)) = Tx::from_raw(&hex_at(case, "theta_raw_tx")) else { panic!("{}", case["name"]) };
        let chain = chain_id_number(string(&file, "chain_id"), number(&file["block_height"]), &Forks::default());
        assert_eq!(chain.to_string(), string(case, "eth_chain_id"));
        assert_eq!(tx.eth_digest(chain).to_vec(), hex_at(case, "eth_signing_hash"), "{}", case["name"]);
        let raw = tx.eth_raw(chain).unwrap();
        assert_eq!(raw, hex_at(case, "eth_raw_tx"), "{}", case["name"]);
        assert_eq!(keccak256(raw).to_vec(), hex_at(case, "eth_tx_hash_recomputed_from_theta_tx"));
        assert_eq!(tx.from.sequence, number(&case["theta_sequence"]));
    }
}

#[test]
fn chain_numbers() {
    let Some(file) = vectors::json("ledger/chain_id.json") else { return };
    let forks = Forks { rpc_compatibility: 11_354_820, metachain: 17_790_756, ..Forks::default() };
    for case in array(&file, "vectors") {
        let chain_id = string(case, "chain_id_string");
        for (height, expected) in case.as_object().unwrap().iter().filter(|(key, _)| *key != "chain_id_string") {
            let got = chain_id_number(chain_id, height.parse().unwrap(), &forks);
            assert_eq!(got.to_string(), expected.as_str().unwrap(), "{chain_id} at {height}");
        }
    }
}
