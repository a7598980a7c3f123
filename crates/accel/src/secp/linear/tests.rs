//! Verdicts against the oracle, on plain words and on what else this machine has.

mod buckets;

use super::*;
use crate::backends::portable::Portable;
use crate::ops::Signed;
use crate::oracle;
use crate::secp::glv::LAMBDA;
use crate::secp::order::{N, Order};
use crate::testing;
use crate::words;
use rand::seq::SliceRandom;
use std::sync::LazyLock;
use vigil_crypto::{PublicKey, SecretKey, keccak256};
use vigil_primitives::Hash;

static PLAIN: LazyLock<Generator> = LazyLock::new(|| Generator::new(Portable));

#[cfg(target_arch = "x86_64")]
static WIDE: LazyLock<Option<(crate::backends::avx512ifma::Avx512Ifma, Generator)>> = LazyLock::new(|| {
    let machine = crate::backends::avx512ifma::Avx512Ifma::detect();
    machine.map(|machine| (machine, Generator::new(machine)))
});

/// The verdicts of every machine.
fn verdicts<R: RngCore + Clone>(claims: &[Claim], coefficients: &R) -> Vec<Vec<Verdict>> {
    WORKSPACE.take(); // a thread whose batches were bad would not add up this one
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
    let mut all = vec![verify_with(Portable, &PLAIN, claims, &mut coefficients.clone())];
    #[cfg(target_arch = "x86_64")]
    if let Some((machine, generator)) = WIDE.as_ref() {
        WORKSPACE.take();
        all.push(verify_with(*machine, generator, claims, &mut coefficients.clone()));
    }
    all
}

fn check(claims: &[Claim], seed: u64) {
    let want: Vec<_> = claims.iter().map(oracle::verify).collect();
    for got in verdicts(claims, &ChaCha20Rng::seed_from_u64(seed)) {
        assert_eq!(got.len(), want.len());
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            assert_eq!(got, want, "claim {i} of {}, coefficients of seed {seed}", claims.len());
        }
    }
}

/// How many items of claims a search leaves to decisions.
fn doubtful(claims: &[Claim], seed: u64) -> usize {
    left(claims, 0.0, &mut ChaCha20Rng::seed_from_u64(seed)).iter().map(Range::len).sum()
}

/// What a search leaves if such a part of the batch before was bad.
fn left(claims: &[Claim], bad_part: f64, coefficients: &mut impl RngCore) -> Vec<Items> {
    let (mut batch, mut summing) = (Batch::default(), Summing::default());
    let (mut verdicts, _) = batch.parse(claims);
    batch.equations(Portable, claims, coefficients, &mut verdicts);
    let search = Search { machine: Portable, generator: &PLAIN, batch: &mut batch, summing: &mut summing };
    search.doubtful(search::steps(claims.len(), bad_part, false))
}

fn order(number: u64) -> Order {
    Order::reduce([number, 0, 0, 0])
}

fn secret(secret: Order) -> SecretKey {
    SecretKey::from_bytes(&words::to_be(secret.words())).expect("in 1..n")
}

/// A valid claim made with a given key and nonce.
fn craft(key: Order, nonce: Order, digest: Hash) -> Claim {
    let key_point = secret(key).public_key();
    let nonce_point = secret(nonce).public_key().to_words();
    let r = Order::reduce(*nonce_point.first_chunk().expect("x"));
    let s = nonce.invert().mul(Order::from_digest(&digest).add(r.mul(key)));
    let (negative, s) = s.halved();
    let mut signature = [0; 65];
    signature[..32].copy_from_slice(&words::to_be(r.words()));
    signature[32..64].copy_from_slice(&words::to_be(s));
    signature[64] = (nonce_point[4] & 1) as u8 ^ u8::from(negative);
    Claim { signed: Signed { digest, signature }, key: key_point }
}

/// A claim with a key and nonce of no structure.
fn claim(number: u64, key: u64) -> Claim {
    let random =
        |name: &[u8], number: u64| Order::from_digest(&keccak256([name, number.to_be_bytes().as_slice()].concat()));
    craft(random(b"key", key), random(b"nonce", number), keccak256(number.to_be_bytes()))
}

