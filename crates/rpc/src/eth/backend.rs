//! What the Ethereum side asks of a node. Values only: every JSON form and every text about arguments is made here.

use super::error::EthError;
use super::values::{
    CallArgs, CallOutcome, Estimate, EthAccount, EthAt, EthBlock, EthBlockSummary, EthFound, EthHeads, EthPool,
    EthRules, EthSyncing, EthTx,
};
use alloy_rpc_types_eth::{AccessListResult, Filter, Log};
use alloy_rpc_types_trace::geth::GethDebugTracingOptions;
use async_trait::async_trait;
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};
use vigil_primitives::{Address, Bytes, Hash, Height, U256};

/// The node behind the Ethereum side. One value serves all connections at once.
///
/// Long reads and all execution belong on threads of the backend's own, few at once and bounded in time, memory and gas:
/// this crate asks for as many as clients want. Requests that run into the time limit drop the future.
///
/// `at` never means more than one block: where the chain moves on between two reads, each tells its own.
#[async_trait]
pub trait EthBackend: Send + Sync + 'static {
    /// What does not change while the node runs.
    fn rules(&self) -> EthRules;

    /// `Vigil/v0.1.0/linux-x86_64`.
    fn client_version(&self) -> String;

    /// Where the chain stands.
    fn heads(&self) -> EthHeads;

    /// `None`: the node has caught up.
    fn syncing(&self) -> Option<EthSyncing>;

    /// Number of peers.
    fn peers(&self) -> u64;

    /// A block. `None`: unknown. Settled blocks are asked for again and again while they are new (each subscriber reads
    /// them): keep the last ones decoded.
    async fn block(&self, at: EthAt) -> Result<Option<Arc<EthBlock>>, EthError>;

    /// The settled block at a height, without its transactions; cheap.
    async fn summary(&self, height: Height) -> Result<Option<EthBlockSummary>, EthError>;

    /// A transaction by its Ethereum or its native hash. It counts as pending until its block is settled.
    async fn transaction(&self, hash: Hash) -> Result<Option<EthFound>, EthError>;

    /// An account; the default if there is none.
    async fn account(&self, address: Address, at: EthAt) -> Result<EthAccount, EthError>;

    /// Code of a contract; empty for other accounts.
    async fn code(&self, address: Address, at: EthAt) -> Result<Bytes, EthError>;

    /// A storage word; zero where nothing was stored.
    async fn storage(&self, address: Address, slot: U256, at: EthAt) -> Result<Hash, EthError>;

    /// The nonce of the account's next transaction as the mempool sees it.
    async fn nonce_pending(&self, address: Address) -> Result<u64, EthError>;

    /// Runs a message and keeps nothing.
    async fn call(&self, args: CallArgs) -> Result<CallOutcome, EthError>;

    /// Searches the least gas with which a message succeeds.
    async fn estimate_gas(&self, args: CallArgs) -> Result<Estimate, EthError>;

    /// What a message touches.
    async fn create_access_list(&self, args: CallArgs) -> Result<AccessListResult, EthError>;

    /// Traces a message; JSON as the tracer of `options` has it.
    async fn trace_call(&self, args: CallArgs, options: GethDebugTracingOptions) -> Result<Box<RawValue>, EthError>;

    /// Traces a settled transaction. `None`: there is none.
    async fn trace_transaction(
        &self,
        hash: Hash,
        options: GethDebugTracingOptions,
    ) -> Result<Option<Box<RawValue>>, EthError>;

    /// Traces the transactions of a block: a list of `{"txHash","result"}`.
    async fn trace_block(&self, at: EthAt, options: GethDebugTracingOptions) -> Result<Box<RawValue>, EthError>;

    /// Logs of settled blocks `from..=to` that match `filter`'s addresses and topics, in order; its blocks do not count.
    ///
    /// # Errors
    /// [`EthError::TooManyLogs`] as soon as more than [`crate::limits::LOGS_MAX`] match, [`EthError::TooMuchLogData`] as
    /// soon as their data has more than [`crate::limits::LOG_BYTES_MAX`] bytes.
    async fn logs(&self, from: Height, to: Height, filter: &Filter) -> Result<Vec<Log>, EthError>;

    /// The same of one block. [`EthError::UnknownBlock`] if there is none.
    async fn logs_of(&self, block: Hash, filter: &Filter) -> Result<Vec<Log>, EthError>;

    /// Admits a signed Ethereum transaction (EIP-2718 bytes); its Ethereum hash.
    ///
    /// # Errors
    /// In the words that tools know: `nonce too low`, `already known`, `insufficient funds for gas * price + value`,
    /// `transaction underpriced`, `replacement transaction underpriced`, `exceeds block gas limit`, ...
    async fn send_raw(&self, bytes: Bytes) -> Result<Hash, EthError>;

    /// How many transactions are ready, and how many wait for an earlier nonce.
    async fn pool_size(&self) -> Result<(u64, u64), EthError>;

    /// The mempool, of one sender or of all; bounded by the mempool's own limits.
    async fn pool(&self, of: Option<Address>) -> Result<EthPool, EthError>;

    /// The height of the last settled block, told when it changes. Blocks are then read by height, so none is missed.
    fn settled(&self) -> watch::Receiver<Height>;

    /// Transactions that were admitted to the mempool. Who is slower than the channel is long misses some: nobody is
    /// promised to see every transaction before its block.
    fn admitted(&self) -> broadcast::Receiver<Arc<EthTx>>;
}
