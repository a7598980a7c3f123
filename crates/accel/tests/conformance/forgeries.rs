//! Bad claims whose errors cancel in a sum: a batch that adds equations up must not be fooled.
//!
//! The equation of a claim is R = (z/s) G + (r/s) Q; its error is the difference of the two sides.

use crate::judge::{Claims, Combs, one_in};
use crate::make::{self, LAMBDA, P};
use k256::Scalar;
use rand_chacha::ChaCha20Rng;
use vigil_accel::{Backend, Claim, PublicKey};

const KEYS: usize = 4;

/// Moves the digest, so that the error of the equation is `-error * G`.
fn moved(claim: &Claim, error: Scalar) -> Claim {
    let (z, r, s, v) = make::parts(&claim.signed);
    let z = make::scalar(z) + error * make::scalar(s);
    Claim { signed: make::signed(make::number(&z), r, s, v), key: claim.key }
}

/// As [`moved`], in the equation s R = z G + r Q.
fn moved_undivided(claim: &Claim, error: Scalar) -> Claim {
    let (z, r, s, v) = make::parts(&claim.signed);
    Claim { signed: make::signed(make::number(&(make::scalar(z) + error)), r, s, v), key: claim.key }
}

/// Errors that sum to nothing with the coefficients that a careless batch takes.
fn sums(rng: &mut ChaCha20Rng, n: usize) -> Vec<Vec<Scalar>> {
    let errors: Vec<_> = (1..n).map(|_| make::random_scalar(rng)).collect();
    let lambda = make::scalar(LAMBDA);
    let index = |i: usize| Scalar::from(i as u64 + 1);
    // Equal coefficients; 1, 2, 3, ..; 1, -1, 1, ..
    let equal = errors.iter().sum::<Scalar>();
    let rising: Scalar = errors.iter().enumerate().map(|(i, e)| *e * index(i)).sum();
    let by_last = Option::<Scalar>::from(index(n - 1).invert()).expect("not 0");
    let signs: Scalar = errors.iter().enumerate().map(|(i, e)| if i % 2 == 0 { *e } else { -*e }).sum();
    let last_sign = if n % 2 == 1 { -Scalar::ONE } else { Scalar::ONE };
    let mut all: Vec<_> =
        [-equal, -(rising * by_last), signs * last_sign].map(|last| [errors.as_slice(), &[last]].concat()).to_vec();
    // Pairs of opposite errors, and triples of images: 1 + λ + λ² = 0.
    let in_turn = |errors: &[Scalar]| {
        (0..n)
            .map(|i| if i < n / errors.len() * errors.len() { errors[i % errors.len()] } else { Scalar::ZERO })
            .collect()
    };
    all.push(in_turn(&[Scalar::ONE, -Scalar::ONE]));
    all.push(in_turn(&[Scalar::ONE, lambda, lambda * lambda]));
    // The two halves of the batch are opposite.
    all.push(
        (0..n)
            .map(|i| {
                if i < n / 2 {
                    Scalar::ONE
                } else if i < n / 2 * 2 {
                    -Scalar::ONE
                } else {
                    Scalar::ZERO
                }
            })
            .collect(),
    );
    all.retain(|errors| errors.iter().any(|error| *error != Scalar::ZERO));
    all
}

/// `error of the first = 2 u2 Q`, `error of the second = -2 u2 Q`: the negated key, and everything else negated.
fn opposite(claim: &Claim) -> [Claim; 2] {
    let (z, r, s, v) = make::parts(&claim.signed);
    let (x, y) = make::coordinates(&claim.key);
    let negated: PublicKey = make::raw_key(x, P - y);
    let other = make::signed(make::number(&-make::scalar(z)), r, s, v ^ 1);
    [Claim { signed: claim.signed, key: negated }, Claim { signed: other, key: claim.key }]
}

/// Batches of forgeries, and the same among valid claims.
fn batches() -> Vec<Claims> {
    let rng = &mut make::rng(0x666f_7267);
    let keys = make::keys(rng, KEYS);
    let mut batches = Vec::new();
    for n in [2, 3, 4, 6, 8, 9, 16, 24, 64, 128, 300] {
        for payers in [&keys[..1], &keys] {
            let valid = make::claims(rng, payers, n);
            for errors in sums(rng, n) {
                for change in [moved, moved_undivided] {
                    batches.push(valid.iter().zip(&errors).map(|(claim, error)| change(claim, *error)).collect());
                }
            }
            batches.push(valid.iter().flat_map(opposite).collect::<Vec<_>>());
            batches.push(std::iter::repeat_n(moved(&valid[0], Scalar::ONE), n).collect());
        }
    }
    let valid = make::claims(rng, &keys, 256);
    let among = |bad: &Vec<Claim>| bad.iter().zip(&valid).flat_map(|(bad, good)| [*good, *bad, *good]).collect();
    let mixed: Vec<Vec<Claim>> = batches.iter().step_by(3).map(among).collect();
    batches.extend(mixed);
    batches.into_iter().step_by(one_in(5)).map(judged).collect()
}

/// An error of zero is none: nearly all claims are bad.
fn judged(batch: Vec<Claim>) -> Claims {
    let claims = Claims::judged(batch);
    assert!(claims.answers.iter().any(|answer| answer.is_err()));
    claims
}

pub(crate) fn cold(backend: &dyn Backend) {
    for batch in batches() {
        batch.check_cold(backend);
        batch.check_cold_after_others(backend);
    }
}

pub(crate) fn hot(backend: &dyn Backend) {
    let batches = batches();
    let combs = Combs::of(backend, batches.iter().flat_map(|batch| &batch.claims).map(|claim| claim.key));
    batches.iter().for_each(|batch| combs.check(backend, batch));
}
