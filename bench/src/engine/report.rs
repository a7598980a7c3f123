//! The report of a run, as Markdown and as one HTML page.

mod bounds;
mod card_goals;
mod cards;
mod chart;
mod document;
mod goals;
mod html;
mod markdown;

pub(super) use html::html;
pub(super) use markdown::markdown;

use super::cards::is_card;
use super::plan::POOL;
use super::row::{Record, Row};
use chart::{Chart, Series};
use document::{Block, Table};
use std::collections::{BTreeMap, BTreeSet};

/// The sections, in order.
pub(super) fn report(record: &Record) -> Vec<Block> {
    let mut blocks = vec![Block::Title(format!("vigil-bench engine, {}", record.commit)), Block::Table(about(record))];
    blocks.push(Block::Text(METHOD.into()));
    blocks.push(Block::Heading("What must be shown".into()));
    let (of_cards, rows): (Vec<Row>, Vec<Row>) = record.rows.iter().cloned().partition(|row| is_card(&row.backend));
    blocks.push(Block::Table(goals::table(&rows)));
    blocks.push(Block::Heading("What a call may take".into()));
    blocks.push(Block::Table(goals::limits(&rows)));
    blocks.push(Block::Heading("Where we lose".into()));
    blocks.push(losses(&rows));
    blocks.push(Block::Heading("What bad items cost".into()));
    blocks.push(Block::Table(goals::bad_items(&rows)));
    if !of_cards.is_empty() {
        blocks.extend(cards::section(record, &of_cards));
    }
    for op in distinct(rows.iter().map(|r| r.op.as_str())) {
        for on in distinct(rows.iter().filter(|r| r.op == op).map(on)) {
            let rows: Vec<&Row> = rows.iter().filter(|r| r.op == op && self::on(r) == on).collect();
            blocks.extend(section(op, &on, &rows));
        }
    }
    blocks
}

/// On what it was measured, in words.
fn on(row: &Row) -> String {
    match row.threads {
        workers if row.backend == POOL => format!("one engine of {workers} workers, called by one thread, wall clock"),
        1 => "one core".into(),
        threads => format!("{threads} cores"),
    }
}

const METHOD: &str = "Every side worked on the same items in the same process, in alternating rounds; a figure is the median of the rounds. \
    One thread is pinned to one core; with more threads each has a core and items of its own, and what they do in a second adds up. \
    Every answer was compared with the known one in every round. Times include parsing, hashing and the verdict. \
    A ratio above 1 means that ours is faster. Peers work item by item, so in large batches they are timed on a window that moves \
    from round to round. Bad items are spread evenly at random places; libsecp256k1 is built as its crate builds it (C, no assembly by hand), \
    k256 0.13 verifies again what it has recovered. Backends below avx512ifma are what a machine without AVX-512 runs. \
    The backend engine is the engine as callers use it, calibrated, with one worker a thread; engine-pool is one engine with all its \
    workers, whose peers work on as many threads. The cases signers-* of verify_known ask for signers by address, as the node does. \
    A case of trie is the hashing of what has changed, with all nodes in memory; what alloy-trie was linked with stands behind its name.";

/// In the order of first appearance.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    items.for_each(|item| {
        if !found.contains(&item) {
            found.push(item);
        }
    });
    found
}

fn about(record: &Record) -> Table {
    let machine = &record.machine;
    let appended: usize = record.appended.iter().map(|run| run.rows).sum();
    let own = &record.rows[..record.rows.len().saturating_sub(appended)];
    let rounds = own.iter().map(|r| r.rounds).max().unwrap_or(0);
    let join = |peers: &BTreeMap<String, String>| {
        peers.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", ")
    };
    let smt = if machine.smt.is_empty() { "not known" } else { &machine.smt };
    let mut pairs = vec![
        (
            "machine",
            format!(
                "{}, {} cores (SMT {}), {} MiB, Linux {}",
                machine.cpu, machine.cores, smt, machine.memory_mib, machine.kernel
            ),
        ),
        ("features", record.features.join(" ")),
        ("date", record.date.clone()),
        ("command", record.command.clone()),
        ("peers", join(&record.peers)),
        ("rounds", format!("{rounds}, fewer of the largest batches; seed {}", record.seed)),
    ];
    pairs.extend(machine.cards.iter().map(|card| ("card", card.clone())));
    for run in &record.appended {
        pairs
            .push(("last rows", format!("{} of {}, {}; peers: {}", run.rows, run.command, run.date, join(&run.peers))));
    }
    let rows = pairs.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    Table { head: vec!["".into(), "".into()], rows, texts: 2 }
}

