//! Keys and signed transactions made with ethers.js.

use crate::differential::agreed;
use serde_json::Value;
use vigil_crypto::{SecretKey, recover_eth};
use vigil_primitives::{Address, Bytes, Coins, Signature, SmartContract, TxInput, TxOutput, U256, keccak256};
use vigil_testkit::signatures::{ethers_signature, ethers_signed, ethers_transactions};
use vigil_testkit::vectors::{self, hex_at, string};

fn number(value: &Value) -> U256 {
    match value {
        Value::Null => U256::ZERO,
        Value::Number(n) => U256::from(n.as_u64().unwrap()),
        other => other.as_str().unwrap().parse().unwrap(),
    }
}

fn key(case: &Value) -> SecretKey {
    SecretKey::from_bytes(&hex_at(case, "privateKey").try_into().unwrap()).unwrap()
}

#[test]
fn accounts() {
    let Some(file) = vectors::json("ethers-signed-tx/accounts.json") else { return };
    for case in file.as_array().unwrap() {
        assert_eq!(key(case).address().to_checksum(None), string(case, "address"), "{}", case["name"]);
    }
}

#[test]
fn every_kind_recovers() {
    let cases = ethers_signed();
    for case in &cases {
        let (digest, key) = (keccak256(&case.unsigned), SecretKey::from_bytes(&case.private_key).unwrap());
        assert_eq!(agreed(&digest, &case.signature), Ok(key.address()), "{}", case.name);
        assert_eq!(key.sign(&digest), Signature::from(case.signature), "ethers signs as RFC 6979 too");
    }
    assert!(cases.len() > 1_000 || vectors::dir().is_none(), "{}", cases.len());
}

/// The EIP-155 kind travels as a contract transaction: same digest, same bytes back, same signer.
#[test]
fn eip_155_as_contract_transactions() {
    let Some(cases) = ethers_transactions() else { return };
    let mut checked = 0;
    for case in cases {
        let (Some(unsigned), Some(tx)) = (made(&case, "unsignedEip155"), contract(&case)) else { continue };
        let chain = number(&case["transaction"]["chainId"]);
        assert_eq!(tx.eth_digest(chain), keccak256(vectors::unhex(unsigned)), "{}", case["name"]);
        assert_eq!(tx.eth_raw(chain).unwrap(), hex_at(&case, "signedEip155"), "{}", case["name"]);
        let sig = tx.from.signature.as_array().unwrap();
        assert_eq!(recover_eth(&tx.eth_digest(chain), sig), Ok(key(&case).address()));
        checked += 1;
    }
    assert!(checked > 200, "{checked}");
}

/// Empty where the transaction cannot be written in this kind.
fn made<'a>(case: &'a Value, name: &str) -> Option<&'a str> {
    case[name].as_str().filter(|text| !text.is_empty())
}

fn contract(case: &Value) -> Option<SmartContract> {
    let t = &case["transaction"];
    let mut sig = ethers_signature(&case["signatureEip155"]);
    sig[64] += 27;
    let from = TxInput {
        address: key(case).address(),
        coins: Coins::tfuel(number(&t["value"])),
        sequence: u64::try_from(number(&t["nonce"])).ok()?.checked_add(1)?,
        signature: Signature::from(sig),
    };
    let to = t["to"].as_str().map_or(Address::ZERO, |a| a.parse().unwrap());
    let data: Bytes = t["data"].as_str().map_or(Vec::new(), vectors::unhex).into();
    let to = TxOutput { address: to, coins: Coins::ZERO };
    let gas_limit = u64::try_from(number(&t["gasLimit"])).ok()?;
    Some(SmartContract { from, to, gas_limit, gas_price: number(&t["gasPrice"]), data })
}

#[test]
fn yellow_paper_examples() {
    let Some(file) = vectors::json("ethereum-trie-rlp-basic/BasicTests/keyaddrtest.json") else { return };
    for case in file.as_array().unwrap() {
        let key = SecretKey::from_bytes(&hex_at(case, "key").try_into().unwrap()).unwrap();
        assert_eq!(hex::encode(key.address()), string(case, "addr"));
        assert_eq!(keccak256(string(case, "seed")).to_vec(), hex_at(case, "key"));
    }
}
