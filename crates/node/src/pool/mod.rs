//! Transactions that wait, and transactions whose signatures have been judged.
//!
//! A transaction is verified once on this node: when it arrives by RPC or gossip, or when a block brings it first. Its
//! [`VerifiedTx`] is found by hash afterwards, so that a block of known transactions costs no signature checks.

mod admission;
mod evidence;
mod verified;
mod verify;

pub use admission::{Admission, Origin, Rejected, Submission};

use crate::chain::{Chain, ExecutedBlock};
use crate::eth::eth_tx;
use evidence::EvidenceJudge;
use lru::LruCache;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{broadcast, oneshot};
use verified::VerifiedCache;
use verify::verify_all;
use vigil_accel::Engine;
use vigil_crypto::{TxDomain, VerifiedTx};
use vigil_ledger::Screen;
use vigil_mempool::{Base, Config, Mempool, Refused, TxStatus};
use vigil_primitives::{Account, Address, BlockHeader, Bytes, Hash, RlpError};
use vigil_rpc::eth::EthTx;

/// Admitted transactions that a slow listener may be behind.
const ADMITTED_MAX: usize = 4_096;

/// The mempool with what surrounds it. Shared.
pub struct Pool {
    mempool: Mutex<Mempool<Screen>>,
    evidence: EvidenceJudge,
    verified: Mutex<VerifiedCache>,
    waiting: Mutex<HashMap<Hash, Vec<oneshot::Sender<Outcome>>>>,
    domain: TxDomain,
    block_txs_max: usize,
    block_bytes_max: usize,
    engine: Engine,
    started: Instant,
    /// Native hashes of transactions admitted lately, by their Ethereum hashes.
    eth_hashes: Mutex<LruCache<Hash, Hash>>,
    eth_hashes_max: usize,
    admitted: broadcast::Sender<Arc<EthTx>>,
}

/// What became of a transaction that somebody waits for.
pub type Outcome = Result<BlockHeader, Refused>;

impl Pool {
    /// An empty pool on the settled head of `chain`; `engine` checks signatures.
    pub fn new(chain: &Chain, config: Config, engine: Engine) -> Self {
        let head = chain.head();
        let params = chain.params();
        let evidence = EvidenceJudge::new(Arc::clone(chain.proofs()));
        let screen = Screen::new(
            Arc::clone(params),
            evidence.for_mempool(),
            head.as_parent.state.clone(),
            head.as_parent.height,
        );
        let eth_hashes_max = config.count_max;
        Self {
            mempool: Mutex::new(Mempool::new(config, screen)),
            evidence,
            verified: Mutex::default(),
            waiting: Mutex::default(),
            domain: chain.tx_domain(),
            block_txs_max: usize::try_from(params.block_txs_max).unwrap_or(usize::MAX),
            block_bytes_max: usize::try_from(params.block_bytes_max).unwrap_or(usize::MAX),
            engine,
            started: Instant::now(),
            eth_hashes: Mutex::new(LruCache::unbounded()),
            eth_hashes_max,
            admitted: broadcast::Sender::new(ADMITTED_MAX),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn mempool(&self) -> MutexGuard<'_, Mempool<Screen>> {
        lock(&self.mempool)
    }

    /// Judges the evidence of a slash transaction; others are good.
    ///
    /// # Errors
    /// [`Refused`]: it must not enter the mempool.
    fn judge_report(&self, tx: &VerifiedTx) -> Result<(), Refused> {
        self.evidence.judge(&self.mempool, tx, &|| self.started.elapsed())
    }

    /// Hashes of transactions, in order.
    pub fn hashes_of(&self, raws: &[Bytes]) -> Vec<Hash> {
        let raws: Vec<&[u8]> = raws.iter().map(AsRef::as_ref).collect();
        self.engine.keccak256(&raws)
    }

    /// What is known already of the transactions with these hashes, in order.
    pub fn known(&self, hashes: &[Hash]) -> Vec<Option<Arc<VerifiedTx>>> {
        let mut cache = lock(&self.verified);
        hashes.iter().map(|hash| cache.get(hash)).collect()
    }

    /// Verifies those of `raws` that are not in `known`, on all threads, and remembers them. What stands among them more
    /// than once (a peer may send it so) is verified once. `hashes` and `known` belong to `raws`.
    pub fn complete(
        &self,
        raws: &[Bytes],
        hashes: &[Hash],
        known: Vec<Option<Arc<VerifiedTx>>>,
    ) -> Vec<Result<Arc<VerifiedTx>, RlpError>> {
        let mut asked = HashSet::new();
        let all = raws.iter().zip(hashes).zip(&known);
        let missing = all.filter(|((_, hash), known)| known.is_none() && asked.insert(**hash));
        let (missing, missing_hashes): (Vec<&Bytes>, Vec<Hash>) = missing.map(|((raw, hash), _)| (raw, *hash)).unzip();
        let verified =
            verify_all(&self.engine, &self.domain, &missing).into_iter().map(|verdict| verdict.map(Arc::new));
        let fresh: HashMap<Hash, Result<Arc<VerifiedTx>, RlpError>> =
            missing_hashes.into_iter().zip(verified).collect();
        let mut cache = lock(&self.verified);
        fresh.values().flatten().for_each(|tx| cache.put(Arc::clone(tx)));
        known.into_iter().zip(hashes).map(|(known, hash)| known.map_or_else(|| fresh[hash].clone(), Ok)).collect()
    }

    /// Transactions for a block, without those in `in_branch`.
    pub fn candidates(&self, in_branch: &HashSet<Hash>) -> Vec<Arc<VerifiedTx>> {
        self.mempool().candidates(self.block_txs_max, self.block_bytes_max, |hash| in_branch.contains(hash))
    }

    /// Transactions that failed while a block was built: those that can never succeed leave.
    pub fn recheck(&self, failed: &[Hash]) {
        self.mempool().recheck(self.now(), failed);
        self.tell_dropped();
    }

    /// Goes on to the state after the last of `blocks`, which have just been settled, and tells who waits for them.
    pub fn settled(&self, blocks: &[Arc<ExecutedBlock>]) {
        let Some(head) = blocks.last() else { return };
        let txs: Vec<Hash> = blocks.iter().flat_map(|b| b.tx_hashes.iter().copied()).collect();
        let mut touched: Vec<Address> = blocks.iter().flat_map(|b| b.touched.iter().copied()).collect();
        touched.sort_unstable();
        touched.dedup();
        let base = Base { state: head.as_parent.state.clone(), height: head.as_parent.height };
        self.mempool().on_settled(self.now(), base, &txs, &touched);
        let mut waiting = lock(&self.waiting);
        if !waiting.is_empty() {
            for block in blocks {
                for waiters in block.tx_hashes.iter().filter_map(|hash| waiting.remove(hash)) {
                    for waiter in waiters {
                        let _gone = waiter.send(Ok(block.block.header.clone()));
                    }
                }
            }
        }
        drop(waiting);
        self.tell_dropped();
    }

    /// Tells who waits for a transaction that left the mempool why it did. After every change of the mempool.
    fn tell_dropped(&self) {
        let dropped = self.mempool().take_dropped();
        let mut waiting = lock(&self.waiting);
        for (hash, refused) in dropped {
            for waiter in waiting.remove(&hash).into_iter().flatten() {
                let _gone = waiter.send(Err(refused.clone()));
            }
        }
    }

    /// Learns what becomes of a transaction. Ask before it is submitted.
    pub fn wait_for(&self, hash: Hash) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        let waiters = waiting.entry(hash).or_default();
        waiters.retain(|w| !w.is_closed());
        waiters.push(sender);
        receiver
    }

