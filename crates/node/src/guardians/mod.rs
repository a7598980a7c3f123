//! Finalization in the node: a thread that owns a finalization machine for each guardian hosted here, or one that votes
//! for nobody. Machines of one process talk directly, those of others over the network's guardian channel.
//!
//! `host.rs` the thread, `perform.rs` what its machines ask for, `seat.rs` a machine with its journal, `links.rs` who becomes a
//! neighbour (`choose.rs` of those who are known, `neighbours.rs` those of one machine), `wire.rs` what hosts tell each other,
//! `journal.rs` what is durable before a vote leaves, `waiting.rs` a seat whose journal cannot be
//! written, `silence.rs` who does not vote, `verifier.rs` votes through the engine,
//! `checkpoints.rs` settled checkpoints out of the chain.

mod checkpoints;
mod choose;
mod host;
mod journal;
mod links;
mod neighbours;
mod perform;
mod seat;
mod silence;
mod verifier;
mod waiting;
mod wire;

pub use checkpoints::settled_checkpoint;
pub use host::{Event, Guardians, Host};
pub use journal::GuardianJournal;
pub use seat::{Seat, open_seats};
pub use silence::Silence;
pub use verifier::Verifier;

#[cfg(test)]
mod tests;
