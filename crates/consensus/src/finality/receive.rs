//! The checks on received votes, cheap ones first (§2.7).

use super::effect::{Effect, Penalty};
use super::machine::Machine;
use super::merge::Tally;
use super::subject::{Subject, Votes};
use crate::Peer;
use std::sync::Arc;
use vigil_crypto::checkpoint::Aggregate;
use vigil_crypto::signer_vectors;
use vigil_primitives::{AggregatedVotes, BlsSignatureBytes, GuardianSet, Hash, Height, ResetVotes};

impl Machine {
    pub(super) fn on_votes(&mut self, from: Peer, votes: AggregatedVotes) {
        let (checkpoint, now) = (votes.checkpoint, self.now);
        if self.peers.get(&from).is_none_or(|peer| peer.ignored) {
            return;
        }
        if checkpoint.resets < self.resets {
            return self.answer_reset(from);
        }
        if !self.is_open(&checkpoint) {
            return;
        }
        if checkpoint.height == 0 || !checkpoint.height.is_multiple_of(self.config.interval) {
            let (height, interval) = (checkpoint.height, self.config.interval);
            return self.penalize(from, Penalty::OffInterval { height, interval });
        }
        if checkpoint.height > self.chain.top() {
            if let Some(peer) = self.peers.get_mut(&from) {
                peer.park(now, votes);
            }
            return;
        }
        let Some(block) = self.chain.block_at(checkpoint.height) else { return };
        if block != checkpoint.block_hash {
            return self.on_other_block(from, votes);
        }
        let under_way = self.ballot.as_ref().and_then(|ballot| ballot.checkpoint());
        if under_way.is_some_and(|under_way| under_way.height == checkpoint.height) {
            self.on_ballot_votes(from, Paper::from(&votes));
        } else {
            self.on_old_votes(from, &votes);
        }
    }

    /// Votes on the reset that we take part in, or on one that we shall follow: a quorum is enough for that, and nothing
    /// less is looked at. The quorum is of the checkpoint that it goes on from: guardians of another one may be long gone.
    pub(super) fn on_reset_votes(&mut self, from: Peer, votes: &ResetVotes) {
        let subject = Subject::Reset(votes.reset);
        if self.peers.get(&from).is_none_or(|peer| peer.ignored) {
            return;
        }
        if votes.reset.number < self.resets {
            return self.answer_reset(from);
        }
        if self.ballot.as_ref().is_some_and(|ballot| ballot.subject == subject) {
            return self.on_ballot_votes(from, Paper::from(votes));
        }
        let Some(set) = self.chain.set_of(&votes.reset.checkpoint).cloned() else { return };
        let is_over = votes.reset.number == self.resets;
        match read(&set, votes) {
            Err(penalty) => self.penalize(from, penalty),
            Ok(tally) if !set.is_quorum(tally.weight) && is_over => self.answer_reset(from),
            Ok(tally) if set.is_quorum(tally.weight) && !is_over && self.may_judge(from) => {
                self.late.insert(from, (subject, set, tally));
            }
            Ok(_) => {}
        }
    }

    /// True once a round: what claims to be a quorum is dear to judge.
    fn may_judge(&mut self, from: Peer) -> bool {
        let (now, round) = (self.now, self.config.round);
        self.peers.get_mut(&from).is_some_and(|peer| peer.may_judge(now, round))
    }

    fn on_ballot_votes(&mut self, from: Peer, votes: Paper<'_>) {
        let Some(ballot) = &self.ballot else { return };
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let by_clock = (self.now - ballot.started) / self.config.round.max(1);
        if !peer.count(by_clock.max(u64::from(ballot.round))) {
            return self.penalize(from, Penalty::Flood);
        }
        peer.heard = true;
        match read(&ballot.set, votes) {
            Err(penalty) => self.penalize(from, penalty),
            Ok(tally) => {
                let Some(ballot) = &mut self.ballot else { return };
                if tally.gain_over(&ballot.set, ballot.current.as_ref()) > 0 {
                    ballot.candidates.insert(from, tally);
                } else {
                    // Whatever it said before it stands behind no more.
                    ballot.candidates.remove(&from);
                }
            }
        }
    }

