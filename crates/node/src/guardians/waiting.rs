//! A seat whose journal cannot be written: its machine stands still until it can, and the others go on.

use std::collections::VecDeque;
use vigil_consensus::Millis;
use vigil_consensus::finality::{CHECKPOINTS_KEPT, Effect, Input, SettledCheckpoint};
use vigil_primitives::FinalityCert;

/// Time between two attempts to write what must be durable, in milliseconds.
const RETRY: Millis = 500;

/// What is put off until the journal can be written.
pub(super) struct Waiting {
    /// The record first: before it is durable nothing of the rest may be performed.
    pub(super) effects: VecDeque<Effect>,
    /// What the machine was told meanwhile.
    pub(super) inputs: VecDeque<Input>,
    /// When to try again.
    pub(super) at: Millis,
}

impl Waiting {
    pub(super) fn new(effects: VecDeque<Effect>, now: Millis) -> Self {
        Self { effects, inputs: VecDeque::new(), at: now.saturating_add(RETRY) }
    }

    /// Keeps an input, however long it lasts in no more memory than neighbours and remembered checkpoints need. What neighbours
    /// say is not kept: they say it again.
    pub(super) fn hold(&mut self, input: Input) {
        match input {
            Input::Received { .. } | Input::ReceivedReset { .. } | Input::Timer => {}
            Input::Disconnected(gone) => {
                let before = self.inputs.len();
                self.inputs.retain(|held| !matches!(held, Input::Connected(peer) if *peer == gone));
                if self.inputs.len() == before {
                    self.inputs.push_back(input);
                }
            }
            Input::Settled(new) => self.settled(new),
            // The highest certificate says all that lower ones do.
            Input::Proven(new) => {
                let height = |cert: &FinalityCert| cert.checkpoint.height;
                let is_higher = |held: &Input| matches!(held, Input::Proven(old) if height(old) >= height(&new));
                if !self.inputs.iter().any(is_higher) {
                    self.inputs.retain(|held| !matches!(held, Input::Proven(_)));
                    self.inputs.push_back(Input::Proven(new));
                }
            }
            _ => self.inputs.push_back(input),
        }
    }

    fn settled(&mut self, new: Vec<SettledCheckpoint>) {
        let known = self.inputs.iter_mut().find_map(|held| match held {
            Input::Settled(known) => Some(known),
            _ => None,
        });
        match known {
            Some(known) => {
                known.extend(new);
                known.drain(..known.len().saturating_sub(CHECKPOINTS_KEPT));
            }
            None => self.inputs.push_back(Input::Settled(new)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use vigil_consensus::Peer;
    use vigil_primitives::{AggregatedVotes, BlsSignatureBytes, Checkpoint, GuardianSet, Hash};

    fn cert(height: u64) -> AggregatedVotes {
        let checkpoint = Checkpoint { height, ..Checkpoint::default() };
        AggregatedVotes { checkpoint, signers: Default::default(), signature: BlsSignatureBytes::ZERO }
    }

    #[test]
    fn what_is_held_is_bounded_and_in_order() {
        let mut waiting = Waiting::new(VecDeque::new(), 7);
        assert_eq!(waiting.at, 507);
        let set = Arc::new(GuardianSet::default());
        waiting.hold(Input::Disconnected(Peer(1)));
        waiting.hold(Input::Connected(Peer(2)));
        let rounds = 2 * CHECKPOINTS_KEPT as u64;
        for height in 1..=rounds {
            let peer = Peer(10 + height);
            waiting.hold(Input::Connected(peer));
            waiting.hold(Input::Received { from: peer, votes: cert(height) });
            waiting.hold(Input::Settled(vec![SettledCheckpoint { height, block_hash: Hash::ZERO, set: set.clone() }]));
            waiting.hold(Input::Proven(Arc::new(cert(height))));
            waiting.hold(Input::Timer);
            waiting.hold(Input::Disconnected(peer));
        }
        let held: Vec<&Input> = waiting.inputs.iter().collect();
        let [Input::Disconnected(Peer(1)), Input::Connected(Peer(2)), Input::Settled(settled), Input::Proven(proven)] =
            &held[..]
        else {
            panic!("{held:?}")
        };
        assert_eq!((settled.len(), settled.last().map(|last| last.height)), (CHECKPOINTS_KEPT, Some(rounds)));
        assert_eq!(proven.checkpoint.height, rounds);
    }

    #[test]
    fn the_highest_certificate_is_held() {
        let mut waiting = Waiting::new(VecDeque::new(), 0);
        for height in [10, 30, 20, 30] {
            waiting.hold(Input::Proven(Arc::new(cert(height))));
        }
        assert!(matches!(&waiting.inputs.make_contiguous()[..], [Input::Proven(cert)] if cert.checkpoint.height == 30));
    }
}
