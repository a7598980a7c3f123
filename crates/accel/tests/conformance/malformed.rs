//! Signatures that break a rule of form, or several; the first rule that is broken is the answer.

use crate::judge::{Claims, Recoveries};
use crate::make::{self, N, P};
use k256::ProjectivePoint;
use vigil_accel::{Backend, Claim, PublicKey, SignatureError, Signed};
use vigil_primitives::U256;

const V: [u8; 15] = [0, 1, 2, 3, 4, 26, 27, 28, 29, 35, 36, 127, 128, 254, 255];

/// Bad and good values of r, s and v in all combinations, between good signatures.
pub(crate) fn signed() -> Vec<Signed> {
    let honest = make::honest(32);
    let one = U256::from(1);
    let mut items = Vec::new();
    for (i, claim) in honest.iter().enumerate() {
        let (z, r, s, v) = make::parts(&claim.signed);
        let off_curve = (1..).map(U256::from).map(|d| r ^ d).find(|x| make::lift(*x, false).is_none());
        let rs =
            [r, U256::ZERO, N, N + one, P, U256::MAX, off_curve.expect("every second x"), r.wrapping_add(N), N - r];
        let ss = [s, U256::ZERO, N, N + one, U256::MAX, N - s, N - one, (N >> 1) + one, N >> 1, s.wrapping_add(N)];
        for (j, r) in rs.into_iter().enumerate() {
            for (k, s) in ss.into_iter().enumerate() {
                let other = V[(i + 3 * j + 5 * k) % V.len()];
                items.extend([v, v ^ 1, other].map(|v| make::signed(z, r, s, v)));
            }
        }
        items.extend(V.map(|v| make::signed(z, r, s, v)));
        items.push(claim.signed);
    }
    items.extend(wrapped_nonces().map(|claim| claim.signed));
    items
}

/// Signatures whose nonce point has an x of at least n: r = x - n fits libsecp256k1's verification, but no v of ours.
fn wrapped_nonces() -> impl Iterator<Item = Claim> {
    let nonces = (0u64..).map(U256::from).filter_map(|d| make::lift(N + d, d.bit(0)));
    nonces.take(24).enumerate().flat_map(|(i, nonce)| {
        let (s, z) = (make::scalar(U256::from(3 + i)), make::scalar(U256::from(i)));
        let r = make::r_of(&nonce);
        let inverse = Option::<k256::Scalar>::from(r.invert()).unwrap_or(k256::Scalar::ONE);
        let key = ProjectivePoint::from(nonce) * (s * inverse) - ProjectivePoint::GENERATOR * (z * inverse);
        let key = make::key(&key.to_affine());
        let claim = |r: U256, v: u8| Claim { signed: make::signed(make::number(&z), r, make::number(&s), v), key };
        let (reduced, whole) = (make::number(&r), make::number(&r) + N);
        [(reduced, 0), (reduced, 1), (reduced, 2), (reduced, 3), (whole, 0), (whole, 1)].map(|(r, v)| claim(r, v))
    })
}

pub(crate) fn recover(backend: &dyn Backend) {
    let cases = Recoveries::judged(signed());
    for reason in [SignatureError::R, SignatureError::S, SignatureError::HighS, SignatureError::NoKey] {
        let met = cases.answers.iter().filter(|answer| **answer == Err(reason)).count();
        assert!(met > 100, "{reason:?} is met {met} times");
    }
    for v in V.into_iter().filter(|v| *v > 1) {
        assert!(cases.answers.contains(&Err(SignatureError::RecoveryId(v))), "recovery id {v} is not met");
    }
    cases.check(backend);
    let some = cases.items.into_iter().step_by(13).collect();
    Recoveries::judged(some).check_in_every_lane(backend);
}

fn claims() -> Claims {
    let honest = make::honest(32);
    let per_key = signed().len() / honest.len();
    let key = |i: usize| honest.get(i / per_key).map_or(PublicKey([0; 64]), |claim| claim.key);
    let of_honest = signed().into_iter().enumerate().map(|(i, signed)| Claim { signed, key: key(i) });
    let claims = Claims::judged(of_honest.chain(wrapped_nonces()).collect());
    assert!(claims.answers.contains(&Ok(())) && claims.answers.contains(&Err(SignatureError::WrongKey)));
    claims
}

pub(crate) fn cold(backend: &dyn Backend) {
    claims().check_cold(backend);
}

pub(crate) fn hot(backend: &dyn Backend) {
    claims().check_hot(backend);
}
