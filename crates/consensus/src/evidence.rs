//! Proof of a fault, checkable by anybody (`spec/consensus.md` §3.4).

use crate::{Keys, ValidatorSet};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_primitives::{Address, BlockHeader, RlpError, SignDomain, Vote, rlp};

/// A fault of a validator, with all that is needed to prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // rare, and boxed where it travels
pub enum Evidence {
    /// Two headers of one proposer and epoch.
    DoubleProposal(BlockHeader, BlockHeader),
    /// Two votes of one voter and height for different blocks.
    DoubleVote(Vote, Vote),
    /// Two votes of one voter: the first has the lower source and the higher target.
    SurroundVote(Vote, Vote),
    /// A vote whose source is not the HCC in the header of its block.
    SourceLie(Vote, Box<BlockHeader>),
}

/// Why something proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The parts are no contradiction.
    #[error("the two parts do not contradict each other")]
    NoContradiction,
    /// The chain id of a header is another.
    #[error("a header is of chain {got}, not {expected}")]
    OtherChain {
        /// The header's.
        got: String,
        /// Ours.
        expected: String,
    },
    /// A signature is not the offender's.
    #[error("a signature is not {0}'s")]
    Signature(Address),
    /// The offender was no validator.
    #[error("{0} is not in the validator set")]
    NotAMember(Address),
}

impl Evidence {
    /// Who did it.
    pub fn offender(&self) -> Address {
        match self {
            Self::DoubleProposal(header, _) => header.proposer,
            Self::DoubleVote(vote, _) | Self::SurroundVote(vote, _) | Self::SourceLie(vote, _) => vote.voter,
        }
    }

    /// Checks the contradiction, the signatures and that the offender is in `set` (the set at the time of the fault).
    ///
    /// # Errors
    /// [`EvidenceError`]: what is missing.
    pub fn verify(&self, domain: &SignDomain, keys: &dyn Keys, set: &ValidatorSet) -> Result<(), EvidenceError> {
        let offender = self.offender();
        if !set.contains(&offender) {
            return Err(EvidenceError::NotAMember(offender));
        }
        if !self.contradicts() {
            return Err(EvidenceError::NoContradiction);
        }
        match self {
            Self::DoubleProposal(a, b) => {
                for header in [a, b] {
                    check_chain(domain, header)?;
                    let signed = keys.verify(&offender, &header.sign_digest(), &header.signature);
                    signed.then_some(()).ok_or(EvidenceError::Signature(offender))?;
                }
                Ok(())
            }
            Self::DoubleVote(a, b) | Self::SurroundVote(a, b) => {
                check_vote(domain, keys, a)?;
                check_vote(domain, keys, b)
            }
            Self::SourceLie(vote, header) => {
                check_chain(domain, header)?;
                check_vote(domain, keys, vote)
            }
        }
    }

    fn contradicts(&self) -> bool {
        match self {
            Self::DoubleProposal(a, b) => a.proposer == b.proposer && a.epoch == b.epoch && a.hash() != b.hash(),
            Self::DoubleVote(a, b) => a.voter == b.voter && a.height == b.height && a.block_hash != b.block_hash,
            Self::SurroundVote(a, b) => a.voter == b.voter && a.source_height < b.source_height && b.height < a.height,
            Self::SourceLie(vote, header) => {
                vote.block_hash == header.hash() && vote.source_hash != header.hcc.block_hash
            }
        }
    }

    /// The encoding, for storage and slash transactions: one byte of kind, then RLP of both parts.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::DoubleProposal(a, b) => (1, rlp::encode(&Headers { a: a.clone(), b: b.clone() })),
            Self::DoubleVote(a, b) => (2, rlp::encode(&Votes { a: a.clone(), b: b.clone() })),
            Self::SurroundVote(a, b) => (3, rlp::encode(&Votes { a: a.clone(), b: b.clone() })),
            Self::SourceLie(vote, header) => {
                (4, rlp::encode(&Lie { vote: vote.clone(), header: header.as_ref().clone() }))
            }
        };
        std::iter::once(kind).chain(body).collect()
    }

    /// Decodes strictly; proves nothing yet.
    ///
    /// # Errors
    /// [`RlpError`]: not the encoding of evidence.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RlpError> {
        const WHAT: &str = "evidence";
        const BYTES_MAX: usize = 32 * 1024;
        match bytes.split_first() {
            Some((1, body)) => {
                rlp::decode_exact(WHAT, body, BYTES_MAX).map(|Headers { a, b }| Self::DoubleProposal(a, b))
            }
            Some((2, body)) => rlp::decode_exact(WHAT, body, BYTES_MAX).map(|Votes { a, b }| Self::DoubleVote(a, b)),
            Some((3, body)) => rlp::decode_exact(WHAT, body, BYTES_MAX).map(|Votes { a, b }| Self::SurroundVote(a, b)),
            Some((4, body)) => rlp::decode_exact(WHAT, body, BYTES_MAX)
                .map(|Lie { vote, header }| Self::SourceLie(vote, Box::new(header))),
            _ => Err(RlpError::Item { what: WHAT, source: alloy_rlp::Error::Custom("unknown kind") }),
        }
    }
}

#[derive(RlpEncodable, RlpDecodable)]
struct Headers {
    a: BlockHeader,
    b: BlockHeader,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Votes {
    a: Vote,
    b: Vote,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Lie {
    vote: Vote,
    header: BlockHeader,
}

fn check_chain(domain: &SignDomain, header: &BlockHeader) -> Result<(), EvidenceError> {
    if header.chain_id == domain.chain_id {
        return Ok(());
    }
    Err(EvidenceError::OtherChain { got: header.chain_id.clone(), expected: domain.chain_id.clone() })
}

fn check_vote(domain: &SignDomain, keys: &dyn Keys, vote: &Vote) -> Result<(), EvidenceError> {
    let signed = keys.verify(&vote.voter, &vote.digest(domain), &vote.signature);
    signed.then_some(()).ok_or(EvidenceError::Signature(vote.voter))
}
