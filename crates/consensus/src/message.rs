//! Messages between validators (`spec/consensus.md` §1.4). Their wire form is in `message/wire.rs`.

mod wire;

use std::sync::Arc;
use vigil_primitives::{Address, Block, Epoch, Hash, Hcc, Height, SignDomain, Signature, Vote};

/// What validators tell each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A vote.
    Vote(Vote),
    /// Wish to enter an epoch, with the sender's lock.
    EpochChange(EpochChange),
    /// The proposer's block.
    Proposal(Proposal),
    /// Proof that an epoch may be entered.
    EpochCert(EpochCert),
    /// Asks for the certificate of a block.
    CertReq(Hash),
    /// A certificate: an answer, or forwarded.
    Certificate(Arc<Hcc>),
    /// Asks for a block.
    BlockReq(Hash),
    /// A block: an answer, forwarded, or fed by sync.
    Block(Arc<Block>),
}

/// A block in its proposer's turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The block, signed.
    pub block: Arc<Block>,
    /// Present unless the certificate in the header is of the epoch before.
    pub epoch_cert: Option<EpochCert>,
}

/// `EpochChange` (EC): the sender is done with all epochs below the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochChange {
    /// The epoch to enter.
    pub target_epoch: Epoch,
    /// Height of the sender's lock; 0 for genesis and for a reset block.
    pub lock_height: Height,
    /// The sender's lock.
    pub lock_hash: Hash,
    /// Height of its last vote; a claim.
    pub last_vote_height: Height,
    /// Block of its last vote; a claim.
    pub last_vote_hash: Hash,
    /// Who.
    pub voter: Address,
    /// Over [`EpochChange::digest`].
    pub signature: Signature,
    /// The lock's certificate (its votes sign themselves); none for a genesis lock.
    pub lock_cc: Option<Arc<Hcc>>,
}

/// Proof that an epoch may be entered (E3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EpochCert {
    /// The certificate of a block of the epoch before.
    Commit(Arc<Hcc>),
    /// `EpochChange`s of a quorum, one a sender, by sender ascending.
    Changes(Vec<EpochChange>),
}

impl EpochChange {
    /// What the sender signs: `keccak(rlp([tag, chain id, genesis hash, [the seven fields, signature absent]]))`.
    pub fn digest(&self, domain: &SignDomain) -> Hash {
        domain.digest("vigil/epoch-change/1", &wire::unsigned(self))
    }
}

impl Message {
    /// A word for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Vote(_) => "vote",
            Self::EpochChange(_) => "epoch_change",
            Self::Proposal(_) => "proposal",
            Self::EpochCert(_) => "epoch_cert",
            Self::CertReq(_) => "cert_req",
            Self::Certificate(_) => "certificate",
            Self::BlockReq(_) => "block_req",
            Self::Block(_) => "block",
        }
    }
}
