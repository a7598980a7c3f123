//! Transactions.

use super::U64;
use crate::eth::values::{EthFees, EthPlace, EthTx};
use alloy_rpc_types_eth::AccessList;
use serde::Serialize;
use vigil_primitives::{Address, Bytes, Hash, U256};

/// A transaction; its place is `null` while it is pending.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TxJson<'a> {
    block_hash: Option<Hash>,
    block_number: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_timestamp: Option<U64>,
    from: Address,
    gas: U64,
    /// What a unit costs; of a pending one, the most it may.
    gas_price: U256,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fee_per_gas: Option<U256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_priority_fee_per_gas: Option<U256>,
    hash: Hash,
    input: &'a Bytes,
    nonce: U64,
    to: Option<Address>,
    transaction_index: Option<U64>,
    value: U256,
    #[serde(rename = "type")]
    tx_type: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_list: Option<&'a AccessList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<U256>,
    v: U256,
    r: U256,
    s: U256,
    #[serde(skip_serializing_if = "Option::is_none")]
    y_parity: Option<U256>,
}

impl<'a> TxJson<'a> {
    /// One that waits.
    pub(crate) fn pending(tx: &'a EthTx) -> Self {
        let fees = match &tx.fees {
            EthFees::Dynamic { max_fee, max_priority_fee, .. } => Some((*max_fee, *max_priority_fee)),
            _ => None,
        };
        let tx_type = tx.fees.tx_type();
        Self {
            block_hash: None,
            block_number: None,
            block_timestamp: None,
            from: tx.from,
            gas: U64::from(tx.gas_limit),
            gas_price: tx.fees.highest_price(),
            max_fee_per_gas: fees.map(|(max_fee, _)| max_fee),
            max_priority_fee_per_gas: fees.map(|(_, tip)| tip),
            hash: tx.hash,
            input: &tx.input,
            nonce: U64::from(tx.nonce),
            to: tx.to,
            transaction_index: None,
            value: tx.value,
            tx_type: U64::from(tx_type),
            access_list: tx.fees.access_list(),
            chain_id: tx.chain_id,
            v: tx.v,
            r: tx.r,
            s: tx.s,
            y_parity: (tx_type > 0).then_some(tx.v),
        }
    }

    /// One that was executed.
    pub(crate) fn settled(tx: &'a EthTx, place: &EthPlace, base_fee: u128) -> Self {
        Self {
            block_hash: Some(place.block_hash),
            block_number: Some(U64::from(place.number)),
            block_timestamp: Some(U64::from(place.timestamp)),
            transaction_index: Some(U64::from(place.index)),
            gas_price: tx.fees.effective_price(base_fee),
            ..Self::pending(tx)
        }
    }
}
