//! What an [`super::EthBackend`] answers with. Only contract transactions (types 7 and 12) are transactions here, and
//! indices count these.

use alloy_primitives::Log;
use alloy_rpc_types_eth::state::EvmOverrides;
use alloy_rpc_types_eth::{AccessList, TransactionRequest};
use std::sync::Arc;
use vigil_primitives::{Address, BlockHeader, Bytes, Hash, Height, U256};

/// The bloom filter of logs, 256 bytes.
pub type Bloom = alloy_primitives::Bloom;

/// What does not change while the node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EthRules {
    /// What Ethereum tools see as chain id (`spec/rpc.md` §4.8): up to 256 bits.
    pub chain_number: U256,
    /// Base fee of every block, in wei: the least gas price.
    pub base_fee: u128,
    /// Most gas of a block.
    pub block_gas_max: u64,
}

/// Where the chain stands (DESIGN §4, "words").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EthHeads {
    /// Last settled block: `latest` and `safe`.
    pub settled: (Height, Hash),
    /// Last block that guardians finalized: `finalized`.
    pub finalized: Option<(Height, Hash)>,
}

/// A node that is catching up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EthSyncing {
    /// Where it began.
    pub starting: Height,
    /// Where it is.
    pub current: Height,
    /// The highest block that it knows of.
    pub highest: Height,
}

/// Which block is meant; tags that name a block of the past are resolved by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EthAt {
    /// The last settled block.
    Settled,
    /// The highest executed block that the next proposal would extend.
    Tip,
    /// The settled block at a height.
    Number(Height),
    /// A block, settled or not.
    Hash(Hash),
}

/// A block with its contract transactions.
#[derive(Clone, Debug)]
pub struct EthBlock {
    /// Its hash: that of the header.
    pub hash: Hash,
    /// Its header.
    pub header: BlockHeader,
    /// Trie root of the receipts.
    pub receipts_root: Hash,
    /// Of all logs.
    pub bloom: Bloom,
    /// Size of the whole block's encoding, in bytes.
    pub size: u64,
    /// In order.
    pub txs: Vec<EthTxInfo>,
}

/// What is cheap to know of a settled block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EthBlockSummary {
    /// Its hash.
    pub hash: Hash,
    /// Gas of its contract transactions together.
    pub gas_used: u64,
}

/// A transaction that was executed.
#[derive(Clone, Debug)]
pub struct EthTxInfo {
    /// The transaction.
    pub tx: Arc<EthTx>,
    /// What it did.
    pub receipt: EthReceipt,
}

/// A contract transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EthTx {
    /// The Ethereum hash where it is signed the Ethereum way, else the native one.
    pub hash: Hash,
    /// The sender.
    pub from: Address,
    /// `None`: it creates a contract.
    pub to: Option<Address>,
    /// Ethereum's nonce: the sequence less one.
    pub nonce: u64,
    /// Operational tokens that are sent, in wei.
    pub value: U256,
    /// Most gas.
    pub gas_limit: u64,
    /// Its type and what it pays for gas.
    pub fees: EthFees,
    /// Data of the call, or code that creates.
    pub input: Bytes,
    /// `None` where the signature names no chain.
    pub chain_id: Option<U256>,
    /// As it stands in the transaction: 27, 28, that of EIP-155, or 0 and 1.
    pub v: U256,
    /// Of the signature.
    pub r: U256,
    /// Of the signature.
    pub s: U256,
}

/// What a transaction pays for gas, by its Ethereum type; in wei.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EthFees {
    /// Type 0, and native transactions.
    Legacy {
        /// The price.
        gas_price: U256,
    },
    /// Type 1 (EIP-2930).
    Priced {
        /// The price.
        gas_price: U256,
        /// What it says it will touch.
        access_list: AccessList,
    },
    /// Type 2 (EIP-1559).
    Dynamic {
        /// Most for a unit, tip included.
        max_fee: U256,
        /// Most of the tip.
        max_priority_fee: U256,
        /// What it says it will touch.
        access_list: AccessList,
    },
}

