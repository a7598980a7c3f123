//! Moving the settled head.

use super::receipts::put_logs;
use super::records::{self, HeightRecord, TxRecord};
use super::{Chain, ChainError, ExecutedBlock, SettledPair};
use std::sync::Arc;
use vigil_consensus::{Settled, SettledBlock};
use vigil_primitives::{Hash, rlp};
use vigil_store::{Batch, Column};

impl Chain {
    /// Settles blocks, in one durable batch with the new head, and answers them with their states.
    ///
    /// # Errors
    /// The store's; then nothing has changed. [`ChainError::NotExecuted`].
    pub fn settle(&self, settled: &Settled) -> Result<Vec<Arc<ExecutedBlock>>, ChainError> {
        let blocks: Vec<SettledPair<'_>> = {
            let tip = self.tip();
            let executed = |b: &SettledBlock| tip.pending.get(&b.hash).cloned().ok_or(ChainError::NotExecuted(b.hash));
            settled.blocks.iter().map(|b| Ok((b, executed(b)?))).collect::<Result<_, ChainError>>()?
        };
        let Some((_, new_head)) = blocks.last() else { return Ok(Vec::new()) };
        let mut batch = Batch::new();
        for (block, executed) in &blocks {
            let height = executed.as_parent.height;
            let record = HeightRecord { hash: block.hash, direct: block.direct };
            batch.put(Column::Heights, records::height_key(height), rlp::encode(&record));
            for (index, tx) in (0u64..).zip(&executed.tx_hashes) {
                batch.put(Column::Txs, tx, rlp::encode(&TxRecord { block: block.hash, height, index }));
            }
            for (index, hash) in &executed.eth_hashes {
                let record = TxRecord { block: block.hash, height, index: *index };
                batch.put(Column::Txs, hash, rlp::encode(&record));
            }
            put_logs(&mut batch, executed);
            batch.delete(Column::Meta, records::pending_key(&block.hash));
            // The certificate of the head's parent is in the head or above it; that of the head may be asked for.
            batch.delete(Column::Certs, executed.block.header.parent);
        }
        discard(&mut batch, &settled.discarded);
        batch.put(Column::Meta, records::RESTART, settled.restart.to_bytes());
        if let Some((me, signed)) = self.signed() {
            batch.put(Column::Meta, records::signed_key(&me), rlp::encode(&signed));
        }
        metrics::counter!("vigil_store_bytes_total").increment(batch.bytes() as u64);
        self.store().write(batch, true)?;
        let mut tip = self.tip_mut();
        tip.head = Arc::clone(new_head);
        for (block, _) in &blocks {
            tip.pending.remove(&block.hash);
        }
        for hash in &settled.discarded {
            tip.pending.remove(hash);
        }
        drop(tip);
        Ok(blocks.into_iter().map(|(_, executed)| executed).collect())
    }

    /// Forgets blocks that no branch needs any more.
    ///
    /// # Errors
    /// The store's.
    pub fn discard(&self, hashes: &[Hash]) -> Result<(), ChainError> {
        let mut batch = Batch::new();
        discard(&mut batch, hashes);
        self.store().write(batch, false)?;
        let mut tip = self.tip_mut();
        for hash in hashes {
            tip.pending.remove(hash);
        }
        Ok(())
    }
}

/// Blocks stay readable; their states' nodes stay too (nothing is pruned yet).
fn discard(batch: &mut Batch, hashes: &[Hash]) {
    for hash in hashes {
        batch.delete(Column::Meta, records::pending_key(hash));
        batch.delete(Column::Certs, hash);
    }
}
