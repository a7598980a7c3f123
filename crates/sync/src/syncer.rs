//! The machine: state, dispatch, and when to sync at all.

mod answers;
mod delivery;
mod requests;

use crate::download::Download;
use crate::peers::Peers;
use crate::{Fault, Head, Millis, Peer, SyncConfig, SyncEffect, SyncInput, SyncState, SyncStatus};
use std::collections::{BTreeMap, BTreeSet};
use vigil_primitives::{Hash, Height};

/// Below this gap consensus gets a sixth of the patience to close it by itself.
const SMALL_GAP: Height = 8;
/// Statements about blocks that wait to be judged.
const SUSPECTS_MAX: usize = 64;

/// After a contradiction between two peers: one peer at a time, until the settled head is past it.
#[derive(Clone, Copy, Debug)]
struct Careful {
    until: Height,
    peer: Option<Peer>,
}

/// What a peer said is the hash at a height, to be judged when that height is settled.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    height: Height,
    hash: Hash,
    peer: Peer,
}

/// Catches up with the settled chain. See the crate's page.
#[derive(Clone, Debug)]
pub struct Syncer {
    config: SyncConfig,
    chain_id: String,
    own: Head,
    peers: Peers,
    download: Download,
    /// Blocks handed over and not settled yet, a chain on our settled head.
    delivered: BTreeMap<Height, (Hash, Peer)>,
    /// The height to be delivered next: one above the delivered, or above our settled head.
    next: Height,
    active: bool,
    behind_since: Option<Millis>,
    progress_at: Millis,
    /// The best head whose child and certificate have been asked for.
    tip_asked: Height,
    careful: Option<Careful>,
    suspects: Vec<Suspect>,
    error: Option<String>,
}

impl Syncer {
    /// A syncer for `chain_id` on a node whose settled head is `own`.
    pub fn new(config: SyncConfig, chain_id: impl Into<String>, own: Head) -> Self {
        Self {
            config,
            chain_id: chain_id.into(),
            own,
            peers: Peers::default(),
            download: Download::default(),
            delivered: BTreeMap::new(),
            next: own.height + 1,
            active: false,
            behind_since: None,
            progress_at: 0,
            tip_asked: 0,
            careful: None,
            suspects: Vec::new(),
            error: None,
        }
    }

    /// Takes one input at `now` (monotonic) and appends what is to be done.
    pub fn step(&mut self, now: Millis, input: SyncInput, effects: &mut Vec<SyncEffect>) {
        match input {
            SyncInput::PeerHead { peer, head } => self.peers.set_head(peer, head),
            SyncInput::PeerGone(peer) => self.peer_gone(peer),
            SyncInput::Answer { id, answer } => self.answered(now, id, answer, effects),
            SyncInput::Settled(head) => self.settled(now, head, effects),
            SyncInput::Rejected { hash, reason } => self.rejected(now, hash, &reason, effects),
            SyncInput::Tick => {}
        }
        self.expire(now, effects);
        self.decide(now);
        self.deliver(now, effects);
        self.restart_if_stalled(now);
        self.request(now, effects);
    }

    /// Whether we are at the head, and why not.
    pub fn status(&self, now: Millis) -> SyncStatus {
        let best = self.peers.best(now);
        let blocks = best.unwrap_or(0).saturating_sub(self.own.height);
        let state = match (best, &self.error) {
            (None, _) => SyncState::NoPeers,
            (Some(_), _) if !self.active => SyncState::Synced,
            (Some(_), Some(error)) => SyncState::Stalled { blocks, error: error.clone() },
            (Some(_), None) => SyncState::Behind { blocks },
        };
        SyncStatus { state, own: self.own, best, peers: self.peers.len() }
    }

    /// Starts when a gap stays open longer than consensus needs to close it; stops at the head.
    fn decide(&mut self, now: Millis) {
        let gap = self.peers.best(now).unwrap_or(0).saturating_sub(self.own.height);
        if gap == 0 {
            self.behind_since = None;
            if self.active {
                self.active = false;
                self.forget();
            }
            return;
        }
        let since = *self.behind_since.get_or_insert(now);
        let patience = match gap {
            1 => self.config.patience,
            2..SMALL_GAP => self.config.patience / 6,
            _ => 0,
        };
        self.active = self.active || now.saturating_sub(since) >= patience;
    }

    fn settled(&mut self, now: Millis, head: Head, effects: &mut Vec<SyncEffect>) {
        if head.height <= self.own.height {
            return;
        }
        let ours = self.delivered.get(&head.height).map(|(hash, _)| *hash);
        self.judge(head, ours == Some(head.hash), effects);
        self.own = head;
        self.progress_at = now;
        self.behind_since = None;
        self.error = None;
        if self.careful.is_some_and(|careful| careful.until <= head.height) {
            self.careful = None;
        }
        let small_gap = self.peers.best(now).unwrap_or(0) <= head.height + 1;
        if small_gap {
            self.active = false;
        }
        if small_gap || ours.is_some_and(|hash| hash != head.hash) {
            return self.forget();
        }
        self.delivered = self.delivered.split_off(&(head.height + 1));
        self.download.drop_through(head.height);
        self.next = self.next.max(head.height + 1);
    }

    fn rejected(&mut self, now: Millis, hash: Hash, reason: &str, effects: &mut Vec<SyncEffect>) {
        let Some((height, peer)) =
            self.delivered.iter().find(|(_, (held, _))| *held == hash).map(|(h, (_, p))| (*h, *p))
        else {
            return;
        };
        let reason = format!("block {height} is invalid: {reason}");
        effects.push(SyncEffect::Penalize { peer, fault: Fault::Invalid, reason: reason.clone() });
        self.peers.set_aside(peer, now + self.config.set_aside);
        self.error = Some(reason);
        self.progress_at = now;
        self.forget();
    }

    /// Lets go of everything above our settled head. Open questions stay counted; their answers are ignored.
    fn forget(&mut self) {
        self.delivered.clear();
        self.download.ranges.clear();
        self.next = self.own.height + 1;
        self.tip_asked = 0;
    }

    /// Blocks were delivered, yet nothing settles: starts over with another peer.
    fn restart_if_stalled(&mut self, now: Millis) {
        let Some((&highest, _)) = self.delivered.last_key_value() else { return };
        if !self.active || now.saturating_sub(self.progress_at) < self.config.stall_after {
            return;
        }
        let peers: BTreeSet<Peer> = self.delivered.values().map(|(_, peer)| *peer).collect();
        peers.into_iter().for_each(|peer| self.peers.strike(peer, now + self.config.set_aside));
        self.error =
            Some(format!("blocks up to {highest} delivered, but the settled head stays at {}", self.own.height));
        self.careful = Some(Careful { until: highest, peer: None });
        self.progress_at = now;
        self.forget();
    }
}
