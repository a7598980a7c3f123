//! What waits in the mempool.

use super::{EthMethods, Written, turn};
use crate::eth::json::{TxJson, U64};
use crate::eth::values::EthTx;
use crate::jsonrpc::{Answer, Positional};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::Address;

/// Ready, and waiting for an earlier nonce.
#[derive(Serialize)]
struct Both<T> {
    pending: T,
    queued: T,
}

pub(super) async fn status(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let (pending, queued) = eth.backend.pool_size().await?;
    out.write(&Both { pending: U64::from(pending), queued: U64::from(queued) })
}

pub(super) async fn content(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let _running = turn(&eth.pool_reads).await;
    let pool = eth.backend.pool(None).await?;
    out.write(&Both {
        pending: by_sender(&pool.pending, TxJson::pending),
        queued: by_sender(&pool.queued, TxJson::pending),
    })
}

pub(super) async fn content_from(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let _running = turn(&eth.pool_reads).await;
    let pool = eth.backend.pool(Some(args.address(0)?)).await?;
    out.write(&Both { pending: by_nonce(&pool.pending), queued: by_nonce(&pool.queued) })
}

pub(super) async fn inspect(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let _running = turn(&eth.pool_reads).await;
    let pool = eth.backend.pool(None).await?;
    out.write(&Both { pending: by_sender(&pool.pending, summary), queued: by_sender(&pool.queued, summary) })
}

/// Keys are decimal nonces.
fn by_nonce(txs: &[Arc<EthTx>]) -> BTreeMap<u64, TxJson<'_>> {
    txs.iter().map(|tx| (tx.nonce, TxJson::pending(tx))).collect()
}

fn by_sender<'a, T>(txs: &'a [Arc<EthTx>], form: impl Fn(&'a EthTx) -> T) -> BTreeMap<Address, BTreeMap<u64, T>> {
    let mut senders: BTreeMap<Address, BTreeMap<u64, T>> = BTreeMap::new();
    for tx in txs {
        senders.entry(tx.from).or_default().insert(tx.nonce, form(tx));
    }
    senders
}

fn summary(tx: &EthTx) -> String {
    let to = tx.to.map_or_else(|| "contract creation".to_owned(), |to| to.to_string());
    let (value, gas, price) = (tx.value, tx.gas_limit, tx.fees.highest_price());
    format!("{to}: {value} wei + {gas} gas × {price} wei")
}