static CLAIMS: LazyLock<Vec<Claim>> = LazyLock::new(|| (0..3000).map(|number| claim(number, number)).collect());

/// What can be wrong with a claim.
const FAULTS: [fn(&mut Claim); 14] = [
    |claim| claim.signed.digest.0[31] ^= 1,
    |claim| claim.signed.signature[31] ^= 1,
    |claim| claim.signed.signature[63] ^= 1,
    |claim| claim.signed.signature[64] ^= 1,
    |claim| claim.key = CLAIMS[7].key,
    |claim| claim.key.0[..32].fill(0xff),
    |claim| claim.key.0[63] ^= 1,
    |claim| claim.key = PublicKey([0; 64]),
    |claim| claim.key = negative(&claim.key),
    |claim| claim.signed.signature[64] = 2,
    |claim| claim.signed.signature[..32].fill(0),
    |claim| claim.signed.signature[32..64].fill(0),
    |claim| claim.signed.signature[32] |= 0x80,
    // 5 is no x of a point.
    |claim| claim.signed.signature[..32].copy_from_slice(&words::to_be([5, 0, 0, 0])),
];

/// The opposite point.
fn negative(key: &PublicKey) -> PublicKey {
    let p = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];
    let mut words = key.to_words();
    let (y, _) = words::sub(p, *words[4..].first_chunk().expect("y"));
    words[4..].copy_from_slice(&y);
    PublicKey::from_words(words)
}

#[test]
fn good_claims_of_many_sizes() {
    for n in [0, 1, 63, 64, 65, 95, 96, 97, 200, 1000, 3000] {
        check(&CLAIMS[..n], 1);
    }
}

#[test]
fn sums_of_good_claims_hold() {
    for n in [64, 65, 300, 1000] {
        assert_eq!(doubtful(&CLAIMS[..n], 2), 0, "{n} different keys");
    }
    for keys in [1, 2, 10, 100, 299] {
        let claims: Vec<_> = (0..300).map(|number| claim(number, number % keys)).collect();
        assert_eq!(doubtful(&claims, 3), 0, "{keys} keys");
    }
}

#[test]
fn one_bad_claim_is_named() {
    for (n, step) in [(96, 1), (150, 7), (1000, 333)] {
        for at in (0..n).step_by(step) {
            let mut claims = CLAIMS[..n].to_vec();
            FAULTS[at % 5](&mut claims[at]);
            check(&claims, at as u64);
            claims[at].signed = Signed { digest: Hash::ZERO, ..CLAIMS[at].signed };
            let items = at..at + 1;
            assert_eq!(left(&claims, 0.0, &mut testing::rng(4)), [items], "of {n}");
        }
    }
}

/// Blocks with two bad claims, also such whose errors are equal or opposite, are left to smaller ones.
#[test]
fn two_bad_claims_of_a_block_are_not_taken_for_one() {
    for (i, j) in [(0, 1), (3, 77), (0, 255), (100, 200)] {
        let mut claims = CLAIMS[..512].to_vec();
        claims[i].signed.digest.0[9] ^= 1;
        claims[j].signed.digest.0[9] ^= 1;
        for opposite in [false, true] {
            if opposite {
                claims[..512].copy_from_slice(&CLAIMS[..512]);
                opposite_errors(&mut claims, i, j);
            }
            let left = left(&claims, 0.0, &mut testing::rng(18));
            for bad in [i, j] {
                assert!(left.iter().any(|items| items.contains(&bad)), "{bad} of {i} and {j} is left");
            }
            assert!(left.iter().map(Range::len).sum::<usize>() <= 32);
            check(&claims, 18);
        }
    }
}

#[test]
fn every_fault() {
    for (number, fault) in FAULTS.iter().enumerate() {
        let mut claims = CLAIMS[..100].to_vec();
        fault(&mut claims[33]);
        assert!(oracle::verify(&claims[33]).is_err(), "fault {number}");
        check(&claims, number as u64);
        claims[..90].iter_mut().for_each(fault);
        check(&claims, number as u64);
    }
}

