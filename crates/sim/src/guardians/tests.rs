//! Numbers behave as points do: the symbolic signatures give the verdicts of the real ones.

use super::signatures::{Real, Signatures, Symbolic};
use std::sync::Arc;
use vigil_consensus::finality::Job;
use vigil_crypto::bls::Scheme;
use vigil_crypto::checkpoint::{Aggregate, Reject};
use vigil_primitives::{GuardianSet, Hash};

const N: usize = 4;

fn job(parts: Vec<Aggregate>, message: Hash) -> Job {
    let set = Arc::new(GuardianSet::default());
    Job { id: 1, message, set, parts: parts.into_iter().map(Arc::new).collect() }
}

/// Good votes, and all kinds of bad ones.
fn parts(signatures: &dyn Signatures, message: &Hash) -> Vec<Aggregate> {
    let share = |i: usize| signatures.sign(i, message);
    let votes = |signature, signers: [u8; N]| Aggregate { signature, signers: signers.to_vec() };
    let sum = |terms: &[([u8; 96], u8)]| signatures.combine(terms).unwrap();
    let error = signatures.sign(0, &Hash::repeat_byte(9));
    let [infinity, outside, no_point] = signatures.malformed();
    vec![
        votes(share(0), [1, 0, 0, 0]),
        votes(sum(&[(share(1), 3), (share(2), 250)]), [0, 3, 250, 0]),
        votes(share(3), [0, 0, 0, 2]),
        votes(signatures.negate(&share(3)), [0, 0, 0, 1]),
        votes(infinity, [1, 1, 0, 0]),
        votes(outside, [1, 1, 0, 0]),
        votes(no_point, [1, 1, 0, 0]),
        votes(share(0), [0; N]),
        Aggregate { signature: share(0), signers: vec![1, 0, 0] },
        votes(sum(&[(share(1), 1), (error, 1)]), [0, 1, 0, 0]),
        votes(sum(&[(share(1), 1), (signatures.negate(&error), 1)]), [0, 1, 0, 0]),
        votes(signatures.sign(3, &Hash::repeat_byte(8)), [0, 0, 0, 1]),
        votes(share(3), [0, 0, 0, 1]),
    ]
}

#[test]
fn symbolic_signatures_judge_as_real_ones() {
    let message = Hash::repeat_byte(5);
    let order: Vec<usize> = (0..N).collect();
    let symbolic = Symbolic::new(N, 1);
    let all = symbolic.merge(&job(parts(&symbolic, &message), message), &order);
    // Three good ones, and two whose errors cancel out where they are judged together.
    assert_eq!(all.verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 5);
    for scheme in [Scheme::Augmented, Scheme::ProofOfPossession] {
        let real = Real::new(scheme, N, 1);
        let parts_real = parts(&real, &message);
        let merged = real.merge(&job(parts_real.clone(), message), &order);
        assert_eq!(merged.verdicts, all.verdicts, "{scheme:?}");
        assert_eq!(merged.sum.map(|sum| sum.signers), all.sum.clone().map(|sum| sum.signers));
        let parts_symbolic = parts(&symbolic, &message);
        // Every pair, so that the errors that cancel out meet each other alone.
        for a in 0..parts_real.len() {
            for b in 0..parts_real.len() {
                let pick = |parts: &[Aggregate]| job(vec![parts[a].clone(), parts[b].clone()], message);
                let real = real.merge(&pick(&parts_real), &order).verdicts;
                assert_eq!(symbolic.merge(&pick(&parts_symbolic), &order).verdicts, real, "{scheme:?} {a} {b}");
            }
        }
    }
}

#[test]
fn errors_that_cancel_out_hold_together_and_not_alone() {
    let (message, symbolic) = (Hash::repeat_byte(5), Symbolic::new(N, 2));
    let order: Vec<usize> = (0..N).collect();
    let parts = parts(&symbolic, &message);
    let together = symbolic.merge(&job(parts[9..11].to_vec(), message), &order);
    assert_eq!(together.verdicts, [Ok(()), Ok(())]);
    assert_eq!(together.sum.unwrap().signers, [0, 2, 0, 0]);
    for part in &parts[9..11] {
        let alone = symbolic.merge(&job(vec![part.clone()], message), &order);
        assert_eq!(alone.verdicts, [Err(Reject::Equation)]);
    }
}
