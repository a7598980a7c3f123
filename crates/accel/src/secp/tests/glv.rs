use crate::secp::glv::{BETA, Half, LAMBDA, split};
use crate::secp::order::{N, Order};
use crate::testing::{big, numbers, power, random, rng, words};
use k256::elliptic_curve::sec1::ToEncodedPoint;
use num_bigint::BigUint;

fn value(half: Half) -> Order {
    let magnitude = Order::reduce([half.magnitude[0], half.magnitude[1], 0, 0]);
    if half.negative { magnitude.neg() } else { magnitude }
}

/// The two halves make the scalar, and keep their bounds: 0.636 and 0.541 of 2^128.
fn check(k: Order) {
    let [k1, k2] = split(k);
    assert_eq!(value(k1).add(value(k2).mul(Order::reduce(LAMBDA))), k, "{k:x?}");
    let end = power(128);
    assert!(big(&k1.magnitude) * 1000u16 < &end * 636u16, "{k:x?}: {k1:x?}");
    assert!(big(&k2.magnitude) * 1000u16 < &end * 541u16, "{k:x?}: {k2:x?}");
}

#[test]
fn edges_and_random_scalars() {
    for k in numbers(N, 11, 20_000) {
        check(Order::reduce(k));
    }
}

/// Scalars half way between two lattice points, where rounding goes one way or the other and the halves are longest; also
/// where rounding up carries into the upper word.
#[test]
fn half_way_between_lattice_points() {
    let [a1, b1] =
        [0x3086_d221_a7d4_6bcd_e86c_90e4_9284_eb15, 0xe443_7ed6_010e_8828_6f54_7fa9_0abf_e4c3u128].map(BigUint::from);
    let n = big(&N);
    let mut rng = rng(12);
    for b in [a1, b1] {
        for carries in [false, true].repeat(500) {
            // k b / n = c + 1/2, for a c of any size
            let c = big(&random(&mut rng)) % &b;
            let c = if carries { (c >> 64u8 << 64u8) + u64::MAX } else { c };
            let middle = (&c * 2u8 + 1u8) * &n / (&b * 2u8);
            for k in [&middle - 1u8, middle.clone(), &middle + 1u8] {
                check(Order::reduce(words(&(k % &n))));
            }
        }
    }
}

#[test]
fn lambda_times_the_generator() {
    let scalar = |k: [u64; 4]| {
        k256::elliptic_curve::ScalarPrimitive::<k256::Secp256k1>::from_slice(&crate::words::to_be(k)).expect("below n")
    };
    let point = k256::ProjectivePoint::GENERATOR.to_affine().to_encoded_point(false);
    let image = (k256::ProjectivePoint::GENERATOR * k256::Scalar::from(scalar(LAMBDA))).to_affine();
    let image = image.to_encoded_point(false);
    let p = power(256) - power(32) - 977u16;
    let x = BigUint::from_bytes_be(point.x().expect("not infinity"));
    assert_eq!(BigUint::from_bytes_be(image.x().expect("not infinity")), x * big(&BETA) % p);
    assert_eq!(image.y(), point.y());
}
