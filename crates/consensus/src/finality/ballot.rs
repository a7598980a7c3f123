//! The ballot under way: on a checkpoint, or on a reset.

use super::effect::Effect;
use super::machine::Machine;
use super::merge::Tally;
use super::subject::{Subject, Votes};
use crate::{Millis, Peer};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{Checkpoint, FinalityCert, GuardianSet};

/// Votes on one subject, until they are a quorum.
pub(crate) struct Ballot {
    pub(super) subject: Subject,
    pub(super) set: Arc<GuardianSet>,
    /// Our own vote, kept apart, so that it can always be added again.
    pub(super) share: Option<Tally>,
    /// What we say: it holds.
    pub(super) current: Option<Tally>,
    /// What `current` is on the wire.
    pub(super) message: Option<Votes>,
    /// Counts changes of `current`.
    pub(super) version: u64,
    /// The latest of each neighbour, unverified. Each has somebody whom `current` has not.
    pub(super) candidates: BTreeMap<Peer, Tally>,
    /// Rounds that are over.
    pub(super) round: u32,
    pub(super) round_started: Millis,
    pub(super) started: Millis,
}

impl Ballot {
    /// The current aggregate becomes `tally`; candidates that bring nothing more are dropped.
    pub(super) fn set_current(&mut self, tally: Tally) {
        let set = &self.set;
        self.candidates.retain(|_, candidate| candidate.gain_over(set, Some(&tally)) > 0);
        self.message = Some(self.subject.votes(&tally));
        self.current = Some(tally);
        self.version += 1;
    }

    /// Weight of the current aggregate, in wei.
    pub(super) fn weight(&self) -> u128 {
        self.current.as_ref().map_or(0, |current| current.weight)
    }

    /// The checkpoint that is voted on, if it is one.
    pub(super) fn checkpoint(&self) -> Option<&Checkpoint> {
        self.subject.checkpoint()
    }
}

impl Machine {
    /// Begins to vote. An unfinished earlier ballot is given up: to finalize a checkpoint finalizes what is below.
    pub(super) fn begin(&mut self, subject: Subject, set: Arc<GuardianSet>) {
        self.peers.values_mut().for_each(|peer| peer.turn_to(subject.topic()));
        let share = self.vote(&subject, &set);
        let now = self.now;
        let mut ballot = Ballot {
            subject,
            set,
            share: share.clone(),
            current: None,
            message: None,
            version: 0,
            candidates: BTreeMap::new(),
            round: 0,
            round_started: now,
            started: now,
        };
        if let Some(share) = share {
            ballot.set_current(share);
        }
        self.ballot = Some(ballot);
        self.arm();
        self.adopt_quorum_of_one();
        self.say();
    }

    /// A guardian that is a quorum alone needs nobody.
    fn adopt_quorum_of_one(&mut self) {
        let Some(ballot) = &self.ballot else { return };
        if let Some(current) = ballot.current.clone()
            && ballot.set.is_quorum(current.weight)
        {
            let (subject, set) = (ballot.subject, Arc::clone(&ballot.set));
            self.decide(&subject, &set, &current);
        }
    }

    /// Votes that hold and are a quorum.
    pub(super) fn decide(&mut self, subject: &Subject, set: &Arc<GuardianSet>, tally: &Tally) {
        debug_assert!(set.is_quorum(tally.weight), "only a quorum decides");
        match subject.votes(tally) {
            Votes::Checkpoint(cert) => self.note_final(&cert),
            Votes::Reset(cert) => self.note_reset(&cert, set),
        }
    }

    /// A certificate that holds: it is news, it is said once more, and nothing is merged after it.
    pub(super) fn note_final(&mut self, cert: &Arc<FinalityCert>) {
        if !self.chain.finalize(cert) {
            return;
        }
        let height = cert.checkpoint.height;
        let is_above = |ballot: &Ballot| ballot.checkpoint().is_none_or(|checkpoint| checkpoint.height > height);
        self.ballot = self.ballot.take().filter(is_above);
        self.out.push(Effect::Finalized(Arc::clone(cert)));
        self.tell_all(&Votes::Checkpoint(Arc::clone(cert)), Subject::Checkpoint(cert.checkpoint));
        self.accuse();
    }

    /// Tells a decision to all who may need it.
    pub(super) fn tell_all(&mut self, cert: &Votes, subject: Subject) {
        let topic = self.ballot.as_ref().map_or(subject, |ballot| ballot.subject).topic();
        for (to, peer) in &mut self.peers {
            peer.turn_to(topic);
            if !peer.has_quorum || self.ballot.is_some() {
                peer.may_answer(self.now, self.config.round);
                self.out.push(cert.send(*to));
            }
        }
    }
}
