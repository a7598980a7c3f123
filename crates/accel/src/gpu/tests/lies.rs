//! What goes wrong once, in one place; and what becomes of the card.

use super::*;
use crate::gpu::Fault;

/// One word of a message turns over on a card that is asked nothing else.
#[test]
fn digests_of_other_messages_are_not_believed() {
    let texts: Vec<Vec<u8>> = (0..90).map(|n| vec![n; 4 * usize::from(n)]).collect();
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    let right: Vec<Hash> = texts.iter().map(|text| oracle::digest(text)).collect();
    // Behind the canary's 50 words.
    for word in 50..80 {
        let (card, gpu) = bad_card(SEED);
        card.becomes(Some(Mischief::Word(Kernel::KeccakMessages, 0, word)));
        let mut digests = vec![Hash::ZERO; texts.len()];
        gpu.keccak256(&texts, &mut digests);
        assert!(digests == right && gpu.why_not().is_some(), "word {word}");
    }
}

/// One word of a weight or of a vector turns over.
#[test]
fn sums_with_other_weights_are_not_believed() {
    let vectors: Vec<Vec<u8>> = (0..20).map(|k| vec![k; 33]).collect();
    let vectors: Vec<&[u8]> = vectors.iter().map(Vec::as_slice).collect();
    let (weights, mut right) = (vec![5 << 32 | 7; 20], [0; 33]);
    vigil_crypto::signer_vectors::weighted_sums(&vectors, &weights, &mut right);
    // Of the first vector all entries are 0.
    for (place, word) in (2..40).step_by(5).map(|word| (1, word)).chain((9..100).step_by(9).map(|word| (0, word))) {
        let (card, gpu) = bad_card(SEED);
        card.becomes(Some(Mischief::Word(Kernel::SignerSums, place, word)));
        let mut sums = [0; 33];
        gpu.weighted_sums(&vectors, &weights, &mut sums);
        assert!(sums == right && gpu.why_not().is_some(), "place {place}, word {word}");
    }
}

/// A batch with tables that the card does not have waits for none: it has them for the next one.
#[test]
fn tables_come_while_batches_go() {
    let (card, gpu) = bad_card(SEED);
    let claims = claims(&mut ChaCha8Rng::seed_from_u64(SEED), 300);
    let mut keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
    keys.sort_unstable_by_key(|key| key.0);
    keys.dedup();
    let tables: Vec<Comb> = detect()[0].build_combs(&keys).into_iter().map(|comb| comb.expect("a point")).collect();
    let comb = |claim: &Claim| (*claim, tables.iter().find(|comb| *comb.key() == claim.key).expect("a table"));
    let pairs: Vec<(Claim, &Comb)> = claims.iter().map(comb).collect();
    let right: Vec<_> = claims.iter().map(oracle::verify).collect();
    let by_cpu = |some: &[(Claim, &Comb)]| some.iter().map(|(claim, _)| oracle::verify(claim)).collect();
    let by_tables = || card.launches(Kernel::SecpSumHot);
    let before = by_tables();
    assert!(gpu.hot_with(&pairs, &by_cpu) == right);
    assert_eq!(by_tables(), before, "the tables are not there yet");
    while gpu.under_way() > 0 {
        std::thread::yield_now();
    }
    assert!(gpu.hot_with(&pairs, &by_cpu) == right);
    assert_eq!(by_tables(), before + 1, "all are");
    // A card that loses one in the end is caught, tested, and has them copied again.
    card.becomes(Some(Mischief::Answers(1e-2)));
    assert!(gpu.hot_with(&pairs, &by_cpu) == right && gpu.why_not().is_some());
    card.becomes(None);
    assert!(test_now(&gpu), "it is good again");
    let before = by_tables();
    assert!(gpu.hot_with(&pairs, &by_cpu) == right);
    assert_eq!(by_tables(), before, "none is taken to be there");
}

/// Claims of one key, and its table.
fn of_one_key() -> (Vec<Claim>, Comb) {
    of_key(9)
}

/// The same of any.
pub(super) fn of_key(byte: u8) -> (Vec<Claim>, Comb) {
    let key = SecretKey::from_bytes(&[byte; 32]).expect("below the order");
    let claim = |n: u32| {
        let digest = oracle::digest(&n.to_le_bytes());
        let signature = *key.sign(&digest).as_array().expect("65 bytes");
        Claim { signed: Signed { digest, signature }, key: key.public_key() }
    };
    let comb = detect()[0].build_combs(&[key.public_key()]).pop().flatten().expect("a point");
    ((0..1_000).map(claim).collect(), comb)
}

