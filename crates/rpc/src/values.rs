//! What a [`crate::Backend`] answers with.

use std::sync::Arc;
use vigil_primitives::{
    Address, Block, Bytes, Epoch, FinalityCert, Hash, Height, Receipt, Signature, Stake, ValidatorPool,
};

/// Which state a read means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateAt {
    /// After the last settled block.
    Settled,
    /// The mempool's view: settled or tip state plus admitted transactions.
    Screened,
    /// After the settled block at this height (never 0: that means "now" in requests).
    Height(Height),
}

/// Outcome of a read that names a height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// It is there.
    Found(T),
    /// The state is there, the thing is not.
    Missing,
    /// No block is known at that height.
    NoBlock,
    /// The block is known, its state is gone.
    Pruned,
}

/// What program this is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// `0.1.0`.
    pub version: String,
    /// Commit it was built from.
    pub git_hash: String,
    /// Time of that commit, ISO 8601.
    pub timestamp: String,
}

/// Where the node stands (`spec/rpc.md` §4.1). "Settled" here is `finalized` in the JSON (DESIGN §4, "words").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The node's own address.
    pub address: Address,
    /// The chain.
    pub chain_id: String,
    /// libp2p peer id.
    pub peer_id: String,
    /// Last settled block.
    pub settled_hash: Hash,
    /// Its height.
    pub settled_height: Height,
    /// Its timestamp, Unix seconds.
    pub settled_time: u64,
    /// Its epoch.
    pub settled_epoch: Epoch,
    /// The epoch that consensus is in.
    pub current_epoch: Epoch,
    /// Height of the highest block with a certificate.
    pub current_height: Height,
    /// That block.
    pub current_hash: Hash,
    /// The node's clock, Unix seconds.
    pub current_time: u64,
    /// True while the node is catching up.
    pub syncing: bool,
    /// The block that the next proposal would extend.
    pub tip_hash: Hash,
    /// The genesis block.
    pub genesis_hash: Hash,
    /// The block the node started from: genesis, or that of a snapshot.
    pub snapshot_height: Height,
    /// Its hash.
    pub snapshot_hash: Hash,
    /// Last checkpoint finalized by guardians. `None` while there are no guardians: `null` in the JSON.
    pub finalized: Option<(Height, Hash)>,
}

/// A graphics card of the node's machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Kind, number and name: `cuda 0: NVIDIA H200`.
    pub name: String,
    /// Through what: `cuda`, `wgpu`.
    pub backend: String,
    /// Why it is not used; `None` while it is.
    pub why_not: Option<String>,
    /// Whether that is a fault; otherwise the operator wants it so.
    pub is_faulty: bool,
    /// Since the node was started.
    pub faults: u32,
}

impl Card {
    /// What the operator should know. The node is well without it: the processor does its work.
    pub fn warning(&self) -> Option<String> {
        let why = self.why_not.as_ref().filter(|_| self.is_faulty)?;
        Some(format!("the graphics card {} is not used: {why}; the processor does its work", self.name))
    }
}

/// How far a block has come. The numbers are the reference's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum BlockStatus {
    /// Known, not executed.
    Pending = 0,
    /// Executed, no certificate yet.
    Valid = 1,
    /// Execution failed.
    Invalid = 2,
    /// Has a certificate.
    Committed = 3,
    /// Settled by its own two-link chain.
    DirectlySettled = 4,
    /// Settled as the ancestor of a settled block.
    IndirectlySettled = 5,
    /// Genesis, or the block of a snapshot.
    Trusted = 6,
    /// Left behind by a settled fork.
    Disposed = 7,
}

impl BlockStatus {
    /// True for 4, 5 and 6.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::DirectlySettled | Self::IndirectlySettled | Self::Trusted)
    }
}

/// A block and what the node knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Its hash.
    pub hash: Hash,
    /// The block. Shared, so that a cached one is not copied.
    pub block: Arc<Block>,
    /// Receipts of its contract transactions, in order; shared like it.
    pub receipts: Arc<[Receipt]>,
    /// Known blocks that name it as their parent.
    pub children: Vec<Hash>,
    /// How far it has come.
    pub status: BlockStatus,
    /// True if guardians have finalized it, or a checkpoint above it.
    pub guardian_finalized: bool,
}

/// A block's place among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockLinks {
    /// Its parent.
    pub parent: Hash,
    /// Known blocks that name it as their parent.
    pub children: Vec<Hash>,
    /// How far it has come.
    pub status: BlockStatus,
}

/// Where a transaction is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxPlace {
    /// In a block.
    InBlock {
        /// The block.
        block_hash: Hash,
        /// Its height.
        height: Height,
        /// How far the block has come.
        status: BlockStatus,
        /// As [`BlockInfo::guardian_finalized`].
        guardian_finalized: bool,
        /// The envelope.
        raw: Bytes,
        /// Of a contract transaction.
        receipt: Option<Box<Receipt>>,
    },
    /// In the mempool.
    Pending,
    /// Dropped by the mempool within the last minute.
    Abandoned,
    /// Nowhere.
    Unknown,
}

/// Outcome of a contract transaction that was run and not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContractRun {
    /// What it returned: of a creation the code, of a revert its data.
    pub output: Bytes,
    /// The account that it created or called; zero if a creation failed.
    pub contract: Address,
    /// Gas that it would pay for.
    pub gas_used: u64,
    /// Why it failed, in the reference's words; empty if it did not.
    pub error: String,
}

/// What is known of the certificate of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertAt {
    /// It is here.
    Found(Box<CertInfo>),
    /// No checkpoint has that height.
    NoCheckpoint {
        /// Checkpoints stand at multiples of this.
        interval: Height,
    },
    /// Guardians have not finalized it.
    NotFinal {
        /// The highest checkpoint that they have; 0: none.
        highest: Height,
    },
    /// A later certificate makes it final, and none of its own is known.
    Passed {
        /// The height of that one.
        by: Height,
    },
}

/// A certificate, and what its signers weigh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertInfo {
    /// The certificate.
    pub cert: FinalityCert,
    /// How many guardians are in it.
    pub signers: usize,
    /// How many are in the set.
    pub guardians: usize,
    /// What the signers weigh, in wei.
    pub weight: u128,
    /// What the set weighs, in wei.
    pub total_weight: u128,
}

/// A node as a guardian: what a deposit on it names (`spec/cli.md` §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardianInfo {
    /// The node.
    pub address: Address,
    /// The key that it votes with, 48 bytes.
    pub bls_pubkey: Bytes,
    /// Its proof of possession, 96 bytes.
    pub bls_pop: Bytes,
    /// The node key's signature over the Keccak-256 of that proof.
    pub signature: Signature,
}

/// Something as it stood after a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtBlock<T> {
    /// The block.
    pub block_hash: Hash,
    /// What stood.
    pub value: T,
}

/// Validator candidates and the heights at which the pool changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The candidates.
    pub pool: ValidatorPool,
    /// Heights of blocks with stake transactions of validators, ascending.
    pub heights: Vec<Height>,
}

/// A stake on its way back to its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StakeReturn {
    /// The node it was with.
    pub holder: Address,
    /// The stake.
    pub stake: Stake,
}
