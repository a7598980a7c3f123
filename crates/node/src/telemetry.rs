//! Metrics of the process, and the line that says how the node is doing.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// Upper bounds of the buckets of every `*_seconds` histogram.
const SECONDS: [f64; 15] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
/// Of the time of a backend's calls, which are shorter.
const SHORT: [f64; 12] = [1e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 2e-2, 0.1];
/// Of every `*_items` histogram.
const ITEMS: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0];

/// The recorder of this process; made on first use. `None`: another recorder was there first.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let handle = HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_items".into()), &ITEMS))
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full("vigil_accel_seconds".into()), &SHORT));
        let handle = builder.ok()?.install_recorder().ok()?;
        describe();
        vigil_accel::engine::describe_metrics();
        Some(handle)
    });
    handle.as_ref()
}

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_gauge!("vigil_settled_height", "Height of the last settled block");
    describe_gauge!(
        "vigil_finalized_height",
        "Height of the highest checkpoint that guardians have finalized; 0: none"
    );
    describe_gauge!("vigil_epoch", "Epoch that consensus is in");
    describe_gauge!("vigil_certified_height", "Height of the highest block with a certificate");
    describe_gauge!("vigil_peers", "Connected peers");
    describe_gauge!("vigil_best_peer_height", "Settled height that peers tell");
    describe_gauge!("vigil_ready", "1 if the node is ready, else 0");
    describe_gauge!("vigil_mempool_txs", "Transactions that wait for a block");
    describe_gauge!("vigil_mempool_bytes", Unit::Bytes, "Bytes of transactions that wait for a block");
    describe_counter!("vigil_mempool_admitted_total", "Transactions admitted to the mempool");
    describe_counter!("vigil_txs_settled_total", "Transactions in settled blocks");
    describe_counter!("vigil_blocks_settled_total", "Settled blocks");
    describe_counter!("vigil_block_txs_verified_total", "Transactions of blocks whose signatures were not known yet");
    describe_counter!("vigil_store_bytes_total", Unit::Bytes, "Bytes of keys and values written to the store");
    describe_counter!("vigil_peer_penalties_total", "Penalties of peers, by reason");
    describe_counter!("vigil_consensus_sent_total", "Consensus messages sent, by kind");
    describe_counter!("vigil_consensus_received_total", "Consensus messages received, by kind");
    describe_counter!("vigil_guardian_sent_total", "Messages to other hosts of guardians");
    describe_counter!(
        "vigil_guardian_dropped_total",
        "Messages of other hosts of guardians that were dropped: too many waited"
    );
    describe_counter!("vigil_guardian_votes_merged_total", "Aggregated votes that were merged and judged");
    describe_counter!("vigil_faults_seen_total", "Faults of validators and guardians that evidence was found for");
    describe_histogram!("vigil_stage_seconds", Unit::Seconds, "Time of each stage of blocks and transactions");
    describe_histogram!("vigil_settle_seconds", Unit::Seconds, "From a block's first execution here to its settlement");
}
