//! State nodes: the store behind a bounded memory of what was read lately.

use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use vigil_primitives::{Bytes, Hash};
use vigil_store::{Column, Store};
use vigil_trie::{NodeReader, TrieError};

/// What a cached node takes with its place in the map, in bytes, on average.
const NODE_BYTES: usize = 400;
const MIB: usize = 1024 * 1024;

/// Reads trie nodes for every state of this process.
pub struct NodeCache {
    store: Arc<dyn Store>,
    recent: Mutex<LruCache<Hash, Bytes>>,
}

impl NodeCache {
    /// At most about `cache_mib` MiB in memory.
    pub fn new(store: Arc<dyn Store>, cache_mib: usize) -> Self {
        let capacity = NonZeroUsize::new(cache_mib * MIB / NODE_BYTES).unwrap_or(NonZeroUsize::MIN);
        Self { store, recent: Mutex::new(LruCache::new(capacity)) }
    }
}

impl NodeReader for NodeCache {
    fn node(&self, hash: &Hash) -> Result<Option<Bytes>, TrieError> {
        let recent = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = recent().get(hash) {
            return Ok(Some(node.clone()));
        }
        let failed = |source| TrieError::Reader { hash: *hash, source: Box::new(source) };
        let node = self.store.get(Column::Nodes, hash.as_slice()).map_err(failed)?;
        if let Some(node) = &node {
            recent().put(*hash, node.clone());
        }
        Ok(node)
    }
}
