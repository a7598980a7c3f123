//! Tests by meaning. `net.rs` is a small deterministic network; `bench.rs` drives one machine by hand.

mod liveness;
mod net;
