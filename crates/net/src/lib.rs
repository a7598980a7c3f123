//! libp2p: transports, gossip, direct streams, peer scoring.
//!
//! One tokio task owns the swarm. The node talks to it through [`NetHandle`] (commands, never blocking) and a bounded
//! stream of [`NetEvent`]s. Every channel between two peers has a protocol name, a size limit and a token bucket:
//!
//! | channel | how | carries | limit |
//! |---|---|---|---|
//! | control | request-response, same name on every chain | [`Hello`], settled head | 4 KiB |
//! | consensus | request-response, empty answer | votes, epoch changes, certificates | 256 KiB |
//! | bulk | request-response, empty answer | proposals, blocks asked for by consensus | 8.25 MiB |
//! | guardian | request-response, empty answer | aggregated votes, who is a guardian where | 32 KiB |
//! | blocks | request-response | settled headers by height, blocks by hash | 64 of them, 8 MiB |
//! | addresses | request-response, empty answer | signed address records of validators | 64 records, 16 KiB |
//! | gossip | gossipsub, forwarded only after [`NetHandle::report`] | batches of raw transactions | 1 MiB |
//!
//! Validators keep a full mesh: each signs where it can be reached ([`record`]), everybody passes the newest of these
//! records on, and validators dial each other by them. Misbehaviour bans an identity, three of them the IP address.
//!
//! All names but control's contain the chain id and the genesis hash; [`Hello`] makes a mismatch visible.
//! A peer that proves a validator address of the current set ([`NetCommand::SetValidators`]) gets the full consensus
//! rate and the broadcasts; others a trickle. Behind a slow node the swarm is not polled: back-pressure reaches the sockets.
//!
//! What is deliberately not here: no transaction, vote or block is judged; no consensus key is held.
#![forbid(unsafe_code)]

mod address;
mod api;
mod auth;
mod bans;
mod batch;
mod behaviour;
mod blocks;
mod book;
mod bucket;
mod codec;
mod config;
mod gate;
mod handle;
mod identity;
mod overlay;
mod queue;
pub mod record;
mod score;
mod strikes;
mod task;
mod wire;

pub use api::{GossipId, Head, NetCommand, NetError, NetEvent, PeerInfo, RequestError, Role, Verdict};
pub use auth::{NoAuth, PeerAuth, proof_digest};
pub use bans::BAN_SECONDS;
pub use blocks::{BlocksRequest, BlocksResponse};
pub use config::{NetConfig, Rates};
pub use handle::{NetHandle, Network};
pub use identity::{IdentityError, load_or_create_identity};
pub use libp2p::{Multiaddr, PeerId};
pub use score::{BAN_AT, points};
pub use vigil_consensus::Peer;
pub use wire::{Hello, ValidatorProof, WireError, limits};
