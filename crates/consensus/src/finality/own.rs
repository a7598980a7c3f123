//! Our own votes: rule G1 of §2.5, at most one reset a number, and what is durable before a vote leaves (§1.13).

use super::chain::Chain;
use super::effect::{Abstention, Effect};
use super::machine::Machine;
use super::merge::Tally;
use super::subject::Subject;
use vigil_crypto::checkpoint::Aggregate;
use vigil_primitives::{Address, BlsKeyBytes, BlsSignatureBytes, Checkpoint, GuardianSet, Hash, Reset, RlpError, rlp};

/// Signing with a guardian's BLS key.
pub trait Keys: Send + Sync {
    /// The public key.
    fn key(&self) -> BlsKeyBytes;
    /// Signs under the chain's scheme.
    fn sign(&self, message: &Hash) -> BlsSignatureBytes;
}

/// A guardian that votes.
pub struct Voter {
    /// Its address in the guardian pool.
    pub address: Address,
    /// Its key.
    pub keys: Box<dyn Keys>,
}

/// One entry of a guardian's signing journal: before a vote leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// On a checkpoint.
    Vote(Checkpoint),
    /// On a reset.
    Reset(Reset),
}

/// Kinds of records; other kinds belong to journals of validators.
const VOTE: u8 = 0x10;
/// See [`VOTE`].
const RESET: u8 = 0x11;
/// Longest record, in bytes.
const RECORD_BYTES_MAX: usize = 512;

impl Record {
    /// The encoding: one byte of kind, then RLP of what was voted on.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Vote(checkpoint) => (VOTE, rlp::encode(checkpoint)),
            Self::Reset(reset) => (RESET, rlp::encode(reset)),
        };
        std::iter::once(kind).chain(body).collect()
    }

    /// Decodes strictly.
    ///
    /// # Errors
    /// [`RlpError`]: not the encoding of a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RlpError> {
        const WHAT: &str = "guardian journal record";
        match bytes.split_first() {
            Some((&VOTE, body)) => rlp::decode_exact(WHAT, body, RECORD_BYTES_MAX).map(Self::Vote),
            Some((&RESET, body)) => rlp::decode_exact(WHAT, body, RECORD_BYTES_MAX).map(Self::Reset),
            _ => Err(RlpError::Item { what: WHAT, source: alloy_rlp::Error::Custom("unknown kind") }),
        }
    }
}

/// What the journal adds up to: the last votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Highest reset first, then highest height. `None`: never voted.
    pub last: Option<Checkpoint>,
    /// The reset of the highest number that was signed; of one number the first.
    pub reset: Option<Reset>,
}

impl Journal {
    /// Adds up all records.
    pub fn replay(records: impl IntoIterator<Item = Record>) -> Self {
        records.into_iter().fold(Self::default(), |mut journal, record| {
            journal.apply(record);
            journal
        })
    }

    /// Adds one record. Nothing ever goes back, whatever the order.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Vote(vote) => {
                let later = |last: &Checkpoint| (vote.resets, vote.height) > (last.resets, last.height);
                if self.last.as_ref().is_none_or(later) {
                    self.last = Some(vote);
                }
            }
            Record::Reset(reset) => {
                if self.reset.is_none_or(|signed| reset.number > signed.number) {
                    self.reset = Some(reset);
                }
            }
        }
    }

    /// The fewest records that add up to the same: what a rewritten journal holds.
    pub fn records(&self) -> Vec<Record> {
        self.last.map(Record::Vote).into_iter().chain(self.reset.map(Record::Reset)).collect()
    }

    /// Rule G1: at most one vote a height, heights ascend, and a vote descends from every earlier one. The chain is the
    /// settled one, on which what descends is what is above.
    pub(super) fn may_vote(&self, checkpoint: &Checkpoint, chain: &Chain) -> Result<bool, Abstention> {
        let left = |reset: &Reset| reset.number > checkpoint.resets && checkpoint.height > reset.checkpoint.height;
        if let Some(Reset { number, .. }) = self.reset.filter(left) {
            return Err(Abstention::ResetSigned { number });
        }
        let Some(last) = self.last.filter(|last| last.resets == checkpoint.resets) else {
            return Ok(self.last.is_none_or(|last| last.resets < checkpoint.resets));
        };
        if checkpoint.height < last.height || *checkpoint == last {
            // Below the last vote there is nothing to say; the same vote may be said again.
            return Ok(*checkpoint == last);
        }
        if checkpoint.height == last.height {
            return Err(Abstention::Conflict { height: last.height });
        }
        match chain.block_at(last.height) {
            Some(hash) if hash == last.block_hash => Ok(true),
            Some(_) => Err(Abstention::Conflict { height: last.height }),
            None => Err(Abstention::Unknown { height: last.height }),
        }
    }
}

impl Machine {
    /// Our vote, journalled, if we may give one. On a reset we may, or it would not be under way.
    pub(super) fn vote(&mut self, subject: &Subject, set: &GuardianSet) -> Option<Tally> {
        let voter = self.voter.as_ref()?;
        let place = set.position(&voter.address)?;
        let allowed = match (subject, self.forked) {
            _ if set.members()[place].key != voter.keys.key() => Err(Abstention::OtherKey),
            (Subject::Reset(_), _) => Ok(true),
            (_, Some(height)) => Err(Abstention::Finalized { height }),
            (Subject::Checkpoint(checkpoint), None) => self.journal.may_vote(checkpoint, &self.chain),
        };
        match allowed {
            Ok(false) => return None,
            Ok(true) => {}
            Err(reason) => {
                let (_, height) = subject.topic();
                self.out.push(Effect::Abstain { height, reason });
                return None;
            }
        }
        let record = match *subject {
            Subject::Checkpoint(checkpoint) => Record::Vote(checkpoint),
            Subject::Reset(reset) => Record::Reset(reset),
        };
        let before = self.journal;
        self.journal.apply(record);
        if self.journal != before {
            self.out.push(Effect::Journal(record));
        }
        let signature = voter.keys.sign(&subject.message(&self.config.domain)).0;
        let mut signers = vec![0; set.len()];
        signers[place] = 1;
        Some(Tally::new(set, Aggregate { signature, signers }))
    }
}
