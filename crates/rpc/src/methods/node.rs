//! The node itself: version, status, peers, mempool.

use super::Context;
use crate::Card;
use crate::json::{Big, Checksum, U64s};
use crate::jsonrpc::{Answer, Args, RpcError};
use crate::limits::PEER_URLS_MAX;
use serde::Serialize;
use std::hash::{BuildHasher as _, RandomState};
use vigil_primitives::{Hash, U256};

pub(super) fn version(ctx: &Context, _args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct VersionJson {
        version: String,
        git_hash: String,
        timestamp: String,
    }
    let v = ctx.backend.version();
    out.write(&VersionJson { version: v.version, git_hash: v.git_hash, timestamp: v.timestamp })
}

/// `spec/rpc.md` §4.1, then keys of our own: how far the chain has come in the words of DESIGN §4, `not_ready` and
/// `graphics_cards`.
#[derive(Serialize)]
struct StatusJson {
    address: Checksum,
    chain_id: String,
    peer_id: String,
    latest_finalized_block_hash: Hash,
    latest_finalized_block_height: U64s,
    latest_finalized_block_time: Big,
    latest_finalized_block_epoch: U64s,
    current_epoch: U64s,
    current_height: U64s,
    current_hash: Hash,
    current_time: Big,
    syncing: bool,
    tip_hash: Hash,
    genesis_block_hash: Hash,
    snapshot_block_height: U64s,
    snapshot_block_hash: Hash,
    committed_height: U64s,
    committed_hash: Hash,
    settled_height: U64s,
    settled_hash: Hash,
    finalized_height: Option<U64s>,
    finalized_hash: Option<Hash>,
    /// Why `/health/ready` says no; absent while it says yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_ready: Option<String>,
    /// Absent without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    graphics_cards: Vec<CardJson>,
}

#[derive(Serialize)]
struct CardJson {
    name: String,
    backend: String,
    in_use: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
    faults: u32,
}

impl From<Card> for CardJson {
    fn from(Card { name, backend, why_not, faults, .. }: Card) -> Self {
        Self { name, backend, in_use: why_not.is_none(), why_not, faults }
    }
}

pub(super) async fn status(ctx: &Context, _args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let s = ctx.backend.status().await?;
    out.write(&StatusJson {
        address: Checksum(s.address),
        chain_id: s.chain_id,
        peer_id: s.peer_id,
        latest_finalized_block_hash: s.settled_hash,
        latest_finalized_block_height: U64s(s.settled_height),
        latest_finalized_block_time: Big(U256::from(s.settled_time)),
        latest_finalized_block_epoch: U64s(s.settled_epoch),
        current_epoch: U64s(s.current_epoch),
        current_height: U64s(s.current_height),
        current_hash: s.current_hash,
        current_time: Big(U256::from(s.current_time)),
        syncing: s.syncing,
        tip_hash: s.tip_hash,
        genesis_block_hash: s.genesis_hash,
        snapshot_block_height: U64s(s.snapshot_height),
        snapshot_block_hash: s.snapshot_hash,
        committed_height: U64s(s.current_height),
        committed_hash: s.current_hash,
        settled_height: U64s(s.settled_height),
        settled_hash: s.settled_hash,
        finalized_height: s.finalized.map(|(height, _)| U64s(height)),
        finalized_hash: s.finalized.map(|(_, hash)| hash),
        not_ready: ctx.backend.not_ready().await,
        graphics_cards: ctx.backend.cards().into_iter().map(Into::into).collect(),
    })
}

/// `skip_edge_node` is read for its type only: our peers are no edge nodes.
pub(super) async fn peers(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct PeersJson {
        peers: Vec<String>,
    }
    args.flag("skip_edge_node")?;
    out.write(&PeersJson { peers: ctx.backend.peers().await? })
}

pub(super) async fn peer_urls(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct PeerUrlsJson {
        peer_urls: Vec<String>,
    }
    args.flag("skip_edge_node")?;
    let mut peer_urls = ctx.backend.peer_urls().await?;
    let shuffle = RandomState::new();
    peer_urls.sort_by_cached_key(|url| shuffle.hash_one(url));
    peer_urls.truncate(PEER_URLS_MAX);
    out.write(&PeerUrlsJson { peer_urls })
}

pub(super) async fn pending_transactions(
    ctx: &Context,
    _args: &Args<'_>,
    out: &mut Answer<'_>,
) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct PendingJson {
        tx_hashes: Vec<Hash>,
    }
    out.write(&PendingJson { tx_hashes: ctx.backend.pending_transactions().await? })
}
