//! Messages leave: the honest are checked and overheard, the liars' words pass if they fit the lie.

use super::{Event, World};
use crate::invariants::Verdict;
use crate::liars::adversary::Shot;
use crate::wire::Target;
use std::sync::Arc;
use vigil_consensus::Message;

impl World {
    pub(super) fn enter_shots(&mut self, shots: Vec<Shot>) {
        for shot in shots {
            self.agenda.at(self.agenda.now() + shot.after, Event::Shot(Box::new(shot)));
        }
    }

    pub(super) fn shoot(&mut self, shot: Shot) -> Verdict {
        if let Message::Proposal(proposal) = &shot.message {
            self.checks.block_made(proposal.block.hash(), &proposal.block);
        }
        self.transmit(shot.from, &shot.to, Arc::new(shot.message));
        Ok(())
    }

    /// A machine sends: the honest are checked and overheard, the liars' words pass only if they fit the lie.
    pub(super) fn send(&mut self, node: usize, to: Target, message: Message) -> Verdict {
        if self.plan.lies(node) {
            if let Message::Proposal(proposal) = &message {
                self.checks.block_made(proposal.block.hash(), &proposal.block);
            }
            if self.adversary.passes(node, &message) {
                let shots = self.adversary.overhear(node, &message, &self.checks.lineage);
                self.enter_shots(shots);
                self.transmit(node, &to, Arc::new(message));
            }
            return Ok(());
        }
        self.check_sent(node, &message)?;
        self.checks.memory.said(node, &message, &self.checks.lineage)?;
        let shots = self.adversary.overhear(node, &message, &self.checks.lineage);
        self.enter_shots(shots);
        self.transmit(node, &to, Arc::new(message));
        Ok(())
    }

    pub(super) fn check_sent(&mut self, node: usize, message: &Message) -> Verdict {
        let me = self.adversary.address(node);
        let shell = &self.shells[node];
        match message {
            Message::Vote(vote) if vote.voter == me && !self.plan.is_faulty(node) => {
                let durable = shell.has_journalled_vote(&vote.block_hash);
                self.checks.honest_vote(node, vote, durable)
            }
            Message::EpochChange(change) if change.voter == me => {
                let durable = shell.has_journalled_change(change.target_epoch);
                self.checks.honest_epoch_change(node, change.target_epoch, durable)
            }
            Message::Proposal(proposal) => {
                let hash = proposal.block.hash();
                self.checks.block_made(hash, &proposal.block);
                let header = &proposal.block.header;
                if header.proposer != me || self.plan.is_faulty(node) {
                    return Ok(());
                }
                let durable = shell.has_journalled_proposal(header.epoch, hash);
                self.checks.honest_proposal(node, hash, &proposal.block, durable)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn transmit(&mut self, from: usize, to: &Target, message: Arc<Message>) {
        let everyone: Vec<usize>;
        let receivers = match to {
            Target::One(node) => std::slice::from_ref(node),
            Target::Some(nodes) => nodes.as_slice(),
            Target::All => {
                everyone = (0..self.plan.nodes).collect();
                &everyone
            }
        };
        for receiver in receivers.iter().copied().filter(|node| *node != from && *node < self.plan.nodes) {
            for at in self.network.send(self.agenda.now(), from, receiver) {
                self.agenda.at(at, Event::Deliver { from, to: receiver, message: message.clone() });
            }
        }
    }
}
