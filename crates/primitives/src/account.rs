//! Accounts, micropayment pools and split rules as they stand in the state (`spec/ledger.md` §3.2-§3.4).

use crate::{Address, Coins, Hash, ServicePayment, Split};
use alloy_primitives::b256;
use alloy_rlp::{RlpDecodable, RlpEncodable};

/// Keccak-256 of no bytes: the code hash of an account without code.
pub const EMPTY_CODE_HASH: Hash = b256!("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");

/// An account of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Account {
    /// Its address.
    pub address: Address,
    /// Number of transactions it has made.
    pub sequence: u64,
    /// What it can spend, in wei.
    pub balance: Coins,
    /// Open micropayment pools.
    pub reserved_funds: Vec<ReservedFund>,
    /// Height of the parent block when the account was made; never updated (`spec/ledger.md` §3.2).
    pub last_updated_block_height: u64,
    /// Root of the contract storage trie; zero if it never had any.
    pub storage_root: Hash,
    /// Keccak-256 of the code.
    pub code_hash: Hash,
}

impl Account {
    /// A new account, made while applying a block on a parent of `parent_height`.
    pub fn new(address: Address, parent_height: u64) -> Self {
        Self {
            address,
            sequence: 0,
            balance: Coins::ZERO,
            reserved_funds: Vec::new(),
            last_updated_block_height: parent_height,
            storage_root: Hash::ZERO,
            code_hash: EMPTY_CODE_HASH,
        }
    }

    /// True if it holds a contract (or held one: a destroyed contract keeps a marker).
    pub fn is_contract(&self) -> bool {
        self.code_hash != EMPTY_CODE_HASH
    }
}

/// A micropayment pool.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ReservedFund {
    /// Lost if the pool is overspent.
    pub collateral: Coins,
    /// The deposit.
    pub initial_fund: Coins,
    /// What has been paid.
    pub used_fund: Coins,
    /// What it may pay for.
    pub resource_ids: Vec<String>,
    /// Last height at which it pays.
    pub end_block_height: u64,
    /// The owner's sequence when it was opened: the pool's name.
    pub reserve_sequence: u64,
    /// Payments settled.
    pub transfer_records: Vec<TransferRecord>,
}

/// One settled payment.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct TransferRecord {
    /// The whole transaction, both signatures included.
    pub service_payment: ServicePayment,
}

/// How payments for a resource are shared.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SplitRule {
    /// Who set it.
    pub initiator: Address,
    /// The resource.
    pub resource_id: String,
    /// The shares.
    pub splits: Vec<Split>,
    /// Last height at which it applies.
    pub end_block_height: u64,
}
