//! What goes into the machine and what it asks of the world.

use super::{Record, SettledCheckpoint};
use crate::{Millis, Peer};
use std::sync::Arc;
use vigil_crypto::checkpoint::{Aggregate, Merged, Reject};
use vigil_crypto::signer_vectors::UnpackError;
use vigil_primitives::{AggregatedVotes, FinalityCert, GuardianSet, Hash, Height, Reset, ResetCert, ResetVotes};

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The first input.
    Start,
    /// Checkpoint blocks are settled, directly or not; ascending. Of several at once only the last is voted on.
    Settled(Vec<SettledCheckpoint>),
    /// Votes arrived from a neighbour.
    Received {
        /// Whose connection.
        from: Peer,
        /// What it says.
        votes: AggregatedVotes,
    },
    /// Votes on a reset arrived from a neighbour.
    ReceivedReset {
        /// Whose connection.
        from: Peer,
        /// What it says.
        votes: ResetVotes,
    },
    /// The operator wants the chain reset. The shell has checked that the offences hold, that they and the checkpoint's
    /// state make the committee, and that the guardians in that state are these.
    Reset {
        /// What to sign.
        reset: Reset,
        /// Who votes on it.
        set: Arc<GuardianSet>,
    },
    /// A settled block carries a certificate: it was judged when the block was executed.
    Proven(Arc<FinalityCert>),
    /// The answer to [`Effect::Verify`].
    Verified {
        /// [`Job::id`].
        id: u64,
        /// What came of it.
        merged: Merged,
    },
    /// A neighbour is there.
    Connected(Peer),
    /// A neighbour is gone.
    Disconnected(Peer),
    /// The timer has run out. Late, early and repeated ones do no harm.
    Timer,
}

/// Something to do, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Make it durable before any later effect is performed.
    Journal(Record),
    /// To one neighbour.
    Send {
        /// Which.
        to: Peer,
        /// What.
        votes: Arc<AggregatedVotes>,
    },
    /// To one neighbour, on a reset.
    SendReset {
        /// Which.
        to: Peer,
        /// What.
        votes: Arc<ResetVotes>,
    },
    /// Merge and judge, and answer with [`Input::Verified`]. One at a time.
    Verify(Box<Job>),
    /// Give [`Input::Timer`] at or after that time; replaces the former time.
    SetTimer(Millis),
    /// A checkpoint, and all below it, is final. To be stored and served.
    Finalized(Arc<FinalityCert>),
    /// The chain is reset: what is settled above the checkpoint is void. To be stored and served; the checkpoints of the new
    /// segment follow as [`Input::Settled`].
    Reset(Arc<ResetCert>),
    /// Guardians are in both: judged votes on two blocks of one height.
    DoubleVote(Box<(AggregatedVotes, AggregatedVotes)>),
    /// A neighbour broke a rule.
    Penalize {
        /// Which.
        peer: Peer,
        /// Why.
        reason: Penalty,
    },
    /// We do not vote on a checkpoint. The operator should look.
    Abstain {
        /// Height of the checkpoint.
        height: Height,
        /// Why.
        reason: Abstention,
    },
}

/// Votes to be merged: `crypto::checkpoint::merge` under the chain's scheme.
#[derive(Clone, Debug)]
pub struct Job {
    /// Names it.
    pub id: u64,
    /// The 32 bytes that were signed.
    pub message: Hash,
    /// By whom.
    pub set: Arc<GuardianSet>,
    /// The votes.
    pub parts: Vec<Arc<Aggregate>>,
}

/// What a neighbour did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Penalty {
    /// No checkpoint has this height.
    #[error("height {height} is no checkpoint, they are multiples of {interval}")]
    OffInterval {
        /// As given.
        height: Height,
        /// T.
        interval: Height,
    },
    /// The guardian set of a checkpoint is another.
    #[error("the votes are by the guardian set {got}, that of the checkpoint is {expected}")]
    WrongSet {
        /// As given.
        got: Hash,
        /// Ours.
        expected: Hash,
    },
    /// The signer vector is no vector of the set.
    #[error("the signer vector: {0}")]
    Vector(#[from] UnpackError),
    /// Nobody signed.
    #[error("the signer vector is all zero")]
    NoSigner,
    /// The votes do not hold.
    #[error("{0}")]
    Votes(#[from] Reject),
    /// More votes than there are rounds.
    #[error("more votes than rounds")]
    Flood,
}

/// Why we do not vote, or refuse a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Abstention {
    /// The set has another key for our address.
    #[error("the guardian's key on chain is not ours")]
    OtherKey,
    /// We voted for a block that is not on the settled chain (rule G1).
    #[error("we voted for another block at height {height}, which this checkpoint does not descend from")]
    Conflict {
        /// Height of that vote.
        height: Height,
    },
    /// Guardians have finalized a block that is not on the settled chain.
    #[error("another block than ours is final at height {height}: more than a third of the stake is faulty")]
    Finalized {
        /// Height of that block.
        height: Height,
    },
    /// We signed a reset of this number: above its checkpoint there is nothing to vote on before it, and no other reset
    /// of that number.
    #[error("we signed reset {number}")]
    ResetSigned {
        /// Its number.
        number: u64,
    },
    /// A reset comes after the one before it.
    #[error("it is reset {got}, the next one is {expected}")]
    ResetNumber {
        /// As asked for.
        got: u64,
        /// One more than there were.
        expected: u64,
    },
    /// A reset goes on from what is final here, and its guardians sign.
    #[error("it goes on from height {height}, with its guardians; final here is height {ours}")]
    ResetNotFinal {
        /// As asked for.
        height: Height,
        /// What is final here; if it is the same, block or guardians are others.
        ours: Height,
    },
    /// We cannot know whether the block of our last vote is on the settled chain (rule G1).
    #[error("our last vote is at height {height}, and what is settled there is not known here")]
    Unknown {
        /// Height of that vote.
        height: Height,
    },
}
