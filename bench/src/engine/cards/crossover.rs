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
    /// The least batch size measured from which on the card was faster at all sizes; `None`: it was not at the largest. Of
    /// one call over whole sets (`-n` in the cases): the least number of guardians.
    pub(crate) from: Option<usize>,
}

/// Of all rows of cards that have a rival.
pub(crate) fn crossovers(rows: &[Row]) -> Vec<Crossover> {
    let mut groups: BTreeMap<[String; 4], Vec<(usize, f64)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| is_card(&row.backend) && !row.peer.is_empty()) {
        let (case, size) = case_and_size(row);
        let group = [row.op.clone(), case, row.backend.clone(), row.peer.clone()];
        groups.entry(group).or_default().push((size, row.ratio));
    }
    let crossover = |([op, case, backend, peer], mut sizes): ([String; 4], Vec<(usize, f64)>)| {
        sizes.sort_unstable_by_key(|(size, _)| std::cmp::Reverse(*size));
        let from = sizes.iter().take_while(|(_, ratio)| *ratio > 1.0).last().map(|(size, _)| *size);
        Crossover { op, case, backend, peer, from }
    };
    groups.into_iter().map(crossover).collect()
}

/// `pop-n1000-k20` is `pop-n-k20` of 1,000 guardians; all others are what they are called, of a batch.
fn case_and_size(row: &Row) -> (String, usize) {
    let mut size = row.n;
    let part = |part: &str| match part.strip_prefix('n').and_then(|number| number.parse().ok()) {
        Some(number) if row.n == 1 => {
            size = number;
            "n".to_owned()
        }
        _ => part.to_owned(),
    };
    let parts: Vec<String> = row.case.split('-').map(part).collect();
    (parts.join("-"), size)
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

    #[test]
    fn calls_over_whole_sets_are_told_apart_by_guardians() {
        let call = |case: &str, ratio| Row { case: case.into(), ..row("cuda", 1, ratio) };
        let rows = [call("pop-n1000-k20", 0.7), call("pop-n10000-k20", 3.0), call("augmented-table-n1000", 2.0)];
        let found: Vec<_> = crossovers(&rows).into_iter().map(|found| (found.case, found.from)).collect();
        assert_eq!(found, [("augmented-table-n".to_owned(), Some(1_000)), ("pop-n-k20".to_owned(), Some(10_000))]);
    }
}
