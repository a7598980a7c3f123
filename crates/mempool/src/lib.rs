//! Admission, ordering, replacement, limits. Pure: time comes as an argument, in milliseconds.
//!
//! [`Mempool`] keeps transactions from the moment they are accepted until they are **settled**: those of blocks that are
//! not settled yet stay, so that nothing has to come back when a branch is discarded; whoever builds on such a block
//! excludes its transactions ([`Mempool::candidates`]).
//!
//! Whether a transaction is good is the [`Screen`]'s answer (the ledger's [`vigil_ledger::Screen`]). It counts what pending
//! transactions take from each account, so sequences n+1, n+2, ... need no waiting. When a block settles, only the
//! accounts that it touched are judged again.
//!
//! What is deliberately not here: no clock, no thread, no gossip, no signature is verified, nothing is stored.
#![forbid(unsafe_code)]

mod config;
mod pool;
mod recent;
mod screen;
mod select;

pub use config::Config;
pub use pool::{Mempool, TxStatus};
pub use screen::{Base, Refused, Screen};

/// Time in milliseconds, from any fixed point.
pub type Millis = u64;

#[cfg(test)]
mod tests;
