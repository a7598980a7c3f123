//! Blocks.

use super::{TxJson, U64};
use crate::eth::values::{Bloom, EthBlock, EthPlace, EthRules, EthTxInfo};
use serde::Serialize;
use vigil_primitives::{Address, Bytes, Hash, U256};

/// Keccak-256 of the empty RLP list: there are no uncles.
const NO_UNCLES: Hash =
    Hash::new(alloy_primitives::hex!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"));

/// A header, as `newHeads` tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeaderJson {
    number: U64,
    hash: Hash,
    parent_hash: Hash,
    nonce: alloy_primitives::B64,
    sha3_uncles: Hash,
    logs_bloom: Bloom,
    transactions_root: Hash,
    state_root: Hash,
    receipts_root: Hash,
    miner: Address,
    difficulty: U64,
    extra_data: Bytes,
    gas_limit: U64,
    gas_used: U64,
    timestamp: U64,
    /// What PREVRANDAO gives: the parent's hash.
    mix_hash: Hash,
    base_fee_per_gas: U256,
}

impl HeaderJson {
    pub(crate) fn new(block: &EthBlock, rules: &EthRules) -> Self {
        let header = &block.header;
        Self {
            number: U64::from(header.height),
            hash: block.hash,
            parent_hash: header.parent,
            nonce: Default::default(),
            sha3_uncles: NO_UNCLES,
            logs_bloom: block.bloom,
            transactions_root: header.tx_root,
            state_root: header.state_root,
            receipts_root: block.receipts_root,
            miner: header.proposer,
            difficulty: U64::ZERO,
            extra_data: Bytes::new(),
            gas_limit: U64::from(rules.block_gas_max),
            gas_used: U64::from(gas_used(block)),
            timestamp: U64::from(header.timestamp),
            mix_hash: header.parent,
            base_fee_per_gas: U256::from(rules.base_fee),
        }
    }
}

/// A block.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockJson<'a> {
    #[serde(flatten)]
    header: HeaderJson,
    total_difficulty: U64,
    size: U64,
    transactions: Transactions<'a>,
    uncles: [Hash; 0],
}

/// Those of a block.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Transactions<'a> {
    /// Hashes.
    Hashes(Vec<Hash>),
    /// Whole.
    Full(Vec<TxJson<'a>>),
}

impl<'a> BlockJson<'a> {
    /// `full`: with whole transactions.
    pub(crate) fn new(block: &'a EthBlock, rules: &EthRules, full: bool) -> Self {
        let transactions = match full {
            true => Transactions::Full(
                places(block).map(|(info, place)| TxJson::settled(&info.tx, &place, rules.base_fee)).collect(),
            ),
            false => Transactions::Hashes(block.txs.iter().map(|info| info.tx.hash).collect()),
        };
        Self {
            header: HeaderJson::new(block, rules),
            total_difficulty: U64::ZERO,
            size: U64::from(block.size),
            transactions,
            uncles: [],
        }
    }
}

/// A block's transactions, and where each stands.
pub(crate) fn places(block: &EthBlock) -> impl Iterator<Item = (&EthTxInfo, EthPlace)> {
    let mut first_log = 0;
    block.txs.iter().zip(0..).map(move |(info, index)| {
        let (number, timestamp) = (block.header.height, block.header.timestamp);
        let place = EthPlace { block_hash: block.hash, number, timestamp, index, first_log };
        first_log += info.receipt.logs.len() as u64;
        (info, place)
    })
}

fn gas_used(block: &EthBlock) -> u64 {
    block.txs.last().map_or(0, |info| info.receipt.cumulative_gas_used)
}