impl EthFees {
    /// Ethereum's number of the type.
    pub fn tx_type(&self) -> u8 {
        match self {
            Self::Legacy { .. } => 0,
            Self::Priced { .. } => 1,
            Self::Dynamic { .. } => 2,
        }
    }

    /// What a unit costs where the base fee is `base_fee`.
    pub fn effective_price(&self, base_fee: u128) -> U256 {
        match self {
            Self::Legacy { gas_price } | Self::Priced { gas_price, .. } => *gas_price,
            Self::Dynamic { max_fee, max_priority_fee, .. } => {
                U256::from(base_fee).saturating_add(*max_priority_fee).min(*max_fee)
            }
        }
    }

    /// The most a unit may cost.
    pub fn highest_price(&self) -> U256 {
        match self {
            Self::Legacy { gas_price } | Self::Priced { gas_price, .. } => *gas_price,
            Self::Dynamic { max_fee, .. } => *max_fee,
        }
    }

    /// The access list of those types that have one.
    pub fn access_list(&self) -> Option<&AccessList> {
        match self {
            Self::Legacy { .. } => None,
            Self::Priced { access_list, .. } | Self::Dynamic { access_list, .. } => Some(access_list),
        }
    }
}

/// What an executed transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EthReceipt {
    /// False: it was reverted or halted.
    pub success: bool,
    /// By it.
    pub gas_used: u64,
    /// By it and the contract transactions before it in the block.
    pub cumulative_gas_used: u64,
    /// Events, in order.
    pub logs: Vec<Log>,
    /// Of the logs.
    pub bloom: Bloom,
    /// The contract that was created.
    pub contract_address: Option<Address>,
}

/// Where an executed transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EthPlace {
    /// Its block.
    pub block_hash: Hash,
    /// The block's height.
    pub number: Height,
    /// The block's time, Unix seconds.
    pub timestamp: u64,
    /// Among the block's contract transactions.
    pub index: u64,
    /// Number of logs of the contract transactions before it in the block.
    pub first_log: u64,
}

/// A transaction, wherever it is.
#[derive(Clone, Debug)]
pub enum EthFound {
    /// Admitted, in no settled block.
    Pending(Arc<EthTx>),
    /// In a settled block.
    Settled(Box<EthTxInfo>, EthPlace),
}

/// An account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EthAccount {
    /// Operational tokens, in wei.
    pub balance: U256,
    /// Ethereum's nonce.
    pub nonce: u64,
}

/// What a call is made of. Either side's limits, and [`crate::limits::CALL_TIME_MAX`], are the backend's to keep.
#[derive(Clone, Debug)]
pub struct CallArgs {
    /// The message. Its chain id is checked, its `input` is the data, and it is neither a blob transaction nor one with
    /// authorizations.
    pub request: TransactionRequest,
    /// In whose state, after all its transactions, and as part of what block.
    pub at: EthAt,
    /// What is other than the state and the block say.
    pub overrides: EvmOverrides,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// It returned.
    Success {
        /// Returned data.
        output: Bytes,
        /// Gas after refunds.
        gas_used: u64,
    },
    /// It reverted.
    Revert {
        /// Revert data.
        output: Bytes,
        /// Gas after refunds.
        gas_used: u64,
    },
    /// It was stopped.
    Halt {
        /// In the words that tools know: `out of gas`, `invalid opcode: INVALID`, `stack underflow (0 <=> 1)`.
        reason: String,
        /// All that it had.
        gas_used: u64,
    },
}

/// An estimate of gas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// The least gas limit found with which the call succeeds.
    Gas(u64),
    /// It fails with the most gas it may have.
    Fails(CallOutcome),
}

/// What waits in the mempool.
#[derive(Clone, Debug, Default)]
pub struct EthPool {
    /// Ready for a block.
    pub pending: Vec<Arc<EthTx>>,
    /// Waits for an earlier nonce.
    pub queued: Vec<Arc<EthTx>>,
}
