//! `vigil-bench tps`: settled transactions a second and their latency, and where the time goes.

use crate::machine::{COMMIT, Machine};
use crate::metrics::{self, Samples};
use crate::process::{Usage, holder};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use vigil_node::load::{Load, LoadError, LoadOptions, LoadReport};
use vigil_node::localnet::devnet;

/// How long sent transactions may take to settle after the load has ended.
const DRAIN_PATIENCE: Duration = Duration::from_secs(30);
/// How far apart the nodes' ports are (DESIGN §5).
const PORT_STEP: u16 = 20;
/// The metrics port, counted from a node's first.
const METRICS_PORT: u16 = 4;

/// What to measure.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Number of validators.
    #[arg(long, default_value_t = 4)]
    validators: u16,
    /// Transactions a second to send.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    target: u32,
    /// How long to send: `60s`, `2m` or seconds.
    #[arg(long, default_value = "60s", value_parser = duration)]
    duration: Duration,
    /// What to send.
    #[arg(long, value_enum, default_value_t = Mix::Send)]
    mix: Mix,
    /// Where the result goes; printed if absent.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// First port of the network.
    #[arg(long, default_value_t = 22_000)]
    base_port: u16,
}

/// Kinds of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mix {
    /// Sends between accounts.
    Send,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("the program `vigil` is not beside this one ({0}); build it with `make build`")]
    NoProgram(PathBuf),
    #[error("starting the network: {0}")]
    Start(#[source] std::io::Error),
    #[error("the network ended before it was ready; `vigil localnet --validators {0}` says why")]
    NotReady(u16),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("reading the metrics of node {node}: {source}")]
    Metrics { node: u16, source: std::io::Error },
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
}

#[derive(Serialize)]
struct Measured {
    machine: Machine,
    commit: String,
    command: String,
    validators: u16,
    target_tps: u32,
    mix: &'static str,
    /// Per second: asked for, taken in by a node, settled; guardians do not exist yet.
    offered_tps: f64,
    admitted_tps: f64,
    settled_tps: f64,
    load: LoadReport,
    /// Mean milliseconds of one pass and share of one core, by stage, over all validators.
    stages: BTreeMap<String, Stage>,
    nodes: Vec<Usage>,
}

#[derive(Serialize)]
struct Stage {
    mean_ms: f64,
    times: f64,
    core_share: f64,
}

/// Runs it.
///
/// # Errors
/// [`BenchError`]; the network is ended in any case.
pub(crate) async fn run(options: &Options) -> Result<(), BenchError> {
    let program = std::env::current_exe().unwrap_or_default().with_file_name("vigil");
    if !program.is_file() {
        return Err(BenchError::NoProgram(program));
    }
    let dir = tempfile::tempdir().map_err(BenchError::Start)?;
    let mut network = start(&program, options, dir.path()).await?;
    let result = measure(options, dir.path()).await;
    end(&mut network).await;
    let json = serde_json::to_string_pretty(&result?).expect("plain numbers and texts");
    match &options.json {
        None => crate::println_json(&json),
        Some(path) => {
            std::fs::write(path, json + "\n").map_err(|source| BenchError::Write { path: path.clone(), source })?;
            eprintln!("written to {}", path.display());
        }
    }
    Ok(())
}

/// Starts `vigil localnet` and waits for its ready line.
async fn start(program: &Path, options: &Options, dir: &Path) -> Result<Child, BenchError> {
    let mut child = Command::new(program)
        .args(["localnet", "--validators", &options.validators.to_string()])
        .args(["--base-port", &options.base_port.to_string(), "--data-dir"])
        .arg(dir)
        .env("VIGIL_HOME", dir.join("home"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(BenchError::Start)?;
    let stdout = child.stdout.take().expect("asked for a pipe");
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.map_err(BenchError::Start)? {
        if line.starts_with("ready ") {
            return Ok(child);
        }
    }
    Err(BenchError::NotReady(options.validators))
}

/// Ends the network as Ctrl-C would, by force if it does not listen.
async fn end(network: &mut Child) {
    if let Some(pid) = network.id() {
        let _gone_already = Command::new("kill").args(["-INT", &pid.to_string()]).status().await;
    }
    if tokio::time::timeout(Duration::from_secs(20), network.wait()).await.is_err() {
        let _gone_already = network.kill().await;
    }
}

async fn measure(options: &Options, dir: &Path) -> Result<Measured, BenchError> {
    let nodes = 0..options.validators;
    let endpoint = |node: u16| format!("http://127.0.0.1:{}/rpc", options.base_port + PORT_STEP * node);
    let usage = |node: u16| holder(&dir.join(format!("node{node}"))).and_then(Usage::of).unwrap_or_default();
    let used_before: Vec<Usage> = nodes.clone().map(usage).collect();
    let metrics_before = read_all(options)?;
    let load = Load::start(&LoadOptions {
        endpoints: nodes.clone().map(endpoint).collect(),
        chain_id: "privatenet".into(),
        tps: options.target,
        accounts: devnet::LOAD_ACCOUNTS,
    })
    .await?;
    tokio::time::sleep(options.duration).await;
    let report = load.finish(DRAIN_PATIENCE).await;
    let metrics_after = read_all(options)?;
    let seconds = report.seconds.max(f64::MIN_POSITIVE);
    let per_s = |count: u64| (count as f64 / seconds * 10.0).round() / 10.0;
    Ok(Measured {
        machine: Machine::here(),
        commit: COMMIT.to_owned(),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        validators: options.validators,
        target_tps: options.target,
        mix: "send",
        offered_tps: per_s(report.submitted),
        admitted_tps: per_s(report.submitted.saturating_sub(report.refused)),
        settled_tps: (report.tps_settled * 10.0).round() / 10.0,
        stages: stages(&metrics_before, &metrics_after, seconds),
        nodes: nodes.map(|n| usage(n).since(&used_before[usize::from(n)])).collect(),
        load: report,
    })
}

fn read_all(options: &Options) -> Result<Vec<Samples>, BenchError> {
    let port = |node: u16| options.base_port + PORT_STEP * node + METRICS_PORT;
    let read = |node| metrics::read(port(node)).map_err(|source| BenchError::Metrics { node, source });
    (0..options.validators).map(read).collect()
}

/// Sums the stages over all nodes.
fn stages(before: &[Samples], after: &[Samples], seconds: f64) -> BTreeMap<String, Stage> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (before, after) in before.iter().zip(after) {
        for (stage, (time, times)) in metrics::stages(before, after) {
            let sum = sums.entry(stage).or_default();
            *sum = (sum.0 + time, sum.1 + times);
        }
    }
    let stage = |(time, times): (f64, f64)| Stage {
        mean_ms: if times > 0.0 { time / times * 1_000.0 } else { 0.0 },
        times,
        core_share: time / seconds,
    };
    sums.into_iter().map(|(name, sum)| (name, stage(sum))).collect()
}

/// `60s`, `2m`, `500ms` or plain seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let number = |t: &str| t.parse::<u64>().map_err(|_| format!("`{text}` is no duration; write 60s, 2m or 500ms"));
    if let Some(ms) = text.strip_suffix("ms") {
        return number(ms).map(Duration::from_millis);
    }
    if let Some(minutes) = text.strip_suffix('m') {
        return number(minutes).map(|m| Duration::from_secs(m * 60));
    }
    number(text.strip_suffix('s').unwrap_or(text)).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert!(duration("fast").is_err());
    }
}
