//! A machine takes an input; what it asks for is done.

use super::{Event, World};
use crate::guardians::scenario::{self, DELAY, INTERVAL};
use std::sync::Arc;
use vigil_consensus::finality::{Effect, Input};
use vigil_primitives::rlp;

impl World {
    pub(super) fn step_if(&mut self, node: usize, incarnation: u32, input: Input) {
        if self.nodes[node].incarnation == incarnation {
            self.step(node, input);
        }
    }

    pub(super) fn step(&mut self, node: usize, input: Input) {
        let now = self.agenda.now();
        let Some(machine) = &mut self.nodes[node].machine else { return };
        let before = machine.view();
        let mut effects = Vec::new();
        machine.step(now, input, &mut effects);
        let after = machine.view();
        self.trace.fold(&[now, node as u64, effects.len() as u64, after.weight as u64]);
        self.checks.after_step(node, &before, &after);
        for effect in effects {
            self.perform(node, before.round, effect);
        }
    }

    fn perform(&mut self, node: usize, round: u32, effect: Effect) {
        self.checks.before_effect(&self.nodes, node, &effect);
        let incarnation = self.nodes[node].incarnation;
        match effect {
            Effect::Journal(record) => self.nodes[node].journal.push(record),
            Effect::Send { to, votes } => {
                let bytes = Arc::new(rlp::encode(votes.as_ref()));
                self.bytes += bytes.len() as u64;
                self.messages += 1;
                self.send(node, to.0 as usize, bytes);
            }
            Effect::Verify(job) => {
                let merged = self.signatures.merge(&job, &self.order);
                let input = Box::new(Input::Verified { id: job.id, merged });
                self.agenda.at(self.agenda.now() + scenario::VERIFY, Event::Verified { node, incarnation, input });
            }
            Effect::SetTimer(at) => self.agenda.at(at, Event::Timer { node, incarnation }),
            Effect::Finalized(cert) => {
                if cert.checkpoint.height == INTERVAL {
                    self.nodes[node].quorum_round.get_or_insert(round + 1);
                }
                self.nodes[node].finalized = Some(cert);
            }
            Effect::DoubleVote(_) | Effect::Penalize { .. } | Effect::Abstain { .. } => {}
            Effect::SendReset { .. } | Effect::Reset(_) => unreachable!("nobody asks for a reset"),
        }
    }

    /// Puts a message on its way.
    pub(in crate::guardians) fn send(&mut self, from: usize, to: usize, bytes: Arc<Vec<u8>>) {
        let delay = self.rng.between(DELAY / 5, DELAY);
        let link = (self.nodes[from].incarnation, self.nodes[to].incarnation);
        self.agenda.at(self.agenda.now() + delay, Event::Deliver { from, to, bytes, link });
    }
}
