//! What the engine tells about itself. Names and meanings are described by [`describe`].

use super::plan::Op;
use std::time::Duration;

/// Label of items that the oracle does.
pub(crate) const ORACLE: &str = "oracle";

/// One call of a backend, or of the oracle.
pub(crate) fn record_batch(op: Op, backend: &'static str, items: usize, took: Duration) {
    let op = op.as_str();
    metrics::counter!("vigil_accel_items_total", "op" => op, "backend" => backend).increment(items as u64);
    metrics::histogram!("vigil_accel_batch_items", "op" => op, "backend" => backend).record(items as f64);
    metrics::histogram!("vigil_accel_seconds", "op" => op, "backend" => backend).record(took.as_secs_f64());
}

/// Items that a backend should have done, and by whom they were done.
pub(crate) fn record_fallback(op: Op, backend: &'static str, by: &'static str, items: usize) {
    let labels = [("op", op.as_str()), ("backend", backend), ("by", by)];
    metrics::counter!("vigil_accel_fallback_items_total", &labels).increment(items as u64);
}

/// Whether a graphics card is used, and its faults since this process started.
pub(crate) fn record_card(label: &str, up: bool, faults: u32) {
    metrics::gauge!("vigil_accel_gpu_up", "card" => label.to_owned()).set(f64::from(u8::from(up)));
    metrics::counter!("vigil_accel_gpu_faults_total", "card" => label.to_owned()).absolute(faults.into());
}

/// How long a request was in line before its batch began.
pub(crate) fn record_wait(op: Op, wait: Duration) {
    metrics::histogram!("vigil_accel_wait_seconds", "op" => op.as_str()).record(wait.as_secs_f64());
}

/// Signatures whose signer was known already.
pub(crate) fn record_recent(items: usize) {
    if items > 0 {
        metrics::counter!("vigil_accel_recent_items_total").increment(items as u64);
    }
}

/// Tables of payers and their bytes.
pub(crate) fn record_tables((count, bytes): (usize, usize)) {
    metrics::gauge!("vigil_accel_payer_tables").set(count as f64);
    metrics::gauge!("vigil_accel_payer_bytes").set(bytes as f64);
}

/// Describes every metric of the engine to the recorder of this process, and tells it of the graphics cards that were opened
/// before it was there.
pub fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!("vigil_accel_items_total", "Items verified or hashed, by operation and backend");
    describe_histogram!("vigil_accel_batch_items", "Items of each call of a backend, by operation and backend");
    describe_histogram!(
        "vigil_accel_seconds",
        Unit::Seconds,
        "Time of each call of a backend, by operation and backend"
    );
    describe_histogram!(
        "vigil_accel_wait_seconds",
        Unit::Seconds,
        "Time that requests wait to be batched, by operation"
    );
    describe_counter!(
        "vigil_accel_fallback_items_total",
        "Items that another backend or the oracle (by) did because a backend failed"
    );
    describe_counter!("vigil_accel_recent_items_total", "Signatures whose signer was known already");
    describe_gauge!("vigil_accel_payer_tables", "Payers with tables of multiples of their key");
    describe_gauge!("vigil_accel_payer_bytes", Unit::Bytes, "Memory of these tables");
    describe_gauge!("vigil_accel_gpu_up", "1 while a graphics card (card) is used, 0 while it is not trusted");
    describe_counter!(
        "vigil_accel_gpu_faults_total",
        "Faults of a graphics card (card): wrong or late answers, no memory"
    );
    crate::gpu::tell_all();
}
