//! What the tests of guardians and resets share: tiers of seeds, and runs that may break no promise.

use std::fmt::Debug;
use std::ops::Range;

/// True in the long tier: `VIGIL_TEST_LONG=1`.
pub(crate) fn long() -> bool {
    std::env::var("VIGIL_TEST_LONG").is_ok_and(|value| value == "1")
}

/// Seeds of a tier: 50, or 1,000 in the long one.
pub(crate) fn seeds() -> Range<u64> {
    if long() { 0..1_000 } else { 0..50 }
}

/// Runs all seeds. None may break a promise: `violation` says which one a run broke.
pub(crate) fn runs<S: Debug, R>(
    scenario: &S,
    seeds: Range<u64>,
    run_seed: impl Fn(&S, u64) -> R,
    violation: impl Fn(&R) -> Option<&String>,
) -> Vec<R> {
    let runs: Vec<(u64, R)> = seeds.map(|seed| (seed, run_seed(scenario, seed))).collect();
    let broken: Vec<_> = runs.iter().filter_map(|(seed, run)| Some((seed, violation(run)?))).collect();
    assert!(broken.is_empty(), "{scenario:?}: {broken:?}");
    runs.into_iter().map(|(_, run)| run).collect()
}
