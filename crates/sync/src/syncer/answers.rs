//! Questions that are answered, late, or lost with their peer.

use super::{Careful, Syncer};
use crate::answer::{Chunk, check};
use crate::download::{Download, Progress, Question, Range};
use crate::{Fault, Millis, Peer, RangeAnswer, SyncEffect};

impl Syncer {
    pub(super) fn peer_gone(&mut self, peer: Peer) {
        self.peers.remove(peer);
        let open: Vec<u64> = self.download.open.iter().filter(|(_, q)| q.peer == peer).map(|(id, _)| *id).collect();
        for id in open {
            if let Some(question) = self.download.open.remove(&id)
                && self.download.waits_for(question.from, id)
            {
                self.want_again(question, None, 0);
            }
        }
    }

    pub(super) fn expire(&mut self, now: Millis, effects: &mut Vec<SyncEffect>) {
        let late: Vec<u64> = self.download.open.iter().filter(|(_, q)| q.deadline <= now).map(|(id, _)| *id).collect();
        for id in late {
            let Some(question) = self.download.open.remove(&id) else { continue };
            self.peers.answered(question.peer);
            let reason = format!("no answer for blocks {} to {}", question.from, question.to);
            effects.push(SyncEffect::Penalize { peer: question.peer, fault: Fault::Timeout, reason: reason.clone() });
            self.failed(now, id, question, reason);
        }
    }

    pub(super) fn answered(
        &mut self,
        now: Millis,
        id: u64,
        answer: Result<RangeAnswer, String>,
        effects: &mut Vec<SyncEffect>,
    ) {
        let Some(question) = self.download.open.remove(&id) else { return };
        let peer = question.peer;
        self.peers.answered(peer);
        let answer = match answer {
            Ok(answer) => answer,
            Err(reason) => return self.failed(now, id, question, reason),
        };
        match check(&answer, &self.chain_id, question.from, question.to - question.from + 1) {
            Err((fault, reason)) => {
                effects.push(SyncEffect::Penalize { peer, fault, reason: reason.clone() });
                self.failed(now, id, question, reason);
            }
            Ok(chunk) if chunk.blocks.is_empty() => {
                let claimed = self.peers.head(peer).height;
                let reason = format!("it claims height {claimed} and does not give block {}", question.from);
                effects.push(SyncEffect::Penalize { peer, fault: Fault::Unsolicited, reason: reason.clone() });
                self.peers.lower_head(peer, question.from.saturating_sub(1));
                self.failed(now, id, question, reason);
            }
            Ok(chunk) => {
                effects.push(SyncEffect::Reward(peer));
                self.peers.served_well(peer);
                self.hold(id, question, chunk);
            }
        }
    }

    /// Keeps the blocks of an answer; what it did not reach is wanted again, unless it lies above the peer's head.
    fn hold(&mut self, id: u64, question: Question, chunk: Chunk) {
        if !self.download.waits_for(question.from, id) {
            return;
        }
        let Some(last) = chunk.blocks.back().map(|held| held.block.header.height) else { return };
        let is_last = self.download.end() == Some(question.to.saturating_add(1));
        let reached_head = last >= self.peers.head(question.peer).height;
        self.download
            .ranges
            .insert(question.from, Range { to: last, progress: Progress::Held { peer: question.peer, chunk } });
        if last < question.to && !(is_last && reached_head) {
            let rest = Range { to: question.to, progress: Download::wanted(Vec::new(), 0) };
            self.download.ranges.insert(last + 1, rest);
        }
        self.download.drop_through(self.own.height);
    }

    /// A question has come to nothing: another peer is asked, after three of them with a pause.
    pub(super) fn failed(&mut self, now: Millis, id: u64, question: Question, reason: String) {
        self.peers.strike(question.peer, now + self.config.set_aside);
        if self.careful.is_some_and(|careful| careful.peer == Some(question.peer)) {
            self.careful = self.careful.map(|careful| Careful { peer: None, ..careful });
        }
        if self.download.waits_for(question.from, id) {
            self.error = Some(reason);
            self.want_again(question, Some(question.peer), now);
        }
    }

    fn want_again(&mut self, question: Question, failed: Option<Peer>, now: Millis) {
        let Some(range) = self.download.ranges.get_mut(&question.from) else { return };
        let Progress::Asked { tried, .. } = &range.progress else { return };
        let mut tried = tried.clone();
        tried.extend(failed);
        let all_tried = tried.len() > self.config.retries as usize;
        range.progress = match all_tried {
            true => Download::wanted(Vec::new(), now + self.config.pause),
            false => Download::wanted(tried, 0),
        };
    }
}
