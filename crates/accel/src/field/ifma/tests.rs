//! Every method on limbs at the bounds of their range, most of which no loaded number has, against plain big-number
//! arithmetic.

use super::*;
use crate::backends::avx512ifma::Avx512Ifma;
use crate::secp::machine::{Machine, Task};
use crate::testing::{big, power, rng, words};
use num_bigint::{BigInt, BigUint};
use rand::RngCore;
use rand_chacha::ChaCha8Rng;

/// Five limbs of each lane.
type Limbs = [[u64; 5]; 8];

/// What a lane of a result is worth modulo p, from its number and those of the lane's operands.
type Want = fn(usize, &[BigInt; 4]) -> BigInt;

fn fe(lanes: &Limbs) -> Fe8 {
    Fe8(std::array::from_fn(|limb| read(&std::array::from_fn(|lane| lanes[lane][limb]))))
}

fn limbs(number: Fe8) -> Limbs {
    let limbs = number.0.map(to_words);
    std::array::from_fn(|lane| std::array::from_fn(|limb| limbs[limb][lane]))
}

fn value(limbs: &[u64; 5]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 52) + limb)
}

fn p() -> BigUint {
    power(256) - power(32) - 977u16
}

/// Limbs of a number below 2^257.
fn split(number: &BigUint) -> [u64; 5] {
    std::array::from_fn(|i| words(&((number >> (52 * i)) % power(if i == 4 { 49 } else { 52 })))[0])
}

/// A value in range of which some limbs are as large or as small as they may be, or near the zeros 0, p and 2 p.
fn edge(rng: &mut ChaCha8Rng) -> [u64; 5] {
    if rng.next_u32().is_multiple_of(3) {
        let zeros = [BigUint::ZERO, p(), p() * 2u8, power(256), power(257) - 1u8];
        let near = &zeros[rng.next_u32() as usize % zeros.len()];
        let offset = rng.next_u32() >> [0, 20, 30, 31][rng.next_u32() as usize % 4];
        let number = if rng.next_u32().is_multiple_of(2) { near + offset } else { near + power(257) - offset };
        return split(&(number % power(257)));
    }
    std::array::from_fn(|i| {
        let bits = if i == 4 { 49 } else { 52 };
        match rng.next_u32() % 6 {
            0 => 0,
            1 | 2 => (1 << bits) - 1,
            3 => 1 << (bits - 1),
            4 => (1 << bits) - 1 - (1 << (rng.next_u32() % bits)),
            _ => rng.next_u64() >> (64 - bits),
        }
    })
}

/// What every method makes of the operands.
struct All<'a>(&'a [Limbs; 4]);

/// Lanes that methods with a mask are given; the bits above mean nothing.
const MASK: u64 = 0xabc5a;

fn chosen(lane: usize) -> bool {
    MASK >> lane & 1 == 1
}

impl Task for All<'_> {
    type Output = (Vec<(&'static str, Limbs, Want)>, Limbs, [u64; 2]);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let [a, b, c, d] = [fe(&self.0[0]), fe(&self.0[1]), fe(&self.0[2]), fe(&self.0[3])];
        let results: Vec<(&'static str, Fe8, Want)> = vec![
            ("mul", a.mul(b), |_, [a, b, ..]| a * b),
            ("sqr", a.sqr(), |_, [a, ..]| a * a),
            ("mul_add", a.mul_add(b, c), |_, [a, b, c, _]| a * b + c),
            ("mul_sub", a.mul_sub(b, c), |_, [a, b, c, _]| a * b - c),
            ("sqr_sub", a.sqr_sub(b, c), |_, [a, b, c, _]| a * a - b - 2 * c),
            ("sqr_sub_twice", a.sqr_sub_twice(b), |_, [a, b, ..]| a * a - 2 * b),
            ("sqr_triple", a.sqr_triple(), |_, [a, ..]| 3 * a * a),
            ("sqr_add_mul", a.sqr_add_mul(b, c), |_, [a, b, c, _]| a * a + b * c),
            ("twice_mul_add_mul", a.twice_mul_add_mul(b, c, d), |_, [a, b, c, d]| 2 * (a * b + c * d)),
            ("sub", a.sub(b), |_, [a, b, ..]| a - b),
            ("twice_sub", a.twice_sub(b), |_, [a, b, ..]| 2 * (a - b)),
            ("twice", a.twice(), |_, [a, ..]| 2 * a),
            ("neg", a.neg(), |_, [a, ..]| -a),
            ("neg_where", a.neg_where(MASK), |lane, [a, ..]| if chosen(lane) { -a } else { a.clone() }),
            ("twice_neg_where", a.twice_neg_where(MASK), |lane, [a, ..]| 2 * if chosen(lane) { -a } else { a.clone() }),
            ("select", a.select(b, MASK), |lane, [a, b, ..]| if chosen(lane) { b.clone() } else { a.clone() }),
        ];
        let canonical = limbs(a.canonical());
        let masks = [a.is_zero(), a.is_odd()];
        (results.into_iter().map(|(name, got, want)| (name, limbs(got), want)).collect(), canonical, masks)
    }
}

