//! Once a second: gauges. Now and then: one line that says how the node is doing, and why if it is not well.

use crate::backend::NodeBackend;
use crate::engine::Clock;
use crate::node::stopped;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Runs until `stopping`. Says a new reason at once, and everything every `every_s` seconds (0: never).
pub(crate) async fn run(node: Arc<NodeBackend>, every_s: u32, mut stopping: watch::Receiver<bool>) {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut said: Option<String> = None;
    let mut seconds = 0u32;
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return,
            _ = second.tick() => {}
        }
        node.pool.forget_gone_waiters();
        if let Some(recorder) = crate::telemetry::recorder() {
            recorder.run_upkeep();
        }
        let reason = node.health.reason(Clock::unix_s());
        gauges(&node, reason.is_none());
        seconds = seconds.wrapping_add(1);
        let due = every_s > 0 && seconds.is_multiple_of(every_s);
        if due || (reason != said && !changes_every_second(&said, &reason)) {
            say(&node, reason.as_deref());
        }
        said = reason;
    }
}

/// True if both are the same kind of reason with other numbers: no news.
fn changes_every_second(before: &Option<String>, now: &Option<String>) -> bool {
    let kind = |reason: &Option<String>| reason.as_ref().map(|r| r.chars().take(7).collect::<String>());
    before.is_some() && kind(before) == kind(now)
}

fn gauges(node: &NodeBackend, ready: bool) {
    let view = node.observatory.lock().unwrap_or_else(PoisonError::into_inner).view.clone();
    let (txs, bytes) = node.pool.size();
    metrics::gauge!("vigil_epoch").set(view.epoch as f64);
    metrics::gauge!("vigil_certified_height").set(view.high_cert.1 as f64);
    metrics::gauge!("vigil_settled_height").set(view.settled.0 as f64);
    metrics::gauge!("vigil_finalized_height").set(node.chain.final_height() as f64);
    metrics::gauge!("vigil_peers").set(node.net.peer_count() as f64);
    metrics::gauge!("vigil_ready").set(if ready { 1.0 } else { 0.0 });
    metrics::gauge!("vigil_mempool_txs").set(txs as f64);
    metrics::gauge!("vigil_mempool_bytes").set(bytes as f64);
}

fn say(node: &NodeBackend, reason: Option<&str>) {
    let observed = node.observatory.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let head = node.chain.head();
    let (txs, _) = node.pool.size();
    let state = match (reason, observed.signing) {
        (Some(why), _) => why.to_owned(),
        (None, true) => "synced, signing".to_owned(),
        (None, false) => "synced, following".to_owned(),
    };
    let (height, hash, peers) = (head.as_parent.height, head.hash, node.net.peer_count());
    let (last, epoch) = (node.chain.final_height(), observed.view.epoch);
    tracing::info!(
        "settled {height} {hash:.8}  finalized {last}  epoch {epoch}  peers {peers}  mempool {txs}  {state}"
    );
}
