//! What is known of the peers.

use crate::{Head, Millis, Peer};
use std::collections::BTreeMap;
use vigil_primitives::Height;

/// Failures in a row after which a peer is set aside.
const STRIKES_MAX: u32 = 3;
/// Peers kept; the network connects to fewer.
const PEERS_MAX: usize = 1_024;

#[derive(Clone, Copy, Debug, Default)]
struct State {
    head: Head,
    in_flight: usize,
    strikes: u32,
    aside_until: Millis,
    /// Number of the last request to it: who was asked longest ago is asked first.
    last_asked: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Peers(BTreeMap<Peer, State>);

impl Peers {
    pub(crate) fn set_head(&mut self, peer: Peer, head: Head) {
        if self.0.len() < PEERS_MAX || self.0.contains_key(&peer) {
            self.0.entry(peer).or_default().head = head;
        }
    }

    pub(crate) fn remove(&mut self, peer: Peer) {
        self.0.remove(&peer);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn head(&self, peer: Peer) -> Head {
        self.0.get(&peer).map(|state| state.head).unwrap_or_default()
    }

    /// The peer has not got what it claimed.
    pub(crate) fn lower_head(&mut self, peer: Peer, height: Height) {
        if let Some(state) = self.0.get_mut(&peer) {
            state.head.height = state.head.height.min(height);
        }
    }

    /// The highest claim of a peer that is not set aside.
    pub(crate) fn best(&self, now: Millis) -> Option<Height> {
        self.0.values().filter(|state| state.aside_until <= now).map(|state| state.head.height).max()
    }

    /// Whom to ask for blocks from `from` up: fewest failures, fewest open requests, longest not asked.
    pub(crate) fn choose(&self, from: Height, per_peer_max: usize, tried: &[Peer], now: Millis) -> Option<Peer> {
        let able = self.0.iter().filter(|(peer, state)| {
            state.aside_until <= now
                && state.head.height >= from
                && state.in_flight < per_peer_max
                && !tried.contains(peer)
        });
        able.min_by_key(|(_, state)| (state.strikes, state.in_flight, state.last_asked)).map(|(peer, _)| *peer)
    }

    pub(crate) fn asked(&mut self, peer: Peer, id: u64) {
        if let Some(state) = self.0.get_mut(&peer) {
            state.in_flight += 1;
            state.last_asked = id;
        }
    }

    pub(crate) fn answered(&mut self, peer: Peer) {
        if let Some(state) = self.0.get_mut(&peer) {
            state.in_flight = state.in_flight.saturating_sub(1);
        }
    }

    pub(crate) fn served_well(&mut self, peer: Peer) {
        if let Some(state) = self.0.get_mut(&peer) {
            state.strikes = 0;
        }
    }

    /// The peer is neither believed nor asked until then.
    pub(crate) fn set_aside(&mut self, peer: Peer, until: Millis) {
        if let Some(state) = self.0.get_mut(&peer) {
            state.aside_until = until;
        }
    }

    /// Notes a failure; after three in a row the peer is set aside until `aside_until`.
    pub(crate) fn strike(&mut self, peer: Peer, aside_until: Millis) {
        if let Some(state) = self.0.get_mut(&peer) {
            state.strikes += 1;
            if state.strikes >= STRIKES_MAX {
                state.strikes = 0;
                state.aside_until = aside_until;
            }
        }
    }
}
