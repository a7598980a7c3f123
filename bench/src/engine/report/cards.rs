//! What graphics cards did.

use super::super::row::{Record, Row};
use super::document::{Block, Table};
use super::{bounds, card_goals};

/// Rows and crossovers of cards, and what they must show.
pub(super) fn section(record: &Record, rows: &[Row]) -> Vec<Block> {
    vec![
        Block::Heading("Graphics cards".into()),
        Block::Text(METHOD.into()),
        Block::Table(table(rows)),
        Block::Heading("From which size a card is faster".into()),
        Block::Text(SIZES.into()),
        Block::Table(crossovers(record)),
        Block::Heading("What cards must show".into()),
        Block::Text(card_goals::METHOD.into()),
        Block::Table(card_goals::table(record)),
    ]
}

const METHOD: &str = "On the wall clock. The cases named resident are kernels on rows that stay on the card; all others begin and end in host memory, \
    with every answer checked as the node checks it, and are measured with one card of each name. Beside them: cpu-pool, an engine with all workers of the processor and no card, or the fastest backend \
    of the processor on one thread where an engine uses one; engine-cards, the same engine with all cards that were measured, which divides batches as it was \
    calibrated. The limit is what the multiplications of these kernels (kernels/README.md) allow at the rate of imad-wide; for Keccak, what its other \
    instructions allow at twice that rate. What bounds a figure is worked out from these rows: the kernels, if alone they take 70 % of the time or more; \
    launches, if a batch takes twice as long an item as larger ones; copies, if at 55 GB/s they take half of the time; else the threads of the host that pack \
    and check.";

const SIZES: &str = "Items of a batch; of calls over whole sets (-n in the case), guardians.";

fn table(rows: &[Row]) -> Table {
    let head =
        ["operation", "case", "by", "against", "bounded by", "n", "items/s", "times as fast", "limit/s", "share"];
    let line = |row: &Row| {
        let limit = row.model_limit_per_s.map(|limit| format!("{limit:.0}")).unwrap_or_default();
        let share = row.share_of_limit.map(|share| format!("{:.1} %", share * 100.0)).unwrap_or_default();
        let ratio = if row.peer.is_empty() { String::new() } else { format!("{:.2}", row.ratio) };
        let texts = [&row.op, &row.case, &row.backend, &row.peer].map(Clone::clone);
        let numbers = [row.n.to_string(), format!("{:.0}", row.items_per_s), ratio, limit, share];
        texts.into_iter().chain([bounds::bound(row, rows).to_owned()]).chain(numbers).collect()
    };
    Table { head: head.map(str::to_owned).to_vec(), rows: rows.iter().map(line).collect(), texts: 5 }
}

fn crossovers(record: &Record) -> Table {
    let head = ["operation", "case", "card", "against", "from"].map(str::to_owned).to_vec();
    let rows = record.crossover.iter().map(|found| {
        let from = found.from.map_or("never".to_owned(), |from| from.to_string());
        [&found.op, &found.case, &found.backend, &found.peer, &from].map(Clone::clone).to_vec()
    });
    Table { head, rows: rows.collect(), texts: 4 }
}
