//! Questions that are answered, late, or lost with their peer.

use super::Syncer;
use crate::answer::Body;
use crate::download::Question;
use crate::{Answer, AnswerError, Ask, Fault, Millis, Peer, SyncEffect};
use vigil_primitives::Hash;

impl Syncer {
    pub(super) fn peer_gone(&mut self, peer: Peer) {
        self.peers.remove(peer);
        let open: Vec<u64> = self.open.iter().filter(|(_, q)| q.peer == peer).map(|(id, _)| *id).collect();
        for id in open {
            let Some(question) = self.open.remove(&id) else { continue };
            match question.ask {
                Ask::Headers { .. } if self.headers_asked == Some(id) => self.headers_asked = None,
                Ask::Bodies(_) if self.download.waits_for(question.from, id) => {
                    self.download.want_again(question.from, |_| ());
                }
                _ => {}
            }
        }
        self.drop_tail_of(peer);
        self.careful.take_if(|careful| careful.peer == peer);
    }

    pub(super) fn expire(&mut self, now: Millis, effects: &mut Vec<SyncEffect>) {
        let late: Vec<u64> = self.open.iter().filter(|(_, q)| q.deadline <= now).map(|(id, _)| *id).collect();
        for id in late {
            let Some(question) = self.open.remove(&id) else { continue };
            self.peers.answered(question.peer);
            let reason = format!("no answer to a question from height {}", question.from);
            self.blame(now, question.peer, Fault::Timeout, reason, effects);
            self.failed(now, id, &question);
        }
    }

    pub(super) fn answered(
        &mut self,
        now: Millis,
        id: u64,
        answer: Result<Answer, AnswerError>,
        effects: &mut Vec<SyncEffect>,
    ) {
        let Some(question) = self.open.remove(&id) else { return };
        let peer = question.peer;
        self.peers.answered(peer);
        match (answer, &question.ask) {
            (Ok(Answer::Headers { links, tip }), Ask::Headers { max, .. }) if links.len() as u64 <= *max => {
                if self.headers_asked == Some(id) {
                    self.headers_asked = None;
                    self.headers_came(now, peer, links, tip, effects);
                }
                return;
            }
            (Ok(Answer::Bodies(bodies)), Ask::Bodies(hashes)) => match check_bodies(&bodies, hashes) {
                Ok(()) if !bodies.is_empty() => return self.bodies_came(id, &question, bodies, effects),
                Ok(()) => self.nothing_came(now, id, &question, effects),
                Err((fault, reason)) => self.blame(now, peer, fault, reason, effects),
            },
            (Ok(_), _) => self.blame(now, peer, Fault::Unsolicited, "it gives what was not asked for".into(), effects),
            (Err(AnswerError::Invalid(reason)), _) => self.blame(now, peer, Fault::Invalid, reason, effects),
            (Err(AnswerError::Failed(reason)), _) => {
                self.error = Some(reason);
                self.peers.strike(peer, now + self.config.set_aside);
            }
        }
        self.failed(now, id, &question);
    }

    /// No block at all. Who gave the header must have it; of the others some may never have held this branch.
    fn nothing_came(&mut self, now: Millis, id: u64, question: &Question, effects: &mut Vec<SyncEffect>) {
        if !self.download.waits_for(question.from, id) {
            return;
        }
        let reason = format!("it does not give block {}", question.from);
        if self.headers.at(question.from).is_some_and(|(_, giver)| giver == question.peer) {
            return self.blame(now, question.peer, Fault::Unsolicited, reason, effects);
        }
        self.error = Some(reason);
        self.peers.strike(question.peer, now + self.config.set_aside);
    }

    fn bodies_came(&mut self, id: u64, question: &Question, bodies: Vec<Body>, effects: &mut Vec<SyncEffect>) {
        self.reward(question.peer, effects);
        if self.download.waits_for(question.from, id) {
            self.download.hold(question.from, question.peer, bodies.into());
            self.download.drop_through(self.own.height);
        }
    }

    pub(super) fn reward(&mut self, peer: Peer, effects: &mut Vec<SyncEffect>) {
        self.peers.served_well(peer);
        effects.push(SyncEffect::Reward(peer));
    }

    /// A question has come to nothing: another peer is asked, after some of them with a pause.
    fn failed(&mut self, now: Millis, id: u64, question: &Question) {
        let (peer, retries, again) = (question.peer, self.config.retries, now + self.config.pause);
        match question.ask {
            Ask::Headers { .. } if self.headers_asked == Some(id) => {
                self.headers_asked = None;
                self.headers_tries.failed(peer, retries, again);
                self.drop_tail_of(peer);
            }
            Ask::Bodies(_) if self.download.waits_for(question.from, id) => {
                self.download.want_again(question.from, |tries| tries.failed(peer, retries, again));
            }
            _ => {}
        }
    }
}

/// The blocks must be those asked for, in that order, from the first on.
fn check_bodies(bodies: &[Body], hashes: &[Hash]) -> Result<(), (Fault, String)> {
    for (n, body) in bodies.iter().enumerate() {
        if hashes.get(n) == Some(&body.hash) {
            continue;
        }
        let fault = if hashes.contains(&body.hash) { Fault::Unsolicited } else { Fault::Invalid };
        return Err((fault, format!("block {} is not the one asked for", body.hash)));
    }
    Ok(())
}
