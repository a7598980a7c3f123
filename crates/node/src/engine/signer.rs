//! The signing journal of this node's key, and the rules of when it may be begun.

use super::RETRY;
use crate::chain::SignedRecord;
use crate::health::{Fault, Health, with_causes};
use crate::layout::Layout;
use crate::sent_log::SentLog;
use serde_json::json;
use std::path::{Path, PathBuf};
use vigil_consensus::{Floor, JournalRecord, JournalState, Message};
use vigil_primitives::{Address, Hash};
use vigil_store::{Journal, JournalError, OpenMode};

/// A journal longer than this is rewritten with what still matters.
const REWRITE_BYTES: u64 = 4 * 1024 * 1024;

/// The journal, open.
#[derive(Debug)]
pub struct Signer {
    me: Address,
    owner: Vec<u8>,
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
        "journal unusable: not signing. {}. Restore the file from a copy; if it is lost for good, move it away and \
         start once with --fresh-journal", with_causes(.error)
    )]
    Unusable {
        /// Why.
        error: JournalError,
    },
    /// Another version of the program wrote it.
    #[error(
        "journal of another version: not signing. Journal {path} has version {found}, this program knows version {known}. \
         Run the version that wrote it; or, if no node signs with its key any more, move the journal away and start once \
         with --fresh-journal"
    )]
    OtherVersion {
        /// The journal.
        path: PathBuf,
        /// Its version.
        found: u8,
        /// That of this program.
        known: u8,
    },
    /// What it holds was signed for another chain.
    #[error(
        "journal of another chain: not signing. Journal {path} belongs to the chain with genesis {found}, this chain's is \
         {expected}. Choose another data directory; or move the journal away and start once with --fresh-journal"
    )]
    OtherChain {
        /// The journal.
        path: PathBuf,
        /// Hash of the genesis block that the journal names.
        found: Hash,
        /// That of this chain.
        expected: Hash,
    },
    /// The chain database knows of more than the journal.
    #[error(
        "journal rolled back: not signing. Journal {path} ends with {journal}; the chain database knows that key {me} \
         has given {database}. Signing with an older copy may be punished as double voting. Restore the newest copy; if \
         it is lost for good and no other node signs with this key, move this one away and start once with \
         --fresh-journal"
    )]
    RolledBack {
        /// The key.
        me: Address,
        /// The journal.
        path: PathBuf,
        /// What it ends with.
        journal: SignedRecord,
        /// What was signed, at least.
        database: SignedRecord,
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

impl From<JournalError> for JournalRefusal {
    fn from(error: JournalError) -> Self {
        if let JournalError::OtherOwner { path, found, expected } = &error
            && let (Some((key, found)), Some((me, expected))) = (split_owner(found), split_owner(expected))
            && key == me
        {
            return Self::OtherChain { path: path.clone(), found, expected };
        }
        match error {
            JournalError::Version { path, found, known } => Self::OtherVersion { path, found, known },
            error => Self::Unusable { error },
        }
    }
}

/// Whose a journal is, as its file says: the key, then the hash of the chain's genesis block.
pub fn journal_owner(key: &Address, genesis: &Hash) -> Vec<u8> {
    [key.as_slice(), genesis.as_slice()].concat()
}

fn split_owner(owner: &[u8]) -> Option<(&[u8], Hash)> {
    let (key, genesis) = owner.split_at_checked(Address::len_bytes())?;
    Some((key, Hash::try_from(genesis).ok()?))
}

impl Signer {
    /// Opens the journal of `me` on the chain of `genesis`, or begins one if this key has never signed here (`known`: how
    /// far it has by the database). `lost`: the operator's word that the journal is lost, with what else it may have
    /// held; then it begins with that. Answers what it adds up to.
    ///
    /// # Errors
    /// [`JournalRefusal`]: then the node must not sign.
    pub fn open(
        layout: &Layout,
        me: Address,
        genesis: &Hash,
        known: Option<SignedRecord>,
        lost: Option<Floor>,
    ) -> Result<(Self, JournalState), JournalRefusal> {
        let (path, marker) = (layout.journal(&me), layout.signed_marker(&me));
        let exists = path.exists();
        if exists && lost.is_some() {
            return Err(JournalRefusal::Exists { path });
        }
        if !exists && lost.is_none() && (known.is_some() || marker.exists()) {
            return Err(JournalRefusal::Missing { me, path });
        }
        let database = known.unwrap_or_default();
        let first = lost.map(|lost| lost.raised_to(Floor { epoch: database.epoch(), ..lost }));
        let first: Vec<_> = first.map(|floor| JournalRecord::Fresh(floor).to_bytes()).into_iter().collect();
        let mode = if exists { OpenMode::MustExist } else { OpenMode::CreateFresh(&first) };
        let io = |path: PathBuf| move |source| JournalRefusal::Marker { path, source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io(folder.to_path_buf()))?;
        }
        let owner = journal_owner(&me, genesis);
        let (journal, contents) = Journal::open(&path, &owner, mode)?;
        if contents.torn_bytes > 0 {
            tracing::warn!(bytes = contents.torn_bytes, "the journal's last record was unfinished and is cut");
        }
        let mut records = Vec::with_capacity(contents.records.len());
        for bytes in &contents.records {
            let record = JournalRecord::from_bytes(bytes);
            records.push(record.map_err(|e| JournalRefusal::Record { path: path.clone(), reason: e.to_string() })?);
        }
        let state = JournalState::replay(records);
        let ends = SignedRecord::from(&state);
        if ends.is_behind(&database) {
            return Err(JournalRefusal::RolledBack { me, path, journal: ends, database });
        }
        // From here on the key may sign: a journal that goes missing will be noticed.
        mark(&marker).map_err(io(marker.clone()))?;
        let signer = Self { me, owner, path, journal: Some(journal), state: state.clone(), sent: None };
        Ok((signer, state))
    }

    /// Whose it is.
    pub fn address(&self) -> Address {
        self.me
    }

    /// Its journal.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far the journal is durable.
    pub fn signed(&self) -> SignedRecord {
        SignedRecord::from(&self.state)
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
                    health.raise(
                        Fault::NotSigning,
                        format!("cannot write the signing journal, not signing: {}", with_causes(&error)),
                    );
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
                let (journal, _) = Journal::open(&self.path, &self.owner, OpenMode::MustExist)?;
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

    /// True for a message that carries our signature as its author.
    pub(super) fn is_ours(&self, message: &Message) -> bool {
        match message {
            Message::Vote(vote) => vote.voter == self.me,
            Message::EpochChange(change) => change.voter == self.me,
            Message::Proposal(proposal) => proposal.block.header.proposer == self.me,
            _ => false,
        }
    }

    /// Notes a message that is about to leave, if it is ours.
    pub(super) fn note_sent(&mut self, message: &Message) {
        if self.sent.is_none() || !self.is_ours(message) {
            return;
        }
        let line = match message {
            Message::Vote(v) => json!({
                "kind": "vote", "height": v.height, "epoch": v.block_epoch, "hash": v.block_hash,
                "source_set": v.source_set, "source_height": v.source_height,
            }),
            Message::Proposal(p) => json!({
                "kind": "proposal", "height": p.block.header.height, "epoch": p.block.header.epoch, "hash": p.block.hash(),
            }),
            Message::EpochChange(ec) => json!({ "kind": "ec", "epoch": ec.target_epoch }),
            _ => return,
        };
        if let Some(log) = &mut self.sent
            && let Err(error) = log.append(&line)
        {
            tracing::error!(%error, "sent log");
        }
    }
}

/// Makes an empty file, durably.
pub(crate) fn mark(path: &Path) -> std::io::Result<()> {
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
mod tests;
