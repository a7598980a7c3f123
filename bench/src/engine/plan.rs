//! The flags, and what they come to on this machine.

mod choice;
mod of_cards;

pub(crate) use choice::AbsentBackend;

use super::cards::Card;
use super::pin::{self, Clock};
use super::trie;
use choice::{Choice, backends, cards, choice};
use clap::{Args, ValueEnum};
use of_cards::{Planned, WithCards};
use std::path::PathBuf;
use vigil_accel::{Backend, Engine, EngineConfig};

/// The engine with one worker, as a backend's name.
pub(crate) const ENGINE: &str = "engine";
/// The engine with all its workers, as a backend's name.
pub(crate) const POOL: &str = "engine-pool";
/// The same without cards, as whom cards are compared with.
pub(crate) const RIVAL: &str = "cpu-pool";
/// The same with the cards that are measured, each once.
pub(crate) const WITH_CARDS: &str = "engine-cards";

/// What to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Operations, comma-separated: recover, verify_known, keccak256, signer_vectors, checkpoint
    /// (one core only), trie (one core only; a state of a million accounts is built first).
    #[arg(long, value_delimiter = ',', value_parser = op, default_values = Op::ALL.map(Op::as_str))]
    ops: Vec<Op>,
    /// Backends, comma-separated: portable, neon, avx2, avx512ifma, graphics cards through wgpu or cuda; `engine`: as callers use
    /// them, who does what decided by calibration; or `all` that this machine has. `cuda-twin` and `wgpu-software` stand in for
    /// cards, to see whether everything works.
    #[arg(long, value_delimiter = ',', value_parser = choice, default_value = "all")]
    backends: Vec<Choice>,
    /// Batch sizes, comma-separated.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1 << 20), default_value = SIZES)]
    sizes: Vec<u32>,
    /// Alternating rounds that count; medians and minima are taken over them.
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Threads, comma-separated: `one` on one core; `all`: one a core, each by itself; `pool`: one that gives all workers of
    /// one engine 65,536 items at a time, on the wall clock.
    #[arg(long, value_delimiter = ',', value_enum, default_values = ["one", "all", "pool"])]
    threads: Vec<Threads>,
    /// What is counted.
    #[arg(long, value_enum, default_value_t = Clock::Cpu)]
    clock: Clock,
    /// Of keys, digests and messages.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Few sizes and rounds, one core: whether it works, not how fast it is.
    #[arg(long, conflicts_with_all = ["sizes", "rounds", "threads"])]
    quick: bool,
    /// Measures nothing and reports the rows of an earlier run.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Adds the rows of another run of the same commit on the same machine; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) append: Vec<PathBuf>,
    /// Where the rows go; printed if absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Where the report goes as Markdown.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Where the report goes as one HTML page.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

const SIZES: &str = "1,2,3,4,8,16,64,256,1024,4096,16384,65536";
/// Most items of all rounds together: 31 rounds of 16,384.
const ITEMS_MAX: usize = 1 << 19;
const QUICK_SIZES: [usize; 4] = [1, 3, 16, 256];
const QUICK_ROUNDS: usize = 3;
/// Items that an engine with all its workers is given at a time.
const POOL_SIZE: usize = 65_536;

/// An operation of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Recover,
    VerifyKnown,
    Keccak256,
    SignerVectors,
    Checkpoint,
    Trie,
}

impl Op {
    const ALL: [Self; 6] =
        [Self::Recover, Self::VerifyKnown, Self::Keccak256, Self::SignerVectors, Self::Checkpoint, Self::Trie];

    /// As in flags and rows.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::VerifyKnown => "verify_known",
            Self::Keccak256 => "keccak256",
            Self::SignerVectors => "signer_vectors",
            Self::Checkpoint => "checkpoint",
            Self::Trie => "trie",
        }
    }
}

/// On how many cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Threads {
    One,
    All,
    Pool,
}

/// The threads of a measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// One a core, on these cores. An engine has one worker, which is the caller.
    Pinned(Vec<usize>),
    /// One that is not pinned, and an engine with all its workers.
    Pool,
}

impl Callers {
    /// How many threads call.
    pub(crate) fn count(&self) -> usize {
        if let Self::Pinned(cores) = self { cores.len() } else { 1 }
    }

    /// Where thread `index` is kept.
    pub(crate) fn core(&self, index: usize) -> Option<usize> {
        if let Self::Pinned(cores) = self { cores.get(index).copied() } else { None }
    }
}

fn op(text: &str) -> Result<Op, String> {
    let names = Op::ALL.map(Op::as_str).join(", ");
    let found = Op::ALL.into_iter().find(|op| op.as_str() == text);
    found.ok_or_else(|| format!("no such operation; there are {names}"))
}

