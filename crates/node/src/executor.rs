//! The thread that executes, builds and settles blocks, one job after the other.
//!
//! What it acknowledges is durable: a block and its state are synced to disk before consensus hears of it, that is,
//! before a vote for it can leave. When the disk is full it tries again and again and stays silent meanwhile: the node
//! stops voting and says why.

use crate::accel::Hasher;
use crate::chain::{Chain, ChainError};
use crate::engine::Inputs;
use crate::health::{Fault, Health, with_causes};
use crate::pool::Pool;
use crate::stages::stage;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vigil_consensus::{BlockFault, BuildRequest, Executed, Input, Settled};
use vigil_crypto::{SecretKey, VerifiedTx};
use vigil_ledger::{
    BlockError, BlockOutcome, BuiltBlock, CertificateError, Env, Parent, Proposal, build_block, code, execute_block,
    is_reward_height,
};
use vigil_primitives::{Block, BlockHeader, FinalityCert, Hash, Hcc, Height, RlpError, Signature};
use vigil_trie::ordered_root_with;

/// Time between two attempts to write to a disk that is full.
const DISK_RETRY: Duration = Duration::from_secs(1);
/// Blocks after which a state in memory begins anew, so that what it has read does not pile up.
const COLD_INTERVAL: u64 = 512;

/// A block's fault is told in so many characters; the text of a bad signature holds what was signed.
const REASON_CHARS_MAX: usize = 300;

/// Something to do, from the engine.
#[derive(Debug)]
pub enum Job {
    /// Execute a block and answer with [`Input::Executed`].
    Execute(Arc<Block>),
    /// Build a block and answer with [`Input::Built`], unless a newer request has come.
    Build(Box<BuildRequest>),
    /// Blocks are settled.
    Settle(Box<Settled>),
    /// Blocks are of no use any more.
    Discard(Vec<Hash>),
    /// Keep a certificate.
    StoreCert(Arc<Hcc>),
    /// Everything before is done; end.
    Stop,
}

/// What executor and engine share.
#[derive(Debug, Default)]
pub struct Shared {
    /// Epoch of the newest build request: older ones are skipped.
    pub newest_build: AtomicU64,
    /// Set at shutdown: waiting for a full disk ends.
    pub stopping: AtomicBool,
    built: Mutex<Option<Built>>,
}

/// The last block built, until it is signed.
#[derive(Debug)]
struct Built {
    header: BlockHeader,
    txs: Vec<Arc<VerifiedTx>>,
    outcome: BlockOutcome,
}

/// What happens after each settlement besides storing it; the blocks by ascending height.
pub type OnSettled = Box<dyn FnMut(&[Arc<crate::chain::ExecutedBlock>]) + Send>;

/// The executor.
pub struct Executor {
    /// The chain.
    pub chain: Arc<Chain>,
    /// Transactions.
    pub pool: Arc<Pool>,
    /// Where answers go.
    pub answers: Inputs,
    /// Hashes tries.
    pub hasher: Hasher,
    /// Our key, for the coinbase.
    pub key: Option<SecretKey>,
    /// Where faults go.
    pub health: Arc<Health>,
    /// With the engine.
    pub shared: Arc<Shared>,
    /// Called with the blocks of every settlement, in order.
    pub on_settled: OnSettled,
    /// Called with the hash of a block that is invalid, and why.
    pub on_invalid: Box<dyn Fn(Hash, String) + Send>,
}

/// A failure of our own: nobody else is at fault and the block may be fine.
enum Failure {
    /// The block is at fault.
    Fault(BlockFault),
    /// We are.
    Own(ChainError),
    /// We are, and it is known already.
    Told,
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Self {
        Self::Own(error)
    }
}

