//! Receipts of contract transactions, and where logs are.
//!
//! Keys of the index of logs: a kind, what the log is about, the height (u64, big endian); the values are empty. Kinds: 0 an
//! address, 1 to 4 a topic by its position, 255 nothing: the block has logs at all.

use super::{Chain, ChainError, ExecutedBlock, decode};
use std::collections::BTreeSet;
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Address, Bytes, Hash, Height, Receipt, Tx, U256};
use vigil_store::{Batch, Column};

/// Entries of the index of logs that are read at once.
const SCAN: usize = 1_000;
const ANY: u8 = 255;

/// What a log is about: an address, or a topic at a position from 0 to 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// Who emitted it.
    Address(&'a Address),
    /// A topic and its position.
    Topic(u8, &'a Hash),
    /// Anything.
    Anything,
}

impl About<'_> {
    /// The index's key without the height.
    fn prefix(&self) -> Vec<u8> {
        match self {
            Self::Address(address) => [&[0], address.as_slice()].concat(),
            Self::Topic(position, topic) => [&[1 + position], topic.as_slice()].concat(),
            Self::Anything => vec![ANY],
        }
    }
}

impl Chain {
    /// Receipts of an executed block, in order; `None` if it was not executed here.
    ///
    /// # Errors
    /// The store's, or a damaged value.
    pub fn receipts(&self, hash: &Hash) -> Result<Option<Arc<[Receipt]>>, ChainError> {
        if let Some(known) = self.tip().executed(hash) {
            return Ok(Some(Arc::clone(&known.receipts)));
        }
        match self.store.get(Column::Receipts, hash.as_slice())? {
            Some(bytes) => decode_receipts(&bytes).map(Some),
            // A block without contract transactions has no entry.
            None => Ok(self.block_bytes(hash)?.map(|_| Arc::default())),
        }
    }

    /// Heights from `from` to `to` whose settled blocks have a log about that, ascending.
    ///
    /// # Errors
    /// The store's.
    pub fn heights_with_logs(
        &self,
        about: About<'_>,
        from: Height,
        to: Height,
    ) -> Result<BTreeSet<Height>, ChainError> {
        let prefix = about.prefix();
        let (mut heights, mut next) = (BTreeSet::new(), from);
        loop {
            let start = [&prefix[..], &next.to_be_bytes()].concat();
            let entries = self.store.scan(Column::Logs, &prefix, &start, SCAN)?;
            for (key, _) in &entries {
                let height = key[prefix.len()..].try_into().map(u64::from_be_bytes);
                match height {
                    Ok(height) if height <= to => drop(heights.insert(height)),
                    _ => return Ok(heights),
                }
            }
            let last = heights.last().copied();
            match last.filter(|last| entries.len() == SCAN && *last < to) {
                Some(last) => next = last + 1,
                None => return Ok(heights),
            }
        }
    }
}

/// Puts the receipts of an executed block, if it has any.
pub(super) fn put_receipts(batch: &mut Batch, hash: &Hash, receipts: &[Receipt]) {
    if !receipts.is_empty() {
        let mut out = Vec::new();
        alloy_rlp::encode_list(receipts, &mut out);
        batch.put(Column::Receipts, hash, out);
    }
}

/// Receipts as [`put_receipts`] puts them.
pub(super) fn decode_receipts(bytes: &Bytes) -> Result<Arc<[Receipt]>, ChainError> {
    decode::<Vec<Receipt>>("receipts", bytes).map(Arc::from)
}

/// Puts what the logs of a settled block are about.
pub(super) fn put_logs(batch: &mut Batch, block: &ExecutedBlock) {
    let mut prefixes = BTreeSet::new();
    for log in block.receipts.iter().flat_map(|receipt| &receipt.logs) {
        prefixes.insert(About::Anything.prefix());
        prefixes.insert(About::Address(&log.address).prefix());
        let topics = (0u8..).zip(log.data.topics());
        prefixes.extend(topics.map(|(position, topic)| About::Topic(position, topic).prefix()));
    }
    let height = block.as_parent.height.to_be_bytes();
    for prefix in prefixes {
        batch.put(Column::Logs, [&prefix[..], &height].concat(), Vec::new());
    }
}

/// The hashes by which Ethereum clients know transactions of a block, with their places in it. `number`: the chain's.
pub(super) fn eth_hashes<'a>(txs: impl Iterator<Item = &'a Tx>, number: U256) -> Vec<(u64, Hash)> {
    (0u64..).zip(txs).filter_map(|(index, tx)| Some((index, tx.eth_hash(number)?))).collect()
}

/// [`eth_hashes`] of verified transactions.
pub(super) fn eth_hashes_of(txs: &[Arc<VerifiedTx>], number: U256) -> Vec<(u64, Hash)> {
    eth_hashes(txs.iter().map(|tx| tx.tx()), number)
}
