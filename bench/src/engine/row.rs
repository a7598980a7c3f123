//! The recorded rows (DESIGN §5).

use super::cards::Crossover;
use super::pin::Clock;
use super::rounds::Measured;
use crate::machine::Machine;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// What one run recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) machine: Machine,
    pub(crate) commit: String,
    pub(crate) command: String,
    /// UTC.
    pub(crate) date: String,
    /// Instruction sets that the processor names and that matter here.
    pub(crate) features: Vec<String>,
    /// Crate to version of everybody compared with, and what alloy hashes with.
    pub(crate) peers: BTreeMap<String, String>,
    pub(crate) seed: u64,
    #[serde(serialize_with = "line_by_line")]
    pub(crate) rows: Vec<Row>,
    /// From which batch size cards are faster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) crossover: Vec<Crossover>,
    /// Where the last of the rows come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) appended: Vec<Appended>,
}

/// Each row in one line of an indented JSON text.
fn line_by_line<S: Serializer>(rows: &[Row], serializer: S) -> Result<S::Ok, S::Error> {
    let line = |row| serde_json::value::to_raw_value(row).map_err(S::Error::custom);
    let lines: Vec<_> = rows.iter().map(line).collect::<Result<_, _>>()?;
    lines.serialize(serializer)
}

/// A run whose rows stand with those of another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Appended {
    pub(crate) command: String,
    pub(crate) date: String,
    pub(crate) peers: BTreeMap<String, String>,
    /// How many.
    pub(crate) rows: usize,
}

/// Of another commit or machine: figures that do not belong together.
#[derive(Debug)]
pub(crate) struct Foreign;

impl Record {
    /// Adds the rows of another run.
    ///
    /// # Errors
    /// [`Foreign`].
    pub(crate) fn append(&mut self, other: Self) -> Result<(), Foreign> {
        let Self { machine, commit, command, date, features, peers, rows, crossover, .. } = other;
        // A run may have measured other cards of the same machine.
        let (cards, machine) = machine.without_cards();
        if (&commit, &machine, &features) != (&self.commit, &self.machine.clone().without_cards().1, &self.features) {
            return Err(Foreign);
        }
        let new: Vec<String> = cards.into_iter().filter(|card| !self.machine.cards.contains(card)).collect();
        self.machine.cards.extend(new);
        self.crossover.extend(crossover);
        self.appended.push(Appended { command, date, peers, rows: rows.len() });
        self.rows.extend(rows);
        Ok(())
    }
}

/// One of ours against one peer; medians over the rounds, and minima.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) op: String,
    pub(crate) case: String,
    pub(crate) backend: String,
    pub(crate) threads: usize,
    /// Items a batch.
    pub(crate) n: usize,
    pub(crate) ns_per_item: f64,
    pub(crate) items_per_s: f64,
    /// Empty if there is none.
    pub(crate) peer: String,
    pub(crate) peer_ns_per_item: f64,
    /// Above 1: we are faster. 0 without a peer.
    pub(crate) ratio: f64,
    pub(crate) min_ns_per_item: f64,
    pub(crate) peer_min_ns_per_item: f64,
    /// `cpu`: of the threads; `wall`.
    pub(crate) clock: String,
    /// How many the medians are of.
    pub(crate) rounds: usize,
    /// Items a second if a card's multipliers did nothing else (PERFORMANCE.md §3a, with their measured rate).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model_limit_per_s: Option<f64>,
    /// Of that limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) share_of_limit: Option<f64>,
}

impl Row {
    /// Of a kernel alone, `rate` times a second.
    pub(crate) fn of_kernel(op: &str, case: &str, backend: &str, n: usize, rate: f64) -> Self {
        let ns = 1e9 / rate;
        Self {
            op: op.to_owned(),
            case: case.to_owned(),
            backend: backend.to_owned(),
            threads: 1,
            n,
            ns_per_item: ns,
            items_per_s: rate.round(),
            peer: String::new(),
            peer_ns_per_item: 0.0,
            ratio: 0.0,
            min_ns_per_item: ns,
            peer_min_ns_per_item: 0.0,
            clock: Clock::Wall.as_str().to_owned(),
            rounds: 1,
            model_limit_per_s: None,
            share_of_limit: None,
        }
    }
}

