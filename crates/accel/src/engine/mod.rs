//! The engine above the backends: worker threads, dispatch by size, caches of keys and signers; and a [`Batcher`].
//!
//! | call | threads | for whom |
//! |---|---|---|
//! | [`Engine::recover`] and its sisters | the caller's for a few items, else all workers and cards | threads that may block |
//! | [`Engine::verify_signers_once`] | the caller's | votes, which wait for nothing else |
//! | [`Engine::weighted_sums`] and its sisters | the caller's | signer vectors: microseconds |
//! | [`Engine::merge_votes`] | the caller's | guardians' votes: milliseconds, once a round |
//! | [`Engine::prepare_checkpoint`] | all workers | a table once a checkpoint, in the augmented scheme |
//!
//! Tasks with few items each put them in the line of a [`Batcher`], whose thread asks the engine about many at once.
//!
//! Every answer is the oracle's, whatever backend gives it: a backend that panics is left out from then on and its items
//! are done by the next fastest, or by the oracle. Memory is bounded: callers wait for their own work, tasks for room in
//! line (`batcher.rs`), keys and tables have a budget (`payers.rs`).

mod batcher;
pub mod calibrate;
mod checkpoint;
mod dispatch;
mod divide;
pub mod machine;
mod messages;
pub(crate) mod metrics;
mod payers;
mod plan;
mod recent;
mod samples;
mod vectors;
mod work;
mod workers;

pub use batcher::{Batcher, FlushAt, Size};
pub use metrics::describe as describe_metrics;
pub use plan::{CardCost, Op, Plan, Step};

use crate::backend::{Backend, detect};
use crate::gpu::Gpu;
use crate::ops::{Claim, MessageSignature, Recovered, Signed, SignedMessage, Verdict};
use payers::Payers;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use vigil_crypto::{Check, SignatureChecker};
use vigil_primitives::{Address, Hash};
use work::Work;
use workers::Workers;

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Worker threads; 0: one for each physical core that this process may use.
    pub threads: usize,
    /// Keep each worker on its core, if there is one for each physical core that this process may use. Fewer are not
    /// pinned: another process with as many would have taken the same cores.
    pub pin: bool,
    /// Backends that may be used, the slowest first. Without any, the oracle does everything.
    pub backends: Vec<&'static dyn Backend>,
    /// Graphics cards that may be used beside them, as the plan says.
    pub cards: Vec<&'static Gpu>,
    /// Which of them does what; `None`: as is usual ([`Plan::unmeasured`]), without cards.
    pub plan: Option<Plan>,
    /// Most bytes of payers' tables.
    pub payer_cache_bytes: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            threads: 0,
            pin: true,
            backends: detect(),
            cards: Vec::new(),
            plan: None,
            payer_cache_bytes: 64 * 1024 * 1024,
        }
    }
}

/// The engine. Cheap to clone; when the last clone is dropped its threads end.
#[derive(Clone)]
pub struct Engine {
    work: Arc<Work>,
}

impl Engine {
    /// Starts the threads, and has the backends of the plan build their tables.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(config: EngineConfig) -> std::io::Result<Self> {
        let EngineConfig { threads, pin, backends, cards, plan, payer_cache_bytes } = config;
        let work = Work {
            workers: Workers::start(threads, pin)?,
            plan: plan.unwrap_or_else(|| Plan::unmeasured(&backends)),
            backends: backends.into_iter().map(Into::into).collect(),
            payers: Mutex::new(Payers::new(payer_cache_bytes)),
            recent: Mutex::default(),
            backlog_ns: AtomicU64::new(0),
            cards,
        };
        work.warm_up();
        Ok(Self { work: Arc::new(work) })
    }

    /// One thread and nothing measured: for tests and tools.
    ///
    /// # Panics
    /// If the operating system gives no thread.
    pub fn small() -> Self {
        let config = EngineConfig { threads: 1, pin: false, ..EngineConfig::default() };
        Self::start(config).expect("the operating system gives a thread")
    }

    /// Who signed each item, in order. Of good signatures most are a card's word where cards are used: who knows whom to expect
    /// asks [`Engine::verify_signers`].
    pub fn recover(&self, items: &[Signed]) -> Vec<Recovered> {
        self.work.recover(items)
    }

    /// Whether the claimed key signed, in order. Keys that sign often get tables.
    pub fn verify_known(&self, claims: &[Claim]) -> Vec<Verdict> {
        self.work.verify_known(claims)
    }

    /// Whether each signer signed, in order: true exactly when `recover` of the signature gives the address. Accounts
    /// that sign often get tables of their keys.
    pub fn verify_signers(&self, checks: &[Check]) -> Vec<bool> {
        self.work.verify_signers(checks)
    }

    /// Whether each account signed its message: [`Engine::verify_signers`] of the messages' Keccak-256. On a graphics card
    /// digests and addresses never leave it for accounts that are met for the first time.
    pub fn verify_messages(&self, messages: &[SignedMessage<'_>]) -> Vec<bool> {
        self.work.verify_messages(messages)
    }

    /// Who signed each message, if anybody, in order: [`Engine::recover`] of the messages' Keccak-256, but by the CPU alone, so
    /// that every answer is the oracle's.
    pub fn recover_messages(&self, messages: &[MessageSignature<'_>]) -> Vec<Option<Address>> {
        self.work.recover_messages(messages)
    }

    /// [`Engine::verify_signers`] for votes, headers and certificates, which are seen again: who made a signature is
    /// remembered for a while. The calling thread does it, so that no vote waits behind transactions.
    pub fn verify_signers_once(&self, checks: &[Check]) -> Vec<bool> {
        self.work.verify_signers_once(checks)
    }

    /// Keccak-256 of each message, in order; by the CPU, as what is stored or voted on hangs on it.
    pub fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash> {
        self.work.keccak256(messages)
    }

    /// `work` on pieces of `items` on the worker threads, answers in order; no piece below `least` items. For work of the
    /// caller's around the engine's operations, which may be used inside.
    ///
    /// # Panics
    /// If `work` does.
    pub fn spread<T: Sync, R: Send>(&self, items: &[T], least: usize, work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
        self.work.workers.spread(items, least, work)
    }

    /// `work` on each item on the worker threads, answers in order. As [`Engine::spread`], of pieces that the caller made.
    ///
    /// # Panics
    /// If `work` does.
    pub fn each<T: Send, R: Send>(&self, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        self.work.workers.each(items, work)
    }

    /// Whether graphics cards would do a part of so many items of an operation now. Who works around operations then asks
    /// for all items at once, as pieces on the worker threads ([`Engine::spread`]) are the CPU's.
    pub fn uses_cards(&self, op: Op, items: usize) -> bool {
        !self.work.shares(op, items).of_cards.is_empty()
    }

    /// Worker threads.
    pub fn threads(&self) -> usize {
        self.work.workers.count()
    }

    /// The graphics cards.
    pub fn cards(&self) -> &[&'static Gpu] {
        &self.work.cards
    }

    /// Which backend does what.
    pub fn plan(&self) -> &Plan {
        &self.work.plan
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("threads", &self.threads()).finish_non_exhaustive()
    }
}

/// Vouches for the answers of its backends, which are the oracle's.
impl SignatureChecker for Engine {
    fn check(&self, signed: &[SignedMessage<'_>]) -> Vec<bool> {
        self.verify_messages(signed)
    }

    fn recover(&self, signed: &[MessageSignature<'_>]) -> Vec<Option<Address>> {
        self.recover_messages(signed)
    }

    fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash> {
        Engine::keccak256(self, messages)
    }
}

#[cfg(test)]
mod tests;
