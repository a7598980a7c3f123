//! What a command found, over all its seeds.

use crate::runner::Outcome;
use crate::trace::Trace;
use serde::Serialize;

/// A seed that broke an invariant.
#[derive(Clone, Debug, Serialize)]
struct Failure {
    seed: u64,
    invariant: String,
    detail: String,
    replay: String,
}

/// The last line of a command.
#[derive(Default)]
pub struct Summary {
    seeds: u64,
    failures: Vec<Failure>,
    settled_min: Option<u64>,
    settled_total: u64,
    first_settlement_max_ms: u64,
    gap_max_ms: u64,
    set_changes: u64,
    trace: Trace,
}

impl Summary {
    /// Adds a seed.
    pub fn add(&mut self, seed: u64, outcome: Outcome, replay: String) {
        self.seeds += 1;
        self.settled_min = Some(self.settled_min.map_or(outcome.settled_min, |min| min.min(outcome.settled_min)));
        self.settled_total += outcome.settled_min;
        self.first_settlement_max_ms = self.first_settlement_max_ms.max(outcome.first_settlement_ms);
        self.gap_max_ms = self.gap_max_ms.max(outcome.gap_max_ms);
        self.set_changes += outcome.set_changes;
        self.trace.fold_hash(&outcome.trace);
        if let Some(violation) = outcome.violation {
            let (invariant, detail) = (violation.invariant.to_owned(), violation.detail);
            self.failures.push(Failure { seed, invariant, detail, replay });
        }
    }

    /// True if nothing was broken.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }

    /// One JSON object on one line.
    pub fn to_json(&self) -> String {
        serde_json::json!({
            "seeds": self.seeds,
            "violations": self.failures,
            "settled_min": self.settled_min.unwrap_or(0),
            "trace_hash": self.trace.finish().to_string(),
            "settled_total": self.settled_total,
            "first_settlement_max_ms": self.first_settlement_max_ms,
            "gap_max_ms": self.gap_max_ms,
            "set_changes": self.set_changes,
        })
        .to_string()
    }

    /// The same for people.
    pub fn to_text(&self) -> String {
        format!(
            "{} seeds, {} violations; fewest settled blocks {}, {} set changes; after GST first settlement within {} ms, \
             longest gap {} ms; trace {}",
            self.seeds,
            self.failures.len(),
            self.settled_min.unwrap_or(0),
            self.set_changes,
            self.first_settlement_max_ms,
            self.gap_max_ms,
            self.trace.finish()
        )
    }
}
