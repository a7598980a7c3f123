//! What a run of guardians is like.

use crate::agenda::Time;
use vigil_crypto::bls::Scheme;

/// Signatures of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureKind {
    /// Numbers that add up as signatures do.
    Symbolic,
    /// BLS12-381.
    Real(Scheme),
}

/// What the byzantine do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liars {
    /// Half of them say nothing, half send invalid aggregates: the paper's.
    Paper,
    /// All of them say nothing.
    Silent,
    /// All of them try every attack of T6.
    Attack,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Guardians.
    pub nodes: usize,
    /// Average number of neighbours.
    pub degree: usize,
    /// Share of the guardians that lie, at most: their weight stays below a third unless `corrupt`.
    pub byzantine: f64,
    /// What they do.
    pub liars: Liars,
    /// Checkpoints that are settled.
    pub checkpoints: u64,
    /// Guardians have stakes of 1 to 10 instead of equal ones.
    pub weighted: bool,
    /// Crashes, restarts, partitions and lost messages until the last but two checkpoints.
    pub faults: bool,
    /// The validators are corrupt: half of the guardians sees another chain settled, and the liars, now two fifths, vote
    /// on both.
    pub corrupt: bool,
    /// Signatures.
    pub signatures: SignatureKind,
}

impl Scenario {
    /// One checkpoint, as in the paper's simulation.
    pub fn paper(nodes: usize, degree: usize, byzantine: f64) -> Self {
        Self {
            nodes,
            degree,
            byzantine,
            liars: Liars::Paper,
            checkpoints: 1,
            weighted: false,
            faults: false,
            corrupt: false,
            signatures: SignatureKind::Symbolic,
        }
    }

    /// Rounds in which a checkpoint must be final (I20): L + 1, L = ceil(2 log_D n) + 2 (§8).
    pub fn rounds_max(&self) -> u32 {
        let (n, d) = (self.nodes.max(2) as f64, self.degree.max(3) as f64);
        (2.0 * n.ln() / d.ln()).ceil() as u32 + 3
    }
}

/// Heights between checkpoints.
pub const INTERVAL: u64 = 100;
/// Longest time of a round, in ms.
pub const ROUND: Time = 1_000;
/// Longest delay of a message, in ms; the least is a fifth of it.
pub const DELAY: Time = 500;
/// Nodes settle a checkpoint within this time of each other, in ms.
pub const SKEW: Time = 300;
/// Time of a verification, in ms.
pub const VERIFY: Time = 5;

/// From one checkpoint to the next, in ms.
pub fn checkpoint_time(scenario: &Scenario) -> Time {
    ROUND * Time::from(scenario.rounds_max() + 2)
}

/// When a run is over, in ms.
pub fn end(scenario: &Scenario) -> Time {
    checkpoint_time(scenario) * scenario.checkpoints
}
