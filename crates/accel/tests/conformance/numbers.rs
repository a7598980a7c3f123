//! Signatures whose r, s, digest, x or y is near a bound: 0, n/2, n, p, 2^256, powers of two, limbs of zeros and ones.

use crate::judge::{Claims, Recoveries};
use crate::make::{self, N, P};
use k256::Scalar;
use std::sync::LazyLock;
use vigil_accel::{Backend, Claim, PublicKey, Signed, oracle};
use vigil_primitives::U256;

/// Numbers within 3 of the bounds at which arithmetic changes its course.
pub(crate) fn bounds() -> Vec<U256> {
    let centres = [U256::ZERO, N >> 1, N, P, P - N, N - (P - N), P - (P - N), P >> 1, U256::from(0x1_0000_03d1u64)];
    let near = |x: U256| (0..4).flat_map(move |d| [x.wrapping_add(U256::from(d)), x.wrapping_sub(U256::from(d))]);
    centres.into_iter().flat_map(near).chain(powers()).collect()
}

/// Numbers within 1 of a power of two at which limbs and windows end.
fn powers() -> impl Iterator<Item = U256> {
    let exponents =
        [8, 26, 32, 48, 51, 52, 53, 63, 64, 65, 103, 104, 105, 127, 128, 129, 156, 192, 207, 208, 209, 224, 254, 255];
    let one = U256::from(1);
    exponents.into_iter().flat_map(move |k| [(one << k) - one, one << k, (one << k) + one])
}

/// Numbers of which a limb of 52 or 64 bits has only ones or only zeros.
pub(crate) fn limbs() -> Vec<U256> {
    let mut numbers = Vec::new();
    for width in [52, 64] {
        let ones = (U256::from(1) << width) - U256::from(1);
        let limbs: Vec<_> = (0..256usize.div_ceil(width)).map(|i| ones << (width * i)).collect();
        numbers.extend(limbs.iter().flat_map(|limb| [*limb, !*limb]));
        let every_second = |from: usize| limbs.iter().skip(from).step_by(2).fold(U256::ZERO, |sum, limb| sum | *limb);
        numbers.extend([every_second(0), every_second(1)]);
    }
    numbers
}

/// x of points that are close above each number.
pub(crate) fn xs() -> Vec<U256> {
    bounds().into_iter().chain(limbs()).map(make::next_x).collect()
}

/// Points of which y, y² or x² is close above each number: what the first steps of a recovery meet.
fn points() -> Vec<PublicKey> {
    let by_square = |square: U256| make::lift(root(square)?, square.bit(1)).map(|point| make::key(&point));
    let ways: [&dyn Fn(U256) -> Option<PublicKey>; 3] = [&with_y, &|square| with_y(root(square)?), &by_square];
    let numbers: Vec<_> = bounds().into_iter().chain(limbs()).collect();
    let close = |way: &dyn Fn(U256) -> Option<PublicKey>, number: U256| {
        (0..64).find_map(|d| way(number.wrapping_add(U256::from(d)) % P))
    };
    ways.iter().flat_map(|way| numbers.iter().filter_map(move |number| close(way, *number))).collect()
}

/// A square root modulo p, if there is one; p is 3 modulo 4.
fn root(square: U256) -> Option<U256> {
    let root = square.pow_mod((P + U256::from(1)) >> 2, P);
    (root.mul_mod(root, P) == square).then_some(root)
}

/// The point with this y: x is the cube root of y² - 7, if there is one; p is 7 modulo 9.
pub(crate) fn with_y(y: U256) -> Option<PublicKey> {
    let cube = y.mul_mod(y, P).add_mod(P - U256::from(7), P);
    let x = cube.pow_mod((P + U256::from(2)) / U256::from(9), P);
    let key = make::raw_key(x, y);
    make::is_point(&key).then_some(key)
}

/// The signatures.
pub(crate) fn signed() -> &'static [Signed] {
    &CASES.items
}

static CASES: LazyLock<Recoveries> = LazyLock::new(|| {
    let (bounds, limbs, xs) = (bounds(), limbs(), xs());
    let mut items = Vec::new();
    let all: Vec<_> = bounds.iter().chain(&limbs).copied().collect();
    let digest = |i: usize| all[i % all.len()];
    // Every r with every s, both as they are and made to a point and a low s.
    for (i, r) in all.iter().enumerate() {
        for (j, s) in bounds.iter().step_by(3).enumerate() {
            items.push(make::signed(digest(i + j), *r, *s, (j % 2) as u8));
        }
    }
    let s_values = all.iter().copied().chain(all.iter().map(|s| N.wrapping_sub(*s)));
    for (i, s) in s_values.enumerate() {
        for (j, x) in xs.iter().skip(i % 4).step_by(4).enumerate() {
            items.push(make::signed(digest(i + 3 * j), *x, s, ((i + j) % 2) as u8));
        }
    }
    // Every digest.
    for (i, digest) in all.iter().enumerate() {
        for (j, x) in xs.iter().skip(i % 8).step_by(8).enumerate() {
            items.push(make::signed(*digest, *x, all[(i + j) % all.len()] >> 1, ((i + j) % 2) as u8));
        }
    }
    for key in points() {
        let (x, y) = make::coordinates(&key);
        items.extend([0, 1].map(|v| make::signed(x, x, y >> 1, v)));
    }
    Recoveries::judged(items)
});

pub(crate) fn recover(backend: &dyn Backend) {
    CASES.check(backend);
    let recovered = CASES.answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(recovered > CASES.items.len() / 4, "{recovered} of {} have a signer", CASES.items.len());
}

/// Each recovered key signed; its negative did not, nor did it with the other v.
static CLAIMS: LazyLock<Claims> = LazyLock::new(|| {
    let mut claims = Claims::default();
    for (i, (signed, answer)) in CASES.items.iter().zip(&CASES.answers).enumerate() {
        let key = answer.map_or(PublicKey([7; 64]), |signer| signer.key);
        let (x, y) = make::coordinates(&key);
        let mut claim = Claim { signed: *signed, key };
        match i % 4 {
            0 => claim.key = make::raw_key(x, P.wrapping_sub(y)),
            1 => claim.signed.signature[64] ^= 1,
            _ => {}
        }
        claims.push(claim, oracle::verify(&claim));
    }
    claims
});

pub(crate) fn cold(backend: &dyn Backend) {
    CLAIMS.check_cold(backend);
    of_keys().check_cold(backend);
}

/// Each key needs a table of its own: some are enough.
pub(crate) fn hot(backend: &dyn Backend) {
    let step = 1 + CLAIMS.claims.len() / 512;
    let some = CLAIMS.claims.iter().zip(&CLAIMS.answers).step_by(step);
    let (claims, answers) = some.map(|(claim, answer)| (*claim, *answer)).unzip();
    Claims { claims, answers }.check_hot(backend);
    of_keys().check_hot(backend);
}

/// Claims of keys whose x or y is near a bound.
fn of_keys() -> Claims {
    let by_x = xs().into_iter().flat_map(|x| [make::lift(x, false), make::lift(x, true)]).flatten();
    let keys = by_x.map(|point| make::key(&point)).chain(points());
    let scalars = [Scalar::ONE, -Scalar::ONE, Scalar::from(0xffff_ffffu64), make::scalar(N >> 1)];
    let mut claims = Vec::new();
    for (i, key) in keys.enumerate() {
        let (x, y) = make::coordinates(&key);
        let point = make::lift(x, y.bit(0)).expect("a point");
        claims.extend(make::verifying_key(&point, &scalars[i % 4], &scalars[i / 4 % 4]));
    }
    Claims::judged(claims)
}
