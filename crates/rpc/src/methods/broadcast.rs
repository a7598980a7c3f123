//! Sending transactions.

use super::Context;
use crate::json::HeaderJson;
use crate::jsonrpc::{Answer, Args, RpcError, strict_hex};
use serde::Serialize;
use vigil_primitives::{Bytes, Hash};

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
    let hash = ctx.backend.broadcast(tx_bytes(args)?).await?;
    out.write(&SentJson { hash })
}

pub(super) async fn wait(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let sent = ctx.backend.broadcast_and_wait(tx_bytes(args)?);
    let (hash, header) = tokio::time::timeout(ctx.broadcast_wait, sent)
        .await
        .map_err(|_| RpcError::method("Timed out waiting for transaction to be included"))??;
    out.write(&SettledJson { hash, block: (&header).into() })
}

fn tx_bytes(args: &Args<'_>) -> Result<Bytes, RpcError> {
    strict_hex(&args.text("tx_bytes")?).map(Bytes::from)
}
