//! What the RPC reads from this node.

mod blocks;
mod contracts;
mod finality;
mod pools;

use crate::calls::Calls;
use crate::chain::{Chain, ExecutedBlock};
use crate::engine::{Clock, Observatory, Observed};
use crate::health::Health;
use crate::pool::{Admission, Pool, Rejected};
use async_trait::async_trait;
use std::sync::{Arc, PoisonError};
use tokio::sync::watch;
use vigil_accel::Engine;
use vigil_accel::gpu;
use vigil_ledger::{State, StateError, queries};
use vigil_net::NetHandle;
use vigil_primitives::{
    Account, Address, BlockHeader, Bytes, EdgeNode, GuardianPool, Hash, Height, RewardDistribution, SmartContract,
    SplitRule, U256, keccak256,
};
use vigil_rpc::{
    AtBlock, Backend, BackendError, BlockInfo, BlockLinks, Card, CertAt, ContractRun, GuardianInfo, Read, StakeReturn,
    StateAt, Status, TxPlace, Validators, Version,
};
use vigil_trie::TrieError;

/// The node as the RPC sees it.
#[derive(Clone, Debug)]
pub struct NodeBackend {
    /// The chain.
    pub chain: Arc<Chain>,
    /// Transactions that wait.
    pub pool: Arc<Pool>,
    /// Checks signatures.
    pub engine: Engine,
    /// The way in for new ones.
    pub admission: Admission,
    /// Runs what clients ask to be executed.
    pub calls: Calls,
    /// Consensus, as observed.
    pub observatory: Observatory,
    /// Height of the last settled block, told when it changes.
    pub settled: watch::Sender<Height>,
    /// Why not ready.
    pub health: Arc<Health>,
    /// Peers.
    pub net: NetHandle,
    /// The node's address.
    pub address: Address,
    /// The node as a guardian, if it is one.
    pub guardian: Option<GuardianInfo>,
    /// What program this is.
    pub version: Version,
}

type Answer<T> = Result<T, BackendError>;

impl NodeBackend {
    /// Runs a read that may touch the disk on a thread that may block.
    async fn read<T: Send + 'static>(&self, read: impl FnOnce(&Self) -> Answer<T> + Send + 'static) -> Answer<T> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || read(&this)).await.map_err(BackendError::new)?
    }

    fn observed(&self) -> Observed {
        self.observatory.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The block that a proposal would extend.
    pub(crate) fn observed_tip(&self) -> Hash {
        self.observed().tip
    }

    /// Height of the highest block with a certificate.
    pub(crate) fn observed_height(&self) -> Height {
        self.observed().view.high_cert.1
    }

    /// The settled state with its height.
    fn settled_state(&self) -> (State, Height) {
        let head = self.chain.head();
        (head.as_parent.state.clone(), head.as_parent.height)
    }

    /// The block that a proposal would extend.
    fn tip(&self) -> Arc<ExecutedBlock> {
        let hash = self.observed().tip;
        let tip = self.chain.tip();
        Arc::clone(tip.executed(&hash).unwrap_or(&tip.head))
    }

    /// Its state.
    fn tip_state(&self) -> State {
        self.tip().as_parent.state.clone()
    }

    /// The state after the settled block at a height.
    fn state_at(&self, height: Height) -> Answer<Option<State>> {
        let Some((hash, _)) = self.chain.settled_at(height).map_err(internal)? else { return Ok(None) };
        let block = self.chain.block(&hash).map_err(internal)?;
        Ok(block.map(|block| self.chain.state_of(&block.header)))
    }

    /// Something that an account has in a state.
    fn of_account<T>(
        &self,
        address: Address,
        at: StateAt,
        read: impl FnOnce(&State, &Account) -> Result<T, StateError>,
    ) -> Answer<Read<T>> {
        let state = match at {
            StateAt::Settled | StateAt::Screened => self.chain.state_of(&self.chain.head().block.header),
            StateAt::Height(height) => match self.state_at(height)? {
                None => return Ok(Read::NoBlock),
                Some(state) => state,
            },
        };
        // Funds that expire change nothing of it.
        let account = queries::account(&state, 0, &address);
        found_or_pruned(account.and_then(|account| account.map(|account| read(&state, &account)).transpose()))
    }

    fn account_now(&self, address: Address, at: StateAt) -> Answer<Read<Account>> {
        let found = match at {
            StateAt::Settled => {
                let (state, height) = self.settled_state();
                queries::account(&state, height, &address)
            }
            StateAt::Screened => self.pool.account(&address),
            StateAt::Height(height) => match self.state_at(height)? {
                None => return Ok(Read::NoBlock),
                Some(state) => queries::account(&state, height, &address),
            },
        };
        found_or_pruned(found)
    }
}

