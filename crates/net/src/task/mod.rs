//! The task that owns the swarm.

mod blocks;
mod connections;
mod control;
mod gossip;
mod link;
mod overlay;
mod penalty;
mod told;

use crate::bans::Bans;
use crate::batch::TxBatch;
use crate::behaviour::Behaviour;
use crate::book::Book;
use crate::overlay::Overlay;
use crate::queue::Inbox;
use crate::score::Scores;
use crate::strikes::Strikes;
use crate::wire::ValidatorProof;
use crate::{Head, NetCommand, NetConfig, NetError, NetEvent, Peer, PeerAuth, PeerInfo, proof_digest};
use blocks::Serving;
use libp2p::futures::StreamExt;
use libp2p::gossipsub::IdentTopic;
use libp2p::request_response::OutboundRequestId;
use libp2p::{PeerId, Swarm};
use link::Link;
use lru::LruCache;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;
use vigil_primitives::SignDomain;

/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often files are written and bans looked through.
const HOUSEKEEPING: Duration = Duration::from_secs(30);
/// How long connections may take to close at the end.
const CLOSING: Duration = Duration::from_millis(500);
/// Numbers of former connections that can still be penalised.
const NUMBERS_MAX: NonZeroUsize = NonZeroUsize::new(8_192).expect("not zero");

/// What connects the task to the node.
pub(crate) struct Ends {
    pub(crate) commands: mpsc::Receiver<NetCommand>,
    pub(crate) events: mpsc::Sender<NetEvent>,
    pub(crate) ready: Arc<AtomicUsize>,
}

/// The task's state.
pub(crate) struct Task {
    swarm: Swarm<Behaviour>,
    config: NetConfig,
    chain: SignDomain,
    topic: IdentTopic,
    auth: Arc<dyn PeerAuth>,
    proof: Option<ValidatorProof>,
    head: Head,
    overlay: Overlay,
    ends: Ends,
    inbox: Inbox,
    batch: TxBatch,
    links: BTreeMap<PeerId, Link>,
    numbers: LruCache<Peer, PeerId>,
    numbered: u64,
    asked: HashMap<OutboundRequestId, (Peer, u64)>,
    serving: Serving,
    scores: Scores,
    bans: Bans,
    strikes: Strikes,
    book: Book,
    housekeeping: Instant,
}

impl Task {
    pub(crate) fn new(
        mut swarm: Swarm<Behaviour>,
        config: NetConfig,
        chain: SignDomain,
        head: Head,
        auth: Arc<dyn PeerAuth>,
        ends: Ends,
    ) -> Result<Self, NetError> {
        let (now, local) = (Instant::now(), *swarm.local_peer_id());
        let bans = in_file(&config, "bans.json", Bans::load)?;
        let strikes = in_file(&config, "banned_addresses.json", Strikes::load)?;
        let backoff = (config.reconnect_min, config.reconnect_max);
        let book = in_file(&config, "peers.json", |path| Book::load(path, local, &config.seeds, backoff, now))?;
        for peer in bans.active(unix_seconds()) {
            swarm.behaviour_mut().blocked.block_peer(peer);
        }
        let proof = auth.prove(&proof_digest(&chain, &local));
        let proof = proof.map(|(address, signature)| ValidatorProof { address, signature });
        let mut task = Self {
            topic: crate::behaviour::tx_topic(&chain),
            swarm,
            config,
            chain,
            auth,
            proof,
            head,
            overlay: Overlay::new(book.saved_records()),
            ends,
            inbox: Inbox::default(),
            batch: TxBatch::default(),
            links: BTreeMap::new(),
            numbers: LruCache::new(NUMBERS_MAX),
            numbered: 0,
            asked: HashMap::new(),
            serving: Serving::new(),
            scores: Scores::new(),
            bans,
            strikes,
            book,
            housekeeping: now + HOUSEKEEPING,
        };
        task.close_gate();
        task.trust_gate();
        Ok(task)
    }

