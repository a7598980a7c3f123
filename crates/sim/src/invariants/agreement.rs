//! One chain: I1, I2, I4, I9, and the validity of what is settled (I10, I11).

use super::{Verdict, broken};
use crate::lineage::{Lineage, SetId};
use std::collections::HashMap;
use vigil_primitives::{Hash, Height, Vote};

/// Who settled what, and what could be certified.
#[derive(Clone)]
pub(super) struct Agreement {
    chain: Vec<Hash>,
    heads: Vec<(Height, Hash)>,
    voters: HashMap<Hash, Vec<usize>>,
    certifiable: HashMap<(SetId, Height), Hash>,
}

impl Agreement {
    pub(super) fn new(genesis: Hash, nodes: usize) -> Self {
        Self {
            chain: vec![genesis],
            heads: vec![(0, genesis); nodes],
            voters: HashMap::new(),
            certifiable: HashMap::new(),
        }
    }

    /// Last settled block of a node.
    pub(super) fn head(&self, node: usize) -> (Height, Hash) {
        self.heads[node]
    }

    /// A node's chain database is an older copy: it settles again from there.
    pub(super) fn restored(&mut self, node: usize, head: (Height, Hash)) {
        self.heads[node] = head;
    }

    /// The highest block settled by anybody.
    pub(super) fn top(&self) -> (Height, Hash) {
        (self.chain.len() as Height - 1, *self.chain.last().expect("genesis at least"))
    }

    /// I4, in its strongest form: a certificate counts as existing as soon as the honest votes and *all* liars' suffice.
    pub(super) fn tally(&mut self, node: usize, vote: &Vote, lineage: &Lineage, liars: &[usize]) -> Verdict {
        let Some(kin) = lineage.get(&vote.block_hash) else {
            return broken("I5", || format!("node {node} voted for a block nobody made: {}", vote.block_hash));
        };
        let voters = self.voters.entry(vote.block_hash).or_default();
        if voters.contains(&node) {
            return Ok(());
        }
        voters.push(node);
        let committee = lineage.committee(&kin.set);
        let weight = committee.weight_of_nodes(voters) + committee.weight_of_nodes(liars);
        if !committee.is_quorum(weight) {
            return Ok(());
        }
        let first = *self.certifiable.entry((kin.set, kin.height())).or_insert(vote.block_hash);
        if first == vote.block_hash {
            return Ok(());
        }
        let (height, index) = (kin.height(), kin.set.index);
        broken("I4", || format!("two certificates at height {height} of set {index}: {first} and {}", vote.block_hash))
    }

    /// The next block of a node's settled chain.
    pub(super) fn settle(&mut self, node: usize, hash: Hash, executed: bool, lineage: &Lineage) -> Verdict {
        let Some(kin) = lineage.get(&hash) else {
            return broken("I9", || format!("node {node} settled a block nobody made: {hash}"));
        };
        let (height, head) = self.heads[node];
        let at = kin.height();
        if at != height + 1 {
            return broken("I2", || format!("node {node} settled height {at} after height {height}"));
        }
        if kin.block.header.parent != head {
            return broken("I1", || format!("node {node} settled {hash} at {at}, no child of its head {head}"));
        }
        match self.chain.get(at as usize) {
            None => self.chain.push(hash),
            Some(other) if *other == hash => {}
            Some(other) => {
                return broken("I1", || format!("node {node} settled {hash} at height {at}, another settled {other}"));
            }
        }
        self.heads[node] = (at, hash);
        if !executed {
            return broken("I9", || format!("node {node} settled {hash} at height {at} without executing it"));
        }
        if let Err(fault) = &kin.state {
            return broken("I9", || format!("node {node} settled {hash} at height {at}, which is invalid: {fault}"));
        }
        if !kin.clocks_correct || !kin.proposer_correct {
            return broken("I10", || format!("{hash} settled at height {at} has a wrong epoch or proposer"));
        }
        if kin.flagged && kin.pending.is_some() {
            return broken("I11", || {
                format!("{hash} settled at height {at} changes the set while a change is pending")
            });
        }
        Ok(())
    }
}
