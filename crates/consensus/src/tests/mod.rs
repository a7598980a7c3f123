//! Tests by meaning. `net.rs` is a small deterministic network; `bench.rs` drives one machine by hand.

mod ahead;
mod bench;
mod bounds;
mod epochs;
mod fresh;
mod late;
mod lies;
mod liveness;
mod memory;
mod net;
mod propose;
mod restart;
mod rollback;
mod schedule;
mod segment;
mod set_change;
mod settlement;
mod voting;
mod wire;
