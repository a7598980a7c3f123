//! Sizes of batches, and bad items in them: which one is bad is said exactly.

use crate::judge::{Claims, Combs, Recoveries, at_most, is_slow, one_in};
use crate::make;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use vigil_accel::{Backend, Claim, Comb, SignatureError};
use vigil_primitives::Hash;

const LARGEST: usize = 4_097;
/// Sizes that are tried beside the small ones: around the powers of two.
const SIZES: [usize; 13] = [127, 128, 129, 255, 256, 257, 511, 512, 513, 1_024, 2_047, 4_096, LARGEST];
/// Every position of batches up to this size holds the bad item once.
const EVERY_POSITION: usize = 67;
/// So many claims are verified by one sum.
const SUMMED: usize = 128;
/// Keys of the batches of hot payers, and of one in three cold ones.
const PAYERS: usize = 5;

/// Valid claims of few keys.
static HOT: LazyLock<Claims> = LazyLock::new(|| {
    let rng = &mut make::rng(0x6261_7463);
    let keys = make::keys(rng, PAYERS);
    Claims::valid(make::claims(rng, &keys, LARGEST))
});

/// Valid claims, each of another key but for stretches of one payer.
static COLD: LazyLock<Claims> = LazyLock::new(|| {
    let rng = &mut make::rng(0x6261_7464);
    let keys = make::keys(rng, LARGEST);
    let claims = keys
        .iter()
        .enumerate()
        .flat_map(|(i, key)| make::claims(rng, &[if i % 6 < 4 { *key } else { keys[i / 512] }], 1));
    Claims::valid(claims.collect())
});

fn first(claims: &Claims, n: usize) -> Claims {
    Claims { claims: claims.claims[..n].to_vec(), answers: claims.answers[..n].to_vec() }
}

fn sizes() -> impl Iterator<Item = usize> {
    let small = (0..3).chain((3..=130).step_by(one_in(9)));
    small.chain(SIZES.into_iter().step_by(one_in(6)))
}

fn as_recoveries(claims: &Claims) -> Recoveries {
    Recoveries::judged(claims.claims.iter().map(|claim| claim.signed).collect())
}

/// The ways in which one item is bad; `kind` picks one.
fn spoil(claim: &Claim, kind: usize) -> Claim {
    let mut bad = *claim;
    match kind % 8 {
        0 => bad.signed.signature[64] ^= 1,
        1 => bad.signed.digest.0[31] ^= 1,
        2 => bad.signed.signature[63] ^= 1,
        3 => bad.signed.signature[64] = 27,
        4 => bad.signed.signature[..32].fill(0),
        5 => bad.signed.signature[32..64].fill(0),
        6 => bad.signed.signature[32..64].fill(0x7f),
        _ => {
            let r = (1..).map(|d| make::parts(&claim.signed).1.wrapping_add(vigil_primitives::U256::from(d)));
            let r = r.into_iter().find(|r| make::lift(*r, false).is_none()).expect("every second x");
            bad.signed.signature[..32].copy_from_slice(&r.to_be_bytes::<32>());
        }
    }
    bad
}

/// Batches of valid claims with one bad one: all positions of the small, some of the large.
fn one_bad(claims: &Claims, mut check: impl FnMut(&Claims)) {
    let every_position = (at_most(EVERY_POSITION * EVERY_POSITION) / one_in(4)).isqrt();
    let small = (1..=every_position).flat_map(|n| (0..n).map(move |at| (n, at)));
    let large = [511, 512, 513, 1_024, LARGEST].into_iter().step_by(one_in(3)).filter(|n| *n <= at_most(LARGEST));
    let large = large.flat_map(|n| [0, n / 3, n / 2, n - 1].map(|at| (n, at)));
    for (n, at) in small.chain(large) {
        let mut batch = first(claims, n);
        batch.set(at, spoil(&claims.claims[at], n + at));
        check(&batch);
    }
}

/// Batches in which some, half or all are bad.
fn many_bad(claims: &Claims, mut check: impl FnMut(&Claims)) {
    let rng: &mut ChaCha20Rng = &mut make::rng(0x6d61_6e79);
    let batches = [(LARGEST, 1), (LARGEST, 10), (1_024, 100), (1_000, 500), (513, 1_000), (64, 1_000), (9, 1_000)];
    for (n, in_thousand) in batches.into_iter().step_by(one_in(3)) {
        let n = n.min(at_most(n));
        let mut batch = first(claims, n);
        for i in 0..n {
            if rng.next_u32() % 1_000 < in_thousand {
                batch.set(i, spoil(&claims.claims[i], rng.next_u32() as usize));
            }
        }
        check(&batch);
        let all_the_same = spoil(&claims.claims[0], 1);
        batch.claims.iter_mut().zip(&mut batch.answers).step_by(2).for_each(|(claim, answer)| {
            (*claim, *answer) = (all_the_same, Err(SignatureError::WrongKey));
        });
        check(&batch);
    }
}

