//! Scalars and points chosen so that additions and doublings meet equal, opposite and infinite points.

use crate::judge::{Claims, Recoveries};
use crate::make::{self, LAMBDA, N};
use k256::Scalar;
use std::sync::LazyLock;
use vigil_accel::{Backend, SignatureError, Signed};
use vigil_primitives::U256;

/// Scalars at which windows, signs and the two halves of the endomorphism turn.
fn scalars() -> Vec<Scalar> {
    let lambda = make::scalar(LAMBDA);
    let small = (1..=17u64).chain([31, 32, 33, 127, 128, 255, 256, 257, 0xffff, 0x1_0000]).map(U256::from);
    let powers = [12, 16, 24, 31, 32, 52, 63, 64, 104, 126, 127, 128, 129, 192, 254, 255].map(|k| U256::from(1) << k);
    let around = powers.into_iter().flat_map(|x| [x - U256::from(1), x, x + U256::from(1)]);
    let nibbles = [0x11u8, 0x77, 0x88, 0xf0, 0x0f, 0x55, 0xaa, 0x80, 0x01, 0x7f].map(|b| U256::from_be_bytes([b; 32]));
    let halves = [N >> 1, (N >> 1) + U256::from(1), U256::MAX >> 128, U256::MAX >> 129];
    let plain: Vec<_> = small.chain(around).chain(nibbles).chain(halves).map(make::scalar).collect();
    let mut all = plain.clone();
    all.extend(plain.iter().step_by(3).flat_map(|k| [*k * lambda, *k * lambda * lambda, *k + *k * lambda]));
    all.extend(split_bounds());
    all.extend(all.clone().iter().map(|k| -*k));
    all
}

/// Scalars at which the rounding of the split into two halves turns, where the halves are longest.
fn split_bounds() -> Vec<Scalar> {
    let short = [0x3086_d221_a7d4_6bcd_e86c_90e4_9284_eb15u128, 0xe443_7ed6_010e_8828_6f54_7fa9_0abf_e4c3];
    let mut bounds = Vec::new();
    for b in short.map(U256::from) {
        for j in [0u64, 1, 2, 3, 0xffff_ffff, u64::MAX].map(U256::from) {
            // (j + 1/2) n / b, up to what n / b leaves.
            let half = N / b * j + ((N / b) >> 1);
            bounds.extend([half - U256::from(1), half, half + U256::from(1)].map(make::scalar));
        }
    }
    bounds
}

/// Multiples of the generator that meet its tables.
fn multiples() -> Vec<Scalar> {
    let lambda = make::scalar(LAMBDA);
    let half = Option::<Scalar>::from(Scalar::from(2u64).invert()).expect("not 0");
    let (one, random) = (Scalar::ONE, make::scalar(U256::from_be_bytes([0x5a; 32])));
    vec![
        one,
        -one,
        Scalar::from(2u64),
        Scalar::from(3u64),
        Scalar::from(7u64),
        lambda,
        -lambda,
        lambda * lambda,
        half,
        random,
    ]
}

/// What the other scalar has to be next to `k`, for the sum with it to meet itself, its opposite or an image; one in
/// three of them by turns.
fn partners(k: Scalar, turn: usize) -> impl Iterator<Item = Scalar> {
    let lambda = make::scalar(LAMBDA);
    let images = [k, k * lambda, k * lambda * lambda, k + k, k + Scalar::ONE, k - Scalar::ONE];
    let with_signs = images.into_iter().flat_map(|x| [x, -x]).chain([Scalar::ZERO, Scalar::ONE]);
    with_signs.skip(turn % 3).step_by(3)
}

/// The signatures.
pub(crate) fn signed() -> &'static [Signed] {
    &RECOVERIES.items
}

static RECOVERIES: LazyLock<Recoveries> = LazyLock::new(|| {
    let (scalars, mut items) = (scalars(), Vec::new());
    for (i, k) in multiples().into_iter().enumerate() {
        let nonce = make::point(&k);
        for (j, u2) in scalars.iter().enumerate() {
            items.extend(partners(*u2 * k, i + j).map(|u1| make::recovering(&nonce, &u1, u2)));
        }
    }
    let nonce = make::point(&make::scalar(U256::from_be_bytes([0xa5; 32])));
    for (u1, u2) in pairs(&scalars) {
        items.push(make::recovering(&nonce, &u1, &u2));
    }
    Recoveries::judged(items)
});

/// Each scalar with some of the others.
fn pairs(scalars: &[Scalar]) -> impl Iterator<Item = (Scalar, Scalar)> {
    let others = |i: usize| scalars.iter().skip(i % 29).step_by(29);
    scalars.iter().enumerate().flat_map(move |(i, u1)| others(i).map(|u2| (*u1, *u2)))
}

pub(crate) fn recover(backend: &dyn Backend) {
    RECOVERIES.check(backend);
    let nobody = RECOVERIES.answers.iter().filter(|answer| **answer == Err(SignatureError::NoKey)).count();
    assert!(nobody > 500, "only {nobody} would be the point at infinity");
}

static CLAIMS: LazyLock<Claims> = LazyLock::new(|| {
    let (scalars, keys, mut claims) = (scalars(), multiples(), Vec::new());
    for (i, d) in keys.iter().enumerate() {
        for (j, u2) in scalars.iter().enumerate() {
            claims.extend(partners(*u2 * d, i + j).filter_map(|u1| make::verifying(d, &u1, u2)));
        }
    }
    for (i, (u1, u2)) in pairs(&scalars).enumerate() {
        claims.extend(make::verifying(&keys[i % keys.len()], &u1, &u2));
    }
    Claims::judged(claims)
});

pub(crate) fn cold(backend: &dyn Backend) {
    CLAIMS.check_cold(backend);
    let wrong = CLAIMS.answers.iter().filter(|answer| **answer == Err(SignatureError::WrongKey)).count();
    assert!(wrong > 500, "only {wrong} sums are the point at infinity");
    assert!(wrong < CLAIMS.answers.len() / 4, "{wrong} of {} are invalid", CLAIMS.answers.len());
}

pub(crate) fn hot(backend: &dyn Backend) {
    CLAIMS.check_hot(backend);
}