    /// Votes on what is final, or was given up: whoever sends them lacks our certificate, unless it is one. Looked at once
    /// a round at most, whatever a neighbour sends.
    fn on_old_votes(&mut self, from: Peer, votes: &AggregatedVotes) {
        let (now, round, height) = (self.now, self.config.round, votes.checkpoint.height);
        if !self.peers.get_mut(&from).is_some_and(|peer| peer.may_answer(now, round)) {
            return;
        }
        let Some(set) = self.chain.set_at(height).cloned() else { return self.answer(from) };
        match read(&set, votes) {
            Err(penalty) => self.penalize(from, penalty),
            Ok(tally) if !set.is_quorum(tally.weight) => self.answer(from),
            Ok(tally) if height > self.chain.finalized_height() => {
                self.late.insert(from, (Subject::Checkpoint(votes.checkpoint), set, tally));
            }
            Ok(_) => {}
        }
    }

    /// Sends our certificate.
    fn answer(&mut self, to: Peer) {
        if let Some(cert) = self.chain.finalized().cloned() {
            self.out.push(Effect::Send { to, votes: cert });
        }
    }

    /// Sends the certificate of the last reset to who has not heard of it; once a round at most.
    fn answer_reset(&mut self, to: Peer) {
        let (now, round) = (self.now, self.config.round);
        if let Some(cert) = self.reset.clone()
            && self.peers.get_mut(&to).is_some_and(|peer| peer.may_answer(now, round))
        {
            self.out.push(Votes::Reset(cert).send(to));
        }
    }

    /// Looks again at votes that came too early.
    pub(super) fn unpark(&mut self, height: Height) {
        let (now, round) = (self.now, self.config.round);
        let parked = self.peers.iter_mut().flat_map(|(from, peer)| {
            let from = *from;
            peer.unpark(height, now, round).into_iter().map(move |votes| (from, votes))
        });
        for (from, votes) in parked.collect::<Vec<_>>() {
            self.on_votes(from, votes);
        }
    }

    pub(super) fn penalize(&mut self, peer: Peer, reason: Penalty) {
        if let Some(known) = self.peers.get_mut(&peer)
            && !known.ignored
        {
            known.ignored = true;
            self.out.push(Effect::Penalize { peer, reason });
        }
        if let Some(ballot) = &mut self.ballot {
            ballot.candidates.remove(&peer);
        }
    }
}

/// Votes without what they are on.
pub(super) struct Paper<'a> {
    set_hash: Hash,
    signers: &'a [u8],
    signature: &'a BlsSignatureBytes,
}

impl<'a> From<&'a AggregatedVotes> for Paper<'a> {
    fn from(votes: &'a AggregatedVotes) -> Self {
        Self { set_hash: votes.checkpoint.set_hash, signers: &votes.signers, signature: &votes.signature }
    }
}

impl<'a> From<&'a ResetVotes> for Paper<'a> {
    fn from(votes: &'a ResetVotes) -> Self {
        Self { set_hash: votes.reset.checkpoint.set_hash, signers: &votes.signers, signature: &votes.signature }
    }
}

/// Votes under the set that they must be of: set hash, vector, anybody in it. The signature is not looked at.
pub(super) fn read<'a>(set: &Arc<GuardianSet>, votes: impl Into<Paper<'a>>) -> Result<Tally, Penalty> {
    let votes = votes.into();
    if votes.set_hash != set.hash() {
        return Err(Penalty::WrongSet { got: votes.set_hash, expected: set.hash() });
    }
    let signers = signer_vectors::unpack(set.len(), votes.signers)?;
    let tally = Tally::new(set, Aggregate { signature: votes.signature.0, signers });
    if tally.weight == 0 { Err(Penalty::NoSigner) } else { Ok(tally) }
}
