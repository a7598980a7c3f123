//! What is durable before a signature leaves (`spec/consensus.md` §1.13).

use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_primitives::{Epoch, Hash, Hcc, Height, RlpError, Vote, rlp};

/// The highest certificate carried by a block we voted for, with the proof that others will want.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Lock {
    /// Index of the block's validator set: the higher part of the rank.
    pub set_index: u64,
    /// Height of the block.
    pub height: Height,
    /// The block.
    pub hash: Hash,
    /// Its certificate; without votes for genesis.
    pub cc: Hcc,
}

impl Lock {
    /// The rank of §1.12.
    pub fn rank(&self) -> (u64, Height) {
        (self.set_index, self.height)
    }
}

/// One entry of the signing journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // a few an epoch
pub enum JournalRecord {
    /// Before a vote: the vote (epoch, height, hash, source) and the lock after it.
    Vote {
        /// The vote.
        vote: Vote,
        /// The lock after it.
        lock: Lock,
    },
    /// Before a proposal.
    Proposal {
        /// Of the block.
        epoch: Epoch,
        /// The block.
        hash: Hash,
    },
    /// Before an `EpochChange`.
    EpochChange {
        /// Its target.
        target: Epoch,
    },
    /// After which nothing is signed any more.
    RolledBack(RolledBack),
    /// An older journal of the key is lost: it may have been used up to there.
    Fresh(Floor),
}

/// What may have been signed: nothing up to it is signed again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Floor {
    /// Highest epoch of a vote or proposal.
    pub epoch: Epoch,
    /// Highest height of a vote.
    pub height: Height,
    /// A block of that height, for [`crate::EpochChange::last_vote_hash`].
    pub hash: Hash,
    /// Highest rank of a vote's source ([`Vote::source_rank`]): the number of set changes.
    pub source_set: u64,
    /// The height in it.
    pub source_height: Height,
}

impl Floor {
    /// The higher of both: epoch, height and source each for itself.
    #[must_use]
    pub fn raised_to(self, other: Self) -> Self {
        let higher = if other.height > self.height { other } else { self };
        let (source_set, source_height) = self.source_rank().max(other.source_rank());
        Self { epoch: self.epoch.max(other.epoch), source_set, source_height, ..higher }
    }

    /// No vote is given over a source below it (V5).
    pub fn source_rank(&self) -> (u64, Height) {
        (self.source_set, self.source_height)
    }
}

impl From<&Vote> for Floor {
    fn from(vote: &Vote) -> Self {
        Self {
            epoch: vote.block_epoch,
            height: vote.height,
            hash: vote.block_hash,
            source_set: vote.source_set,
            source_height: vote.source_height,
        }
    }
}

/// Our key signed something that the journal does not know: the file is an older copy, or another node has the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct RolledBack {
    /// Epoch of what was signed.
    pub signed: Epoch,
    /// [`JournalState::epoch`] when it was found.
    pub known: Epoch,
}

const RECORD_BYTES_MAX: usize = 16 * 1024;

impl JournalRecord {
    /// The encoding: one byte of kind, then RLP.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Vote { vote, lock } => (1, rlp::encode(&WireVote { vote: vote.clone(), lock: lock.clone() })),
            Self::Proposal { epoch, hash } => (2, rlp::encode(&WireProposal { epoch: *epoch, hash: *hash })),
            Self::EpochChange { target } => (3, rlp::encode(target)),
            Self::RolledBack(found) => (4, rlp::encode(found)),
            Self::Fresh(floor) => (5, rlp::encode(floor)),
        };
        std::iter::once(kind).chain(body).collect()
    }

    /// Decodes strictly.
    ///
    /// # Errors
    /// [`RlpError`]: not the encoding of a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RlpError> {
        const WHAT: &str = "journal record";
        match bytes.split_first() {
            Some((1, body)) => {
                let WireVote { vote, lock } = rlp::decode_exact(WHAT, body, RECORD_BYTES_MAX)?;
                Ok(Self::Vote { vote, lock })
            }
            Some((2, body)) => {
                let WireProposal { epoch, hash } = rlp::decode_exact(WHAT, body, RECORD_BYTES_MAX)?;
                Ok(Self::Proposal { epoch, hash })
            }
            Some((3, body)) => Ok(Self::EpochChange { target: rlp::decode_exact(WHAT, body, RECORD_BYTES_MAX)? }),
            Some((4, body)) => Ok(Self::RolledBack(rlp::decode_exact(WHAT, body, RECORD_BYTES_MAX)?)),
            Some((5, body)) => Ok(Self::Fresh(rlp::decode_exact(WHAT, body, RECORD_BYTES_MAX)?)),
            _ => Err(RlpError::Item { what: WHAT, source: alloy_rlp::Error::Custom("unknown kind") }),
        }
    }
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireVote {
    vote: Vote,
    lock: Lock,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireProposal {
    epoch: Epoch,
    hash: Hash,
}

/// What the journal adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalState {
    /// The last vote.
    pub last_vote: Option<Vote>,
    /// The lock after it.
    pub lock: Option<Lock>,
    /// Epoch and hash of the last proposal.
    pub last_proposal: Option<(Epoch, Hash)>,
    /// Highest target of an `EpochChange` sent; 0: none.
    pub change_target: Epoch,
    /// Found to be rolled back: nothing may be signed with this journal.
    pub rolled_back: Option<RolledBack>,
    /// What a lost journal of the key may have held.
    pub lost: Option<Floor>,
}

