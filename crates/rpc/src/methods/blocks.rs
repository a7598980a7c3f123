//! Blocks and the transactions in them.

use super::Context;
use crate::TxPlace;
use crate::json::{BalanceChangesJson, BlockJson, ReceiptJson, TxJson, U64s, finality, shown_tx, synthetic_genesis};
use crate::jsonrpc::{Answer, Args, RpcError, lenient_hash};
use crate::limits::{HEAVY_RANGE_BLOCKS, RANGE_BLOCKS_MAX, TRACE_BLOCKS_MAX};
use serde::Serialize;
use vigil_primitives::{Hash, Receipt, U256, keccak256};

#[derive(Serialize)]
struct TransactionJson<'a> {
    block_hash: Hash,
    block_height: U64s,
    status: &'static str,
    guardian_finalized: bool,
    finality: &'static str,
    hash: Hash,
    #[serde(rename = "type")]
    tx_type: u8,
    transaction: Option<TxJson<'a>>,
    receipt: Option<ReceiptJson<'a>>,
    /// Sic.
    blance_changes: Option<BalanceChangesJson<'a>>,
}

pub(super) async fn transaction(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let asked = args.text("hash")?;
    if asked.is_empty() {
        return Err(RpcError::method("Transanction hash must be specified"));
    }
    let place = ctx.backend.transaction(lenient_hash(&asked)).await?;
    let mut answer = TransactionJson {
        block_hash: Hash::ZERO,
        block_height: U64s(0),
        status: "not_found",
        guardian_finalized: false,
        finality: "not_found",
        hash: Hash::ZERO,
        tx_type: 0,
        transaction: None,
        receipt: None,
        blance_changes: None,
    };
    let (tx, of_contract): (_, Option<Box<Receipt>>);
    match place {
        TxPlace::Unknown => {}
        TxPlace::Pending => (answer.status, answer.finality) = ("pending", "pending"),
        TxPlace::Abandoned => (answer.status, answer.finality) = ("abandoned", "abandoned"),
        TxPlace::InBlock { block_hash, height, status, guardian_finalized, raw, receipt } => {
            of_contract = receipt;
            let receipt = of_contract.as_deref();
            tx = shown_tx(&raw, receipt).map_err(|why| RpcError::method(format!("Error decoding tx: {why}")))?;
            answer.block_hash = block_hash;
            answer.block_height = U64s(height);
            answer.status = if status.is_settled() { "finalized" } else { "pending" };
            answer.guardian_finalized = guardian_finalized;
            answer.finality = finality(status, guardian_finalized);
            answer.hash = keccak256(&raw);
            answer.tx_type = tx.tx_type() as u8;
            answer.transaction = Some((&tx).into());
            answer.receipt = receipt.map(Into::into);
            answer.blance_changes = receipt.map(Into::into);
        }
    }
    out.write(&answer)
}

pub(super) async fn block(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let (hash, eth_number) = (args.hash("hash")?, eth_number(ctx, args)?);
    let hash = hash.ok_or_else(no_hash)?;
    let info = ctx.backend.block(hash).await?.ok_or_else(key_not_found)?;
    out.write(&BlockJson::new(&info, eth_number))
}

/// The number of the chain, if Ethereum hashes are asked for.
fn eth_number(ctx: &Context, args: &Args<'_>) -> Result<Option<U256>, RpcError> {
    Ok(args.flag("include_eth_tx_hashes")?.then(|| ctx.backend.chain_number()))
}

/// Nothing at the height is `{}`, neither an error nor null.
pub(super) async fn block_by_height(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct NoBlock {}
    let (height, eth_number) = (args.u64s("height")?, eth_number(ctx, args)?);
    let unsettled = args.flag("include_unfinalized_blocks")?;
    match ctx.backend.block_at(height, unsettled).await? {
        Some(info) => out.write(&BlockJson::new(&info, eth_number)),
        None => out.write(&NoBlock {}),
    }
}

