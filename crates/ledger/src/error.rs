//! What can go wrong, sorted by who is at fault.

use vigil_primitives::{Coins, Hash, Height, U256};
use vigil_trie::TrieError;

/// Result codes of transactions (`spec/ledger.md` §8). 0 is success.
pub mod code {
    /// Anything without a code of its own.
    pub const GENERIC: u32 = 100_000;
    /// A signature does not verify.
    pub const INVALID_SIGNATURE: u32 = 100_001;
    /// The sequence is not the account's next one.
    pub const INVALID_SEQUENCE: u32 = 100_002;
    /// The account has less than it spends.
    pub const INSUFFICIENT_FUND: u32 = 100_003;
    /// A transaction that only a proposer makes.
    pub const UNAUTHORIZED: u32 = 100_005;
    /// The fee is too low or in the wrong coin.
    pub const INVALID_FEE: u32 = 100_006;
    /// A contract transaction that can be in no block for a reason of the EVM.
    pub const EVM: u32 = 105_001;
    /// The gas price is below the least.
    pub const GAS_PRICE: u32 = 105_003;
    /// The fee limit passes 255 bits.
    pub const FEE_LIMIT: u32 = 105_004;
    /// The gas limit is above the most, or below what the transaction needs.
    pub const GAS_LIMIT: u32 = 105_005;
    /// No such stake purpose.
    pub const INVALID_STAKE_PURPOSE: u32 = 106_001;
    /// The stake is in the wrong coin.
    pub const INVALID_STAKE: u32 = 106_002;
    /// The stake is below the minimum, or more than the account has.
    pub const INSUFFICIENT_STAKE: u32 = 106_003;
    /// The stake would pass the cap of its node.
    pub const STAKE_EXCEEDS_CAP: u32 = 106_005;
}

/// A transaction is refused; the state is as before. The text is what RPC clients see (`spec/rpc.md` §4.7).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct TxError {
    /// One of [`code`].
    pub code: u32,
    /// For people and for clients that match on it.
    pub text: String,
}

