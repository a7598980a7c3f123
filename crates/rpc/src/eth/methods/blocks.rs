//! Blocks. Unknown ones are `null`.

use super::{EthMethods, Written, turn};
use crate::eth::json::{BlockJson, ReceiptJson, U64, places};
use crate::eth::tags::{Tag, height};
use crate::eth::values::EthBlock;
use crate::jsonrpc::{Answer, Positional, RpcError};
use std::sync::Arc;

type Found = Result<Option<Arc<EthBlock>>, RpcError>;

/// A block by number or tag.
pub(super) async fn numbered(eth: &EthMethods, args: &Positional<'_>) -> Found {
    at(eth, args.text(0, Tag::number_or_name)?).await
}

/// A block by hash.
pub(super) async fn hashed(eth: &EthMethods, args: &Positional<'_>) -> Found {
    at(eth, Tag::Hash(args.hash(0)?)).await
}

async fn at(eth: &EthMethods, tag: Tag) -> Found {
    let Some(at) = tag.resolve(eth.backend.as_ref()) else { return Ok(None) };
    let _running = turn(&eth.block_reads).await;
    Ok(eth.backend.block(at).await?)
}

pub(super) async fn by_number(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let full = args.flag(1)?;
    block(eth, numbered(eth, args).await?, full, out)
}

pub(super) async fn by_hash(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let full = args.flag(1)?;
    block(eth, hashed(eth, args).await?, full, out)
}

fn block(eth: &EthMethods, found: Option<Arc<EthBlock>>, full: bool, out: &mut Answer<'_>) -> Written {
    out.write(&found.as_deref().map(|block| BlockJson::new(block, &eth.rules(), full)))
}

pub(super) async fn count_by_number(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    count(numbered(eth, args).await?, out)
}

pub(super) async fn count_by_hash(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    count(hashed(eth, args).await?, out)
}

fn count(found: Option<Arc<EthBlock>>, out: &mut Answer<'_>) -> Written {
    out.write(&found.map(|block| U64::from(block.txs.len() as u64)))
}

pub(super) async fn receipts(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    args.required(0)?;
    let found = at(eth, Tag::read(args, 0)?).await?;
    let base_fee = eth.rules().base_fee;
    let receipts = found
        .as_deref()
        .map(|block| places(block).map(|(info, place)| ReceiptJson::new(info, &place, base_fee)).collect::<Vec<_>>());
    out.write(&receipts)
}

pub(super) async fn uncles_by_number(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&numbered(eth, args).await?.map(|_| U64::ZERO))
}

pub(super) async fn uncles_by_hash(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&hashed(eth, args).await?.map(|_| U64::ZERO))
}

/// There are none.
pub(super) fn uncle(args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    args.required(0)?;
    args.text(1, height)?;
    out.write(&())
}
