//! What a card could do if its multipliers did nothing but the multiplications that the arithmetic needs: `PERFORMANCE.md`
//! §3a of the project's shared folder, with the rate that was measured.

use super::super::row::Row;

/// Multiplications of words in a product and in a square modulo the prime of secp256k1.
const MUL: f64 = 74.0;
const SQR: f64 = 50.0;
/// In a product modulo the prime of BLS12-381.
const MUL_381: f64 = 300.0;

const RECOVER: f64 = 863.0 * MUL + 1181.0 * SQR;
const HOT_PAYER: f64 = 265.0 * MUL + 48.0 * SQR;
const MILLER: f64 = 6_600.0 * MUL_381;
/// Of affine points with shared inversions.
const ADD_G1: f64 = 6.3 * MUL_381;

/// Multiplications of an item, where the model has them.
fn multiplications(row: &Row) -> Option<f64> {
    match (row.op.as_str(), row.case.as_str()) {
        ("recover", _) => Some(RECOVER),
        ("verify_known", case) if case.ends_with("hot-payer") => Some(HOT_PAYER),
        ("checkpoint", "resident-miller") => Some(MILLER),
        ("checkpoint", "resident-g1-add") => Some(ADD_G1),
        _ => None,
    }
}

/// Puts the limit, and the share of it that was reached, into a row. `rate`: multiplications a second.
pub(super) fn compare(row: &mut Row, rate: f64) {
    if let Some(each) = multiplications(row) {
        let limit = rate / each;
        row.model_limit_per_s = Some(limit.round());
        row.share_of_limit = Some((row.items_per_s / limit * 1000.0).round() / 1000.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `PERFORMANCE.md` §3a, at half rate: 8.36e12 multiplications a second.
    #[test]
    fn limits_are_those_of_the_model() {
        for (op, case, limit) in [
            ("recover", "cold", 68e6),
            ("recover", "resident", 68e6),
            ("verify_known", "resident-hot-payer", 380e6),
            ("checkpoint", "resident-miller", 4.2e6),
            ("checkpoint", "resident-g1-add", 4.4e9),
        ] {
            let mut row = Row::of_kernel(op, case, "cuda", 1, limit / 2.0);
            compare(&mut row, 8.36e12);
            let found = row.model_limit_per_s.expect("in the model");
            assert!((found / limit - 1.0).abs() < 0.02, "{op} {case}: {found}");
            assert!(row.share_of_limit.is_some_and(|share| (share - 0.5).abs() < 0.01));
        }
        let mut row = Row::of_kernel("keccak256", "resident-len-135", "cuda", 1, 1.0);
        compare(&mut row, 8.36e12);
        assert_eq!(row.model_limit_per_s, None, "no multiplications");
    }
}
