//! What to ask for, and of whom.

use super::Syncer;
use crate::download::{Question, Range};
use crate::peers::Known;
use crate::{Ask, Millis, Peer, SyncEffect};
use vigil_primitives::{BLOCK_BYTES_MAX, Height};

/// Headers and blocks are asked for at most this many requests above the window.
const RANGES_AHEAD: u64 = 8;

impl Syncer {
    pub(super) fn request(&mut self, now: Millis, effects: &mut Vec<SyncEffect>) {
        let Some(best) = self.peers.best(now).filter(|_| self.active) else { return };
        self.request_headers(now, best, effects);
        while self.may_hold_more() {
            match self.pick_bodies(now) {
                Some((from, to, peer)) => {
                    let hashes = (from..=to).filter_map(|height| self.headers.at(height)).map(|(hash, _)| hash);
                    let ask = Ask::Bodies(hashes.collect());
                    let id = self.ask(now, peer, from, ask, effects);
                    self.download.asked(from, id);
                }
                None if self.extend_download() => {}
                None => return,
            }
        }
    }

    /// One question for headers at a time, up to the child of the best head.
    fn request_headers(&mut self, now: Millis, best: Height, effects: &mut Vec<SyncEffect>) {
        let unproven = self.headers.tail.as_ref().is_some_and(|tail| tail.has_certs());
        let busy = self.headers_asked.is_some() || unproven || self.open.len() >= self.config.in_flight_max;
        let highest = self.own.height + self.config.window_max + RANGES_AHEAD * self.config.range_blocks;
        if busy || self.headers_tries.after > now || self.headers.end() >= highest.min(best.saturating_add(1)) {
            return;
        }
        let Some(peer) = self.pick_header_peer(now, best) else { return };
        let from = self.headers.end() + 1;
        let ask = Ask::Headers { from, max: self.config.range_blocks };
        self.headers_asked = Some(self.ask(now, peer, from, ask, effects));
    }

    /// Whom to ask for headers. Unproven ones are continued by who gave them, or dropped.
    fn pick_header_peer(&mut self, now: Millis, best: Height) -> Option<Peer> {
        if let Some(giver) = self.headers.tail.as_ref().map(|tail| tail.peer) {
            let peer = self.choose_header_peer(now, best, |peer| peer == giver);
            if peer.is_some() {
                return peer;
            }
            self.headers.tail = None;
        }
        let careful = self.careful.map(|careful| careful.peer);
        let one_of_two = self.choose_header_peer(now, best, |peer| careful == Some(peer));
        one_of_two.or_else(|| self.choose_header_peer(now, best, |_| true))
    }

    fn choose_header_peer(&self, now: Millis, best: Height, is_wanted: impl Fn(Peer) -> bool) -> Option<Peer> {
        let height = best.min(self.headers.end() + 1);
        let able = |peer, known: &Known| known.head.height >= height && known.told_all_until <= now && is_wanted(peer);
        self.peers.choose(now, self.config.in_flight_per_peer_max, &self.headers_tries.peers, able)
    }

    /// The lowest range of blocks that can be asked for, and of whom: who claims to have them, or gave the header.
    fn pick_bodies(&self, now: Millis) -> Option<(Height, Height, Peer)> {
        self.download.wanted(now).find_map(|(from, to, tries)| {
            let giver = self.headers.at(from).map(|(_, peer)| peer);
            let able = |peer: Peer, known: &Known| known.head.height >= from || giver == Some(peer);
            let peer = self.peers.choose(now, self.config.in_flight_per_peer_max, &tries.peers, able)?;
            Some((from, to, peer))
        })
    }

    fn may_hold_more(&self) -> bool {
        let open = self.open.len();
        let bytes = self.download.bytes() + (open + 1) * BLOCK_BYTES_MAX;
        open < self.config.in_flight_max && (open == 0 || bytes <= self.config.buffer_bytes_max)
    }

    /// Adds the next proven headers to what is wanted; false if there are none.
    fn extend_download(&mut self) -> bool {
        let from = self.download.end().unwrap_or(self.next).max(self.next);
        let to = self.headers.proven_end().height.min(from + self.config.range_blocks - 1);
        if from <= to {
            self.download.insert(from, Range::wanted(to));
        }
        from <= to
    }

    fn ask(&mut self, now: Millis, peer: Peer, from: Height, ask: Ask, effects: &mut Vec<SyncEffect>) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.peers.asked(peer, id);
        effects.push(SyncEffect::Request { peer, id, ask: ask.clone() });
        self.open.insert(id, Question { peer, ask, from, deadline: now + self.config.deadline });
        id
    }
}