/// Writes block after block, so that a long range is never held as a whole.
pub(super) async fn blocks_by_range(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let (start, end) = (args.u64s("start")?, args.u64s("end")?);
    let eth_number = eth_number(ctx, args)?;
    let span =
        end.checked_sub(start).ok_or_else(|| RpcError::method("starting block must be less than ending block"))?;
    if span > RANGE_BLOCKS_MAX {
        return Err(RpcError::method(format!("can't retrieve more than {RANGE_BLOCKS_MAX} blocks at a time")));
    }
    let _running = match span > HEAVY_RANGE_BLOCKS {
        true => Some(ctx.heavy_ranges.try_acquire().map_err(|_| {
            RpcError::method(format!(
                "too many pending heavy getBlocksByRange queries, rejecting getBlocksByRange query from block {start} to {end}"
            ))
        })?),
        false => None,
    };
    let last = match end {
        0 => None,
        end => match ctx.backend.block_at(end, false).await? {
            Some(last) => Some(last),
            None => return out.write::<[(); 0]>(&[]),
        },
    };
    let mut list = List { out, open: false };
    if start == 0 {
        let status = ctx.backend.status().await?;
        list.push(&synthetic_genesis(&status.chain_id, status.genesis_hash, status.finalized.is_some()))?;
    }
    for height in start.max(1)..end {
        if let Some(info) = ctx.backend.block_at(height, false).await? {
            list.push(&BlockJson::new(&info, eth_number))?;
        }
    }
    if let Some(info) = last {
        list.push(&BlockJson::new(&info, eth_number))?;
    }
    list.close();
    Ok(())
}

/// A JSON array that is written element by element.
struct List<'a, 'b> {
    out: &'a mut Answer<'b>,
    open: bool,
}

impl List<'_, '_> {
    fn push<T: Serialize>(&mut self, element: &T) -> Result<(), RpcError> {
        self.out.punctuation(if self.open { b',' } else { b'[' });
        self.open = true;
        self.out.write(element)
    }

    fn close(self) {
        if !self.open {
            self.out.punctuation(b'[');
        }
        self.out.punctuation(b']');
    }
}

/// Why a trace stopped: the first byte of its last element (`spec/rpc.md` §4.4).
#[derive(Clone, Copy)]
enum Stop {
    NoChild = 0x00,
    NotStored = 0x01,
    Forks = 0x02,
    TooLong = 0x99,
}

impl Stop {
    fn marker(self) -> Hash {
        let mut hash = Hash::ZERO;
        hash[0] = self as u8;
        hash
    }
}

pub(super) async fn trace(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct TraceJson {
        #[serde(rename = "Blocks")]
        blocks: Vec<Hash>,
    }
    let (hash, upstream) = (args.hash("hash")?, args.flag("upstream")?);
    let mut hash = hash.ok_or_else(no_hash)?;
    let mut links = ctx.backend.block_links(hash).await?.ok_or_else(key_not_found)?;
    let mut blocks = vec![hash];
    let stop = loop {
        hash = match (upstream, links.children.as_slice()) {
            (true, _) if links.status.is_settled() => break None,
            (true, _) => links.parent,
            (false, []) => break Some(Stop::NoChild),
            (false, [child]) => *child,
            (false, _) => break Some(Stop::Forks),
        };
        if blocks.len() >= TRACE_BLOCKS_MAX {
            break Some(Stop::TooLong);
        }
        links = match ctx.backend.block_links(hash).await? {
            Some(links) => links,
            None => break Some(Stop::NotStored),
        };
        blocks.push(hash);
    };
    blocks.extend(stop.map(Stop::marker));
    out.write(&TraceJson { blocks })
}

fn no_hash() -> RpcError {
    RpcError::method("Block hash must be specified")
}

fn key_not_found() -> RpcError {
    RpcError::method("KeyNotFound")
}
