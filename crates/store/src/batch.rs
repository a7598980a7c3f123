//! Columns and batches of changes.

use crate::Bytes;

/// A key space of its own. What the keys are is up to the writer; the usual ones are named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Column {
    /// Head pointers and other single values, by name.
    Meta,
    /// Block bytes by block hash.
    Blocks,
    /// What execution left that a restart needs, by block hash.
    Executed,
    /// Settled block hash by height (u64, big endian).
    Heights,
    /// Trie nodes by hash.
    Nodes,
    /// Where a transaction is, by its hash.
    Txs,
    /// Receipts by block hash.
    Receipts,
    /// Certificates by block hash or height.
    Certs,
    /// Where logs are, by what they are about.
    Logs,
    /// Spare.
    Aux2,
}

impl Column {
    /// Every column.
    pub const ALL: [Self; 10] = [
        Self::Meta,
        Self::Blocks,
        Self::Executed,
        Self::Heights,
        Self::Nodes,
        Self::Txs,
        Self::Receipts,
        Self::Certs,
        Self::Logs,
        Self::Aux2,
    ];

    /// Name on disk; never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Blocks => "blocks",
            Self::Executed => "executed",
            Self::Heights => "heights",
            Self::Nodes => "nodes",
            Self::Txs => "txs",
            Self::Receipts => "receipts",
            Self::Certs => "certs",
            Self::Logs => "logs",
            Self::Aux2 => "aux2",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Sets a value.
    Put {
        /// Where.
        column: Column,
        /// The key.
        key: Bytes,
        /// The value; may be empty.
        value: Bytes,
    },
    /// Removes a key if it is there.
    Delete {
        /// Where.
        column: Column,
        /// The key.
        key: Bytes,
    },
}

/// Changes that happen together or not at all, in order: the last one on a key counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    operations: Vec<Operation>,
    bytes: usize,
}

impl Batch {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value.
    pub fn put(&mut self, column: Column, key: impl AsRef<[u8]>, value: impl Into<Bytes>) {
        let (key, value) = (Bytes::copy_from_slice(key.as_ref()), value.into());
        self.bytes += key.len() + value.len();
        self.operations.push(Operation::Put { column, key, value });
    }

    /// Removes a key if it is there.
    pub fn delete(&mut self, column: Column, key: impl AsRef<[u8]>) {
        let key = Bytes::copy_from_slice(key.as_ref());
        self.bytes += key.len();
        self.operations.push(Operation::Delete { column, key });
    }

    /// The changes in order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Number of changes.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// True if nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Bytes of the keys and values in it.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn into_operations(self) -> Vec<Operation> {
        self.operations
    }
}
