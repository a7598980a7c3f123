//! The figures that the engine must show (issues 3 and 4), against what was measured on one core.

use super::super::row::Row;
use super::document::Table;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use vigil_accel::BackendName;

/// Which of our backends a figure is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The fastest that the machine has.
    Fastest,
    /// The fastest without AVX-512.
    NoAvx512,
    /// The engine as callers use it.
    Engine,
}

struct Goal {
    figure: &'static str,
    op: &'static str,
    cases: &'static [&'static str],
    peer: &'static str,
    of: Of,
    /// Batch sizes that count; the worst ratio among them is the figure.
    n: RangeInclusive<usize>,
    must: f64,
    aim: f64,
}

const LARGE: RangeInclusive<usize> = 4096..=usize::MAX;
const TRIE: &[&str] = &["dirty-trie-10000-in-1000000"];
const SHORT: &[&str] = &["len-32", "len-64", "len-100", "len-135"];

const fn goal(
    figure: &'static str,
    op: &'static str,
    cases: &'static [&'static str],
    peer: &'static str,
    (must, aim): (f64, f64),
) -> Goal {
    Goal { figure, op, cases, peer, of: Of::Fastest, n: LARGE, must, aim }
}

const GOALS: [Goal; 17] = [
    goal("recover, n >= 4096", "recover", &["cold"], "libsecp256k1", (9.0, 14.0)),
    goal("verify_known, hot payer", "verify_known", &["hot-payer"], "libsecp256k1", (25.0, 45.0)),
    goal("verify_known, one payer", "verify_known", &["one-payer"], "libsecp256k1", (25.0, 50.0)).at(16384..=16384),
    goal("verify_known, distinct payers", "verify_known", &["distinct-payers"], "libsecp256k1", (15.0, 26.0))
        .at(16384..=16384),
    goal("recover without AVX-512", "recover", &["cold"], "libsecp256k1", (1.4, 2.0)).by(Of::NoAvx512),
    goal("hot payer without AVX-512", "verify_known", &["hot-payer"], "libsecp256k1", (5.0, 9.0)).by(Of::NoAvx512),
    goal("keccak256, 32 to 135 bytes", "keccak256", SHORT, "keccak-asm", (6.5, 9.0)),
    goal("keccak256, 32 to 135 bytes", "keccak256", SHORT, "tiny-keccak", (8.0, 14.0)),
    goal("keccak256, 32 to 135 bytes", "keccak256", SHORT, "p3-keccak", (1.0, 1.3)),
    goal("rehash of a dirty trie", "trie", TRIE, "alloy-trie (tiny-keccak)", (8.0, 15.0)),
    goal("rehash of a dirty trie", "trie", TRIE, "alloy-trie (keccak-asm)", (5.0, 9.0)),
    goal("recover as callers ask, n = 1 to 3", "recover", &["cold"], "libsecp256k1", NOT_SLOWER)
        .by(Of::Engine)
        .at(1..=3),
    goal("verify_known as callers ask, n = 1 to 3", "verify_known", &["distinct-payers"], "libsecp256k1", NOT_SLOWER)
        .by(Of::Engine)
        .at(1..=3),
    goal("20 votes of 1,000, proof-of-possession", "checkpoint", &["pop-n1000-k20"], "blst", (12.0, 35.0)).at(ONE_CALL),
    goal(
        "20 votes of 1,000, proof-of-possession",
        "checkpoint",
        &["pop-n1000-vs-pairings"],
        "blst-pairings",
        (5_000.0, 5_000.0),
    )
    .at(ONE_CALL),
    goal("table of 1,000, augmented", "checkpoint", &["augmented-table-n1000"], "blst", (2.0, 4.0)).at(ONE_CALL),
    goal("20 votes of 1,000, augmented", "checkpoint", &["augmented-n1000-k20"], "blst", (80.0, 80.0)).at(ONE_CALL),
];
const ONE_CALL: RangeInclusive<usize> = 1..=1;
/// At most 10 % slower.
const NOT_SLOWER: (f64, f64) = (0.9, 1.0);

/// Cases of one call, with the most milliseconds that it may take, and the aim.
const LIMITS: [(&str, &str, f64, f64); 2] = [
    ("20 votes of 10,000, proof-of-possession", "pop-n10000-k20", 12.0, 4.0),
    ("20 votes of 1,000, augmented", "augmented-n1000-k20", 4.0, 4.0),
];

/// Most that a batch with bad items may cost, in times of one without, and the aim.
const BAD_ITEMS: [(&str, f64, f64); 3] =
    [("bad-0.1pct", 1.5, 1.1), ("bad-1pct", 3.0, 1.5), ("bad-1pct-digests", 3.0, 1.5)];

impl Goal {
    const fn at(self, n: RangeInclusive<usize>) -> Self {
        Self { n, ..self }
    }

    const fn by(self, of: Of) -> Self {
        Self { of, ..self }
    }