impl Executor {
    /// Works until [`Job::Stop`] or until the engine is gone.
    pub fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            match job {
                Job::Stop => break,
                Job::Execute(block) => self.execute(&block),
                Job::Build(request) => self.build(&request),
                Job::Settle(settled) => self.settle(&settled),
                Job::Discard(hashes) => drop(self.persist(|chain| chain.discard(&hashes))),
                Job::StoreCert(cert) => drop(self.persist(|chain| chain.store_cert(&cert))),
            }
        }
    }

    /// Writes, and while the disk is full waits and tries again. `None`: stopping, or another failure (now a fault).
    fn persist<T>(&self, mut write: impl FnMut(&Chain) -> Result<T, ChainError>) -> Option<T> {
        loop {
            match write(&self.chain) {
                Ok(done) => {
                    self.health.clear(Fault::DiskFull);
                    return Some(done);
                }
                Err(error) if error.is_disk_full() => {
                    self.health.raise(Fault::DiskFull, format!("{error}; not voting until then"));
                    if self.shared.stopping.load(Ordering::Relaxed) {
                        return None;
                    }
                    std::thread::sleep(DISK_RETRY);
                }
                Err(error) => {
                    self.fail(&error);
                    return None;
                }
            }
        }
    }

    fn fail(&self, error: &dyn std::error::Error) {
        self.health.raise(Fault::Store, format!("storage failed: {}", with_causes(error)));
    }

    fn answer(&self, input: Input) {
        self.answers.blocking_send(input);
    }

    fn execute(&self, block: &Arc<Block>) {
        let hash = block.hash();
        if let Some(known) = self.chain.tip().executed(&hash) {
            let outcome = Ok(known.executed.clone());
            return self.answer(Input::Executed { block: hash, outcome });
        }
        let outcome = match self.run_block(hash, block) {
            Ok(executed) => Ok(executed),
            Err(Failure::Fault(fault)) => {
                let why: String = fault.to_string().chars().take(REASON_CHARS_MAX).collect();
                let header = &block.header;
                tracing::warn!(height = header.height, %hash, proposer = %header.proposer, "invalid block: {why}");
                (self.on_invalid)(hash, why);
                Err(fault)
            }
            Err(Failure::Own(error)) => return self.fail(&error),
            Err(Failure::Told) => return,
        };
        self.answer(Input::Executed { block: hash, outcome });
    }

    fn run_block(&self, hash: Hash, block: &Arc<Block>) -> Result<Executed, Failure> {
        let Some(parent) = self.parent(&block.header.parent) else {
            tracing::warn!(%hash, "asked to execute a block whose parent is gone");
            return Err(Failure::Fault(BlockFault::Invalid("its parent is not known any more".to_owned())));
        };
        let txs = stage("verify", || self.verified(block))?;
        let outcome = stage("execute", || execute_block(&self.env(), &parent, &block.header, &txs));
        let outcome = outcome.map_err(blame)?;
        let stored =
            stage("store", || self.persist(|chain| chain.add_executed(hash, Arc::clone(block), &txs, outcome.clone())));
        stored.ok_or(Failure::Told)
    }

    /// The block's transactions, verified: known ones cost nothing.
    fn verified(&self, block: &Block) -> Result<Vec<Arc<VerifiedTx>>, Failure> {
        let hashes = self.pool.hashes_of(&block.txs);
        let known = self.pool.known(&hashes);
        let unknown = known.iter().filter(|tx| tx.is_none()).count();
        // Signatures are dear: make sure first that these are the transactions that the proposer signed for.
        if unknown > 0 && ordered_root_with(&self.hasher, &block.txs) != block.header.tx_root {
            return Err(Failure::Fault(BlockFault::Body));
        }
        metrics::counter!("vigil_block_txs_verified_total").increment(unknown as u64);
        let stateless = |e: RlpError| Failure::Fault(BlockFault::Stateless(e.to_string()));
        self.pool.complete(&block.txs, &hashes, known).into_iter().collect::<Result<_, _>>().map_err(stateless)
    }

    fn parent(&self, hash: &Hash) -> Option<Parent> {
        let mut parent = self.chain.tip().executed(hash)?.as_parent.clone();
        if parent.height % COLD_INTERVAL == 0 {
            parent.state = parent.state.cold();
        }
        Some(parent)
    }

    fn build(&self, request: &BuildRequest) {
        if request.epoch < self.shared.newest_build.load(Ordering::Relaxed) {
            return;
        }
        let (Some(parent), Some(key)) = (self.parent(&request.parent), &self.key) else { return };
        match stage("build", || self.built(request, &parent, key)) {
            Ok(built) => self.hand_over(request, built),
            Err(error) => self.fail(&error),
        }
    }

    fn built(
        &self,
        request: &BuildRequest,
        parent: &Parent,
        key: &SecretKey,
    ) -> Result<BuiltBlock, vigil_ledger::BuildError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let header = BlockHeader {
            chain_id: self.chain.params().chain_id.clone(),
            epoch: request.epoch,
            height: request.height,
            parent: request.parent,
            hcc: request.hcc.as_ref().clone(),
            timestamp: now.max(request.min_timestamp),
            proposer: request.proposer,
            finality: self.certificate(request.height).map(Box::new),
            ..BlockHeader::default()
        };
        let in_branch: HashSet<Hash> = {
            let tip = self.chain.tip();
            tip.branch(&request.parent).iter().flat_map(|b| b.tx_hashes.iter().copied()).collect()
        };
        let candidates = self.pool.candidates(&in_branch);
        let sign = |digest: &Hash| -> Signature { key.sign(digest) };
        let allow_set_change = request.allow_set_change;
        let proposal = Proposal { header, allow_set_change, candidates: &candidates, sign: &sign };
        build_block(&self.env(), parent, proposal)
    }

    /// The certificate of the highest checkpoint that guardians have finalized, to offer it to a block that may carry one;
    /// the ledger leaves it out if the branch has it.
    fn certificate(&self, height: Height) -> Option<FinalityCert> {
        let takes_one = is_reward_height(self.chain.params(), height);
        takes_one.then(|| self.chain.final_cert()).flatten().map(|cert| cert.as_ref().clone())
    }

    fn env(&self) -> Env<'_> {
        let (params, proofs) = (self.chain.params(), self.chain.proofs().as_ref());
        Env { params, hasher: &self.hasher, proofs, ancestors: self.chain.as_ref() }
    }

    /// State nodes are written now; the block follows when it is signed, and makes both durable.
    fn hand_over(&self, request: &BuildRequest, mut built: BuiltBlock) {
        let nodes = std::mem::take(&mut built.outcome.nodes);
        let executed = match crate::chain::consensus_outcome(&built.outcome) {
            Ok(executed) => executed,
            Err(error) => return self.fail(&error),
        };
        if self.persist(|chain| chain.store_nodes(&nodes)).is_none() {
            return;
        }
        match &built.refused_certificate {
            // It stands in the branch already.
            None | Some(CertificateError::Repeated { .. }) => {}
            Some(refused) => tracing::warn!(height = request.height, "a certificate was left out: {refused}"),
        }
        let failed: Vec<Hash> = built.dropped.iter().map(|(hash, _)| *hash).collect();
        let header = built.block.header.clone();
        *self.shared.built() = Some(Built { header, txs: built.txs, outcome: built.outcome });
        self.answer(Input::Built { epoch: request.epoch, block: Box::new(built.block), executed });
        if !failed.is_empty() {
            self.pool.recheck(&failed);
        }
    }

    fn settle(&mut self, settled: &Settled) {
        let Some(blocks) = stage("settle", || self.persist(|chain| chain.settle(settled))) else { return };
        let Some(head) = blocks.last() else { return };
        self.health.settled(head.as_parent.height, head.as_parent.timestamp);
        stage("mempool", || self.pool.settled(&blocks));
        (self.on_settled)(&blocks);
    }
}

