//! Points against the curve's equations in big integers.

use super::functions::{self as twin, Words, number, words};
use crate::secp::curve::{GX, GY};
use crate::secp::glv::BETA;
use crate::testing::{big, power, random, rng};
use num_bigint::BigUint;

fn p() -> BigUint {
    power(256) - power(32) - 977u16
}

fn inverse(x: &BigUint) -> BigUint {
    x.modpow(&(p() - 2u8), &p())
}

/// A finite point.
type Point = (BigUint, BigUint);

fn g() -> Point {
    (big(&GX), big(&GY))
}

/// The sum by the textbook; `None` at infinity.
fn sum(a: &Point, b: &Point) -> Option<Point> {
    let p = p();
    let slope = if a == b {
        3u8 * &a.0 * &a.0 * inverse(&(2u8 * &a.1))
    } else if a.0 == b.0 {
        return None;
    } else {
        (&p + &b.1 - &a.1) * inverse(&(&p + &b.0 - &a.0))
    };
    let slope = slope % &p;
    let x = (&slope * &slope + &p + &p - &a.0 - &b.0) % &p;
    let y = (slope * (&p + &a.0 - &x) + &p - &a.1) % &p;
    Some((x, y))
}

/// The point in Jacobian words with this Z.
fn jacobian(a: &Point, z: &BigUint) -> [Words; 3] {
    let p = p();
    [words(&(&a.0 * z * z % &p)), words(&(&a.1 * z * z * z % &p)), words(z)]
}

/// The affine point; `None` where Z is 0.
fn affine(point: [Words; 3]) -> Option<Point> {
    let p = p();
    let z = number(&point[2]) % &p;
    let i = inverse(&z);
    (z != BigUint::ZERO).then(|| (number(&point[0]) * &i * &i % &p, number(&point[1]) * &i * &i * &i % &p))
}

/// A few points, one after another by adding G, each with a random Z.
fn points(count: usize) -> Vec<(Point, BigUint)> {
    let mut rng = rng(6);
    let mut points = vec![(g(), BigUint::from(1u8))];
    let mut point = sum(&g(), &g()).expect("2 G");
    while points.len() < count {
        points.push((point.clone(), big(&random(&mut rng)) % p()));
        point = sum(&point, &g()).expect("small multiples");
    }
    points
}

#[test]
fn doubling() {
    for (a, z) in points(300) {
        assert_eq!(affine(twin::double(jacobian(&a, &z))), sum(&a, &a));
    }
    // Infinity stays, whichever way 0 is written.
    for z in [[0; 8], words(&p())] {
        assert_eq!(affine(twin::double([words(&g().0), words(&g().1), z])), None);
    }
}

#[test]
fn adding() {
    let points = points(40);
    for (a, z) in &points {
        for (b, _) in &points {
            let other = [words(&b.0), words(&b.1)];
            let expected = if a == b { None } else { sum(a, b) };
            assert_eq!(affine(twin::add(jacobian(a, z), other)), expected, "equal points give Z = 0");
        }
        let opposite = [words(&a.0), words(&(p() - &a.1))];
        assert_eq!(affine(twin::add(jacobian(a, z), opposite)), None);
        let infinity = [words(&a.0), words(&a.1), [0; 8]];
        assert_eq!(affine(twin::add(infinity, opposite)), None);
    }
}

#[test]
fn tables_hold_eight_multiples_on_one_curve() {
    let p = p();
    for (a, _) in points(100) {
        let (z, entries) = twin::table([words(&a.0), words(&a.1)]);
        let mut multiple = a.clone();
        for (i, [x, y, beta_x]) in entries.into_iter().enumerate() {
            assert_eq!(affine([x, y, z]), Some(multiple.clone()), "{} times", i + 1);
            assert_eq!(number(&beta_x) % &p, number(&x) * big(&BETA) % &p);
            multiple = sum(&multiple, &a).expect("a prime order");
        }
    }
}
