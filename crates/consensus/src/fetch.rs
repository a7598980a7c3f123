//! Blocks we lack: asked for, and asked for again (§1.4, §4.3 REC limits).

use crate::limits::{FETCH_ATTEMPTS_MAX, FETCHES_MAX, FETCHES_PER_PEER_MAX, HEIGHT_WINDOW, PEERS_MAX};
use crate::machine::Machine;
use crate::{Effect, Message, Millis, Peer};
use std::collections::{BTreeMap, BTreeSet};
use vigil_primitives::{Hash, Height};

#[derive(Clone)]
struct Fetch {
    height: Height,
    /// Who was asked last.
    peer: Option<Peer>,
    /// A quorum stands behind it, or a signed child: others will have it too. Else only `peer` claims that it exists.
    vouched: bool,
    attempts: u32,
    again_at: Millis,
}

/// Requests under way.
#[derive(Clone, Default)]
pub(crate) struct Fetches {
    wanted: BTreeMap<Hash, Fetch>,
    peers: BTreeSet<Peer>,
}

impl Fetches {
    /// Remembers whom to ask.
    pub(crate) fn note_peer(&mut self, peer: Peer) {
        if self.peers.insert(peer) && self.peers.len() > PEERS_MAX {
            self.peers.pop_first();
        }
    }

    /// Ends a request. Returns true if there was one.
    pub(crate) fn done(&mut self, hash: &Hash) -> bool {
        self.wanted.remove(hash).is_some()
    }

    pub(crate) fn contains(&self, hash: &Hash) -> bool {
        self.wanted.contains_key(hash)
    }

    /// Ends requests up to a height.
    pub(crate) fn prune(&mut self, settled: Height) {
        self.wanted.retain(|_, fetch| fetch.height > settled);
    }

    pub(crate) fn len(&self) -> usize {
        self.wanted.len()
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.wanted.values().map(|fetch| fetch.again_at).min()
    }

    fn outstanding(&self, peer: Peer) -> usize {
        self.wanted.values().filter(|fetch| fetch.peer == Some(peer)).count()
    }

    /// The next peer after `last` that has room.
    fn next_peer(&self, last: Option<Peer>) -> Option<Peer> {
        let after = self.peers.iter().filter(|peer| Some(**peer) > last);
        let before = self.peers.iter().filter(|peer| Some(**peer) <= last);
        after.chain(before).copied().find(|peer| self.outstanding(*peer) < FETCHES_PER_PEER_MAX)
    }
}

impl Machine {
    /// A block that has a certificate.
    pub(crate) fn want_certified(&mut self, hash: Hash, height: Height, from: Option<Peer>) {
        self.want(hash, height, from, true);
    }

    /// The parent of a signed block, or if that is parked, the first ancestor that is missing.
    pub(crate) fn want_ancestor(&mut self, mut hash: Hash, mut height: Height, from: Peer) {
        while let Some(parked) = self.parking.get(&hash) {
            (hash, height) = (parked.block.header.parent, height.saturating_sub(1));
        }
        self.want(hash, height, Some(from), true);
    }

    /// A block that one peer names.
    pub(crate) fn want_named(&mut self, hash: Hash, height: Height, from: Peer) {
        self.want(hash, height, Some(from), false);
    }

    fn want(&mut self, hash: Hash, height: Height, from: Option<Peer>, vouched: bool) {
        let settled = self.tree.head().height;
        let held = self.tree.meta(&hash).is_some() || self.tree.is_invalid(&hash) || self.parking.contains(&hash);
        if held || height <= settled || height > settled + HEIGHT_WINDOW {
            return;
        }
        if let Some(fetch) = self.fetches.wanted.get_mut(&hash) {
            fetch.vouched |= vouched;
            return;
        }
        let room = self.fetches.wanted.len() < FETCHES_MAX;
        let from = from.filter(|peer| self.fetches.outstanding(*peer) < FETCHES_PER_PEER_MAX);
        let peer = if vouched { from.or_else(|| self.fetches.next_peer(None)) } else { from };
        if room && (vouched || peer.is_some()) {
            let again_at = self.now.mono + self.fetch_patience();
            let fetch = Fetch { height, peer, vouched, attempts: 1, again_at };
            self.fetches.wanted.insert(hash, fetch);
            self.ask(peer, hash);
        }
    }

    fn fetch_patience(&self) -> Millis {
        4 * self.config.delta
    }

    fn ask(&mut self, peer: Option<Peer>, hash: Hash) {
        if let Some(to) = peer {
            self.out.push(Effect::Send { to, message: Message::BlockReq(hash) });
        }
    }

    /// What was asked of a peer that is gone is asked of the next one when the fetch timer runs, which is now.
    pub(crate) fn on_disconnected(&mut self, peer: Peer) {
        self.fetches.peers.remove(&peer);
        for fetch in self.fetches.wanted.values_mut().filter(|fetch| fetch.peer == Some(peer)) {
            fetch.again_at = self.now.mono;
        }
        self.on_fetch_timer();
    }

    /// Asks the next peer; gives up after a while, until something names the block again.
    pub(crate) fn on_fetch_timer(&mut self) {
        self.clock.armed[2] = None;
        let (now, again_at) = (self.now.mono, self.now.mono + self.fetch_patience());
        let due: Vec<Hash> =
            self.fetches.wanted.iter().filter(|(_, fetch)| fetch.again_at <= now).map(|(hash, _)| *hash).collect();
        for hash in due {
            let Some(mut fetch) = self.fetches.wanted.remove(&hash) else { continue };
            if fetch.attempts >= FETCH_ATTEMPTS_MAX || (!fetch.vouched && fetch.attempts >= 2) {
                continue;
            }
            if fetch.vouched {
                fetch.peer = self.fetches.next_peer(fetch.peer);
            }
            let peer = fetch.peer;
            self.fetches.wanted.insert(hash, Fetch { attempts: fetch.attempts + 1, again_at, ..fetch });
            self.ask(peer, hash);
        }
    }
}
