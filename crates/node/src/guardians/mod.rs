//! Finalization in the node: a thread that owns a finalization machine for each guardian hosted here, or one that votes
//! for nobody. Machines of one process talk directly, those of others over the network's guardian channel.
//!
//! `host.rs` the thread, `inbox.rs` the way to it, `perform.rs` what its machines ask for, `seat.rs` a machine with its
//! journal, `links.rs` who becomes a neighbour (`choose.rs` of those who are known, `hosted.rs` who is known at a host,
//! `neighbours.rs` those of one machine), `proofs.rs` who is proven to be at a host, `wire.rs` what hosts tell each other,
//! `journal.rs` what is durable before a vote leaves, `waiting.rs` a seat whose journal cannot be
//! written, `silence.rs` who does not vote, `verifier.rs` votes through the engine,
//! `checkpoints.rs` settled checkpoints out of the chain.

mod checkpoints;
mod choose;
mod host;
mod hosted;
mod inbox;
mod journal;
mod links;
mod neighbours;
mod perform;
mod proofs;
mod seat;
mod silence;
mod verifier;
mod waiting;
mod wire;

pub use checkpoints::{newest_set, settled_checkpoint};
pub use host::{Event, Host};
pub use inbox::Guardians;
pub use journal::GuardianJournal;
pub use proofs::sign_hosting;
pub use seat::{Seat, open_seats};
pub use silence::Silence;
pub use verifier::Verifier;
pub use wire::HOSTED_MAX;

#[cfg(test)]
mod tests;
