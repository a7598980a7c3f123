//! The signing journal of a guardian's key (`spec/consensus.md` §1.13).

use crate::engine::{JournalRefusal, journal_owner};
use crate::health::with_causes;
use crate::layout::Layout;
use std::path::PathBuf;
use vigil_consensus::finality::{Journal as Votes, Record};
use vigil_primitives::{Address, Hash};
use vigil_store::{Journal, JournalError, OpenMode};

/// A journal longer than this is rewritten with its last vote.
const REWRITE_BYTES: u64 = 64 * 1024;

/// A guardian's journal, open.
#[derive(Debug)]
pub struct GuardianJournal {
    owner: Vec<u8>,
    path: PathBuf,
    /// Absent: what is in the file is not known, it is to be opened again.
    pub(super) journal: Option<Journal>,
    votes: Votes,
}

impl GuardianJournal {
    /// True if the guardian `me` has voted from this data directory, and its journal is gone.
    pub fn is_lost(layout: &Layout, me: &Address) -> bool {
        layout.guardian_marker(me).exists() && !layout.guardian_journal(me).exists()
    }

    /// Opens the journal of the guardian `me`, or begins one if its key has never voted from this data directory.
    /// `lost`: the operator's word that the journal is lost, with the highest vote that may have been in it.
    ///
    /// # Errors
    /// [`JournalRefusal`]: then the guardian must not vote.
    pub fn open(layout: &Layout, me: Address, genesis: &Hash, lost: Option<Votes>) -> Result<Self, JournalRefusal> {
        let (path, marker) = (layout.guardian_journal(&me), layout.guardian_marker(&me));
        let exists = path.exists();
        if lost.is_none() && Self::is_lost(layout, &me) {
            return Err(JournalRefusal::Missing { me, path });
        }
        let first: Vec<Vec<u8>> = lost.iter().flat_map(Votes::records).map(|record| record.to_bytes()).collect();
        let mode = if exists { OpenMode::MustExist } else { OpenMode::CreateFresh(&first) };
        for folder in [path.parent(), marker.parent()].into_iter().flatten() {
            let io = |source| JournalRefusal::Marker { path: folder.to_path_buf(), source };
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let owner = journal_owner(&me, genesis);
        let (journal, contents) = Journal::open(&path, &owner, mode)?;
        let record = |bytes: &Vec<u8>| {
            let refused =
                |e: vigil_primitives::RlpError| JournalRefusal::Record { path: path.clone(), reason: e.to_string() };
            Record::from_bytes(bytes).map_err(refused)
        };
        let records = contents.records.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        crate::engine::mark(&marker).map_err(|source| JournalRefusal::Marker { path: marker.clone(), source })?;
        Ok(Self { owner, path, journal: Some(journal), votes: Votes::replay(records) })
    }

    /// What it adds up to.
    pub fn votes(&self) -> Votes {
        self.votes
    }

    /// Appends and syncs. A record that is appended twice after a failure does no harm.
    ///
    /// # Errors
    /// [`JournalError`]: nothing that the record allows may be said. It may be tried again.
    pub fn record(&mut self, record: Record) -> Result<(), JournalError> {
        let journal = match &mut self.journal {
            Some(journal) => journal,
            None => self.journal.insert(Journal::open(&self.path, &self.owner, OpenMode::MustExist)?.0),
        };
        if let Err(error) = journal.append(&record.to_bytes()).and_then(|()| journal.sync()) {
            // After a failed sync only a fresh look at the file tells what is in it.
            self.journal = None;
            return Err(error);
        }
        self.votes.apply(record);
        if journal.len_bytes() > REWRITE_BYTES
            && let Err(error) = journal.rewrite(self.votes.records().iter().map(Record::to_bytes))
        {
            // The record is durable all the same, and the next one tries again, with a fresh look at the file.
            tracing::warn!("cannot shorten a guardian's journal: {}", with_causes(&error));
            self.journal = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::Checkpoint;

    fn vote(height: u64) -> Checkpoint {
        Checkpoint { height, block_hash: Hash::repeat_byte(height as u8), ..Checkpoint::default() }
    }

    #[test]
    fn votes_survive_and_a_journal_that_goes_missing_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let (me, genesis) = (Address::repeat_byte(7), Hash::repeat_byte(1));
        let mut journal = GuardianJournal::open(&layout, me, &genesis, None).unwrap();
        assert_eq!(journal.votes().last, None);
        for height in 1..3_000 {
            journal.record(Record::Vote(vote(height))).unwrap();
        }
        drop(journal);
        assert!(std::fs::metadata(layout.guardian_journal(&me)).unwrap().len() <= REWRITE_BYTES + 200);
        let again = GuardianJournal::open(&layout, me, &genesis, None).unwrap();
        assert_eq!(again.votes().last, Some(vote(2_999)));
        drop(again);
        let other = GuardianJournal::open(&layout, me, &Hash::repeat_byte(2), None);
        assert!(matches!(other, Err(JournalRefusal::OtherChain { .. })));
        std::fs::remove_file(layout.guardian_journal(&me)).unwrap();
        let missing = GuardianJournal::open(&layout, me, &genesis, None);
        assert!(matches!(missing, Err(JournalRefusal::Missing { .. })));
        let lost = Votes { last: Some(vote(5_000)), reset: None };
        let fresh = GuardianJournal::open(&layout, me, &genesis, Some(lost)).unwrap();
        assert_eq!(fresh.votes().last, Some(vote(5_000)), "nothing up to there is voted on again");
    }

    #[test]
    fn a_vote_is_durable_though_the_journal_cannot_be_shortened() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let (me, genesis) = (Address::repeat_byte(7), Hash::repeat_byte(1));
        let mut journal = GuardianJournal::open(&layout, me, &genesis, None).unwrap();
        // A folder where the new file would be made.
        let path = layout.guardian_journal(&me);
        let in_the_way = path.with_added_extension("new");
        std::fs::create_dir(&in_the_way).unwrap();
        let length = || std::fs::metadata(&path).unwrap().len();
        let mut height = 0;
        while length() < 2 * REWRITE_BYTES {
            height += 1;
            journal.record(Record::Vote(vote(height))).unwrap();
        }
        std::fs::remove_dir(&in_the_way).unwrap();
        journal.record(Record::Vote(vote(height + 1))).unwrap();
        assert!(length() < 1_000, "shortened in the end");
        drop(journal);
        let again = GuardianJournal::open(&layout, me, &genesis, None).unwrap();
        assert_eq!(again.votes().last, Some(vote(height + 1)));
    }
}
