//! What the liars do with their votes.

use super::VoterLie;
use super::adversary::{Adversary, Shot};
use crate::lineage::Lineage;
use crate::wire::Target;
use vigil_consensus::Message;
use vigil_primitives::{Hash, Vote};

impl Adversary {
    /// A block was proposed by anybody; every liar has an opinion at once.
    pub(super) fn block_was_proposed(&mut self, block: Hash, lineage: &Lineage) -> Vec<Shot> {
        match self.lies.voter {
            VoterLie::Withhold => Vec::new(),
            VoterLie::Vote => self.vote_all(0, &block, &Target::All, lineage),
            VoterLie::Late => {
                let after = self.rng.between(2 * self.delta, 10 * self.delta);
                self.vote_all(after, &block, &Target::All, lineage)
            }
            VoterLie::CompleteForOne | VoterLie::CompleteForRandom => {
                if !self.held.contains(&block) {
                    self.held.push(block);
                    self.held.drain(..self.held.len().saturating_sub(16));
                }
                self.complete(&block, lineage)
            }
        }
    }

    /// Somebody voted: perhaps the liars' votes are now enough.
    pub(super) fn vote_was_cast(&mut self, vote: &Vote, lineage: &Lineage) -> Vec<Shot> {
        if !self.completes() || !self.held.contains(&vote.block_hash) {
            return Vec::new();
        }
        self.complete(&vote.block_hash, lineage)
    }

    /// If the honest votes seen and all liars' make a quorum: shows them to one node.
    fn complete(&mut self, block: &Hash, lineage: &Lineage) -> Vec<Shot> {
        let Some(kin) = lineage.get(block) else { return Vec::new() };
        let committee = lineage.committee(&kin.set);
        let liars: u64 = self.liars.iter().map(|liar| committee.weight_of(&liar.signer.address())).sum();
        let others: Vec<Vote> = self.seen.votes(block).cloned().collect();
        let weight: u64 = others.iter().map(|vote| committee.weight_of(&vote.voter)).sum();
        if !committee.is_quorum(weight + liars) {
            return Vec::new();
        }
        self.held.retain(|held| held != block);
        let one = match self.lies.voter {
            VoterLie::CompleteForOne => self.favourite,
            _ => *self.rng.pick(&self.honest),
        };
        let after = if self.rng.percent(50) { 0 } else { self.rng.between(0, 4 * self.delta) };
        let mut shots = self.vote_all(after, block, &Target::One(one), lineage);
        if let (Some(liar), Some(cert)) = (self.rng.percent(50).then_some(0), self.seen.cert(block, lineage))
            && !self.liars.is_empty()
        {
            shots.push(self.shot(after, liar, Target::One(one), Message::Certificate(cert)));
        }
        shots
    }

    fn vote_all(&mut self, after: u64, block: &Hash, to: &Target, lineage: &Lineage) -> Vec<Shot> {
        let mut shots = Vec::new();
        for liar in 0..self.liars.len() {
            if let Some(vote) = self.cast(liar, block, lineage) {
                shots.push(self.shot(after, liar, to.clone(), Message::Vote(vote)));
            }
        }
        shots
    }
}
