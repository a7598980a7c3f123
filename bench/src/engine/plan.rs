//! The flags, and what they come to on this machine.

use super::pin::{self, Clock};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use vigil_accel::engine::calibrate::Calibration;
use vigil_accel::{Backend, BackendName, Engine, EngineConfig, detect};

/// The engine, as a backend's name.
pub(crate) const ENGINE: &str = "engine";

/// What to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Operations, comma-separated: recover, verify_known, keccak256, signer_vectors.
    #[arg(long, value_delimiter = ',', value_parser = op, default_values = Op::ALL.map(Op::as_str))]
    ops: Vec<Op>,
    /// Backends, comma-separated: portable, neon, avx2, avx512ifma; `engine`: as callers use them, who does what decided by
    /// calibration; or `all` that this machine has.
    #[arg(long, value_delimiter = ',', value_parser = choice, default_value = "all")]
    backends: Vec<Choice>,
    /// Batch sizes, comma-separated.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1 << 20), default_value = SIZES)]
    sizes: Vec<u32>,
    /// Alternating rounds that count; medians and minima are taken over them.
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Threads, comma-separated: `one` on one core, `all`: one a core.
    #[arg(long, value_delimiter = ',', value_enum, default_values = ["one", "all"])]
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

/// An operation of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Recover,
    VerifyKnown,
    Keccak256,
    SignerVectors,
}

impl Op {
    const ALL: [Self; 4] = [Self::Recover, Self::VerifyKnown, Self::Keccak256, Self::SignerVectors];

    /// As in flags and rows.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::VerifyKnown => "verify_known",
            Self::Keccak256 => "keccak256",
            Self::SignerVectors => "signer_vectors",
        }
    }
}

/// On how many cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Threads {
    One,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    All,
    Engine,
    Named(BackendName),
}

fn op(text: &str) -> Result<Op, String> {
    let names = Op::ALL.map(Op::as_str).join(", ");
    let found = Op::ALL.into_iter().find(|op| op.as_str() == text);
    found.ok_or_else(|| match text {
        "checkpoint" => format!("`checkpoint` comes with the guardians; until then there are {names}"),
        _ => format!("no such operation; there are {names}"),
    })
}

fn choice(text: &str) -> Result<Choice, String> {
    match text {
        "all" => return Ok(Choice::All),
        ENGINE => return Ok(Choice::Engine),
        _ => {}
    }
    let found = BackendName::ALL.into_iter().find(|name| name.as_str() == text);
    let names = BackendName::ALL.map(BackendName::as_str).join(", ");
    found.map(Choice::Named).ok_or_else(|| format!("no such backend; there are all, {ENGINE}, {names}"))
}

/// A backend was asked for by name that this machine cannot run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this machine has no {absent}; it has {present}")]
pub(crate) struct AbsentBackend {
    absent: BackendName,
    present: String,
}

/// What will be measured.
pub(crate) struct Plan {
    /// Each once.
    pub(crate) ops: Vec<Op>,
    pub(crate) backends: Vec<&'static dyn Backend>,
    /// Who does what in the engine; `None`: it takes no part.
    pub(crate) engine: Option<vigil_accel::engine::Plan>,
    /// Ascending, each once.
    pub(crate) sizes: Vec<usize>,
    pub(crate) rounds: usize,
    /// The cores of each run, one thread a core.
    pub(crate) runs: Vec<Vec<usize>>,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
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
        Ok(Self {
            ops: Op::ALL.into_iter().filter(|op| options.ops.contains(op)).collect(),
            backends: backends(&options.backends)?,
            engine: options.backends.iter().any(|c| matches!(c, Choice::All | Choice::Engine)).then(calibrated),
            sizes,
            rounds,
            runs: runs(&threads, &pin::cores()),
            clock: options.clock,
            seed: options.seed,
        })
    }

    /// Rounds for batches of `n`: fewer for the largest, which take seconds and average over much of what disturbs.
    pub(crate) fn rounds(&self, n: usize) -> usize {
        self.rounds.min((ITEMS_MAX / n).max(1))
    }

    /// The batch sizes of an operation: one call of `signer_vectors` is about whole vectors already.
    pub(crate) fn sizes(&self, op: Op) -> &[usize] {
        if op == Op::SignerVectors { &[1] } else { &self.sizes }
    }

    /// A new engine of one worker, which does its work on the calling thread.
    pub(crate) fn engine(&self) -> Option<Engine> {
        let config =
            EngineConfig { threads: 1, pin: false, plan: Some(self.engine.clone()?), ..EngineConfig::default() };
        Some(Engine::start(config).expect("the operating system gives threads"))
    }

    /// How many items a workload needs whose rounds have at least `round_items`.
    pub(crate) fn items(&self, round_items: usize) -> usize {
        self.sizes.last().copied().unwrap_or(0).max(round_items)
    }
}

/// One core is the last, which the kernel leaves alone most; all cores are left out if they are the same.
fn runs(threads: &[Threads], cores: &[usize]) -> Vec<Vec<usize>> {
    let one: Vec<usize> = cores.last().copied().into_iter().collect();
    let wants = |what| threads.contains(&what);
    let mut runs = Vec::new();
    if wants(Threads::One) || cores.len() == 1 {
        runs.push(one);
    }
    if wants(Threads::All) && cores.len() > 1 {
        runs.push(cores.to_vec());
    }
    runs
}

/// As the node does at its first start.
fn calibrated() -> vigil_accel::engine::Plan {
    Calibration::measure(&detect(), "").plan(&detect())
}

fn backends(choices: &[Choice]) -> Result<Vec<&'static dyn Backend>, AbsentBackend> {
    let present = detect();
    let names = || present.iter().map(|b| b.name().as_str()).collect::<Vec<_>>().join(", ");
    for choice in choices {
        let Choice::Named(absent) = *choice else { continue };
        if !present.iter().any(|b| b.name() == absent) {
            return Err(AbsentBackend { absent, present: names() });
        }
    }
    let wanted = |name| choices.iter().any(|c| matches!(c, Choice::All) || *c == Choice::Named(name));
    Ok(present.iter().copied().filter(|b| wanted(b.name())).collect())
}
