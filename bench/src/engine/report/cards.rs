//! What graphics cards did.

use super::super::row::{Record, Row};
use super::document::{Block, Table};

/// Rows and crossovers of cards.
pub(super) fn section(record: &Record, rows: &[Row]) -> Vec<Block> {
    vec![
        Block::Heading("Graphics cards".into()),
        Block::Text(METHOD.into()),
        Block::Table(table(rows)),
        Block::Heading("From which batch size a card is faster".into()),
        Block::Table(crossovers(record)),
    ]
}

const METHOD: &str = "On the wall clock. The cases named resident are kernels on rows that stay on the card; all others begin and end in host memory, \
    with every answer checked as the node checks it. Beside them: cpu-pool, an engine with all workers of the processor and no card, or the fastest backend \
    of the processor on one thread where an engine uses one. The limit is that of the card's multipliers alone (PERFORMANCE.md §3a) at the rate of imad-wide.";

fn table(rows: &[Row]) -> Table {
    let head = ["operation", "case", "by", "against", "n", "items/s", "times as fast", "limit/s", "share"];
    let line = |row: &Row| {
        let limit = row.model_limit_per_s.map(|limit| format!("{limit:.0}")).unwrap_or_default();
        let share = row.share_of_limit.map(|share| format!("{:.1} %", share * 100.0)).unwrap_or_default();
        let ratio = if row.peer.is_empty() { String::new() } else { format!("{:.2}", row.ratio) };
        let texts = [&row.op, &row.case, &row.backend, &row.peer].map(Clone::clone);
        let numbers = [row.n.to_string(), format!("{:.0}", row.items_per_s), ratio, limit, share];
        texts.into_iter().chain(numbers).collect()
    };
    Table { head: head.map(str::to_owned).to_vec(), rows: rows.iter().map(line).collect(), texts: 4 }
}

fn crossovers(record: &Record) -> Table {
    let head = ["operation", "case", "card", "against", "from n"].map(str::to_owned).to_vec();
    let rows = record.crossover.iter().map(|found| {
        let from = found.from.map_or("never".to_owned(), |from| from.to_string());
        [&found.op, &found.case, &found.backend, &found.peer, &from].map(Clone::clone).to_vec()
    });
    Table { head, rows: rows.collect(), texts: 4 }
}
