//! Every method against plain big-number arithmetic, on every pair of edges and at random.

use super::{C, Fe, Fe1, P, Sum, canonical, invert_words};
use crate::field::{Field, Packed};
use crate::testing::{big, edges, lopsided, numbers, power, random, rng, words};
use num_bigint::BigInt;

fn value<const M: bool>(a: Fe<M>) -> BigInt {
    big(&a.0).into()
}

fn p() -> BigInt {
    big(&P).into()
}

/// `got` is `want` modulo p; `want` may have any sign and size.
fn same<const M: bool>(got: Fe<M>, want: BigInt, what: &str, inputs: &[Fe<M>]) {
    let want: BigInt = (want % p() + p()) % p();
    assert_eq!(value(got) % p(), want, "{what} of {inputs:x?}");
    assert_eq!(canonical(got.0), words(want.magnitude()), "canonical {what} of {inputs:x?}");
}

fn check_one<const M: bool>(a: Fe<M>) {
    let x = value(a);
    same(a.sqr(), &x * &x, "sqr", &[a]);
    same(a.sqr_triple(), 3 * &x * &x, "sqr_triple", &[a]);
    same(a.twice(), 2 * &x, "twice", &[a]);
    same(a.neg(), -&x, "neg", &[a]);
    same(a.neg_where(0), x.clone(), "neg_where 0", &[a]);
    same(a.neg_where(1), -&x, "neg_where 1", &[a]);
    same(a.twice_neg_where(0), 2 * &x, "twice_neg_where 0", &[a]);
    same(a.twice_neg_where(1), -2 * &x, "twice_neg_where 1", &[a]);
    let least = &x % p();
    assert_eq!(value(Fe::<M>(canonical(a.0))), least, "{a:x?}");
    assert_eq!(a.is_zero(), u64::from(least == BigInt::ZERO), "{a:x?}");
    assert_eq!(a.is_odd(), u64::from(least.bit(0)), "{a:x?}");
    let inverse = Fe::<M>(invert_words(a.0));
    assert!(value(inverse) < p());
    same(a.mul(inverse), BigInt::from(a.is_zero() == 0), "inverse", &[a]);
}

fn check_two<const M: bool>(a: Fe<M>, b: Fe<M>) {
    let (x, y) = (value(a), value(b));
    let all = [a, b];
    same(a.mul(b), &x * &y, "mul", &all);
    same(a.sub(b), &x - &y, "sub", &all);
    same(a.sqr_sub_twice(b), &x * &x - 2 * &y, "sqr_sub_twice", &all);
    same(a.twice_sub(b), 2 * (&x - &y), "twice_sub", &all);
    assert_eq!(a.select(b, 0).0, a.0);
    assert_eq!(a.select(b, 1).0, b.0);
}

fn check_four<const M: bool>([a, b, c, d]: [Fe<M>; 4]) {
    let [w, x, y, z] = [a, b, c, d].map(value);
    let all = [a, b, c, d];
    same(a.mul_add(b, c), &w * &x + &y, "mul_add", &all);
    same(a.mul_sub(b, c), &w * &x - &y, "mul_sub", &all);
    same(a.sqr_sub(b, c), &w * &w - &x - 2 * &y, "sqr_sub", &all);
    same(a.sqr_add_mul(b, c), &w * &w + &x * &y, "sqr_add_mul", &all);
    same(a.twice_mul_add_mul(b, c, d), 2 * (&w * &x + &y * &z), "twice_mul_add_mul", &all);
}

/// True if values with MULX can be worked on here.
fn has_mulx() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("bmi2");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[test]
fn one_number() {
    for a in numbers(P, 31, 5000) {
        check_one(Fe::<false>(a));
        if has_mulx() {
            check_one(Fe::<true>(a));
        }
    }
}

#[test]
fn two_numbers() {
    let numbers = numbers(P, 32, 40);
    for a in &numbers {
        for b in &numbers {
            check_two(Fe::<false>(*a), Fe::<false>(*b));
            if has_mulx() {
                check_two(Fe::<true>(*a), Fe::<true>(*b));
            }
        }
    }
}

#[test]
fn four_numbers() {
    four::<false>();
    if has_mulx() {
        four::<true>();
    }
}

fn four<const M: bool>() {
    let edges = edges(P);
    let mut rng = rng(33);
    for i in 0..20_000 {
        let number = |rng: &mut _| {
            let [pick, kind, ..] = random(rng);
            Fe::<M>(match kind % 4 {
                0 => random(rng),
                1 => lopsided(rng),
                _ => edges[pick as usize % edges.len()],
            })
        };
        // One that comes back: 0 - 0, a - a, a^2 - a^2 and the like.
        let a = number(&mut rng);
        let others = std::array::from_fn(|_| if i % 3 == 0 { a } else { number(&mut rng) });
        check_four(others);
        check_four([a, number(&mut rng), number(&mut rng), number(&mut rng)]);
    }
    for extreme in [[0; 4], [u64::MAX; 4], P, [1, 0, 0, 0], [C, 0, 0, 0]].map(Fe::<M>) {
        for other in [[0; 4], [u64::MAX; 4], P].map(Fe::<M>) {
            check_four([extreme, other, extreme, other]);
            check_four([other, other, extreme, extreme]);
            check_four([extreme, extreme, other, other]);
        }
    }
}

/// Sums whose last fold carries out of the four words again, or borrows, which products reach once in 2^190.
#[test]
fn the_last_fold() {
    let mut lows = edges(P);
    for below in [1u64, 2, C - 1, C, C + 1, 2 * C, u64::MAX] {
        lows.push(words(&(power(256) - below)));
        lows.push(words(&(power(256) - (num_bigint::BigUint::from(below) << 33))));
        lows.push([below, 0, 0, 0]);
    }
    for low in lows {
        for bits in 0..=40 {
            for high in [1i64 << bits, (1 << bits) - 1, -(1 << bits), 1 - (1 << bits), C as i64] {
                let want = BigInt::from(big(&low)) + BigInt::from(high) * BigInt::from(power(256));
                same(Sum { low, high }.reduce::<false>(), want, &format!("{high} * 2^256 + {low:x?}"), &[]);
            }
        }
    }
}

#[test]
fn loads_and_stores() {
    assert_eq!((Fe1::LANES, Fe1::all()), (1, 1));
    let mut rng = rng(34);
    for _ in 0..100 {
        let (x, y) = (random(&mut rng), random(&mut rng));
        let packed = Packed([x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]]);
        let (a, b) = Fe1::load_points(|lane| if lane == 0 { &packed } else { panic!("one lane") });
        assert_eq!((a.0, b.0), (x, y));
        let mut stored = vec![];
        Fe1::store_points(a, b, |lane, point| stored.push((lane, point)));
        assert_eq!(stored, [(0, packed)], "random numbers are below p");
        Fe1::store_points(Fe(P), Fe([u64::MAX; 4]), |_, point| assert_eq!(point.0, [0, 0, 0, 0, C - 1, 0, 0, 0]));
        assert_eq!((Fe1::splat(x).0, Fe1::load(|lane| [lane as u64, 2, 3, 4]).0), (x, [0, 2, 3, 4]));
    }
}
