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
        }
    }

    /// The fewest records that add up to the same: what a compacted journal holds.
    pub fn records(&self) -> Vec<JournalRecord> {
        let vote = self.last_vote.clone().zip(self.lock.clone()).map(|(vote, lock)| JournalRecord::Vote { vote, lock });
        let proposal = self.last_proposal.map(|(epoch, hash)| JournalRecord::Proposal { epoch, hash });
        let change = Some(self.change_target).filter(|t| *t > 0).map(|target| JournalRecord::EpochChange { target });
        let rolled_back = self.rolled_back.map(JournalRecord::RolledBack);
        vote.into_iter().chain(proposal).chain(change).chain(rolled_back).collect()
    }

    /// The epoch to restart in: `max(last vote's, last proposal's, last EC target - 1)`.
    pub fn epoch(&self) -> Epoch {
        let vote = self.last_vote.as_ref().map_or(0, |v| v.block_epoch);
        let proposal = self.last_proposal.map_or(0, |(epoch, _)| epoch);
        vote.max(proposal).max(self.change_target.saturating_sub(1))
    }
}
