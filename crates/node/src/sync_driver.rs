//! Performs what the syncer asks for.

use crate::accel::Hasher;
use crate::backend::NodeBackend;
use crate::chain::{Chain, ChainError, records};
use crate::engine::{Clock, Inputs};
use crate::keys::are_signed;
use std::sync::Arc;
use tokio::task::JoinSet;
use vigil_accel::Engine;
use vigil_consensus::{Message, Peer, RestartPoint, ValidatorSet};
use vigil_net::{BlocksRequest, BlocksResponse, Head, NetCommand, RequestError};
use vigil_primitives::rlp::Encodable as _;
use vigil_primitives::{Hash, Hcc, Vote};
use vigil_store::Column;
use vigil_sync::{Answer, AnswerError, Ask, SyncConfig, SyncEffect, SyncInput, Syncer, Verdict, verify};
use vigil_trie::BatchHasher;

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
    /// Decoding and signatures, off the loop: one for each open request, and one more.
    work: JoinSet<SyncInput>,
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
        let syncer = Syncer::new(config, own);
        Self { node, inputs, syncer, clock: Clock::start(), work: JoinSet::new() }
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
        self.node.health.peers(self.node.net.peer_count(), status.agreed.unwrap_or_default());
    }

    pub(crate) fn blocks(&mut self, id: u64, result: Result<BlocksResponse, RequestError>) {
        let (chain, hasher) = (Arc::clone(&self.node.chain), Hasher(self.node.engine.clone()));
        self.work.spawn_blocking(move || {
            let answer = result.map_err(|error| AnswerError::Failed(error.to_string()));
            let answer = answer.and_then(|answer| decode(&chain.params().chain_id, &answer, &hasher));
            SyncInput::Answer { id, answer }
        });
    }

    /// What was worked out off the loop; `None` if nothing is being worked on. Can be cancelled.
    pub(crate) async fn worked_out(&mut self) -> Option<SyncInput> {
        self.work.join_next().await?.inspect_err(|error| tracing::error!(%error, "block sync")).ok()
    }

    pub(crate) async fn step(&mut self, input: SyncInput) {
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
            SyncEffect::Request { peer, id, ask } => net.request_blocks(peer, id, request(ask)),
            SyncEffect::Verify { ticket, after, certs } => {
                let (chain, engine) = (Arc::clone(&self.node.chain), self.node.engine.clone());
                self.work.spawn_blocking(move || {
                    let (verdict, complete) = check(&chain, &engine, &after, &certs);
                    SyncInput::Verified { ticket, verdict, complete }
                });
                return;
            }
            SyncEffect::Penalize { peer, fault, reason } => net.penalize(peer, fault.points(), reason),
            SyncEffect::Reward(peer) => net.send(NetCommand::Reward(peer)),
            SyncEffect::Deliver { peer, block, .. } => {
                let bytes = block.length();
                return self.inputs.received(peer, Message::Block(block), bytes).await;
            }
            SyncEffect::Certificate { peer, cert } => {
                let bytes = cert.length();
                return self.inputs.received(peer, Message::Certificate(cert), bytes).await;
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

fn request(ask: Ask) -> BlocksRequest {
    match ask {
        Ask::Headers { from, max } => BlocksRequest::Headers { from, max },
        Ask::Bodies(hashes) => BlocksRequest::Bodies(hashes),
    }
}

fn decode(chain_id: &str, answer: &BlocksResponse, hasher: &dyn BatchHasher) -> Result<Answer, AnswerError> {
    match answer {
        BlocksResponse::Headers { headers, tip } => Answer::headers(chain_id, headers, tip.as_ref()),
        BlocksResponse::Bodies(blocks) => Answer::bodies(blocks, hasher),
    }
}

/// Checks certificates of blocks above `after`, and says whether every set that may have made them was known.
fn check(chain: &Chain, engine: &Engine, after: &Hash, certs: &[Arc<Hcc>]) -> (Verdict, bool) {
    let (sets, complete) = known_sets(chain, after).unwrap_or_else(|error| {
        tracing::warn!(%error, "block sync");
        (Vec::new(), false)
    });
    let domain = chain.sign_domain();
    let signed = |vote: &Vote| (vote.voter, vote.digest(&domain), vote.signature.clone());
    let verdict = verify(certs, &sets, |votes| {
        let votes: Vec<_> = votes.iter().map(signed).collect();
        are_signed(engine, &votes).into_iter().all(|good| good)
    });
    (verdict, complete)
}

/// The set of the settled head's own votes, and those that it and the executed blocks above made; whether `after` is one
/// of these blocks, so that no change up to it is unknown.
fn known_sets(chain: &Chain, after: &Hash) -> Result<(Vec<ValidatorSet>, bool), ChainError> {
    let restart = chain.store().get(Column::Meta, records::RESTART)?.unwrap_or_default();
    let restart = RestartPoint::from_bytes(&restart)
        .map_err(|error| ChainError::Corrupt { what: "restart point".into(), reason: error.to_string() })?;
    let tip = chain.tip();
    let made = tip.pending.values().filter_map(|block| block.executed.set_after.clone());
    let sets = [restart.validators().clone()].into_iter().chain(restart.head().set_after.clone()).chain(made).collect();
    // Between two reads the head may have moved; then the next try will tell.
    let same_head = tip.head.hash == restart.head().hash;
    Ok((sets, same_head && tip.executed(after).is_some()))
}
