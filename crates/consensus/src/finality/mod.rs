//! Finalization as a pure machine: [`Input`] -> [`Effect`]s.
//!
//! Guardians vote on checkpoints and add up each other's signatures from neighbour to neighbour, until more than two
//! thirds of the stake are in one sum (`spec/consensus.md` §2.2, with the bounds of §2.4 and the rules G1 and G2 of §2.5).
//! A node without a guardian's key takes part all the same: it merges and passes on, and does not vote.
//!
//! A round: votes arrive; at its end (everybody was heard, or time is up) those are chosen that can be added up
//! (`merge.rs`), the shell verifies the sum, what holds is sent to the neighbours. An aggregate that is a quorum by
//! itself is verified at once and adopted. A part that was merged is never passed on by itself: only the sum was judged.
//!
//! Map: [`Machine`] (`machine.rs`) dispatches; `chain.rs` what is settled and final, `own.rs` our votes and rule G1,
//! `subject.rs` what is voted on, `ballot.rs` the ballot under way, `rounds.rs` its rounds, `receive.rs` the checks of §2.7
//! in their order, `peers.rs` what is known of neighbours, `conflict.rs` guardians that voted twice, `reset.rs` the reset
//! of the chain.
//!
//! What is deliberately not here: no clock, socket, disk or thread, and no point of a curve. The shell performs effects
//! **in order** and makes an [`Effect::Journal`] durable before any later one.

mod ballot;
mod chain;
mod conflict;
mod effect;
mod machine;
mod merge;
mod own;
mod peers;
mod receive;
mod reset;
mod rounds;
mod subject;

#[cfg(test)]
mod tests;

pub use effect::{Abstention, Effect, Input, Job, Penalty};
pub use machine::{Machine, Recovered, View};
pub use own::{Journal, Keys, Record, Voter};

use crate::Millis;
use std::sync::Arc;
use vigil_primitives::{ChainParams, Checkpoint, GuardianSet, Hash, Height, SignDomain};

/// Votes on checkpoints that we have not settled yet: so many are kept of a neighbour, the latest.
pub const PARKED_PER_PEER_MAX: usize = 8;
/// Rounds after which parked votes are dropped.
pub const PARKED_ROUNDS: u64 = 2;
/// Rounds after which the same aggregate is said again.
pub const REPEAT_ROUNDS: u32 = 4;
/// Aggregates that a neighbour may send beyond one a round.
pub const MESSAGES_SLACK: u64 = 4;
/// How many aggregates one round looks at as the start of its sum.
pub const BASES: usize = 4;
/// Settled checkpoints that are remembered; sets of guardians only of the last [`SETS_KEPT`].
pub const CHECKPOINTS_KEPT: usize = 1_024;
/// See [`CHECKPOINTS_KEPT`].
pub const SETS_KEPT: usize = 4;
/// Neighbours of a guardian (D of §8).
pub const NEIGHBOURS: usize = 20;

/// Constants of a chain.
#[derive(Clone, Debug)]
pub struct Config {
    /// Chain id and genesis hash: what every signature covers.
    pub domain: SignDomain,
    /// Heights that are multiples of it are checkpoints (T).
    pub interval: Height,
    /// Longest time of a round, in milliseconds.
    pub round: Millis,
}

impl Config {
    /// The configuration that genesis asks for: about ten rounds between two checkpoints, of 0.2 to 5 seconds.
    pub fn from_params(params: &ChainParams, genesis_hash: Hash) -> Self {
        let between = params.checkpoint_interval.saturating_mul(params.block_interval_ms);
        Self {
            domain: SignDomain { chain_id: params.chain_id.clone(), genesis_hash },
            interval: params.checkpoint_interval,
            round: (between / 10).clamp(200, 5_000),
        }
    }
}

/// A settled block at a checkpoint height.
#[derive(Clone, Debug)]
pub struct SettledCheckpoint {
    /// Its height.
    pub height: Height,
    /// The block.
    pub block_hash: Hash,
    /// Who may vote: from the state after the block.
    pub set: Arc<GuardianSet>,
}

impl SettledCheckpoint {
    /// What is voted on.
    pub fn checkpoint(&self, resets: u64) -> Checkpoint {
        Checkpoint { resets, height: self.height, block_hash: self.block_hash, set_hash: self.set.hash() }
    }
}
