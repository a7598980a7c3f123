//! Votes on another block than the settled one: who is in both voted twice (§3.4).

use super::effect::{Effect, Penalty};
use super::machine::{Machine, Purpose};
use super::merge::Tally;
use super::receive::read;
use super::subject::{Subject, Votes};
use crate::Peer;
use std::sync::Arc;
use vigil_crypto::checkpoint::Merged;
use vigil_primitives::{AggregatedVotes, GuardianSet};

/// Judged votes on other blocks that are remembered, votes that wait to be judged, and those of a neighbour that are looked
/// at for one checkpoint.
pub(crate) const OTHERS_MAX: usize = 8;

/// Votes that hold, on a block that is not settled here.
pub(crate) struct Other {
    votes: AggregatedVotes,
    tally: Tally,
    /// What the guardians weigh that were accused of being in both.
    accused: u128,
}

impl Machine {
    /// Each neighbour may send one such aggregate a checkpoint, and one that is a quorum. Votes under a guardian set that is not known here cannot
    /// be judged, and say nothing about the sender.
    pub(super) fn on_other_block(&mut self, from: Peer, votes: AggregatedVotes) {
        let Some(set) = self.chain.set_at(votes.checkpoint.height) else { return };
        let Some(peer) = self.peers.get_mut(&from) else { return };
        peer.others += 1;
        if peer.others > OTHERS_MAX {
            return;
        }
        let Ok(tally) = read(set, &votes) else { return };
        let judged = &mut peer.judged[usize::from(set.is_quorum(tally.weight))];
        if !*judged && self.suspects.len() < OTHERS_MAX {
            *judged = true;
            self.suspects.push((from, votes));
        }
    }

    pub(super) fn judge_conflict(&mut self) {
        while let Some((from, votes)) = self.suspects.pop() {
            let checkpoint = votes.checkpoint;
            let Some(set) = self.chain.set_at(checkpoint.height).cloned() else { continue };
            let Ok(tally) = read(&set, &votes) else { continue };
            return self.verify(
                Purpose::Conflict(from, votes),
                Subject::Checkpoint(checkpoint),
                set,
                vec![tally.votes],
            );
        }
    }

    pub(super) fn on_conflict_judged(
        &mut self,
        from: Peer,
        votes: &AggregatedVotes,
        set: &Arc<GuardianSet>,
        merged: &Merged,
    ) {
        if let Some(Err(reject)) = merged.verdicts.first() {
            return self.penalize(from, Penalty::Votes(*reject));
        }
        let Ok(tally) = read(set, votes) else { return };
        if set.is_quorum(tally.weight) {
            self.forked = self.forked.max(Some(votes.checkpoint.height));
        }
        if self.others.len() == OTHERS_MAX {
            self.others.remove(0);
        }
        self.others.push(Other { votes: votes.clone(), tally, accused: 0 });
        self.accuse();
    }

    /// Compares with what holds on the settled blocks; again whenever that has grown.
    pub(super) fn accuse(&mut self) {
        for other in &mut self.others {
            let height = other.votes.checkpoint.height;
            let running = match self.ballot.as_ref().and_then(|ballot| ballot.message.as_ref()) {
                Some(Votes::Checkpoint(votes)) if votes.checkpoint.height == height => Some(votes),
                _ => None,
            };
            let ours = running.or(self.chain.finalized().filter(|cert| cert.checkpoint.height == height));
            let (Some(ours), Some(set)) = (ours, self.chain.set_at(height)) else { continue };
            let Ok(tally) = read(set, ours.as_ref()) else { continue };
            let both = other.tally.weight - other.tally.gain_over(set, Some(&tally));
            if both > other.accused {
                other.accused = both;
                self.out.push(Effect::DoubleVote(Box::new((ours.as_ref().clone(), other.votes.clone()))));
            }
        }
    }
}
