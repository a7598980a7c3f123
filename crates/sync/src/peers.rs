//! What is known of the peers.

use crate::{Head, Millis, Peer};
use std::collections::BTreeMap;
use vigil_primitives::Height;

/// Failures in a row after which a peer is set aside.
const STRIKES_MAX: u32 = 3;
/// Peers kept; the network connects to fewer.
const PEERS_MAX: usize = 1_024;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    /// What it claims.
    pub(crate) head: Head,
    /// Until then it has no header for us above what is proven.
    pub(crate) told_all_until: Millis,
    /// Times that it told all and proved nothing, since it proved something.
    unproven: u32,
    in_flight: usize,
    strikes: u32,
    aside_until: Millis,
    /// Number of the last request to it: who was asked longest ago is asked first.
    last_asked: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Peers(BTreeMap<Peer, Known>);

impl Peers {
    pub(crate) fn set_head(&mut self, peer: Peer, head: Head) {
        if self.0.len() < PEERS_MAX || self.0.contains_key(&peer) {
            let known = self.0.entry(peer).or_default();
            if known.head != head {
                known.told_all_until = 0;
            }
            known.head = head;
        }
    }

    pub(crate) fn remove(&mut self, peer: Peer) {
        self.0.remove(&peer);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn head(&self, peer: Peer) -> Head {
        self.0.get(&peer).map(|known| known.head).unwrap_or_default()
    }

    /// The peer has not got what it claimed.
    pub(crate) fn lower_head(&mut self, peer: Peer, height: Height) {
        self.change(peer, |known| known.head.height = known.head.height.min(height));
    }

    /// The peer has told all headers that it has.
    pub(crate) fn told_all(&mut self, peer: Peer, until: Millis) {
        self.change(peer, |known| known.told_all_until = until);
    }

    /// The peer claims more than it proves; returns how often it did.
    pub(crate) fn proves_nothing(&mut self, peer: Peer) -> u32 {
        self.change(peer, |known| known.unproven = known.unproven.saturating_add(1));
        self.0.get(&peer).map_or(0, |known| known.unproven)
    }

    pub(crate) fn proves_something(&mut self, peer: Peer) {
        self.change(peer, |known| known.unproven = 0);
    }

    /// The highest claim of a peer that is not set aside.
    pub(crate) fn best(&self, now: Millis) -> Option<Height> {
        self.claims(now).max()
    }

    /// The highest height that two of several peers claim to have. Of two peers either may be the one that is behind.
    pub(crate) fn agreed(&self, now: Millis) -> Option<Height> {
        let mut claims: Vec<_> = self.claims(now).collect();
        claims.sort_unstable();
        claims.iter().rev().nth(usize::from(claims.len() > 2)).copied()
    }

    fn claims(&self, now: Millis) -> impl Iterator<Item = Height> {
        self.0.values().filter(move |known| known.aside_until <= now).map(|known| known.head.height)
    }

    /// Whom to ask of those that are `able`: not in `tried` if possible; fewest failures, fewest open requests, longest
    /// not asked.
    pub(crate) fn choose(
        &self,
        now: Millis,
        per_peer_max: usize,
        tried: &[Peer],
        able: impl Fn(Peer, &Known) -> bool,
    ) -> Option<Peer> {
        let free = |known: &Known| known.aside_until <= now && known.in_flight < per_peer_max;
        let able = self.0.iter().filter(|(peer, known)| free(known) && able(**peer, known));
        let order =
            |(peer, known): &(&Peer, &Known)| (tried.contains(peer), known.strikes, known.in_flight, known.last_asked);
        able.min_by_key(order).map(|(peer, _)| *peer)
    }

    pub(crate) fn asked(&mut self, peer: Peer, id: u64) {
        self.change(peer, |known| {
            known.in_flight += 1;
            known.last_asked = id;
        });
    }

    pub(crate) fn answered(&mut self, peer: Peer) {
        self.change(peer, |known| known.in_flight = known.in_flight.saturating_sub(1));
    }

    pub(crate) fn served_well(&mut self, peer: Peer) {
        self.change(peer, |known| known.strikes = 0);
    }

    /// The peer is neither believed nor asked until then.
    pub(crate) fn set_aside(&mut self, peer: Peer, until: Millis) {
        self.change(peer, |known| {
            known.strikes = 0;
            known.aside_until = until;
        });
    }

    /// Notes a failure; after three in a row the peer is set aside until `aside_until`.
    pub(crate) fn strike(&mut self, peer: Peer, aside_until: Millis) {
        let strikes = self.0.get(&peer).map_or(0, |known| known.strikes + 1);
        match strikes >= STRIKES_MAX {
            true => self.set_aside(peer, aside_until),
            false => self.change(peer, |known| known.strikes = strikes),
        }
    }

    fn change(&mut self, peer: Peer, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.0.get_mut(&peer) {
            change(known);
        }
    }
}
