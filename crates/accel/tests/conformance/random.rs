//! Random signatures: 10^5 an operation and backend, 10^7 in the long tier; 10^3 for what stands in for a card, and
//! fewer under emulation (`VIGIL_TEST_ITEMS_MAX`).

use crate::judge::{Claims, Combs, Recoveries, at_most};
use crate::make;
use k256::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use vigil_accel::{Backend, Claim, PublicKey, Recovered, Signed, Signer, oracle};
use vigil_primitives::U256;
use vigil_testkit::vectors;

/// One answer in so many is compared with the oracle's even where it is known.
const ORACLE_EVERY: usize = 64;
const BATCH_MAX: usize = 16_384;

/// Runs `check` on batches of random sizes until enough items were seen.
fn in_batches(seed: u64, mut check: impl FnMut(&mut ChaCha20Rng, usize)) {
    let mut left = at_most(if vectors::long() { 10_000_000 } else { 100_000 });
    let rng = &mut make::rng(seed);
    // As many small batches as large ones, the first one of the largest size.
    let mut bits = 14;
    while left > 0 {
        let size = ((1 << bits) + rng.next_u32() as usize % (1 << bits)).min(BATCH_MAX).min(left);
        check(rng, size);
        left -= size;
        bits = rng.next_u32() % 15;
    }
}

/// How many items in a million are damaged.
fn rate(rng: &mut ChaCha20Rng) -> u32 {
    [0, 0, 0, 1_000, 10_000, 100_000][rng.next_u32() as usize % 6]
}

/// A signature with one thing changed.
fn damaged(rng: &mut ChaCha20Rng, signed: &Signed) -> Signed {
    let (z, r, s, v) = make::parts(signed);
    let bit = U256::from(1) << (rng.next_u32() as usize % 256);
    match rng.next_u32() % 8 {
        0 => make::signed(z ^ bit, r, s, v),
        1 => make::signed(z, r ^ bit, s, v),
        2 => make::signed(z, r, s ^ bit, v),
        3 => make::signed(z, r, s, v ^ 1),
        4 => make::signed(z, r, s, rng.next_u32() as u8),
        5 => make::signed(z, make::random_number(rng), s, v),
        6 => make::signed(z, r, make::random_number(rng) >> 1, v),
        _ => make::signed(z, r, make::N.wrapping_sub(s), v ^ 1),
    }
}

/// `n` claims of these keys, some of them damaged, with what is right.
fn claims(rng: &mut ChaCha20Rng, keys: &[(Scalar, PublicKey)], n: usize) -> Claims {
    let mut claims = Claims::valid(make::claims(rng, keys, n));
    let rate = rate(rng);
    for i in 0..n {
        let claim = claims.claims[i];
        if rng.next_u32() % 1_000_000 < rate {
            let wrong_key = rng.next_u32().is_multiple_of(8);
            let key = if wrong_key { keys[rng.next_u32() as usize % keys.len()].1 } else { claim.key };
            let signed = if wrong_key { claim.signed } else { damaged(rng, &claim.signed) };
            claims.set(i, Claim { signed, key });
        } else if i % ORACLE_EVERY == 0 {
            assert_eq!(oracle::verify(&claim), Ok(()), "the test's own signature {claim:?}");
        }
    }
    claims
}

/// What recovery has to answer, given that the claims are judged.
fn recovered(claim: &Claim, valid: bool) -> Recovered {
    let known = Signer { key: claim.key, address: claim.key.address() };
    if valid { Ok(known) } else { oracle::recover(&claim.signed) }
}

pub(crate) fn recover(backend: &dyn Backend) {
    in_batches(0x7265_636f, |rng, n| {
        let keys = make::keys(rng, 64);
        let claims = claims(rng, &keys, n);
        let items = claims.claims.iter().map(|claim| claim.signed).collect();
        let pairs = claims.claims.iter().zip(&claims.answers);
        let answers = pairs.map(|(claim, answer)| recovered(claim, answer.is_ok())).collect();
        Recoveries { items, answers }.check(backend);
    });
}

pub(crate) fn cold(backend: &dyn Backend) {
    in_batches(0x636f_6c64, |rng, n| {
        let payers = [1, 2, 16, n.div_ceil(4), n, n][rng.next_u32() as usize % 6];
        let keys = make::keys(rng, payers);
        claims(rng, &keys, n).check_cold(backend);
    });
}

pub(crate) fn hot(backend: &dyn Backend) {
    let keys = make::keys(&mut make::rng(0x6b65_7973), 16);
    let combs = Combs::of(backend, keys.iter().map(|key| key.1));
    in_batches(0x0068_6f74, |rng, n| {
        let payers = [1, 2, 16][rng.next_u32() as usize % 3];
        combs.check(backend, &claims(rng, &keys[..payers], n));
    });
}
