//! Performs what the syncer asks for.

use crate::backend::NodeBackend;
use crate::engine::{Clock, Inputs};
use std::sync::Arc;
use vigil_consensus::{Message, Peer};
use vigil_net::{BlocksRequest, BlocksResponse, Head, NetCommand, RequestError};
use vigil_primitives::Hash;
use vigil_primitives::rlp::Encodable as _;
use vigil_sync::{RangeAnswer, SyncConfig, SyncEffect, SyncInput, Syncer};

/// What the executor tells block sync.
#[derive(Clone, Debug)]
pub(crate) enum ChainNews {
    /// The settled head has moved.
    Settled(Head),
    /// A block is invalid.
    Invalid(Hash, String),
}

pub(crate) struct SyncDriver {
    node: Arc<NodeBackend>,
    inputs: Inputs,
    syncer: Syncer,
    clock: Clock,
}

impl SyncDriver {
    /// `signs`: a validator's small gaps close by themselves; a node that only follows fetches at once.
    pub(crate) fn new(node: Arc<NodeBackend>, inputs: Inputs, signs: bool) -> Self {
        let mut config = SyncConfig::default();
        if !signs {
            config.patience = 0;
        }
        let head = node.chain.head();
        let own = vigil_sync::Head { height: head.as_parent.height, hash: head.hash };
        let syncer = Syncer::new(config, node.chain.params().chain_id.clone(), own);
        Self { node, inputs, syncer, clock: Clock::start() }
    }

    pub(crate) async fn head(&mut self, peer: Peer, head: Head) {
        self.step(SyncInput::PeerHead { peer, head: own(head) }).await;
    }

    pub(crate) async fn gone(&mut self, peer: Peer) {
        self.step(SyncInput::PeerGone(peer)).await;
    }

    pub(crate) async fn news(&mut self, news: ChainNews) {
        let input = match news {
            ChainNews::Settled(head) => SyncInput::Settled(own(head)),
            ChainNews::Invalid(hash, reason) => SyncInput::Rejected { hash, reason },
        };
        self.step(input).await;
    }

    pub(crate) async fn tick(&mut self) {
        self.step(SyncInput::Tick).await;
        let status = self.syncer.status(self.clock.mono_ms());
        let best = status.best.unwrap_or_default();
        metrics::gauge!("vigil_best_peer_height").set(best as f64);
        self.node.health.peers(self.node.net.peer_count(), best);
    }

    pub(crate) async fn blocks(&mut self, id: u64, result: Result<BlocksResponse, RequestError>) {
        let answer = result.map(|a| RangeAnswer { blocks: a.blocks, certs: a.certs }).map_err(|e| e.to_string());
        self.step(SyncInput::Answer { id, answer }).await;
    }

    async fn step(&mut self, input: SyncInput) {
        let mut effects = Vec::new();
        self.syncer.step(self.clock.mono_ms(), input, &mut effects);
        for effect in effects {
            self.perform(effect).await;
        }
    }

    async fn perform(&mut self, effect: SyncEffect) {
        let net = &self.node.net;
        // A request that the network has no room for is answered by nobody: the syncer asks again when it is late.
        let sent = match effect {
            SyncEffect::Request { peer, id, from, max } => {
                net.request_blocks(peer, id, BlocksRequest::Range { from, max })
            }
            SyncEffect::Penalize { peer, fault, reason } => net.penalize(peer, fault.points(), reason),
            SyncEffect::Reward(peer) => net.send(NetCommand::Reward(peer)),
            SyncEffect::Deliver { peer, block, .. } => {
                let bytes = block.length();
                return self.inputs.received(peer, Message::Block(block), bytes).await;
            }
            SyncEffect::Certificate { peer, cert } => {
                let bytes = cert.length();
                return self.inputs.received(peer, Message::Certificate(Arc::new(cert)), bytes).await;
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "block sync");
        }
    }
}

fn own(head: Head) -> vigil_sync::Head {
    vigil_sync::Head { height: head.height, hash: head.hash }
}