/// Every backend against every peer on the same case and size; one row without a peer where there is none.
pub(crate) fn rows(op: &str, threads: usize, clock: Clock, measured: &[Measured]) -> Vec<Row> {
    let mut rows = Vec::new();
    for ours in measured.iter().filter(|m| !m.is_peer) {
        let against = |m: &&Measured| m.is_peer && m.case == ours.case && m.n == ours.n;
        let row = |peer: Option<&Measured>| row(op, threads, clock, ours, peer);
        let before = rows.len();
        rows.extend(measured.iter().filter(against).map(|peer| row(Some(peer))));
        if rows.len() == before {
            rows.push(row(None));
        }
    }
    rows
}

fn row(op: &str, threads: usize, clock: Clock, ours: &Measured, peer: Option<&Measured>) -> Row {
    let ns_per_item = round(median(&ours.rounds));
    let peer_ns_per_item = peer.map_or(0.0, |p| round(median(&p.rounds)));
    Row {
        op: op.to_owned(),
        case: ours.case.to_owned(),
        backend: ours.side.to_owned(),
        threads,
        n: ours.n,
        ns_per_item,
        items_per_s: (1e9 / ns_per_item).round(),
        peer: peer.map_or(String::new(), |p| p.side.to_owned()),
        peer_ns_per_item,
        ratio: (peer_ns_per_item / ns_per_item * 1000.0).round() / 1000.0,
        min_ns_per_item: round(minimum(&ours.rounds)),
        peer_min_ns_per_item: peer.map_or(0.0, |p| round(minimum(&p.rounds))),
        clock: clock.as_str().to_owned(),
        rounds: ours.rounds.len(),
        model_limit_per_s: None,
        share_of_limit: None,
    }
}

/// The middle one; the upper of two.
fn median(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn minimum(rounds: &[f64]) -> f64 {
    rounds.iter().copied().fold(f64::NAN, f64::min)
}

/// To hundredths.
fn round(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_for_each_backend_and_peer() {
        let measured =
            |side, is_peer, rounds: &[f64]| Measured { case: "cold", n: 8, side, is_peer, rounds: rounds.to_vec() };
        let all = [
            measured("portable", false, &[9.0, 10.0, 30.0]),
            measured("avx512ifma", false, &[2.0, 2.0, 2.0]),
            measured("libsecp256k1", true, &[20.0, 19.0, 21.0]),
            measured("k256", true, &[40.0, 40.0, 40.0]),
        ];
        let rows = rows("recover", 1, Clock::Cpu, &all);
        let brief: Vec<_> = rows.iter().map(|r| (r.backend.as_str(), r.peer.as_str(), r.ratio)).collect();
        let expected = [
            ("portable", "libsecp256k1", 2.0),
            ("portable", "k256", 4.0),
            ("avx512ifma", "libsecp256k1", 10.0),
            ("avx512ifma", "k256", 20.0),
        ];
        assert_eq!(brief, expected);
        assert_eq!((rows[0].ns_per_item, rows[0].min_ns_per_item, rows[0].peer_min_ns_per_item), (10.0, 9.0, 19.0));
        assert_eq!(rows[0].items_per_s, 1e8);
    }

    #[test]
    fn nobody_to_compare_with_is_a_row_too() {
        let alone = [Measured { case: "n10000-k20", n: 1, side: "portable", is_peer: false, rounds: vec![5.0] }];
        let rows = rows("signer_vectors", 2, Clock::Wall, &alone);
        assert_eq!((rows.len(), rows[0].peer.as_str(), rows[0].ratio), (1, "", 0.0));
    }

    #[test]
    fn a_row_is_a_line_of_the_record() {
        let alone = [Measured { case: "n10000-k20", n: 1, side: "portable", is_peer: false, rounds: vec![5.0] }];
        let record = Record {
            machine: Machine::here(),
            commit: String::new(),
            command: String::new(),
            date: String::new(),
            features: Vec::new(),
            peers: BTreeMap::new(),
            seed: 1,
            rows: [rows("signer_vectors", 2, Clock::Wall, &alone), rows("x", 1, Clock::Cpu, &alone)].concat(),
            crossover: Vec::new(),
            appended: Vec::new(),
        };
        let text = serde_json::to_string_pretty(&record).expect("plain numbers and texts");
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("ns_per_item")).collect();
        assert!(lines.len() == 2 && lines.iter().all(|line| line.trim().starts_with('{')), "{text}");
        let again: Record = serde_json::from_str(&text).expect("our own");
        assert_eq!(serde_json::to_string_pretty(&again).expect("plain numbers and texts"), text);
    }
}
