//! Load through RPC, and what comes of it.
//!
//! Open loop: transactions are due at fixed times whatever the network does, and their latency counts from when they
//! were **due**. Each node is sent the transactions of its own share of the accounts, one JSON-RPC batch at a time, so
//! that sequences stay in order; a node that does not answer loses its share to the next. Settled transactions are read
//! back block by block from one node.

mod accounts;
mod report;
mod sender;
mod watcher;

pub use report::{LoadReport, Percentiles, Snapshot};

use accounts::Account;
use report::Shared;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use vigil_rpc::Client;

/// Most transactions in one request; the server's own limit is 1,000.
const BATCH_MAX: usize = 400;
/// Time between two looks at what is due.
const TICK: Duration = Duration::from_millis(20);
/// Time between two looks at the settled head.
const POLL: Duration = Duration::from_millis(50);
/// How long no node at all may answer when a load begins.
const OPEN_PATIENCE: Duration = Duration::from_secs(15);
/// Most transactions under way; beyond that, due ones wait (and their latency grows).
const OUTSTANDING_MAX: usize = 200_000;

/// What to send, and where.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// JSON-RPC of each node: `http://127.0.0.1:16888/rpc`.
    pub endpoints: Vec<String>,
    /// The chain.
    pub chain_id: String,
    /// Transactions a second, over all nodes.
    pub tps: u32,
    /// How many of the accounts of [`crate::localnet::devnet::load_key`] to send from.
    pub accounts: usize,
}

/// Why load cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Nowhere to send to.
    #[error("load needs at least one endpoint")]
    NoEndpoint,
    /// An endpoint is no URL.
    #[error(transparent)]
    Endpoint(#[from] vigil_rpc::ClientError),
    /// The accounts cannot be read.
    #[error("reading the load accounts from {endpoint}: {reason}")]
    Accounts {
        /// Which node was asked.
        endpoint: String,
        /// What it said.
        reason: String,
    },
}

/// Reads the accounts from the first node that answers; nodes may be on their way up.
async fn open_accounts(options: &LoadOptions, clients: &[Client]) -> Result<Vec<Account>, LoadError> {
    let deadline = Instant::now() + OPEN_PATIENCE;
    loop {
        let mut refusal = LoadError::NoEndpoint;
        for (client, endpoint) in clients.iter().zip(&options.endpoints) {
            match accounts::open(client, options.accounts).await {
                Ok(accounts) => return Ok(accounts),
                Err(reason) => refusal = LoadError::Accounts { endpoint: endpoint.clone(), reason },
            }
        }
        if clients.is_empty() || Instant::now() > deadline {
            return Err(refusal);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A load under way.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<()>>,
    watcher: JoinHandle<()>,
    started: Instant,
}

impl Load {
    /// Reads the accounts' sequences and begins to send.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn start(options: &LoadOptions) -> Result<Self, LoadError> {
        let clients = options.endpoints.iter().map(|url| Client::new(url)).collect::<Result<Vec<_>, _>>()?;
        let mut accounts = open_accounts(options, &clients).await?;
        let shared = Arc::new(Shared::default());
        let watcher = tokio::spawn(watcher::run(clients.clone(), Arc::clone(&shared)));
        let started = Instant::now();
        let nodes = clients.len();
        let mut senders = Vec::with_capacity(nodes);
        for node in 0..nodes {
            let share: Vec<Account> = accounts.extract_if(.., |a| a.index % nodes == node).collect();
            let sender = sender::Sender {
                clients: clients.clone(),
                target: node,
                accounts: share,
                rate: f64::from(options.tps) / nodes as f64,
                chain_id: options.chain_id.clone(),
                shared: Arc::clone(&shared),
            };
            senders.push(tokio::spawn(sender.run(started)));
        }
        Ok(Self { shared, senders, watcher, started })
    }

    /// How it stands.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// Stops sending, waits until all is settled or `patience` is over, and sums up. Rates are over the time of sending.
    pub async fn finish(self, patience: Duration) -> LoadReport {
        self.shared.stop.store(true, Ordering::Relaxed);
        let window = self.started.elapsed();
        let settled_in_window = self.shared.snapshot().settled;
        for sender in self.senders {
            let _a_panic_is_logged = sender.await;
        }
        let deadline = Instant::now() + patience;
        while self.shared.outstanding() > 0 && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
        }
        self.watcher.abort();
        self.shared.report(window, settled_in_window)
    }
}
