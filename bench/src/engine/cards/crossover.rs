//! From which batch size a card is faster than the processor.

use super::super::row::Row;
use super::is_card;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Of one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crossover {
    pub(crate) op: String,
    pub(crate) case: String,
    pub(crate) backend: String,
    /// Against whom.
    pub(crate) peer: String,
    /// The least batch size measured from which on the card was faster at all sizes; `None`: it was not at the largest.
    pub(crate) from: Option<usize>,
}

/// Of all rows of cards that have a rival.
pub(crate) fn crossovers(rows: &[Row]) -> Vec<Crossover> {
    let mut groups: BTreeMap<[&str; 4], Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| is_card(&row.backend) && !row.peer.is_empty()) {
        groups.entry([&row.op, &row.case, &row.backend, &row.peer]).or_default().push(row);
    }
    let crossover = |(names, mut rows): ([&str; 4], Vec<&Row>)| {
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.n));
        let from = rows.iter().take_while(|row| row.ratio > 1.0).last().map(|row| row.n);
        let [op, case, backend, peer] = names.map(str::to_owned);
        Crossover { op, case, backend, peer, from }
    };
    groups.into_iter().map(crossover).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(backend: &str, n: usize, ratio: f64) -> Row {
        let row = Row::of_kernel("recover", "cold", backend, n, 1.0);
        Row { peer: "cpu-pool".into(), ratio, ..row }
    }

    #[test]
    fn a_card_wins_from_where_it_never_loses_again() {
        let mut rows =
            vec![row("cuda", 16, 2.0), row("cuda", 256, 0.5), row("cuda", 65_536, 9.0), row("cuda", 4_096, 1.1)];
        rows.extend([row("wgpu", 16, 3.0), row("wgpu", 65_536, 0.9), row("avx2", 16, 5.0)]);
        let alone = Row { peer: String::new(), ..row("cuda", 1, 0.0) };
        rows.push(Row { case: "resident".into(), ..alone });
        let found: Vec<_> = crossovers(&rows).into_iter().map(|found| (found.backend, found.from)).collect();
        assert_eq!(found, [("cuda".to_owned(), Some(4_096)), ("wgpu".to_owned(), None)]);
    }
}
