//! What an execution depends on besides the accounts.

use crate::Fork;
use vigil_primitives::{Address, Bytes, Hash, Height, U256};

/// Where the fees of transactions go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fees {
    /// Nowhere: base fee and tip leave the supply (DESIGN §4, "EVM").
    Burned,
    /// The tip goes to the proposer, as on Ethereum; before London the whole fee.
    ToProposer,
}

/// The rules of a chain, as far as contracts see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Ethereum's rules that hold.
    pub fork: Fork,
    /// What CHAINID gives.
    pub chain_number: U256,
    /// Most gas of a transaction.
    pub tx_gas_max: u64,
    /// Where fees go.
    pub fees: Fees,
    /// Whether the stake token and its precompiles exist.
    pub stake_token: bool,
}

/// The block that a transaction is executed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockContext {
    /// NUMBER.
    pub height: Height,
    /// TIMESTAMP, Unix seconds.
    pub timestamp: u64,
    /// COINBASE.
    pub proposer: Address,
    /// GASLIMIT.
    pub gas_max: u64,
    /// BASEFEE, in wei.
    pub base_fee: u64,
    /// PREVRANDAO.
    pub randomness: Hash,
    /// DIFFICULTY, before the fork `paris`.
    pub difficulty: U256,
    /// Excess blob gas, which sets BLOBBASEFEE.
    pub excess_blob_gas: u64,
}

/// What is left out of a simulated transaction, which nobody signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lenience {
    /// The nonce may be any.
    pub nonce: bool,
    /// The sender need not be able to pay for gas and value.
    pub balance: bool,
    /// The gas price may be below the base fee.
    pub base_fee: bool,
    /// Sender may be a contract.
    pub sender: bool,
    /// Largest memory of all frames together, in bytes; `None`: what gas pays for.
    pub memory_max: Option<u64>,
}

/// An entry of an access list (EIP-2930).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The account.
    pub address: Address,
    /// Words of its storage.
    pub slots: Vec<Hash>,
}

/// A transaction that calls or creates a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Who signed.
    pub from: Address,
    /// The account called; `None` creates a contract.
    pub to: Option<Address>,
    /// Nonce of the sender before it.
    pub nonce: u64,
    /// Of the native coin, in wei.
    pub value: U256,
    /// Of the stake token, in wei: goes to the called or created account.
    pub stake_token: U256,
    /// Input, or creation code.
    pub data: Bytes,
    /// Most gas to use.
    pub gas_limit: u64,
    /// Most to pay for a unit of gas, in wei.
    pub max_fee_per_gas: u128,
    /// Most to pay for a unit of gas above the base fee (EIP-1559); `None`: all of `max_fee_per_gas` is paid.
    pub max_priority_fee_per_gas: Option<u128>,
    /// What it says that it touches; `None`: the transaction has no such list.
    pub access_list: Option<Vec<Access>>,
    /// Blob hashes and most to pay for a unit of blob gas (EIP-4844): only where Ethereum's own tests are run.
    pub blobs: Option<(Vec<Hash>, u128)>,
}
