//! Time of each stage that a block or a transaction goes through, as a metric.

use std::time::Instant;

/// Runs `work` and records how long it took as `vigil_stage_seconds{stage="<name>"}`.
pub(crate) fn stage<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    metrics::histogram!("vigil_stage_seconds", "stage" => name).record(started.elapsed().as_secs_f64());
    done
}
