//! The node as Ethereum's tools see it.

mod blocks;
mod calls;
mod logs;
mod send;
mod simulated;
mod traces;
mod txs;

use crate::backend::NodeBackend;
use crate::engine::Clock;
use alloy_rpc_types_eth::{AccessListResult, Filter, Log};
use alloy_rpc_types_trace::geth::GethDebugTracingOptions;
use async_trait::async_trait;
use blocks::BlockCache;
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};
pub(crate) use txs::eth_tx;
use vigil_ledger::{State, StateError, gas_price_min, queries};
use vigil_primitives::{Address, Bytes, Hash, Height, U256};
use vigil_rpc::eth::{
    CallArgs, CallOutcome, Estimate, EthAccount, EthAt, EthBackend, EthBlock, EthBlockSummary, EthError, EthFound,
    EthHeads, EthPool, EthRules, EthSyncing, EthTx,
};
use vigil_trie::TrieError;

/// The Ethereum side of a node.
#[derive(Debug)]
pub(crate) struct EthNode {
    node: Arc<NodeBackend>,
    blocks: BlockCache,
}

type Answer<T> = Result<T, EthError>;

impl EthNode {
    pub(crate) fn new(node: Arc<NodeBackend>) -> Arc<Self> {
        Arc::new(Self { node, blocks: BlockCache::default() })
    }

    /// Runs a read that may touch the disk on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&NodeBackend) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let node = Arc::clone(&self.node);
        tokio::task::spawn_blocking(move || read(&node)).await.map_err(EthError::new)?
    }

    /// Reads in the state after a block.
    async fn in_state<T: Send + 'static>(
        &self,
        at: EthAt,
        read: impl FnOnce(&State, Height) -> Result<T, StateError> + Send + 'static,
    ) -> Answer<T> {
        self.read(move |node| {
            let header = blocks::header_at(node, at)?.ok_or(EthError::UnknownBlock)?;
            read(&node.chain.state_of(&header), header.height).map_err(|error| state_error(error, header.height))
        })
        .await
    }
}

/// Ours, unless the state is gone.
fn state_error(error: StateError, height: Height) -> EthError {
    match error {
        StateError::Trie(TrieError::Missing { .. }) => EthError::Pruned(height),
        error => internal(error),
    }
}

fn internal(error: impl std::error::Error) -> EthError {
    tracing::warn!(%error, "a read failed");
    EthError::new(format!("internal error: {error}"))
}

#[async_trait]
impl EthBackend for EthNode {
    fn rules(&self) -> EthRules {
        let (params, height) = (self.node.chain.params(), self.node.chain.head().as_parent.height);
        EthRules {
            chain_number: self.node.chain.tx_domain().eth_number().0,
            base_fee: gas_price_min(params, height + 1).saturating_to(),
            block_gas_max: params.block_gas_max,
        }
    }

    fn client_version(&self) -> String {
        format!("Vigil/v{}/{}-{}", self.node.version.version, std::env::consts::OS, std::env::consts::ARCH)
    }

    fn heads(&self) -> EthHeads {
        let finalized = self.node.chain.final_cert();
        let head = self.node.chain.head();
        EthHeads {
            settled: (head.as_parent.height, head.hash),
            finalized: finalized.map(|cert| (cert.checkpoint.height, cert.checkpoint.block_hash)),
        }
    }

    fn syncing(&self) -> Option<EthSyncing> {
        if self.node.health.synced() {
            return None;
        }
        let current = self.node.chain.head().as_parent.height;
        Some(EthSyncing { starting: 0, current, highest: self.node.observed_height().max(current) })
    }

    fn peers(&self) -> u64 {
        self.node.net.peer_count() as u64
    }

    async fn block(&self, at: EthAt) -> Answer<Option<Arc<EthBlock>>> {
        let cache = self.blocks.clone();
        self.read(move |node| cache.block(node, at)).await
    }

    async fn summary(&self, height: Height) -> Answer<Option<EthBlockSummary>> {
        let cache = self.blocks.clone();
        self.read(move |node| cache.summary(node, height)).await
    }

