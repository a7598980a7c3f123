//! State nodes: the store behind a bounded memory of what was read lately.

use lru::LruCache;
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
    nodes_max: usize,
}

impl NodeCache {
    /// At most about `cache_mib` MiB in memory.
    pub fn new(store: Arc<dyn Store>, cache_mib: usize) -> Self {
        let nodes_max = cache_mib.saturating_mul(MIB) / NODE_BYTES;
        // A cache with a bound takes its memory at once.
        Self { store, recent: Mutex::new(LruCache::unbounded()), nodes_max }
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
            let mut recent = recent();
            recent.put(*hash, node.clone());
            if recent.len() > self.nodes_max {
                recent.pop_lru();
            }
        }
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_store::{Batch, MemoryStore};

    /// A cache on a store of nodes 0 to `count` - 1.
    fn cache(count: u8, cache_mib: usize) -> NodeCache {
        let store = MemoryStore::default();
        let mut batch = Batch::new();
        for n in 0..count {
            batch.put(Column::Nodes, Hash::repeat_byte(n), vec![n]);
        }
        store.write(batch, false).expect("written");
        NodeCache::new(Arc::new(store), cache_mib)
    }

    fn kept(cache: &NodeCache) -> usize {
        cache.recent.lock().expect("not poisoned").len()
    }

    #[test]
    fn the_cache_takes_memory_as_it_fills_whatever_its_bound() {
        for cache_mib in [1 << 20, usize::MAX] {
            let cache = cache(3, cache_mib);
            (0..3).for_each(|n| drop(cache.node(&Hash::repeat_byte(n)).expect("read").expect("there")));
            assert_eq!(kept(&cache), 3);
        }
    }

    #[test]
    fn the_node_read_longest_ago_is_forgotten() {
        let mut cache = cache(4, 0);
        cache.nodes_max = 2;
        for n in [0, 1, 0, 2] {
            assert_eq!(cache.node(&Hash::repeat_byte(n)).expect("read").expect("there")[..], [n]);
        }
        let recent = cache.recent.lock().expect("not poisoned");
        assert_eq!(recent.len(), 2);
        assert!(recent.contains(&Hash::repeat_byte(0)) && recent.contains(&Hash::repeat_byte(2)));
    }
}
