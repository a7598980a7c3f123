//! What a run with a reset is like.

use crate::agenda::Time;
use crate::guardians::SignatureKind;

/// What the operators of honest guardians do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operators {
    /// All of them ask for the reset, at about the same time.
    All,
    /// Some ask late, some never; those of more than two thirds of the weight ask.
    Late,
    /// Those of less than two thirds ask, liars counted among them: there is no reset.
    Few,
    /// One of these in each seed.
    Mix,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Validators of equal stake; the least number of them that is more than a third of any two quorums is corrupt.
    pub validators: usize,
    /// Guardians.
    pub guardians: usize,
    /// Average number of neighbours of a node that finalizes.
    pub degree: usize,
    /// Share of the guardians that lies, at most.
    pub byzantine: f64,
    /// Who asks for the reset.
    pub operators: Operators,
    /// Signatures of guardians.
    pub signatures: SignatureKind,
    /// Guardians forget that they signed a reset when they crash: a bug that the invariants must see.
    pub forgets_resets: bool,
}

impl Scenario {
    /// So many validators, and twenty guardians of which a fifth lies.
    pub fn new(validators: usize) -> Self {
        Self {
            validators,
            guardians: 20,
            degree: 8,
            byzantine: 0.2,
            operators: Operators::Mix,
            signatures: SignatureKind::Symbolic,
            forgets_resets: false,
        }
    }

    /// Corrupt validators: with them both sides of a split are quorums.
    pub fn traitors(&self) -> usize {
        let quorum = 2 * self.validators / 3 + 1;
        (2 * quorum).saturating_sub(self.validators)
    }
}

/// Heights between checkpoints.
pub const INTERVAL: u64 = 8;
/// Longest time of a round of guardians, in ms.
pub const ROUND: Time = 300;
/// Longest delay of a message between guardians, in ms; the least is a fifth of it.
pub const GOSSIP: Time = 100;
/// Longest delay of a message between validators, in ms.
pub const DELAY: Time = 60;
/// Guardians see a block settled within this time of the first validator, in ms.
pub const SKEW: Time = 200;
/// Time of a verification, in ms.
pub const VERIFY: Time = 3;
/// How often an operator looks whether its guardian has taken up the reset, in ms.
pub const AGAIN: Time = 2_000;
/// A run that is not where it should be by then will never be, in ms.
pub const END: Time = 300_000;
/// How long a run goes on in which too few ask, in ms.
pub const IN_VAIN: Time = 30_000;
/// Checkpoints after the reset that every honest node must see final.
pub const AFTER: u64 = 2;