/// The same claim many times.
fn repeated(claims: &Claims, n: usize) -> Claims {
    Claims { claims: vec![claims.claims[0]; n], answers: vec![claims.answers[0]; n] }
}

fn combs(backend: &dyn Backend) -> Combs {
    Combs::of(backend, HOT.claims.iter().map(|claim| claim.key))
}

pub(crate) fn recover_sizes(backend: &dyn Backend) {
    let all = as_recoveries(&COLD);
    for n in sizes() {
        Recoveries { items: all.items[..n].to_vec(), answers: all.answers[..n].to_vec() }.check(backend);
        Recoveries { items: vec![all.items[0]; n], answers: vec![all.answers[0]; n] }.check(backend);
    }
}

pub(crate) fn cold_sizes(backend: &dyn Backend) {
    for n in sizes() {
        first(&COLD, n).check_cold(backend);
        first(&HOT, n).check_cold(backend);
        repeated(&COLD, n).check_cold(backend);
    }
}

pub(crate) fn hot_sizes(backend: &dyn Backend) {
    let combs = combs(backend);
    for n in sizes() {
        combs.check(backend, &first(&HOT, n));
        combs.check(backend, &repeated(&HOT, n));
    }
}

pub(crate) fn recover_one_bad(backend: &dyn Backend) {
    one_bad(&COLD, |batch| {
        let answers = batch.claims.iter().zip(&batch.answers).map(|(claim, answer)| match answer {
            Ok(()) => Ok(vigil_accel::Signer { key: claim.key, address: claim.key.address() }),
            Err(_) => vigil_accel::oracle::recover(&claim.signed),
        });
        let answers = answers.collect();
        Recoveries { items: batch.claims.iter().map(|claim| claim.signed).collect(), answers }.check(backend);
    });
}

pub(crate) fn cold_one_bad(backend: &dyn Backend) {
    one_bad(&COLD, |batch| batch.check_cold(backend));
    for valid in [first(&HOT, EVERY_POSITION), first(&HOT, SUMMED), first(&COLD, SUMMED)] {
        for at in (0..valid.claims.len()).step_by(if is_slow() { 16 } else { 1 }) {
            let mut batch = valid.clone();
            batch.set(at, spoil(&valid.claims[at], at));
            batch.check_cold(backend);
        }
    }
}

pub(crate) fn hot_one_bad(backend: &dyn Backend) {
    let combs = combs(backend);
    one_bad(&HOT, |batch| combs.check(backend, batch));
}

pub(crate) fn recover_many_bad(backend: &dyn Backend) {
    many_bad(&COLD, |batch| as_recoveries(batch).check(backend));
}

pub(crate) fn cold_many_bad(backend: &dyn Backend) {
    for claims in [&COLD, &HOT] {
        many_bad(claims, |batch| batch.check_cold(backend));
        many_bad(claims, |batch| batch.check_cold_after_others(backend));
    }
}

pub(crate) fn hot_many_bad(backend: &dyn Backend) {
    let combs = combs(backend);
    many_bad(&HOT, |batch| combs.check(backend, batch));
}

/// The callers' mistakes are panics, as the trait says.
pub(crate) fn slices_of_different_lengths(backend: &dyn Backend) {
    let comb: Vec<_> = backend.build_combs(&[HOT.claims[0].key]).into_iter().flatten().collect();
    let comb: &Comb = comb.first().expect("a table of a point");
    let hot = |combs: &[&Comb]| catch_unwind(AssertUnwindSafe(|| backend.verify_hot(&HOT.claims[..2], combs)));
    assert!(hot(&[comb]).is_err() && hot(&[]).is_err() && hot(&[comb; 3]).is_err());
    let hash = |out: &mut [Hash]| catch_unwind(AssertUnwindSafe(|| backend.keccak256(&[b"one", b"two"], out))).is_err();
    assert!(hash(&mut [Hash::ZERO]) && hash(&mut [Hash::ZERO; 3]) && hash(&mut []));
}
