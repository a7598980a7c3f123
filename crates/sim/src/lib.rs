//! Whole networks in one process, virtual time, seeded faults and liars.
//!
//! A seed is a network's life: [`plan`] draws it, [`world`] lives it event by event, [`invariants`] watches every step,
//! [`liars`] try to break it. The machine under test is `vigil_consensus::Machine`, driven by a [`shell`] that does what
//! the real node does around it (journal, store, execution, restart), on a [`ledger`] that is a toy. What the rules
//! promise is judged by [`lineage`] and [`committee`], which read the specification on their own.
//!
//! [`guardians`] is the second level: finalization on its own, with worlds of its own. [`reset`] has both levels: a corrupt
//! committee, and guardians that begin a new segment of the chain.
//!
//! What is deliberately not here: no thread, no clock, no socket, no file. Time is a number, chance is the seed.
#![forbid(unsafe_code)]

pub mod agenda;
pub mod cli;
pub mod committee;
pub mod guardians;
pub mod invariants;
pub mod keys;
pub mod ledger;
pub mod liars;
pub mod lineage;
pub mod network;
pub mod plan;
pub mod reset;
pub mod rng;
pub mod runner;
pub mod scenario;
pub mod shell;
pub mod stage;
pub mod summary;
pub mod trace;
pub mod variants;
pub mod wire;
pub mod world;
