//! What the adversary has seen: everything that was ever sent.

use crate::lineage::Lineage;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use vigil_primitives::{Hash, Hcc, Vote};

/// The votes of all, and what follows from them.
#[derive(Clone, Default)]
pub struct Knowledge {
    votes: HashMap<Hash, BTreeMap<vigil_primitives::Address, Vote>>,
    /// Last vote of each node.
    pub last_votes: BTreeMap<usize, Vote>,
    /// Blocks with a certificate, in order of discovery.
    pub certified: Vec<Hash>,
    certs: HashMap<Hash, Arc<Hcc>>,
}

impl Knowledge {
    /// A vote was sent by a node. True if it is new.
    pub fn vote(&mut self, node: usize, vote: &Vote, lineage: &Lineage) -> bool {
        let votes = self.votes.entry(vote.block_hash).or_default();
        if votes.insert(vote.voter, vote.clone()).is_some() {
            return false;
        }
        if self.last_votes.get(&node).is_none_or(|last| last.height < vote.height) {
            self.last_votes.insert(node, vote.clone());
        }
        self.certify(&vote.block_hash, lineage);
        true
    }

    fn certify(&mut self, block: &Hash, lineage: &Lineage) {
        if self.certs.contains_key(block) {
            return;
        }
        let Some(kin) = lineage.get(block) else { return };
        let votes = &self.votes[block];
        let committee = lineage.committee(&kin.set);
        let members = || votes.values().filter(|vote| committee.weight_of(&vote.voter) > 0);
        if committee.is_quorum(members().map(|vote| committee.weight_of(&vote.voter)).sum()) {
            let hcc = Hcc { votes: members().cloned().collect(), block_hash: *block };
            self.certified.push(*block);
            self.certs.insert(*block, Arc::new(hcc));
        }
    }

    /// All votes for a block.
    pub fn votes(&self, block: &Hash) -> impl Iterator<Item = &Vote> {
        self.votes.get(block).into_iter().flat_map(BTreeMap::values)
    }

    /// A certificate; genesis has one without votes.
    pub fn cert(&self, block: &Hash, lineage: &Lineage) -> Option<Arc<Hcc>> {
        if *block == lineage.genesis() {
            return Some(Arc::new(Hcc { votes: Vec::new(), block_hash: *block }));
        }
        self.certs.get(block).cloned()
    }

    /// The certified block of highest rank (genesis at least).
    pub fn highest_certified(&self, lineage: &Lineage) -> Hash {
        let best = self.certified.iter().max_by_key(|hash| lineage.rank(hash));
        best.copied().unwrap_or_else(|| lineage.genesis())
    }

    /// The highest certified block among the ancestors of `block`, itself included.
    pub fn certified_ancestor(&self, block: &Hash, lineage: &Lineage) -> Hash {
        let mut at = *block;
        while let Some(kin) = lineage.get(&at) {
            if self.certs.contains_key(&at) {
                return at;
            }
            at = kin.block.header.parent;
        }
        lineage.genesis()
    }
}