/// A bit turns over in a table on the card: after its rest the card has it anew, and is as good as before.
#[test]
fn what_stays_on_a_card_is_written_anew_after_a_rest() {
    let (claims, comb) = of_one_key();
    let combs = vec![&comb; claims.len()];
    // In the key's table, and in the start.
    for (place, word) in [(4, 65_536 + 3), (3, 7)] {
        let (card, gpu) = bad_card(SEED);
        let is_good = |gpu: &Gpu| gpu.verify_hot(&claims, &combs).iter().all(Result::is_ok);
        assert!(is_good(&gpu) && gpu.why_not().is_none());
        card.becomes(Some(Mischief::Word(Kernel::SecpSumHot, place, word)));
        assert!(is_good(&gpu) && gpu.why_not().is_some(), "place {place}, word {word}");
        card.becomes(None);
        assert!(test_now(&gpu), "place {place}, word {word}");
        assert!(is_good(&gpu) && gpu.why_not().is_none(), "place {place}, word {word}: {:?}", gpu.why_not());
    }
}

/// A card recovers another's key, which fits nothing that the host sees but the claim.
#[test]
fn nobody_is_refused_for_a_signer_of_a_card() {
    for round in 0..3 {
        let (card, gpu) = bad_card(SEED ^ round);
        let gpu: &'static Gpu = Box::leak(Box::new(gpu));
        let engine = engine(gpu);
        let check = |n: u32| {
            let mut secret = [3; 32];
            secret[..4].copy_from_slice(&(n + 10_000 * round as u32).to_le_bytes());
            let key = SecretKey::from_bytes(&secret).expect("below the order");
            let digest = Hash::from([n as u8; 32]);
            let signature = *key.sign(&digest).as_array().expect("65 bytes");
            Check { digest, signature, signer: key.public_key().address() }
        };
        let checks: Vec<Check> = (0..1_000).map(check).collect();
        card.becomes(Some(Mischief::Neighbour));
        assert_eq!(engine.verify_signers(&checks), vec![true; checks.len()], "round {round}");
        assert!(gpu.why_not().is_some(), "round {round}: it was caught");
    }
}

/// A card with one lane, and room for one table beside the canaries'.
pub(super) fn narrow_card() -> (Arc<BadCard>, Gpu) {
    let card = BadCard::new(Twin::open(), SEED);
    let limits = Limits { threads: 1, table_bytes: 0 };
    let cpu = *detect().last().expect("portable");
    let limit = crate::gpu::post::SET_UP;
    let gpu = Gpu::open_within(BackendName::Cuda, 0, Arc::clone(&card) as _, cpu, limit, limits).expect("a good card");
    (card, gpu)
}

/// After a late answer the lane is waited for, and used again: there is no other.
#[test]
fn a_card_that_was_late_once_is_used_again() {
    let (claims, comb) = of_one_key();
    let combs = vec![&comb; claims.len()];
    let (card, gpu) = narrow_card();
    card.becomes(Some(Mischief::Late));
    assert!(gpu.verify_hot(&claims, &combs).iter().all(Result::is_ok));
    assert!(matches!(gpu.why_not(), Some(Fault::Late(_))));
    assert!(test_now(&gpu), "{:?}", gpu.why_not());
    let before = card.launches(Kernel::SecpSumHot);
    assert!(gpu.verify_hot(&claims, &combs).iter().all(Result::is_ok));
    assert!(gpu.why_not().is_none() && card.launches(Kernel::SecpSumHot) == before + 1, "the table has come");
}

/// Nothing is worked out after a card has failed but by who takes over, once.
#[test]
fn tables_of_checkpoints_go_to_who_takes_over() {
    let (card, gpu) = bad_card(SEED);
    let key = |n: u8| vigil_crypto::bls::SecretKey::from_bytes(&[n; 32]).expect("a key").public_key();
    let keys = crate::checkpoint::GuardianKeys::new(&(1..9).map(key).collect::<Vec<_>>());
    let right = gpu.cpu.miller_values(&keys, 0..8, b"m");
    card.becomes(Some(Mischief::Lost));
    let asked = std::cell::Cell::new(0);
    let values = gpu.miller_values_with(&keys, 0..8, b"m", || {
        asked.set(asked.get() + 1);
        right.clone()
    });
    assert!(values == right && asked.get() == 1 && gpu.why_not().is_some());
}
