//! The rounds of a ballot (§2.2): choose, let the sum be judged, say it.

use super::effect::{Effect, Job, Penalty};
use super::machine::{Machine, Pending, Purpose};
use super::merge::{Tally, best_plan};
use super::subject::Subject;
use super::{BASES, REPEAT_ROUNDS};
use crate::Peer;
use std::sync::Arc;
use vigil_crypto::checkpoint::{Aggregate, Merged, Sum};
use vigil_primitives::GuardianSet;

/// What goes into a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// What we said last.
    Current,
    /// Our own vote.
    Share,
    /// A candidate.
    Neighbour(Peer),
}

impl Machine {
    /// Ends the round if it is time, or if everybody was heard.
    pub(super) fn drive(&mut self) {
        if self.pending.is_some() {
            return;
        }
        self.judge_quorum();
        self.judge_late();
        if self.pending.is_none() && self.round_is_over() {
            self.end_round();
        }
        if self.pending.is_none() {
            self.judge_conflict();
        }
    }

    fn round_is_over(&self) -> bool {
        let Some(ballot) = &self.ballot else { return false };
        let mut awaited = self.peers.values().filter(|peer| !peer.ignored && !peer.has_quorum).peekable();
        let all_heard = awaited.peek().is_some() && awaited.all(|peer| peer.heard);
        self.now >= ballot.round_started + self.config.round || all_heard
    }

    /// A candidate that is a quorum by itself is judged alone: nothing is better.
    fn judge_quorum(&mut self) {
        let Some(ballot) = &self.ballot else { return };
        let quorum = ballot.candidates.iter().find(|(_, candidate)| ballot.set.is_quorum(candidate.weight));
        if let Some((from, candidate)) = quorum {
            let (purpose, parts) = (Purpose::Quorum(*from), vec![Arc::clone(&candidate.votes)]);
            let (subject, set) = (ballot.subject, Arc::clone(&ballot.set));
            self.verify(purpose, subject, set, parts);
        }
    }

    /// A quorum for a checkpoint that was given up, or for a reset that we do not take part in.
    fn judge_late(&mut self) {
        if self.pending.is_some() {
            return;
        }
        if let Some((from, (subject, set, tally))) = self.late.pop_first() {
            self.verify(Purpose::Quorum(from), subject, set, vec![tally.votes]);
        }
    }

    /// Merges what came, or, if nothing did, begins the next round.
    fn end_round(&mut self) {
        let Some(ballot) = &self.ballot else { return };
        let share = ballot.share.iter().map(|tally| (Source::Share, tally));
        let current = ballot.current.iter().map(|tally| (Source::Current, tally));
        let candidates = ballot.candidates.iter().map(|(from, tally)| (Source::Neighbour(*from), tally));
        let (sources, items): (Vec<Source>, Vec<&Tally>) = share.chain(current).chain(candidates).unzip();
        let share = ballot.share.is_some().then_some(0);
        let mut bases: Vec<usize> = (0..items.len()).collect();
        bases.sort_by_key(|i| std::cmp::Reverse((sources[*i] == Source::Current, items[*i].weight)));
        bases.truncate(BASES);
        let plan = best_plan(&ballot.set, &items, share, &bases).filter(|plan| plan.weight > ballot.weight());
        match plan {
            Some(plan) => {
                let parts = plan.chosen.iter().map(|i| Arc::clone(&items[*i].votes)).collect();
                let purpose = Purpose::Round(plan.chosen.iter().map(|i| sources[*i]).collect());
                let (subject, set) = (ballot.subject, Arc::clone(&ballot.set));
                self.verify(purpose, subject, set, parts);
            }
            None => self.next_round(),
        }
    }

    pub(super) fn verify(
        &mut self,
        purpose: Purpose,
        subject: Subject,
        set: Arc<GuardianSet>,
        parts: Vec<Arc<Aggregate>>,
    ) {
        self.jobs += 1;
        let (id, message) = (self.jobs, subject.message(&self.config.domain));
        self.pending = Some(Pending { id, subject, set: Arc::clone(&set), purpose });
        self.out.push(Effect::Verify(Box::new(Job { id, message, set, parts })));
    }

