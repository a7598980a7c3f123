//! The greedy adversary of `spec/consensus.md` §1.16: nothing breaks under it either, and it is worse than the mix.
//! What stalls it finds without being told how.

use vigil_sim::liars::Strategy;
use vigil_sim::runner::{Outcome, run_seed};
use vigil_sim::scenario::Scenario;
use vigil_sim::variants;

/// Seeds of a tier: 4, or 150 with `VIGIL_TEST_LONG=1`.
fn seeds() -> std::ops::Range<u64> {
    if std::env::var("VIGIL_TEST_LONG").is_ok_and(|value| value == "1") { 0..150 } else { 0..4 }
}

/// Runs all seeds; none may break a promise.
fn outcomes(scenario: &Scenario) -> Vec<Outcome> {
    let outcomes: Vec<(u64, Outcome)> = seeds().map(|seed| (seed, run_seed(scenario, seed, false))).collect();
    for (seed, outcome) in &outcomes {
        assert_eq!(outcome.violation, None, "seed {seed} of {scenario:?}");
    }
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Sum over the seeds of the times to the first settlement, in ms.
fn first_settlements(scenario: &Scenario) -> u64 {
    outcomes(scenario).iter().map(|outcome| outcome.first_settlement_ms).sum()
}

fn greedy_is_worse_than_the_mix(scenario: Scenario) {
    let greedy = first_settlements(&scenario);
    let mix = first_settlements(&Scenario { strategy: Strategy::Mix, ..scenario });
    assert!(greedy > mix, "all first settlements under the greedy adversary: {greedy} ms, under the mix: {mix} ms");
}

#[test]
fn four_validators_one_liar() {
    greedy_is_worse_than_the_mix(Scenario::equal(4, 1).greedy());
}

#[test]
fn seven_validators_two_liars() {
    greedy_is_worse_than_the_mix(Scenario::equal(7, 2).greedy());
}

#[test]
fn unequal_stakes() {
    greedy_is_worse_than_the_mix(Scenario::mix(vec![5, 4, 3, 3, 2, 2, 1], 2).greedy());
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let scenario = Scenario::equal(4, 1).with_set_changes(2).greedy();
    let [first, second, other] = [1, 1, 2].map(|seed| run_seed(&scenario, seed, false).trace);
    assert_eq!(first, second);
    assert_ne!(first, other);
}

/// The livelock of §1.3, which `stalls.rs` provokes with fixed lies and delays.
#[test]
fn votes_counted_as_epoch_changes_livelock() {
    let rules = variants::find("votes-as-epoch-changes").unwrap();
    let scenario = Scenario { rules, storm: false, stall_deltas: 80, ..Scenario::equal(4, 1).greedy() };
    let broken = run_seed(&scenario, 0, false).violation.expect("a stall");
    assert!(["I16", "I18"].contains(&broken.invariant), "{broken}");
    let as_written = Scenario { rules: vigil_consensus::Rules::default(), ..scenario };
    assert_eq!(run_seed(&as_written, 0, false).violation, None);
}