#[test]
fn many_bad_claims() {
    let mut rng = testing::rng(5);
    for percent in [1, 10, 50, 100] {
        let mut claims = CLAIMS[..700].to_vec();
        for claim in &mut claims {
            if rng.next_u32() % 100 < percent {
                FAULTS[rng.next_u32() as usize % FAULTS.len()](claim);
            }
        }
        check(&claims, u64::from(percent));
    }
}

/// Two bad claims whose equations, divided by s, are wrong by opposite points.
fn opposite_errors(claims: &mut [Claim], i: usize, j: usize) {
    for (at, error) in [(i, order(12345)), (j, order(12345).neg())] {
        let signed = &mut claims[at].signed;
        let s = Order::from_be(signed.signature[32..].first_chunk().expect("s")).expect("below n");
        let digest = Order::from_digest(&signed.digest).add(error.mul(s));
        signed.digest = Hash::from(words::to_be(digest.words()));
    }
}

#[test]
fn errors_that_cancel_are_found() {
    let mut claims = CLAIMS[..128].to_vec();
    opposite_errors(&mut claims, 3, 100);
    opposite_errors(&mut claims, 64, 65);
    assert!(left(&claims, 0.0, &mut Equal).is_empty(), "equal coefficients are deceived, or the forgery is none");
    for seed in 0..20 {
        check(&claims, seed);
    }
}

/// Coefficients that are all the same.
#[derive(Clone)]
struct Equal;

impl RngCore for Equal {
    fn next_u32(&mut self) -> u32 {
        0x1234_5678
    }

    fn next_u64(&mut self) -> u64 {
        0x1234_5678_9abc_def1
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(0x12);
    }
}

#[test]
fn repeated_claims() {
    check(&[CLAIMS[0]; 200], 6);
    let mut claims = CLAIMS[..250].to_vec();
    claims.extend_from_within(..250);
    claims.shuffle(&mut testing::rng(7));
    check(&claims, 7);
    claims[77].signed.digest.0[0] ^= 1;
    check(&claims, 8);
}

/// Keys and nonces whose points are equal, opposite, images of each other, and sums of others.
#[test]
fn keys_and_nonces_of_much_structure() {
    let lambda = Order::reduce(LAMBDA);
    let mut special = vec![lambda, lambda.mul(lambda), lambda.add(Order::ONE)];
    special.extend((1..12).map(order));
    special.extend(special.clone().iter().map(|number| number.neg()));
    let mut claims = Vec::new();
    for (i, key) in special.iter().enumerate() {
        for (j, nonce) in special.iter().enumerate() {
            claims.push(craft(*key, *nonce, keccak256([i as u8, j as u8])));
        }
    }
    claims.shuffle(&mut testing::rng(9));
    check(&claims, 9);
    check(&claims[..100], 10);
    claims[99].key = negative(&claims[99].key);
    check(&claims, 11);
}

/// Points in an arithmetic progression meet often enough in the buckets to be added one by one, and too seldom to give up.
#[test]
fn a_progression_of_points_is_summed() {
    let claims: Vec<_> = (1..1500).map(|i| craft(order(i), order(2000 + i), keccak256(i.to_be_bytes()))).collect();
    check(&claims, 12);
    assert_eq!(doubtful(&claims, 12), 0);
}

/// Who signs with one nonce again and again has his claims decided one by one, and nobody else's.
#[test]
fn a_repeated_nonce_costs_others_nothing() {
    let mut claims: Vec<_> = (0..200).map(|i| craft(order(1000 + i), order(77), keccak256(i.to_be_bytes()))).collect();
    claims[7] = craft(order(1007), order(77).neg(), keccak256([7]));
    claims.extend_from_slice(&CLAIMS[..2000]);
    for bad_part in [0.0, 0.001, 0.008] {
        let left = left(&claims, bad_part, &mut testing::rng(19));
        assert_eq!(left.iter().map(Range::len).sum::<usize>(), 200, "{bad_part}: {left:?}");
    }
    check(&claims, 19);
    claims[1234].signed.digest.0[1] ^= 1;
    check(&claims, 19);
}

