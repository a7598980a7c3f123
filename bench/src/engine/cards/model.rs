//! What a card could do if its multipliers did nothing but the multiplications that these kernels make, with the rate that was
//! measured. `hardware/README.md` has the same numbers beside the goals; `PERFORMANCE.md` §3a of the project's shared folder
//! has those that the arithmetic needs at least, which are fewer.

use super::super::row::Row;

/// Multiplications of words an item, as counted in the host twin of the CUDA kernels (`kernels/README.md`).
const RECOVER: f64 = 127.4e3;
const HOT_PAYER: f64 = 38.5e3;
const MILLER: f64 = 2.19e6;
const ADD_G1: f64 = 1_747.0;
/// Keccak makes none: 4,320 other instructions of 32 bits a permutation (§3c), of which a card with multipliers of half rate
/// does two in the time of one.
const PERMUTATION: f64 = 4_320.0 / 2.0;
/// Bytes of a message that a permutation takes in.
const BLOCK: usize = 136;

/// Multiplications a second of an H200, if they have half the rate of other instructions (§3a): what a card that was not
/// measured is expected to do.
pub(crate) const H200_MULTIPLICATIONS: f64 = 8.36e12;

/// What an item takes, in multiplications, where the model has it.
fn multiplications(op: &str, case: &str) -> Option<f64> {
    match (op, case) {
        ("recover", _) => Some(RECOVER),
        ("verify_known", case) if case.ends_with("hot-payer") => Some(HOT_PAYER),
        ("checkpoint", "resident-miller") => Some(MILLER),
        ("checkpoint", "resident-g1-add") => Some(ADD_G1),
        ("keccak256", case) => Some(PERMUTATION * permutations(case)? as f64),
        _ => None,
    }
}

/// Of a message of a case `len-N` or `resident-len-N`.
pub(crate) fn permutations(case: &str) -> Option<usize> {
    let length: usize = case.rsplit_once("len-")?.1.parse().ok()?;
    Some(length / BLOCK + 1)
}

/// Items a second at so many multiplications a second.
pub(crate) fn limit(op: &str, case: &str, rate: f64) -> Option<f64> {
    Some(rate / multiplications(op, case)?)
}

/// Puts the limit, and the share of it that was reached, into a row. `rate`: multiplications a second.
pub(super) fn compare(row: &mut Row, rate: f64) {
    if let Some(limit) = limit(&row.op, &row.case, rate) {
        row.model_limit_per_s = Some(limit.round());
        row.share_of_limit = Some((row.items_per_s / limit * 1000.0).round() / 1000.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILES: &str = include_str!("../../../../hardware/README.md");

    /// The table of `hardware/README.md`, at half rate.
    #[test]
    fn limits_are_those_of_the_profiles() {
        for (op, case, limit, text) in [
            ("recover", "cold", 66e6, "66 M/s"),
            ("recover", "resident", 66e6, "| 127.4 k |"),
            ("verify_known", "resident-hot-payer", 217e6, "| 217 M/s | 38.5 k |"),
            ("checkpoint", "resident-miller", 3.8e6, "| 3.8 M/s; "),
            ("checkpoint", "resident-g1-add", 4.8e9, "| 4.8 G/s | 1.75 k |"),
            ("keccak256", "resident-len-135", 3.9e9, "| 3.9 G/s "),
        ] {
            let mut row = Row::of_kernel(op, case, "cuda", 1, limit / 2.0);
            compare(&mut row, H200_MULTIPLICATIONS);
            let found = row.model_limit_per_s.expect("in the model");
            assert!((found / limit - 1.0).abs() < 0.01, "{op} {case}: {found}");
            assert!(row.share_of_limit.is_some_and(|share| (share - 0.5).abs() < 0.01));
            assert!(PROFILES.contains(text), "{text}");
        }
        assert_eq!(limit("signer_vectors", "n1000-k20", H200_MULTIPLICATIONS), None);
    }

    #[test]
    fn a_message_takes_a_permutation_for_each_block_that_it_begins() {
        let of = ["len-32", "resident-len-135", "len-136", "len-532", "mixed"].map(permutations);
        assert_eq!(of, [Some(1), Some(1), Some(2), Some(4), None]);
    }
}
