//! What a node did between two readings of its metrics.

use super::page::Sample;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ITEMS: &str = "vigil_accel_items_total";
const SECONDS: &str = "vigil_accel_seconds_sum";
const CALLS: &str = "vigil_accel_seconds_count";
const UP: &str = "vigil_accel_gpu_up";
const FAULTS: &str = "vigil_accel_gpu_faults_total";
/// What every node's metrics begin with.
const OURS: &str = "vigil_";

/// Backend and operation.
type Work = (String, String);

/// One reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// Items, seconds and calls so far.
    work: BTreeMap<Work, [f64; 3]>,
    /// Whether a card is used, and its faults so far, by name.
    cards: BTreeMap<String, (Option<bool>, f64)>,
}

impl Reading {
    /// `None` if no line is a node's. An engine that has done nothing yet tells nothing of itself.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        if !samples.iter().any(|sample| sample.name.starts_with(OURS)) {
            return None;
        }
        let mut reading = Self::default();
        for sample in samples {
            let work = || (sample.label("backend").to_owned(), sample.label("op").to_owned());
            let card = || sample.label("card").to_owned();
            match sample.name.as_str() {
                ITEMS => reading.work.entry(work()).or_default()[0] = sample.value,
                SECONDS => reading.work.entry(work()).or_default()[1] = sample.value,
                CALLS => reading.work.entry(work()).or_default()[2] = sample.value,
                UP => reading.cards.entry(card()).or_default().0 = Some(sample.value > 0.0),
                FAULTS => reading.cards.entry(card()).or_default().1 = sample.value,
                _ => {}
            }
        }
        Some(reading)
    }
}

/// What a backend did for an operation, a second.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rate {
    backend: String,
    op: String,
    items: f64,
    calls: f64,
    /// Seconds in calls: above 1 with several threads.
    busy: f64,
}

/// Both.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rates {
    seconds: f64,
    work: Vec<Rate>,
    cards: BTreeMap<String, (Option<bool>, f64)>,
}

impl Rates {
    /// Between two readings `seconds` apart. A count that went back is that of a node that was started again.
    pub(super) fn between(before: &Reading, after: &Reading, seconds: f64) -> Self {
        let rate = |(key, now): (&Work, &[f64; 3])| {
            let then = before.work.get(key).copied().unwrap_or_default();
            let [items, busy, calls] = [0, 1, 2].map(|at| match now[at] - then[at] {
                grown if grown >= 0.0 => grown / seconds,
                _ => now[at] / seconds,
            });
            let (backend, op) = key.clone();
            Rate { backend, op, items, calls, busy }
        };
        Self { seconds, work: after.work.iter().map(rate).collect(), cards: after.cards.clone() }
    }

    /// Two tables.
    pub(super) fn in_words(&self) -> String {
        let mut text = format!(
            "{:<12}{:<16}{:>13}{:>12}{:>13}{:>9}\n",
            "backend", "operation", "items/s", "batches/s", "items/batch", "busy"
        );
        for Rate { backend, op, items, calls, busy } in &self.work {
            let busy = format!("{:.1} %", busy * 100.0);
            let batch = self.batch(*items, *calls).map_or("-".to_owned(), |items| format!("{items:.1}"));
            text += &format!("{backend:<12}{op:<16}{items:>13.0}{calls:>12.1}{batch:>13}{busy:>9}\n");
        }
        if self.work.is_empty() {
            text += "nothing was done since this node started\n";
        }
        text += &format!("over {:.1} s; busy: of one thread's time, above 100 % with several\n", self.seconds);
        for (name, (up, faults)) in &self.cards {
            let state = match up {
                Some(true) => "in use",
                Some(false) => "NOT USED, the processor does its work",
                None => "not known",
            };
            text += &format!("card {name}: {state}; faults {faults}\n");
        }
        if self.cards.is_empty() {
            text += "this node uses no graphics card\n";
        }
        text
    }

    fn batch(&self, items: f64, calls: f64) -> Option<f64> {
        Some(items / calls).filter(|_| calls > 0.0)
    }

    pub(super) fn as_json(&self) -> Value {
        let work = self.work.iter().map(|Rate { backend, op, items, calls, busy }| {
            let batch = self.batch(*items, *calls);
            json!({ "backend": backend, "op": op, "items_per_s": items, "batches_per_s": calls, "items_per_batch": batch, "busy": busy })
        });
        let card =
            |(name, (up, faults)): (&String, &(Option<bool>, f64))| json!({ "name": name, "up": up, "faults": faults });
        let (work, cards): (Vec<_>, Vec<_>) = (work.collect(), self.cards.iter().map(card).collect());
        json!({ "seconds": self.seconds, "operations": work, "cards": cards })
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::samples;
    use super::*;

    fn reading(page: &str) -> Reading {
        Reading::of(&samples(page)).expect("a node's")
    }

    fn page(items: u32, seconds: f64, calls: u32, more: &str) -> String {
        let labels = "{op=\"recover\",backend=\"cuda\"}";
        format!(
            "vigil_accel_items_total{labels} {items}\nvigil_accel_seconds_sum{labels} {seconds}\n\
             vigil_accel_seconds_count{labels} {calls}\n{more}"
        )
    }

    #[test]
    fn rates_are_differences_over_time() {
        let card = "vigil_accel_gpu_up{card=\"H\"} 0\nvigil_accel_gpu_faults_total{card=\"H\"} 3\n";
        let (before, after) = (reading(&page(1_000, 1.5, 10, "")), reading(&page(9_000, 2.5, 14, card)));
        let rates = Rates::between(&before, &after, 2.0);
        let work = Rate { backend: "cuda".into(), op: "recover".into(), items: 4_000.0, calls: 2.0, busy: 0.5 };
        assert_eq!(rates.work, [work]);
        let text = rates.in_words();
        let row: Vec<&str> = text.lines().nth(1).expect("a row").split_whitespace().collect();
        assert_eq!(row, ["cuda", "recover", "4000", "2.0", "2000.0", "50.0", "%"]);
        assert!(text.contains("card H: NOT USED, the processor does its work; faults 3\n"), "{text}");
        let value = rates.as_json();
        assert_eq!(value["operations"][0]["items_per_batch"], 2000.0);
        assert_eq!(value["cards"][0], json!({ "name": "H", "up": false, "faults": 3.0 }));
    }

    #[test]
    fn a_node_that_was_started_again_counts_from_nothing() {
        let rates = Rates::between(&reading(&page(1_000, 1.5, 10, "")), &reading(&page(50, 0.25, 5, "")), 1.0);
        assert_eq!((rates.work[0].items, rates.work[0].calls, rates.work[0].busy), (50.0, 5.0, 0.25));
    }

    #[test]
    fn an_idle_node_is_told_from_a_strange_page() {
        let idle = reading("vigil_peers 3\n");
        let text = Rates::between(&idle, &idle, 1.0).in_words();
        assert!(text.contains("nothing was done") && text.contains("no graphics card"), "{text}");
        assert_eq!(Reading::of(&samples("up 1\n<html>")), None);
        let same = reading(&page(7, 0.5, 7, ""));
        assert!(Rates::between(&same, &same, 1.0).in_words().lines().nth(1).expect("a row").contains("  -"));
    }
}
