//! Our own votes: rule G1 of §2.5, and what is durable before one leaves (§1.13).

use super::chain::Chain;
use super::effect::{Abstention, Effect};
use super::machine::Machine;
use super::merge::Tally;
use alloy_rlp::Decodable;
use vigil_crypto::checkpoint::Aggregate;
use vigil_primitives::{Address, BlsKeyBytes, BlsSignatureBytes, Checkpoint, GuardianSet, Hash, RlpError, rlp};

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
pub struct Record(pub Checkpoint);

/// The kind of a record; other kinds belong to journals of validators.
const KIND: u8 = 0x10;

impl Record {
    /// The encoding: one byte of kind, then the checkpoint's RLP.
    pub fn to_bytes(&self) -> Vec<u8> {
        std::iter::once(KIND).chain(rlp::encode(&self.0)).collect()
    }

    /// Decodes strictly.
    ///
    /// # Errors
    /// [`RlpError`]: not the encoding of a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RlpError> {
        const WHAT: &str = "guardian journal record";
        match bytes.split_first() {
            Some((&KIND, mut body)) => {
                let checkpoint =
                    Checkpoint::decode(&mut body).map_err(|source| RlpError::Item { what: WHAT, source })?;
                if body.is_empty() {
                    Ok(Self(checkpoint))
                } else {
                    Err(RlpError::Trailing { what: WHAT, left: body.len() })
                }
            }
            _ => Err(RlpError::Item { what: WHAT, source: alloy_rlp::Error::Custom("unknown kind") }),
        }
    }
}

/// What the journal adds up to: the last vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Highest reset first, then highest height. `None`: never voted.
    pub last: Option<Checkpoint>,
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
    pub fn apply(&mut self, Record(vote): Record) {
        let later = |last: &Checkpoint| (vote.resets, vote.height) > (last.resets, last.height);
        if self.last.as_ref().is_none_or(later) {
            self.last = Some(vote);
        }
    }

    /// Rule G1: at most one vote a height, heights ascend, and a vote descends from every earlier one. The chain is the
    /// settled one, on which what descends is what is above.
    pub(super) fn may_vote(&self, checkpoint: &Checkpoint, chain: &Chain) -> Result<bool, Abstention> {
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
    /// Our vote on a checkpoint, journalled, if we may give one.
    pub(super) fn vote(&mut self, checkpoint: &Checkpoint, set: &GuardianSet) -> Option<Tally> {
        let voter = self.voter.as_ref()?;
        let place = set.position(&voter.address)?;
        let allowed = match self.forked {
            _ if set.members()[place].key != voter.keys.key() => Err(Abstention::OtherKey),
            Some(height) => Err(Abstention::Finalized { height }),
            None => self.journal.may_vote(checkpoint, &self.chain),
        };
        match allowed {
            Ok(false) => return None,
            Ok(true) => {}
            Err(reason) => {
                self.out.push(Effect::Abstain { height: checkpoint.height, reason });
                return None;
            }
        }
        if self.journal.last != Some(*checkpoint) {
            self.journal.apply(Record(*checkpoint));
            self.out.push(Effect::Journal(Record(*checkpoint)));
        }
        let signature = voter.keys.sign(&checkpoint.message(&self.config.domain)).0;
        let mut signers = vec![0; set.len()];
        signers[place] = 1;
        Some(Tally::new(set, Aggregate { signature, signers }))
    }
}
