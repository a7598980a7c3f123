//! What the RPC asks of a node. Values are those of `primitives`; every JSON form and every text of `spec/rpc.md` is
//! made in this crate.

use crate::{
    AtBlock, BackendError, BlockInfo, BlockLinks, Card, CertAt, ContractRun, GuardianInfo, Read, StakeReturn, StateAt,
    Status, TxPlace, Validators, Version,
};
use async_trait::async_trait;
use vigil_primitives::{
    Account, Address, BlockHeader, Bytes, EdgeNode, GuardianPool, Hash, Height, RewardDistribution, SmartContract,
    SplitRule, U256,
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

    /// The number of the chain, which Ethereum's signatures cover.
    fn chain_number(&self) -> U256;

    /// Where the node stands.
    async fn status(&self) -> Result<Status, BackendError>;

    /// `None`: ready. Otherwise why the node should get no traffic: `syncing: at height 5 of 900`.
    async fn not_ready(&self) -> Option<String>;

    /// Graphics cards of the machine, those that are not used among them.
    fn cards(&self) -> Vec<Card>;

    /// An account. `Missing` if there is none.
    async fn account(&self, address: Address, at: StateAt) -> Result<Read<Account>, BackendError>;

    /// Code of a contract; empty for accounts without code. `Missing` if there is no account.
    async fn code(&self, address: Address, at: StateAt) -> Result<Read<Bytes>, BackendError>;

    /// A storage word of a contract; zero where nothing was stored. `Missing` if there is no account.
    async fn storage(&self, address: Address, position: Hash, at: StateAt) -> Result<Read<Hash>, BackendError>;

    /// A split rule in the tip's state.
    async fn split_rule(&self, resource_id: &str) -> Result<Option<SplitRule>, BackendError>;

    /// A transaction by its native or its Ethereum hash, wherever it is.
    async fn transaction(&self, hash: Hash) -> Result<TxPlace, BackendError>;

    /// Hashes of what waits in the mempool.
    async fn pending_transactions(&self) -> Result<Vec<Hash>, BackendError>;

    /// A block by hash, whatever its status.
    async fn block(&self, hash: Hash) -> Result<Option<BlockInfo>, BackendError>;

    /// Parent, children and status of a block, without its transactions.
    async fn block_links(&self, hash: Hash) -> Result<Option<BlockLinks>, BackendError>;

    /// The settled block at a height; with `unsettled` and none settled, any block known there.
    async fn block_at(&self, height: Height, unsettled: bool) -> Result<Option<BlockInfo>, BackendError>;

    /// The guardians' certificate of the checkpoint at a height; `None`: the highest one.
    async fn finality_cert(&self, height: Option<Height>) -> Result<CertAt, BackendError>;

    /// The node as a guardian. `None`: it has no BLS key of its own.
    fn guardian(&self) -> Option<GuardianInfo>;

    /// Validator candidates after each block known at a height (0: after the tip). `Pruned` if the state is gone.
    async fn validator_pools(&self, height: Height) -> Result<Read<Vec<AtBlock<Validators>>>, BackendError>;

    /// Guardians after each block known at a height (0: after the tip). `Pruned` if the state is gone.
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

    /// Runs a contract transaction on the tip's state, as if in the next block, and keeps nothing. Its signature, its sequence
    /// and whether its sender can pay the fee do not count. It belongs on threads of the backend's own, few at once and
    /// bounded in time, memory and gas; the future is dropped when nobody waits any more.
    ///
    /// # Errors
    /// It could be in no block; the node is busy; it took too long. An execution that fails is an answer.
    async fn run_contract(&self, tx: SmartContract) -> Result<ContractRun, BackendError>;

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
