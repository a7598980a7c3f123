//! Corrupt committees, and the reset: no final block is undone, nobody honest is named or left out, everybody ends on one
//! chain.

mod common;

use common::{long, seeds};
use std::ops::Range;
use vigil_crypto::bls::Scheme;
use vigil_sim::guardians::SignatureKind;
use vigil_sim::reset::{Operators, Run, Scenario, run_seed};

/// Runs all seeds. None may break a promise.
fn runs(scenario: &Scenario, seeds: Range<u64>) -> Vec<Run> {
    common::runs(scenario, seeds, run_seed, |run| run.violation.as_ref())
}

fn a_corrupt_committee_is_replaced(validators: usize) {
    let scenario = Scenario::new(validators);
    let runs = runs(&scenario, seeds());
    for run in &runs {
        assert_eq!(run.named as usize, scenario.traitors(), "both sides need every traitor: {run:?}");
        assert!(run.void > 0, "nothing was void: {run:?}");
    }
    let (reset, vain): (Vec<&Run>, Vec<&Run>) = runs.iter().partition(|run| run.resets > 0);
    assert!(!reset.is_empty() && !vain.is_empty(), "both cases are among the seeds");
    assert!(
        reset.iter().any(|run| run.base == 0) && reset.iter().any(|run| run.base > 0),
        "from genesis, and from later"
    );
    assert!(runs.iter().map(|run| run.crashes).sum::<u64>() > 0);
    assert!(runs.iter().all(|run| run.forged > 0));
}

#[test]
fn a_corrupt_committee_of_four_is_replaced() {
    a_corrupt_committee_is_replaced(4);
}

#[test]
fn a_corrupt_committee_of_seven_is_replaced() {
    a_corrupt_committee_is_replaced(7);
}

/// The same with points of the curve, in both schemes.
#[test]
fn real_signatures() {
    for scheme in [Scheme::Augmented, Scheme::ProofOfPossession] {
        let signatures = SignatureKind::Real(scheme);
        let scenario = Scenario { signatures, guardians: 10, operators: Operators::Late, ..Scenario::new(4) };
        for run in runs(&scenario, if long() { 0..20 } else { 0..2 }) {
            assert_eq!(run.resets, 1, "{scheme:?}: {run:?}");
        }
    }
}

/// A guardian that forgets over a crash that it signed a reset votes as before it: that is seen.
#[test]
fn a_forgotten_signature_is_noticed() {
    let scenario = Scenario { forgets_resets: true, operators: Operators::Few, ..Scenario::new(4) };
    let broken = (0..200).find_map(|seed| run_seed(&scenario, seed).violation);
    assert!(broken.as_ref().is_some_and(|violation| violation.starts_with("G1")), "{broken:?}");
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let [first, second, other] = [7, 7, 8].map(|seed| run_seed(&Scenario::new(4), seed).trace);
    assert_eq!(first, second);
    assert_ne!(first, other);
}
