//! Networks under faults and lies: nothing breaks with the rules as written, and what is broken on purpose is seen.

use vigil_sim::runner::{Outcome, run_seed};
use vigil_sim::scenario::Scenario;
use vigil_sim::variants;

/// Seeds of a tier: 50, or 1,000 with `VIGIL_TEST_LONG=1`.
fn seeds() -> std::ops::Range<u64> {
    if std::env::var("VIGIL_TEST_LONG").is_ok_and(|value| value == "1") { 0..1_000 } else { 0..50 }
}

/// Runs all seeds; each failure with its seed.
fn failures(scenario: &Scenario, seeds: std::ops::Range<u64>) -> Vec<String> {
    let failure = |seed| run_seed(scenario, seed, false).violation.map(|broken| format!("seed {seed}: {broken}"));
    seeds.filter_map(failure).collect()
}

/// 5, 4, 3, 3, 2, 2, 1: at most 6 of 20 lie.
const WEIGHTS: [u64; 7] = [5, 4, 3, 3, 2, 2, 1];

#[test]
fn four_validators_one_liar() {
    assert_eq!(failures(&Scenario::equal(4, 1), seeds()), Vec::<String>::new());
}

#[test]
fn seven_validators_two_liars() {
    assert_eq!(failures(&Scenario::equal(7, 2), seeds()), Vec::<String>::new());
}

#[test]
fn stakes_and_members_change() {
    let scenario = Scenario::mix(WEIGHTS.to_vec(), 2).with_set_changes(2);
    let outcomes: Vec<(u64, Outcome)> = seeds().map(|seed| (seed, run_seed(&scenario, seed, false))).collect();
    let broken: Vec<_> =
        outcomes.iter().filter_map(|(seed, outcome)| Some((seed, outcome.violation.clone()?))).collect();
    assert!(broken.is_empty(), "{broken:?}");
    let changes: u64 = outcomes.iter().map(|(_, outcome)| outcome.set_changes).sum();
    assert!(changes > outcomes.len() as u64, "only {changes} changes settled");
}

#[test]
fn four_validators_and_two_who_come_and_go() {
    assert_eq!(failures(&Scenario::equal(4, 1).with_set_changes(2), seeds()), Vec::<String>::new());
}

/// I15 binds nobody who lacks the block below the newest certificate, even if the first to enter lacks it too.
#[test]
fn who_cannot_judge_a_certificate_is_not_late() {
    assert_eq!(run_seed(&Scenario::equal(4, 1).with_set_changes(2), 303, false).violation, None);
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for scenario in [Scenario::equal(4, 1), Scenario::mix(WEIGHTS.to_vec(), 2).with_set_changes(2)] {
        let [first, second, other] = [7, 7, 8].map(|seed| run_seed(&scenario, seed, false).trace);
        assert_eq!(first, second);
        assert_ne!(first, other);
    }
}

#[test]
fn a_run_is_as_long_as_promised() {
    let scenario = Scenario::equal(4, 1);
    let outcome = run_seed(&scenario, 3, false);
    assert!(outcome.settled_min >= 20 && outcome.ended_at_ms >= 60_000, "{outcome:?}");
}

#[test]
fn without_the_height_rule_something_breaks_and_is_seen() {
    let scenario = Scenario { rules: variants::find("no-height-rule").unwrap(), ..Scenario::equal(4, 1) };
    let seen = (0..20).filter_map(|seed| run_seed(&scenario, seed, false).violation);
    assert!(seen.map(|broken| broken.invariant).any(|name| ["I1", "I4", "I5"].contains(&name)));
}

#[test]
fn a_shell_that_sends_before_it_journals_is_seen() {
    let scenario = Scenario { send_before_journal: true, ..Scenario::equal(4, 1) };
    assert_eq!(run_seed(&scenario, 0, false).violation.unwrap().invariant, "I8");
}
