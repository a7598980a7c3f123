//! Block sync: catch up with the settled chain from many peers, headers first (`spec/consensus.md` §4.3 REC).
//!
//! [`Syncer`] is a pure state machine: [`Syncer::step`] takes the time and a [`SyncInput`], and appends [`SyncEffect`]s.
//! It asks one peer at a time for headers above the last one that is proven. A header is proven when the votes of a quorum
//! for it, or for a descendant, were verified under a validator set known here ([`SyncEffect::Verify`], [`verify`]). Only
//! then is its block asked for, by hash, of several peers at once, and handed to the node parent-first, never further than
//! a window above the node's settled head. The node feeds the blocks to consensus, where the certificates in the headers
//! above settle them; the end of a chain brings the certificate that settles the last one.
//!
//! Who is to blame is exact: headers always stand on proven ones, an unproven end is continued only by who gave it, and a
//! block is what its hash says. A change of the validator set cannot be seen in headers: where no known set has certified,
//! what is proven is executed first; if no set fits then, the certificate is a lie. A certified branch can still be one
//! that was abandoned: two branches are no proof against a peer, but one of the peers is then followed alone, for a while,
//! and pays unless it shows the other branch.
//!
//! Peers' claims are unproven. A claimed height costs nothing: only a window above our own head is ever asked for, and
//! a peer that does not deliver what it claims is set aside ([`SyncConfig::set_aside`]) while others serve.
//!
//! [`serve_headers`] and [`serve_bodies`] are the other side: the answers to a peer's requests.
//!
//! What is deliberately not here: no socket, no clock, no store; no block is executed, and signatures are checked by who
//! calls [`verify`].
#![forbid(unsafe_code)]

mod answer;
mod api;
mod download;
mod headers;
mod peers;
mod serve;
mod syncer;
mod verify;

pub use answer::{Answer, AnswerError, Body, Link};
pub use api::{Ask, Fault, Head, SyncConfig, SyncEffect, SyncInput, SyncState, SyncStatus};
pub use serve::{serve_bodies, serve_headers};
pub use syncer::Syncer;
pub use verify::{CertFault, Verdict, verify};
pub use vigil_consensus::{Millis, Peer};
