//! The signing journal of this node's key, and the rules of when it may be begun.

use super::RETRY;
use crate::health::{Fault, Health};
use crate::layout::Layout;
use crate::sent_log::SentLog;
use serde_json::json;
use std::path::PathBuf;
use vigil_consensus::{JournalRecord, JournalState, Message};
use vigil_primitives::Address;
use vigil_store::{Journal, JournalError, OpenMode};

/// A journal longer than this is rewritten with what still matters.
const REWRITE_BYTES: u64 = 4 * 1024 * 1024;

/// The journal, open.
#[derive(Debug)]
pub struct Signer {
    me: Address,
    path: PathBuf,
    journal: Option<Journal>,
    state: JournalState,
    sent: Option<SentLog>,
}

/// Why this node must not sign.
#[derive(Debug, thiserror::Error)]
pub enum JournalRefusal {
    /// The key has signed and its journal is gone.
    #[error(
        "journal missing: not signing. Key {me} has signed from this data directory, but its journal {path} is gone. \
         Signing without it may be punished as double voting. Restore the file; if it is lost for good and no other \
         node signs with this key, start once with --fresh-journal"
    )]
    Missing {
        /// The key.
        me: Address,
        /// Where the journal should be.
        path: PathBuf,
    },
    /// A fresh journal was asked for and there is one.
    #[error("journal {path} exists: --fresh-journal is only for a journal that is lost; start without it")]
    Exists {
        /// The journal.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error(
        "journal unusable: not signing. {error}. Restore the file from a copy; if it is lost for good, move it away and \
         start once with --fresh-journal"
    )]
    Unusable {
        /// Why.
        error: JournalError,
    },
    /// A record that no version of this program wrote.
    #[error("journal unusable: not signing. {path}: {reason}. It was written by another program or version")]
    Record {
        /// The journal.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The marker cannot be written.
    #[error("not signing: {path}: {source}")]
    Marker {
        /// The marker.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Signer {
    /// Opens the journal of `me`, or begins one if this key has never signed here (`has_signed`: the database says it
    /// has). Answers what it adds up to.
    ///
    /// # Errors
    /// [`JournalRefusal`]: then the node must not sign.
    pub fn open(
        layout: &Layout,
        me: Address,
        has_signed: bool,
        fresh: bool,
    ) -> Result<(Self, JournalState), JournalRefusal> {
        let (path, marker) = (layout.journal(&me), layout.signed_marker(&me));
        let exists = path.exists();
        if exists && fresh {
            return Err(JournalRefusal::Exists { path });
        }
        if !exists && !fresh && (has_signed || marker.exists()) {
            return Err(JournalRefusal::Missing { me, path });
        }
        let mode = if exists { OpenMode::MustExist } else { OpenMode::CreateFresh };
        let io = |path: PathBuf| move |source| JournalRefusal::Marker { path, source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io(folder.to_path_buf()))?;
        }
        let (journal, contents) =
            Journal::open(&path, me.as_slice(), mode).map_err(|error| JournalRefusal::Unusable { error })?;
        if contents.torn_bytes > 0 {
            tracing::warn!(bytes = contents.torn_bytes, "the journal's last record was unfinished and is cut");
        }
        let mut records = Vec::with_capacity(contents.records.len());
        for bytes in &contents.records {
            let record = JournalRecord::from_bytes(bytes);
            records.push(record.map_err(|e| JournalRefusal::Record { path: path.clone(), reason: e.to_string() })?);
        }
        // From here on the key may sign: a journal that goes missing will be noticed.
        mark(&marker).map_err(io(marker.clone()))?;
        let state = JournalState::replay(records);
        let signer = Self { me, path, journal: Some(journal), state: state.clone(), sent: None };
        Ok((signer, state))
    }

    /// Also writes every signed message that leaves to `log`.
    pub fn log_sent(&mut self, log: SentLog) {
        self.sent = Some(log);
    }

    /// Makes records durable. Waits and tries again while that fails; `stopping` ends the wait.
    ///
    /// Returns false if it stopped waiting: then nothing that the records allow may be said.
    pub fn record(&mut self, records: &[JournalRecord], health: &Health, stopping: impl Fn() -> bool) -> bool {
        loop {
            match self.append(records) {
                Ok(()) => {
                    health.clear(Fault::NotSigning);
                    return true;
                }
                Err(error) => {
                    health.raise(Fault::NotSigning, format!("cannot write the signing journal, not signing: {error}"));
                    if stopping() {
                        return false;
                    }
                    std::thread::sleep(RETRY);
                }
            }
        }
    }

    /// Appends and syncs. A record that is appended twice after a failure does no harm.
    fn append(&mut self, records: &[JournalRecord]) -> Result<(), JournalError> {
        let journal = match &mut self.journal {
            Some(journal) => journal,
            None => {
                let (journal, _) = Journal::open(&self.path, self.me.as_slice(), OpenMode::MustExist)?;
                self.journal.insert(journal)
            }
        };
        let result = records.iter().try_for_each(|record| journal.append(&record.to_bytes()));
        let result = result.and_then(|()| journal.sync());
        if let Err(error) = result {
            // After a failed sync only a fresh look at the file tells what is in it.
            self.journal = None;
            return Err(error);
        }
        records.iter().for_each(|record| self.state.apply(record.clone()));
        if journal.len_bytes() > REWRITE_BYTES {
            let kept: Vec<_> = self.state.records().iter().map(JournalRecord::to_bytes).collect();
            journal.rewrite(kept)?;
        }
        Ok(())
    }

    /// Notes a message that is about to leave, if it is ours.
    pub(super) fn note_sent(&mut self, message: &Message) {
        let Some(log) = &mut self.sent else { return };
        let line = match message {
            Message::Vote(v) if v.voter == self.me => json!({
                "kind": "vote", "height": v.height, "epoch": v.block_epoch, "hash": v.block_hash,
                "source_height": v.source_height,
            }),
            Message::Proposal(p) if p.block.header.proposer == self.me => json!({
                "kind": "proposal", "height": p.block.header.height, "epoch": p.block.header.epoch, "hash": p.block.hash(),
            }),
            Message::EpochChange(ec) if ec.voter == self.me => json!({ "kind": "ec", "epoch": ec.target_epoch }),
            _ => return,
        };
        if let Err(error) = log.append(&line) {
            tracing::error!(%error, "sent log");
        }
    }
}

