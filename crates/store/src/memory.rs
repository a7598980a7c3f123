//! A store in memory, for tests and tools.

use crate::{Batch, Bytes, Column, Entry, Operation, Stats, Store, StoreError};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// A store in memory. Nothing survives it; `durable` means nothing.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: BTreeMap<(Column, Bytes), Bytes>,
    stats: Stats,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        // A write cannot stop halfway, so a poisoned lock guards good data.
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.read().entries.get(&(column, Bytes::copy_from_slice(key))).cloned())
    }

    fn write(&self, batch: Batch, _durable: bool) -> Result<(), StoreError> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.stats.batches += 1;
        inner.stats.operations += batch.len() as u64;
        inner.stats.bytes_written += batch.bytes() as u64;
        for operation in batch.into_operations() {
            match operation {
                Operation::Put { column, key, value } => inner.entries.insert((column, key), value),
                Operation::Delete { column, key } => inner.entries.remove(&(column, key)),
            };
        }
        Ok(())
    }

    fn scan(&self, column: Column, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let first = Bound::Included((column, Bytes::copy_from_slice(prefix.max(from))));
        let inner = self.read();
        let entries = inner.entries.range((first, Bound::Unbounded));
        let wanted = entries.take_while(|((c, key), _)| *c == column && key.starts_with(prefix)).take(limit);
        Ok(wanted.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn stats(&self) -> Stats {
        let inner = self.read();
        let held = inner.entries.iter().map(|((_, key), value)| (key.len() + value.len()) as u64).sum();
        Stats { bytes_held: held, ..inner.stats }
    }
}
