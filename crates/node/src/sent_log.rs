//! A record of every signed consensus message that leaves (`--sent-log`): what tests compare with the journal.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Appends one JSON line a message, before it leaves.
#[derive(Debug)]
pub struct SentLog {
    file: File,
}

impl SentLog {
    /// Opens `path` for appending.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: OpenOptions::new().create(true).append(true).open(path)? })
    }

    /// Writes one message. It is in the kernel when this returns, so that a killed process loses nothing.
    ///
    /// # Errors
    /// The system's.
    pub fn append(&mut self, message: &serde_json::Value) -> std::io::Result<()> {
        self.file.write_all(format!("{message}\n").as_bytes())
    }
}
