//! Stores that fail on purpose, for the tests of those who use a store.

use crate::{Batch, Bytes, Column, Entry, Stats, Store, StoreError};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// [`StoreError::DiskFull`].
    DiskFull,
    /// [`StoreError::Database`].
    Broken,
}

/// A store whose writes can be made to fail. A failing write does nothing; reads go through.
pub struct FailingStore {
    inner: Arc<dyn Store>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    writes: u64,
    fail: Option<(u64, Failure)>,
}

impl FailingStore {
    /// Passes everything on to `inner` until told otherwise.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, state: Mutex::default() }
    }

    /// Lets `writes` more writes (and syncs) pass, then fails each until [`FailingStore::heal`].
    pub fn fail_after(&self, writes: u64, failure: Failure) {
        let mut state = self.state();
        state.fail = Some((state.writes + writes, failure));
    }

    /// Writes succeed again.
    pub fn heal(&self) {
        self.state().fail = None;
    }

    /// Writes and syncs asked for so far, failed ones included.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_write(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        let number = state.writes;
        state.writes += 1;
        let path = PathBuf::from("failing-store");
        match state.fail {
            Some((from, Failure::DiskFull)) if number >= from => {
                Err(StoreError::DiskFull { path, detail: "on purpose".into() })
            }
            Some((from, Failure::Broken)) if number >= from => {
                Err(StoreError::Database { action: "writing", path, detail: "broken on purpose".into() })
            }
            _ => Ok(()),
        }
    }
}

impl Store for FailingStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.inner.get(column, key)
    }

    fn write(&self, batch: Batch, durable: bool) -> Result<(), StoreError> {
        self.count_write()?;
        self.inner.write(batch, durable)
    }

    fn scan(&self, column: Column, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.inner.scan(column, prefix, from, limit)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.count_write()?;
        self.inner.sync()
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }
}
