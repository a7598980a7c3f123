//! A running node: opened, wired, stopped.

mod parts;
mod services;

use crate::accel::{Hasher, flush_at};
use crate::backend::NodeBackend;
use crate::calls::Calls;
use crate::chain::{Chain, ChainError, GenesisBlock, records};
use crate::engine::{Clock, Engine, Inputs, JournalRefusal, LookUps, Observatory};
use crate::executor::{Executor, Shared};
use crate::guardian_keys;
use crate::guardians::{self, GuardianJournal, Guardians, HOSTED_MAX, Host, Silence, Verifier, newest_set, open_seats};
use crate::keys::NodeKeys;
use crate::net_loop::NetLoop;
use crate::pool::{Admission, Pool};
use crate::reporter::{CASES_MAX, Reporter};
use crate::sent_log::SentLog;
use crate::sync_driver::ChainNews;
use crate::{Config, layout::Layout};
use services::Listeners;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use vigil_consensus::{Config as ConsensusConfig, Machine};
use vigil_crypto::{SecretKey, bls};
use vigil_net::NetHandle;
use vigil_primitives::{Address, Genesis};
use vigil_rpc::Version;
use vigil_store::{DirLock, RocksStore, Store, StoreError};

/// How long threads may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(4);

/// What a node is started with.
pub struct StartOptions {
    /// The data directory.
    pub layout: Layout,
    /// The configuration.
    pub config: Config,
    /// The genesis.
    pub genesis: Genesis,
    /// The node's key.
    pub key: SecretKey,
    /// Guardians that vote here, with their BLS keys.
    pub guardians: Vec<(Address, bls::SecretKey)>,
    /// The operator's word that a missing journal is lost for good and that nobody else signs with this key.
    pub fresh_journal: bool,
    /// Log every signed message to [`Layout::sent_log`].
    pub sent_log: bool,
    /// The verification engine; [`crate::accel::start`] makes one from configuration and calibration.
    pub engine: vigil_accel::Engine,
    /// What program this is.
    pub version: Version,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum NodeError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] JournalRefusal),
    #[error(transparent)]
    Network(#[from] vigil_net::NetError),
    #[error("`{key}` is {got}, which is no multiaddress like /ip4/203.0.113.7/tcp/30001")]
    Multiaddress { key: &'static str, got: String },
    #[error(
        "{got} guardians are to vote in one process, which hosts {max} at most: give the others to other processes"
    )]
    Guardians { got: usize, max: usize },
    #[error("cannot listen on {address} for {what}: {source}")]
    Listen { what: &'static str, address: SocketAddr, source: std::io::Error },
    #[error("`{key}` is {path}: {why}")]
    JwtSecret { key: &'static str, path: String, why: String },
    #[error("sent log: {0}")]
    SentLog(std::io::Error),
    #[error("starting a thread: {0}")]
    Thread(std::io::Error),
}

/// A running node.
pub struct Node {
    backend: Arc<NodeBackend>,
    net: NetHandle,
    hosted: Guardians,
    stop: watch::Sender<bool>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    store: Arc<dyn Store>,
    _lock: DirLock,
}

impl Node {
    /// Opens the data directory and starts every part. Must run on a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// [`NodeError`]; then nothing is left running.
    pub async fn start(options: StartOptions) -> Result<Self, NodeError> {
        let lock = DirLock::acquire(options.layout.root())?;
        let genesis_block = GenesisBlock::of(&options.genesis)?;
        let identity = vigil_store::Identity { schema: records::SCHEMA, genesis: genesis_block.hash() };
        let store: Arc<dyn Store> = Arc::new(RocksStore::open(&options.layout.db(), identity)?);
        Self::start_on(options, lock, store, &genesis_block).await
    }

    /// [`Node::start`] on a store that is open already (tests: one in memory, or one that fails).
    ///
    /// # Errors
    /// As [`Node::start`].
    pub async fn start_on(
        options: StartOptions,
        lock: DirLock,
        store: Arc<dyn Store>,
        genesis_block: &GenesisBlock,
    ) -> Result<Self, NodeError> {
        let StartOptions { layout, config, genesis, key, guardians, fresh_journal, sent_log, engine: accel, version } =
            options;
        if guardians.len() > HOSTED_MAX {
            return Err(NodeError::Guardians { got: guardians.len(), max: HOSTED_MAX });
        }
        let cache_mib = config.storage_cache_mib;
        let (chain, mut recovered) = Chain::open(Arc::clone(&store), &genesis, genesis_block, cache_mib)?;
        let chain = Arc::new(chain);
        let me = key.address();
        let health = Arc::new(parts::health(&chain, &recovered));
        let own = guardians.iter().find(|(address, _)| *address == me);
        let guardian = own.map(|(_, bls_key)| guardian_keys::info(&key, bls_key));
        // The operator's word may be for guardians' journals alone: then that of the validator, which is there, stays.
        let is_for_guardians = guardians.iter().any(|(address, _)| GuardianJournal::is_lost(&layout, address));
        let fresh = fresh_journal && !(is_for_guardians && layout.journal(&me).exists());
        let mut signer = parts::signer(&config, &layout, &chain, &recovered, &health, me, fresh)?;
        if let Some((signer, state)) = &mut signer {
            recovered.journal = std::mem::take(state);
            if sent_log {
                signer.log_sent(SentLog::open(&layout.sent_log()).map_err(NodeError::SentLog)?);
            }
        }
        let signer = signer.map(|(signer, _)| signer);
        let listeners = Listeners::bind(&config).await?;
        let keys = NodeKeys::new(key.clone(), accel.clone());
        let (net, events) = parts::network(&config, &layout, &chain, keys.clone()).await?;
        let signs = signer.is_some().then_some(me);
        let machine_config = ConsensusConfig::from_params(chain.params(), chain.genesis(), signs);
        let machine = Machine::new(machine_config, Box::new(keys), recovered);
        let observatory: Observatory = Arc::new(Mutex::new(Engine::first_look(&machine, signs.is_some())));
        let mempool = vigil_mempool::Config {
            count_max: config.mempool_txs_max,
            bytes_max: config.mempool_bytes_max,
            ..vigil_mempool::Config::default()
        };
        let pool = Arc::new(Pool::new(&chain, mempool, accel.clone()));
        let admission =
            Admission::start(Arc::clone(&pool), net.clone(), flush_at(&config)).map_err(NodeError::Thread)?;
        let (stop, stopping) = watch::channel(false);
        let settled = watch::Sender::new(chain.head().as_parent.height);
        let (inputs, inputs_out) = Inputs::new();
        let (jobs, jobs_out) = std::sync::mpsc::channel();
        let (tell_news, news) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let verifier = Arc::new(Verifier::new(accel.clone(), chain.scheme()));
        chain.proofs().use_engine(Arc::clone(&verifier));
        let (hosted, hosted_in) = Guardians::new();
        let executor = Executor {
            chain: Arc::clone(&chain),
            pool: Arc::clone(&pool),
            answers: inputs.clone(),
            hasher: Hasher(accel.clone()),
            key: Some(key.clone()),
            health: Arc::clone(&health),
            shared: Arc::clone(&shared),
            on_settled: parts::on_settled(
                Arc::clone(&chain),
                net.clone(),
                tell_news.clone(),
                hosted.clone(),
                settled.clone(),
            ),
            on_invalid: Box::new(move |hash, why| drop(tell_news.send(ChainNews::Invalid(hash, why)))),
        };
        let runtime = tokio::runtime::Handle::current();
        let (offences, offences_out) = mpsc::channel(CASES_MAX);
        let reporter = Reporter::open(Arc::clone(&chain), Arc::clone(&pool), admission.clone(), key)?;
        let mut silence = Silence::new(Arc::clone(&health));
        let host = Host {
            guardians: hosted.clone(),
            seats: open_seats(&layout, &chain, &mut silence, me, &net.local_peer_id(), guardians, fresh_journal)?,
            set: newest_set(&chain)?,
            verifier,
            chain: Arc::clone(&chain),
            net: net.clone(),
            health: Arc::clone(&health),
            silence,
            offences: offences.clone(),
            clock: Clock::start(),
        };
        let engine = Engine {
            machine,
            inputs: inputs_out,
            jobs,
            shared: Arc::clone(&shared),
            chain: Arc::clone(&chain),
            look_ups: LookUps::new(Arc::clone(&chain), net.clone(), runtime.clone()),
            net: net.clone(),
            signer,
            health: Arc::clone(&health),
            offences,
            observatory: Arc::clone(&observatory),
            stopping: stopping.clone(),
            clock: Clock::start(),
        };
        let threads = vec![
            spawn("executor", move || executor.run(&jobs_out))?,
            spawn("engine", move || engine.run(&runtime))?,
            spawn("guardians", move || host.run(&hosted_in))?,
        ];
        let address = me;
        let backend = Arc::new(NodeBackend {
            chain: Arc::clone(&chain),
            pool,
            engine: accel,
            admission,
            calls: Calls::start(config.rpc_call_threads).map_err(NodeError::Thread)?,
            observatory: Arc::clone(&observatory),
            settled,
            health,
            net: net.clone(),
            address,
            guardian,
            version,
        });
        let net_loop = NetLoop::new(backend.clone(), inputs, hosted.clone(), news, stopping.clone(), signs.is_some());
        let mut tasks = vec![tokio::spawn(net_loop.run(events))];
        tasks.push(tokio::spawn(reporter.run(offences_out, stopping.clone())));
        tasks.extend(listeners.serve(&config, &backend, &stopping));
        tasks.push(tokio::spawn(crate::status::run(backend.clone(), config.log_status_seconds, stopping)));
        Ok(Self { backend, net, hosted, stop, shared, threads, tasks, store, _lock: lock })
    }

    /// What the RPC sees.
    pub fn backend(&self) -> &Arc<NodeBackend> {
        &self.backend
    }

    /// Addresses where other nodes find this one.
    pub fn p2p_addresses(&self) -> Vec<String> {
        self.net.addresses().iter().map(ToString::to_string).collect()
    }

    /// Ends every part: no new requests, last writes synced, database closed. Takes a few seconds at most.
    pub async fn stop(self) {
        let Self { backend, net, hosted, stop, shared, threads, tasks, store, _lock } = self;
        hosted.tell(guardians::Event::Stop);
        shared.stopping.store(true, Ordering::Relaxed);
        let _nobody_listens = stop.send(true);
        let deadline = tokio::time::Instant::now() + STOP_PATIENCE;
        for task in tasks {
            let abort = task.abort_handle();
            if tokio::time::timeout_at(deadline, task).await.is_err() {
                abort.abort();
            }
        }
        let join = tokio::task::spawn_blocking(move || {
            drop(backend); // the last way into the admission line, which ends
            for thread in threads {
                let name = thread.thread().name().unwrap_or_default().to_owned();
                if thread.join().is_err() {
                    tracing::error!("thread {name} panicked");
                }
            }
        });
        let _late = tokio::time::timeout_at(deadline, net.shutdown()).await;
        if tokio::time::timeout_at(deadline, join).await.is_err() {
            tracing::warn!("a thread did not end in time");
        }
        if let Err(error) = store.sync() {
            tracing::error!(%error, "last sync of the database");
        }
    }
}

/// Waits until the node is told to stop.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _sender_is_gone = stopping.wait_for(|stop| *stop).await;
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, NodeError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(NodeError::Thread)
}
