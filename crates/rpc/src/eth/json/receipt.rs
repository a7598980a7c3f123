//! Receipts and logs.

use super::U64;
use crate::eth::values::{Bloom, EthPlace, EthTxInfo};
use alloy_rpc_types_eth::Log;
use serde::Serialize;
use vigil_primitives::{Address, Hash, U256};

/// A receipt.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiptJson {
    block_hash: Hash,
    block_number: U64,
    contract_address: Option<Address>,
    cumulative_gas_used: U64,
    effective_gas_price: U256,
    from: Address,
    gas_used: U64,
    logs: Vec<Log>,
    logs_bloom: Bloom,
    status: U64,
    to: Option<Address>,
    transaction_hash: Hash,
    transaction_index: U64,
    #[serde(rename = "type")]
    tx_type: U64,
}

impl ReceiptJson {
    pub(crate) fn new(info: &EthTxInfo, place: &EthPlace, base_fee: u128) -> Self {
        let (tx, receipt) = (&info.tx, &info.receipt);
        Self {
            block_hash: place.block_hash,
            block_number: U64::from(place.number),
            contract_address: receipt.contract_address,
            cumulative_gas_used: U64::from(receipt.cumulative_gas_used),
            effective_gas_price: tx.fees.effective_price(base_fee),
            from: tx.from,
            gas_used: U64::from(receipt.gas_used),
            logs: logs_at(info, place).collect(),
            logs_bloom: receipt.bloom,
            status: U64::from(u64::from(receipt.success)),
            to: tx.to,
            transaction_hash: tx.hash,
            transaction_index: U64::from(place.index),
            tx_type: U64::from(tx.fees.tx_type()),
        }
    }
}

/// The logs of a transaction; their index counts within the block.
pub(crate) fn logs_at<'a>(info: &'a EthTxInfo, place: &'a EthPlace) -> impl Iterator<Item = Log> + 'a {
    info.receipt.logs.iter().zip(place.first_log..).map(|(log, index)| Log {
        inner: log.clone(),
        block_hash: Some(place.block_hash),
        block_number: Some(place.number),
        block_timestamp: Some(place.timestamp),
        transaction_hash: Some(info.tx.hash),
        transaction_index: Some(place.index),
        log_index: Some(index),
        removed: false,
    })
}
