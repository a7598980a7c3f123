//! What one honest node may sign: I5, I6, I7, I8, I10 to I12.

use super::{Verdict, broken};
use crate::lineage::Lineage;
use std::collections::HashMap;
use vigil_primitives::{Epoch, Hash, Height, Vote};

#[derive(Clone, Copy)]
struct Last {
    height: Height,
    epoch: Epoch,
    hash: Hash,
    source: Hash,
    source_rank: (u64, Height),
}

/// Everything honest nodes ever signed, as far as the rules look back.
#[derive(Clone)]
pub(super) struct Voting {
    last: Vec<Option<Last>>,
    proposals: Vec<HashMap<Epoch, Hash>>,
}

impl Voting {
    pub(super) fn new(nodes: usize) -> Self {
        Self { last: vec![None; nodes], proposals: vec![HashMap::new(); nodes] }
    }

    /// A vote leaves an honest node. True if it is a new one.
    pub(super) fn vote(
        &mut self,
        node: usize,
        vote: &Vote,
        durable: bool,
        settled: (Height, Hash),
        lineage: &Lineage,
    ) -> Result<bool, super::Violation> {
        if !durable {
            broken("I8", || format!("node {node} sent its vote for height {} before journalling it", vote.height))?;
        }
        if self.last[node].is_some_and(|last| last.hash == vote.block_hash) {
            return Ok(false);
        }
        let (Some(kin), Some(source_rank)) = (lineage.get(&vote.block_hash), lineage.rank(&vote.source_hash)) else {
            broken("I5", || format!("node {node} voted for {} or over a source that nobody made", vote.block_hash))?;
            return Ok(false);
        };
        let now = Last {
            height: vote.height,
            epoch: vote.block_epoch,
            hash: vote.block_hash,
            source: vote.source_hash,
            source_rank,
        };
        let says = (kin.height(), kin.epoch(), kin.block.header.hcc.block_hash) == (now.height, now.epoch, now.source);
        if !says || vote.source_rank() != source_rank {
            broken("I5", || format!("node {node}'s vote for {} does not say what the block says", now.hash))?;
        }
        if let Some(last) = self.last[node] {
            ordered(node, &last, &now)?;
        }
        if !lineage.descends(&now.hash, &now.source)
            || lineage.rank(&now.source).is_none_or(|rank| rank.1 >= now.height)
        {
            broken("I5", || format!("node {node} voted for {}, which does not descend from its source", now.hash))?;
        }
        let on_settled_chain = lineage.ancestor_at(&now.hash, settled.0) == Some(settled.1);
        if now.height <= settled.0 && !lineage.descends(&settled.1, &now.hash)
            || now.height > settled.0 && !on_settled_chain
        {
            broken("I6", || format!("node {node} voted for {} against its settled block {}", now.hash, settled.1))?;
        }
        if let Err(fault) = &kin.state {
            broken("I9", || format!("node {node} voted for the invalid block {}: {fault}", now.hash))?;
        }
        if !kin.clocks_correct || !kin.proposer_correct {
            broken("I10", || format!("node {node} voted for {} with a wrong epoch or proposer", now.hash))?;
        }
        if kin.flagged && kin.pending.is_some() {
            broken("I11", || format!("node {node} voted for {}, a second set change in flight", now.hash))?;
        }
        self.last[node] = Some(now);
        Ok(true)
    }

    /// A proposal of its own leaves an honest node.
    pub(super) fn proposal(&mut self, node: usize, hash: Hash, epoch: Epoch, durable: bool) -> Verdict {
        if !durable {
            broken("I8", || format!("node {node} sent its proposal of epoch {epoch} before journalling it"))?;
        }
        let first = *self.proposals[node].entry(epoch).or_insert(hash);
        if first == hash {
            return Ok(());
        }
        broken("I12", || format!("node {node} proposed {first} and {hash} in epoch {epoch}"))
    }

    /// The lock that a machine reports, against the votes that it sent.
    pub(super) fn lock(&self, node: usize, lock: (u64, Height, Hash), lineage: &Lineage) -> Verdict {
        let (set_index, height, hash) = lock;
        let Some(rank) = lineage.rank(&hash) else {
            return broken("I7", || format!("node {node} is locked on {hash}, which nobody made"));
        };
        if rank != (set_index, height) {
            return broken("I11", || format!("node {node} ranks its lock {:?}, it is {rank:?}", (set_index, height)));
        }
        let Some(last) = self.last[node] else { return Ok(()) };
        if height >= last.height || !lineage.descends(&last.hash, &hash) {
            return broken("I7", || {
                format!("node {node}: lock {hash} ({height}) is no proper ancestor of its last vote")
            });
        }
        if rank != last.source_rank {
            return broken("I7", || {
                format!("node {node}: lock at {rank:?}, last vote's source at {:?}", last.source_rank)
            });
        }
        Ok(())
    }
}

/// I5 of two votes of one node.
fn ordered(node: usize, last: &Last, now: &Last) -> Verdict {
    if now.height <= last.height {
        return broken("I5", || {
            format!(
                "node {node} voted at height {} after height {}: {} after {}",
                now.height, last.height, now.hash, last.hash
            )
        });
    }
    if now.epoch <= last.epoch {
        return broken("I5", || format!("node {node} voted in epoch {} after epoch {}", now.epoch, last.epoch));
    }
    if now.source_rank < last.source_rank {
        return broken("I5", || {
            format!("node {node}'s source went back: {:?} to {:?}", last.source_rank, now.source_rank)
        });
    }
    Ok(())
}
