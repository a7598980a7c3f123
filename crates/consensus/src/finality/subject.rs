//! What a ballot is on: a checkpoint, or a reset.

use super::effect::Effect;
use super::merge::Tally;
use crate::Peer;
use std::sync::Arc;
use vigil_crypto::signer_vectors;
use vigil_primitives::{AggregatedVotes, Checkpoint, Hash, Height, Reset, ResetVotes, SignDomain};

/// What guardians vote on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// That a checkpoint is final.
    Checkpoint(Checkpoint),
    /// That the chain is reset.
    Reset(Reset),
}

/// Orders ballots: the number of resets, then the height. Checkpoints after a reset are above the one it goes on from.
pub(super) type Topic = (u64, Height);

impl Subject {
    /// The 32 bytes that are signed.
    pub(super) fn message(&self, domain: &SignDomain) -> Hash {
        match self {
            Self::Checkpoint(checkpoint) => checkpoint.message(domain),
            Self::Reset(reset) => reset.message(domain),
        }
    }

    pub(super) fn topic(&self) -> Topic {
        match self {
            Self::Checkpoint(checkpoint) => (checkpoint.resets, checkpoint.height),
            Self::Reset(reset) => (reset.number, reset.checkpoint.height),
        }
    }

    pub(super) fn checkpoint(&self) -> Option<&Checkpoint> {
        match self {
            Self::Checkpoint(checkpoint) => Some(checkpoint),
            Self::Reset(_) => None,
        }
    }

    /// Votes on it as they are sent and stored.
    pub(super) fn votes(&self, tally: &Tally) -> Votes {
        let (signers, signature) = (signer_vectors::pack(&tally.votes.signers).into(), tally.votes.signature.into());
        match *self {
            Self::Checkpoint(checkpoint) => {
                Votes::Checkpoint(Arc::new(AggregatedVotes { checkpoint, signers, signature }))
            }
            Self::Reset(reset) => Votes::Reset(Arc::new(ResetVotes { reset, signers, signature })),
        }
    }
}

/// Votes on a subject.
#[derive(Clone)]
pub(super) enum Votes {
    Checkpoint(Arc<AggregatedVotes>),
    Reset(Arc<ResetVotes>),
}

impl Votes {
    pub(super) fn send(&self, to: Peer) -> Effect {
        match self {
            Self::Checkpoint(votes) => Effect::Send { to, votes: Arc::clone(votes) },
            Self::Reset(votes) => Effect::SendReset { to, votes: Arc::clone(votes) },
        }
    }
}
