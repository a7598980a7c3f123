//! A committee of which more than a third is corrupt settles two chains, guardians split over them, operators reset the
//! chain (`spec/consensus.md` §A.1; `docs/decisions/0012-reset.md`).
//!
//! Every validator is a real settlement machine in its [`crate::shell::Shell`]; a traitor is two of them with one key, one
//! on each side. Every guardian, and every honest validator's node, is a real finalization machine. [`scenario`] says what
//! a run is like, [`plan`] draws it, [`world`] lives it: [`committee`] (with [`links`]) and [`guardians`] are its two halves,
//! [`operators`] gather the evidence and ask for the reset, [`segment`] is what follows from one, [`liars`] attack the guardians,
//! [`invariants`] watch.
//!
//! A guardian does not run a settlement machine of its own: it sees settled what an honest validator of its side settled.

pub mod cli;
pub mod committee;
pub mod guardians;
pub mod invariants;
pub mod liars;
pub mod links;
pub mod operators;
pub mod plan;
pub mod scenario;
pub mod segment;
pub mod world;

pub use scenario::{Operators, Scenario};
pub use world::{Run, run_seed};
