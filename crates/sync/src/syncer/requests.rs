//! What to ask for, and of whom.

use super::Syncer;
use crate::download::{Download, Progress, Question, Range};
use crate::{Millis, Peer, SyncEffect};
use vigil_primitives::{BLOCK_BYTES_MAX, Height};

/// Ranges are asked for at most this many above the window.
const RANGES_AHEAD: u64 = 8;

impl Syncer {
    pub(super) fn request(&mut self, now: Millis, effects: &mut Vec<SyncEffect>) {
        let Some(best) = self.peers.best(now).filter(|_| self.active) else { return };
        self.download.drop_wanted_above(best);
        while self.may_ask() {
            if !self.download.has_wanted() && !self.extend(best) {
                return;
            }
            let Some((from, to, peer)) = self.pick(now) else { return };
            let id = self.download.ask(Question { peer, from, to, deadline: now + self.config.deadline });
            self.peers.asked(peer, id);
            if let Some(careful) = &mut self.careful {
                careful.peer = Some(peer);
            }
            effects.push(SyncEffect::Request { peer, id, from, max: to - from + 1 });
        }
    }

    fn may_ask(&self) -> bool {
        let open = self.download.open.len();
        let most = if self.careful.is_some() { 1 } else { self.config.in_flight_max };
        let bytes = self.download.bytes() + (open + 1) * BLOCK_BYTES_MAX;
        open < most && (open == 0 || bytes <= self.config.buffer_bytes_max)
    }

    /// The lowest range that can be asked for, and of whom.
    fn pick(&self, now: Millis) -> Option<(Height, Height, Peer)> {
        let per_peer = self.config.in_flight_per_peer_max;
        let choose = |from, tried: &[Peer]| self.peers.choose(from, per_peer, tried, now);
        self.download.ranges.iter().find_map(|(&from, range)| {
            let Progress::Wanted { tried, after } = &range.progress else { return None };
            if *after > now {
                return None;
            }
            let bound =
                self.careful.and_then(|careful| careful.peer).filter(|peer| self.peers.head(*peer).height >= from);
            let peer = bound.or_else(|| choose(from, tried)).or_else(|| choose(from, &[]))?;
            Some((from, range.to, peer))
        })
    }

    /// Adds the next range, up to the child of the best head; false if there is none to add.
    fn extend(&mut self, best: Height) -> bool {
        let mut from = self.download.end().unwrap_or(self.next).max(self.next);
        if from > best {
            // All is delivered. If the head has moved since, its child's certificate is still missing.
            if self.tip_asked >= best || !self.download.ranges.is_empty() {
                return false;
            }
            from = best.max(self.own.height + 1);
            self.next = from;
            self.delivered.split_off(&from);
        }
        if from > self.own.height + self.config.window + RANGES_AHEAD * self.config.range_blocks {
            return false;
        }
        let to = from.saturating_add(self.config.range_blocks - 1).min(best.saturating_add(1));
        if to > best {
            self.tip_asked = best;
        }
        self.download.ranges.insert(from, Range { to, progress: Download::wanted(Vec::new(), 0) });
        true
    }
}
