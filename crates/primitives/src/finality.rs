//! Checkpoints, who may vote on them, and the votes (`spec/consensus.md` §2; DESIGN §4, "finalization").

use crate::rlp::{self, RlpError};
use crate::{
    Address, Bytes, GUARDIANS_MAX, GuardianPool, Hash, Height, SIGNER_VECTOR_BYTES_MAX, SignDomain, keccak256,
};
use alloy_primitives::FixedBytes;
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};

/// A compressed BLS public key: a point of G1.
pub type BlsKeyBytes = FixedBytes<48>;
/// A compressed BLS signature: a point of G2.
pub type BlsSignatureBytes = FixedBytes<96>;

/// Most that one guardian weighs, in wei: what it has above does not count. Sums of weights, and three times them, fit
/// 128 bits.
pub const GUARDIAN_WEIGHT_MAX: u128 = 1 << 100;

/// Largest encoding of [`AggregatedVotes`], in bytes.
pub const AGGREGATED_VOTES_BYTES_MAX: usize = SIGNER_VECTOR_BYTES_MAX + 256;

/// One guardian as the votes of a checkpoint see it.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct GuardianMember {
    /// Its node.
    pub address: Address,
    /// The key that it votes with.
    pub key: BlsKeyBytes,
    /// Its active stake in wei, at most [`GUARDIAN_WEIGHT_MAX`]; not 0.
    pub weight: u128,
}

/// The guardians that may vote on a checkpoint: those with active stake in the state after the checkpoint block. A
/// guardian's place in the set is its place in signer vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardianSet {
    members: Vec<GuardianMember>,
    total: u128,
    hash: Hash,
}

impl Default for GuardianSet {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl GuardianSet {
    /// Sorts by address. Of more than [`GUARDIANS_MAX`] the heaviest are taken (of equal ones the lower addresses);
    /// without weight nobody is.
    ///
    /// # Panics
    /// If an address occurs twice.
    pub fn new(mut members: Vec<GuardianMember>) -> Self {
        members.retain(|member| member.weight > 0);
        members.sort_by_key(|member| (std::cmp::Reverse(member.weight), member.address));
        members.truncate(GUARDIANS_MAX);
        for member in &mut members {
            member.weight = member.weight.min(GUARDIAN_WEIGHT_MAX);
        }
        members.sort_by_key(|member| member.address);
        assert!(members.windows(2).all(|pair| pair[0].address < pair[1].address), "a guardian is in the set twice");
        let total = members.iter().map(|member| member.weight).sum();
        let hash = keccak256(rlp::encode(&members));
        Self { members, total, hash }
    }

    /// The set that a pool makes. A guardian whose key has not 48 bytes has none to vote with and is left out.
    pub fn of_pool(pool: &GuardianPool) -> Self {
        let member = |guardian: &crate::Guardian| {
            let key = BlsKeyBytes::try_from(guardian.bls_pubkey.as_ref()).ok()?;
            let weight = guardian.holder.total_stake()?.saturating_to();
            Some(GuardianMember { address: guardian.holder.holder, key, weight })
        };
        Self::new(pool.sorted_guardians.iter().filter_map(member).collect())
    }

    /// By address ascending.
    pub fn members(&self) -> &[GuardianMember] {
        &self.members
    }

    /// Number of guardians: the length of a signer vector.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// True if there are no guardians: no checkpoint can be finalized.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Keccak-256 of the members' RLP; part of what guardians sign (rule G2 of §2.5).
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Sum of all weights, in wei.
    pub fn total(&self) -> u128 {
        self.total
    }

    /// A guardian's place.
    pub fn position(&self, address: &Address) -> Option<usize> {
        self.members.binary_search_by_key(address, |member| member.address).ok()
    }

    /// What the signers of a vector weigh together, in wei.
    ///
    /// # Panics
    /// If the vector has not an entry for each guardian.
    pub fn weight_of(&self, signers: &[u8]) -> u128 {
        assert_eq!(signers.len(), self.len(), "an entry for each guardian");
        self.members.iter().zip(signers).filter(|(_, entry)| **entry > 0).map(|(member, _)| member.weight).sum()
    }

    /// True for strictly more than two thirds of the total.
    pub fn is_quorum(&self, weight: u128) -> bool {
        3 * weight > 2 * self.total
    }
}

/// What guardians vote on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, RlpEncodable, RlpDecodable)]
pub struct Checkpoint {
    /// How often the chain was reset (§A.1) before it.
    pub resets: u64,
    /// Height of the block, a multiple of the checkpoint interval.
    pub height: Height,
    /// The block.
    pub block_hash: Hash,
    /// [`GuardianSet::hash`] of the state after it.
    pub set_hash: Hash,
}

impl Checkpoint {
    /// What a guardian signs, 32 bytes: rule G2 of §2.5.
    pub fn message(&self, domain: &SignDomain) -> Hash {
        domain.digest("vigil/checkpoint/1", self)
    }
}

/// Votes of guardians on one checkpoint, their signatures added up. On the wire, in a header and in storage:
/// `[[resets, height, block hash, set hash], signers, signature]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, RlpEncodable, RlpDecodable)]
pub struct AggregatedVotes {
    /// On what.
    pub checkpoint: Checkpoint,
    /// How often each guardian's signature is in the sum, packed (`vigil_crypto::signer_vectors`).
    pub signers: Bytes,
    /// The sum, a compressed point of G2; unchecked.
    pub signature: BlsSignatureBytes,
}

/// Votes of more than two thirds of the guardians' stake: proof that the checkpoint and all below it are final (§2.3).
pub type FinalityCert = AggregatedVotes;

impl AggregatedVotes {
    /// Decodes strictly; proves nothing yet.
    ///
    /// # Errors
    /// [`RlpError`]: over [`AGGREGATED_VOTES_BYTES_MAX`], or not the encoding of votes.
    pub fn from_rlp(bytes: &[u8]) -> Result<Self, RlpError> {
        rlp::decode_exact("aggregated votes", bytes, AGGREGATED_VOTES_BYTES_MAX)
    }

    /// Decodes one item of a longer encoding, within the size of [`AggregatedVotes::from_rlp`].
    pub(crate) fn decode_item(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let votes = Self::decode(buf)?;
        if votes.signers.len() > SIGNER_VECTOR_BYTES_MAX {
            return Err(alloy_rlp::Error::Custom("a signer vector is longer than its limit"));
        }
        Ok(votes)
    }
}
