//! Measuring which backend is fastest at which batch size, once a machine.
//!
//! Two to three seconds at the first start; the result is kept in a file and used again as long as machine and program
//! version are the same. It decides about speed only: every backend gives the same answers.

use super::machine::Machine;
use super::metrics::ORACLE;
use super::plan::{Cost, Op, Plan, Step};
use super::samples::Samples;
use crate::backend::{Backend, BackendName};
use nix::time::ClockId;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Form of the file.
const FORMAT: u32 = 1;
/// Version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Batch sizes that are measured.
pub const SIZES: [usize; 13] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096];
/// Items over which the oracle is measured: its time for an item does not depend on how many there are.
const ORACLE_ITEMS: usize = 64;
/// Time for one batch size; it is measured at least once.
const SIZE_TIME: Duration = Duration::from_millis(6);
/// Time for one operation of one backend; larger sizes are then taken to be as the last one measured.
const BACKEND_TIME: Duration = Duration::from_millis(250);
/// An item of a larger batch should not take longer than this many times one of a smaller: if it does, it is measured
/// again.
const DISTURBED: f64 = 1.2;
/// How often at most.
const TRIES: usize = 6;
/// Another choice than that of the next smaller size must be so much faster: less may be noise.
const WORTH_A_CHANGE: f64 = 0.95;

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Operation.
    pub op: Op,
    /// A backend's name, or `oracle`.
    pub backend: String,
    /// Items of the batch.
    pub items: usize,
    /// Best time for one item.
    pub ns_per_item: f64,
}

/// What was measured, on what, by what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    format: u32,
    /// The machine.
    pub machine: Machine,
    /// Version of the program that measured.
    pub version: String,
    /// Its commit.
    pub commit: String,
    /// How long it took.
    pub took_ms: u64,
    /// The figures.
    pub rows: Vec<Row>,
}

/// Why a calibration file is not used. None of these is an error: it is measured anew.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// There is none.
    #[error("there is none yet")]
    Missing,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(std::io::Error),
    /// It is none.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Another machine's.
    #[error("it is of another machine: {there}, here {here}")]
    Machine {
        /// In the file.
        there: String,
        /// Here.
        here: String,
    },
    /// Another program's.
    #[error("it is of version {there}, this is {here}")]
    Program {
        /// In the file.
        there: String,
        /// Here.
        here: String,
    },
}