    /// The worst row that counts.
    fn worst<'r>(&self, rows: &'r [Row]) -> Option<&'r Row> {
        let in_question = |r: &&Row| {
            r.threads == 1 && r.op == self.op && self.cases.contains(&r.case.as_str()) && r.peer == self.peer
        };
        let rows: Vec<&Row> = rows.iter().filter(in_question).collect();
        let rank = |r: &&Row| self.of.rank(&r.backend);
        let best = rows.iter().filter_map(rank).max()?;
        let counts = |r: &&Row| rank(r) == Some(best) && self.n.contains(&r.n);
        rows.into_iter().filter(counts).min_by(|a, b| a.ratio.total_cmp(&b.ratio))
    }
}

impl Of {
    /// The backend that is meant is the one of highest rank; `None`: not this one.
    fn rank(self, backend: &str) -> Option<usize> {
        let place = BackendName::ALL.iter().position(|name| name.as_str() == backend);
        match self {
            Self::Fastest => place,
            Self::NoAvx512 => place.filter(|_| backend != BackendName::Avx512Ifma.as_str()),
            Self::Engine => (backend == "engine").then_some(0),
        }
    }
}

/// Every figure, with the batch size at which it was worst.
pub(crate) fn table(rows: &[Row]) -> Table {
    let head = ["figure", "against", "by", "verdict", "at n", "must", "aim", "measured"].map(str::to_owned);
    let lines = GOALS.iter().map(|goal| {
        let worst = goal.worst(rows);
        let text = |f: fn(&Row) -> String| worst.map(f).unwrap_or_default();
        vec![
            goal.figure.to_owned(),
            goal.peer.to_owned(),
            text(|r| r.backend.clone()),
            verdict(worst.map(|r| r.ratio), goal.must, goal.aim).to_owned(),
            text(|r| r.n.to_string()),
            format!("{}x", goal.must),
            format!("{}x", goal.aim),
            text(|r| format!("{:.2}x", r.ratio)),
        ]
    });
    Table { head: head.to_vec(), rows: lines.collect(), texts: 4 }
}

fn verdict(ratio: Option<f64>, must: f64, aim: f64) -> &'static str {
    match ratio {
        None => "not measured",
        Some(ratio) if ratio >= aim => "aim reached",
        Some(ratio) if ratio >= must => "reached",
        Some(ratio) if ratio >= 0.8 * must => "80 % of it",
        Some(_) => "missed",
    }
}

/// Time of one call by the fastest backend.
pub(crate) fn limits(rows: &[Row]) -> Table {
    let head = ["figure", "by", "verdict", "at most", "aim", "measured"].map(str::to_owned);
    let lines = LIMITS.iter().map(|(figure, case, must, aim)| {
        let of_case = rows.iter().filter(|r| r.threads == 1 && r.case == *case);
        let best = of_case.max_by_key(|r| Of::Fastest.rank(&r.backend));
        let time = best.map(|r| r.ns_per_item / 1e6);
        vec![
            (*figure).to_owned(),
            best.map(|r| r.backend.clone()).unwrap_or_default(),
            verdict(time.map(|ms| 1.0 / ms), 1.0 / must, 1.0 / aim).to_owned(),
            format!("{must} ms"),
            format!("{aim} ms"),
            time.map(|ms| format!("{ms:.2} ms")).unwrap_or_default(),
        ]
    });
    Table { head: head.to_vec(), rows: lines.collect(), texts: 3 }
}

/// Our time with bad items over our time without, large batches on one core, by backend: the worst size.
pub(crate) fn bad_items(rows: &[Row]) -> Table {
    let head = ["operation", "case", "backend", "verdict", "at n", "must", "aim", "cost"].map(str::to_owned);
    let mut costs: BTreeMap<(&str, &str, &str), (usize, f64, usize)> = BTreeMap::new();
    for bad in rows.iter().filter(|r| r.threads == 1 && LARGE.contains(&r.n)) {
        let Some(limit) = BAD_ITEMS.iter().position(|(suffix, ..)| bad.case.ends_with(suffix)) else { continue };
        let Some(clean) = rows.iter().find(|r| is_clean_twin(r, bad)) else { continue };
        let cost = bad.ns_per_item / clean.ns_per_item;
        let entry = costs.entry((&bad.op, &bad.case, &bad.backend)).or_insert((bad.n, cost, limit));
        if cost > entry.1 {
            *entry = (bad.n, cost, limit);
        }
    }
    let line = |((op, case, backend), (n, cost, limit)): (_, (usize, f64, usize))| {
        let (_, must, aim) = BAD_ITEMS[limit];
        let mut cells: Vec<String> =
            [op, case, backend, verdict(Some(1.0 / cost), 1.0 / must, 1.0 / aim)].map(str::to_owned).to_vec();
        cells.extend([n.to_string(), format!("{must}x"), format!("{aim}x"), format!("{cost:.2}x")]);
        cells
    };
    Table { head: head.to_vec(), rows: costs.into_iter().map(line).collect(), texts: 4 }
}

