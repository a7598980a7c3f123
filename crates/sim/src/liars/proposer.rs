//! What a liar does with its turn.

use super::ProposerLie;
use super::adversary::{Adversary, Parts, Shot};
use crate::agenda::Time;
use crate::ledger::ToyTx;
use crate::lineage::Lineage;
use crate::wire::Target;
use std::sync::Arc;
use vigil_primitives::{Block, Bytes, Hash};

impl Adversary {
    /// The turn of the liar with this index begins.
    pub(super) fn take_turn(&mut self, now: Time, liar: usize, mempool: &[ToyTx], lineage: &mut Lineage) -> Vec<Shot> {
        let best = self.seen.highest_certified(lineage);
        match self.lies.proposer {
            ProposerLie::Silent | ProposerLie::Honest => Vec::new(),
            ProposerLie::Equivocate => {
                let (left, right) = self.halves();
                let txs = self.txs_on(&best, mempool, lineage);
                let mut shots = self.block_to(now, liar, (best, best), txs, 0, Target::Some(left), lineage);
                shots.extend(self.block_to(now, liar, (best, best), Vec::new(), 1, Target::Some(right), lineage));
                shots
            }
            ProposerLie::StaleHcc => {
                let recent = self.seen.certified.iter().rev().take(4).copied().collect::<Vec<_>>();
                let parent = if self.rng.percent(50) || recent.is_empty() { best } else { *self.rng.pick(&recent) };
                let above = lineage.get(&parent).map_or(parent, |kin| kin.block.header.parent);
                let hcc = self.seen.certified_ancestor(&above, lineage);
                self.block_to(now, liar, (parent, hcc), Vec::new(), 0, Target::All, lineage)
            }
            ProposerLie::ToOne => {
                let one = *self.rng.pick(&self.honest);
                self.block_to(now, liar, (best, best), Vec::new(), 0, Target::One(one), lineage)
            }
            ProposerLie::ToSome => {
                let (some, _) = self.halves();
                let txs = self.txs_on(&best, mempool, lineage);
                self.block_to(now, liar, (best, best), txs, 0, Target::Some(some), lineage)
            }
            ProposerLie::RaiseHighest => {
                let votes = self.seen.last_votes.iter().filter(|(node, _)| self.honest.contains(node));
                let victim = votes.max_by_key(|(node, vote)| (vote.height, **node)).map(|(node, _)| *node);
                self.raise(now, liar, victim, lineage)
            }
            ProposerLie::RaiseRandom => {
                let victim = *self.rng.pick(&self.honest);
                self.raise(now, liar, Some(victim), lineage)
            }
            ProposerLie::PrivateTip => {
                let tip = self.private_tip.filter(|_| self.rng.percent(80)).unwrap_or(best);
                let hcc = self.seen.certified_ancestor(&tip, lineage);
                let to = if self.rng.percent(30) { Target::All } else { Target::One(*self.rng.pick(&self.honest)) };
                let shots = self.block_to(now, liar, (tip, hcc), Vec::new(), 0, to, lineage);
                if let Some(hash) = shots.iter().find_map(block_of) {
                    self.private_tip = Some(hash);
                }
                shots
            }
        }
    }

    /// Lures a voter one height up its own branch.
    fn raise(&mut self, now: Time, liar: usize, victim: Option<usize>, lineage: &mut Lineage) -> Vec<Shot> {
        let Some(victim) = victim else { return Vec::new() };
        let Some(last) = self.seen.last_votes.get(&victim) else { return Vec::new() };
        let (parent, source) = (last.block_hash, last.source_hash);
        let better = self.seen.certified_ancestor(&parent, lineage);
        let hcc = if self.rng.percent(70) { source } else { better };
        self.block_to(now, liar, (parent, hcc), Vec::new(), 0, Target::One(victim), lineage)
    }

    /// Forges a block, tells the lineage, lets the liars vote, and sends it within Δ.
    #[allow(clippy::too_many_arguments)]
    fn block_to(
        &mut self,
        now: Time,
        liar: usize,
        (parent, hcc): (Hash, Hash),
        txs: Vec<Bytes>,
        salt: u64,
        to: Target,
        lineage: &mut Lineage,
    ) -> Vec<Shot> {
        let wrong_root = self.rng.percent(3);
        let parts = Parts { parent, hcc, epoch: self.epoch, txs, salt, wrong_root };
        let Some(block) = self.forge(now, liar, &parts, lineage) else { return Vec::new() };
        let hash = block.hash();
        lineage.enter(hash, &block);
        let after = if self.rng.percent(50) { 0 } else { self.rng.between(0, 2 * self.delta) };
        let message = self.proposal(&block, lineage);
        let mut shots = vec![self.shot(after, liar, to, message)];
        shots.extend(self.block_was_proposed(hash, lineage));
        shots
    }

    /// A few transactions; now and then a set change, allowed or not.
    fn txs_on(&mut self, parent: &Hash, mempool: &[ToyTx], lineage: &Lineage) -> Vec<Bytes> {
        let Some(Ok(state)) = lineage.get(parent).map(|kin| &kin.state) else { return Vec::new() };
        let change = self.rng.percent(50);
        self.toy.choose(state, mempool, change)
    }

    fn halves(&mut self) -> (Vec<usize>, Vec<usize>) {
        let mut nodes: Vec<usize> = self.honest.clone();
        self.rng.shuffle(&mut nodes);
        let cut = 1 + self.rng.below(nodes.len());
        let right = nodes.split_off(cut.min(nodes.len()));
        (nodes, right)
    }
}

fn block_of(shot: &Shot) -> Option<Hash> {
    let block: Option<&Arc<Block>> = match &shot.message {
        vigil_consensus::Message::Proposal(proposal) => Some(&proposal.block),
        _ => None,
    };
    block.map(|block| block.hash())
}
