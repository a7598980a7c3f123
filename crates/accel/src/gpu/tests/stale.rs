//! Answers that were right another time, for other questions; and what a card would have remembered.

use super::lies::{narrow_card, of_key};
use super::*;
use crate::bls::library;
use crate::bls::row::Point;
use crate::checkpoint::GuardianKeys;
use crate::gpu::Fault;
use crate::gpu::checkpoint::tree;
use crate::gpu::fp381::{programs, words_of_fp12};
use crate::gpu::key_sum::key_sum;
use vigil_crypto::bls;

/// A program that does not run leaves the Miller values of the last checkpoint: votes for that one would pass for this one.
#[test]
fn values_of_another_checkpoint_are_not_believed() {
    let key = |n: u8| bls::SecretKey::from_bytes(&[n; 32]).expect("a key").public_key();
    let keys = GuardianKeys::new(&(1..9).map(key).collect::<Vec<_>>());
    for mischief in [Mischief::Skips(Kernel::Fp381), Mischief::Forgets(8 * programs::MILLER_OF_HASH.input_row())] {
        let (card, gpu) = narrow_card();
        let by_cpu = |message: &[u8]| gpu.cpu.miller_values(&keys, 0..8, message);
        let first = gpu.miller_values_with(&keys, 0..8, b"first", || panic!("the card is good"));
        card.becomes(Some(mischief.clone()));
        let next = gpu.miller_values_with(&keys, 0..8, b"next", || by_cpu(b"next"));
        assert!(next != first && next == by_cpu(b"next"), "{mischief:?}");
        assert!(matches!(gpu.why_not(), Some(Fault::Lies(_))), "{mischief:?}: {:?}", gpu.why_not());
    }
}

#[test]
fn products_of_other_values_are_not_believed() {
    let (card, gpu) = narrow_card();
    let row = |power: u32| [words_of_fp12(&library::one()), vec![power]].concat();
    assert!(tree(&gpu.post, &programs::VALUES, [row(1), row(2)].concat()).is_ok());
    card.becomes(Some(Mischief::Skips(Kernel::Fp381)));
    assert!(matches!(tree(&gpu.post, &programs::VALUES, [row(1), row(2)].concat()), Err(Fault::Lies(_))));
}

/// The sum of those who signed before is not that of anybody now.
#[test]
fn sums_of_other_keys_fit_nothing() {
    let (card, gpu) = narrow_card();
    let keys: Vec<Point> = (0..40).map(|_| Point::from_blst(&library::random_multiple_of_g1())).collect();
    let sum = |times: u16| library::to_affine(&key_sum(&gpu.post, &keys, &[times; 40], 1).expect("a sum"));
    let first = sum(1);
    assert_eq!(first, sum(1));
    card.becomes(Some(Mischief::Skips(Kernel::G1Sums)));
    assert_ne!(first, sum(1), "the answer is the same, and another number is taken out");
}

/// The copy of a table is lost, and another key's stays in its place: that one's signatures would do for this one.
#[test]
fn a_table_that_did_not_come_is_not_used() {
    let (card, gpu) = narrow_card();
    let (first, next) = (of_key(9), of_key(10));
    assert!(gpu.verify_hot(&first.0[..5], &[&first.1; 5]).iter().all(Result::is_ok) && gpu.why_not().is_none());
    assert_eq!(card.launches(Kernel::SecpSumHot), 2, "one in the test of the card");
    let forged = first.0[..5].iter().map(|claim| Claim { key: next.0[0].key, ..*claim }).collect::<Vec<_>>();
    drop(first.1);
    card.becomes(Some(Mischief::Forgets(Comb::BYTES / 4)));
    assert!(gpu.verify_hot(&forged, &[&next.1; 5]).iter().all(Result::is_err));
    assert!(matches!(gpu.why_not(), Some(Fault::Lies(_))), "{:?}", gpu.why_not());
}

/// A card tells the right account and a wrong key: with that key remembered the account's next signatures would be refused, by
/// the CPU.
#[test]
fn no_key_is_remembered_on_a_card_s_word() {
    for round in 0..3 {
        let (card, gpu) = bad_card(SEED ^ round);
        let gpu: &'static Gpu = Box::leak(Box::new(gpu));
        let engine = engine(gpu);
        let check = |n: u32, message: u8| {
            let mut secret = [4; 32];
            secret[..4].copy_from_slice(&(n + 10_000 * round as u32).to_le_bytes());
            let key = SecretKey::from_bytes(&secret).expect("below the order");
            let digest = Hash::from([message; 32]);
            let signature = *key.sign(&digest).as_array().expect("65 bytes");
            Check { digest, signature, signer: key.public_key().address() }
        };
        card.becomes(Some(Mischief::Key));
        for message in 0..3 {
            let checks: Vec<Check> = (0..1_000).map(|n| check(n, message)).collect();
            assert_eq!(engine.verify_signers(&checks), vec![true; checks.len()], "round {round}, {message}");
        }
        assert!(gpu.why_not().is_some(), "round {round}: it was caught");
    }
}
