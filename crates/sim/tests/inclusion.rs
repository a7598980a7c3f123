//! I18: what all mempools hold is settled, and what is left out is seen.

use vigil_sim::runner::run_seed;
use vigil_sim::scenario::Scenario;

#[test]
fn a_transaction_that_no_proposer_includes_is_seen() {
    // with equal stakes by rotations, with unequal ones, whose rotations are long, by time
    for scenario in [Scenario::equal(4, 1), Scenario::mix(vec![5, 4, 3, 3, 2, 2, 1], 2)] {
        let scenario = Scenario { omits: Some(3), tail: 120_000, ..scenario };
        let broken = run_seed(&scenario, 0, false).violation.expect("left out for ever");
        assert_eq!(broken.invariant, "I18");
        assert!(broken.detail.starts_with("transaction 3 "), "{broken}");
    }
}
