//! The signing journal of a node.

use std::collections::HashSet;
use vigil_consensus::{JournalRecord, JournalState};
use vigil_primitives::{Epoch, Hash};

/// Durable records, and what they say.
#[derive(Clone, Default)]
pub(super) struct Journal {
    records: Vec<Vec<u8>>,
    pub(super) votes: HashSet<Hash>,
    pub(super) proposals: HashSet<(Epoch, Hash)>,
    /// Highest target of an `EpochChange`.
    pub(super) change: Epoch,
}

impl Journal {
    /// Makes a record durable.
    pub(super) fn write(&mut self, record: &JournalRecord) {
        match record {
            JournalRecord::Vote { vote, .. } => drop(self.votes.insert(vote.block_hash)),
            JournalRecord::Proposal { epoch, hash } => drop(self.proposals.insert((*epoch, *hash))),
            JournalRecord::EpochChange { target } => self.change = self.change.max(*target),
            JournalRecord::RolledBack(_) | JournalRecord::Fresh(_) => {}
        }
        self.records.push(record.to_bytes());
    }

    /// What it adds up to. Bytes go through their encoding, as on a disk.
    pub(super) fn replay(&self) -> JournalState {
        JournalState::replay(self.records.iter().map(|bytes| decode(bytes)))
    }

    /// Becomes the copy that was made `count` records ago. Answers what it does not hold any more.
    pub(super) fn roll_back(&mut self, count: usize) -> Vec<JournalRecord> {
        let lost = self.records.split_off(self.records.len().saturating_sub(count));
        let kept = std::mem::take(self).records;
        kept.iter().for_each(|bytes| self.write(&decode(bytes)));
        lost.iter().map(|bytes| decode(bytes)).collect()
    }
}

fn decode(bytes: &[u8]) -> JournalRecord {
    JournalRecord::from_bytes(bytes).expect("we wrote it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_copy_holds_what_was_written_before() {
        let mut journal = Journal::default();
        let records: Vec<_> = (1..6).map(|target| JournalRecord::EpochChange { target }).collect();
        records.iter().for_each(|record| journal.write(record));
        assert_eq!(journal.roll_back(2), records[3..]);
        assert_eq!((journal.change, journal.replay().change_target), (3, 3));
        assert_eq!(journal.roll_back(9).len(), 3);
        assert_eq!(journal.replay(), JournalState::default());
    }
}