    pub(super) fn on_verified(&mut self, id: u64, merged: Merged) {
        let Some(pending) = self.pending.take_if(|pending| pending.id == id) else { return };
        let Pending { subject, set, purpose, .. } = pending;
        match purpose {
            Purpose::Quorum(from) => {
                if self.blame(&subject, &[Source::Neighbour(from)], &merged)
                    && let Some(tally) = tally_of(&set, merged.sum)
                {
                    self.mark_quorum(from, &subject);
                    self.decide(&subject, &set, &tally);
                }
            }
            Purpose::Round(sources) => {
                // With a culprit among them it is chosen again: what was merged with it may have been a bad choice.
                if self.blame(&subject, &sources, &merged)
                    && let Some(tally) = tally_of(&set, merged.sum)
                {
                    self.adopt(&subject, tally);
                }
            }
            Purpose::Conflict(from, votes) => self.on_conflict_judged(from, &votes, &set, &merged),
        }
    }

    /// Drops and blames whose votes do not hold. True if all do.
    fn blame(&mut self, subject: &Subject, sources: &[Source], merged: &Merged) -> bool {
        let mut all_hold = true;
        for (source, verdict) in sources.iter().zip(&merged.verdicts) {
            let (Source::Neighbour(peer), Err(reject)) = (source, verdict) else { continue };
            all_hold = false;
            if let Some(ballot) = self.ballot.as_mut().filter(|ballot| ballot.subject == *subject) {
                ballot.candidates.remove(peer);
            }
            self.penalize(*peer, Penalty::Votes(*reject));
        }
        all_hold
    }

    /// The sum of a round holds.
    fn adopt(&mut self, subject: &Subject, tally: Tally) {
        let Some(ballot) = self.ballot.as_mut().filter(|ballot| ballot.subject == *subject) else { return };
        if tally.weight > ballot.weight() {
            if ballot.set.is_quorum(tally.weight) {
                let set = Arc::clone(&ballot.set);
                return self.decide(subject, &set, &tally);
            }
            ballot.set_current(tally);
        }
        self.next_round();
    }

    fn next_round(&mut self) {
        let Some(ballot) = &mut self.ballot else { return };
        ballot.round += 1;
        ballot.round_started = self.now;
        self.peers.values_mut().for_each(|peer| peer.heard = false);
        self.arm();
        self.say();
    }

    /// Says what we have to those who may need it: what is new at once, what they have heard again after a while.
    pub(super) fn say(&mut self) {
        let Some(ballot) = &self.ballot else { return };
        let Some(message) = &ballot.message else { return };
        for (to, peer) in self.peers.iter_mut().filter(|(_, peer)| !peer.has_quorum) {
            let due = peer
                .sent
                .is_none_or(|(version, round)| version != ballot.version || ballot.round >= round + REPEAT_ROUNDS);
            if due {
                peer.sent = Some((ballot.version, ballot.round));
                self.out.push(message.send(*to));
            }
        }
    }

    pub(super) fn arm(&mut self) {
        if let Some(ballot) = &self.ballot {
            self.out.push(Effect::SetTimer(ballot.round_started + self.config.round));
        }
    }

    fn mark_quorum(&mut self, from: Peer, subject: &Subject) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.turn_to(subject.topic());
            peer.has_quorum = true;
        }
    }
}

/// Sums of a plan have entries of at most 255; with parts left out they are smaller still.
fn tally_of(set: &GuardianSet, sum: Option<Sum>) -> Option<Tally> {
    let Sum { signature, signers } = sum?;
    let signers: Vec<u8> = signers.into_iter().map(u8::try_from).collect::<Result<_, _>>().ok()?;
    (signers.len() == set.len()).then(|| Tally::new(set, Aggregate { signature, signers }))
}
