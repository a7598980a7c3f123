//! Claims of keys that did not sign, among them bytes that are no key at all.

use crate::judge::{Claims, Combs};
use crate::make::{self, P};
use crate::numbers;
use k256::{ProjectivePoint, Scalar};
use vigil_accel::{Backend, Claim, PublicKey};
use vigil_primitives::U256;

/// β: λ (x, y) = (β x, y).
const BETA: U256 =
    U256::from_limbs([0xc139_6c28_7195_01ee, 0x9cf0_4975_12f5_8995, 0x6e64_479e_ac34_34e9, 0x7ae9_6a2b_657c_0710]);

/// Keys near `key`, of which none is `key`.
fn relatives(key: &PublicKey) -> Vec<PublicKey> {
    let (x, y) = make::coordinates(key);
    let one = U256::from(1);
    let (image, second) = (x.mul_mod(BETA, P), x.mul_mod(BETA, P).mul_mod(BETA, P));
    let point = ProjectivePoint::from(make::lift(x, y.bit(0)).expect("a point"));
    let near = [point.double(), point + ProjectivePoint::GENERATOR, point * Scalar::from(3u64)];
    let mut keys: Vec<_> = near.iter().map(|point| make::key(&point.to_affine())).collect();
    keys.extend([(x, P - y), (image, y), (second, y), (image, P - y), (y, x)].map(|(x, y)| make::raw_key(x, y)));
    keys.extend(
        [(x, y.wrapping_add(one)), (x.wrapping_add(one), y), (x, x), (x, U256::ZERO)].map(|(x, y)| make::raw_key(x, y)),
    );
    keys.extend(
        [(U256::ZERO, y), (P - x, y), (x.wrapping_add(P), y), (x, y.wrapping_add(P))].map(|(x, y)| make::raw_key(x, y)),
    );
    keys
}

/// Bytes that nobody has as a key, and odd ones.
fn strange() -> Vec<PublicKey> {
    let numbers = [U256::ZERO, U256::from(1), P - U256::from(1), P, P + U256::from(1), U256::MAX];
    numbers.iter().flat_map(|x| numbers.map(|y| make::raw_key(*x, y))).chain([PublicKey([0x11; 64])]).collect()
}

/// Points with an x or a y so small that adding p still fits 32 bytes: whole, and in both forms that are too large.
fn small() -> Vec<[PublicKey; 2]> {
    let by_x = (1u64..40).filter_map(|x| make::lift(U256::from(x), x % 3 == 0)).map(|point| make::key(&point));
    let by_x = by_x.map(|key| [key, make::raw_key(make::coordinates(&key).0 + P, make::coordinates(&key).1)]);
    let by_y = (1u64..60).filter_map(|y| numbers::with_y(U256::from(y)));
    let by_y = by_y.map(|key| [key, make::raw_key(make::coordinates(&key).0, make::coordinates(&key).1 + P)]);
    let keys: Vec<_> = by_x.chain(by_y).collect();
    assert!(keys.len() > 20);
    keys
}

fn claims() -> Claims {
    let mut claims = Vec::new();
    for (i, honest) in make::honest(24).into_iter().enumerate() {
        claims.push(honest);
        let strange = strange();
        let wrong = relatives(&honest.key).into_iter().chain(strange.into_iter().skip(i % 5).step_by(5));
        claims.extend(wrong.map(|key| Claim { signed: honest.signed, key }));
        let mut flipped = honest;
        flipped.signed.signature[64] ^= 1;
        claims.push(flipped);
        for bit in [0, 7, 255] {
            let mut other = honest;
            other.signed.digest.0[bit / 8] ^= 1 << (bit % 8);
            claims.push(other);
        }
    }
    for [key, too_large] in small() {
        let (x, y) = make::coordinates(&key);
        let point = make::lift(x, y.bit(0)).expect("a point");
        let valid = make::verifying_key(&point, &Scalar::from(11u64), &Scalar::from(13u64)).expect("not 0");
        claims.extend([valid, Claim { key: too_large, ..valid }]);
    }
    let claims = Claims::judged(claims);
    assert_eq!(claims.answers.iter().filter(|answer| answer.is_ok()).count(), 24 + small().len());
    claims
}

pub(crate) fn cold(backend: &dyn Backend) {
    claims().check_cold(backend);
    claims().check_in_every_lane(backend, false);
}

pub(crate) fn hot(backend: &dyn Backend) {
    claims().check_hot(backend);
}

/// A table for every point, none for anything else, whatever stands beside it; `Combs::of` checks it.
pub(crate) fn combs(backend: &dyn Backend) {
    let honest = make::honest(12);
    let mut keys: Vec<_> = honest.iter().map(|claim| claim.key).collect();
    keys.extend(honest.iter().flat_map(|claim| relatives(&claim.key)));
    keys.extend(strange());
    keys.extend(small().into_iter().flatten());
    for n in [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 33] {
        Combs::of(backend, keys.iter().rev().take(n).copied());
        Combs::of(backend, keys.iter().skip(n).take(n).copied());
    }
    Combs::of(backend, keys);
}