/// A read of an old state: gone nodes mean that it was pruned.
fn found_or_pruned<T>(read: Result<Option<T>, StateError>) -> Answer<Read<T>> {
    match read {
        Ok(Some(found)) => Ok(Read::Found(found)),
        Ok(None) => Ok(Read::Missing),
        Err(StateError::Trie(TrieError::Missing { .. })) => Ok(Read::Pruned),
        Err(error) => Err(internal(error)),
    }
}

fn internal(error: impl std::error::Error) -> BackendError {
    tracing::warn!(%error, "a read failed");
    BackendError::new(format!("internal error: {error}"))
}

#[async_trait]
impl Backend for NodeBackend {
    fn version(&self) -> Version {
        self.version.clone()
    }

    fn chain_number(&self) -> U256 {
        self.chain.tx_domain().eth_number().0
    }

    async fn status(&self) -> Answer<Status> {
        // What was final before is settled by now, and what is settled is certified a moment later.
        let finalized = self.chain.final_cert();
        let (head, observed) = (self.chain.head(), self.observed());
        let header = &head.block.header;
        let (_, height, hash) = observed.view.high_cert;
        let (current_height, current_hash) =
            if height < header.height { (header.height, head.hash) } else { (height, hash) };
        Ok(Status {
            address: self.address,
            chain_id: self.chain.params().chain_id.clone(),
            peer_id: self.net.local_peer_id().to_string(),
            settled_hash: head.hash,
            settled_height: header.height,
            settled_time: header.timestamp,
            settled_epoch: header.epoch,
            current_epoch: observed.view.epoch,
            current_height,
            current_hash,
            current_time: Clock::unix_s(),
            syncing: !self.health.synced(),
            tip_hash: observed.tip,
            genesis_hash: self.chain.genesis(),
            snapshot_height: 0,
            snapshot_hash: self.chain.genesis(),
            finalized: finalized.map(|cert| (cert.checkpoint.height, cert.checkpoint.block_hash)),
        })
    }

    async fn not_ready(&self) -> Option<String> {
        self.health.reason(Clock::unix_s())
    }

    fn cards(&self) -> Vec<Card> {
        let card = |state: gpu::State| Card {
            name: state.label,
            backend: state.backend.to_string(),
            why_not: state.why_not,
            is_faulty: state.is_faulty,
            faults: state.faults,
        };
        gpu::states(self.engine.cards()).into_iter().map(card).collect()
    }

    async fn account(&self, address: Address, at: StateAt) -> Answer<Read<Account>> {
        self.read(move |this| this.account_now(address, at)).await
    }

    async fn code(&self, address: Address, at: StateAt) -> Answer<Read<Bytes>> {
        self.read(move |this| this.of_account(address, at, queries::code)).await
    }

    async fn storage(&self, address: Address, position: Hash, at: StateAt) -> Answer<Read<Hash>> {
        let word = move |state: &State, account: &Account| queries::storage(state, account, &position).map(Hash::from);
        self.read(move |this| this.of_account(address, at, word)).await
    }

    async fn split_rule(&self, resource_id: &str) -> Answer<Option<SplitRule>> {
        let id = resource_id.to_owned();
        self.read(move |this| queries::split_rule(&this.tip_state(), &id).map_err(internal)).await
    }

    async fn transaction(&self, hash: Hash) -> Answer<TxPlace> {
        self.read(move |this| this.tx_place(hash)).await
    }

    async fn pending_transactions(&self) -> Answer<Vec<Hash>> {
        Ok(self.pool.hashes())
    }

    async fn block(&self, hash: Hash) -> Answer<Option<BlockInfo>> {
        self.read(move |this| this.block_info(hash)).await
    }

