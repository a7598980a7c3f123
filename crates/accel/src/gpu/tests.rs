//! The host program on the host twin, good and bad.

use super::backend::Gpu;
use super::bad_card::{BadCard, Gate, Mischief};
use super::card::Kernel;
use super::find::Limits;
use super::post::Kind;
use super::question::{Message, OfMessage, Question};
use super::twin::Twin;
use crate::backend::{Backend, BackendName, detect};
use crate::engine::{CardCost, Op, Plan};
use crate::ops::{Claim, Signed, SignedMessage};
use crate::{Comb, Engine, EngineConfig, oracle};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use vigil_crypto::{Check, SecretKey};
use vigil_primitives::Hash;

mod lies;
mod stale;
mod votes;

const SEED: u64 = 0x6770_7521;

/// Claims of a few keys; every third is bad in some way.
fn claims(dice: &mut ChaCha8Rng, count: usize) -> Vec<Claim> {
    let keys: Vec<SecretKey> = (0..5).filter_map(|_| SecretKey::from_bytes(&dice.random())).collect();
    let claim = |at: usize| {
        let key = &keys[dice.random_range(0..keys.len())];
        let digest = Hash::from(dice.random::<[u8; 32]>());
        let mut signature = *key.sign(&digest).as_array().expect("65 bytes");
        match at % 15 {
            0 => signature[dice.random_range(0..64)] ^= 1,
            3 => signature[64] = 2,
            6 => signature[..32].fill(0),
            9 => signature[32..64].fill(0xff),
            12 => signature[64] ^= 1,
            _ => {}
        }
        Claim { signed: Signed { digest, signature }, key: key.public_key() }
    };
    (0..count).map(claim).collect()
}

fn bad_card(seed: u64) -> (Arc<BadCard>, Gpu) {
    let card = BadCard::new(Twin::open(), seed);
    let cpu = *detect().last().expect("portable");
    let gpu = Gpu::open(BackendName::Cuda, Arc::clone(&card) as _, cpu).expect("it is good so far");
    (card, gpu)
}

/// As after a rest.
fn test_now(gpu: &Gpu) -> bool {
    gpu.test_again(gpu.post.health.begin_test())
}

