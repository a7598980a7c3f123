//! Blocks that cannot be looked at yet: their parent or their epoch is still to come (§1.11).

use crate::Peer;
use crate::limits::{PARKED_BYTES_MAX, PARKED_MAX, PARKED_PER_PEER_MAX};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{Block, Epoch, Hash, Height};

#[derive(Clone)]
pub(crate) struct Parked {
    pub(crate) hash: Hash,
    pub(crate) block: Arc<Block>,
    pub(crate) from: Peer,
    /// It was asked for or is certified: the limit of two a turn does not apply.
    pub(crate) solicited: bool,
    bytes: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Parking {
    blocks: BTreeMap<Hash, Parked>,
    per_peer: BTreeMap<Peer, usize>,
    bytes: usize,
}

impl Parking {
    pub(crate) fn contains(&self, hash: &Hash) -> bool {
        self.blocks.contains_key(hash)
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Parks a block. If its peer has used its room, or all is used, the highest of that peer's blocks gives way
    /// (parents come first). Returns false if it is this one.
    pub(crate) fn park(&mut self, hash: Hash, block: Arc<Block>, from: Peer, solicited: bool) -> bool {
        let bytes = block.txs.iter().map(|tx| tx.len()).sum();
        self.blocks.insert(hash, Parked { hash, block, from, solicited, bytes });
        *self.per_peer.entry(from).or_default() += 1;
        self.bytes += bytes;
        while self.per_peer.get(&from).copied().unwrap_or(0) > PARKED_PER_PEER_MAX
            || (self.blocks.len() > PARKED_MAX || self.bytes > PARKED_BYTES_MAX)
        {
            let own = self.blocks.values().filter(|parked| parked.from == from);
            let Some(highest) = own.max_by_key(|parked| (parked.block.header.height, parked.hash)) else { break };
            let highest = highest.hash;
            self.take(&highest);
        }
        self.blocks.contains_key(&hash)
    }

    pub(crate) fn take(&mut self, hash: &Hash) -> Option<Parked> {
        let parked = self.blocks.remove(hash)?;
        self.bytes -= parked.bytes;
        if let Some(count) = self.per_peer.get_mut(&parked.from) {
            *count -= 1;
            if *count == 0 {
                self.per_peer.remove(&parked.from);
            }
        }
        Some(parked)
    }

    /// Blocks of epochs up to `epoch`, lowest first.
    pub(crate) fn due(&self, epoch: Epoch) -> Vec<Hash> {
        let mut due: Vec<(Height, Hash)> = self
            .blocks
            .values()
            .filter(|parked| parked.block.header.epoch <= epoch)
            .map(|parked| (parked.block.header.height, parked.hash))
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, hash)| hash).collect()
    }

    pub(crate) fn get(&self, hash: &Hash) -> Option<&Parked> {
        self.blocks.get(hash)
    }

    /// True if a parked block waits for this one.
    pub(crate) fn has_children(&self, parent: &Hash) -> bool {
        self.blocks.values().any(|parked| parked.block.header.parent == *parent)
    }

    /// Takes out the children of a block.
    pub(crate) fn take_children(&mut self, parent: &Hash) -> Vec<Parked> {
        let children: Vec<Hash> =
            self.blocks.values().filter(|p| p.block.header.parent == *parent).map(|p| p.hash).collect();
        children.iter().filter_map(|hash| self.take(hash)).collect()
    }

    /// Drops blocks up to a height.
    pub(crate) fn prune(&mut self, settled: Height) {
        let low: Vec<Hash> =
            self.blocks.values().filter(|p| p.block.header.height <= settled).map(|p| p.hash).collect();
        for hash in low {
            self.take(&hash);
        }
    }
}
