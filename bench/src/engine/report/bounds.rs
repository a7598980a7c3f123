//! What bounds a card's figure, as far as its rows tell.

use super::super::cards::model::permutations;
use super::super::plan::WITH_CARDS;
use super::super::row::Row;

/// Bytes a second over PCIe (`PERFORMANCE.md` §3c).
const COPIED_PER_S: f64 = 55e9;

/// In words; empty where nothing can be told.
pub(super) fn bound(row: &Row, rows: &[Row]) -> &'static str {
    if row.backend == WITH_CARDS {
        return "";
    }
    if row.case.starts_with("resident") {
        return match row.share_of_limit {
            Some(share) if share < 0.5 => "memory, latency or registers",
            Some(_) if row.op == "keccak256" => "instructions",
            Some(_) => "multiplications",
            None => "",
        };
    }
    let Some(copied) = bytes_to_card(row) else { return "" };
    let ns = row.ns_per_item;
    let same = |other: &&Row| (&other.op, &other.case, &other.backend) == (&row.op, &row.case, &row.backend);
    let best = rows.iter().filter(same).map(|other| other.ns_per_item).fold(ns, f64::min);
    let alone = kernel_ns(row, rows);
    if ns > 2.0 * best {
        "launches"
    } else if alone.is_some_and(|alone| alone >= 0.7 * ns) {
        "kernels"
    } else if copied / COPIED_PER_S * 1e9 >= 0.5 * ns {
        "copies"
    } else if alone.is_some() {
        "host"
    } else {
        ""
    }
}

/// Of the kernels alone, an item.
fn kernel_ns(row: &Row, rows: &[Row]) -> Option<f64> {
    let (case, times) = match row.op.as_str() {
        "recover" => ("resident", 1),
        "verify_known" => ("resident-hot-payer", 1),
        "keccak256" => ("resident-len-135", permutations(&row.case)?),
        _ => return None,
    };
    let is_it = |other: &&Row| (&other.op, &other.backend) == (&row.op, &row.backend) && other.case == case;
    Some(rows.iter().find(is_it)?.ns_per_item * times as f64)
}

/// Bytes an item that a card is given (`kernels/README.md`).
fn bytes_to_card(row: &Row) -> Option<f64> {
    match (row.op.as_str(), row.case.as_str()) {
        // A row of 25 words and, where the card hashes, a message with its place.
        ("recover", "cold") => Some(100.0),
        ("recover", "messages-135") => Some(100.0 + 136.0 + 8.0),
        ("verify_known", _) => Some(104.0),
        ("keccak256", case) => Some(8.0 + case.rsplit_once("len-")?.1.parse::<f64>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(op: &str, case: &str, n: usize, ns: f64) -> Row {
        Row::of_kernel(op, case, "cuda", n, 1e9 / ns)
    }

    #[test]
    fn rows_tell_what_bounds_each_other() {
        let alone = Row { share_of_limit: Some(0.6), ..row("recover", "resident", 65_536, 20.0) };
        let slow = Row { share_of_limit: Some(0.3), ..row("keccak256", "resident-len-135", 65_536, 1.0) };
        let rows = [
            alone,
            slow,
            row("recover", "cold", 16, 1_000.0),
            row("recover", "cold", 65_536, 25.0),
            row("recover", "messages-135", 65_536, 60.0),
            row("keccak256", "len-532", 65_536, 12.0),
            row("signer_vectors", "n1000-k20", 1, 5.0),
            Row { backend: WITH_CARDS.into(), ..row("recover", "cold", 65_536, 20.0) },
        ];
        let found: Vec<_> = rows.iter().map(|row| bound(row, &rows)).collect();
        let expected =
            ["multiplications", "memory, latency or registers", "launches", "kernels", "host", "copies", "", ""];
        assert_eq!(found, expected);
    }
}
