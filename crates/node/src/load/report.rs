//! Counting.

use serde::Serialize;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use vigil_primitives::Hash;

/// Refusals kept word by word.
const REASONS_MAX: usize = 5;

/// How a load stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Transactions sent.
    pub submitted: u64,
    /// Refused by a node.
    pub refused: u64,
    /// Seen in a settled block.
    pub settled: u64,
    /// Sent, and neither refused nor settled yet.
    pub outstanding: usize,
    /// Height of the last settled block.
    pub height: u64,
    /// Median latency of the last second or so, in milliseconds.
    pub recent_p50_ms: f64,
}

/// Latencies in milliseconds, from due to settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half are faster.
    pub p50: f64,
    /// 90 of 100 are faster.
    pub p90: f64,
    /// 99 of 100 are faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// What came of a load.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LoadReport {
    /// How long it sent, in seconds.
    pub seconds: f64,
    /// Transactions sent.
    pub submitted: u64,
    /// Refused by a node.
    pub refused: u64,
    /// Requests that a node did not answer.
    pub unreachable: u64,
    /// Settled in the end.
    pub settled: u64,
    /// Neither refused nor settled in the end.
    pub lost: u64,
    /// Settled while it sent, per second.
    pub tps_settled: f64,
    /// From due to settled.
    pub latency_ms: Percentiles,
    /// The first few refusals in words.
    pub reasons: Vec<String>,
}

/// Counters of all tasks of a load.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) stop: AtomicBool,
    submitted: AtomicU64,
    refused: AtomicU64,
    unreachable: AtomicU64,
    settled: AtomicU64,
    head: AtomicU64,
    pending: Mutex<HashMap<Hash, Instant>>,
    latencies_us: Mutex<Vec<u32>>,
    reasons: Mutex<Vec<String>>,
}

impl Shared {
    pub(super) fn submitted(&self, hash: Hash, due: Instant) {
        self.submitted.fetch_add(1, Ordering::Relaxed);
        lock(&self.pending).insert(hash, due);
    }

    pub(super) fn refused(&self, hash: &Hash, reason: &str) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        lock(&self.pending).remove(hash);
        self.note(reason);
    }

    pub(super) fn unreachable(&self, reason: &str) {
        self.unreachable.fetch_add(1, Ordering::Relaxed);
        self.note(reason);
    }

    fn note(&self, reason: &str) {
        let mut reasons = lock(&self.reasons);
        if reasons.len() < REASONS_MAX {
            reasons.push(reason.to_owned());
        }
    }

    pub(super) fn settled(&self, hash: &Hash, now: Instant) {
        if let Some(due) = lock(&self.pending).remove(hash) {
            self.settled.fetch_add(1, Ordering::Relaxed);
            let latency = u32::try_from(now.saturating_duration_since(due).as_micros()).unwrap_or(u32::MAX);
            lock(&self.latencies_us).push(latency);
        }
    }

    pub(super) fn head(&self, height: u64) {
        self.head.fetch_max(height, Ordering::Relaxed);
    }

    pub(super) fn outstanding(&self) -> usize {
        lock(&self.pending).len()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let recent: Vec<u32> = {
            let all = lock(&self.latencies_us);
            all[all.len().saturating_sub(1_000)..].to_vec()
        };
        Snapshot {
            submitted: self.submitted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            settled: self.settled.load(Ordering::Relaxed),
            outstanding: self.outstanding(),
            height: self.head.load(Ordering::Relaxed),
            recent_p50_ms: percentiles(recent).p50,
        }
    }

    /// The sum of it; `window` is how long it sent.
    pub(super) fn report(&self, window: Duration, settled_in_window: u64) -> LoadReport {
        let snapshot = self.snapshot();
        let seconds = window.as_secs_f64();
        LoadReport {
            seconds,
            submitted: snapshot.submitted,
            refused: snapshot.refused,
            unreachable: self.unreachable.load(Ordering::Relaxed),
            settled: snapshot.settled,
            lost: snapshot.outstanding as u64,
            tps_settled: if seconds > 0.0 { settled_in_window as f64 / seconds } else { 0.0 },
            latency_ms: percentiles(lock(&self.latencies_us).clone()),
            reasons: lock(&self.reasons).clone(),
        }
    }
}

/// A panic in another task leaves plain counters behind: go on with them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn percentiles(mut us: Vec<u32>) -> Percentiles {
    us.sort_unstable();
    let at = |part: f64| {
        let rank = (us.len() as f64 * part).ceil() as usize;
        us.get(rank.saturating_sub(1)).map_or(0.0, |us| f64::from(*us) / 1_000.0)
    };
    Percentiles { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        assert_eq!(percentiles(Vec::new()), Percentiles::default());
        let hundred = percentiles((1..=100u32).rev().map(|ms| ms * 1_000).collect());
        assert_eq!(hundred, Percentiles { p50: 50.0, p90: 90.0, p99: 99.0, max: 100.0 });
        assert_eq!(percentiles(vec![7_000]).p99, 7.0);
    }

    #[test]
    fn each_transaction_counts_once() {
        let shared = Shared::default();
        let now = Instant::now();
        let hash = |n: u8| Hash::repeat_byte(n);
        (0..4).for_each(|n| shared.submitted(hash(n), now));
        shared.refused(&hash(0), "no");
        shared.settled(&hash(1), now + Duration::from_millis(3));
        shared.settled(&hash(1), now + Duration::from_millis(9));
        shared.settled(&hash(9), now);
        let report = shared.report(Duration::from_secs(2), 1);
        assert_eq!((report.submitted, report.refused, report.settled, report.lost), (4, 1, 1, 2));
        assert_eq!((report.tps_settled, report.latency_ms.max), (0.5, 3.0));
        assert_eq!(report.reasons, ["no"]);
    }
}