fn mark(path: &std::path::Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = std::fs::File::create(path)?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom, Write};

    const ME: Address = Address::repeat_byte(7);

    fn change(target: u64) -> JournalRecord {
        JournalRecord::EpochChange { target }
    }

    fn health() -> Health {
        Health::new(false, std::time::Duration::from_secs(60))
    }

    #[test]
    fn a_journal_is_begun_once_and_found_again() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let layout = Layout::new(dir.path());
        let (mut signer, state) = Signer::open(&layout, ME, false, false).expect("a key that never signed");
        assert_eq!(state, JournalState::default());
        assert!(signer.record(&[change(3), change(5)], &health(), || true));
        drop(signer);
        let (_, state) = Signer::open(&layout, ME, true, false).expect("found");
        assert_eq!(state.change_target, 5);
    }

    #[test]
    fn a_missing_journal_is_refused_until_the_operator_says_so() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let layout = Layout::new(dir.path());
        drop(Signer::open(&layout, ME, false, false).expect("begun"));
        std::fs::remove_file(layout.journal(&ME)).expect("removed");
        for _ in 0..2 {
            let refusal = Signer::open(&layout, ME, false, false).expect_err("missing");
            let text = refusal.to_string();
            assert!(text.starts_with("journal missing: not signing") && text.contains("--fresh-journal"), "{text}");
        }
        Signer::open(&layout, ME, false, true).expect("the operator's word");
        assert!(matches!(Signer::open(&layout, ME, false, true), Err(JournalRefusal::Exists { .. })));
        // The database alone remembers, too: a data directory whose key folder was restored from a copy.
        let dir = tempfile::tempdir().expect("temporary folder");
        assert!(matches!(Signer::open(&Layout::new(dir.path()), ME, true, false), Err(JournalRefusal::Missing { .. })));
    }

    #[test]
    fn a_corrupt_journal_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let layout = Layout::new(dir.path());
        let (mut signer, _) = Signer::open(&layout, ME, false, false).expect("begun");
        assert!(signer.record(&[change(3)], &health(), || true));
        drop(signer);
        let path = layout.journal(&ME);
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).expect("open");
        file.seek(SeekFrom::End(-1)).expect("seek");
        file.write_all(&[0xff]).expect("write");
        drop(file);
        let before = std::fs::read(&path).expect("read");
        let text = Signer::open(&layout, ME, false, false).expect_err("corrupt").to_string();
        assert!(text.starts_with("journal unusable: not signing") && text.contains("Restore"), "{text}");
        assert_eq!(std::fs::read(&path).expect("read"), before);
    }

    #[test]
    fn a_long_journal_is_rewritten_and_forgets_nothing() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let layout = Layout::new(dir.path());
        let (mut signer, _) = Signer::open(&layout, ME, false, false).expect("begun");
        let many: Vec<_> = (1..=20_000).map(change).collect();
        for part in many.chunks(5_000) {
            assert!(signer.record(part, &health(), || true));
        }
        drop(signer);
        let (_, state) = Signer::open(&layout, ME, false, false).expect("found");
        assert_eq!(state.change_target, 20_000);
    }
}
