//! A vote arrives.

use crate::certs::is_sane;
use crate::machine::Machine;
use crate::{Input, Message, Peer, Penalty};
use vigil_primitives::Vote;

impl Machine {
    /// Checks the signatures of the votes among `inputs` in one batch, those that [`Machine::step`] would check: what is
    /// good is not checked again when the inputs are stepped. Changes nothing else.
    pub fn check_ahead(&mut self, inputs: &[Input]) {
        fn vote(input: &Input) -> Option<&Vote> {
            match input {
                Input::Received { message: Message::Vote(vote), .. } => Some(vote),
                _ => None,
            }
        }
        let will_check = |v: &&Vote| self.sets.any_contains(&v.voter) && is_sane(v) && !self.tally.contains(v);
        let votes: Vec<&Vote> = inputs.iter().filter_map(vote).filter(will_check).collect();
        if votes.len() > 1 {
            self.signer.verify_votes(&self.config.domain, votes);
        }
    }

    /// Strangers are refused before any signature is checked, and each signature is checked once. They are blamed only
    /// where the set is certain: somebody who is ahead of us may know a newer one.
    pub(crate) fn on_vote(&mut self, from: Peer, vote: Vote) {
        if !self.sets.any_contains(&vote.voter) {
            let certain = vote.height == self.tree.head().height + 1;
            return self.penalize(certain.then_some(from), Penalty::NotAMember);
        }
        if !is_sane(&vote) {
            return self.penalize(Some(from), Penalty::BadSignature);
        }
        if !self.tally.contains(&vote) {
            if !self.signer.verify_vote(&self.config.domain, &vote) {
                return self.penalize(Some(from), Penalty::BadSignature);
            }
            self.count_vote(&vote);
            self.report_lie(vote.clone());
            self.try_certify(&vote.block_hash);
        }
        if vote.block_epoch < self.clock.epoch {
            self.help(from);
        }
        if vote.block_epoch < self.tally.last_epoch(&vote.voter) {
            self.remind(from, &vote.voter);
        }
    }
}
