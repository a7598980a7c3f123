//! Finalization in the node: a thread that owns a finalization machine for each guardian hosted here, or one that votes
//! for nobody. Machines of one process talk directly, those of others over the network's guardian channel.
//!
//! `host.rs` the thread, `seat.rs` a machine with its journal and neighbours, `links.rs` who becomes a neighbour, `wire.rs` what
//! hosts tell each other, `journal.rs` what is durable before a vote leaves, `verifier.rs` votes through the engine,
//! `checkpoints.rs` settled checkpoints out of the chain.

mod checkpoints;
mod host;
mod journal;
mod links;
mod seat;
mod verifier;
mod wire;

pub use checkpoints::settled_checkpoint;
pub use host::{Event, Guardians, Host};
pub use journal::GuardianJournal;
pub use seat::{Seat, open_seats};
pub use verifier::Verifier;
