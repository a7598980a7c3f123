//! The checkpoint under way.

use super::effect::Effect;
use super::machine::Machine;
use super::merge::Tally;
use crate::{Millis, Peer};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_crypto::signer_vectors;
use vigil_primitives::{AggregatedVotes, Checkpoint, FinalityCert, GuardianSet, Height};

/// Votes on the highest settled checkpoint, until it is final.
pub(crate) struct Ballot {
    pub(super) checkpoint: Checkpoint,
    pub(super) set: Arc<GuardianSet>,
    /// Our own vote, kept apart, so that it can always be added again.
    pub(super) share: Option<Tally>,
    /// What we say: it holds.
    pub(super) current: Option<Tally>,
    /// What `current` is on the wire.
    pub(super) message: Option<Arc<AggregatedVotes>>,
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
        self.message = Some(Arc::new(wire(self.checkpoint, &tally)));
        self.current = Some(tally);
        self.version += 1;
    }

    /// Weight of the current aggregate, in wei.
    pub(super) fn weight(&self) -> u128 {
        self.current.as_ref().map_or(0, |current| current.weight)
    }
}

/// An aggregate as it is sent and stored.
pub(super) fn wire(checkpoint: Checkpoint, tally: &Tally) -> AggregatedVotes {
    let signers = signer_vectors::pack(&tally.votes.signers).into();
    AggregatedVotes { checkpoint, signers, signature: tally.votes.signature.into() }
}

impl Machine {
    /// Begins to vote on a settled checkpoint. An unfinished earlier one is given up: to finalize this one finalizes it.
    pub(super) fn begin(&mut self, height: Height) {
        let Some(set) = self.chain.set_at(height).cloned() else { return };
        let Some(block_hash) = self.chain.block_at(height) else { return };
        let checkpoint = Checkpoint { resets: self.config.resets, height, block_hash, set_hash: set.hash() };
        self.peers.values_mut().for_each(|peer| peer.turn_to(height));
        let share = self.vote(&checkpoint, &set);
        let now = self.now;
        let mut ballot = Ballot {
            checkpoint,
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
        self.unpark(height);
    }

    /// A guardian that is a quorum alone needs nobody.
    fn adopt_quorum_of_one(&mut self) {
        let Some(ballot) = &self.ballot else { return };
        if let Some(current) = ballot.current.clone()
            && ballot.set.is_quorum(current.weight)
        {
            let (checkpoint, set) = (ballot.checkpoint, Arc::clone(&ballot.set));
            self.finalize(checkpoint, &set, &current);
        }
    }

    /// Votes that hold and are a quorum: the checkpoint is final.
    pub(super) fn finalize(&mut self, checkpoint: Checkpoint, set: &GuardianSet, tally: &Tally) {
        debug_assert!(set.is_quorum(tally.weight), "only a quorum finalizes");
        let cert = Arc::new(wire(checkpoint, tally));
        self.note_final(&cert);
    }

    /// A certificate that holds: it is news, it is said once more, and nothing is merged after it.
    pub(super) fn note_final(&mut self, cert: &Arc<FinalityCert>) {
        if !self.chain.finalize(cert) {
            return;
        }
        let height = cert.checkpoint.height;
        self.ballot = self.ballot.take().filter(|ballot| ballot.checkpoint.height > height);
        self.out.push(Effect::Finalized(Arc::clone(cert)));
        for (to, peer) in &mut self.peers {
            peer.turn_to(self.ballot.as_ref().map_or(height, |ballot| ballot.checkpoint.height));
            if !peer.has_quorum || self.ballot.is_some() {
                peer.may_answer(self.now, self.config.round);
                self.out.push(Effect::Send { to: *to, votes: Arc::clone(cert) });
            }
        }
        self.accuse();
    }
}