/// The same without bad items.
fn is_clean_twin(row: &Row, bad: &Row) -> bool {
    let clean = match (bad.op.as_str(), bad.case.split_once("-bad-")) {
        (_, Some((clean, _))) => clean,
        ("verify_known", None) => "hot-payer",
        _ => "cold",
    };
    row.case == clean && (&row.op, &row.backend, row.threads, row.n) == (&bad.op, &bad.backend, bad.threads, bad.n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(op: &str, case: &str, backend: &str, n: usize, ns: f64, ratio: f64) -> Row {
        Row {
            op: op.into(),
            case: case.into(),
            backend: backend.into(),
            threads: 1,
            n,
            ns_per_item: ns,
            items_per_s: 1e9 / ns,
            peer: "libsecp256k1".into(),
            peer_ns_per_item: ns * ratio,
            ratio,
            min_ns_per_item: ns,
            peer_min_ns_per_item: ns * ratio,
            clock: "cpu".into(),
            rounds: 31,
            model_limit_per_s: None,
            share_of_limit: None,
        }
    }

    #[test]
    fn the_worst_large_batch_of_the_fastest_backend_counts() {
        let rows = [
            row("recover", "cold", "avx512ifma", 1024, 3.0, 5.0),
            row("recover", "cold", "avx512ifma", 4096, 3.0, 12.0),
            row("recover", "cold", "avx512ifma", 65536, 3.0, 8.0),
            row("recover", "cold", "avx2", 4096, 15.0, 2.5),
        ];
        let lines = table(&rows).rows;
        let line = |figure: &str| lines.iter().find(|l| l[0] == figure).expect("in the table").clone();
        assert_eq!(line("recover, n >= 4096")[2..], ["avx512ifma", "80 % of it", "65536", "9x", "14x", "8.00x"]);
        assert_eq!(line("recover without AVX-512")[2..], ["avx2", "aim reached", "4096", "1.4x", "2x", "2.50x"]);
        assert_eq!(line("verify_known, hot payer")[3], "not measured");
    }

    #[test]
    fn a_trie_is_held_against_alloy_trie_by_what_that_hashes_with() {
        let against = |peer: &str, ratio| Row { peer: peer.into(), ..row("trie", TRIE[0], "avx2", 10_000, 1.0, ratio) };
        let rows = [against("alloy-trie (keccak-asm)", 4.0), against("alloy-trie (tiny-keccak)", 16.0)];
        let lines = table(&rows).rows;
        let brief: Vec<_> = lines.iter().filter(|l| l[0] == "rehash of a dirty trie").map(|l| &l[1..4]).collect();
        let expected =
            [["alloy-trie (tiny-keccak)", "avx2", "aim reached"], ["alloy-trie (keccak-asm)", "avx2", "80 % of it"]];
        assert_eq!(brief, expected);
    }

    #[test]
    fn a_call_may_take_so_long() {
        let row = |case, backend, ms: f64| row("checkpoint", case, backend, 1, ms * 1e6, 1.0);
        let rows = [row("pop-n10000-k20", "avx2", 14.0), row("pop-n10000-k20", "avx512ifma", 4.5)];
        let lines = limits(&rows).rows;
        assert_eq!(lines[0][1..], ["avx512ifma", "reached", "12 ms", "4 ms", "4.50 ms"]);
        assert_eq!(lines[1][1..], ["", "not measured", "4 ms", "4 ms", ""]);
        let slow = limits(&[row("augmented-n1000-k20", "portable", 4.9)]).rows;
        assert_eq!(slow[1][1..3], ["portable", "80 % of it"]);
    }

    #[test]
    fn verdicts() {
        let at = |ratio| verdict(Some(ratio), 10.0, 20.0);
        assert_eq!(
            [at(20.0), at(10.0), at(9.9), at(8.0), at(7.9)],
            ["aim reached", "reached", "80 % of it", "80 % of it", "missed"]
        );
    }

    #[test]
    fn bad_items_are_held_against_the_same_without() {
        let rows = [
            row("recover", "cold", "avx2", 4096, 10.0, 1.0),
            row("recover", "bad-1pct", "avx2", 4096, 14.0, 1.0),
            row("verify_known", "distinct-payers", "avx2", 4096, 10.0, 1.0),
            row("verify_known", "hot-payer", "avx2", 4096, 1.0, 1.0),
            row("verify_known", "distinct-payers-bad-0.1pct", "avx2", 4096, 16.0, 1.0),
            row("verify_known", "bad-0.1pct", "avx2", 4096, 1.3, 1.0),
            row("verify_known", "distinct-payers-bad-1pct-digests", "avx2", 4096, 40.0, 1.0),
        ];
        let brief: Vec<_> = bad_items(&rows).rows.iter().map(|l| [l[1].clone(), l[3].clone(), l[7].clone()]).collect();
        let expected = [
            ["bad-1pct", "aim reached", "1.40x"],
            ["bad-0.1pct", "reached", "1.30x"],
            ["distinct-payers-bad-0.1pct", "80 % of it", "1.60x"],
            ["distinct-payers-bad-1pct-digests", "missed", "4.00x"],
        ];
        assert_eq!(brief, expected.map(|line| line.map(str::to_owned)));
    }
}
