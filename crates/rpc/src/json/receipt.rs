//! What a contract transaction did (`spec/rpc.md` §3).

use super::scalars::{Base64, Plain, null_if_empty};
use alloy_primitives::Log;
use serde::Serialize;
use vigil_crypto::tx_of_block;
use vigil_primitives::{Address, BalanceChange, Hash, Receipt, RlpError, Tx};

/// A receipt. A transaction that failed has no logs, and only such a one has an `EvmErr`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReceiptJson<'a> {
    tx_hash: Hash,
    #[serde(serialize_with = "null_if_empty")]
    logs: Vec<LogJson<'a>>,
    evm_ret: Base64<'a>,
    contract_address: Address,
    gas_used: u64,
    evm_err: &'a str,
}

impl<'a> From<&'a Receipt> for ReceiptJson<'a> {
    fn from(receipt: &'a Receipt) -> Self {
        Self {
            tx_hash: receipt.tx_hash,
            logs: receipt.logs.iter().map(LogJson::from).collect(),
            evm_ret: Base64(&receipt.output),
            contract_address: receipt.contract,
            gas_used: receipt.gas_used,
            evm_err: &receipt.error,
        }
    }
}

#[derive(Serialize)]
struct LogJson<'a> {
    address: Address,
    topics: &'a [Hash],
    data: Base64<'a>,
}

impl<'a> From<&'a Log> for LogJson<'a> {
    fn from(log: &'a Log) -> Self {
        Self { address: log.address, topics: log.data.topics(), data: Base64(&log.data.data) }
    }
}

/// The coins that it moved, beside the same as in its receipt.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BalanceChangesJson<'a> {
    tx_hash: Hash,
    #[serde(serialize_with = "null_if_empty")]
    balance_changes: Vec<ChangeJson>,
    evm_ret: Base64<'a>,
    contract_address: Address,
    gas_used: u64,
    evm_err: &'a str,
}

impl<'a> From<&'a Receipt> for BalanceChangesJson<'a> {
    fn from(receipt: &'a Receipt) -> Self {
        Self {
            tx_hash: receipt.tx_hash,
            balance_changes: receipt.balance_changes.iter().map(ChangeJson::from).collect(),
            evm_ret: Base64(&receipt.output),
            contract_address: receipt.contract,
            gas_used: receipt.gas_used,
            evm_err: &receipt.error,
        }
    }
}

#[derive(Serialize)]
struct ChangeJson {
    address: Address,
    token_type: u8,
    is_negative: bool,
    delta: Plain,
}

impl From<&BalanceChange> for ChangeJson {
    fn from(change: &BalanceChange) -> Self {
        let BalanceChange { address, token, is_negative, delta } = *change;
        Self { address, token_type: token, is_negative, delta: Plain(delta) }
    }
}

/// A transaction of a block, with its sender. An Ethereum transaction does not name it, and the receipt does: without one
/// it is recovered from the signature, which costs more than all the rest of reading a block.
///
/// # Errors
/// [`RlpError`] if the bytes are no transaction.
pub(crate) fn shown_tx(raw: &[u8], receipt: Option<&Receipt>) -> Result<Tx, RlpError> {
    let Some(receipt) = receipt else { return tx_of_block(raw) };
    let mut tx = Tx::from_raw(raw)?;
    if let Tx::Ethereum(tx) = &mut tx {
        tx.set_sender(receipt.from);
    }
    Ok(tx)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::{Bytes, U256};

    fn receipt() -> Receipt {
        let change = BalanceChange { address: Address::ZERO, token: 1, is_negative: true, delta: U256::MAX };
        Receipt {
            tx_hash: Hash::repeat_byte(1),
            from: Address::repeat_byte(2),
            eth_type: 2,
            success: true,
            gas_used: u64::MAX,
            cumulative_gas_used: u64::MAX,
            logs: Vec::new(),
            output: Bytes::new(),
            contract: Address::repeat_byte(3),
            created: false,
            error: String::new(),
            balance_changes: vec![change],
        }
    }

    #[test]
    fn numbers_are_plain_whatever_their_size() {
        let receipt = receipt();
        let changes = serde_json::to_string(&BalanceChangesJson::from(&receipt)).expect("plain data");
        assert!(changes.contains(&format!(r#""is_negative":true,"delta":{}}}"#, U256::MAX)), "{changes}");
        assert!(changes.contains(r#""GasUsed":18446744073709551615"#), "{changes}");
    }

    #[test]
    fn what_is_not_there_is_null_and_what_is_empty_is_empty() {
        let receipt = Receipt { balance_changes: Vec::new(), ..receipt() };
        let json = serde_json::to_value(ReceiptJson::from(&receipt)).expect("plain data");
        assert!(json["Logs"].is_null() && json["EvmRet"] == "" && json["EvmErr"] == "", "{json}");
        let json = serde_json::to_value(BalanceChangesJson::from(&receipt)).expect("plain data");
        assert!(json["BalanceChanges"].is_null(), "{json}");
    }
}
