//! A small chain: each block has a call, a creation and a type-2 call, with four logs together.

use alloy_primitives::{Log, LogData};
use alloy_rpc_types_eth::{AccessList, AccessListItem};
use std::sync::Arc;
use vigil_primitives::{Address, BlockHeader, Bytes, Hash, U256, keccak256};
use vigil_rpc::eth::{Bloom, EthBlock, EthFees, EthReceipt, EthRules, EthTx, EthTxInfo};

pub(crate) const GWEI_4000: u128 = 4_000_000_000_000;

pub(crate) fn rules() -> EthRules {
    EthRules { chain_number: U256::from(366), base_fee: GWEI_4000, block_gas_max: 60_000_000 }
}

pub(crate) fn address(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

pub(crate) fn hash(name: &str, number: u64) -> Hash {
    keccak256(format!("{name} {number}"))
}

/// Topic of the events of block `number`.
pub(crate) fn topic(number: u64) -> Hash {
    Hash::with_last_byte(number as u8)
}

fn access_list() -> AccessList {
    AccessList(vec![AccessListItem { address: address(0xaa), storage_keys: vec![topic(1)] }])
}

pub(crate) fn tx(number: u64, index: u64) -> EthTx {
    let price = U256::from(GWEI_4000 + 1);
    let fees = match index {
        0 => EthFees::Legacy { gas_price: price },
        1 => EthFees::Priced { gas_price: price, access_list: access_list() },
        _ => EthFees::Dynamic {
            max_fee: U256::from(2 * GWEI_4000),
            max_priority_fee: U256::from(7),
            access_list: AccessList::default(),
        },
    };
    let legacy = index == 0;
    EthTx {
        hash: hash("tx", 10 * number + index),
        from: address(0xf0),
        to: (index != 1).then(|| address(0xcc)),
        nonce: 3 * number + index,
        value: U256::from(5),
        gas_limit: 100_000,
        fees,
        input: Bytes::from(vec![0xab, 0xcd]),
        chain_id: Some(U256::from(366)),
        v: U256::from(if legacy { 2 * 366 + 35 } else { 1 }),
        r: U256::from(0xabcdefu64),
        s: U256::MAX >> 4,
    }
}

fn log(number: u64, from: u8) -> Log {
    Log { address: address(from), data: LogData::new_unchecked(vec![topic(number), topic(9)], Bytes::from(vec![1])) }
}

fn info(number: u64, index: u64) -> EthTxInfo {
    let logs = match index {
        0 => vec![log(number, 0xcc)],
        1 => vec![],
        _ => vec![log(number, 0xcc), log(number, 0xdd), log(number, 0xcc)],
    };
    let receipt = EthReceipt {
        success: index != 1 || number != 2,
        gas_used: 30_000,
        cumulative_gas_used: 30_000 * (index + 1),
        logs,
        bloom: Bloom::ZERO,
        contract_address: (index == 1).then(|| address(0xce)),
    };
    EthTxInfo { tx: Arc::new(tx(number, index)), receipt }
}

/// Block `number`; genesis is empty.
pub(crate) fn block(number: u64) -> EthBlock {
    let header = BlockHeader {
        chain_id: "privatenet".to_owned(),
        height: number,
        epoch: number + 3,
        parent: number.checked_sub(1).map_or(Hash::ZERO, |parent| hash("block", parent)),
        tx_root: hash("txs", number),
        state_root: hash("state", number),
        timestamp: 1_700_000_000 + number,
        proposer: address(0x99),
        ..BlockHeader::default()
    };
    let txs = if number == 0 { vec![] } else { (0..3).map(|index| info(number, index)).collect() };
    EthBlock {
        hash: hash("block", number),
        header,
        receipts_root: hash("receipts", number),
        bloom: Bloom::ZERO,
        size: 1_000,
        txs,
    }
}
