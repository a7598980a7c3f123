//! Verified transactions by hash, bounded.

use std::collections::HashMap;
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::Hash;

/// Most transactions of one generation; twice as many are remembered at most.
const GENERATION_MAX: usize = 65_536;
/// Most bytes of one generation's transactions.
const GENERATION_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Two generations: what is used moves into the young one; when that is full, the old one is forgotten.
#[derive(Debug, Default)]
pub(super) struct VerifiedCache {
    young: HashMap<Hash, Arc<VerifiedTx>>,
    young_bytes: usize,
    old: HashMap<Hash, Arc<VerifiedTx>>,
}

impl VerifiedCache {
    pub(super) fn get(&mut self, hash: &Hash) -> Option<Arc<VerifiedTx>> {
        if let Some(tx) = self.young.get(hash) {
            return Some(Arc::clone(tx));
        }
        let tx = self.old.remove(hash)?;
        self.put(Arc::clone(&tx));
        Some(tx)
    }

    pub(super) fn put(&mut self, tx: Arc<VerifiedTx>) {
        if self.young.len() >= GENERATION_MAX || self.young_bytes >= GENERATION_BYTES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += tx.raw().len();
        self.young.insert(tx.hash(), tx);
    }
}