impl JournalState {
    /// Adds up all records, oldest first.
    pub fn replay(records: impl IntoIterator<Item = JournalRecord>) -> Self {
        records.into_iter().fold(Self::default(), |mut state, record| {
            state.apply(record);
            state
        })
    }

    /// Adds one record. Nothing ever goes back, whatever the order.
    pub fn apply(&mut self, record: JournalRecord) {
        match record {
            JournalRecord::Vote { vote, lock } => {
                if self.lock.as_ref().is_none_or(|old| old.rank() <= lock.rank()) {
                    self.lock = Some(lock);
                }
                if self.last_vote.as_ref().is_none_or(|old| old.block_epoch <= vote.block_epoch) {
                    self.last_vote = Some(vote);
                }
            }
            JournalRecord::Proposal { epoch, hash } => {
                if self.last_proposal.is_none_or(|(old, _)| old <= epoch) {
                    self.last_proposal = Some((epoch, hash));
                }
            }
            JournalRecord::EpochChange { target } => self.change_target = self.change_target.max(target),
            JournalRecord::RolledBack(found) => self.rolled_back = self.rolled_back.or(Some(found)),
            JournalRecord::Fresh(floor) => self.lost = Some(self.lost.unwrap_or_default().raised_to(floor)),
        }
    }

    /// The last vote, or what a lost journal may have held above it: no vote is given up to its epoch or its
    /// height, or over a source below its own.
    pub fn voted(&self) -> Floor {
        let last = self.last_vote.as_ref().map(Floor::from).unwrap_or_default();
        self.lost.map_or(last, |lost| last.raised_to(lost))
    }

    /// No proposal is made up to this epoch.
    pub fn proposed(&self) -> Epoch {
        let last = self.last_proposal.map_or(0, |(epoch, _)| epoch);
        last.max(self.lost.map_or(0, |lost| lost.epoch))
    }

    /// True while an older journal is lost and nothing was voted for since above all that is known of it.
    pub fn is_fresh(&self) -> bool {
        let voted = self.last_vote.as_ref().map_or(0, |vote| vote.block_epoch);
        self.lost.is_some_and(|lost| voted <= lost.epoch)
    }

    /// The fewest records that add up to the same: what a compacted journal holds.
    pub fn records(&self) -> Vec<JournalRecord> {
        let vote = self.last_vote.clone().zip(self.lock.clone()).map(|(vote, lock)| JournalRecord::Vote { vote, lock });
        let proposal = self.last_proposal.map(|(epoch, hash)| JournalRecord::Proposal { epoch, hash });
        let change = Some(self.change_target).filter(|t| *t > 0).map(|target| JournalRecord::EpochChange { target });
        let rolled_back = self.rolled_back.map(JournalRecord::RolledBack);
        let lost = self.lost.map(JournalRecord::Fresh);
        vote.into_iter().chain(proposal).chain(change).chain(rolled_back).chain(lost).collect()
    }

    /// The epoch to restart in: `max(last vote's, last proposal's, last EC target - 1)`, and that of a lost journal.
    pub fn epoch(&self) -> Epoch {
        self.voted().epoch.max(self.proposed()).max(self.change_target.saturating_sub(1))
    }
}
