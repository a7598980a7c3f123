//! `vigil-bench evm`: gas a second of the executor alone, beside plain revm with a database in memory.
//!
//! Both run the same transactions from the same beginning, block by block in turn; gas and success of each transaction must
//! be the same. Ours is [`vigil_ledger::execute_block`]: checks, execution, receipts, the roots of transactions, receipts and
//! state. Signatures are verified beforehand, the state is in memory. Plain revm commits each transaction to its maps and
//! makes no root.

mod chain;
mod plain;
mod workload;

use crate::machine::{COMMIT, Machine};
use chain::Chain;
use clap::{Args, ValueEnum};
use plain::Plain;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use workload::{People, Workload};

/// What to measure.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Accounts that have coins.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    accounts: u32,
    /// Blocks to measure of each workload, after two that are not measured.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    blocks: u32,
    /// Only these workloads; all if absent.
    #[arg(long, value_enum, value_delimiter = ',')]
    cases: Vec<Workload>,
    /// Where the result goes; printed if absent.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvmError {
    #[error("the two disagree: {0}")]
    Disagree(String),
    #[error("a block was not built or executed: {0}")]
    Chain(String),
    #[error("starting the engine: {0}")]
    Engine(String),
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// A row of the result.
#[derive(Serialize)]
struct Row {
    case: &'static str,
    blocks: usize,
    txs: usize,
    /// Gas of all blocks, in millions.
    mgas: f64,
    /// Millions of gas a second: ours by the median block, with all roots.
    ours_mgas_s: f64,
    /// The same of plain revm.
    plain_mgas_s: f64,
    /// Ours to plain.
    ratio: f64,
    /// Milliseconds a block.
    ours_block_ms: f64,
    plain_block_ms: f64,
}

#[derive(Serialize)]
struct Measured {
    machine: Machine,
    commit: String,
    command: String,
    accounts: u32,
    block_gas: u64,
    rows: Vec<Row>,
}

/// One block of both.
struct Timed {
    gas: u64,
    txs: usize,
    ours: Duration,
    plain: Duration,
}

/// Blocks that warm up caches and are not counted.
const WARM_UP: usize = 2;

/// Runs it.
///
/// # Errors
/// [`EvmError`].
pub(crate) fn run(options: &Options) -> Result<(), EvmError> {
    let people = People::new(options.accounts as usize);
    let mut rows = Vec::new();
    let cases = if options.cases.is_empty() { Workload::value_variants() } else { &options.cases };
    for &workload in cases {
        eprintln!("{}: preparing", workload.name());
        rows.push(measure(&people, workload, options.blocks as usize)?);
        let row = rows.last().expect("pushed");
        eprintln!(
            "{}: {:.0} Mgas/s, plain revm {:.0}, ratio {:.2}",
            row.case, row.ours_mgas_s, row.plain_mgas_s, row.ratio
        );
    }
    let measured = Measured {
        machine: Machine::here(),
        commit: COMMIT.to_owned(),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        accounts: options.accounts,
        block_gas: chain::params().block_gas_max,
        rows,
    };
    let json = serde_json::to_string_pretty(&measured).expect("plain numbers and texts");
    match &options.json {
        None => crate::println_json(&json),
        Some(path) => {
            std::fs::write(path, json + "\n").map_err(|source| EvmError::Write { path: path.clone(), source })?;
            eprintln!("written to {}", path.display());
        }
    }
    Ok(())
}

fn measure(people: &People, workload: Workload, blocks: usize) -> Result<Row, EvmError> {
    let mut chain = Chain::new(people)?;
    let mut plain = Plain::new(people);
    let mut source = workload.source(people);
    for txs in source.preparation() {
        run_all(&mut chain, &mut plain, txs)?;
    }
    let mut timed = Vec::with_capacity(blocks);
    for n in 0..WARM_UP + blocks {
        let one = run_block(&mut chain, &mut plain, &source.block())?;
        source.took(one.txs);
        if n >= WARM_UP {
            timed.push(one);
        }
    }
    let (gas, txs) = timed.iter().fold((0, 0), |(gas, txs), one| (gas + one.gas, txs + one.txs));
    let rate = |time: fn(&Timed) -> Duration| {
        median(timed.iter().map(|one| one.gas as f64 / 1e6 / time(one).as_secs_f64()).collect())
    };
    let block_ms =
        |time: fn(&Timed) -> Duration| median(timed.iter().map(|one| time(one).as_secs_f64() * 1e3).collect());
    let (ours_mgas_s, plain_mgas_s) = (rate(|one| one.ours), rate(|one| one.plain));
    Ok(Row {
        case: workload.name(),
        blocks,
        txs,
        mgas: gas as f64 / 1e6,
        ours_mgas_s,
        plain_mgas_s,
        ratio: ours_mgas_s / plain_mgas_s,
        ours_block_ms: block_ms(|one| one.ours),
        plain_block_ms: block_ms(|one| one.plain),
    })
}

/// Runs all of `txs`, in as many blocks as they need.
fn run_all(chain: &mut Chain, plain: &mut Plain, mut txs: workload::Txs) -> Result<(), EvmError> {
    while !txs.is_empty() {
        let one = run_block(chain, plain, &txs)?;
        txs.drain(..one.txs);
    }
    Ok(())
}

/// Runs as many of `txs` as a block takes, on both.
fn run_block(chain: &mut Chain, plain: &mut Plain, txs: &workload::Txs) -> Result<Timed, EvmError> {
    let (header, built) = chain.build(txs)?;
    if built.is_empty() {
        return Err(EvmError::Chain("a block takes none of the transactions".to_owned()));
    }
    let (receipts, ours) = chain.execute(&header, &built)?;
    let (results, plain) = plain.execute(&header, &built);
    if receipts.len() != results.len() {
        return Err(EvmError::Disagree(format!("{} receipts, {} results", receipts.len(), results.len())));
    }
    for (index, (receipt, (success, gas))) in receipts.iter().zip(&results).enumerate() {
        if (receipt.success, receipt.gas_used) != (*success, *gas) {
            let text = format!(
                "transaction {index}: {} with {} gas, plain {success} with {gas}: {}",
                receipt.success, receipt.gas_used, receipt.error
            );
            return Err(EvmError::Disagree(text));
        }
        if !success {
            return Err(EvmError::Chain(format!("transaction {index} failed: {}", receipt.error)));
        }
    }
    let gas = receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used);
    Ok(Timed { gas, txs: built.len(), ours, plain })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
