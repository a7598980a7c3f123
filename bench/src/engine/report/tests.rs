//! A report of fixed rows.

use super::*;
use crate::machine::Machine;

/// Two backends and two peers on one case, one of them losing at n = 1.
fn record() -> Record {
    let row = |backend: &str, n: usize, ns: f64, peer: &str, peer_ns: f64| {
        format!(
            r#"{{"op":"recover","case":"cold","backend":"{backend}","threads":1,"n":{n},"ns_per_item":{ns},"items_per_s":{},
            "peer":"{peer}","peer_ns_per_item":{peer_ns},"ratio":{},"min_ns_per_item":{ns},"peer_min_ns_per_item":{peer_ns},"clock":"cpu","rounds":31}}"#,
            1e9 / ns,
            peer_ns / ns
        )
    };
    let rows = [
        row("portable", 1, 40_000.0, "libsecp256k1", 28_000.0),
        row("portable", 1, 40_000.0, "k256", 150_000.0),
        row("portable", 4096, 20_000.0, "libsecp256k1", 28_000.0),
        row("portable", 4096, 20_000.0, "k256", 150_000.0),
        row("avx512ifma", 4096, 2_500.0, "libsecp256k1", 28_000.0),
        row("avx512ifma", 4096, 2_500.0, "k256", 150_000.0),
    ];
    let text = format!(
        r#"{{"machine":{{"cpu":"A & B <x>","cores":2,"memory_mib":1,"kernel":"6","smt":"off"}},"commit":"abc","command":"vigil-bench engine",
        "date":"2026-11-21T00:00:00Z","features":["avx2"],"peers":{{"k256":"0.13.4"}},"seed":1,"rows":[{}]}}"#,
        rows.join(",")
    );
    serde_json::from_str(&text).expect("a record")
}

#[test]
fn markdown_holds_the_figures_and_the_losses() {
    let text = markdown(&report(&record()));
    for line in [
        "# vigil-bench engine, abc",
        "| machine | A & B <x>, 2 cores (SMT off), 1 MiB, Linux 6 |",
        "| recover, n >= 4096 | libsecp256k1 | avx512ifma | reached | 4096 | 9x | 14x | 11.20x |",
        "| recover | portable | libsecp256k1 | cold: 1 | 0.70 |",
        "| case | side | 1 | 4096 |",
        "| cold | avx512ifma |  | 11.20 |",
        "| cold | libsecp256k1 | 28000 | 28000 |",
    ] {
        assert!(text.lines().any(|l| l == line), "no line {line:?} in\n{text}");
    }
}

#[test]
fn html_is_well_formed_and_needs_nothing_else() {
    let page = html(&report(&record()));
    well_formed(&page);
    for outside in ["http:", "https:", "//", "<script", "<link", "<img", "@import", "url("] {
        assert!(!page.contains(outside), "the page holds {outside:?}");
    }
    assert!(page.contains("A &amp; B &lt;x&gt;"));
    assert!(page.contains("prefers-color-scheme: dark"));
    assert_eq!(page.matches("<svg").count(), 1, "one case, one chart");
    assert_eq!(page.matches("<polyline").count(), 2, "a line a backend");
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn rows_of_another_run_say_where_they_come_from() {
    let (mut all, mut other) = (record(), record());
    other.peers.insert("alloy-primitives hashes with".into(), "tiny-keccak".into());
    other.rows.truncate(1);
    other.rows[0].rounds = 99;
    all.append(other).expect("the same commit and machine");
    assert_eq!(all.rows.len(), 7);
    let line = "| last rows | 1 of vigil-bench engine, 2026-11-21T00:00:00Z; peers: alloy-primitives hashes with tiny-keccak, k256 0.13.4 |";
    let text = markdown(&report(&all));
    assert!(text.lines().any(|l| l == line), "no line {line:?} in\n{text}");
    assert!(!text.contains("| rounds | 99"), "those of the other run");
    assert!(all.append(Record { commit: "def".into(), ..record() }).is_err());
    let of_cards = |cards: &[&str]| {
        let cards = cards.iter().map(|card| (*card).to_owned()).collect();
        Record { machine: Machine { cards, ..record().machine }, ..record() }
    };
    let mut all = of_cards(&["cuda: a"]);
    all.append(of_cards(&["cuda: a", "wgpu: b"])).expect("the same machine");
    assert_eq!(all.machine.cards, ["cuda: a", "wgpu: b"]);
    let on_another = Record { machine: Machine { smt: "on".into(), ..record().machine }, ..record() };
    assert!(all.append(on_another).is_err());
}

#[test]
fn an_engine_with_all_workers_has_a_section_of_its_own() {
    let mut all = record();
    let pool = |row: &Row| Row { backend: POOL.into(), threads: 2, n: 65_536, clock: "wall".into(), ..row.clone() };
    let cores = |row: &Row| Row { threads: 2, ..row.clone() };
    all.rows.extend([pool(&all.rows[0]), cores(&all.rows[1])]);
    let blocks = report(&all);
    let headings: Vec<_> =
        blocks.iter().filter_map(|b| if let Block::Heading(h) = b { Some(h.as_str()) } else { None }).collect();
    let on = ["one core", "one engine of 2 workers, called by one thread, wall clock", "2 cores"];
    assert_eq!(headings[4..], on.map(|on| format!("recover, {on}")));
}

#[test]
fn nothing_measured_is_a_report_too() {
    let page = html(&report(&Record { rows: Vec::new(), ..record() }));
    well_formed(&page);
    assert!(page.contains("Nowhere in this run."));
}

/// Every element is closed in order; attributes are quoted.
fn well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a page");
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a closed tag");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap_or_default());
        }
    }
    assert!(open.is_empty(), "open at the end: {open:?}");
}
