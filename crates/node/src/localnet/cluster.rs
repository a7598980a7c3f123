//! The processes of a local network: started, watched, restarted, stopped.

use super::ports::Ports;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;

/// How long a node may take to stop before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(8);
/// A node that ends sooner than this after its start has failed to start.
const START_FAILURE: Duration = Duration::from_secs(2);
/// Starts that may fail in a row before the network gives up on a node.
const START_FAILURES_MAX: u32 = 5;
/// How much of a dead node's log is shown.
const LOG_TAIL_LINES: usize = 15;
/// Name of a node's log in its data directory.
pub const LOG_FILE: &str = "node.log";

/// What is needed to start a node.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// Its data directory.
    pub dir: PathBuf,
    /// Where it listens.
    pub ports: Ports,
    /// Program to run.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Password of its keystore.
    pub password: String,
}

/// A process ended though nobody asked it to.
#[derive(Debug)]
pub struct Exit {
    /// Which node.
    pub node: usize,
    /// How.
    pub status: ExitStatus,
    /// True if it ended so soon and so often that starting it again is pointless.
    pub hopeless: bool,
}

struct Running {
    pid: Pid,
    /// Closing it tells the node that its parent is gone.
    _stdin: Option<ChildStdin>,
}

struct Node {
    spec: NodeSpec,
    running: Option<Running>,
    started: Instant,
    failed_starts: u32,
}

/// The nodes of one network.
pub struct Cluster {
    nodes: Vec<Node>,
    exits: mpsc::UnboundedReceiver<(usize, ExitStatus)>,
    report: mpsc::UnboundedSender<(usize, ExitStatus)>,
}

impl Cluster {
    /// Nothing runs yet.
    pub fn new(specs: Vec<NodeSpec>) -> Self {
        let (report, exits) = mpsc::unbounded_channel();
        let node = |spec| Node { spec, running: None, started: Instant::now(), failed_starts: 0 };
        Self { nodes: specs.into_iter().map(node).collect(), exits, report }
    }

    /// Starts node `index`.
    ///
    /// # Errors
    /// The system's, if the program cannot be run or the log not be written.
    pub fn start(&mut self, index: usize) -> std::io::Result<()> {
        let node = &mut self.nodes[index];
        let log = std::fs::OpenOptions::new().create(true).append(true).open(node.spec.dir.join(LOG_FILE))?;
        let mut child = Command::new(&node.spec.program)
            .args(&node.spec.args)
            .env("VIGIL_PASSWORD", &node.spec.password)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0) // Ctrl-C goes to us alone, we stop the nodes
            .kill_on_drop(true)
            .spawn()?;
        let pid = Pid::from_raw(child.id().unwrap_or_default() as i32);
        node.running = Some(Running { pid, _stdin: child.stdin.take() });
        node.started = Instant::now();
        let report = self.report.clone();
        tokio::spawn(async move {
            if let Ok(status) = child.wait().await {
                let _nobody_listens_any_more = report.send((index, status));
            }
        });
        Ok(())
    }

    /// Waits until a process ends by itself.
    pub async fn next_exit(&mut self) -> Exit {
        let (index, status) = self.exits.recv().await.expect("the cluster holds a sender");
        let node = &mut self.nodes[index];
        node.running = None;
        node.failed_starts = if node.started.elapsed() < START_FAILURE { node.failed_starts + 1 } else { 0 };
        Exit { node: index, status, hopeless: node.failed_starts >= START_FAILURES_MAX }
    }

    /// Number of processes that run.
    pub fn running(&self) -> usize {
        self.nodes.iter().filter(|n| n.running.is_some()).count()
    }

    /// Stops all processes: a request first, force after a while. Returns how many had to be forced or ended badly.
    pub async fn stop(&mut self) -> usize {
        self.signal(Signal::SIGTERM);
        let mut bad = 0;
        let deadline = tokio::time::Instant::now() + STOP_PATIENCE;
        while self.running() > 0 {
            match tokio::time::timeout_at(deadline, self.next_exit()).await {
                Ok(exit) => bad += usize::from(!exit.status.success()),
                Err(_) => {
                    self.signal(Signal::SIGKILL);
                    while self.running() > 0 {
                        self.next_exit().await;
                        bad += 1;
                    }
                }
            }
        }
        bad
    }

    fn signal(&self, signal: Signal) {
        for running in self.nodes.iter().filter_map(|n| n.running.as_ref()) {
            let _ended_meanwhile = kill(running.pid, signal);
        }
    }

    /// The last lines of a node's log.
    pub fn log_tail(&self, index: usize) -> String {
        tail(&self.nodes[index].spec.dir.join(LOG_FILE))
    }
}

fn tail(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(dir: &Path, script: &str) -> Cluster {
        let ports = Ports { rpc: 0, eth: 0, eth_ws: 0, p2p: 0, metrics: 0 };
        let args = vec!["-c".into(), script.into()];
        let program = PathBuf::from("/bin/sh");
        Cluster::new(vec![NodeSpec { dir: dir.to_path_buf(), ports, program, args, password: "x".into() }])
    }

    #[tokio::test]
    async fn stopping_ends_every_process() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let mut cluster = cluster(dir.path(), "trap 'exit 0' TERM; echo up >&2; while read -r line; do :; done");
        cluster.start(0).expect("starts");
        while !cluster.log_tail(0).contains("up") {
            tokio::task::yield_now().await;
        }
        assert_eq!(cluster.running(), 1);
        // `read` returns when the pipe closes too; the trap is what makes the status good.
        cluster.stop().await;
        assert_eq!(cluster.running(), 0);
    }

    #[tokio::test]
    async fn a_process_that_ends_is_reported_and_gives_up_after_some_starts() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let mut cluster = cluster(dir.path(), "echo \"password $VIGIL_PASSWORD\" >&2; exit 3");
        for start in 1..=START_FAILURES_MAX {
            cluster.start(0).expect("starts");
            let exit = cluster.next_exit().await;
            assert_eq!((exit.node, exit.status.code()), (0, Some(3)));
            assert_eq!(exit.hopeless, start == START_FAILURES_MAX);
        }
        assert!(cluster.log_tail(0).contains("password x"));
    }
}
