//! What the RPC asks of a node. Values are those of `primitives`; every JSON form and every text of `spec/rpc.md` is
//! made in this crate.

use crate::BackendError;
use async_trait::async_trait;
use std::sync::Arc;
use vigil_primitives::{
    Account, Address, Block, BlockHeader, Bytes, EdgeNode, Epoch, GuardianPool, Hash, Height, RewardDistribution,
    SplitRule, Stake, ValidatorPool,
};

/// The node behind the RPC. One value serves all connections at once.
///
/// A read that may take long (disk, many nodes of a trie) belongs on a blocking thread: the caller waits for the future,
/// and other requests run meanwhile. Requests that run into the time limit drop the future.
///
/// An `Err` is sent to the client as -32000 with its text as it is.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// What program this is.
    fn version(&self) -> Version;

    /// Where the node stands.
    async fn status(&self) -> Result<Status, BackendError>;

    /// `None`: ready. Otherwise why the node should get no traffic: `syncing: at height 5 of 900`.
    async fn not_ready(&self) -> Option<String>;

    /// An account. `Missing` if there is none.
    async fn account(&self, address: Address, at: StateAt) -> Result<Read<Account>, BackendError>;

    /// Code of a contract; empty for accounts without code. `Missing` if there is no account.
    async fn code(&self, address: Address, at: StateAt) -> Result<Read<Bytes>, BackendError>;

    /// A storage word of a contract; zero where nothing was stored. `Missing` if there is no account.
    async fn storage(&self, address: Address, position: Hash, at: StateAt) -> Result<Read<Hash>, BackendError>;

    /// A split rule in the tip's state.
    async fn split_rule(&self, resource_id: &str) -> Result<Option<SplitRule>, BackendError>;

    /// A transaction by its native hash, wherever it is.
    async fn transaction(&self, hash: Hash) -> Result<TxPlace, BackendError>;

    /// Hashes of what waits in the mempool.
    async fn pending_transactions(&self) -> Result<Vec<Hash>, BackendError>;

    /// A block by hash, whatever its status.
    async fn block(&self, hash: Hash) -> Result<Option<BlockInfo>, BackendError>;

    /// Parent, children and status of a block, without its transactions.
    async fn block_links(&self, hash: Hash) -> Result<Option<BlockLinks>, BackendError>;

    /// The settled block at a height; with `unsettled` and none settled, any block known there.
    async fn block_at(&self, height: Height, unsettled: bool) -> Result<Option<BlockInfo>, BackendError>;

    /// Validator candidates after each block known at a height. `Pruned` if the state is gone.
    async fn validator_pools(&self, height: Height) -> Result<Read<Vec<AtBlock<Validators>>>, BackendError>;

    /// Guardians after each block known at a height. `Pruned` if the state is gone.
    async fn guardian_pools(&self, height: Height) -> Result<Read<Vec<AtBlock<GuardianPool>>>, BackendError>;

    /// Elite edge nodes after one block at a height: the settled one, else the one furthest on. `Pruned` if the state
    /// is gone.
    async fn edge_nodes(&self, height: Height) -> Result<Read<Option<AtBlock<Vec<EdgeNode>>>>, BackendError>;

    /// Rules of reward distribution after each block known at a height: the one of `holder`, or all.
    async fn reward_distributions(
        &self,
        height: Height,
        holder: Option<Address>,
    ) -> Result<Read<Vec<AtBlock<Vec<RewardDistribution>>>>, BackendError>;

    /// Elite edge node stakes that return at a height, by the tip's state.
    async fn stake_returns(&self, height: Height) -> Result<Vec<StakeReturn>, BackendError>;

    /// All elite edge node stakes that are to return, by the tip's state: by height ascending.
    async fn pending_stake_returns(&self) -> Result<Vec<(Height, Vec<StakeReturn>)>, BackendError>;

    /// Peer ids.
    async fn peers(&self) -> Result<Vec<String>, BackendError>;

    /// `host:port` of peers, in any order.
    async fn peer_urls(&self) -> Result<Vec<String>, BackendError>;

    /// Decodes, verifies and screens a transaction, puts it into the mempool and gossips it. Returns its hash.
    ///
    /// Called for the requests of a batch in order; the future must take its place in line when it is first polled, so
    /// that sequences n, n+1, ... of one batch stay in order.
    ///
    /// # Errors
    /// Texts of `spec/rpc.md` §4.6 and §4.7: `Transaction already seen`, `Error decoding tx: ...`, a refusal of the screen.
    async fn broadcast(&self, raw: Bytes) -> Result<Hash, BackendError>;

    /// As [`Backend::broadcast`], then waits (without limit: the caller drops the future after its own) until a settled
    /// block holds the transaction, and returns that block's header.
    ///
    /// # Errors
    /// As `broadcast`; also if the transaction is dropped from the mempool without getting into a block.
    async fn broadcast_and_wait(&self, raw: Bytes) -> Result<(Hash, BlockHeader), BackendError>;
}

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
        /// True if the block is settled.
        settled: bool,
        /// As [`BlockInfo::guardian_finalized`].
        guardian_finalized: bool,
        /// The envelope.
        raw: Bytes,
    },
    /// In the mempool.
    Pending,
    /// Dropped by the mempool within the last minute.
    Abandoned,
    /// Nowhere.
    Unknown,
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