impl TxError {
    /// An error with a code of its own.
    pub fn new(code: u32, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// An error of code [`code::GENERIC`].
    pub fn generic(text: impl Into<String>) -> Self {
        Self::new(code::GENERIC, text)
    }
}

/// The state could not be read, or holds what no block could have written. Never the fault of a peer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A node of the trie is missing or broken.
    #[error("reading the state")]
    Trie(#[from] TrieError),
    /// A value does not decode.
    #[error("the state's value of key 0x{key} is corrupt: {reason}")]
    Corrupt {
        /// The key, in hex.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// The hash of an ancestor could not be read.
    #[error("reading the hash of block {height}")]
    Ancestor {
        /// Of the ancestor.
        height: Height,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// revm gave up for a reason that is none of the transaction's.
    #[error("the EVM failed: {0}")]
    Evm(String),
    /// A contract transaction made coins.
    #[error("a contract transaction ends with {after} wei of the {coin} token where there were {before}")]
    Coins {
        /// `stake` or `operational`.
        coin: &'static str,
        /// Of the accounts that it touched, in wei.
        before: U256,
        /// Afterwards, with what was staked.
        after: U256,
    },
    /// A sum that is bounded by the supply passed 256 bits.
    #[error("{0} passes 256 bits: the state breaks the supply check")]
    Overflow(&'static str),
}

/// Why a transaction was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The transaction is at fault.
    #[error(transparent)]
    Refused(#[from] TxError),
    /// The store is at fault.
    #[error(transparent)]
    State(#[from] StateError),
}

impl ApplyError {
    /// A refusal with a code of its own.
    pub(crate) fn refuse(code: u32, text: impl Into<String>) -> Self {
        Self::Refused(TxError::new(code, text))
    }

    /// A refusal of code [`code::GENERIC`].
    pub(crate) fn generic(text: impl Into<String>) -> Self {
        Self::Refused(TxError::generic(text))
    }
}

/// Why the certificate in a header is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Only checkpoint blocks carry certificates.
    #[error("a certificate in block {block}, which is no multiple of {interval}")]
    Place {
        /// Height of the block.
        block: Height,
        /// `checkpoint_interval` of the genesis.
        interval: u64,
    },
    /// It is of the chain before or after a reset.
    #[error("the certificate is of a chain with {got} resets, this one has {expected}")]
    Resets {
        /// In the certificate.
        got: u64,
        /// Of the chain.
        expected: u64,
    },
    /// There is no checkpoint below the block at that height.
    #[error("the certificate is of height {got}: not a multiple of {interval} below block {block}")]
    Height {
        /// In the certificate.
        got: Height,
        /// Height of the block.
        block: Height,
        /// `checkpoint_interval` of the genesis.
        interval: u64,
    },
    /// This branch has one of at least that height.
    #[error("the certificate is of height {got}, this branch has one of height {last}")]
    Repeated {
        /// In the certificate.
        got: Height,
        /// Of the highest certificate on the branch.
        last: Height,
    },
    /// There were no guardians, or it was too long ago.
    #[error("no checkpoint of height {got} is remembered: it had no guardians or is too long ago")]
    Forgotten {
        /// In the certificate.
        got: Height,
    },
    /// It is of another branch, or of other guardians.
    #[error("the certificate's {what} of height {height} is {got}, this branch's is {expected}")]
    Other {
        /// `block` or `guardian set`.
        what: &'static str,
        /// Of the checkpoint.
        height: Height,
        /// In the certificate.
        got: Hash,
        /// On this branch.
        expected: Hash,
    },
    /// The signer vector is none of this set.
    #[error("the certificate's signers: {0}")]
    Signers(String),
    /// Not more than two thirds.
    #[error("the certificate's signers have {got} of {total} wei, more than two thirds are needed")]
    Weight {
        /// Of the signers, in wei.
        got: u128,
        /// Of all guardians, in wei.
        total: u128,
    },
    /// The signature is not that of the signers.
    #[error("the certificate's signature is not that of its signers")]
    Signature,
}

/// Why a certificate was not included.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FinalityError {
    /// The certificate is at fault.
    #[error(transparent)]
    Refused(#[from] CertificateError),
    /// The store is at fault.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Why a block was not executed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// Its height is not the parent's plus one.
    #[error("block has height {got} on a parent of height {parent}")]
    Height {
        /// In the header.
        got: Height,
        /// Of the parent.
        parent: Height,
    },
    /// It is older than its parent.
    #[error("block of time {got} on a parent of time {parent}")]
    Timestamp {
        /// In the header, Unix seconds.
        got: u64,
        /// Of the parent, Unix seconds.
        parent: u64,
    },
    /// Too many transactions.
    #[error("block has {got} transactions, the limit is {max}")]
    TxCount {
        /// In the block.
        got: usize,
        /// `block_txs_max` of the genesis.
        max: u64,
    },
    /// Too large.
    #[error("block has {got} bytes, the limit is {max}")]
    Bytes {
        /// Of its encoding.
        got: usize,
        /// `block_bytes_max` of the genesis.
        max: u64,
    },
    /// The transactions are not those of the header.
    #[error("transaction root of block {height} is {got}, header says {expected}")]
    TxRoot {
        /// Of the block.
        height: Height,
        /// Computed.
        got: Hash,
        /// In the header.
        expected: Hash,
    },
    /// The header carries a certificate that is wrong.
    #[error("block {height}: {error}")]
    Certificate {
        /// Of the block.
        height: Height,
        /// Why.
        error: CertificateError,
    },
    /// Rewards are due and the first transaction is no coinbase.
    #[error("block {height} pays rewards, but its first transaction is no coinbase")]
    CoinbaseMissing {
        /// Of the block.
        height: Height,
    },
    /// A transaction is refused.
    #[error("transaction {index} ({hash}) of block {height} is refused with code {}: {error}", error.code)]
    Tx {
        /// Of the block.
        height: Height,
        /// Position in the block.
        index: usize,
        /// Its hash.
        hash: Hash,
        /// Why.
        error: TxError,
    },
    /// The receipts are not those of the header.
    #[error("receipts of block {height} have the root {got}, header says {expected}")]
    ReceiptRoot {
        /// Of the block.
        height: Height,
        /// Computed.
        got: Hash,
        /// In the header.
        expected: Hash,
    },
    /// The bloom filter is not that of the receipts.
    #[error("the bloom filter in the header of block {height} is not that of its receipts")]
    Bloom {
        /// Of the block.
        height: Height,
    },
    /// Execution ends elsewhere than the header says.
    #[error("state root of block {height} is {got}, header says {expected}")]
    StateRoot {
        /// Of the block.
        height: Height,
        /// Computed.
        got: Hash,
        /// In the header.
        expected: Hash,
    },
    /// Ours: never punish a peer for it.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Both coins in the words of the reference.
pub(crate) fn coins_text(coins: &Coins) -> String {
    format!("{} ThetaWei, {} TFuelWei", coins.theta, coins.tfuel)
}

/// Whole tokens to wei.
pub(crate) fn tokens(count: u64) -> U256 {
    U256::from(count) * U256::from(vigil_primitives::WEI)
}
