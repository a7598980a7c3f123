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
    /// Of each seed, in ms.
    first_settlements: Vec<u64>,
    /// Of each seed, in ms.
    gaps: Vec<u64>,
    set_changes: u64,
    trace: Trace,
}

impl Summary {
    /// Adds a seed.
    pub fn add(&mut self, seed: u64, outcome: Outcome, replay: String) {
        self.seeds += 1;
        self.settled_min = Some(self.settled_min.map_or(outcome.settled_min, |min| min.min(outcome.settled_min)));
        self.settled_total += outcome.settled_min;
        self.first_settlements.push(outcome.first_settlement_ms);
        self.gaps.push(outcome.gap_max_ms);
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
            "first_settlement_p50_ms": quantile(&self.first_settlements, 50),
            "first_settlement_p99_ms": quantile(&self.first_settlements, 99),
            "first_settlement_max_ms": quantile(&self.first_settlements, 100),
            "gap_p99_ms": quantile(&self.gaps, 99),
            "gap_max_ms": quantile(&self.gaps, 100),
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
            quantile(&self.first_settlements, 100),
            quantile(&self.gaps, 100),
            self.trace.finish()
        )
    }
}

/// The least of `values` that `percent` of them do not exceed; 0 of none.
fn quantile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<u64> = (1..=200).rev().collect();
        assert_eq!([50, 99, 100].map(|percent| quantile(&values, percent)), [100, 198, 200]);
        assert_eq!([50, 99, 100].map(|percent| quantile(&[7], percent)), [7, 7, 7]);
        assert_eq!(quantile(&[], 99), 0);
    }
}
