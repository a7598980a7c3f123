//! A private network of real processes on this machine (DESIGN §5, `vigil localnet`).

mod cluster;
pub mod devnet;
mod network;
mod ports;
mod setup;
mod shape;
mod survey;

pub use cluster::{Cluster, Exit, LOG_FILE, NodeSpec};
pub use ports::{PortError, Ports};
pub use setup::{Setup, SetupError, node_specs, prepare};
pub use shape::{Shape, ShapeError};
pub use survey::{Survey, survey};

use crate::layout::Layout;
use crate::load::LoadError;
use network::Network;
use serde::Serialize;
use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vigil_store::{DirLock, StoreError};

/// More guardians than this need time between checkpoints.
const GUARDIANS_MANY: usize = 200;
/// As much as this, in blocks.
const INTERVAL_FOR_MANY: u64 = 100;

/// How long the first block may take.
const READY_PATIENCE: Duration = Duration::from_secs(120);

/// What network to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many nodes of each kind.
    pub shape: Shape,
    /// Where it lives; a network that is there goes on.
    pub data_dir: PathBuf,
    /// See [`Ports::of`].
    pub base_port: Option<u16>,
    /// Rules, `KEY=VALUE`.
    pub genesis: Vec<String>,
    /// Transactions a second to send, if any.
    pub load: Option<u32>,
    /// How long to run after the ready line; `None`: until stopped.
    pub duration: Option<Duration>,
    /// Start a node again that ends by itself.
    pub restart: bool,
    /// Flags for every node's `vigil start`.
    pub node_args: Vec<String>,
    /// The `vigil` program.
    pub program: PathBuf,
    /// The commit that it is built from.
    pub commit: String,
}

/// Why a local network did not run.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum LocalnetError {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Folder(#[from] StoreError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("starting node {node}: {source}")]
    Start { node: usize, source: std::io::Error },
    #[error("no block was settled in {seconds} s; log of node 0:\n{log}", seconds = READY_PATIENCE.as_secs())]
    NotReady { log: String },
    #[error("node {node} ended ({status}); its log ends with:\n{log}")]
    NodeEnded { node: usize, status: std::process::ExitStatus, log: String },
}

/// The last line of `vigil localnet --json` (DESIGN §5).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Height of the highest certified block.
    pub height: u64,
    /// Height that all nodes have settled.
    pub settled_height: u64,
    /// Height that guardians have finalized; 0 without guardians.
    pub finalized_height: u64,
    /// Load transactions settled between the ready line and the end of the load.
    pub txs_settled: u64,
    /// The same per second.
    pub tps_settled: f64,
    /// From submission to settled.
    pub latency_ms: Latency,
    /// Heights at which nodes settled different blocks.
    pub forks: u64,
    /// Load transactions refused or lost, and nodes that ended and stayed away.
    pub errors: u64,
    /// True if all nodes have the same state root at the settled height.
    pub roots_equal: bool,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half are faster.
    pub p50: f64,
    /// 99 of 100 are faster.
    pub p99: f64,
}

/// What a running network tells its caller.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first block is settled: the ready line.
    Ready(String),
    /// Something the user should know.
    Note(String),
    /// Once a second: how it goes.
    Progress(String),
}

/// Runs a network until its time is over or `stop` is done. No process is left behind, whatever happens.
///
/// # Errors
/// [`LocalnetError`].
pub async fn run(
    options: &Options,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(Event),
) -> Result<Summary, LocalnetError> {
    let ports = Ports::of_all(options.shape.nodes(), options.base_port)?;
    Ports::check_free(&ports)?;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // Before anything is written: another network may run here.
    let _lock = DirLock::acquire(&options.data_dir)?;
    let setup = prepare(&options.data_dir, options.shape, &options.genesis, now_s)?;
    if setup.reused {
        tell(Event::Note(format!("going on with the network in {}", options.data_dir.display())));
    }
    if let Some(text) = many_guardians(options.shape.guardians, setup.genesis.params.checkpoint_interval) {
        tell(Event::Note(text));
    }
    let calibrations: Vec<PathBuf> = setup.node_dirs.iter().map(|dir| Layout::new(dir).calibration()).collect();
    let commit = options.commit.clone();
    let share = tokio::task::spawn_blocking(move || crate::accel::share_calibration(&calibrations, &commit));
    let _each_node_measures_then = share.await;
    let specs = node_specs(&setup, &ports, &options.program, &options.node_args)?;
    let mut network = Network::new(options, &setup, ports, specs)?;
    tokio::pin!(stop);
    let result = network.run(stop, tell).await;
    let forced = network.stop().await;
    if forced > 0 {
        tell(Event::Note(format!("{forced} nodes did not stop cleanly")));
    }
    result
}

/// What to tell if so many guardians may be too slow for the checkpoints.
fn many_guardians(guardians: usize, interval: u64) -> Option<String> {
    (guardians > GUARDIANS_MANY && interval < INTERVAL_FOR_MANY).then(|| {
        format!(
            "{guardians} guardians vote on a checkpoint every {interval} blocks: on one machine that may be too often; \
             checkpoint_interval={INTERVAL_FOR_MANY} gives them time"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_guardians_with_frequent_checkpoints_get_a_note() {
        assert_eq!(many_guardians(200, 10), None);
        assert_eq!(many_guardians(1_000, 100), None);
        assert!(many_guardians(201, 99).is_some_and(|text| text.contains("201") && text.contains("every 99 blocks")));
    }
}