impl Shared {
    fn built(&self) -> std::sync::MutexGuard<'_, Option<Built>> {
        self.built.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores our own block, signed, with what building it gave. Durable when this returns true; false: it is not the
    /// block that was built last.
    ///
    /// # Errors
    /// The store's; it can be tried again.
    pub fn store_own(&self, chain: &Chain, block: &Arc<Block>) -> Result<bool, ChainError> {
        let mut built = self.built();
        let Some(last) = built.as_ref() else { return Ok(false) };
        let unsigned = BlockHeader { signature: Signature::none(), ..block.header.clone() };
        if last.header != unsigned {
            return Ok(false);
        }
        chain.add_executed(block.hash(), Arc::clone(block), &last.txs, last.outcome.clone())?;
        *built = None;
        Ok(true)
    }
}

/// Who is to blame for a block that was not executed.
fn blame(error: BlockError) -> Failure {
    let text = error.to_string();
    match error {
        BlockError::State(error) => Failure::Own(ChainError::State(error)),
        BlockError::TxRoot { .. } => Failure::Fault(BlockFault::Body),
        BlockError::TxCount { .. } | BlockError::Bytes { .. } => Failure::Fault(BlockFault::Stateless(text)),
        BlockError::Tx { error, .. } if error.code == code::INVALID_SIGNATURE => {
            Failure::Fault(BlockFault::Stateless(text))
        }
        _ => Failure::Fault(BlockFault::Invalid(text)),
    }
}
