//! Lone aggregates, beside what is kept for merging.

use super::*;
use vigil_crypto::bls::SecretKey;
use vigil_crypto::checkpoint::judge;
use vigil_primitives::{Address, GuardianMember};

const MESSAGE: Hash = Hash::repeat_byte(5);
const GUARDIANS: u8 = 6;

fn secret(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n + 1; 32]).expect("a key")
}

fn set() -> GuardianSet {
    let member = |n| {
        let key = BlsKeyBytes::from(secret(n).public_key().to_bytes());
        GuardianMember { address: Address::repeat_byte(n), key, weight: 1 }
    };
    GuardianSet::new((0..GUARDIANS).map(member).collect())
}

fn verifier(scheme: Scheme) -> Verifier {
    Verifier::new(Engine::small(), scheme)
}

/// The sum of the signatures of guardians 1 and 4, the second three times.
fn votes(scheme: Scheme, message: &Hash) -> Aggregate {
    let signatures = [1, 4, 4, 4].map(|n| secret(n).sign(scheme, message.as_slice()));
    let signature = Signature::aggregate(&signatures).expect("no infinity").to_bytes();
    Aggregate { signature, signers: vec![0, 1, 0, 0, 3, 0] }
}

/// Items of an operation that the engine has done in `work`.
fn counted(op: &str, work: impl FnOnce()) -> u64 {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, work);
    let (text, name) = (recorder.handle().render(), format!("vigil_accel_items_total{{op=\"{op}\""));
    text.lines()
        .filter(|line| line.starts_with(&name))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

#[test]
fn a_lone_aggregate_is_judged_as_by_the_judge() {
    let set = set();
    let keys: Vec<GuardianKey> = (0..GUARDIANS).map(|n| secret(n).public_key()).collect();
    for scheme in [Scheme::Augmented, Scheme::ProofOfPossession] {
        let good = votes(scheme, &MESSAGE);
        let signers = |signers: &[u8]| Aggregate { signers: signers.to_vec(), ..good.clone() };
        let signature = |signature| Aggregate { signature, ..good.clone() };
        let cases = [
            good.clone(),
            signers(&[0, 1, 0, 0, 2, 0]),
            signers(&[1, 0, 0, 0, 3, 0]),
            signers(&[0; GUARDIANS as usize]),
            signers(&[0, 1, 0, 0, 3]),
            signers(&[0, 1, 0, 0, 3, 0, 0]),
            signature(votes(scheme, &Hash::ZERO).signature),
            signature([7; 96]),
            signature([0; 96]),
        ];
        let verifier = verifier(scheme);
        // At first without a table, then with the one that merging has made.
        for has_table in [false, true] {
            for (at, case) in cases.iter().enumerate() {
                let expected = judge(scheme, &keys, MESSAGE.as_slice(), case).is_ok();
                assert_eq!(expected, at == 0);
                assert_eq!(verifier.holds(&set, &MESSAGE, case), expected, "{scheme:?} {at} {has_table}");
            }
            verifier.merge(&set, &MESSAGE, &[]);
        }
    }
}

#[test]
fn evidence_costs_its_signers_and_pushes_nothing_out() {
    let (set, verifier) = (set(), verifier(Scheme::Augmented));
    verifier.merge(&set, &MESSAGE, &[]);
    let others = (0..10).map(Hash::repeat_byte).filter(|other| *other != MESSAGE);
    for other in others {
        let votes = votes(Scheme::Augmented, &other);
        assert_eq!(counted("miller_values", || assert!(verifier.holds(&set, &other, &votes))), 2);
    }
    let kept: Vec<Hash> = verifier.ready().checkpoints.iter().map(|(_, message, _)| *message).collect();
    assert_eq!(kept, [MESSAGE]);
    for members in 0..4 {
        let older = GuardianSet::new(set.members()[..=members].to_vec());
        let votes = Aggregate { signers: vec![1; members + 1], ..votes(Scheme::Augmented, &MESSAGE) };
        assert!(!verifier.holds(&older, &MESSAGE, &votes));
    }
    let ready = verifier.ready();
    assert_eq!((ready.sets.len(), ready.keys.len()), (1, usize::from(GUARDIANS)));
}

#[test]
fn before_the_signature_is_one_no_key_is_looked_at() {
    let verifier = verifier(Scheme::Augmented);
    let garbage = Aggregate { signature: [7; 96], signers: vec![1; GUARDIANS as usize] };
    assert_eq!(counted("miller_values", || assert!(!verifier.holds(&set(), &MESSAGE, &garbage))), 0);
    assert!(verifier.ready().keys.is_empty());
}
