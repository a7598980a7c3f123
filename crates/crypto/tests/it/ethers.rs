//! Keys and signed transactions made with ethers.js.

use crate::differential::agreed;
use serde_json::Value;
use vigil_crypto::{EthImportError, SecretKey, import_eth_for, recover_eth, tx_of_block};
use vigil_primitives::{Address, Hash, Signature, Tx, U256, keccak256};
use vigil_testkit::ethereum::EthTx;
use vigil_testkit::signatures::{ethers_signature, ethers_signed, ethers_transactions};
use vigil_testkit::vectors::{self, array, hex_at, string};

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

/// The kinds that travel, and the one that is refused.
const KINDS: [(&str, u8); 3] = [("Eip155", 0), ("Berlin", 1), ("London", 2)];

/// Empty where the transaction cannot be written in this kind.
fn made<'a>(case: &'a Value, name: &str) -> Option<&'a str> {
    case[name].as_str().filter(|text| !text.is_empty())
}

/// `None`: a number that no transaction can carry.
fn fields(case: &Value, eth_type: u8) -> Option<EthTx> {
    let t = &case["transaction"];
    let text = |value: &Value| value.as_str().map_or(Vec::new(), vectors::unhex);
    let access_item = |item: &Value| {
        let keys = array(item, "storageKeys").iter().map(|key| Hash::from_slice(&text(key))).collect();
        (Address::from_slice(&hex_at(item, "address")), keys)
    };
    let price = if eth_type == 2 { &t["maxFeePerGas"] } else { &t["gasPrice"] };
    Some(EthTx {
        eth_type,
        chain_id: number(&t["chainId"]),
        nonce: u64::try_from(number(&t["nonce"])).ok()?,
        max_priority_fee_per_gas: number(&t["maxPriorityFeePerGas"]),
        max_fee_per_gas: number(price),
        gas_limit: u64::try_from(number(&t["gasLimit"])).ok()?,
        to: t["to"].as_str().map(|a| a.parse().unwrap()),
        value: number(&t["value"]),
        data: text(&t["data"]).into(),
        access_list: t["accessList"].as_array().map_or(Vec::new(), |list| list.iter().map(access_item).collect()),
    })
}

/// Every transaction in every kind that travels: its fields and what ethers made of them.
fn each_kind(mut check: impl FnMut(&Value, &EthTx, &str, Vec<u8>)) {
    for case in ethers_transactions().unwrap_or_default() {
        for (kind, eth_type) in KINDS {
            let Some(signed) = made(&case, &format!("signed{kind}")) else { continue };
            let Some(tx) = fields(&case, eth_type) else { continue };
            check(&case, &tx, kind, vectors::unhex(signed));
        }
    }
}

fn imported(chain: U256, raw: &[u8]) -> Result<Tx, EthImportError> {
    import_eth_for(chain, raw).map(|native| tx_of_block(&native).unwrap())
}

#[test]
fn every_kind_is_written_and_read_as_ethers_does() {
    let mut checked = [0; 3];
    each_kind(|case, tx, kind, signed| {
        let context = format!("{} {kind}", case["name"]);
        let signature = ethers_signature(&case[format!("signature{kind}")]);
        assert_eq!(tx.unsigned(), hex_at(case, &format!("unsigned{kind}")), "{context}");
        assert_eq!(tx.signed(&signature), signed, "{context}");
        let native = imported(tx.chain_id, &signed).unwrap();
        assert_eq!(native.sender(), Some((key(case).address(), tx.nonce + 1)), "{context}");
        assert_eq!(native.eth_hash(tx.chain_id), Some(keccak256(&signed)), "{context}");
        match &native {
            Tx::Ethereum(inner) => assert_eq!(inner.raw().to_vec(), signed, "{context}"),
            Tx::SmartContract(inner) => {
                assert_eq!(inner.eth_digest(tx.chain_id), keccak256(tx.unsigned()), "{context}");
                assert_eq!(inner.eth_raw(tx.chain_id).unwrap(), signed, "{context}");
                let stored = inner.from.signature.as_array().unwrap();
                assert_eq!(recover_eth(&inner.eth_digest(tx.chain_id), stored), Ok(key(case).address()));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(Tx::from_raw(&native.to_raw()).unwrap().to_raw(), native.to_raw());
        checked[usize::from(tx.eth_type)] += 1;
    });
    assert!(vectors::dir().is_none() || checked.iter().all(|count| *count > 200), "{checked:?}");
}

#[test]
fn another_chain_is_refused_and_so_is_none() {
    each_kind(|case, tx, kind, signed| {
        let want = tx.chain_id + U256::from(1);
        let error = import_eth_for(want, &signed).unwrap_err();
        assert_eq!(error, EthImportError::ChainId { have: tx.chain_id, want }, "{} {kind}", case["name"]);
    });
    for case in ethers_transactions().unwrap_or_default() {
        if let Some(legacy) = made(&case, "signedLegacy") {
            let refused = import_eth_for(U256::from(1), &vectors::unhex(legacy));
            assert_eq!(refused, Err(EthImportError::Unprotected), "{}", case["name"]);
        }
    }
}

/// All bytes of some, one byte of each of the others.
#[test]
fn a_changed_byte_is_another_transaction() {
    let mut count = 0usize;
    each_kind(|case, tx, kind, signed| {
        count += 1;
        let dice = keccak256(count.to_be_bytes());
        let places = if count % 100 == 1 { 0..signed.len() } else { usize::from(dice[0]) % signed.len()..signed.len() };
        let limit = if count % 100 == 1 { usize::MAX } else { 1 };
        for place in places.take(limit) {
            let mut changed = signed.clone();
            changed[place] ^= dice[place % 32].max(1);
            // Also as if the chain it then names were ours.
            let results = match imported(tx.chain_id, &changed) {
                Err(EthImportError::ChainId { have, .. }) => imported(have, &changed),
                result => result,
            };
            let sender = results.ok().and_then(|tx| tx.sender()).map(|(sender, _)| sender);
            assert_ne!(sender, Some(key(case).address()), "{} {kind}: byte {place}", case["name"]);
        }
    });
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
