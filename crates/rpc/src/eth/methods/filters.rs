//! Filters that are asked again and again for what is new.

use super::{EthMethods, LogQuery, Written, logs, turn};
use crate::answering::Caller;
use crate::eth::EthError;
use crate::eth::filters::Filter;
use crate::eth::json::TxJson;
use crate::eth::tags::height;
use crate::eth::values::EthTx;
use crate::jsonrpc::{Answer, Positional, RpcError, invalid};
use crate::limits::LOG_BLOCKS_MAX;
use alloy_rpc_types_eth::Log;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{Mutex, MutexGuard};
use vigil_primitives::{Hash, Height};

pub(super) fn new_logs(eth: &EthMethods, args: &Positional<'_>, caller: &Caller<'_>, out: &mut Answer<'_>) -> Written {
    let query = LogQuery::read(args, 0)?;
    if query.block.is_some() {
        return Err(invalid(0, "a filter of one block has no changes: use eth_getLogs"));
    }
    let told = eth.backend.heads().settled.0.max(query.bounds().0.saturating_sub(1));
    install(eth, Filter::Logs(Box::new(query), told), caller, out)
}

pub(super) fn new_blocks(eth: &EthMethods, _: &Positional<'_>, caller: &Caller<'_>, out: &mut Answer<'_>) -> Written {
    install(eth, Filter::Blocks(eth.backend.heads().settled.0), caller, out)
}

/// The optional argument asks for whole transactions.
pub(super) fn new_pending(
    eth: &EthMethods,
    args: &Positional<'_>,
    caller: &Caller<'_>,
    out: &mut Answer<'_>,
) -> Written {
    install(eth, Filter::Pending { admitted: eth.backend.admitted(), full: args.flag(0)? }, caller, out)
}

fn install(eth: &EthMethods, filter: Filter, caller: &Caller<'_>, out: &mut Answer<'_>) -> Written {
    let seat = eth.seat(caller.from)?;
    out.write(&name(eth.filters.install(filter, seat, Instant::now())))
}

pub(super) fn uninstall(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&named(args)?.is_some_and(|name| eth.filters.uninstall(name)))
}

pub(super) async fn changes(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let filter = find(eth, args)?;
    match &mut *locked(&filter).await {
        Filter::Blocks(told) => {
            let (hashes, until) = new_hashes(eth, *told).await?;
            out.write(&hashes)?;
            *told = until;
            Ok(())
        }
        Filter::Logs(query, told) => {
            let (logs, until) = logs_since(eth, query, *told).await?;
            out.write(&logs)?;
            *told = until;
            Ok(())
        }
        Filter::Pending { admitted, full: false } => {
            out.write(&drain(admitted).iter().map(|tx| tx.hash).collect::<Vec<_>>())
        }
        Filter::Pending { admitted, full: true } => {
            out.write(&drain(admitted).iter().map(|tx| TxJson::pending(tx)).collect::<Vec<_>>())
        }
    }
}

/// All that a filter of logs matches, new or not.
pub(super) async fn logs(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let filter = find(eth, args)?;
    let query = match &*locked(&filter).await {
        Filter::Logs(query, _) => query.clone(),
        _ => return Err(not_found()),
    };
    out.write(&logs::matching(eth, &query).await?)
}

/// At most [`LOG_BLOCKS_MAX`] blocks at a time; the rest is for the next time.
async fn new_hashes(eth: &EthMethods, told: Height) -> Result<(Vec<Hash>, Height), RpcError> {
    let until = eth.backend.heads().settled.0.min(told.saturating_add(LOG_BLOCKS_MAX)).max(told);
    let _running = turn(&eth.long_reads).await;
    let mut hashes = Vec::new();
    for height in told + 1..=until {
        hashes.push(eth.backend.summary(height).await?.ok_or(EthError::UnknownBlock)?.hash);
    }
    Ok((hashes, until))
}

/// The same of logs; of fewer blocks if these have too many.
async fn logs_since(eth: &EthMethods, query: &LogQuery, told: Height) -> Result<(Vec<Log>, Height), RpcError> {
    let settled = eth.backend.heads().settled.0;
    let mut until = settled.min(told.saturating_add(LOG_BLOCKS_MAX)).min(query.bounds().1);
    let _running = turn(&eth.long_reads).await;
    while until > told {
        match eth.backend.logs(told + 1, until, &query.filter).await {
            Ok(logs) => return Ok((logs, until)),
            Err(EthError::TooManyLogs(_) | EthError::TooMuchLogData(_)) if until > told + 1 => {
                until = told + (until - told) / 2;
            }
            Err(why) => return Err(why.into()),
        }
    }
    Ok((Vec::new(), told))
}

/// Those that were admitted since the last time; without those that the channel has forgotten.
fn drain(admitted: &mut Receiver<Arc<EthTx>>) -> Vec<Arc<EthTx>> {
    let mut txs = Vec::new();
    // Those that come meanwhile are for the next time.
    for _ in 0..admitted.len() {
        match admitted.try_recv() {
            Ok(tx) => txs.push(tx),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    txs
}

fn find(eth: &EthMethods, args: &Positional<'_>) -> Result<Arc<Mutex<Filter>>, RpcError> {
    named(args)?.and_then(|name| eth.filters.ask(name, Instant::now())).ok_or_else(not_found)
}

/// Who asks twice at once waits: nothing is told twice.
async fn locked(filter: &Mutex<Filter>) -> MutexGuard<'_, Filter> {
    filter.lock().await
}

fn not_found() -> RpcError {
    RpcError::method("filter not found")
}

/// The filter or subscription that is meant; what no name of ours looks like names none.
pub(super) fn named(args: &Positional<'_>) -> Result<Option<u64>, RpcError> {
    args.text(0, |text| Ok(height(text).ok()))
}

/// How filters and subscriptions are called.
pub(super) fn name(name: u64) -> String {
    format!("{name:#x}")
}
