//! Guardians under faults and lies: checkpoints become final in time, nothing forged is accepted, nobody honest is blamed.

mod common;

use common::{long, seeds};
use std::ops::Range;
use vigil_crypto::bls::Scheme;
use vigil_sim::guardians::{Liars, Run, Scenario, SignatureKind, run_seed};

/// Runs all seeds. None may break a promise.
fn runs(scenario: &Scenario, seeds: Range<u64>) -> Vec<Run> {
    common::runs(scenario, seeds, run_seed, |run| run.violation.as_ref())
}

fn attacked(nodes: usize, degree: usize) -> Scenario {
    Scenario { liars: Liars::Attack, weighted: true, ..Scenario::paper(nodes, degree, 0.333) }
}

/// Tables I and II of the paper, by sample: never more than five rounds, never an entry above 255.
#[test]
fn the_papers_tables() {
    let (sizes, seeds): (&[usize], _) = if long() { (&[1_000, 2_000, 3_000], 0..10) } else { (&[1_000], 0..1) };
    for nodes in sizes {
        for degree in [20, 30] {
            for byzantine in [0.0, 0.1, 0.2, 0.3] {
                for run in runs(&Scenario::paper(*nodes, degree, byzantine), seeds.clone()) {
                    assert!(
                        (2..=5).contains(&run.rounds),
                        "n {nodes}, degree {degree}, byzantine {byzantine}: {run:?}"
                    );
                    assert!(run.messages_per_node < 150 && run.bytes_per_node < 250_000, "{run:?}");
                }
            }
        }
    }
}

/// Every attack of T6 at once, by just under a third of the stake: honest guardians have their quorum at most two rounds
/// later than if the attackers said nothing, and accept nothing forged (`forged` among the invariants).
#[test]
fn attackers_delay_a_quorum_by_two_rounds_at_most() {
    let mut forged = 0;
    for (nodes, degree) in [(60, 10), (200, 20)] {
        let attacked = attacked(nodes, degree);
        let silent = Scenario { liars: Liars::Silent, ..attacked.clone() };
        let pairs = runs(&attacked, seeds()).into_iter().zip(runs(&silent, seeds()));
        for (attacked, silent) in pairs {
            assert!(silent.rounds > 0 && attacked.rounds <= silent.rounds + 2, "{attacked:?} {silent:?}");
            forged += attacked.forged;
        }
    }
    assert!(forged >= 100_000, "only {forged} forged votes were tried");
}

#[test]
fn crashes_and_partitions_heal_into_later_checkpoints() {
    let scenario = Scenario { faults: true, checkpoints: 8, byzantine: 0.2, ..attacked(40, 8) };
    for run in runs(&scenario, seeds()) {
        assert_eq!(run.finalized, 8, "{run:?}");
    }
}

#[test]
fn checkpoint_after_checkpoint() {
    let scenario = Scenario { checkpoints: 10, ..attacked(40, 10) };
    for run in runs(&scenario, seeds()) {
        assert_eq!((run.finalized, run.conflicts), (10, 0));
        assert!(run.accused > 0, "liars vote for other blocks, and it is seen: {run:?}");
    }
}

/// With corrupt validators and two fifths of corrupt guardians two chains can become final; then more than a third are
/// proven to have voted twice, and nobody honest is (I13, I14).
#[test]
fn two_final_chains_name_a_third() {
    let scenario = Scenario { corrupt: true, checkpoints: 4, ..attacked(40, 8) };
    let runs = runs(&scenario, seeds());
    let conflicts: u64 = runs.iter().map(|run| run.conflicts).sum();
    assert!(conflicts > 0, "no run came to it, so nothing was tested");
    assert!(runs.iter().all(|run| run.accused > 0));
}

/// The same with points of the curve, in both schemes.
#[test]
fn real_signatures() {
    for scheme in [Scheme::Augmented, Scheme::ProofOfPossession] {
        let scenario = Scenario { signatures: SignatureKind::Real(scheme), checkpoints: 2, ..attacked(20, 8) };
        let seeds = if long() { 0..20 } else { 0..2 };
        for run in runs(&scenario, seeds) {
            assert_eq!(run.finalized, 2, "{scheme:?}: {run:?}");
            assert!(run.forged > 0);
        }
    }
}

#[test]
fn few_guardians_are_enough() {
    for nodes in [1, 2, 3, 4, 5] {
        for run in runs(&Scenario { checkpoints: 3, ..Scenario::paper(nodes, 20, 0.0) }, 0..10) {
            assert_eq!(run.finalized, 3, "{nodes} guardians: {run:?}");
        }
    }
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let scenario = Scenario { faults: true, checkpoints: 5, ..attacked(30, 8) };
    let [first, second, other] = [7, 7, 8].map(|seed| run_seed(&scenario, seed).trace);
    assert_eq!(first, second);
    assert_ne!(first, other);
}
