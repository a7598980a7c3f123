//! What the network tells, to whom it belongs.

use crate::backend::NodeBackend;
use crate::engine::Inputs;
use crate::guardians::{self, Guardians};
use crate::node::stopped;
use crate::pool::{Origin, Submission};
use crate::serve_blocks;
use crate::sync_driver::{ChainNews, SyncDriver};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use vigil_consensus::{Input, Message, Peer};
use vigil_net::{NetEvent, Verdict, points};
use vigil_primitives::Bytes;

/// Answers to peers' requests for blocks that are worked on at once.
const ANSWERS_MAX: usize = 4;
/// Time between two steps of block sync.
const SYNC_TICK: Duration = Duration::from_millis(100);

/// The task that takes network events.
pub(crate) struct NetLoop {
    node: Arc<NodeBackend>,
    inputs: Inputs,
    guardians: Guardians,
    stopping: watch::Receiver<bool>,
    news: mpsc::UnboundedReceiver<ChainNews>,
    answers: Arc<Semaphore>,
    sync: SyncDriver,
}

impl NetLoop {
    /// `news`: settled heads and invalid blocks, as the executor finds them.
    pub(crate) fn new(
        node: Arc<NodeBackend>,
        inputs: Inputs,
        guardians: Guardians,
        news: mpsc::UnboundedReceiver<ChainNews>,
        stopping: watch::Receiver<bool>,
        signs: bool,
    ) -> Self {
        let sync = SyncDriver::new(Arc::clone(&node), inputs.clone(), signs);
        Self { node, inputs, guardians, stopping, news, answers: Arc::new(Semaphore::new(ANSWERS_MAX)), sync }
    }

    /// Runs until the node stops or the network ends.
    pub(crate) async fn run(mut self, mut events: mpsc::Receiver<NetEvent>) {
        let mut tick = tokio::time::interval(SYNC_TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stopping = self.stopping.clone();
        loop {
            let event = tokio::select! {
                () = stopped(&mut stopping) => return,
                event = events.recv() => event,
                Some(news) = self.news.recv() => {
                    self.sync.news(news).await;
                    continue;
                }
                Some(input) = self.sync.worked_out() => {
                    self.sync.step(input).await;
                    continue;
                }
                _ = tick.tick() => {
                    self.sync.tick().await;
                    continue;
                }
            };
            let Some(event) = event else {
                self.node.health.raise(crate::health::Fault::Network, "the network task has ended; restart the node");
                return;
            };
            self.handle(event).await;
        }
    }

    async fn handle(&mut self, event: NetEvent) {
        match event {
            NetEvent::PeerConnected(peer) => {
                self.guardians.tell(guardians::Event::Connected(peer.peer, peer.id));
                self.sync.head(peer.peer, peer.head).await;
            }
            NetEvent::PeerDisconnected(peer) => {
                self.guardians.tell(guardians::Event::Disconnected(peer));
                self.sync.gone(peer).await;
                self.inputs.send(Input::Disconnected(peer)).await;
            }
            NetEvent::Status { peer, head } => self.sync.head(peer, head).await,
            NetEvent::Blocks { id, result, .. } => self.sync.blocks(id, result),
            NetEvent::Consensus { peer, bytes, .. } => self.consensus(peer, &bytes).await,
            NetEvent::Guardian { peer, bytes } => self.guardians.tell(guardians::Event::Told { peer, bytes }),
            NetEvent::Txs { txs, message, .. } => {
                let submission = Submission { txs, origin: Origin::Gossip(message) };
                if let Err(back) = self.node.admission.offer(submission)
                    && let Origin::Gossip(message) = back.origin
                {
                    metrics::counter!("vigil_gossip_dropped_total").increment(back.txs.len() as u64);
                    let _net_is_busy = self.node.net.report(message, Verdict::Ignore);
                }
            }
            NetEvent::BlocksRequest { request, reply, .. } => {
                let (answers, chain) = (Arc::clone(&self.answers), Arc::clone(&self.node.chain));
                // Strangers wait for each other, consensus for none of them. The network bounds what is open.
                tokio::spawn(async move {
                    let _permit = answers.acquire_owned().await;
                    match tokio::task::spawn_blocking(move || serve_blocks::answer(&chain, &request)).await {
                        Ok(Ok(answer)) => drop(reply.send(answer)),
                        Ok(Err(error)) => tracing::warn!(%error, "cannot answer a request for blocks"),
                        Err(error) => tracing::error!(%error, "cannot answer a request for blocks"),
                    }
                });
            }
        }
    }

    async fn consensus(&self, peer: Peer, bytes: &Bytes) {
        match Message::decode(bytes) {
            Ok(message) => {
                metrics::counter!("vigil_consensus_received_total", "kind" => message.kind()).increment(1);
                self.inputs.received(peer, message, bytes.len()).await;
            }
            Err(error) => {
                metrics::counter!("vigil_peer_penalties_total", "reason" => "Malformed").increment(1);
                let _net_is_busy = self.node.net.penalize(peer, points::MALFORMED, error.to_string());
            }
        }
    }
}