/// All operations on signatures give what the oracle gives.
fn check(gpu: &Gpu, claims: &[Claim], combs: &[&Comb], what: &str) {
    let signed: Vec<Signed> = claims.iter().map(|claim| claim.signed).collect();
    let right: Vec<_> = signed.iter().map(oracle::recover).collect();
    assert!(gpu.recover(&signed) == right, "{what}: recover");
    let right: Vec<_> = claims.iter().map(oracle::verify).collect();
    assert!(gpu.verify_cold(claims) == right, "{what}: verify_cold");
    assert!(gpu.verify_hot(claims, combs) == right, "{what}: verify_hot");
    let key = SecretKey::from_bytes(&[7; 32]).expect("below the order");
    let message = |at: usize| {
        let message = vec![at as u8; at % 300];
        let mut signature = *key.sign(&oracle::digest(&message)).as_array().expect("65 bytes");
        signature[40] ^= u8::from(at.is_multiple_of(4));
        (message, signature)
    };
    let texts: Vec<_> = (0..claims.len()).map(message).collect();
    let signer = key.public_key().address();
    let messages: Vec<SignedMessage<'_>> =
        texts.iter().map(|(message, signature)| SignedMessage { message, signature: *signature, signer }).collect();
    let is_good = |message: &Message| OfMessage::oracle(message).is_ok();
    let by_cpu = |some: &[SignedMessage<'_>]| Message::copies(some, 0).iter().map(is_good).collect::<Vec<bool>>();
    assert!(gpu.verify_messages_with(&messages, &by_cpu) == by_cpu(&messages), "{what}: messages");
    let messages: Vec<&[u8]> = signed.iter().map(|signed| &signed.signature[..]).collect();
    let weights: Vec<u64> = (0..).map(|k: u64| k << 40 | 0xffff).take(messages.len()).collect();
    let (mut sums, mut right) = ([0; 65], [0; 65]);
    gpu.weighted_sums(&messages, &weights, &mut sums);
    vigil_crypto::signer_vectors::weighted_sums(&messages, &weights, &mut right);
    assert!(sums == right, "{what}: sums of signer vectors");
    let mut digests = vec![Hash::ZERO; messages.len()];
    gpu.keccak256(&messages, &mut digests);
    assert!(
        messages.iter().zip(&digests).all(|(message, digest)| oracle::digest(message) == *digest),
        "{what}: keccak"
    );
}

/// Whatever bits turn over in answers or in the card's memory, nothing wrong is said.
#[test]
fn flipped_bits_are_never_believed() {
    eprintln!("seed {SEED:#x}");
    let dice = &mut ChaCha8Rng::seed_from_u64(SEED);
    let claims = claims(dice, 300);
    let keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
    let mut distinct = keys.clone();
    distinct.sort_unstable_by_key(|key| key.0);
    distinct.dedup();
    let tables: Vec<Comb> = detect()[0].build_combs(&distinct).into_iter().map(|comb| comb.expect("a point")).collect();
    let comb = |key| tables.iter().find(|comb| comb.key() == key).expect("one for each key");
    let combs: Vec<&Comb> = keys.iter().map(comb).collect();
    let mut caught = 0;
    for rate in [1e-6, 1e-5, 1e-4, 1e-3, 1e-2] {
        for (seed, mischief) in (0..6).zip([Mischief::Answers(rate), Mischief::Memory(rate)].into_iter().cycle()) {
            let (card, gpu) = bad_card(SEED ^ seed);
            check(&gpu, &claims, &combs, "while it is good");
            assert_eq!(gpu.why_not(), None);
            card.becomes(Some(mischief.clone()));
            check(&gpu, &claims, &combs, &format!("{mischief:?}"));
            caught += usize::from(gpu.why_not().is_some());
        }
    }
    eprintln!("{caught} of 30 cards were caught");
    assert!(caught >= 20, "{caught} of 30 cards were caught");
}

/// One bit of one item turns over between two kernels: in what was asked, or in any column of the state.
#[test]
fn single_flips_between_kernels_are_never_believed() {
    let claims: Vec<Claim> = claims(&mut ChaCha8Rng::seed_from_u64(SEED), 60)
        .into_iter()
        .filter(|claim| oracle::verify(claim).is_ok())
        .collect();
    let signed: Vec<Signed> = claims.iter().map(|claim| claim.signed).collect();
    let right: Vec<_> = signed.iter().map(oracle::recover).collect();
    // Columns are as long as there are items, four canaries among them.
    let stride = (signed.len() + 4).next_multiple_of(32);
    let between = [Kernel::InvertOrder, Kernel::SecpSum, Kernel::InvertField, Kernel::RecoverFinish];
    let state = between.into_iter().flat_map(|kernel| {
        let place = usize::from(matches!(kernel, Kernel::SecpSum | Kernel::RecoverFinish));
        (0..25).map(move |column| (kernel, place, column * stride + 7))
    });
    let items = between.into_iter().filter(|kernel| !matches!(kernel, Kernel::InvertOrder | Kernel::InvertField));
    let items = items.flat_map(|kernel| (0..25).map(move |word| (kernel, 0, 25 * 7 + word)));
    let (card, mut gpu) = bad_card(4);
    for (kernel, place, word) in state.chain(items) {
        card.becomes(Some(Mischief::Word(kernel, place, word)));
        assert!(gpu.recover(&signed) == right, "{}, place {place}, word {word}", kernel.name());
        if gpu.why_not().is_some() {
            card.becomes(None);
            gpu = Gpu::open(BackendName::Cuda, Arc::clone(&card) as _, *detect().last().expect("portable"))
                .expect("good");
        }
    }
}

#[test]
fn a_card_that_falls_off_the_bus_or_is_full_is_left_alone() {
    let dice = &mut ChaCha8Rng::seed_from_u64(SEED);
    let claims = claims(dice, 300);
    for mischief in [Mischief::Lost, Mischief::Full(1)] {
        let (card, gpu) = bad_card(1);
        card.becomes(Some(mischief.clone()));
        let signed: Vec<Signed> = claims.iter().map(|claim| claim.signed).cycle().take(3_000).collect();
        for _ in 0..2 {
            assert_eq!(gpu.recover(&signed), signed.iter().map(oracle::recover).collect::<Vec<_>>());
        }
        assert!(gpu.why_not().is_some(), "{mischief:?}");
    }
}

/// A process may end as soon as a card is dropped: no thread is in its driver then.
#[test]
fn who_drops_a_card_waits_for_its_couriers() {
    for _ in 0..20 {
        let (card, gpu) = bad_card(5);
        drop(gpu);
        assert_eq!(Arc::strong_count(&card), 1);
    }
}

/// An engine whose plan gives large batches to the card.
fn engine(gpu: &'static Gpu) -> Engine {
    let of_cards = |op: Op| match op {
        Op::Checkpoint | Op::SignerVectors => vec![],
        _ => vec![CardCost { card: 0, fixed_ns: 1.0, ns_per_item: 1.0 }],
    };
    let plan = Plan::unmeasured(&detect()).with_same_cost(1_000.0).with_cards(of_cards);
    let config = EngineConfig { threads: 2, pin: false, cards: vec![gpu], plan: Some(plan), ..EngineConfig::default() };
    Engine::start(config).expect("threads")
}

#[test]
fn the_engine_divides_batches_between_cpu_and_card() {
    let (card, gpu) = bad_card(2);
    let gpu: &'static Gpu = Box::leak(Box::new(gpu));
    let engine = engine(gpu);
    let claims = claims(&mut ChaCha8Rng::seed_from_u64(SEED), 2_000);
    let signed: Vec<Signed> = claims.iter().map(|claim| claim.signed).collect();
    let check = |c: &Claim| Check { digest: c.signed.digest, signature: c.signed.signature, signer: c.key.address() };
    let checks: Vec<Check> = claims.iter().map(check).collect();
    let recovered: Vec<_> = signed.iter().map(oracle::recover).collect();
    let verdicts: Vec<_> = claims.iter().map(oracle::verify).collect();
    let good: Vec<bool> = verdicts.iter().map(Result::is_ok).collect();
    let messages: Vec<&[u8]> = signed.iter().map(|signed| &signed.signature[..]).collect();
    let digests: Vec<_> = messages.iter().map(|message| oracle::digest(message)).collect();
    let key = SecretKey::from_bytes(&[7; 32]).expect("below the order");
    let signature = |message: &[u8]| *key.sign(&oracle::digest(message)).as_array().expect("65 bytes");
    let signed_messages: Vec<SignedMessage<'_>> = (0..)
        .zip(&messages)
        .map(|(at, message)| SignedMessage {
            message,
            signature: signature(if at % 5 == 0 { b"another" } else { message }),
            signer: key.public_key().address(),
        })
        .collect();
    let right: Vec<bool> = (0..messages.len()).map(|at| at % 5 != 0).collect();
    for mischief in [None, Some(Mischief::Answers(1e-4)), Some(Mischief::Lost)] {
        card.becomes(mischief);
        for _ in 0..3 {
            assert_eq!(engine.recover(&signed), recovered);
            assert_eq!(engine.verify_signers(&checks), good);
            assert_eq!(engine.verify_known(&claims), verdicts);
            assert_eq!(engine.keccak256(&messages), digests);
            assert_eq!(engine.verify_messages(&signed_messages), right);
        }
    }
    assert!(gpu.why_not().is_some());
}

/// A vote does not wait for a batch that a card sits on.
#[test]
fn votes_do_not_wait_for_a_card() {
    let (card, gpu) = bad_card(3);
    let gpu: &'static Gpu = Box::leak(Box::new(gpu));
    let engine = engine(gpu);
    let claims = claims(&mut ChaCha8Rng::seed_from_u64(SEED), 1_500);
    let signed: Vec<Signed> = claims.iter().map(|claim| claim.signed).collect();
    let gate = Arc::new(Gate::default());
    card.becomes(Some(Mischief::Gated(Arc::clone(&gate))));
    std::thread::scope(|scope| {
        let batch = scope.spawn(|| engine.recover(&signed));
        while gpu.under_way() == 0 {
            std::thread::yield_now();
        }
        let check =
            |c: &Claim| Check { digest: c.signed.digest, signature: c.signed.signature, signer: c.key.address() };
        let votes: Vec<Check> = claims[..20].iter().map(check).collect();
        let right: Vec<bool> = claims[..20].iter().map(|claim| oracle::verify(claim).is_ok()).collect();
        assert_eq!(engine.verify_signers_once(&votes), right);
        assert!(gpu.under_way() > 0, "the card still sits on the batch");
        gate.open();
        assert_eq!(batch.join().expect("the batch"), signed.iter().map(oracle::recover).collect::<Vec<_>>());
    });
}

/// Accounts that begin as the signer's does: who could grind 32 bits of an address would sign for it.
#[test]
fn a_part_of_an_address_is_no_signer() {
    let (_, gpu) = bad_card(SEED);
    let key = SecretKey::from_bytes(&[7; 32]).expect("below the order");
    let text = [5; 40];
    let signature = *key.sign(&oracle::digest(&text)).as_array().expect("65 bytes");
    let forged = |at: usize| {
        let mut signer = key.public_key().address();
        if at > 0 {
            signer.0[at] ^= 1;
        }
        SignedMessage { message: &text, signature, signer }
    };
    let messages: Vec<SignedMessage<'_>> = (0..300).map(|at| forged(at % 20)).collect();
    let right: Vec<bool> = (0..300).map(|at| at % 20 == 0).collect();
    for _ in 0..5 {
        assert_eq!(gpu.verify_messages(&messages), right);
    }
    assert_eq!(gpu.why_not(), None, "a stranger's lie is no card's");
}

/// A card that is nearly full holds few tables, and is used; one that is full is not.
#[test]
fn a_card_takes_as_many_tables_as_fit() {
    let open = |full_from: Option<usize>, table_bytes: u64| {
        let card = BadCard::new(Twin::open(), SEED);
        card.becomes(full_from.map(Mischief::Full));
        let limits = Limits { table_bytes, threads: 1 };
        let cpu = *detect().last().expect("portable");
        let gpu = Gpu::open_within(BackendName::Cuda, 0, card, cpu, super::post::SET_UP, limits);
        gpu.map(|gpu| super::tables::lock(&gpu.tables).count())
    };
    let words = Comb::BYTES / 4;
    assert_eq!(open(None, u64::MAX), Ok(512));
    assert_eq!(open(None, 10 * Comb::BYTES as u64), Ok(11), "beside the canaries'");
    assert_eq!(open(None, 0), Ok(2));
    assert_eq!(open(Some(30 * words), u64::MAX), Ok(16));
    let table_of_g = 20 * 4_096 * 16;
    assert!(table_of_g > 2 * words);
    assert!(matches!(open(Some(table_of_g), u64::MAX), Err(super::Fault::OutOfMemory { .. })));
}

#[test]
fn nobody_waits_long_for_a_card() {
    let (_, gpu) = bad_card(SEED);
    for items in [1, 300, 16_384, 1 << 20] {
        for kind in [Kind::Recover, Kind::Known, Kind::Digests, Kind::Program, Kind::Tables] {
            assert!(gpu.post.limit(kind, items) <= std::time::Duration::from_secs(60), "{items} items, {kind:?}");
        }
    }
}
