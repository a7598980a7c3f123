//! `vigil-bench engine`: the operations of the engine on each backend, beside the libraries that others use, in alternating
//! rounds of one process.

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
mod vectors;
mod verify;

pub(crate) use plan::Options;

use crate::machine::{Machine, commit};
use plan::{AbsentBackend, Op, Plan};
use rounds::{WithWorkloads, WrongAnswer, measure};
use row::{Record, Row, rows};
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
}

/// Measures and writes what was asked for.
///
/// # Errors
/// [`EngineError`]; the first wrong answer ends the run.
pub(crate) fn run(options: &Options) -> Result<(), EngineError> {
    let record = match &options.from {
        Some(path) => read(path)?,
        None => record(&Plan::new(options)?)?,
    };
    let json = serde_json::to_string_pretty(&record).expect("plain numbers and texts") + "\n";
    match &options.json {
        None if options.from.is_none() => print(&json),
        None => {}
        Some(path) => write(path, &json)?,
    }
    let report = report::report(&record);
    options.markdown.iter().try_for_each(|path| write(path, &report::markdown(&report)))?;
    options.html.iter().try_for_each(|path| write(path, &report::html(&report)))
}

fn read(path: &Path) -> Result<Record, EngineError> {
    let bad = |source| EngineError::Read { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(bad)?;
    serde_json::from_slice(&bytes).map_err(|e| bad(e.into()))
}

fn record(plan: &Plan) -> Result<Record, WrongAnswer> {
    let names: Vec<_> = plan.backends.iter().map(|b| b.name().as_str()).collect();
    eprintln!("backends: {}; seed {}; {} rounds", names.join(", "), plan.seed, plan.rounds);
    Ok(Record {
        machine: Machine::here(),
        commit: commit(),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        date: utc_now(),
        features: peers::features(),
        peers: peers::versions(),
        seed: plan.seed,
        rows: measure_all(plan)?,
    })
}

fn measure_all(plan: &Plan) -> Result<Vec<Row>, WrongAnswer> {
    let mut all = Vec::new();
    for cores in &plan.runs {
        for op in &plan.ops {
            let with: WithWorkloads = match op {
                Op::Recover => recover::with,
                Op::VerifyKnown => verify::with,
                Op::Keccak256 => keccak::with,
                Op::SignerVectors => vectors::with,
            };
            eprintln!("{} on {} thread(s), pinned to {cores:?}", op.as_str(), cores.len());
            let new = rows(op.as_str(), cores.len(), plan.clock, &measure(plan, plan.sizes(*op), cores, with)?);
            say(&new);
            all.extend(new);
        }
    }
    Ok(all)
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
    eprintln!("  {case:<28} n {n:>5}  {backend:<10} {ns_per_item:>10} ns  {against}");
}

fn write(path: &Path, text: &str) -> Result<(), EngineError> {
    std::fs::write(path, text).map_err(|source| EngineError::Write { path: path.to_owned(), source })?;
    eprintln!("written to {}", path.display());
    Ok(())
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
