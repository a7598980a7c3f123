//! Proof of a fault, checkable by anybody (`spec/consensus.md` §3.4; `docs/decisions/0011-slashing.md`).

use crate::rlp::{self, RlpError};
use crate::{Address, AggregatedVotes, BlockHeader, Hash, Height, SignDomain, Signature, StakePurpose, Vote};
use alloy_rlp::{RlpDecodable, RlpEncodable};

/// Largest encoding of [`Evidence`], in bytes: two headers with certificates have less.
pub const EVIDENCE_BYTES_MAX: usize = 64 * 1024;

/// A fault of one offender, with all that is needed to prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // rare, and boxed where it travels
pub enum Evidence {
    /// Two headers of one proposer and epoch.
    DoubleProposal(BlockHeader, BlockHeader),
    /// Two votes of one voter and height that differ in more than their signatures: for two blocks, or for one over
    /// different sources or epochs ([`Vote::body`]).
    DoubleVote(Vote, Vote),
    /// Two votes of one voter: the first has the lower source and the higher target ([`Vote::surrounds`]).
    SurroundVote(Vote, Vote),
    /// A vote whose source is not the HCC in the header of its block.
    SourceLie(Vote, Box<BlockHeader>),
    /// Votes of guardians for two blocks of one checkpoint height; this guardian is among the signers of both.
    GuardianDoubleVote(Address, Box<(AggregatedVotes, AggregatedVotes)>),
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
    /// The chain id of a header is ours, its genesis is not.
    #[error("a header stands on genesis {got}, not {expected}")]
    OtherGenesis {
        /// The header's.
        got: Hash,
        /// Ours.
        expected: Hash,
    },
    /// A signature is not that of who should have made it.
    #[error("a signature is not {0}'s")]
    Signature(Address),
}

impl Evidence {
    /// Who did it.
    pub fn offender(&self) -> Address {
        match self {
            Self::DoubleProposal(header, _) => header.proposer,
            Self::DoubleVote(vote, _) | Self::SurroundVote(vote, _) | Self::SourceLie(vote, _) => vote.voter,
            Self::GuardianDoubleVote(guardian, _) => *guardian,
        }
    }

    /// In which role: validator or guardian.
    pub fn role(&self) -> StakePurpose {
        match self {
            Self::GuardianDoubleVote(..) => StakePurpose::Guardian,
            _ => StakePurpose::Validator,
        }
    }

    /// Height at which the fault was complete: the higher one of its parts.
    pub fn height(&self) -> Height {
        match self {
            Self::DoubleProposal(a, b) => a.height.max(b.height),
            Self::DoubleVote(a, b) | Self::SurroundVote(a, b) => a.height.max(b.height),
            Self::SourceLie(vote, _) => vote.height,
            Self::GuardianDoubleVote(_, votes) => votes.0.checkpoint.height,
        }
    }

    /// How often the chain was reset before the fault, if the evidence says so: guardians sign the number. Validators sign
    /// under the domain of one segment ([`SignDomain::after_reset`]), and their faults count in that one alone.
    pub fn resets(&self) -> Option<u64> {
        match self {
            Self::GuardianDoubleVote(_, votes) => Some(votes.0.checkpoint.resets),
            _ => None,
        }
    }

    /// Checks that the parts contradict each other and are of this chain. Cheap; says nothing about who signed.
    ///
    /// # Errors
    /// [`EvidenceError`], all but [`EvidenceError::Signature`].
    pub fn check_contradiction(&self, domain: &SignDomain) -> Result<(), EvidenceError> {
        if !self.contradicts() {
            return Err(EvidenceError::NoContradiction);
        }
        match self {
            Self::DoubleProposal(a, b) => check_chain(domain, a).and_then(|()| check_chain(domain, b)),
            Self::SourceLie(_, header) => check_chain(domain, header),
            // The chain is part of what is signed.
            Self::DoubleVote(..) | Self::SurroundVote(..) | Self::GuardianDoubleVote(..) => Ok(()),
        }
    }

