//! Numbers modulo p and n against big integers.

use super::functions::{self as twin, Field, Order, Words, number, products, words};
use crate::secp::glv::{self, LAMBDA};
use crate::secp::order::{self, N};
use crate::testing::{self, big, edges, numbers, power};
use num_bigint::BigUint;

/// p
const P: [u64; 4] = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];
/// Random numbers of each kind.
const MORE: usize = 10_000;

fn of_long(long: &[u64; 4]) -> Words {
    words(&big(long))
}

/// Pairs of numbers: all of the edges, then random neighbours.
fn pairs(modulus: [u64; 4], below: &BigUint) -> Vec<(Words, Words)> {
    let reduced = |long: &[u64; 4]| words(&(big(long) % below));
    let edges: Vec<Words> = edges(modulus).iter().map(reduced).collect();
    let more: Vec<Words> = numbers(modulus, 1, MORE).iter().map(reduced).collect();
    let mut pairs: Vec<_> = edges.iter().flat_map(|a| edges.iter().map(|b| (*a, *b))).collect();
    pairs.extend(more.windows(2).map(|two| (two[0], two[1])));
    pairs
}

#[test]
fn field_operations_on_two_numbers() {
    let p = big(&P);
    for (a, b) in pairs(P, &power(256)) {
        let (x, y) = (number(&a), number(&b));
        let check = |op, right: BigUint| {
            let got = number(&twin::field(op, a, b));
            assert_eq!(got % &p, right % &p, "{op:?} of {x} and {y}");
        };
        check(Field::Add, &x + &y);
        check(Field::Sub, &x + &p + &p - &y);
        check(Field::Mul, &x * &y);
    }
}

#[test]
fn field_operations_on_one_number() {
    let p = big(&P);
    for a in numbers(P, 2, MORE).iter().map(of_long) {
        let x = number(&a);
        let check = |op, right: BigUint| {
            let got = number(&twin::field(op, a, [0; 8]));
            assert_eq!(got % &p, right % &p, "{op:?} of {x}");
        };
        check(Field::Neg, &p + &p - &x);
        check(Field::Sqr, &x * &x);
        check(Field::Twice, &x << 1);
        check(Field::FourTimes, &x << 2);
        check(Field::EightTimes, &x << 3);
        assert_eq!(number(&twin::field(Field::Canonical, a, a)), &x % &p, "{x}");
        assert_eq!(twin::field_is_zero(a), &x % &p == BigUint::ZERO, "{x}");
        assert_eq!(twin::field_is_below_p(a), x < p, "{x}");
    }
}

#[test]
fn field_powers() {
    let p = big(&P);
    let mut roots = [0; 2];
    for a in numbers(P, 3, MORE).iter().map(of_long) {
        let x = number(&a);
        let inverse = number(&twin::field(Field::Invert, a, a));
        let right = BigUint::from(u8::from(&x % &p != BigUint::ZERO));
        assert_eq!(&x * inverse % &p, right, "1 / {x}");
        let root = number(&twin::field(Field::Root, a, a));
        let square = &root * &root % &p;
        // A number or its negative has a root: p is 3 modulo 4.
        let is_root = square == &x % &p;
        assert!(is_root || (square + &x) % &p == BigUint::ZERO, "root of {x}");
        roots[usize::from(is_root)] += 1;
    }
    assert!(roots.iter().all(|count| *count > MORE / 2), "{roots:?}");
}

#[test]
fn order_operations_on_two_numbers() {
    let n = big(&N);
    for (a, b) in pairs(N, &n) {
        let (x, y) = (number(&a), number(&b));
        assert_eq!(number(&twin::order(Order::Add, a, b)), (&x + &y) % &n, "{x} + {y}");
        assert_eq!(number(&twin::order(Order::Mul, a, b)), &x * &y % &n, "{x} * {y}");
    }
    // Multiplication may be given any 8 words: these make the largest carries.
    for (a, b) in pairs(N, &power(256)) {
        assert_eq!(number(&twin::order(Order::Mul, a, b)), number(&a) * number(&b) % &n);
    }
}

#[test]
fn order_operations_on_one_number() {
    let n = big(&N);
    for long in numbers(N, 4, MORE) {
        let a = of_long(&long);
        let x = number(&a);
        assert_eq!(number(&twin::order(Order::Reduce, a, a)), &x % &n, "{x}");
        let high = x > (&n >> 1);
        assert_eq!(twin::order_flags(a), [x < n, high, high], "{x}");
        let x = &x % &n;
        let a = words(&x);
        let minus = (&n - &x) % &n;
        assert_eq!(number(&twin::order(Order::Neg, a, a)), minus, "{x}");
        assert_eq!(number(&twin::order(Order::Halved, a, a)), x.clone().min(minus), "{x}");
        let inverse = number(&twin::order(Order::Invert, a, a));
        let right = BigUint::from(u8::from(x != BigUint::ZERO));
        assert!(inverse < n && &x * inverse % &n == right, "1 / {x}");
    }
}

#[test]
fn halves_are_short_and_add_up() {
    let (n, lambda) = (big(&N), big(&LAMBDA));
    let value = |(magnitude, negative): ([u32; 4], bool)| {
        let magnitude = number(&magnitude);
        if negative { &n - magnitude } else { magnitude }
    };
    for long in numbers(N, 5, MORE) {
        let k = big(&long) % &n;
        let halves = twin::split(words(&k));
        assert_eq!((value(halves[0]) + value(halves[1]) * &lambda) % &n, k);
        let right = glv::split(order::Order::reduce(testing::words(&k)));
        for (half, right) in halves.into_iter().zip(right) {
            assert_eq!((number(&half.0), half.1), (big(&right.magnitude), right.negative), "{k}");
        }
    }
}

#[test]
fn products_of_words_are_counted() {
    let count = |op| {
        let before = products();
        twin::field(op, [3; 8], [5; 8]);
        products() - before
    };
    assert_eq!([Field::Add, Field::Mul, Field::Sqr].map(count), [0, 73, 45]);
}
