//! Every block anybody ever made, judged by the simulator's own reading of `spec/consensus.md` §1.12: who is its
//! committee, whose turn it was, which change is pending. The invariants compare the machines with this.

use crate::committee::{Committee, Rotation};
use crate::ledger::{State, Toy};
use std::collections::HashMap;
use std::sync::Arc;
use vigil_primitives::{Block, Epoch, Hash, Height};

/// Number of a committee: how many changes led to it, and the block that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SetId {
    /// How many changes led to it; genesis 0.
    pub index: u64,
    /// The flagged block (genesis: the genesis block).
    pub made_by: Hash,
}

/// What is known about one block.
#[derive(Clone, Debug)]
pub struct Kin {
    /// The block.
    pub block: Arc<Block>,
    /// Its committee.
    pub set: SetId,
    /// The flagged ancestor that is not proven settled, if any.
    pub pending: Option<Hash>,
    /// The pool changed.
    pub flagged: bool,
    /// Its proposer had the turn.
    pub proposer_correct: bool,
    /// Epoch above the parent's, height one above.
    pub clocks_correct: bool,
    /// The state after it, or why there is none.
    pub state: Result<State, String>,
}

impl Kin {
    /// Height of the block.
    pub fn height(&self) -> Height {
        self.block.header.height
    }

    /// Epoch of the block.
    pub fn epoch(&self) -> Epoch {
        self.block.header.epoch
    }
}

/// The tree of all blocks.
#[derive(Clone)]
pub struct Lineage {
    toy: Toy,
    genesis: Hash,
    blocks: HashMap<Hash, Kin>,
    orphans: HashMap<Hash, Vec<Arc<Block>>>,
    rotations: HashMap<SetId, (Rotation, Committee)>,
}

impl Lineage {
    /// A tree of genesis alone.
    pub fn new(toy: Toy, genesis: Arc<Block>) -> Self {
        let hash = genesis.hash();
        let set = SetId { index: 0, made_by: hash };
        let committee = toy.committees[0].clone();
        let kin = Kin {
            state: Ok(toy.genesis()),
            block: genesis,
            set,
            pending: None,
            flagged: false,
            proposer_correct: true,
            clocks_correct: true,
        };
        Self {
            toy,
            genesis: hash,
            blocks: HashMap::from([(hash, kin)]),
            orphans: HashMap::new(),
            rotations: HashMap::from([(set, (Rotation::new(committee.clone(), 0), committee))]),
        }
    }

    /// Hash of genesis.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// A block by hash.
    pub fn get(&self, hash: &Hash) -> Option<&Kin> {
        self.blocks.get(hash)
    }

    /// The committee of a block.
    pub fn committee(&self, set: &SetId) -> &Committee {
        &self.rotations[set].1
    }

    /// Whose turn `epoch` is under a committee.
    pub fn turn(&mut self, set: &SetId, epoch: Epoch) -> Option<usize> {
        self.rotations.get_mut(set)?.0.proposer(epoch).map(|member| member.node)
    }

    /// The committee that a child of `parent` with the certificate of `hcc` would have.
    pub fn set_of_child(&self, parent: &Hash, hcc: &Hash) -> Option<(SetId, Option<Hash>)> {
        let above = self.get(parent)?;
        let pending = if above.flagged { Some(*parent) } else { above.pending };
        let Some(flagged) = pending else { return Some((above.set, None)) };
        if self.proves(hcc, &flagged) {
            return Some((SetId { index: self.get(&flagged)?.set.index + 1, made_by: flagged }, None));
        }
        Some((above.set, Some(flagged)))
    }

    /// True if a certificate of `certified` proves the flagged block settled.
    fn proves(&self, certified: &Hash, flagged: &Hash) -> bool {
        let (Some(c), Some(u)) = (self.get(certified), self.get(flagged)) else { return false };
        let header = &c.block.header;
        let Some(parent) = self.get(&header.parent) else { return false };
        header.links_directly() && parent.height() >= u.height() && c.set == u.set && parent.set == u.set
    }

    /// Enters a block, and those that waited for it. Known blocks and orphans cost nothing twice.
    pub fn enter(&mut self, hash: Hash, block: &Arc<Block>) {
        if self.blocks.contains_key(&hash) {
            return;
        }
        let parent = block.header.parent;
        if !self.blocks.contains_key(&parent) {
            let waiting = self.orphans.entry(parent).or_default();
            if !waiting.iter().any(|other| other.header == block.header) {
                waiting.push(block.clone());
            }
            return;
        }
        let kin = self.judge(block);
        if kin.flagged {
            self.found_committee(hash, &kin);
        }
        self.blocks.insert(hash, kin);
        for child in self.orphans.remove(&hash).unwrap_or_default() {
            self.enter(child.hash(), &child);
        }
    }

    fn judge(&mut self, block: &Arc<Block>) -> Kin {
        let header = &block.header;
        let (set, pending) = self.set_of_child(&header.parent, &header.hcc.block_hash).expect("the parent is known");
        let turn = self.rotations.get_mut(&set).and_then(|(rotation, _)| rotation.proposer(header.epoch));
        let proposer_correct = turn.is_some_and(|member| member.address == header.proposer);
        let parent = &self.blocks[&header.parent];
        let state = parent.state.as_ref().map_err(Clone::clone).and_then(|before| self.toy.execute(before, block));
        let flagged = matches!((&parent.state, &state), (Ok(before), Ok(after)) if before.committee != after.committee);
        let clocks_correct = header.epoch > parent.epoch() && header.height == parent.height() + 1;
        Kin { block: block.clone(), set, pending, flagged, proposer_correct, clocks_correct, state }
    }

    fn found_committee(&mut self, hash: Hash, kin: &Kin) {
        let Ok(state) = &kin.state else { return };
        let committee = self.toy.committees[usize::from(state.committee)].clone();
        let set = SetId { index: kin.set.index + 1, made_by: hash };
        self.rotations.insert(set, (Rotation::new(committee.clone(), kin.epoch()), committee));
    }

    /// The ancestor of `hash` at `height` (itself included), if the path is known.
    pub fn ancestor_at(&self, hash: &Hash, height: Height) -> Option<Hash> {
        let mut at = *hash;
        loop {
            let kin = self.get(&at)?;
            if kin.height() <= height {
                return (kin.height() == height).then_some(at);
            }
            at = kin.block.header.parent;
        }
    }

    /// True if `low` is `high` or an ancestor of it.
    pub fn descends(&self, high: &Hash, low: &Hash) -> bool {
        self.get(low).is_some_and(|kin| self.ancestor_at(high, kin.height()) == Some(*low))
    }

    /// The rank of a certificate for the block.
    pub fn rank(&self, hash: &Hash) -> Option<(u64, Height)> {
        self.get(hash).map(|kin| (kin.set.index, kin.height()))
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Never: there is always genesis.
    pub fn is_empty(&self) -> bool {
        false
    }
}
