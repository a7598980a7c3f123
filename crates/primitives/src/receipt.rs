//! What is remembered of a contract transaction.

use crate::{Address, Bytes, Hash, U256};
use alloy_primitives::{Bloom, Log};
use alloy_rlp::{Encodable, Header, RlpDecodable, RlpEncodable};

/// Receipt of a contract transaction that was executed, whether it succeeded or not. RLP: a list, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Receipt {
    /// Native hash of the transaction.
    pub tx_hash: Hash,
    /// Who sent it.
    pub from: Address,
    /// Type of the Ethereum transaction; 0 for a native one.
    pub eth_type: u8,
    /// False if it was reverted or ended by a fault; then there are no logs.
    pub success: bool,
    /// Gas paid for.
    pub gas_used: u64,
    /// That and the gas of the contract transactions before it in the block.
    pub cumulative_gas_used: u64,
    /// In order.
    pub logs: Vec<Log>,
    /// What it returned: of a creation the code, of a revert its data.
    pub output: Bytes,
    /// The account that was created, or the one that was called.
    pub contract: Address,
    /// True if `contract` was created.
    pub created: bool,
    /// Why it failed, in the reference's words; empty if it did not.
    pub error: String,
    /// Coins that it moved, as sums by account, without its fee.
    pub balance_changes: Vec<BalanceChange>,
}

/// What a transaction added to an account's coins, or took away.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct BalanceChange {
    /// The account.
    pub address: Address,
    /// 0: the stake token, 1: the operational token.
    pub token: u8,
    /// True if it has less now.
    pub is_negative: bool,
    /// By how much, in wei.
    pub delta: U256,
}

impl Receipt {
    /// Bloom filter of the logs' addresses and topics.
    pub fn bloom(&self) -> Bloom {
        self.logs.iter().collect()
    }

    /// The bytes that the trie of receipts holds (EIP-2718): the type, unless it is 0, and
    /// `[status, cumulative gas, bloom, logs]`. `bloom`: [`Self::bloom`].
    pub fn eth_encoding(&self, bloom: &Bloom) -> Vec<u8> {
        let payload_length =
            self.success.length() + self.cumulative_gas_used.length() + bloom.length() + self.logs.length();
        let header = Header { list: true, payload_length };
        let mut out = Vec::with_capacity(1 + header.length() + payload_length);
        if self.eth_type != 0 {
            out.push(self.eth_type);
        }
        header.encode(&mut out);
        self.success.encode(&mut out);
        self.cumulative_gas_used.encode(&mut out);
        bloom.encode(&mut out);
        self.logs.encode(&mut out);
        out
    }
}
