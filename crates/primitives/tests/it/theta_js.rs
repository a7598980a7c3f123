//! Transactions made with the npm package, kept in this repository: bytes, sign bytes and hashes.

use serde_json::Value;
use vigil_primitives::*;
use vigil_testkit::vectors::{array, hex_at, kept_json, string};

const FILES: [&str; 6] =
    ["send", "smart_contract", "deposit_stake", "withdraw_stake", "deposit_stake_v2", "stake_reward_distribution"];

fn check(case: &Value) {
    let raw = hex_at(case, "signed_tx");
    let tx = Tx::from_raw(&raw).unwrap_or_else(|e| panic!("{}: {e}", case["name"]));
    assert_eq!(tx.to_raw(), raw);
    assert_eq!(tx.tx_type() as u64, case["tx_type"].as_u64().unwrap());
    assert_eq!(tx.hash().to_vec(), hex_at(case, "tx_hash"), "{}", case["name"]);
    let (sender, _) = tx.sender().unwrap();
    assert_eq!(sender.to_checksum(None), string(case, "address"));
    let sign_bytes = SignBytes::of(string(case, "chain_id"), &tx).wrapped(TxWrapper::V1);
    assert_eq!(sign_bytes, hex_at(case, "sign_bytes"), "{}", case["name"]);
    assert_eq!(keccak256(&sign_bytes).to_vec(), hex_at(case, "sign_hash"));
    assert_eq!(Tx::from_raw(&hex_at(case, "unsigned_tx")).map(|t| t.sender()), Ok(tx.sender()));
}

#[test]
fn the_package_and_we_write_the_same_bytes() {
    for file in FILES {
        let file = kept_json(&format!("theta-js/{file}.json"));
        array(&file, "cases").iter().for_each(check);
    }
}

#[test]
fn quirks_are_refused_where_they_should_be() {
    for case in array(&kept_json("theta-js/quirks.json"), "cases") {
        let decoded = Tx::from_raw(&hex_at(case, "signed_tx"));
        match string(case, "reject_stage") {
            "decode" => assert!(matches!(decoded, Err(RlpError::Item { .. })), "{}: {decoded:?}", case["name"]),
            "signature" => {
                let ours = SignBytes::of(string(case, "chain_id"), &decoded.unwrap()).wrapped(TxWrapper::V1);
                assert_ne!(ours, hex_at(case, "sign_bytes"), "the package signs the wrong form");
            }
            other => panic!("unknown stage {other}"),
        }
    }
}
