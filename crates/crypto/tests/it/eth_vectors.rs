//! The transaction tests of Ethereum (`ethereum-transactions`): bytes and signatures; gas is the ledger's.

use serde_json::Value;
use std::collections::BTreeSet;
use vigil_crypto::{EthImportError, eth_sender, import_eth_for, recover, tx_of_block};
use vigil_primitives::{Address, Hash, LegacyTx, Tx, U256, keccak256};
use vigil_testkit::ethereum::EthTx;
use vigil_testkit::vectors::{self, hex_at, string};

/// Forks whose rules of bytes and signatures are ours, from the first with replay protection on.
const FORKS: [&str; 10] = [
    "EIP158",
    "Byzantium",
    "Constantinople",
    "ConstantinopleFix",
    "Istanbul",
    "Berlin",
    "London",
    "Paris",
    "Shanghai",
    "Cancun",
];

/// Wrong for what they may spend, or for the length of their code: found out where accounts and gas are known.
const OF_THE_LEDGER: [(&str, &str); 9] = [
    ("DataTestNotEnoughGAS", "INTRINSIC_GAS_TOO_LOW"),
    ("DataTestSufficientGas2028", "INTRINSIC_GAS_TOO_LOW"),
    ("dataTx_bcValidBlockTestFrontier", "INTRINSIC_GAS_TOO_LOW"),
    ("DataTestNotEnoughGasInitCode", "INTRINSIC_GAS_TOO_LOW"),
    ("NotEnoughGasLimit", "INTRINSIC_GAS_TOO_LOW"),
    ("DataTestInitCodeTooBig", "INITCODE_SIZE_EXCEEDED"),
    ("TransactionException.GASLIMIT_PRICE_PRODUCT_OVERFLOW", "GASLIMIT_PRICE_PRODUCT_OVERFLOW"),
    ("GasLimitPriceProductOverflowPlusOne", "GASLIMIT_PRICE_PRODUCT_OVERFLOW"),
    ("maxPriorityFeePerGass32BytesValue", "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS_2"),
];

/// What one fork says.
struct Case<'a> {
    name: &'a str,
    fork: &'a str,
    raw: Vec<u8>,
    result: &'a Value,
}

impl Case<'_> {
    /// Whether the fork knows the type.
    fn applies(&self) -> bool {
        let at = |name| FORKS.iter().position(|fork| *fork == name);
        let first = match self.raw.first() {
            Some(1) => "Berlin",
            Some(2) => "London",
            _ => FORKS[0],
        };
        at(self.fork) >= at(first)
    }

    fn is_unprotected(&self) -> bool {
        LegacyTx::from_raw(&self.raw).is_ok_and(|tx| tx.v == U256::from(27) || tx.v == U256::from(28))
    }
}

fn each_case(mut check: impl FnMut(&Case<'_>)) {
    for folder in vectors::files("ethereum-transactions").unwrap_or_default() {
        if !folder.is_dir() {
            continue;
        }
        let folder = format!("ethereum-transactions/{}", folder.file_name().unwrap().to_str().unwrap());
        for file in vectors::files(&folder).unwrap() {
            let file = format!("{folder}/{}", file.file_name().unwrap().to_str().unwrap());
            for (name, case) in vectors::json(&file).unwrap().as_object().unwrap() {
                let raw = hex_at(case, "txbytes");
                for (fork, result) in case["result"].as_object().unwrap() {
                    let case = Case { name, fork, raw: raw.clone(), result };
                    if FORKS.contains(&fork.as_str()) && case.applies() {
                        check(&case);
                    }
                }
            }
        }
    }
}

#[test]
fn transaction_tests() {
    let (mut taken, mut unprotected, mut refused, mut of_ledger) = (0, 0, 0, BTreeSet::new());
    each_case(|case| {
        let imported = import_eth_for(U256::from(1), &case.raw);
        let context = format!("{} on {}: {imported:?}", case.name, case.fork);
        let Some(reason) = case.result["exception"].as_str() else {
            if case.is_unprotected() {
                assert_eq!(imported, Err(EthImportError::Unprotected), "{context}");
                check_unprotected(case);
                unprotected += 1;
            } else {
                check_valid(case, &imported.unwrap_or_else(|_| panic!("{context}")));
                taken += 1;
            }
            return;
        };
        let reason = reason.strip_prefix("TransactionException.").unwrap();
        if let Some(known) = OF_THE_LEDGER.iter().find(|known| **known == (case.name, reason)) {
            assert!(imported.is_ok() || case.is_unprotected(), "{context}");
            of_ledger.insert(known);
        } else {
            assert!(imported.is_err(), "{context}, but {reason}");
            refused += 1;
        }
    });
    eprintln!("{taken} taken, {unprotected} unprotected, {refused} refused");
    if vectors::dir().is_some() {
        assert_eq!(of_ledger.len(), OF_THE_LEDGER.len(), "each name is met");
        assert!(taken > 100 && unprotected > 100 && refused > 800, "{taken} {unprotected} {refused}");
    }
}

fn expected(case: &Case<'_>) -> (Hash, Address) {
    (Hash::from_slice(&hex_at(case.result, "hash")), string(case.result, "sender").parse().unwrap())
}

fn check_valid(case: &Case<'_>, native: &[u8]) {
    let tx = tx_of_block(native).unwrap();
    let sender = tx.contract_call().unwrap().from;
    assert_eq!((tx.eth_hash(U256::from(1)).unwrap(), sender), expected(case), "{}", case.name);
    if let Tx::Ethereum(tx) = &tx {
        assert_eq!((eth_sender(tx), tx.raw().to_vec()), (Ok(sender), case.raw.clone()));
    }
}

/// Read and recovered all the same.
fn check_unprotected(case: &Case<'_>) {
    let tx = LegacyTx::from_raw(&case.raw).unwrap();
    let unsigned = EthTx {
        nonce: tx.nonce,
        max_fee_per_gas: tx.gas_price,
        gas_limit: tx.gas_limit,
        to: tx.to,
        value: tx.value,
        data: tx.data,
        ..EthTx::default()
    };
    let v = [tx.v.to::<u8>() - 27];
    let signature = [tx.r.to_be_bytes::<32>().as_slice(), &tx.s.to_be_bytes::<32>(), &v].concat().try_into().unwrap();
    let sender = recover(&keccak256(unsigned.with_tail(&[])), &signature).unwrap();
    assert_eq!((keccak256(&case.raw), sender), expected(case), "{}", case.name);
}