    /// Forgets those who no longer wait.
    pub fn forget_gone_waiters(&self) {
        lock(&self.waiting).retain(|_, waiters| {
            waiters.retain(|w| !w.is_closed());
            !waiters.is_empty()
        });
    }

    /// Where a transaction stands that is in no block.
    pub fn status(&self, hash: &Hash) -> TxStatus {
        self.mempool().status(hash)
    }

    /// A transaction that waits.
    pub fn pending(&self, hash: &Hash) -> Option<Arc<VerifiedTx>> {
        self.mempool().get(hash).cloned()
    }

    /// Contract transactions that wait, of one sender or of all.
    pub fn contract_txs(&self, of: Option<&Address>) -> Vec<Arc<VerifiedTx>> {
        let mempool = self.mempool();
        let all = mempool.hashes().filter_map(|hash| mempool.get(hash));
        let wanted = |tx: &&Arc<VerifiedTx>| {
            let call = tx.tx().contract_call();
            call.is_some_and(|call| of.is_none_or(|of| *of == call.from))
        };
        all.filter(wanted).cloned().collect()
    }

    /// A transaction that waits, by its native hash or its Ethereum hash.
    pub fn pending_by_any_hash(&self, hash: &Hash) -> Option<Arc<VerifiedTx>> {
        let native = lock(&self.eth_hashes).get(hash).copied();
        self.pending(&native.unwrap_or(*hash))
    }

    /// Contract transactions that are admitted from now on. Who is slow misses some.
    pub fn admitted(&self) -> broadcast::Receiver<Arc<EthTx>> {
        self.admitted.subscribe()
    }

    /// Tells who listens, and remembers the Ethereum hash, of a transaction that was just admitted.
    fn note_admitted(&self, tx: &VerifiedTx) {
        let number = self.domain.eth_number().0;
        if let Some(hash) = tx.tx().eth_hash(number) {
            let mut hashes = lock(&self.eth_hashes);
            hashes.put(hash, tx.hash());
            if hashes.len() > self.eth_hashes_max {
                hashes.pop_lru();
            }
        }
        if self.admitted.receiver_count() > 0
            && let Some(tx) = eth_tx(tx.tx(), tx.hash(), None, number)
        {
            let _nobody_listens = self.admitted.send(Arc::new(tx));
        }
    }

    /// Hashes of what waits.
    pub fn hashes(&self) -> Vec<Hash> {
        self.mempool().hashes().copied().collect()
    }

    /// An account as admitted transactions leave it.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn account(&self, address: &Address) -> Result<Option<Account>, vigil_ledger::StateError> {
        self.mempool().screen_mut().account(address)
    }

    /// Transactions and their bytes.
    pub fn size(&self) -> (usize, usize) {
        let mempool = self.mempool();
        (mempool.len(), mempool.bytes())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
