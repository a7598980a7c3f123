//! Blocks and transactions, settled and not.

use super::{Answer, NodeBackend, internal};
use crate::chain::ExecutedBlock;
use std::sync::Arc;
use vigil_mempool::TxStatus;
use vigil_primitives::{BlockHeader, EMPTY_TRIE_ROOT, Hash, Height, Receipt, keccak256};
use vigil_rpc::{BackendError, BlockInfo, BlockLinks, BlockStatus, TxPlace};

impl NodeBackend {
    /// A block by hash with its receipts, its status and its children.
    pub(super) fn block_info(&self, hash: Hash) -> Answer<Option<BlockInfo>> {
        let Some(block) = self.chain.block(&hash).map_err(internal)? else { return Ok(None) };
        let receipts = self.receipts(&hash, &block.header)?;
        let BlockLinks { children, status, .. } = self.links(hash, &block.header)?;
        let guardian_finalized = status.is_settled() && self.is_final(block.header.height);
        Ok(Some(BlockInfo { hash, block, receipts, children, status, guardian_finalized }))
    }

    /// Receipts of a block; the header says whether there are any to be read.
    fn receipts(&self, hash: &Hash, header: &BlockHeader) -> Answer<Arc<[Receipt]>> {
        if header.height == 0 || header.receipt_root == EMPTY_TRIE_ROOT {
            return Ok(Arc::default());
        }
        let receipts = self.chain.receipts(hash).map_err(internal)?;
        receipts.ok_or_else(|| BackendError::new("internal error: the receipts of a block are missing"))
    }

    /// Parent, children and status of a block.
    pub(super) fn links(&self, hash: Hash, header: &BlockHeader) -> Answer<BlockLinks> {
        let height = header.height;
        let status = self.status_of(&hash, height)?;
        let mut children: Vec<Hash> = {
            let tip = self.chain.tip();
            tip.pending.values().filter(|b| b.block.header.parent == hash).map(|b| b.hash).collect()
        };
        if status.is_settled()
            && let Some((child, _)) = self.chain.settled_at(height + 1).map_err(internal)?
        {
            children.push(child);
        }
        children.sort_unstable();
        Ok(BlockLinks { parent: header.parent, children, status })
    }

    /// True for settled blocks up to the highest final checkpoint.
    fn is_final(&self, height: Height) -> bool {
        self.chain.final_cert().is_some_and(|cert| height <= cert.checkpoint.height)
    }

    fn status_of(&self, hash: &Hash, height: Height) -> Answer<BlockStatus> {
        match self.chain.settled_at(height).map_err(internal)? {
            Some((settled, _)) if settled == *hash && height == 0 => return Ok(BlockStatus::Trusted),
            Some((settled, true)) if settled == *hash => return Ok(BlockStatus::DirectlySettled),
            Some((settled, false)) if settled == *hash => return Ok(BlockStatus::IndirectlySettled),
            _ => {}
        }
        if self.chain.tip().executed(hash).is_none() {
            return Ok(BlockStatus::Disposed);
        }
        let certified = self.chain.cert(hash).map_err(internal)?.is_some();
        Ok(if certified { BlockStatus::Committed } else { BlockStatus::Valid })
    }

    /// Blocks known at a height: the settled one, else those executed. With each, whether it is settled.
    pub(super) fn known_at(&self, height: Height) -> Answer<Vec<(Hash, bool)>> {
        if let Some((hash, _)) = self.chain.settled_at(height).map_err(internal)? {
            return Ok(vec![(hash, true)]);
        }
        let tip = self.chain.tip();
        let mut known: Vec<_> =
            tip.pending.values().filter(|b| b.as_parent.height == height).map(|b| (b.hash, false)).collect();
        known.sort_unstable();
        Ok(known)
    }

    /// Where a transaction is.
    pub(super) fn tx_place(&self, hash: Hash) -> Answer<TxPlace> {
        if let Some(place) = self.tx_in_block(&hash)? {
            return Ok(place);
        }
        if self.pool.pending_by_any_hash(&hash).is_some() {
            return Ok(TxPlace::Pending);
        }
        Ok(match self.pool.status(&hash) {
            TxStatus::Pending => TxPlace::Pending,
            TxStatus::Abandoned => TxPlace::Abandoned,
            TxStatus::Unknown => TxPlace::Unknown,
        })
    }

    /// A transaction that is in a block, by either hash.
    fn tx_in_block(&self, hash: &Hash) -> Answer<Option<TxPlace>> {
        if let Some((block_hash, height, index)) = self.chain.settled_tx(hash).map_err(internal)? {
            let missing = || BackendError::new("internal error: an indexed transaction is missing");
            let block = self.chain.block(&block_hash).map_err(internal)?.ok_or_else(missing)?;
            let raw = usize::try_from(index).ok().and_then(|i| block.txs.get(i).cloned()).ok_or_else(missing)?;
            let receipt = receipt_of(&self.receipts(&block_hash, &block.header)?, &keccak256(&raw));
            let (status, guardian_finalized) = (self.status_of(&block_hash, height)?, self.is_final(height));
            return Ok(Some(TxPlace::InBlock { block_hash, height, status, guardian_finalized, raw, receipt }));
        }
        // It may stand in a block of several branches: the one that has come furthest is told.
        let mut found: Option<(BlockStatus, Arc<ExecutedBlock>, usize)> = None;
        for (block, index) in self.pending_with(hash) {
            let status = self.status_of(&block.hash, block.as_parent.height)?;
            if found.as_ref().is_none_or(|(known, ..)| *known < status) {
                found = Some((status, block, index));
            }
        }
        Ok(found.map(|(status, block, index)| TxPlace::InBlock {
            block_hash: block.hash,
            height: block.as_parent.height,
            status,
            guardian_finalized: false,
            raw: block.block.txs[index].clone(),
            receipt: receipt_of(&block.receipts, &block.tx_hashes[index]),
        }))
    }

    /// Blocks above the settled head with that transaction, and its place in each.
    fn pending_with(&self, tx: &Hash) -> Vec<(Arc<ExecutedBlock>, usize)> {
        let tip = self.chain.tip();
        tip.pending.values().filter_map(|block| Some((Arc::clone(block), place(block, tx)?))).collect()
    }
}

/// Where a transaction stands in a block, by either hash.
fn place(block: &ExecutedBlock, tx: &Hash) -> Option<usize> {
    let native = block.tx_hashes.iter().position(|hash| hash == tx);
    let ethereum = || block.eth_hashes.iter().find(|(_, hash)| hash == tx);
    native.or_else(|| usize::try_from(ethereum()?.0).ok())
}

/// The receipt of the transaction with that native hash.
fn receipt_of(receipts: &[Receipt], tx: &Hash) -> Option<Box<Receipt>> {
    receipts.iter().find(|receipt| receipt.tx_hash == *tx).cloned().map(Box::new)
}
