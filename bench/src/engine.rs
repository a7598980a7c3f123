//! `vigil-bench engine`: the operations of the engine on each backend, beside the libraries that others use, in alternating
//! rounds of one process.

mod cards;
mod checkpoint;
mod inputs;
mod keccak;
mod peers;
mod pin;
mod plan;
mod recover;
mod report;
mod rounds;
mod row;
mod side;
mod signers;
mod trie;
mod vectors;
mod verify;

pub(crate) use plan::Options;

use crate::machine::{COMMIT, Machine};
use plan::{AbsentBackend, Callers, Op, Plan};
use rounds::{WithWorkloads, WrongAnswer, measure};
use row::{Foreign, Record, Row, rows};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error(transparent)]
    AbsentBackend(#[from] AbsentBackend),
    #[error(transparent)]
    WrongAnswer(#[from] WrongAnswer),
    #[error("reading {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{0} is of another commit or machine")]
    Foreign(PathBuf),
    #[error("{}; its other rows are recorded", .0.join("; "))]
    Card(Vec<String>),
}

/// Measures and writes what was asked for: the files after each operation, so that a run that is ended early has measured
/// something.
///
/// # Errors
/// [`EngineError`]; the first wrong answer ends the run. That a card failed is told after all is written.
pub(crate) fn run(options: &Options) -> Result<(), EngineError> {
    let others = options.append.iter().map(|path| Ok((path, read(path)?))).collect::<Result<Vec<_>, EngineError>>()?;
    let (mut record, faults) = match &options.from {
        Some(path) => (read(path)?, Vec::new()),
        None => record(&Plan::new(options)?, |record| write_all(record, options, false))?,
    };
    for (path, other) in others {
        record.append(other).map_err(|Foreign| EngineError::Foreign(path.clone()))?;
    }
    write_all(&record, options, true)?;
    if options.json.is_none() && options.from.is_none() {
        print(&json(&record));
    }
    for path in [&options.json, &options.markdown, &options.html].into_iter().flatten() {
        eprintln!("written to {}", path.display());
    }
    if faults.is_empty() { Ok(()) } else { Err(EngineError::Card(faults)) }
}

/// The files that were asked for; what is no file (`/dev/stdout`) only when all is done.
fn write_all(record: &Record, options: &Options, is_done: bool) -> Result<(), EngineError> {
    let due = |path: &&PathBuf| is_done || is_file(path);
    let report = report::report(record);
    options.json.iter().filter(due).try_for_each(|path| write(path, &json(record)))?;
    options.markdown.iter().filter(due).try_for_each(|path| write(path, &report::markdown(&report)))?;
    options.html.iter().filter(due).try_for_each(|path| write(path, &report::html(&report)))
}

fn json(record: &Record) -> String {
    serde_json::to_string_pretty(record).expect("plain numbers and texts") + "\n"
}

fn read(path: &Path) -> Result<Record, EngineError> {
    let bad = |source| EngineError::Read { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(bad)?;
    serde_json::from_slice(&bytes).map_err(|e| bad(e.into()))
}

/// The record, and which cards failed. What there is of it is given to `save` after each operation.
fn record(
    plan: &Plan,
    save: impl Fn(&Record) -> Result<(), EngineError>,
) -> Result<(Record, Vec<String>), EngineError> {
    let cards = plan.cards.iter().map(|card| card.label);
    let names: Vec<_> = plan.backends.iter().map(|b| b.name().as_str()).chain(cards).collect();
    eprintln!("backends: {}; seed {}; {} rounds", names.join(", "), plan.seed, plan.rounds);
    let mut record = Record {
        machine: Machine { cards: plan.cards.iter().map(cards::Card::in_words).collect(), ..Machine::here() },
        commit: COMMIT.to_owned(),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        date: utc_now(),
        features: peers::features(),
        peers: peers::versions(),
        seed: plan.seed,
        rows: Vec::new(),
        crossover: Vec::new(),
        appended: Vec::new(),
    };
    let mut keep = |rows: Vec<Row>| {
        record.rows.extend(rows);
        record.crossover = cards::crossovers(&record.rows);
        save(&record)
    };
    measure_all(plan, &mut keep)?;
    let faults = cards::measure_all(plan, &mut keep)?;
    say_crossovers(&record.crossover);
    Ok((record, faults))
}

fn measure_all(plan: &Plan, keep: &mut impl FnMut(Vec<Row>) -> Result<(), EngineError>) -> Result<(), EngineError> {
    let of_pool = plan.of_pool();
    let is_for_cards_alone = plan.backends.is_empty() && plan.engine.is_none();
    for callers in plan.runs.iter().filter(|_| !is_for_cards_alone) {
        let plan = if *callers == Callers::Pool { &of_pool } else { plan };
        // A trie is committed by one thread, and so are votes merged; more of them would only need more memory.
        for op in plan.ops.iter().filter(|op| !matches!(**op, Op::Trie | Op::Checkpoint) || callers.count() == 1) {
            let new = measure_one(plan, callers, *op)?;
            say(&new);
            keep(new)?;
        }
    }
    Ok(())
}

fn measure_one(plan: &Plan, callers: &Callers, op: Op) -> Result<Vec<Row>, WrongAnswer> {
    let with: WithWorkloads = match op {
        Op::Recover => recover::with,
        Op::VerifyKnown => verify::with,
        Op::Keccak256 => keccak::with,
        Op::SignerVectors => vectors::with,
        Op::Trie => trie::with,
        Op::Checkpoint => checkpoint::with,
    };
    let threads = plan.threads(callers);
    match callers {
        Callers::Pinned(cores) => eprintln!("{} on {threads} thread(s), pinned to {cores:?}", op.as_str()),
        Callers::Pool => eprintln!("{} by one engine of {threads} workers, on the wall clock", op.as_str()),
    }
    Ok(rows(op.as_str(), threads, plan.clock, &measure(plan, plan.sizes(op), callers, with)?))
}

/// Each of ours against the first peer.
fn say(rows: &[Row]) {
    let side = |row: &Row| (row.case.clone(), row.n, row.backend.clone());
    for same in rows.chunk_by(|a, b| side(a) == side(b)) {
        say_row(&same[0]);
    }
}

fn say_row(row: &Row) {
    let Row { case, n, backend, ns_per_item, peer, ratio, .. } = row;
    let against = if peer.is_empty() { String::new() } else { format!("{ratio:>7.2} x {peer}") };
    eprintln!("  {case:<32} n {n:>5}  {backend:<11} {ns_per_item:>10} ns  {against}");
}

fn say_crossovers(all: &[cards::Crossover]) {
    for cards::Crossover { op, case, backend, peer, from } in all {
        let from = from.map_or("at no size measured".to_owned(), |from| format!("from batches of {from} on"));
        eprintln!("  {op:<15} {case:<22} {backend:<13} is faster than {peer} {from}");
    }
}

/// Never half of a file.
fn write(path: &Path, text: &str) -> Result<(), EngineError> {
    let draft = PathBuf::from([path.as_os_str(), ".new".as_ref()].into_iter().collect::<OsString>());
    let written = match is_file(path) {
        true => std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, path)),
        false => std::fs::write(path, text),
    };
    written.map_err(|source| EngineError::Write { path: path.to_owned(), source })
}

/// Or nothing yet. No link: `/dev/stdout` is one, and would be replaced.
fn is_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).map_or(true, |there| there.is_file())
}

#[allow(clippy::print_stdout)]
fn print(json: &str) {
    print!("{json}");
}

/// As `2026-11-21T17:38:09Z`; empty if the system has no `date`.
fn utc_now() -> String {
    let output = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output();
    output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
}