    async fn block_links(&self, hash: Hash) -> Answer<Option<BlockLinks>> {
        self.read(move |this| {
            let Some(block) = this.chain.block(&hash).map_err(internal)? else { return Ok(None) };
            this.links(hash, &block.header).map(Some)
        })
        .await
    }

    async fn block_at(&self, height: Height, unsettled: bool) -> Answer<Option<BlockInfo>> {
        self.read(move |this| match this.known_at(height)?.into_iter().next() {
            Some((hash, settled)) if settled || unsettled => this.block_info(hash),
            _ => Ok(None),
        })
        .await
    }

    async fn finality_cert(&self, height: Option<Height>) -> Answer<CertAt> {
        self.read(move |this| this.cert_at(height)).await
    }

    fn guardian(&self) -> Option<GuardianInfo> {
        self.guardian.clone()
    }

    async fn validator_pools(&self, height: Height) -> Answer<Read<Vec<AtBlock<Validators>>>> {
        self.read(move |this| this.at_each_block(height, pools::validators)).await
    }

    async fn guardian_pools(&self, height: Height) -> Answer<Read<Vec<AtBlock<GuardianPool>>>> {
        let pool = |state: &State| Ok(queries::guardian_pool(state)?.unwrap_or_default());
        self.read(move |this| this.at_each_block(height, pool)).await
    }

    async fn edge_nodes(&self, height: Height) -> Answer<Read<Option<AtBlock<Vec<EdgeNode>>>>> {
        let all = |state: &State| queries::edge_nodes(state, &Address::ZERO, pools::LIST_MAX);
        self.read(move |this| {
            Ok(match this.at_each_block(height, all)? {
                Read::Found(found) => Read::Found(found.into_iter().next()),
                Read::Missing => Read::Missing,
                Read::NoBlock => Read::NoBlock,
                Read::Pruned => Read::Pruned,
            })
        })
        .await
    }

    async fn reward_distributions(
        &self,
        height: Height,
        holder: Option<Address>,
    ) -> Answer<Read<Vec<AtBlock<Vec<RewardDistribution>>>>> {
        let rules = move |state: &State| match holder {
            Some(holder) => Ok(queries::reward_distribution(state, &holder)?.into_iter().collect()),
            None => queries::reward_distributions(state, &Address::ZERO, pools::LIST_MAX),
        };
        self.read(move |this| this.at_each_block(height, rules)).await
    }

    async fn stake_returns(&self, height: Height) -> Answer<Vec<StakeReturn>> {
        let returns = self.pending_stake_returns().await?;
        Ok(returns.into_iter().find(|(at, _)| *at == height).map(|(_, returns)| returns).unwrap_or_default())
    }

    async fn pending_stake_returns(&self) -> Answer<Vec<(Height, Vec<StakeReturn>)>> {
        self.read(|this| pools::stake_returns(&this.tip_state()).map_err(internal)).await
    }

    async fn peers(&self) -> Answer<Vec<String>> {
        let peers = self.net.peers().await.map_err(BackendError::new)?;
        Ok(peers.into_iter().map(|p| p.id.to_string()).collect())
    }

    async fn peer_urls(&self) -> Answer<Vec<String>> {
        let peers = self.net.peers().await.map_err(BackendError::new)?;
        Ok(peers.iter().filter_map(|p| pools::host_and_port(&p.address)).collect())
    }

    async fn run_contract(&self, tx: SmartContract) -> Answer<ContractRun> {
        contracts::run(self, tx).await
    }

    async fn broadcast(&self, raw: Bytes) -> Answer<Hash> {
        match self.admission.submit(raw).await {
            Some(result) => result.map_err(|e: Rejected| BackendError::new(e)),
            None => Err(BackendError::new("the node failed at a batch with this transaction; its log says how")),
        }
    }

    async fn broadcast_and_wait(&self, raw: Bytes) -> Answer<(Hash, BlockHeader)> {
        let outcome = self.pool.wait_for(keccak256(&raw));
        let hash = self.broadcast(raw).await?;
        match outcome.await {
            Ok(Ok(header)) => Ok((hash, header)),
            Ok(Err(refused)) => Err(BackendError::new(refused)),
            Err(_) => Err(BackendError::new("the node is stopping")),
        }
    }
}
