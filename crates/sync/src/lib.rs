//! Block sync: catch up with the settled chain from many peers.
//!
//! [`Syncer`] is a pure state machine: [`Syncer::step`] takes the time and a [`SyncInput`], and appends [`SyncEffect`]s.
//! It asks several peers for ranges of settled blocks, checks that they chain, and hands them to the node parent-first,
//! never further than a window above the node's settled head. The node feeds them to consensus, where the certificates
//! in their headers settle their ancestors; the end of a range brings the certificate that settles the last one.
//!
//! Peers' claims are unproven. A claimed height costs nothing: only a window above our own head is ever asked for, and
//! a peer that does not deliver what it claims is set aside ([`SyncConfig::set_aside`]) while others serve.
//!
//! [`serve_range`] is the other side: the answer to a peer's request.
//!
//! What is deliberately not here: no socket, no clock, no store; no signature is checked and no block is executed.
#![forbid(unsafe_code)]

mod answer;
mod api;
mod download;
mod peers;
mod serve;
mod syncer;

pub use api::{Fault, Head, RangeAnswer, SyncConfig, SyncEffect, SyncInput, SyncState, SyncStatus};
pub use serve::serve_range;
pub use syncer::Syncer;
pub use vigil_consensus::{Millis, Peer};
