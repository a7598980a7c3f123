//! Measuring which backend is fastest at which batch size, once a machine.
//!
//! A few seconds at the first start; the result is kept in a file and used again as long as machine, program version and
//! commit are the same. It decides about speed only: every backend gives the same answers.
//!
//! A node that gets a few items at a time does much else between them, so that code and tables of a backend are no longer
//! in the processor's caches; the wider ones lose most by that. So batches of less than 16 items are measured cold:
//! before each call, outside of the time that is taken, 32 MiB of other memory are read, and the median call counts.
//! Larger batches warm the caches themselves: they are called again and again, and the best call counts.

use super::machine::{Machine, label};
use super::metrics::ORACLE;
use super::plan::{CardCost, Cost, Op, Plan, Rank, Step};
use super::samples::Samples;
use crate::backend::{Backend, BackendName};
use crate::gpu::Gpu;
use nix::time::ClockId;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Form of the file.
const FORMAT: u32 = 3;
/// Version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Batch sizes that are measured.
pub const SIZES: [usize; 13] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096];
/// Batch sizes that are measured on graphics cards. What a batch costs at all, and what an item more, is read off them.
const CARD_SIZES: [usize; 4] = [1_024, 4_096, 16_384, 65_536];
/// A card that takes longer for a batch is not asked for the next larger one.
const CARD_TIME: Duration = Duration::from_millis(300);
/// Smaller batches are measured with cold caches.
const WARM_FROM: usize = 16;
/// Memory that is read to make the caches cold: more than a core's own.
const COLD_BYTES: usize = 32 * 1024 * 1024;
/// Calls with cold caches of which the median counts.
const COLD_CALLS: usize = 7;
/// Time for one batch size; it is measured at least once.
const SIZE_TIME: Duration = Duration::from_millis(6);
/// Time for one operation of one backend with warm caches; larger sizes are then taken to be as the last one measured.
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
    /// A backend's name, or `oracle`; or a card, as the machine calls it.
    pub backend: String,
    /// Items of the batch.
    pub items: usize,
    /// Time for one item.
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
    /// Measures every operation of the backends and of the cards at every size.
    pub fn measure(backends: &[&'static dyn Backend], cards: &[&'static Gpu], commit: &str) -> Self {
        let started = Instant::now();
        let samples = Samples::new();
        let others = vec![1; COLD_BYTES]; // not 0: memory of zeros is one page
        let mut rows = Vec::new();
        let faults = |card: &&Gpu| card.faults();
        let before: Vec<u32> = cards.iter().map(faults).collect();
        for op in Op::ALL {
            let mut keep = |name: &str, figures: Vec<(usize, f64)>| {
                let row = |(items, ns_per_item)| Row { op, backend: name.to_owned(), items, ns_per_item };
                rows.extend(figures.into_iter().map(row));
            };
            // From there on its time for an item does not depend on how many there are.
            let few = SIZES.iter().filter(|items| **items <= WARM_FROM);
            keep(ORACLE, measure_sizes(few, &others, |items| samples.by_oracle(op, items)));
            for backend in backends {
                let Some(prepared) = samples.prepare(op, *backend) else { continue };
                let sizes = SIZES.iter().filter(|items| **items <= op.measured_to());
                keep(backend.name().as_str(), measure_sizes(sizes, &others, |items| prepared.run(*backend, items)));
            }
            for (number, card) in (0..).zip(cards) {
                keep(&label(number, card), measure_card(&samples, op, card));
            }
        }
        // Of one that failed meanwhile the figures say nothing.
        for ((number, card), before) in
            (0..).zip(cards).zip(before).filter(|((_, card), before)| faults(card) != *before)
        {
            tracing::warn!("{} failed while it was measured ({before} faults before)", card.label());
            rows.retain(|row: &Row| row.backend != label(number, card));
        }
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (machine, version, commit) = (Machine::here(backends, cards), VERSION.to_owned(), commit.to_owned());
        Self { format: FORMAT, machine, version, commit, took_ms, rows }
    }

    /// Which of the `allowed` backends does what, and which of the cards takes part.
    pub fn plan(&self, allowed: &[&'static dyn Backend], cards: &[&'static Gpu]) -> Plan {
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
        let plan = plan.with_ranks(|op| SIZES.map(|from| self.rank(op, allowed, from)).to_vec());
        let chosen = plan.clone();
        let plan = plan.with_costs(|op| {
            let cost = |from| {
                let ns_per_item = self.ns(op, chosen.choose(op, from), from)?;
                Some(Cost { from, ns_per_item })
            };
            SIZES.into_iter().filter_map(cost).collect()
        });
        plan.with_cards(|op| (0..cards.len()).filter_map(|card| self.card_cost(op, card)).collect())
    }

    /// What was measured of a card: the `number`th of those that took part.
    pub fn of_card(&self, op: Op, number: usize) -> impl Iterator<Item = &Row> {
        let name = self.machine.cards.get(number);
        self.rows.iter().filter(move |row| row.op == op && Some(&row.backend) == name)
    }

    /// The line through the first and the last size measured.
    fn card_cost(&self, op: Op, number: usize) -> Option<CardCost> {
        let of_it = || self.of_card(op, number);
        let (few, many) = (of_it().min_by_key(|row| row.items)?, of_it().max_by_key(|row| row.items)?);
        let [few_ns, many_ns] = [few, many].map(|row| row.ns_per_item * row.items as f64);
        let more = (many.items - few.items) as f64;
        let ns_per_item = if more > 0.0 { (many_ns - few_ns).max(1.0) / more } else { few.ns_per_item };
        let fixed_ns = (few_ns - ns_per_item * few.items as f64).max(0.0);
        Some(CardCost { card: number, fixed_ns, ns_per_item })
    }

    /// Those of the `allowed` backends that beat the oracle.
    fn rank(&self, op: Op, allowed: &[&'static dyn Backend], from: usize) -> Rank {
        let oracle = self.ns(op, None, from).unwrap_or(f64::INFINITY);
        let timed = |name| self.ns(op, Some(name), from).map(|ns| (ns, name)).filter(|(ns, _)| *ns < oracle);
        let mut timed: Vec<_> = allowed.iter().filter_map(|backend| timed(backend.name())).collect();
        timed.sort_by(|a, b| a.0.total_cmp(&b.0));
        Rank { from, backends: timed.into_iter().map(|(_, name)| name).collect() }
    }

    /// Nanoseconds an item of a backend, or of the oracle, in batches of `items`; of the last smaller size measured.
    pub fn ns(&self, op: Op, backend: Option<BackendName>, items: usize) -> Option<f64> {
        let name = backend.map_or(ORACLE, BackendName::as_str);
        let of_it = self.rows.iter().filter(|row| row.op == op && row.backend == name && row.items <= items);
        of_it.max_by_key(|row| row.items).map(|row| row.ns_per_item)
    }

    /// The file's content, if it was measured on this machine by this version, built from `commit`.
    ///
    /// # Errors
    /// [`Unusable`] says why it is of no use.
    pub fn read(path: &Path, machine: &Machine, commit: &str) -> Result<Self, Unusable> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Unusable::Missing,
            _ => Unusable::Read(error),
        })?;
        let found: Self = serde_json::from_str(&text).map_err(|error| Unusable::Damaged(error.to_string()))?;
        let program = |version: &str, commit: &str, format: u32| format!("{version} ({commit}, form {format})");
        let (there, here) = (program(&found.version, &found.commit, found.format), program(VERSION, commit, FORMAT));
        if there != here {
            return Err(Unusable::Program { there, here });
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
    pub fn lacks(&self) -> Option<String> {
        let has = |op: Op, name: &str| {
            let mut rows = self.rows.iter();
            rows.any(|row| row.op == op && row.backend == name && row.items == 1)
        };
        let names = || self.machine.backends.iter().map(String::as_str).chain([ORACLE]);
        // A backend may make no tables.
        let needed = |op, name: &str| op != Op::VerifyHot || name == ORACLE;
        let missing =
            |op| names().find(|name| needed(op, name) && !has(op, name)).map(|name| format!("{op} by {name}"));
        let mut cards = (0..).zip(&self.machine.cards);
        let mut card = || cards.find(|(number, _)| self.of_card(Op::Recover, *number).next().is_none());
        Op::ALL.into_iter().find_map(missing).or_else(|| card().map(|(_, name)| format!("recover by {name}")))
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

/// Nanoseconds an item of `run`, by batch size. `others` is memory that it has nothing to do with.
fn measure_sizes<'a>(
    sizes: impl IntoIterator<Item = &'a usize>,
    others: &[u8],
    run: impl Fn(usize),
) -> Vec<(usize, f64)> {
    run(1); // tables that are made once
    let (mut figures, mut ns_per_item) = (Vec::new(), f64::INFINITY);
    let mut warm_since = None;
    for items in sizes.into_iter().copied() {
        ns_per_item = match items < WARM_FROM {
            true => undisturbed(ns_per_item, || cold_ns(items, others, &run)),
            false => undisturbed(ns_per_item, || best_ns(items, || run(items))),
        };
        figures.push((items, ns_per_item));
        if items >= WARM_FROM && warm_since.get_or_insert_with(Instant::now).elapsed() > BACKEND_TIME {
            break;
        }
    }
    figures
}

/// Nanoseconds an item of a card, copies and all, by batch size.
fn measure_card(samples: &Samples, op: Op, card: &'static Gpu) -> Vec<(usize, f64)> {
    let mut figures = Vec::new();
    for items in CARD_SIZES {
        let Some((items, run)) = samples.for_card(op, items, card) else { break };
        run(); // tables and kernels that are made once
        let begun = Instant::now();
        let best = (0..3).map(|_| wall_time_of(&run)).min().expect("three");
        if card.why_not().is_some() {
            return Vec::new(); // the CPU did some of it
        }
        figures.push((items, per_item(best, items)));
        if begun.elapsed() > CARD_TIME || items < CARD_SIZES[figures.len() - 1] {
            break;
        }
    }
    figures
}

fn wall_time_of(run: impl FnOnce()) -> Duration {
    let started = Instant::now();
    run();
    started.elapsed()
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
    let mut best = Duration::MAX;
    while best == Duration::MAX || started.elapsed() <= SIZE_TIME {
        best = best.min(time_of(&mut run));
    }
    per_item(best, items)
}

/// Median time for one of `items` items, each time with cold caches.
fn cold_ns(items: usize, others: &[u8], run: impl Fn(usize)) -> f64 {
    let mut times: Vec<Duration> = (0..COLD_CALLS)
        .map(|_| {
            // One byte of each cache line.
            black_box(others.iter().step_by(64).map(|byte| u64::from(*byte)).sum::<u64>());
            time_of(|| run(items))
        })
        .collect();
    times.sort_unstable();
    per_item(times[COLD_CALLS / 2], items)
}

fn time_of(run: impl FnOnce()) -> Duration {
    let started = thread_time();
    run();
    thread_time().saturating_sub(started)
}

/// Tenths of nanoseconds, which a file gives back as they were; more than nothing, should the clock stand still.
fn per_item(time: Duration, items: usize) -> f64 {
    (time.as_nanos() as f64 / items as f64 * 10.0).round().max(1.0) / 10.0
}

/// Time that this thread has worked: others that run here must not make large batches look slow.
fn thread_time() -> Duration {
    ClockId::CLOCK_THREAD_CPUTIME_ID.now().map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests;
