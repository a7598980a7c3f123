//! What we say at the timeout of an epoch, and say again (§1.3 E1 and E4).

use crate::limits::PEERS_MAX;
use crate::machine::Machine;
use crate::{Effect, EpochCert, EpochChange, JournalRecord, Message, Peer};
use std::sync::Arc;
use vigil_primitives::{Address, Epoch, Signature};

impl Machine {
    /// E1 and E4: at the timeout, then every 7Δ.
    pub(crate) fn on_epoch_timer(&mut self) {
        if self.clock.deadline.is_none_or(|deadline| self.now.mono < deadline) {
            self.clock.armed[0] = None;
            return;
        }
        let sent_before = !self.clock.timed_out && self.own.change_target > self.clock.epoch;
        if self.config.rules.no_resend_timer_after_amplified_ec && sent_before {
            self.clock.deadline = None;
            return;
        }
        self.clock.deadline = Some(self.now.mono + 7 * self.config.delta);
        self.clock.timed_out = true;
        if !self.may_sign() {
            return;
        }
        let next = self.clock.epoch + 1;
        if self.own.change_target < next {
            self.make_change(next);
        }
        self.resend_own();
        if let Some(cert) = self.clock.cert.clone() {
            self.broadcast(Message::EpochCert(cert));
        }
        self.resend_highest();
    }

    /// Our latest `EpochChange` and vote. At start it lets those who know a later one tell us
    /// ([`Machine::remind`]).
    pub(crate) fn resend_own(&mut self) {
        if !self.may_sign() {
            return;
        }
        let Some(me) = self.config.me else { return };
        if !self.changes.contains_key(&me) {
            self.restore_change(); // we were no member when we started
        }
        if let Some(change) = self.changes.get(&me).cloned() {
            self.broadcast(Message::EpochChange(change));
        }
        if let Some(vote) = self.own.last_vote.clone() {
            self.broadcast(Message::Vote(vote));
        }
    }

    /// Our addition to E4: the highest certificate, unless it is the epoch's. Who missed the one that proves a set
    /// change counts by the old set, and the two sets could wait for each other for ever (§1.12 forwards it only once;
    /// found by the simulator, where sets differ).
    fn resend_highest(&mut self) {
        let Some(cert) = self.certs.get(&self.high).filter(|cert| !cert.hcc.votes.is_empty()) else { return };
        let is_epoch_cert =
            matches!(&self.clock.cert, Some(EpochCert::Commit(hcc)) if hcc.block_hash == cert.hcc.block_hash);
        if !is_epoch_cert {
            self.broadcast(Message::Certificate(cert.hcc.clone()));
        }
    }

    /// E4: whoever is behind gets the epoch certificate, once an epoch.
    pub(crate) fn help(&mut self, peer: Peer) {
        let Some(cert) = &self.clock.cert else { return };
        if self.clock.helped.len() < PEERS_MAX && self.clock.helped.insert(peer) {
            self.out.push(Effect::Send { to: peer, message: Message::EpochCert(cert.clone()) });
        }
    }

    /// Our addition to E4: somebody says less than it said before, perhaps because it forgot. It is told, once an
    /// epoch.
    pub(crate) fn remind(&mut self, peer: Peer, signer: &Address) {
        if self.clock.reminded.len() >= PEERS_MAX || !self.clock.reminded.insert(peer) {
            return;
        }
        let vote = self.tally.newest(signer).cloned().map(Message::Vote);
        let change = self.changes.get(signer).cloned().map(Message::EpochChange);
        let said = vote.into_iter().chain(change);
        self.out.extend(said.map(|message| Effect::Send { to: peer, message }));
    }

    fn sign_change(&self, target: Epoch) -> EpochChange {
        let (lock, last_vote) = (self.lock(), self.own.voted());
        let mut change = EpochChange {
            target_epoch: target,
            // Nobody's votes certify the first block of a segment: its height here is 0, wherever the segment begins.
            lock_height: if lock.cc.votes.is_empty() { 0 } else { lock.height },
            lock_hash: lock.hash,
            last_vote_height: last_vote.height,
            last_vote_hash: if last_vote.height > 0 { last_vote.hash } else { self.config.domain.genesis_hash },
            voter: self.config.me.expect("only who holds a key signs"),
            signature: Signature::none(),
            lock_cc: (!lock.cc.votes.is_empty()).then(|| Arc::new(lock.cc)),
        };
        change.signature = self.signer.sign(&change.digest(&self.config.domain));
        change
    }

    /// Journals and signs an `EpochChange`.
    fn make_change(&mut self, target: Epoch) -> EpochChange {
        self.journal(JournalRecord::EpochChange { target });
        let change = self.sign_change(target);
        self.changes.insert(change.voter, change.clone());
        change
    }

    pub(crate) fn send_change(&mut self, target: Epoch) {
        let change = self.make_change(target);
        self.broadcast(Message::EpochChange(change));
    }

    /// Holds our latest `EpochChange` again, as the journal has only its target.
    pub(crate) fn restore_change(&mut self) {
        if self.own.change_target > 0 && self.may_sign() {
            let change = self.sign_change(self.own.change_target);
            self.changes.insert(change.voter, change);
        }
    }
}
