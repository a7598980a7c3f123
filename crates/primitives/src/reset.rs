//! The reset of a chain whose committee is corrupt (`spec/consensus.md` §1.15, §A.1; `docs/decisions/0012-reset.md`).

use crate::rlp::{self, RlpError};
use crate::{
    Address, BlockHeader, BlsSignatureBytes, Bytes, Checkpoint, EMPTY_TRIE_ROOT, EVIDENCE_BYTES_MAX, Evidence, Hash,
    Hcc, SIGNER_VECTOR_BYTES_MAX, SignDomain, StakePurpose, U256, keccak256,
};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use std::collections::BTreeSet;

/// Most offenders that a reset names.
pub const OFFENDERS_MAX: usize = 256;
/// Largest encoding of [`Offences`], in bytes.
pub const OFFENCES_BYTES_MAX: usize = OFFENDERS_MAX * (EVIDENCE_BYTES_MAX + 8);
/// Largest encoding of [`ResetVotes`], in bytes.
pub const RESET_VOTES_BYTES_MAX: usize = SIGNER_VECTOR_BYTES_MAX + 512;

/// What guardians sign to begin a new segment of the chain: it goes on from a final checkpoint, with another committee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, RlpEncodable, RlpDecodable)]
pub struct Reset {
    /// How often the chain was reset with this one: the [`Checkpoint::resets`] of what follows. Not 0.
    pub number: u64,
    /// The last final checkpoint; its guardians sign. Height 0: genesis, nothing is final yet.
    pub checkpoint: Checkpoint,
    /// [`Offences::root`] of those who lose their stake.
    pub offences: Hash,
    /// [`committee_hash`] of who settles from now on.
    pub committee: Hash,
}

impl Reset {
    /// What a guardian signs, 32 bytes: tag, chain id and genesis hash as for checkpoints, rule G2 of §2.5.
    pub fn message(&self, domain: &SignDomain) -> Hash {
        domain.digest("vigil/reset/1", self)
    }

    /// The header of the reset block, the first of the new segment: the child of the checkpoint's block, in epoch 0,
    /// signed and certified by nobody, without transactions. Its tx root is the hash of the reset, so that everything
    /// that names the block names the reset; the guardians' certificate is kept beside it, as many would do.
    ///
    /// `base`: the checkpoint's header. `state_root`: of the state after the offenders lost their stake.
    pub fn header(&self, base: &BlockHeader, state_root: Hash) -> BlockHeader {
        let parent = self.checkpoint.block_hash;
        BlockHeader {
            chain_id: base.chain_id.clone(),
            height: base.height + 1,
            parent,
            hcc: Hcc { votes: Vec::new(), block_hash: parent },
            tx_root: keccak256(rlp::encode(self)),
            receipt_root: EMPTY_TRIE_ROOT,
            state_root,
            timestamp: base.timestamp,
            ..BlockHeader::default()
        }
    }
}

/// Votes of guardians on one reset, their signatures added up: `[reset, signers, signature]`, as
/// [`crate::AggregatedVotes`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, RlpEncodable, RlpDecodable)]
pub struct ResetVotes {
    /// On what.
    pub reset: Reset,
    /// How often each guardian's signature is in the sum, packed (`vigil_crypto::signer_vectors`).
    pub signers: Bytes,
    /// The sum, a compressed point of G2; unchecked.
    pub signature: BlsSignatureBytes,
}

/// Votes of more than two thirds of the guardians' stake: proof that the chain is reset.
pub type ResetCert = ResetVotes;

impl ResetVotes {
    /// Decodes strictly; proves nothing yet.
    ///
    /// # Errors
    /// [`RlpError`]: over [`RESET_VOTES_BYTES_MAX`], or not the encoding of votes.
    pub fn from_rlp(bytes: &[u8]) -> Result<Self, RlpError> {
        rlp::decode_exact("votes on a reset", bytes, RESET_VOTES_BYTES_MAX)
    }
}

/// Keccak-256 of the RLP list of `[address, stake in wei]`. `members`: by address ascending.
pub fn committee_hash(members: &[(Address, U256)]) -> Hash {
    #[derive(RlpEncodable)]
    struct Member {
        address: Address,
        stake: U256,
    }
    let members: Vec<Member> =
        members.iter().map(|(address, stake)| Member { address: *address, stake: *stake }).collect();
    keccak256(rlp::encode(&members))
}

/// The evidence that a reset rests on: one piece for each offender and role, by role and address ascending. Operators
/// hand it to each other; the reset names it by its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offences(Vec<Evidence>);

impl Offences {
    /// Sorts evidence; of several pieces against one offender in one role the least encoding is taken, and of more than
    /// [`OFFENDERS_MAX`] offenders the first. Whoever has the same evidence makes the same list.
    pub fn new(evidence: impl IntoIterator<Item = Evidence>) -> Self {
        let mut keyed: Vec<_> = evidence.into_iter().map(|e| (place(&e), e.to_bytes(), e)).collect();
        keyed.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        keyed.dedup_by_key(|(place, ..)| *place);
        keyed.truncate(OFFENDERS_MAX);
        Self(keyed.into_iter().map(|(.., evidence)| evidence).collect())
    }

    /// The evidence, in order.
    pub fn evidence(&self) -> &[Evidence] {
        &self.0
    }

    /// Those who are accused in a role.
    pub fn offenders(&self, role: StakePurpose) -> BTreeSet<Address> {
        self.0.iter().filter(|evidence| evidence.role() == role).map(Evidence::offender).collect()
    }

    /// Keccak-256 of the encoding.
    pub fn root(&self) -> Hash {
        keccak256(self.to_bytes())
    }

    /// The encoding: an RLP list of strings, each [`Evidence::to_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let items: Vec<Bytes> = self.0.iter().map(|evidence| evidence.to_bytes().into()).collect();
        rlp::encode(&items)
    }

    /// Decodes strictly; proves nothing yet.
    ///
    /// # Errors
    /// [`RlpError`]: over [`OFFENCES_BYTES_MAX`] or [`OFFENDERS_MAX`], a piece is no evidence, or they are out of order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RlpError> {
        const WHAT: &str = "offences";
        let broken = |source| RlpError::Item { what: WHAT, source };
        if bytes.len() > OFFENCES_BYTES_MAX {
            return Err(RlpError::TooLong { what: WHAT, got: bytes.len(), max: OFFENCES_BYTES_MAX });
        }
        let mut rest = bytes;
        let items: Vec<Bytes> = rlp::decode_list(&mut rest, OFFENDERS_MAX).map_err(broken)?;
        if !rest.is_empty() {
            return Err(RlpError::Trailing { what: WHAT, left: rest.len() });
        }
        let evidence = items.iter().map(|item| Evidence::from_bytes(item)).collect::<Result<Vec<_>, _>>()?;
        if !evidence.is_sorted_by(|a, b| place(a) < place(b)) {
            return Err(broken(alloy_rlp::Error::Custom("offenders are not in order")));
        }
        Ok(Self(evidence))
    }
}

fn place(evidence: &Evidence) -> (u8, Address) {
    (evidence.role() as u8, evidence.offender())
}
