//! Key-value stores: memory and RocksDB; atomic batches; schema version; signing journal files.
//!
//! - [`Store`]: columns of byte keys, atomic [`Batch`]es, forward scans. [`MemoryStore`] and [`RocksStore`] behave alike.
//! - [`Journal`]: an append-only, checksummed file of records with fsync, for what must never be forgotten.
//! - [`DirLock`]: one process a data directory.
//!
//! What is deliberately not here: no meaning of keys and values, no cache of decoded values, no network.
//! The `unsafe` of the RocksDB edge is in the `rocksdb` crate.
#![forbid(unsafe_code)]

mod batch;
mod error;
mod files;
mod journal;
mod lock;
mod memory;
mod rocks;
pub mod testing;

pub use alloy_primitives::{B256 as Hash, Bytes};
pub use batch::{Batch, Column, Operation};
pub use error::{JournalError, StoreError};
pub use journal::{Journal, JournalContents, OpenMode, RECORD_BYTES_MAX, read_journal};
pub use lock::DirLock;
pub use memory::MemoryStore;
pub use rocks::{Identity, RocksOptions, RocksStore};

/// A key and its value.
pub type Entry = (Bytes, Bytes);

/// Columns of byte keys with byte values.
pub trait Store: Send + Sync {
    /// The value of a key, `None` if it has none.
    ///
    /// # Errors
    /// The store cannot be read.
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// Performs all operations of a batch or none. With `durable` it returns only when they, and every batch before,
    /// survive a power cut; without, they survive the death of the process and may be lost with the machine, the
    /// latest first.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] or another failure; nothing of the batch was done.
    fn write(&self, batch: Batch, durable: bool) -> Result<(), StoreError>;

    /// Up to `limit` entries whose key begins with `prefix` and is not below `from` (a whole key; empty: from the
    /// first), ascending.
    ///
    /// # Errors
    /// The store cannot be read.
    fn scan(&self, column: Column, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// The disk refuses.
    fn sync(&self) -> Result<(), StoreError>;

    /// What was written, and what it takes on disk.
    fn stats(&self) -> Stats;
}

/// Counters of a store since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Batches written.
    pub batches: u64,
    /// Operations in them.
    pub operations: u64,
    /// Bytes of keys and values in them; the disk writes more (log, compaction).
    pub bytes_written: u64,
    /// Bytes that the store takes now: files for a disk, keys and values for memory. Approximate.
    pub bytes_held: u64,
}

#[cfg(test)]
mod tests;
