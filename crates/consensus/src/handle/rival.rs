//! Two blocks of one proposer and epoch: proof of a fault (§3.4), however late the second one comes.

use crate::limits::PROPOSALS_REMEMBERED_MAX;
use crate::machine::Machine;
use crate::{Message, Peer, Penalty};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{Address, Block, BlockHeader, Epoch, Evidence, Hash};

/// The first header of each turn that was on the tree, whatever became of its block; the oldest epochs give way.
#[derive(Clone, Default)]
pub(crate) struct Proposed {
    first: BTreeMap<(Epoch, Address), First>,
}

/// A header with its hash. `None`: its proposer was reported.
type First = Option<(Hash, Box<BlockHeader>)>;

impl Proposed {
    fn note(&mut self, hash: &Hash, header: &BlockHeader) {
        let turn = (header.epoch, header.proposer);
        self.first.entry(turn).or_insert_with(|| Some((*hash, Box::new(header.clone()))));
        while self.first.len() > PROPOSALS_REMEMBERED_MAX {
            self.first.pop_first();
        }
    }

    /// Another header of the same turn.
    fn other(&self, hash: &Hash, header: &BlockHeader) -> Option<&BlockHeader> {
        let (known, first) = self.first.get(&(header.epoch, header.proposer))?.as_ref()?;
        (known != hash).then_some(first)
    }

    /// One report of a turn is enough.
    fn forget(&mut self, header: &BlockHeader) {
        self.first.insert((header.epoch, header.proposer), None);
    }
}

impl Machine {
    /// A block gets onto the tree: reports its proposer if another one of its turn is there.
    pub(crate) fn look_for_rival(&mut self, hash: &Hash, block: &Arc<Block>) {
        if let [rival] = self.rivals(&block.header, hash).as_slice() {
            self.proposed.forget(&block.header);
            self.report(Evidence::DoubleProposal(rival.header.clone(), block.header.clone()));
            self.broadcast(Message::Block(rival.clone()));
            self.broadcast(Message::Block(block.clone()));
        }
        self.proposed.note(hash, &block.header);
    }

    /// A block that cannot get onto the tree any more, as its height or its epoch is settled: compared with the header that
    /// we have of its turn. Signatures are looked at only if there is another one, and until one of them was reported.
    pub(crate) fn look_for_late_rival(&mut self, from: Peer, hash: &Hash, block: &Block) {
        let (header, head) = (&block.header, self.tree.head());
        if header.height > head.height && header.epoch > head.epoch {
            return;
        }
        let Some(known) = self.proposed.other(hash, header) else { return };
        let evidence = Evidence::DoubleProposal(known.clone(), header.clone());
        let is_signed = |signer: &_, digest: &_, signature: &_| self.signer.verify(signer, digest, signature);
        if evidence.verify(&self.config.domain, is_signed).is_err() {
            return self.penalize(Some(from), Penalty::BadBlock);
        }
        self.proposed.forget(header);
        self.report(evidence);
    }

    /// Other blocks of the same proposer and epoch that are on the tree.
    pub(crate) fn rivals(&self, header: &BlockHeader, hash: &Hash) -> Vec<Arc<Block>> {
        let nodes = self.tree.of_epoch(header.epoch).iter().filter_map(|other| self.tree.node(other));
        nodes
            .filter(|node| node.meta.hash != *hash && node.block.header.proposer == header.proposer)
            .map(|node| node.block.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_turns_are_remembered() {
        let mut proposed = Proposed::default();
        let header = |epoch: u64| BlockHeader { epoch, ..BlockHeader::default() };
        let last = 3 * PROPOSALS_REMEMBERED_MAX as u64;
        for epoch in 1..=last {
            proposed.note(&Hash::repeat_byte(1), &header(epoch));
            proposed.note(&Hash::repeat_byte(2), &header(epoch));
        }
        assert_eq!(proposed.first.len(), PROPOSALS_REMEMBERED_MAX);
        let oldest = last + 1 - PROPOSALS_REMEMBERED_MAX as u64;
        let other = |epoch| proposed.other(&Hash::repeat_byte(2), &header(epoch)).is_some();
        assert!(other(oldest) && other(last) && !other(oldest - 1));
        assert!(proposed.other(&Hash::repeat_byte(1), &header(last)).is_none(), "the first one counts");
        proposed.forget(&header(last));
        assert!(proposed.other(&Hash::repeat_byte(2), &header(last)).is_none(), "reported");
    }
}