/// Who is faster than us, in which cases and batch sizes, on any number of cores, and how bad it gets.
fn losses(rows: &[Row]) -> Block {
    let mut groups: BTreeMap<[&str; 3], Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|r| !r.peer.is_empty() && r.ratio < 1.0) {
        groups.entry([&row.op, &row.backend, &row.peer]).or_default().push(row);
    }
    if groups.is_empty() {
        return Block::Text("Nowhere in this run.".into());
    }
    let line = |(texts, rows): ([&str; 3], Vec<&Row>)| {
        let sizes = |case| {
            let sizes: BTreeSet<usize> = rows.iter().filter(|r| r.case == case).map(|r| r.n).collect();
            sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
        };
        let cases = distinct(rows.iter().map(|r| r.case.as_str()));
        let cases: Vec<_> = cases.into_iter().map(|case| format!("{case}: {}", sizes(case))).collect();
        let worst = rows.iter().map(|r| r.ratio).fold(f64::INFINITY, f64::min);
        texts.map(str::to_owned).into_iter().chain([cases.join("; "), format!("{worst:.2}")]).collect()
    };
    let head = ["operation", "backend", "faster", "case: batch sizes", "worst ratio"].map(str::to_owned);
    Block::Table(Table { head: head.to_vec(), rows: groups.into_iter().map(line).collect(), texts: 4 })
}

fn section(op: &str, on: &str, rows: &[&Row]) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(format!("{op}, {on}"))];
    let peers = distinct(rows.iter().map(|r| r.peer.as_str()));
    let sizes = distinct(rows.iter().map(|r| r.n)).len();
    if let Some(peer) = peers.iter().find(|peer| !peer.is_empty() && sizes > 1) {
        blocks.push(Block::Charts(charts(rows, peer)));
    }
    for peer in peers.iter().filter(|peer| !peer.is_empty()) {
        let of_peer = rows.iter().filter(|r| r.peer == **peer);
        let cells = of_peer.map(|r| ((r.case.as_str(), r.backend.as_str()), r.n, format!("{:.2}", r.ratio)));
        blocks.push(Block::Text(format!("Times as fast as {peer}, by batch size:")));
        blocks.push(Block::Table(by_size(cells)));
    }
    let ours = rows.iter().map(|r| ((r.case.as_str(), r.backend.as_str()), r.n, nanoseconds(r.ns_per_item)));
    let theirs = rows.iter().filter(|r| !r.peer.is_empty());
    let theirs = theirs.map(|r| ((r.case.as_str(), r.peer.as_str()), r.n, nanoseconds(r.peer_ns_per_item)));
    blocks.push(Block::Text("Nanoseconds an item, by batch size:".into()));
    blocks.push(Block::Table(by_size(ours.chain(theirs))));
    blocks
}

fn nanoseconds(ns: f64) -> String {
    if ns < 100.0 { format!("{ns:.1}") } else { format!("{ns:.0}") }
}

/// One line a case and side, one column a batch size.
fn by_size<'a>(cells: impl Iterator<Item = ((&'a str, &'a str), usize, String)>) -> Table {
    let cells: Vec<_> = cells.collect();
    let sizes: BTreeSet<usize> = cells.iter().map(|(_, n, _)| *n).collect();
    let line = |(case, side): (&str, &str)| {
        let at = |n: &usize| cells.iter().find(|(line, size, _)| *line == (case, side) && size == n);
        let figures = sizes.iter().map(|n| at(n).map(|(.., cell)| cell.clone()).unwrap_or_default());
        [case.to_owned(), side.to_owned()].into_iter().chain(figures).collect()
    };
    let lines = distinct(cells.iter().map(|(line, ..)| *line));
    let head = ["case".to_owned(), "side".to_owned()].into_iter().chain(sizes.iter().map(usize::to_string)).collect();
    Table { head, rows: lines.into_iter().map(line).collect(), texts: 2 }
}

/// One a case: ratio to `peer` over batch size, a line a backend.
fn charts(rows: &[&Row], peer: &str) -> Vec<Chart> {
    let chart = |case: &str| {
        let series = |backend: &str| Series {
            name: backend.to_owned(),
            points: rows
                .iter()
                .filter(|r| r.case == case && r.peer == peer && r.backend == backend)
                .map(|r| (r.n, r.ratio))
                .collect(),
        };
        let backends = distinct(rows.iter().map(|r| r.backend.as_str()));
        Chart { title: format!("{case} against {peer}"), series: backends.into_iter().map(series).collect() }
    };
    distinct(rows.iter().map(|r| r.case.as_str())).into_iter().map(chart).collect()
}

#[cfg(test)]
mod tests;
