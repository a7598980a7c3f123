//! Transactions gathered into gossip messages.

use crate::wire::{encode_txs, limits::*};
use std::time::{Duration, Instant};
use vigil_primitives::{Bytes, TX_BYTES_MAX};

/// A batch is sent when it has this many bytes.
const BATCH_BYTES: usize = 64 * 1024;
/// Or when its first transaction is this old.
const BATCH_AGE: Duration = Duration::from_millis(10);

const _: () = assert!(BATCH_BYTES + TX_BYTES_MAX + 4 * GOSSIP_TXS_MAX + 16 <= GOSSIP_BYTES_MAX);

/// The batch being filled.
#[derive(Debug, Default)]
pub(crate) struct TxBatch {
    txs: Vec<Bytes>,
    bytes: usize,
    due: Option<Instant>,
}

impl TxBatch {
    /// Adds a transaction; returns a full batch, encoded. One over the size limit is ignored.
    pub(crate) fn push(&mut self, tx: Bytes, now: Instant) -> Option<Vec<u8>> {
        if tx.len() > TX_BYTES_MAX {
            return None;
        }
        self.bytes += tx.len();
        self.txs.push(tx);
        self.due.get_or_insert(now + BATCH_AGE);
        if self.bytes >= BATCH_BYTES || self.txs.len() == GOSSIP_TXS_MAX { self.take() } else { None }
    }

    /// When [`TxBatch::take`] is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What has been gathered, encoded.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let batch = std::mem::take(self);
        (!batch.txs.is_empty()).then(|| encode_txs(&batch.txs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::decode_txs;

    #[test]
    fn flushes_by_bytes() {
        let (mut batch, now) = (TxBatch::default(), Instant::now());
        let tx = Bytes::from(vec![1; BATCH_BYTES / 2]);
        assert!(batch.push(tx.clone(), now).is_none());
        assert_eq!(batch.due(), Some(now + BATCH_AGE));
        let full = batch.push(tx.clone(), now).unwrap();
        assert_eq!(decode_txs(&full).unwrap(), [tx.clone(), tx]);
        assert!(batch.due().is_none() && batch.take().is_none());
    }

    #[test]
    fn flushes_by_count_and_age_counts_from_the_first() {
        let (mut batch, now) = (TxBatch::default(), Instant::now());
        for _ in 1..GOSSIP_TXS_MAX {
            assert!(batch.push(Bytes::from(vec![1]), now).is_none());
        }
        assert_eq!(batch.due(), Some(now + BATCH_AGE));
        let full = batch.push(Bytes::from(vec![1]), now + BATCH_AGE).unwrap();
        assert_eq!(decode_txs(&full).unwrap().len(), GOSSIP_TXS_MAX);
    }

    #[test]
    fn the_largest_message_fits_gossip() {
        let (mut batch, now) = (TxBatch::default(), Instant::now());
        assert!(batch.push(Bytes::from(vec![1; BATCH_BYTES - 1]), now).is_none());
        let full = batch.push(Bytes::from(vec![1; TX_BYTES_MAX]), now).unwrap();
        assert!(decode_txs(&full).is_ok());
        assert!(batch.push(Bytes::from(vec![1; TX_BYTES_MAX + 1]), now).is_none() && batch.due().is_none());
    }
}