    async fn transaction(&self, hash: Hash) -> Answer<Option<EthFound>> {
        let cache = self.blocks.clone();
        self.read(move |node| txs::find(node, &cache, &hash)).await
    }

    async fn account(&self, address: Address, at: EthAt) -> Answer<EthAccount> {
        self.in_state(at, move |state, height| {
            let account = queries::account(state, height, &address)?;
            Ok(account
                .map(|account| EthAccount { balance: account.balance.tfuel, nonce: account.sequence })
                .unwrap_or_default())
        })
        .await
    }

    async fn code(&self, address: Address, at: EthAt) -> Answer<Bytes> {
        self.in_state(at, move |state, height| match queries::account(state, height, &address)? {
            Some(account) => queries::code(state, &account),
            None => Ok(Bytes::new()),
        })
        .await
    }

    async fn storage(&self, address: Address, slot: U256, at: EthAt) -> Answer<Hash> {
        self.in_state(at, move |state, height| match queries::account(state, height, &address)? {
            Some(account) => Ok(queries::storage(state, &account, &slot.into())?.into()),
            None => Ok(Hash::ZERO),
        })
        .await
    }

    async fn nonce_pending(&self, address: Address) -> Answer<u64> {
        let height = self.node.chain.head().as_parent.height;
        self.read(move |node| {
            let account = node.pool.account(&address).map_err(|error| state_error(error, height))?;
            Ok(account.map_or(0, |account| account.sequence))
        })
        .await
    }

    async fn call(&self, args: CallArgs) -> Answer<CallOutcome> {
        calls::call(&self.node, args).await
    }

    async fn estimate_gas(&self, args: CallArgs) -> Answer<Estimate> {
        calls::estimate_gas(&self.node, args).await
    }

    async fn create_access_list(&self, args: CallArgs) -> Answer<AccessListResult> {
        calls::create_access_list(&self.node, args).await
    }

    async fn trace_call(&self, args: CallArgs, options: GethDebugTracingOptions) -> Answer<Box<RawValue>> {
        traces::call(&self.node, args, options).await
    }

    async fn trace_transaction(&self, hash: Hash, options: GethDebugTracingOptions) -> Answer<Option<Box<RawValue>>> {
        traces::transaction(&self.node, hash, options).await
    }

    async fn trace_block(&self, at: EthAt, options: GethDebugTracingOptions) -> Answer<Box<RawValue>> {
        traces::block(&self.node, at, options).await
    }

    async fn logs(&self, from: Height, to: Height, filter: &Filter) -> Answer<Vec<Log>> {
        let (cache, filter) = (self.blocks.clone(), filter.clone());
        self.read(move |node| logs::between(node, &cache, from, to, &filter)).await
    }

    async fn logs_of(&self, block: Hash, filter: &Filter) -> Answer<Vec<Log>> {
        let (cache, filter) = (self.blocks.clone(), filter.clone());
        self.read(move |node| logs::of_block(node, &cache, block, &filter)).await
    }

    async fn send_raw(&self, bytes: Bytes) -> Answer<Hash> {
        send::send_raw(&self.node, bytes).await
    }

    async fn pool_size(&self) -> Answer<(u64, u64)> {
        Ok((self.node.pool.contract_txs(None).len() as u64, 0))
    }

    async fn pool(&self, of: Option<Address>) -> Answer<EthPool> {
        self.read(move |node| {
            let number = node.chain.tx_domain().eth_number().0;
            let pending = node.pool.contract_txs(of.as_ref());
            let pending = pending.iter().filter_map(|tx| eth_tx(tx.tx(), tx.hash(), None, number)).map(Arc::new);
            Ok(EthPool { pending: pending.collect(), queued: Vec::new() })
        })
        .await
    }

    fn settled(&self) -> watch::Receiver<Height> {
        self.node.settled.subscribe()
    }

    fn admitted(&self) -> broadcast::Receiver<Arc<EthTx>> {
        self.node.pool.admitted()
    }
}

/// Unix seconds now, for blocks that are made up.
fn now() -> u64 {
    Clock::unix_s()
}