    /// Who signed what with the key of its account, and the signatures. Empty for guardians: their votes are judged with
    /// the guardian sets.
    ///
    /// A proposer does not sign the genesis that its header stands on, but the votes in its HCC do: one of them shows that
    /// the header is not of another chain of that name, on which the proposer worked with the same key.
    pub fn signed(&self, domain: &SignDomain) -> Vec<(Address, Hash, &Signature)> {
        fn voted<'a>(domain: &SignDomain, vote: &'a Vote) -> (Address, Hash, &'a Signature) {
            (vote.voter, vote.digest(domain), &vote.signature)
        }
        match self {
            Self::DoubleProposal(a, b) => {
                let proposed = [a, b].map(|header| (header.proposer, header.sign_digest(), &header.signature));
                let hccs = [a, b].into_iter().filter_map(|header| header.hcc.votes.first());
                proposed.into_iter().chain(hccs.map(|vote| voted(domain, vote))).collect()
            }
            Self::DoubleVote(a, b) | Self::SurroundVote(a, b) => vec![voted(domain, a), voted(domain, b)],
            Self::SourceLie(vote, _) => vec![voted(domain, vote)],
            Self::GuardianDoubleVote(..) => Vec::new(),
        }
    }

    /// Checks contradiction, chain and the signatures of [`Self::signed`]; `is_signed` answers whether a signature is an
    /// account's over a digest. That the offender had a stake, and who signed aggregated votes, is for the state to say.
    ///
    /// # Errors
    /// [`EvidenceError`]: what is missing.
    pub fn verify(
        &self,
        domain: &SignDomain,
        is_signed: impl Fn(&Address, &Hash, &Signature) -> bool,
    ) -> Result<(), EvidenceError> {
        self.check_contradiction(domain)?;
        let signed = self.signed(domain);
        match signed.iter().find(|(signer, digest, signature)| !is_signed(signer, digest, signature)) {
            None => Ok(()),
            Some((signer, ..)) => Err(EvidenceError::Signature(*signer)),
        }
    }

    fn contradicts(&self) -> bool {
        match self {
            Self::DoubleProposal(a, b) => a.proposer == b.proposer && a.epoch == b.epoch && a.hash() != b.hash(),
            Self::DoubleVote(a, b) => a.voter == b.voter && a.height == b.height && a.body() != b.body(),
            Self::SurroundVote(a, b) => a.surrounds(b),
            Self::SourceLie(vote, header) => {
                vote.block_hash == header.hash() && vote.source_hash != header.hcc.block_hash
            }
            Self::GuardianDoubleVote(_, votes) => {
                let (a, b) = (&votes.0.checkpoint, &votes.1.checkpoint);
                a.resets == b.resets && a.height == b.height && a.block_hash != b.block_hash
            }
        }
    }

    /// The encoding, for storage and slash transactions: one byte of kind, then RLP of the parts.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::DoubleProposal(a, b) => (1, rlp::encode(&Headers { a: a.clone(), b: b.clone() })),
            Self::DoubleVote(a, b) => (2, rlp::encode(&Votes { a: a.clone(), b: b.clone() })),
            Self::SurroundVote(a, b) => (3, rlp::encode(&Votes { a: a.clone(), b: b.clone() })),
            Self::SourceLie(vote, header) => {
                (4, rlp::encode(&Lie { vote: vote.clone(), header: header.as_ref().clone() }))
            }
            Self::GuardianDoubleVote(guardian, votes) => {
                let (a, b) = votes.as_ref().clone();
                (5, rlp::encode(&Aggregates { guardian: *guardian, a, b }))
            }
        };
        std::iter::once(kind).chain(body).collect()
    }

    /// Decodes strictly; proves nothing yet.
    ///
    /// # Errors
    /// [`RlpError`]: over [`EVIDENCE_BYTES_MAX`], or not the encoding of evidence.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RlpError> {
        const WHAT: &str = "evidence";
        const MAX: usize = EVIDENCE_BYTES_MAX - 1;
        match bytes.split_first() {
            Some((1, body)) => rlp::decode_exact(WHAT, body, MAX).map(|Headers { a, b }| Self::DoubleProposal(a, b)),
            Some((2, body)) => rlp::decode_exact(WHAT, body, MAX).map(|Votes { a, b }| Self::DoubleVote(a, b)),
            Some((3, body)) => rlp::decode_exact(WHAT, body, MAX).map(|Votes { a, b }| Self::SurroundVote(a, b)),
            Some((4, body)) => {
                rlp::decode_exact(WHAT, body, MAX).map(|Lie { vote, header }| Self::SourceLie(vote, Box::new(header)))
            }
            Some((5, body)) => rlp::decode_exact(WHAT, body, MAX)
                .map(|Aggregates { guardian, a, b }| Self::GuardianDoubleVote(guardian, Box::new((a, b)))),
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

#[derive(RlpEncodable, RlpDecodable)]
struct Aggregates {
    guardian: Address,
    a: AggregatedVotes,
    b: AggregatedVotes,
}

fn check_chain(domain: &SignDomain, header: &BlockHeader) -> Result<(), EvidenceError> {
    if header.chain_id != domain.chain_id {
        return Err(EvidenceError::OtherChain { got: header.chain_id.clone(), expected: domain.chain_id.clone() });
    }
    // Only the genesis block is certified by nobody.
    if header.hcc.votes.is_empty() && header.hcc.block_hash != domain.genesis_hash {
        return Err(EvidenceError::OtherGenesis { got: header.hcc.block_hash, expected: domain.genesis_hash });
    }
    Ok(())
}
