//! Numbers modulo the prime of BLS12-381 against big integers, and how many multiplications of words they take.

use super::functions::{Fp, fp, number, products};
use crate::bls::library;
use crate::bls::words::P_WORDS;
use crate::gpu::card::{Card, Lane};
use crate::gpu::desk::{Desk, Points, Resident};
use crate::gpu::key_sum::row;
use crate::gpu::post::SET_UP;
use crate::gpu::twin::Twin;
use crate::testing::{power, rng};
use num_bigint::BigUint;
use rand::Rng;
use std::sync::Arc;

/// Random numbers.
const MORE: usize = 5_000;
/// As in `kernels/README.md`: a product, a square, an inversion, an addition of points where threads have 16.
const TOLD: [u64; 4] = [288, 222, 3_380, 1_675];

fn p() -> BigUint {
    P_WORDS.iter().rev().fold(BigUint::ZERO, |p, word| (p << 64) + word)
}

fn words(number: &BigUint) -> [u32; 12] {
    let mut digits = number.to_u32_digits();
    digits.resize(12, 0);
    digits.try_into().expect("12 words")
}

/// Below p: next to powers of two and to p, with words of all ones, and random.
fn numbers() -> Vec<BigUint> {
    let p = p();
    let mut numbers: Vec<BigUint> = (0..4u8).flat_map(|n| [BigUint::from(n), &p - 1u8 - n, (&p >> 1) + n]).collect();
    for bits in (1..381).filter(|bits| bits % 32 < 2 || bits % 30 < 2 || *bits > 378) {
        let near = power(bits);
        numbers.extend([&near - 1u8, near.clone(), &near + 1u8, &p - &near, &p + 1u8 - &near]);
        numbers.push((power(384) - &near) % &p);
    }
    let dice = &mut rng(381);
    numbers.extend((0..MORE).map(|_| number(&dice.random::<[u32; 12]>())));
    numbers.into_iter().map(|number| number % &p).collect()
}

#[test]
fn products_squares_and_inverses() {
    let (p, numbers) = (p(), numbers());
    let r_inverse = power(384).modinv(&p).expect("p is a prime");
    for (at, a) in numbers.iter().enumerate() {
        let b = &numbers[(at * 7 + 3) % numbers.len()];
        let (x, y) = (words(a), words(b));
        assert_eq!(number(&fp(Fp::Mul, &x, &y)), a * b * &r_inverse % &p, "{a} times {b}");
        assert_eq!(number(&fp(Fp::Square, &x, &x)), a * a * &r_inverse % &p, "{a} squared");
        let inverse = a.modinv(&p).unwrap_or(BigUint::ZERO);
        assert_eq!(number(&fp(Fp::Invert, &x, &x)), inverse * power(768) % &p, "1 / {a}");
    }
}

#[test]
fn products_of_words() {
    let numbers: Vec<[u32; 12]> = numbers().iter().rev().take(200).map(words).collect();
    let each = |op| {
        let before = products();
        for a in &numbers {
            fp(op, a, a);
        }
        (products() - before) / numbers.len() as u64
    };
    let counted = [each(Fp::Mul), each(Fp::Square), each(Fp::Invert), of_an_addition()];
    eprintln!("products of words: product, square, inversion, addition {counted:?}");
    for (counted, told) in counted.into_iter().zip(TOLD) {
        assert!(counted.abs_diff(told) <= told / 100, "{counted}, {told} were told");
    }
}

/// Of points, by threads that have all the pairs that they may have.
fn of_an_addition() -> u64 {
    const PAIRS: u32 = 1 << 18;
    let twin = Twin::open();
    let mut lane: Box<dyn Lane> = Arc::clone(&twin).lane().expect("a lane");
    let card: Arc<dyn Card> = twin;
    let resident = Resident::new(&card, &mut *lane, SET_UP).expect("a card");
    let mut desk = Desk::new(card, lane, Arc::new(resident));
    let g = library::minus_g1();
    let twice = library::to_affine(&library::add(&library::add(&Default::default(), &g), &g)).expect("not infinity");
    let rows = [row(&g), row(&twice)].concat();
    let points = Points { rows, slots: (0..2 * PAIRS).map(|slot| slot / PAIRS).collect(), levels: 1 };
    let before = products();
    desk.fold(&points, SET_UP).expect("sums");
    (products() - before) / u64::from(PAIRS)
}
