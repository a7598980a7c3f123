//! Sending transactions, native and as Ethereum's wallets sign them.

use super::Context;
use crate::json::HeaderJson;
use crate::jsonrpc::{Answer, Args, RpcError, strict_hex};
use serde::Serialize;
use vigil_crypto::import_eth_for;
use vigil_primitives::{Bytes, Hash, keccak256};

#[derive(Serialize)]
struct SentJson {
    hash: Hash,
}

#[derive(Serialize)]
struct SettledJson<'a> {
    hash: Hash,
    block: HeaderJson<'a>,
}

pub(super) async fn at_once(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let hash = ctx.backend.broadcast(tx_bytes(args)?.into()).await?;
    out.write(&SentJson { hash })
}

pub(super) async fn wait(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    until_settled(ctx, tx_bytes(args)?.into(), out).await
}

/// Answers the hash that the wallet knows.
pub(super) async fn eth_at_once(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let eth = tx_bytes(args)?;
    ctx.backend.broadcast(native(ctx, &eth)?).await?;
    out.write(&SentJson { hash: keccak256(&eth) })
}

/// Answers the native hash.
pub(super) async fn eth_wait(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    until_settled(ctx, native(ctx, &tx_bytes(args)?)?, out).await
}

async fn until_settled(ctx: &Context, raw: Bytes, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let sent = ctx.backend.broadcast_and_wait(raw);
    let (hash, header) = tokio::time::timeout(ctx.broadcast_wait, sent)
        .await
        .map_err(|_| RpcError::method("Timed out waiting for transaction to be included"))??;
    out.write(&SettledJson { hash, block: (&header).into() })
}

/// The envelope of an Ethereum transaction. Its sender is recovered here, at once: on another thread the requests of a batch
/// would lose their order.
fn native(ctx: &Context, eth: &[u8]) -> Result<Bytes, RpcError> {
    import_eth_for(ctx.backend.chain_number(), eth).map_err(|why| RpcError::method(why.to_string()))
}

fn tx_bytes(args: &Args<'_>) -> Result<Vec<u8>, RpcError> {
    strict_hex(&args.text("tx_bytes")?)
}