#[test]
fn limbs_at_their_bounds() {
    let Some(machine) = Avx512Ifma::detect() else { return };
    let rng = &mut rng(41);
    let p = BigInt::from(p());
    for round in 0..10_000 {
        let mut operands: [Limbs; 4] = std::array::from_fn(|_| std::array::from_fn(|_| edge(rng)));
        if round % 5 == 0 {
            // Differences of equal numbers, and the largest products.
            operands = [operands[0]; 4];
        }
        let (results, canonical, [zero, odd]) = machine.call(All(&operands));
        for lane in 0..8 {
            let inputs = [0, 1, 2, 3].map(|i| operands[i][lane]);
            let numbers = inputs.map(|limbs| BigInt::from(value(&limbs)));
            for (name, got, want) in &results {
                let got = &got[lane];
                assert!(
                    got[..4].iter().all(|limb| limb >> 52 == 0) && got[4] >> 49 == 0,
                    "{name}: {got:x?} of {inputs:x?}"
                );
                let difference = BigInt::from(value(got)) - want(lane, &numbers);
                assert_eq!(difference % &p, BigInt::ZERO, "{name}: {got:x?} of {inputs:x?}");
            }
            let number = &numbers[0] % &p;
            assert_eq!(BigInt::from(value(&canonical[lane])), number, "canonical of {:x?}", inputs[0]);
            assert_eq!(zero >> lane & 1 == 1, number == BigInt::ZERO, "is_zero of {:x?}", inputs[0]);
            assert_eq!(odd >> lane & 1 == 1, number.bit(0), "is_odd of {:x?}", inputs[0]);
        }
        assert_eq!((zero >> 8, odd >> 8), (0, 0), "masks have no bits above the lanes");
    }
}

/// Loads any words and stores canonical ones, numbers and points; inverses.
struct InAndOut<'a>(&'a [[u64; 4]; 16]);

impl Task for InAndOut<'_> {
    type Output = (Vec<[u64; 4]>, Vec<Packed>, Vec<[u64; 4]>);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let (mut numbers, mut points, mut inverses) = (vec![], vec![], vec![]);
        let points_in: [Packed; 8] = std::array::from_fn(|lane| {
            let (x, y) = (self.0[lane], self.0[8 + lane]);
            Packed([x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]])
        });
        Fe8::store_words(Fe8::load(|lane| self.0[lane]).words(), |_, words| numbers.push(words));
        let (x, y) = Fe8::load_points(|lane| &points_in[lane]);
        Fe8::store_points(x, y, |_, point| points.push(point));
        Fe8::store_words(x.invert().words(), |_, words| inverses.push(words));
        (numbers, points, inverses)
    }
}

#[test]
fn words_in_and_out() {
    let Some(machine) = Avx512Ifma::detect() else { return };
    let modulus = words(&p());
    let all: Vec<_> =
        crate::testing::numbers(modulus, 42, 2_000).into_iter().filter(|n| big(n) % p() != BigUint::ZERO).collect();
    let canonical = |number: &[u64; 4]| words(&(big(number) % p()));
    for batch in all.as_chunks::<16>().0 {
        let (numbers, points, inverses) = machine.call(InAndOut(batch));
        for lane in 0..8 {
            let (x, y) = (canonical(&batch[lane]), canonical(&batch[8 + lane]));
            assert_eq!(numbers[lane], x, "{:x?}", batch[lane]);
            assert_eq!(points[lane].0, [x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]], "{:x?}", batch[lane]);
            assert_eq!(big(&inverses[lane]) * big(&x) % p(), BigUint::from(1u8), "inverse of {:x?}", batch[lane]);
        }
        assert_eq!((numbers.len(), points.len(), inverses.len()), (8, 8, 8));
    }
    let zeros = [[0; 4], modulus];
    for zero in zeros {
        let mut batch: [[u64; 4]; 16] = *all.first_chunk().expect("enough");
        batch[3] = zero;
        assert_eq!(machine.call(InAndOut(&batch)).0[3], [0; 4]);
    }
}
