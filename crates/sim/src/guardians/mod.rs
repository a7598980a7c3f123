//! Guardians that finalize checkpoints: thousands of `vigil_consensus::finality` machines in one process, with the real wire
//! encoding, on the paper's random graphs, with silent and lying ones.
//!
//! [`scenario`] says what a run is like, [`graph`] who knows whom, [`world`] lives it, [`liars`] attack (T6 of
//! `spec/consensus.md` §A.2), [`invariants`] watch (I2, I3, I6, I13, I14, I20 of §1.14), [`signatures`] are real or symbolic.

pub mod cli;
pub mod graph;
pub mod invariants;
pub mod liars;
pub mod node;
pub mod scenario;
pub mod signatures;
pub mod world;

#[cfg(test)]
mod tests;

pub use scenario::{Liars, Scenario, SignatureKind};
pub use world::{Run, run_seed};
