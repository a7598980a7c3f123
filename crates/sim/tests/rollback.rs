//! Disks that go back in time: what a node forgot it is told again, and from then on it contradicts nothing of it.

use vigil_sim::runner::{Outcome, run_seed};
use vigil_sim::scenario::Scenario;

/// Seeds of a tier: 50, or 1,000 with `VIGIL_TEST_LONG=1`.
fn seeds() -> std::ops::Range<u64> {
    if std::env::var("VIGIL_TEST_LONG").is_ok_and(|value| value == "1") { 0..1_000 } else { 0..50 }
}

/// Nothing is broken, and in most seeds a node notices that its journal was rolled back.
fn is_noticed_and_harmless(scenario: &Scenario) {
    let outcomes: Vec<(u64, Outcome)> = seeds().map(|seed| (seed, run_seed(scenario, seed, false))).collect();
    let broken: Vec<_> = outcomes.iter().filter_map(|(seed, o)| Some((seed, o.violation.clone()?))).collect();
    assert!(broken.is_empty(), "{broken:?}");
    let noticed = outcomes.iter().filter(|(_, outcome)| outcome.rollbacks_noticed > 0).count();
    assert!(5 * noticed >= 4 * outcomes.len(), "noticed in {noticed} of {} seeds", outcomes.len());
}

#[test]
fn one_of_four_forgets() {
    is_noticed_and_harmless(&Scenario::equal(4, 0).with_rollbacks(1));
}

#[test]
fn one_of_seven_forgets_and_one_lies() {
    is_noticed_and_harmless(&Scenario::equal(7, 1).with_rollbacks(1));
}

#[test]
fn a_node_that_signs_on_is_seen() {
    let scenario = Scenario { ignores_rollback: true, ..Scenario::equal(4, 0).with_rollbacks(1) };
    let broken = (0..1_000).find_map(|seed| run_seed(&scenario, seed, false).violation).expect("some contradict");
    assert_eq!(broken.invariant, "rollback", "{broken}");
}
