//! Handing blocks over, and what happens when they do not chain.

use super::{Careful, SUSPECTS_MAX, Suspect, Syncer};
use crate::answer::Held;
use crate::download::{Download, Progress};
use crate::{Fault, Head, Millis, Peer, SyncEffect};
use vigil_primitives::{Hash, Height};

impl Syncer {
    /// Hands over what is held and chains, up to the window.
    pub(super) fn deliver(&mut self, now: Millis, effects: &mut Vec<SyncEffect>) {
        while let Some(mut first) = self.download.ranges.first_entry() {
            let from = *first.key();
            let Progress::Held { peer, chunk } = &mut first.get_mut().progress else { return };
            let peer = *peer;
            while chunk.blocks.front().is_some_and(|held| held.block.header.height < self.next) {
                chunk.blocks.pop_front();
            }
            let Some(held) = chunk.blocks.front() else {
                let certs = std::mem::take(&mut chunk.certs);
                first.remove();
                effects.extend(certs.into_iter().map(|cert| SyncEffect::Certificate { peer, cert }));
                continue;
            };
            let height = held.block.header.height;
            if height != self.next || height > self.own.height + self.config.window {
                return;
            }
            let below = self.delivered.get(&(height - 1)).copied();
            let expected = below.map_or(self.own.hash, |(hash, _)| hash);
            let claimed = held.block.header.parent;
            if claimed != expected {
                return self.contradiction(now, from, peer, claimed, below, effects);
            }
            let Some(Held { hash, block, .. }) = chunk.blocks.pop_front() else { return };
            if self.delivered.is_empty() {
                self.progress_at = now;
            }
            self.delivered.insert(height, (hash, peer));
            self.next += 1;
            effects.push(SyncEffect::Deliver { peer, hash, block });
        }
    }

    /// The block at `self.next` does not descend from the one below it: one of the two peers lies.
    fn contradiction(
        &mut self,
        now: Millis,
        from: Height,
        peer: Peer,
        claimed: Hash,
        below: Option<(Hash, Peer)>,
        effects: &mut Vec<SyncEffect>,
    ) {
        let height = self.next - 1;
        let reason = format!("its block {} has parent {claimed}, not our block {height}", self.next);
        self.peers.strike(peer, now + self.config.set_aside);
        self.error = Some(reason.clone());
        let Some((hash, other)) = below else {
            // Below is our settled head, which is not in question.
            effects.push(SyncEffect::Penalize { peer, fault: Fault::Invalid, reason });
            if let Some(range) = self.download.ranges.get_mut(&from) {
                range.progress = Download::wanted(vec![peer], 0);
            }
            return;
        };
        self.suspects.push(Suspect { height, hash: claimed, peer });
        self.suspects.push(Suspect { height, hash, peer: other });
        let over = self.suspects.len().saturating_sub(SUSPECTS_MAX);
        self.suspects.drain(..over);
        self.careful = Some(Careful { until: height, peer: None });
        self.forget();
    }

    /// Now that `head` is settled: who has told another hash? `chained`: what was delivered below it is its ancestry.
    pub(super) fn judge(&mut self, head: Head, chained: bool, effects: &mut Vec<SyncEffect>) {
        let (due, later) = std::mem::take(&mut self.suspects).into_iter().partition(|s| s.height <= head.height);
        self.suspects = later;
        let due: Vec<Suspect> = due;
        for Suspect { height, hash, peer } in due {
            let truth = match height == head.height {
                true => Some(head.hash),
                false => self.delivered.get(&height).filter(|_| chained).map(|(hash, _)| *hash),
            };
            if let Some(truth) = truth.filter(|truth| *truth != hash) {
                let reason = format!("it told {hash} for block {height}, settled is {truth}");
                effects.push(SyncEffect::Penalize { peer, fault: Fault::Invalid, reason });
            }
        }
    }
}
