//! Votes of guardians through the engine.

use super::*;
use crate::checkpoint::{AGGREGATES_MAX, Aggregate, GuardianKeys, Merged, PreparedCheckpoint, Scheme};
use crate::testing::guardians;
use std::panic::{AssertUnwindSafe, catch_unwind};
use vigil_crypto::bls;
use vigil_crypto::checkpoint as twin;

const MESSAGE: &[u8] = b"a checkpoint";

/// One vote of each of the first guardians; that of number 1 is wrong.
fn votes(scheme: Scheme, secrets: &[bls::SecretKey]) -> Vec<Aggregate> {
    let vote = |at: usize| {
        let mut signers = vec![0; secrets.len()];
        signers[at] = 1 + u8::from(at == 1);
        Aggregate { signature: secrets[at].sign(scheme, MESSAGE).to_bytes(), signers }
    };
    (0..3).map(vote).collect()
}

fn prepare(engine: &Engine, scheme: Scheme, guardians: &Arc<GuardianKeys>) -> PreparedCheckpoint {
    engine.prepare_checkpoint(scheme, guardians, MESSAGE, &|| true).expect("it goes on")
}

#[test]
fn merged_votes_are_the_twins() {
    let (set, secrets) = guardians(150);
    for backends in [detect(), Vec::new()] {
        for scheme in [Scheme::ProofOfPossession, Scheme::Augmented] {
            let engine = engine(2, backends.clone());
            let prepared = prepare(&engine, scheme, &set);
            let votes = votes(scheme, &secrets);
            let merged = engine.merge_votes(&prepared, &votes);
            assert_eq!(merged, twin::merge(scheme, set.keys(), MESSAGE, &votes));
            assert_eq!(merged.verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 2);
            assert_eq!(engine.merge_votes(&prepared, &[]), Merged { verdicts: Vec::new(), sum: None });
            let many = vec![votes[0].clone(); AGGREGATES_MAX + 1];
            assert!(catch_unwind(AssertUnwindSafe(|| engine.merge_votes(&prepared, &many))).is_err());
        }
    }
}

#[test]
fn a_table_can_be_given_up() {
    let (set, _) = guardians(150);
    let asked = AtomicUsize::new(0);
    let once = || asked.fetch_add(1, Ordering::Relaxed) == 0;
    for scheme in [Scheme::ProofOfPossession, Scheme::Augmented] {
        for threads in [1, 2] {
            let engine = engine(threads, detect());
            assert!(engine.prepare_checkpoint(scheme, &set, MESSAGE, &|| false).is_none());
        }
    }
    assert!(engine(1, detect()).prepare_checkpoint(Scheme::Augmented, &set, MESSAGE, &once).is_none());
    assert_eq!(asked.load(Ordering::Relaxed), 3, "once a piece of 64");
}

/// While it merges, another caller has the CPU make the table.
#[derive(Debug)]
struct Meanwhile;

impl Backend for Meanwhile {
    fn name(&self) -> BackendName {
        BackendName::Avx2
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        keys.iter().map(|_| None).collect()
    }

    fn merge_votes(&self, checkpoint: &PreparedCheckpoint, votes: &[Aggregate]) -> Merged {
        let cpu = detect()[0];
        let merged = cpu.merge_votes(checkpoint, votes);
        let guardians = checkpoint.guardians();
        checkpoint.trust(|| cpu.miller_values(guardians, 0..guardians.len(), checkpoint.message()));
        merged
    }
}

#[test]
fn nobody_is_refused_because_a_table_was_replaced_meanwhile() {
    let (set, secrets) = guardians(10);
    let votes = votes(Scheme::Augmented, &secrets);
    let of_another = detect()[0].miller_values(&set, 0..set.len(), b"another checkpoint");
    let wrong = PreparedCheckpoint::augmented(Arc::clone(&set), MESSAGE, of_another).by_card();
    let right = twin::merge(Scheme::Augmented, set.keys(), MESSAGE, &votes);
    assert_eq!(engine(1, vec![&Meanwhile]).merge_votes(&wrong, &votes), right);
}

/// Fails at everything.
#[derive(Debug)]
struct Failing;

impl Backend for Failing {
    fn name(&self) -> BackendName {
        BackendName::Avx2
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        keys.iter().map(|_| None).collect()
    }

    fn miller_values(
        &self,
        _: &GuardianKeys,
        _: std::ops::Range<usize>,
        _: &[u8],
    ) -> Vec<crate::checkpoint::MillerValue> {
        Vec::new()
    }

    fn merge_votes(&self, _: &PreparedCheckpoint, _: &[Aggregate]) -> Merged {
        panic!("a bug")
    }
}

#[test]
fn a_backend_that_fails_is_replaced() {
    let (set, secrets) = guardians(10);
    for scheme in [Scheme::ProofOfPossession, Scheme::Augmented] {
        let votes = votes(scheme, &secrets);
        let right = twin::merge(scheme, set.keys(), MESSAGE, &votes);
        let engine = engine(1, vec![&Failing]);
        assert_eq!(engine.merge_votes(&prepare(&engine, scheme, &set), &votes), right);
        assert_eq!(engine.merge_votes(&prepare(&engine, scheme, &set), &votes), right);
    }
}