#[test]
fn nonce_near_the_order() {
    let (minus_one, _) = words::sub(N, [1, 0, 0, 0]);
    let claims: Vec<_> =
        (0..100).map(|i| craft(Order::reduce(minus_one), order(i + 1).neg(), keccak256([i as u8]))).collect();
    check(&claims, 13);
}

/// The end of the search: with tables for the keys of many claims, and without.
#[test]
fn claims_are_decided_one_by_one() {
    let mut claims: Vec<_> = (0..300).map(|number| claim(number, [number, 7][number as usize % 2])).collect();
    claims.iter_mut().step_by(3).for_each(FAULTS[0]);
    let want: Vec<_> = claims.iter().map(oracle::verify).collect();
    assert_eq!(decide(Portable, &PLAIN, &claims), want);
    assert!(claims.iter().filter(|claim| claim.key == claims[1].key).count() >= TABLE_MIN);
}

/// Large batches with one bad claim and with many.
#[test]
fn large_batches() {
    let mut claims = CLAIMS.clone();
    claims.extend((3000..5000).map(|number| claim(number, number % 50)));
    claims[4321].signed.digest.0[5] ^= 4;
    check(&claims, 14);
    claims.iter_mut().step_by(70).for_each(FAULTS[0]);
    check(&claims, 15);
}

#[test]
fn coefficients_are_fresh() {
    let (mut a, mut b) = (coefficients(), coefficients());
    assert_ne!([a.next_u64(), a.next_u64()], [b.next_u64(), b.next_u64()]);
}

/// What is known of the batch before changes where a search begins, and no verdict.
#[test]
fn any_beginning_of_the_search() {
    let mut claims = CLAIMS[..1000].to_vec();
    for at in [0, 130, 131, 999] {
        claims[at].signed.digest.0[7] ^= 1;
    }
    for (bad_part, items) in [(0.0, 34), (0.001, 34), (0.008, 34), (0.02, 1000)] {
        let left = left(&claims, bad_part, &mut testing::rng(16));
        assert!([0, 130, 131, 999].iter().all(|bad| left.iter().any(|items| items.contains(bad))), "{bad_part}");
        let len: usize = left.iter().map(Range::len).sum();
        assert!(len <= items, "{len} are left of 1000 if {bad_part} were bad before");
        WORKSPACE.with_borrow_mut(|workspace| workspace.bad_part = bad_part);
        check(&claims, 16);
    }
    WORKSPACE.with_borrow_mut(|workspace| workspace.bad_part = 0.0);
}

/// Batches of bad items are decided without sums; good ones bring the sums back.
#[test]
fn the_search_learns() {
    let steps = |bad_part| search::steps(16384, bad_part, false).first().copied();
    assert_eq!([0.0, 1e-3, 1e-2, 0.1].map(steps), [Some(16384), Some(128), Some(32), None]);
    let bad_part = || WORKSPACE.with_borrow(|workspace| workspace.bad_part);
    let mut claims = CLAIMS[..200].to_vec();
    claims.iter_mut().for_each(FAULTS[0]);
    check(&claims, 17);
    assert!((0.15..0.4).contains(&bad_part()), "of two machines");
    check(&CLAIMS[..1000], 17);
    assert_eq!(search::steps(200, bad_part(), false), [16384, 128, 32], "{}", bad_part());
}

/// One bad claim of a small batch says little about a large one.
#[test]
fn a_small_batch_tells_little() {
    let mut claims = CLAIMS[..96].to_vec();
    WORKSPACE.set(Workspace::default());
    FAULTS[0](&mut claims[50]);
    check(&claims, 20);
    let bad_part = WORKSPACE.with_borrow(|workspace| workspace.bad_part);
    assert_eq!(search::steps(4096, bad_part, false).first(), Some(&128), "{bad_part}");
}