    /// Runs until shutdown, or until the node has dropped its ends.
    pub(crate) async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let done = loop {
            let flush = self.batch.due();
            tokio::select! {
                command = self.ends.commands.recv() => match command {
                    None => break None,
                    Some(NetCommand::Shutdown(reply)) => break Some(reply),
                    Some(command) => self.command(command),
                },
                open = has_room(&self.ends.events), if !self.inbox.is_empty() => {
                    if !open || !self.deliver() {
                        break None;
                    }
                }
                event = self.swarm.select_next_some(), if !self.inbox.is_full() => self.swarm_event(event),
                Some(served) = self.serving.next(), if !self.serving.is_empty() => self.served(served),
                () = tokio::time::sleep_until(flush.unwrap_or_else(Instant::now).into()), if flush.is_some() => self.flush_txs(),
                _ = tick.tick() => self.tick(Instant::now()),
            }
        };
        self.save();
        self.ends.ready.store(0, Ordering::Relaxed);
        self.hang_up_all().await;
        drop(self);
        if let Some(reply) = done {
            let _ = reply.send(());
        }
    }

    /// Closes all connections, so that peers learn of it at once.
    async fn hang_up_all(&mut self) {
        for id in self.links.keys() {
            let _ = self.swarm.disconnect_peer_id(*id);
        }
        let closed = async {
            while self.swarm.network_info().num_peers() > 0 {
                self.swarm.select_next_some().await;
            }
        };
        let _ = tokio::time::timeout(CLOSING, closed).await;
    }

    /// Hands over events while the node has room; false if it is gone.
    fn deliver(&mut self) -> bool {
        while self.ends.events.capacity() > 0
            && let Some(event) = self.inbox.pop()
        {
            if self.ends.events.try_send(event).is_err() {
                return false;
            }
        }
        true
    }

    fn command(&mut self, command: NetCommand) {
        match command {
            NetCommand::SetValidators(validators) => self.set_validators(validators, Instant::now()),
            NetCommand::SendConsensus { peer, bytes } => self.send_consensus(peer, bytes),
            NetCommand::BroadcastConsensus(bytes) => self.broadcast_consensus(&bytes),
            NetCommand::SendGuardian { peer, bytes } => self.send_guardian(peer, bytes),
            NetCommand::PublishTxs(txs) => self.publish_txs(txs),
            NetCommand::PublishStatus(head) => self.publish_head(head),
            NetCommand::RequestBlocks { peer, id, request } => self.request_blocks(peer, id, &request),
            NetCommand::Report { message, verdict } => self.report(&message, verdict),
            NetCommand::Penalize { peer, points, reason } => {
                if let Some(id) = self.numbers.peek(&peer).copied() {
                    self.penalize(id, points, &reason);
                }
            }
            NetCommand::Reward(peer) => {
                if let Some(id) = self.numbers.peek(&peer).copied() {
                    let _ = self.scores.change(id, 1, Instant::now());
                }
            }
            NetCommand::Dial(address) => {
                self.book.add_seed(address, Instant::now());
                self.trust_gate();
            }
            NetCommand::Peers(reply) => {
                let _ = reply.send(self.peers());
            }
            NetCommand::Shutdown(_) => unreachable!("handled by the loop"),
        }
    }

    fn tick(&mut self, now: Instant) {
        self.drop_silent_links(now);
        self.dial(now);
        self.spread_records(now);
        self.tell_heads(now);
        self.ask_waiting(now);
        self.send_all_waiting(now);
        if now >= self.housekeeping {
            self.housekeeping = now + HOUSEKEEPING;
            self.expire_bans();
            self.overlay.expire(unix_seconds());
            self.save();
            self.discover();
        }
    }

    fn save(&mut self) {
        if let Err(error) = self.book.save(self.overlay.to_save()) {
            tracing::warn!(%error, "the address book is not saved");
        }
    }

    /// Queues an event for the node.
    fn tell(&mut self, event: NetEvent) {
        for dropped in self.inbox.push(event) {
            match dropped {
                NetEvent::Txs { message, .. } => {
                    metrics::counter!("vigil_net_dropped_total", "queue" => "txs").increment(1);
                    self.report(&message, crate::Verdict::Ignore);
                }
                _ => metrics::counter!("vigil_net_dropped_total", "queue" => "guardians").increment(1),
            }
        }
    }

    /// The connection that has this number now.
    fn link(&mut self, peer: Peer) -> Option<(PeerId, &mut Link)> {
        let id = *self.numbers.peek(&peer)?;
        self.links.get_mut(&id).filter(|link| link.peer == peer).map(|link| (id, link))
    }

    fn peers(&self) -> Vec<PeerInfo> {
        let now = Instant::now();
        let mut peers: Vec<_> =
            self.links.iter().filter_map(|(id, link)| link.info(*id, self.scores.get(id, now))).collect();
        peers.sort_by_key(|info| info.peer);
        peers
    }

    fn ready_count(&self) -> usize {
        self.ends.ready.load(Ordering::Relaxed)
    }
}

/// Waits until the node takes another event; false if it is gone.
async fn has_room(events: &mpsc::Sender<NetEvent>) -> bool {
    events.reserve().await.is_ok()
}

/// Opens a file of the data directory.
fn in_file<T>(config: &NetConfig, name: &str, open: impl FnOnce(PathBuf) -> io::Result<T>) -> Result<T, NetError> {
    let path = config.data_dir.join(name);
    open(path.clone()).map_err(|source| NetError::File { path, source })
}

/// The wall clock, which ban times are kept in.
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