/// What will be measured.
pub(crate) struct Plan {
    /// Each once.
    pub(crate) ops: Vec<Op>,
    pub(crate) backends: Vec<&'static dyn Backend>,
    pub(crate) cards: Vec<Card>,
    /// Whom cards are compared with.
    planned: Option<Planned>,
    /// What an engine does with cards, where that is measured.
    with_cards: Option<WithCards>,
    /// Who does what in the engine; `None`: it takes no part.
    pub(crate) engine: Option<vigil_accel::engine::Plan>,
    /// The engine has all its workers.
    pub(crate) pool: bool,
    /// Ascending, each once.
    pub(crate) sizes: Vec<usize>,
    pub(crate) rounds: usize,
    pub(crate) runs: Vec<Callers>,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) trie: trie::Size,
    /// Small guardian sets, and few rounds.
    pub(crate) quick: bool,
}

impl Plan {
    /// # Errors
    /// [`AbsentBackend`].
    pub(crate) fn new(options: &Options) -> Result<Self, AbsentBackend> {
        let mut sizes: Vec<usize> = options.sizes.iter().map(|n| *n as usize).collect();
        let (mut rounds, mut threads) = (options.rounds as usize, options.threads.clone());
        if options.quick {
            (sizes, rounds, threads) = (QUICK_SIZES.to_vec(), QUICK_ROUNDS, vec![Threads::One]);
        }
        sizes.sort_unstable();
        sizes.dedup();
        let cards = cards(&options.backends)?;
        let has_engine = options.backends.iter().any(|c| matches!(c, Choice::All | Choice::Engine));
        let planned = (has_engine || !cards.is_empty()).then(|| Planned::measure(&cards));
        let engine = planned.as_ref().filter(|_| has_engine).map(|planned| planned.cpu.clone());
        Ok(Self {
            ops: Op::ALL.into_iter().filter(|op| options.ops.contains(op)).collect(),
            backends: backends(&options.backends)?,
            runs: runs(&threads, &pin::cores(), engine.is_some()),
            cards,
            planned,
            with_cards: None,
            engine,
            pool: false,
            sizes,
            rounds,
            clock: options.clock,
            seed: options.seed,
            quick: options.quick,
            trie: if options.quick { trie::QUICK } else { trie::FULL },
        })
    }

    /// Of nothing.
    #[cfg(test)]
    pub(crate) fn for_tests(sizes: Vec<usize>, rounds: usize, seed: u64) -> Self {
        Self {
            ops: vec![],
            backends: vec![],
            cards: vec![],
            planned: None,
            with_cards: None,
            engine: None,
            pool: false,
            sizes,
            rounds,
            runs: vec![],
            clock: Clock::Cpu,
            seed,
            quick: true,
            trie: trie::QUICK,
        }
    }

    /// The same for the engine with all its workers alone. Their work shows on the wall clock only.
    pub(crate) fn of_pool(&self) -> Self {
        Self {
            ops: self.ops.iter().copied().filter(|op| matches!(op, Op::Recover | Op::VerifyKnown)).collect(),
            backends: Vec::new(),
            cards: Vec::new(),
            planned: None,
            with_cards: None,
            engine: self.engine.clone(),
            pool: true,
            sizes: vec![POOL_SIZE],
            runs: Vec::new(),
            clock: Clock::Wall,
            ..*self
        }
    }

    /// The batch sizes of an operation: one call of `signer_vectors` or `checkpoint` is about whole vectors already, one of `trie` about all
    /// updates.
    pub(crate) fn sizes(&self, op: Op) -> &[usize] {
        match op {
            Op::SignerVectors | Op::Checkpoint => &[1],
            Op::Trie => std::slice::from_ref(&self.trie.updates),
            _ => &self.sizes,
        }
    }

    /// A new engine of one worker, which does its work on the calling thread, or of as many as is usual.
    pub(crate) fn engine(&self) -> Option<Engine> {
        let plan = Some(self.engine.clone()?);
        Some(self.start(EngineConfig { plan, ..EngineConfig::default() }))
    }

    fn start(&self, config: EngineConfig) -> Engine {
        let threads = if self.pool { 0 } else { 1 };
        let config = EngineConfig { threads, pin: self.pool, ..config };
        Engine::start(config).expect("the operating system gives threads")
    }

    /// As in the rows.
    pub(crate) fn engine_name(&self) -> &'static str {
        if self.pool { POOL } else { ENGINE }
    }

    /// On how many threads our work and that of the peers is done.
    pub(crate) fn threads(&self, callers: &Callers) -> usize {
        if self.pool { self.engine().map_or(1, |engine| engine.threads()) } else { callers.count() }
    }

    /// How many items a workload needs whose rounds have at least `round_items`.
    pub(crate) fn items(&self, round_items: usize) -> usize {
        self.sizes.last().copied().unwrap_or(0).max(round_items)
    }
}

/// One core is the last, which the kernel leaves alone most; all cores are left out if they are the same.
fn runs(threads: &[Threads], cores: &[usize], engine: bool) -> Vec<Callers> {
    let one: Vec<usize> = cores.last().copied().into_iter().collect();
    let wants = |what| threads.contains(&what);
    let mut runs = Vec::new();
    if wants(Threads::One) || cores.len() == 1 {
        runs.push(Callers::Pinned(one));
    }
    if wants(Threads::All) && cores.len() > 1 {
        runs.push(Callers::Pinned(cores.to_vec()));
    }
    if wants(Threads::Pool) && cores.len() > 1 && engine {
        runs.push(Callers::Pool);
    }
    runs
}