impl Calibration {
    /// Measures every operation of the backends at every size.
    pub fn measure(backends: &[&'static dyn Backend], commit: &str) -> Self {
        let started = Instant::now();
        let samples = Samples::new();
        let mut rows = Vec::new();
        for op in Op::ALL {
            let ns = best_ns(ORACLE_ITEMS, || samples.by_oracle(op, ORACLE_ITEMS));
            rows.push(Row { op, backend: ORACLE.to_owned(), items: ORACLE_ITEMS, ns_per_item: ns });
            for backend in backends {
                measure_backend(op, *backend, &samples, &mut rows);
            }
        }
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (machine, version, commit) = (Machine::here(backends), VERSION.to_owned(), commit.to_owned());
        Self { format: FORMAT, machine, version, commit, took_ms, rows }
    }

    /// Which of the `allowed` backends does what.
    pub fn plan(&self, allowed: &[&'static dyn Backend]) -> Plan {
        let plan = Plan::from_steps(|op| {
            let mut last: Option<BackendName> = None;
            let step = |from: usize| {
                let mut best = self.ns(op, None, from).unwrap_or(f64::INFINITY);
                if let Some(ns) = last.and_then(|name| self.ns(op, Some(name), from)) {
                    // What was chosen before stays unless the oracle is clearly faster.
                    if ns * WORTH_A_CHANGE <= best { best = ns } else { last = None }
                }
                for name in allowed.iter().map(|backend| backend.name()) {
                    match self.ns(op, Some(name), from) {
                        Some(ns) if ns < best * WORTH_A_CHANGE => (best, last) = (ns, Some(name)),
                        _ => {}
                    }
                }
                Step { from, backend: last }
            };
            SIZES.map(step).to_vec()
        });
        let chosen = plan.clone();
        plan.with_costs(|op| {
            let cost = |from| {
                let ns_per_item = self.ns(op, chosen.choose(op, from), from)?;
                Some(Cost { from, ns_per_item })
            };
            SIZES.into_iter().filter_map(cost).collect()
        })
    }

    /// Nanoseconds an item of a backend, or of the oracle, in batches of `items`; of the last smaller size measured.
    pub fn ns(&self, op: Op, backend: Option<BackendName>, items: usize) -> Option<f64> {
        let name = backend.map_or(ORACLE, BackendName::as_str);
        let of_it = self.rows.iter().filter(|row| row.op == op && row.backend == name);
        of_it.filter(|row| backend.is_none() || row.items <= items).max_by_key(|row| row.items).map(|r| r.ns_per_item)
    }

    /// The file's content, if it was measured by this version on this machine.
    ///
    /// # Errors
    /// [`Unusable`] says why it is of no use.
    pub fn read(path: &Path, machine: &Machine) -> Result<Self, Unusable> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Unusable::Missing,
            _ => Unusable::Read(error),
        })?;
        let found: Self = serde_json::from_str(&text).map_err(|error| Unusable::Damaged(error.to_string()))?;
        if (found.format, found.version.as_str()) != (FORMAT, VERSION) {
            let there = format!("{} (form {})", found.version, found.format);
            return Err(Unusable::Program { there, here: format!("{VERSION} (form {FORMAT})") });
        }
        if found.machine != *machine {
            let (there, here) = (found.machine.to_string(), machine.to_string());
            return Err(Unusable::Machine { there, here });
        }
        let is_sane = |row: &Row| row.ns_per_item.is_finite() && row.ns_per_item > 0.0;
        if !found.rows.iter().all(is_sane) {
            return Err(Unusable::Damaged("its figures make no sense".to_owned()));
        }
        match found.lacks() {
            Some(what) => Err(Unusable::Damaged(format!("it lacks {what}"))),
            None => Ok(found),
        }
    }

    /// A figure that every measurement has and this has not: without it a backend would silently not be used.
    fn lacks(&self) -> Option<String> {
        let has = |op: Op, name: &str| {
            let mut rows = self.rows.iter().filter(|row| row.op == op && row.backend == name);
            rows.any(|row| row.items == 1 || name == ORACLE)
        };
        let names = || self.machine.backends.iter().map(String::as_str).chain([ORACLE]);
        // A backend may make no tables.
        let needed = |op, name: &str| op != Op::VerifyHot || name == ORACLE;
        let missing =
            |op| names().find(|name| needed(op, name) && !has(op, name)).map(|name| format!("{op} by {name}"));
        Op::ALL.into_iter().find_map(missing)
    }

    /// Writes the file; never half of it, whoever else writes it at the same time.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).expect("plain data serializes") + "\n";
        static DRAFTS: AtomicU32 = AtomicU32::new(0);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let draft = path.with_extension(format!("json.{}-{number}.new", std::process::id()));
        let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, path));
        if written.is_err() {
            let _perhaps_there_is_none = std::fs::remove_file(&draft);
        }
        written
    }
}

fn measure_backend(op: Op, backend: &'static dyn Backend, samples: &Samples, rows: &mut Vec<Row>) {
    let started = Instant::now();
    let Some(prepared) = samples.prepare(op, backend) else { return };
    prepared.run(backend, 1); // tables that are made once
    let mut ns_per_item = f64::INFINITY;
    for items in SIZES {
        ns_per_item = undisturbed(ns_per_item, || best_ns(items, || prepared.run(backend, items)));
        rows.push(Row { op, backend: backend.name().to_string(), items, ns_per_item });
        if started.elapsed() > BACKEND_TIME {
            return;
        }
    }
}

/// What `measure` tells, but a figure clearly above `smaller`, that of the next smaller batch, only if it tells it again
/// and again: what is measured is kept for good, and a machine that was busy for a moment must not decide.
fn undisturbed(smaller: f64, mut measure: impl FnMut() -> f64) -> f64 {
    let mut best = measure();
    for _ in 1..TRIES {
        if best <= smaller * DISTURBED {
            break;
        }
        best = best.min(measure());
    }
    best
}

/// Shortest time for one of `items` items, over as many runs as fit into [`SIZE_TIME`].
fn best_ns(items: usize, mut run: impl FnMut()) -> f64 {
    let started = Instant::now();
    let mut best = f64::INFINITY;
    loop {
        let run_started = thread_time();
        run();
        best = best.min(thread_time().saturating_sub(run_started).as_nanos() as f64 / items as f64);
        if started.elapsed() > SIZE_TIME {
            // Tenths, which a file gives back as they were; more than nothing, should the clock stand still.
            return (best * 10.0).round().max(1.0) / 10.0;
        }
    }
}

/// Time that this thread has worked: others that run here must not make large batches look slow.
fn thread_time() -> Duration {
    ClockId::CLOCK_THREAD_CPUTIME_ID.now().map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests;
