//! What can go wrong, in words for whoever runs the node.

use crate::Hash;
use std::io;
use std::path::{Path, PathBuf};

/// Failure of a store or a lock.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room on the disk. Nothing of the batch was written. It can be tried again: a
    /// [`RocksStore`](crate::RocksStore) takes writes again by itself once there is room.
    #[error("disk full at {path}: free some space ({detail})")]
    DiskFull {
        /// Directory or file.
        path: PathBuf,
        /// What the system said, and how much must be free.
        detail: String,
    },
    /// Another process works on the directory.
    #[error("{path} is in use by another process{}", pid_text(*pid))]
    InUse {
        /// The lock file.
        path: PathBuf,
        /// Its process id, if the lock file tells.
        pid: Option<u32>,
    },
    /// The data was written by a newer program.
    #[error(
        "{path} has data of schema {found}, this program knows schema {known}: run a newer version of it, \
         or choose another data directory"
    )]
    SchemaNewer {
        /// The store.
        path: PathBuf,
        /// Schema of the data.
        found: u32,
        /// Schema of this program.
        known: u32,
    },
    /// The data was written by an older program and there is no migration.
    #[error(
        "{path} has data of schema {found}, this program needs schema {known} and cannot convert it: run the older \
         version, or move the directory away and sync again"
    )]
    SchemaOlder {
        /// The store.
        path: PathBuf,
        /// Schema of the data.
        found: u32,
        /// Schema of this program.
        known: u32,
    },
    /// The data belongs to another chain.
    #[error(
        "{path} holds the chain with genesis {found}, the genesis given is {expected}: choose another data directory"
    )]
    OtherChain {
        /// The store.
        path: PathBuf,
        /// Genesis hash of the data.
        found: Hash,
        /// Genesis hash given.
        expected: Hash,
    },
    /// The data is damaged.
    #[error("data at {path} is damaged: {detail}; restore a copy, or move the directory away and sync again")]
    Corrupt {
        /// Directory or file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The system refused something else.
    #[error("{action} {path}")]
    Io {
        /// What was tried, as a verb in -ing.
        action: &'static str,
        /// Directory or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// RocksDB refused something else.
    #[error("{action} the database at {path}: {detail}")]
    Database {
        /// What was tried, as a verb in -ing.
        action: &'static str,
        /// The database.
        path: PathBuf,
        /// What RocksDB said.
        detail: String,
    },
}

/// Failure of a [`Journal`](crate::Journal).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// There is no journal where one must be.
    #[error(
        "signing journal {path} is missing: restore it. Only a key that has never signed may start with a fresh \
         journal; a key that has may sign twice and be slashed"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// There is a journal where a fresh one was asked for.
    #[error("signing journal {path} exists: a fresh one would forget what this key has signed")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A journal of another version of the program.
    #[error(
        "signing journal {path} has version {found}, this program knows version {known}: run the one that wrote it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Version of the file.
        found: u8,
        /// Version of this program.
        known: u8,
    },
    /// Not a journal.
    #[error("{path} is no signing journal that this program can read: {what}")]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// Why.
        what: &'static str,
    },
    /// The journal of another key or chain.
    #[error("signing journal {path} belongs to {}, not to {}", hex(.found), hex(.expected))]
    OtherOwner {
        /// The file.
        path: PathBuf,
        /// Owner in the file.
        found: Vec<u8>,
        /// Owner given.
        expected: Vec<u8>,
    },
    /// A record that is all there does not have its checksum. Nothing was changed.
    #[error("signing journal {path} is damaged at byte {offset}: {what}. Restore a copy; do not sign without it")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where the damaged record begins.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Another process has the journal open.
    #[error("signing journal {path} is in use by another process{}", pid_text(*pid))]
    InUse {
        /// The file.
        path: PathBuf,
        /// Its process id, if the lock file tells.
        pid: Option<u32>,
    },
    /// A record is larger than [`RECORD_BYTES_MAX`](crate::RECORD_BYTES_MAX).
    #[error("a record of {got} bytes is too large for the signing journal, the limit is {max}")]
    TooLarge {
        /// Bytes given.
        got: usize,
        /// The limit.
        max: usize,
    },
    /// No room on the disk; the journal is as it was before.
    #[error("disk full at signing journal {path}")]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// An earlier failure left it unknown what is on the disk: open the journal again.
    #[error("signing journal {path} failed earlier: nothing may be signed until the program is started again")]
    Failed {
        /// The file.
        path: PathBuf,
    },
    /// The system refused something else.
    #[error("{action} signing journal {path}")]
    Io {
        /// What was tried, as a verb in -ing.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if is_disk_full(&source) {
            return Self::DiskFull { path, detail: source.to_string() };
        }
        Self::Io { action, path, source }
    }
}

impl JournalError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if is_disk_full(&source) { Self::DiskFull { path } } else { Self::Io { action, path, source } }
    }
}

/// True for "no space left" and "quota exceeded".
pub(crate) fn is_disk_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn pid_text(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
