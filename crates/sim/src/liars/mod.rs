//! The adversary: one mind behind all liars. It sees every message the moment it is sent, picks delays, and signs with
//! the keys of its liars and no others. What it does is redrawn in every epoch (`spec/consensus.md` §1.16), or chosen by
//! looking ahead ([`Strategy`]).
//!
//! One file a lie: [`proposer`] what a liar does with its turn, [`voter`] with its vote, [`epoch`] with its
//! `EpochChange`; [`flood`] what strangers send who are no validators at all.

pub mod adversary;
pub mod epoch;
pub mod flood;
pub mod knowledge;
pub mod proposer;
pub mod voter;

pub use adversary::Adversary;

use crate::rng::Rng;

/// How the adversary comes to what it does in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Strategy {
    /// It draws.
    Mix,
    /// It plays some draws forward and takes the one after which nothing settles for the longest time.
    Greedy,
}

/// What a liar does with its turn to propose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposerLie {
    /// Nothing.
    Silent,
    /// What an honest one does.
    Honest,
    /// Two blocks, each to one half.
    Equivocate,
    /// A block on an old certificate.
    StaleHcc,
    /// A block for one validator.
    ToOne,
    /// A block for some.
    ToSome,
    /// A block on the last vote of whoever voted highest, for that one.
    RaiseHighest,
    /// The same for a random one.
    RaiseRandom,
    /// One more block on a branch of its own.
    PrivateTip,
}

/// What the liars do with their votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoterLie {
    /// Keep them.
    Withhold,
    /// Vote for everything, twice a height if there are two blocks.
    Vote,
    /// Complete certificates for one validator, the same one all epoch.
    CompleteForOne,
    /// Complete each certificate for a random one.
    CompleteForRandom,
    /// Vote when it is late.
    Late,
}

/// What the liars do with their `EpochChange`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochLie {
    /// None.
    Silent,
    /// Some time in the epoch before it is due.
    Early,
    /// At the first moment, to as many as make an amplification with them.
    AtOnce,
    /// A last vote of height 2^20, or a target 1,000 epochs ahead.
    Liar,
}

/// What all liars do in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lies {
    /// With a turn.
    pub proposer: ProposerLie,
    /// With votes.
    pub voter: VoterLie,
    /// With epoch changes.
    pub epoch: EpochLie,
}

/// All of the nine.
pub const PROPOSER_LIES: [ProposerLie; 9] = [
    ProposerLie::Silent,
    ProposerLie::Honest,
    ProposerLie::Equivocate,
    ProposerLie::StaleHcc,
    ProposerLie::ToOne,
    ProposerLie::ToSome,
    ProposerLie::RaiseHighest,
    ProposerLie::RaiseRandom,
    ProposerLie::PrivateTip,
];
/// All of the five.
pub const VOTER_LIES: [VoterLie; 5] =
    [VoterLie::Withhold, VoterLie::Vote, VoterLie::CompleteForOne, VoterLie::CompleteForRandom, VoterLie::Late];
/// All of the four.
pub const EPOCH_LIES: [EpochLie; 4] = [EpochLie::Silent, EpochLie::Early, EpochLie::AtOnce, EpochLie::Liar];

impl Lies {
    /// Nothing at all.
    pub const SILENT: Self = Self { proposer: ProposerLie::Silent, voter: VoterLie::Withhold, epoch: EpochLie::Silent };

    /// Any of the 180 combinations.
    pub fn draw(rng: &mut Rng) -> Self {
        Self { proposer: *rng.pick(&PROPOSER_LIES), voter: *rng.pick(&VOTER_LIES), epoch: *rng.pick(&EPOCH_LIES) }
    }
}
