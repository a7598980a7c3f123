//! Settlement as a pure machine: [`Input`] -> [`Effect`]s. Finalization by guardians is [`finality`], a machine of its own.
//!
//! The rules are those of `spec/consensus.md` §1, as its REC paragraphs word them: votes of strictly increasing height
//! under a lock (V1-V6), epochs that change by certificate or by a quorum of `EpochChange` (E1-E5), proposals (L1-L4),
//! settlement by a direct link, set changes that take effect where the header chain proves them settled (§1.12).
//!
//! Map: [`Machine`] (`machine.rs`) holds the state and dispatches; `handle/` has one file a kind of input; `tree.rs` the
//! blocks above the settled head, `certs.rs` and `certify.rs` certificates, `tally.rs` votes, `sets.rs` validator sets and
//! their proposers, `settle.rs` settlement, `propose.rs` and `vote.rs` the rules of their names, `epochs.rs` the clock,
//! `resend.rs` what is said again, `rollback.rs` a journal that forgot, `offences.rs` who contradicts itself.
//!
//! What is deliberately not here: no clock, randomness, socket, disk or thread. Blocks are not executed and
//! transactions are not looked at. The shell passes both the monotonic and the wall clock, performs effects **in
//! order**, and makes a [`Effect::Journal`] durable before it performs any later effect.
#![forbid(unsafe_code)]

mod certify;
mod certs;
mod config;
mod effect;
mod epochs;
mod fetch;
pub mod finality;
mod handle;
mod journal;
mod limits;
mod machine;
mod message;
mod offences;
mod parking;
mod propose;
mod resend;
mod restart;
mod rollback;
mod schedule;
mod sets;
mod settle;
mod signer;
mod tally;
mod tree;
mod validators;
mod view;
mod vote;

#[cfg(test)]
mod tests;

pub use config::{Config, Keys, Rules, UnknownOwn};
pub use effect::{
    BlockFault, BuildRequest, Effect, Executed, HaltReason, Input, Lookup, Penalty, Settled, SettledBlock, TimerId,
};
pub use journal::{Floor, JournalRecord, JournalState, Lock, RolledBack};
pub use limits::*;
pub use machine::Machine;
pub use message::{EpochCert, EpochChange, Message, Proposal};
pub use offences::offences;
pub use restart::{BlockMeta, Recovered, RestartPoint, SetSnapshot};
pub use schedule::Schedule;
pub use sets::SetKey;
pub use validators::{Validator, ValidatorSet, ValidatorSetError};
pub use view::{Buffered, View};

/// Milliseconds. As a point in time: since any fixed moment, never going back while a machine lives.
pub type Millis = u64;

/// What time it is. The shell reads both clocks once a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic clock: timers and timeouts.
    pub mono: Millis,
    /// Wall clock in Unix seconds: only for the timestamp rule (§1.6 rule 13).
    pub unix: u64,
}

/// A connection, numbered by the shell. The machine only answers it, blames it, or asks it for blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub u64);
