//! A local network while it runs: ready, watched, summed up.

use super::{
    Cluster, Event, Exit, Latency, LocalnetError, NodeSpec, Options, Ports, READY_PATIENCE, Setup, Summary, devnet,
    survey,
};
use crate::load::{Load, LoadError, LoadOptions, LoadReport};
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};
use vigil_rpc::Client;

/// How long sent transactions may take to settle after the load has ended.
const DRAIN_PATIENCE: Duration = Duration::from_secs(15);
/// Pause before a node that ended is started again.
const RESTART_PAUSE: Duration = Duration::from_millis(200);

fn ready_line(ports: &Ports) -> String {
    let eth = format!("http://127.0.0.1:{}/rpc", ports.eth);
    format!("ready rpc={} eth={eth} dashboard=http://127.0.0.1:{}", rpc_url(ports), ports.metrics)
}

fn rpc_url(ports: &Ports) -> String {
    format!("http://127.0.0.1:{}/rpc", ports.rpc)
}

pub(super) struct Network<'a> {
    options: &'a Options,
    chain_id: String,
    clients: Vec<Client>,
    ports: Vec<Ports>,
    cluster: Cluster,
    crashes: u64,
}

impl<'a> Network<'a> {
    /// Nothing runs yet.
    pub(super) fn new(
        options: &'a Options,
        setup: &Setup,
        ports: Vec<Ports>,
        specs: Vec<NodeSpec>,
    ) -> Result<Self, LocalnetError> {
        let clients = ports.iter().map(|p| Client::new(&rpc_url(p))).collect::<Result<_, _>>();
        Ok(Self {
            options,
            chain_id: setup.genesis.params.chain_id.clone(),
            clients: clients.map_err(LoadError::from)?,
            ports,
            cluster: Cluster::new(specs),
            crashes: 0,
        })
    }

    /// Stops every process; how many did not stop cleanly.
    pub(super) async fn stop(&mut self) -> usize {
        self.cluster.stop().await
    }

    /// Starts every process and runs until the time is over or `stop` is done; the processes still run afterwards.
    pub(super) async fn run(
        &mut self,
        mut stop: Pin<&mut impl Future<Output = ()>>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Summary, LocalnetError> {
        for node in 0..self.ports.len() {
            self.cluster.start(node).map_err(|source| LocalnetError::Start { node, source })?;
        }
        tokio::select! {
            ready = self.ready() => ready?,
            () = stop.as_mut() => return Ok(Summary { roots_equal: true, ..Summary::default() }),
        }
        let first = self.ports[0];
        tell(Event::Ready(ready_line(&first)));
        let load = match self.options.load {
            Some(tps) => Some(Load::start(&self.load_options(tps)).await?),
            None => None,
        };
        let watched = self.watch(stop, load.as_ref(), tell).await;
        let report = match load {
            Some(load) => load.finish(if watched.is_ok() { DRAIN_PATIENCE } else { Duration::ZERO }).await,
            None => LoadReport::default(),
        };
        watched?;
        for reason in &report.reasons {
            tell(Event::Note(format!("load: {reason}")));
        }
        Ok(self.summary(&report).await)
    }

    fn load_options(&self, tps: u32) -> LoadOptions {
        let validators = &self.ports[..self.options.shape.validators];
        let endpoints = validators.iter().map(rpc_url).collect();
        LoadOptions { endpoints, chain_id: self.chain_id.clone(), tps, accounts: devnet::LOAD_ACCOUNTS }
    }

    /// Waits until every node has settled a block after the one that it knew when it first answered.
    async fn ready(&mut self) -> Result<(), LocalnetError> {
        let deadline = Instant::now() + READY_PATIENCE;
        let mut first_seen: Vec<Option<u64>> = vec![None; self.clients.len()];
        let mut done = vec![false; self.clients.len()];
        while done.contains(&false) {
            for (node, client) in self.clients.iter().enumerate() {
                let Ok(status) = client.call::<Value>("theta.GetStatus", json!({})).await else { continue };
                let height = survey::number(&status, "latest_finalized_block_height");
                let first = *first_seen[node].get_or_insert(height);
                done[node] = height > first || (height > 0 && first_seen.iter().flatten().any(|f| height > *f));
            }
            if Instant::now() > deadline {
                return Err(LocalnetError::NotReady { log: self.cluster.log_tail(0) });
            }
            tokio::select! {
                exit = self.cluster.next_exit() => self.handle_exit(exit, true).await.map(drop)?,
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
        }
        Ok(())
    }

    /// Watches processes and reports progress until the time is over or `stop` is done.
    async fn watch(
        &mut self,
        mut stop: Pin<&mut impl Future<Output = ()>>,
        load: Option<&Load>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), LocalnetError> {
        let started = tokio::time::Instant::now();
        let end = self.options.duration.map(|d| started + d);
        let over = async {
            match end {
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        let mut second = tokio::time::interval(Duration::from_secs(1));
        let mut before = 0;
        loop {
            tokio::select! {
                () = stop.as_mut() => return Ok(()),
                () = &mut over => return Ok(()),
                exit = self.cluster.next_exit() => {
                    let note = self.handle_exit(exit, false).await?;
                    tell(Event::Note(note));
                }
                _ = second.tick() => {
                    let line = match load {
                        Some(load) => {
                            let now = load.snapshot();
                            let settled = now.settled.saturating_sub(before);
                            before = now.settled;
                            format!(
                                "height {}  settled {settled} tx/s  p50 {:.0} ms  outstanding {}  refused {}",
                                now.height, now.recent_p50_ms, now.outstanding, now.refused
                            )
                        }
                        None => format!("height {}", self.settled_height().await),
                    };
                    tell(Event::Progress(line));
                }
            }
        }
    }

    async fn settled_height(&self) -> u64 {
        for client in &self.clients {
            if let Ok(status) = client.call::<Value>("theta.GetStatus", json!({})).await {
                return survey::number(&status, "latest_finalized_block_height");
            }
        }
        0
    }

    /// Starts a node again that ended, if it may. Answers what to tell the user.
    async fn handle_exit(&mut self, exit: Exit, starting: bool) -> Result<String, LocalnetError> {
        let Exit { node, status, hopeless } = exit;
        let ended = |cluster: &Cluster| LocalnetError::NodeEnded { node, status, log: cluster.log_tail(node) };
        if hopeless || (starting && !self.options.restart) {
            return Err(ended(&self.cluster));
        }
        if self.options.restart {
            tokio::time::sleep(RESTART_PAUSE).await;
            self.cluster.start(node).map_err(|source| LocalnetError::Start { node, source })?;
            return Ok(format!("node {node} ended ({status}) and was started again"));
        }
        self.crashes += 1;
        if self.cluster.running() == 0 {
            return Err(ended(&self.cluster));
        }
        let log = self.cluster.log_tail(node);
        Ok(format!("node {node} ended ({status}) and stays away; its log ends with:\n{log}"))
    }

    async fn summary(&self, report: &LoadReport) -> Summary {
        let survey = survey(&self.clients).await;
        Summary {
            height: survey.height,
            settled_height: survey.settled_height,
            finalized_height: survey.finalized_height,
            txs_settled: (report.tps_settled * report.seconds).round() as u64,
            tps_settled: (report.tps_settled * 10.0).round() / 10.0,
            latency_ms: Latency { p50: report.latency_ms.p50.round(), p99: report.latency_ms.p99.round() },
            forks: survey.forks,
            errors: report.refused + report.lost + self.crashes,
            roots_equal: survey.roots_equal,
        }
    }
}
