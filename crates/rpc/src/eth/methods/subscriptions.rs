//! Events over a WebSocket.
//!
//! Blocks are read by height as they settle, so a client that is slow gets them late and misses none. Admitted
//! transactions that it is too slow for are left out.

use super::filters::{name, named};
use super::{EthMethods, LogQuery, Written};
use crate::answering::Caller;
use crate::eth::EthBackend;
use crate::eth::json::{HeaderJson, TxJson, logs_at, places};
use crate::eth::values::{EthAt, EthBlock, EthTx};
use crate::jsonrpc::{Answer, Positional, RpcError, invalid};
use crate::limits::SUBSCRIPTIONS_MAX;
use crate::server::{Gone, Pusher, Subscription};
use alloy_rpc_types_eth::Log;
use alloy_rpc_types_eth::pubsub::{PubSubSyncStatus, SubscriptionKind, SyncStatusMetadata};
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use vigil_primitives::Height;

/// What a subscription tells.
enum Events {
    Heads,
    Logs(Box<LogQuery>),
    Admitted(Receiver<Arc<EthTx>>, bool),
    Syncing,
}

pub(super) fn subscribe(eth: &EthMethods, args: &Positional<'_>, caller: &Caller<'_>, out: &mut Answer<'_>) -> Written {
    let feed = caller.feed.ok_or_else(unsupported)?;
    let (events, seat) = (read(eth, args)?, eth.seat(caller.from)?);
    let id = eth.filters.name();
    let pusher = feed.reserve(id).ok_or_else(|| {
        RpcError::method(format!("too many subscriptions: a connection has at most {SUBSCRIPTIONS_MAX}"))
    })?;
    let (backend, told) = (eth.backend.clone(), eth.backend.heads().settled.0);
    let run = Box::pin(async move {
        let Gone = tell(backend.as_ref(), events, told, &pusher).await;
    });
    caller.begin_later(Subscription { id, seat, run });
    out.write(&name(id))
}

pub(super) fn unsubscribe(args: &Positional<'_>, caller: &Caller<'_>, out: &mut Answer<'_>) -> Written {
    let feed = caller.feed.ok_or_else(unsupported)?;
    match named(args)?.is_some_and(|name| feed.end(name)) {
        true => out.write(&true),
        false => Err(RpcError::method("subscription not found")),
    }
}

fn unsupported() -> RpcError {
    RpcError::no_method("notifications not supported: subscribe over a WebSocket")
}

fn read(eth: &EthMethods, args: &Positional<'_>) -> Result<Events, RpcError> {
    let kind: String = args.json(0)?;
    match kind.parse() {
        Ok(SubscriptionKind::NewHeads) => Ok(Events::Heads),
        Ok(SubscriptionKind::Logs) => Ok(Events::Logs(Box::new(query(args)?))),
        Ok(SubscriptionKind::NewPendingTransactions) => Ok(Events::Admitted(eth.backend.admitted(), args.flag(1)?)),
        Ok(SubscriptionKind::Syncing) => Ok(Events::Syncing),
        Ok(SubscriptionKind::TransactionReceipts) | Err(_) => {
            Err(RpcError::no_method(format!("no {kind:?} subscription in eth namespace")))
        }
    }
}

/// Only addresses and topics matter: a subscription begins now and has no end.
fn query(args: &Positional<'_>) -> Result<LogQuery, RpcError> {
    let query = match args.raw(1) {
        Some(_) => LogQuery::read(args, 1)?,
        None => LogQuery::default(),
    };
    match query.block {
        Some(_) => Err(invalid(1, "a block has no new logs: use eth_getLogs")),
        None => Ok(query),
    }
}

async fn tell(backend: &dyn EthBackend, events: Events, told: Height, pusher: &Pusher) -> Gone {
    match events {
        Events::Admitted(admitted, full) => tell_admitted(admitted, full, pusher).await,
        Events::Syncing => tell_syncing(backend, pusher).await,
        Events::Heads => tell_blocks(backend, None, told, pusher).await,
        Events::Logs(query) => tell_blocks(backend, Some(&query), told, pusher).await,
    }
}

/// Headers of settled blocks, or the logs in them.
async fn tell_blocks(backend: &dyn EthBackend, logs: Option<&LogQuery>, mut told: Height, pusher: &Pusher) -> Gone {
    let mut settled = backend.settled();
    loop {
        let head = *settled.borrow_and_update();
        while told < head {
            told += 1;
            let Ok(Some(block)) = backend.block(EthAt::Number(told)).await else {
                return pusher.give_up(format!("block {told} cannot be read")).await;
            };
            // Who is slow keeps what it is to be told, and not the block.
            let pushed = match logs {
                None => {
                    let header = HeaderJson::new(&block, &backend.rules());
                    drop(block);
                    pusher.push(&header).await
                }
                Some(query) => {
                    let logs = matching(&block, query);
                    drop(block);
                    tell_logs(&logs, pusher).await
                }
            };
            if let Err(gone) = pushed {
                return gone;
            }
        }
        if settled.changed().await.is_err() {
            return Gone;
        }
    }
}

fn matching(block: &EthBlock, query: &LogQuery) -> Vec<Log> {
    let mut logs = Vec::new();
    for (info, place) in places(block) {
        logs.extend(logs_at(info, &place).filter(|log| query.filter.matches(&log.inner)));
    }
    logs
}

/// The logs count as an answer while they wait.
async fn tell_logs(logs: &[Log], pusher: &Pusher) -> Result<(), Gone> {
    let bytes = logs.iter().map(|log| size_of::<Log>() + size_of_val(log.topics()) + log.inner.data.data.len()).sum();
    let _held = pusher.hold(bytes).await?;
    for log in logs {
        pusher.push(log).await?;
    }
    Ok(())
}

async fn tell_admitted(mut admitted: Receiver<Arc<EthTx>>, full: bool, pusher: &Pusher) -> Gone {
    loop {
        let tx = match admitted.recv().await {
            Ok(tx) => tx,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return Gone,
        };
        let pushed = match full {
            true => pusher.push(&TxJson::pending(&tx)).await,
            false => pusher.push(&tx.hash).await,
        };
        if let Err(gone) = pushed {
            return gone;
        }
    }
}

/// Whether the node is catching up: at once, and when it changes.
async fn tell_syncing(backend: &dyn EthBackend, pusher: &Pusher) -> Gone {
    let mut settled = backend.settled();
    let mut told = None;
    loop {
        settled.borrow_and_update();
        let syncing = backend.syncing();
        if told != Some(syncing.is_some()) {
            told = Some(syncing.is_some());
            let status = match syncing {
                None => PubSubSyncStatus::Simple(false),
                Some(syncing) => PubSubSyncStatus::Detailed(SyncStatusMetadata {
                    syncing: true,
                    starting_block: syncing.starting,
                    current_block: syncing.current,
                    highest_block: Some(syncing.highest),
                }),
            };
            if let Err(gone) = pusher.push(&status).await {
                return gone;
            }
        }
        if settled.changed().await.is_err() {
            return Gone;
        }
    }
}
