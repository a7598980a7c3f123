//! What corrupt guardians send while the chain is split and reset.

use super::scenario::ROUND;
use super::world::{Event, Gossip, World};
use crate::guardians::signatures::Bytes96;
use crate::invariants::Verdict;
use std::sync::Arc;
use vigil_crypto::signer_vectors;
use vigil_primitives::{AggregatedVotes, Checkpoint, Hash, Reset, ResetVotes, rlp};

/// One way to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    /// The votes of all liars on what the neighbour sees settled: valid, on both sides.
    BothSides,
    /// A quorum for what the neighbour sees settled, says the vector.
    ForgedFinal,
    /// The votes of all liars on the reset: valid.
    Reset,
    /// The same, on a reset with other offences.
    OtherReset,
    /// The same, on a reset of a later number.
    Later,
    /// A quorum for the reset, says the vector.
    ForgedReset,
    /// What was heard before, as it is: valid.
    Replay,
}

const ALL: [Lie; 7] =
    [Lie::BothSides, Lie::ForgedFinal, Lie::Reset, Lie::OtherReset, Lie::Later, Lie::ForgedReset, Lie::Replay];

impl World {
    /// A liar's turn: something for each neighbour.
    pub(super) fn attack(&mut self, liar: usize) -> Verdict {
        for to in self.nodes[liar].connected.clone() {
            let lie = *self.dice.pick(&ALL);
            if let Some(gossip) = self.tell(liar, to, lie) {
                self.forged += u64::from(matches!(lie, Lie::ForgedFinal | Lie::ForgedReset));
                self.gossip(liar, to, gossip);
            }
        }
        let after = self.dice.between(ROUND, 4 * ROUND);
        self.agenda.at(self.agenda.now() + after, Event::Attack { node: liar });
        Ok(())
    }

    fn tell(&self, liar: usize, to: usize, lie: Lie) -> Option<Gossip> {
        let checkpoint = || {
            let resets = self.nodes[to].reset.as_ref().map_or(0, |cert| cert.reset.number);
            let last = self.nodes[to].settled.last().filter(|last| last.height > self.finalized(to))?;
            Some(last.checkpoint(resets))
        };
        let reset = self.decision.as_ref().map(|(segment, _)| segment.reset);
        match lie {
            Lie::BothSides => checkpoint().and_then(|checkpoint| self.votes(checkpoint, false)),
            Lie::ForgedFinal => checkpoint().and_then(|checkpoint| self.votes(checkpoint, true)),
            Lie::Reset => self.reset_votes(reset?, false),
            Lie::OtherReset => self.reset_votes(Reset { offences: Hash::repeat_byte(6), ..reset? }, false),
            Lie::Later => self.reset_votes(Reset { number: 2, ..reset? }, false),
            Lie::ForgedReset => self.reset_votes(reset?, true),
            Lie::Replay => self.heard.get(&liar).cloned(),
        }
    }

    fn votes(&self, checkpoint: Checkpoint, forged: bool) -> Option<Gossip> {
        let (signers, signature) = self.sign(&checkpoint.message(&self.domain), forged)?;
        let votes = AggregatedVotes { checkpoint, signers: signers.into(), signature: signature.into() };
        Some(Gossip::Votes(Arc::new(rlp::encode(&votes))))
    }

    fn reset_votes(&self, reset: Reset, forged: bool) -> Option<Gossip> {
        let (signers, signature) = self.sign(&reset.message(&self.domain), forged)?;
        let votes = ResetVotes { reset, signers: signers.into(), signature: signature.into() };
        Some(Gossip::Reset(Arc::new(rlp::encode(&votes))))
    }

    /// The signatures of all liars, under their vector, or under that of everybody.
    fn sign(&self, message: &Hash, forged: bool) -> Option<(Vec<u8>, Bytes96)> {
        let liars = (0..self.scenario.guardians).filter(|guardian| self.plan.liars[*guardian]);
        let terms: Vec<(Bytes96, u8)> = liars.map(|liar| (self.signatures.sign(liar, message), 1)).collect();
        let vector: Vec<u8> = self.plan.liars.iter().map(|lies| u8::from(*lies || forged)).collect();
        Some((signer_vectors::pack(&vector), self.signatures.combine(&terms)?))
    }
}
