//! The engine above the backends: worker threads, batching, dispatch by size, caches of keys and signers.
//!
//! | call | threads | for whom |
//! |---|---|---|
//! | [`Engine::recover`] and its sisters | the caller's for a few items, else all workers | threads that may block |
//! | [`Engine::verify_signers_once`] | the caller's | votes, which wait for nothing else |
//! | [`Engine::batched`] | one batch of many callers' items at a time | tasks that await |
//!
//! Every answer is the oracle's, whatever backend gives it: a backend that panics is left out from then on and its items
//! are done by the oracle. Memory is bounded: callers of the first kind wait for their own work, those of the second for
//! room in line (`batcher.rs`), keys and tables have a budget (`payers.rs`).

mod batcher;
pub mod calibrate;
pub mod machine;
mod metrics;
mod payers;
mod plan;
mod recent;
mod samples;
mod work;
mod workers;

pub use batcher::{Flush, FlushAt, Stopped};
pub use metrics::{describe as describe_metrics, record_wait};
pub use plan::{Op, Plan, Step};

use crate::backend::{Backend, detect};
use crate::ops::{Claim, Recovered, Signed, Verdict};
use batcher::{Batcher, Question, weight};
use payers::Payers;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vigil_crypto::{Check, SignatureChecker};
use vigil_primitives::{Bytes, Hash};
use work::Work;
use workers::Workers;

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Worker threads; 0: one for each physical core that this process may use.
    pub threads: usize,
    /// Keep each worker on its core.
    pub pin: bool,
    /// Backends that may be used, the slowest first. Without any, the oracle does everything.
    pub backends: Vec<&'static dyn Backend>,
    /// Which of them does what; `None`: as is usual ([`Plan::unmeasured`]).
    pub plan: Option<Plan>,
    /// Most bytes of payers' tables.
    pub payer_cache_bytes: usize,
    /// When the batcher starts a batch.
    pub flush_at: FlushAt,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            threads: 0,
            pin: true,
            backends: detect(),
            plan: None,
            payer_cache_bytes: 64 * 1024 * 1024,
            flush_at: FlushAt { items: 4_096, age: Duration::from_millis(2) },
        }
    }
}

/// The engine. Cheap to clone; when the last clone is dropped its threads end.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// The batcher's thread works with `work`, so it ends first.
struct Inner {
    batcher: Batcher,
    work: Arc<Work>,
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(config: EngineConfig) -> std::io::Result<Self> {
        let EngineConfig { threads, pin, backends, plan, payer_cache_bytes, flush_at } = config;
        let work = Arc::new(Work {
            workers: Workers::start(threads, pin)?,
            plan: plan.unwrap_or_else(|| Plan::unmeasured(&backends)),
            backends: backends.into_iter().map(Into::into).collect(),
            payers: Mutex::new(Payers::new(payer_cache_bytes)),
            recent: Mutex::default(),
        });
        let batcher = Batcher::start(Arc::clone(&work), flush_at)?;
        Ok(Self { inner: Arc::new(Inner { batcher, work }) })
    }

    /// One thread and nothing measured: for tests and tools.
    ///
    /// # Panics
    /// If the operating system gives no thread.
    pub fn small() -> Self {
        let config = EngineConfig { threads: 1, pin: false, ..EngineConfig::default() };
        Self::start(config).expect("the operating system gives two threads")
    }

    /// Who signed each item, in order.
    pub fn recover(&self, items: &[Signed]) -> Vec<Recovered> {
        self.inner.work.recover(items)
    }

    /// Whether the claimed key signed, in order. Keys that sign often get tables.
    pub fn verify_known(&self, claims: &[Claim]) -> Vec<Verdict> {
        self.inner.work.verify_known(claims)
    }

    /// Whether each signer signed, in order: true exactly when `recover` of the signature gives the address. Accounts
    /// that sign often get tables of their keys.
    pub fn verify_signers(&self, checks: &[Check]) -> Vec<bool> {
        self.inner.work.verify_signers(checks)
    }

    /// [`Engine::verify_signers`] for votes, headers and certificates, which are seen again: who made a signature is
    /// remembered for a while. The calling thread does it, so that no vote waits behind transactions.
    pub fn verify_signers_once(&self, checks: &[Check]) -> Vec<bool> {
        self.inner.work.verify_signers_once(checks)
    }

    /// Keccak-256 of each message, in order.
    pub fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash> {
        self.inner.work.keccak256(messages)
    }

    /// The same operations for tasks: items of many callers go in one batch.
    pub fn batched(&self) -> Batched<'_> {
        Batched { batcher: &self.inner.batcher }
    }

    /// `work` on pieces of `items` on the worker threads, answers in order; no piece below `least` items. For work of the
    /// caller's around the engine's operations, which may be used inside.
    ///
    /// # Panics
    /// If `work` does.
    pub fn spread<T: Sync, R: Send>(&self, items: &[T], least: usize, work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
        self.inner.work.workers.spread(items, least, work)
    }

    /// Worker threads.
    pub fn threads(&self) -> usize {
        self.inner.work.workers.count()
    }

    /// Which backend does what.
    pub fn plan(&self) -> &Plan {
        &self.inner.work.plan
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("threads", &self.threads()).finish_non_exhaustive()
    }
}

/// Vouches for the answers of its backends, which are the oracle's.
impl SignatureChecker for Engine {
    fn check(&self, checks: &[Check]) -> Vec<bool> {
        self.verify_signers(checks)
    }

    fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash> {
        Engine::keccak256(self, messages)
    }
}

/// The operations through the batcher. Each waits for room, then for the batch that its items are in.
///
/// # Errors
/// All: [`Stopped`], if the engine failed at the batch.
#[derive(Clone, Copy)]
pub struct Batched<'a> {
    batcher: &'a Batcher,
}

#[allow(clippy::missing_errors_doc)]
impl Batched<'_> {
    /// As [`Engine::recover`].
    pub async fn recover(self, items: Vec<Signed>, flush: Flush) -> Result<Vec<Recovered>, Stopped> {
        let weight = items.len();
        self.batcher.ask(items, weight, flush, Question::Recover).await
    }

    /// As [`Engine::verify_known`].
    pub async fn verify_known(self, claims: Vec<Claim>, flush: Flush) -> Result<Vec<Verdict>, Stopped> {
        let weight = claims.len();
        self.batcher.ask(claims, weight, flush, Question::Known).await
    }

    /// As [`Engine::verify_signers`].
    pub async fn verify_signers(self, checks: Vec<Check>, flush: Flush) -> Result<Vec<bool>, Stopped> {
        let weight = checks.len();
        self.batcher.ask(checks, weight, flush, Question::Signers).await
    }

    /// As [`Engine::keccak256`].
    pub async fn keccak256(self, messages: Vec<Bytes>, flush: Flush) -> Result<Vec<Hash>, Stopped> {
        let weight = weight(&messages);
        self.batcher.ask(messages, weight, flush, Question::Hash).await
    }
}

#[cfg(test)]
mod tests;
