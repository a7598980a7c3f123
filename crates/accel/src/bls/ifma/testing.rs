//! Numbers for tests, and big integers beside them.

use super::fp::Fp;
use super::fp2::Fp2;
use crate::bls::row::Row;
use crate::bls::words::{LOW52, Limbs, P_WORDS};
use blst::*;
use num_bigint::BigUint;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Runs a function that needs the instructions, if they are there.
macro_rules! on_ifma {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            if crate::backends::avx512ifma::Avx512Ifma::detect().is_some() {
                // SAFETY: the token exists, so the CPU has the features.
                unsafe { checks::$name() }
            } else {
                eprintln!("skipped: no AVX-512 IFMA");
            }
        }
    )*};
}
pub(super) use on_ifma;

pub(super) fn rng(seed: u64) -> ChaCha20Rng {
    eprintln!("seed {seed}");
    ChaCha20Rng::seed_from_u64(seed)
}

pub(super) fn p() -> BigUint {
    P_WORDS.iter().rev().fold(BigUint::default(), |sum, word| (sum << 64) + *word)
}

/// The number that stands in limbs.
pub(super) fn number(limbs: &Limbs) -> BigUint {
    limbs.iter().rev().fold(BigUint::default(), |sum, limb| (sum << 52) + *limb)
}

pub(super) fn limbs_of(number: &BigUint) -> Limbs {
    let mut limbs = [0; 8];
    for (i, limb) in limbs.iter_mut().enumerate() {
        let digits = (number >> (52 * i)).to_u64_digits();
        *limb = digits.first().map_or(0, |low| low & LOW52);
    }
    limbs
}

/// 2^416 modulo p
pub(super) fn r() -> BigUint {
    (BigUint::from(1u8) << 416) % p()
}

/// What a Montgomery form stands for.
pub(super) fn value(limbs: &Limbs) -> BigUint {
    let inverse = r().modpow(&(p() - 2u8), &p());
    number(limbs) * inverse % p()
}

/// Limbs at the ends of the ranges, and others, of numbers below `bound` p.
pub(super) fn hard_limbs(rng: &mut ChaCha20Rng, bound: u64) -> Vec<Limbs> {
    let most = p() * bound - 1u8;
    let mut all: Vec<BigUint> = (0..bound.min(4)).flat_map(|k| [p() * k, p() * k + 1u8, p() * (k + 1) - 1u8]).collect();
    all.push(most.clone());
    // All limbs full but the highest.
    let full: BigUint = (BigUint::from(1u8) << 364) - 1u8;
    all.push(full.clone());
    all.push((((&most >> 364) - 1u8) << 364) + &full);
    for i in 0..7 {
        all.push(BigUint::from(LOW52) << (52 * i));
        all.push(BigUint::from(1u8) << (52 * i));
        all.push(&full - (BigUint::from(LOW52) << (52 * i)));
    }
    for _ in 0..40 {
        let mut bytes = [0; 56];
        rng.fill_bytes(&mut bytes);
        all.push(BigUint::from_bytes_le(&bytes) % &most);
    }
    all.iter().map(limbs_of).collect()
}

/// Numbers of these limbs, eight at a time; the last are repeated.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn vectors(limbs: &[Limbs], bound: u64) -> Vec<(Fp, [Limbs; 8])> {
    let pick = |chunk: &[Limbs]| std::array::from_fn(|lane| chunk[lane.min(chunk.len() - 1)]);
    limbs.chunks(8).map(pick).map(|lanes: [Limbs; 8]| (Fp::raw(&lanes.map(Row), bound), lanes)).collect()
}

/// The values of all lanes.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn values(a: &Fp) -> [BigUint; 8] {
    a.rows().map(|row| value(&row.0))
}

/// The values of all lanes.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn values2(a: &Fp2) -> [(BigUint, BigUint); 8] {
    let (c0, c1) = (values(&a.c0), values(&a.c1));
    std::array::from_fn(|lane| (c0[lane].clone(), c1[lane].clone()))
}

/// Random numbers.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn random(rng: &mut ChaCha20Rng) -> Fp {
    let lanes: [[u64; 6]; 8] = std::array::from_fn(|_| {
        let mut words = std::array::from_fn(|_| rng.next_u64());
        words[5] >>= 4;
        words
    });
    Fp::from_plain(&lanes)
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn random2(rng: &mut ChaCha20Rng) -> Fp2 {
    Fp2 { c0: random(rng), c1: random(rng) }
}

/// A point of G1: the generator's negative times a number, and 1 if that is 0.
pub(super) fn p1(times: u64) -> blst_p1_affine {
    let (mut product, mut affine) = (blst_p1::default(), blst_p1_affine::default());
    // SAFETY: a constant and points of blst, and 8 bytes.
    unsafe {
        blst_p1_from_affine(&mut product, &BLS12_381_NEG_G1);
        let start = product;
        blst_p1_mult(&mut product, &start, times.max(1).to_le_bytes().as_ptr(), 64);
        blst_p1_to_affine(&mut affine, &product);
    }
    affine
}

/// A point of G2: the generator times a number, and 1 if that is 0.
pub(super) fn p2(times: u64) -> blst_p2 {
    // SAFETY: a constant of blst.
    p2_mul(unsafe { &*blst_p2_generator() }, times.max(1))
}

pub(super) fn p2_mul(point: &blst_p2, times: u64) -> blst_p2 {
    let mut product = blst_p2::default();
    // SAFETY: a point of blst and 8 bytes.
    unsafe { blst_p2_mult(&mut product, point, times.to_le_bytes().as_ptr(), 64) };
    product
}

pub(super) fn p2_affine(point: &blst_p2) -> blst_p2_affine {
    let mut affine = blst_p2_affine::default();
    // SAFETY: a point of blst.
    unsafe { blst_p2_to_affine(&mut affine, point) };
    affine
}

/// A point of the curve that is hardly in the subgroup; with a prime order of the cofactor, one of this order.
pub(super) fn p2_outside(rng: &mut ChaCha20Rng, order: u64) -> blst_p2_affine {
    loop {
        let mut bytes = [0; 96];
        rng.fill_bytes(&mut bytes);
        bytes[0] = 0x80 | bytes[0] & 0x2f;
        bytes[0] &= 0xaf;
        let mut point = blst_p2_affine::default();
        // SAFETY: 96 bytes and points of blst, on the curve.
        unsafe {
            if blst_p2_uncompress(&mut point, bytes.as_ptr()) != BLST_ERROR::BLST_SUCCESS {
                continue;
            }
            if order == 0 {
                return point;
            }
            let (number, mut product) = (without(curve_order(), order), blst_p2::default());
            blst_p2_from_affine(&mut product, &point);
            let number = number.to_bytes_le();
            let start = product;
            blst_p2_unchecked_mult(&mut product, &start, number.as_ptr(), 8 * number.len());
            if !blst_p2_is_inf(&product) {
                return p2_affine(&product);
            }
        }
    }
}

/// How many points the curve over Fp2 has.
fn curve_order() -> BigUint {
    let r = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    let cofactor = "5d543a95414e7f1091d50792876a202cd91de4547085abaa68a205b2e5a7ddfa628f1cb4d9e82ef21537e293a6691ae1616ec6e786f0c70cf1c38e31c7238e5";
    let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).expect("hex");
    number(r) * number(cofactor)
}

/// Without the factor `prime`, which may stand in it more than once (the points of order 13 and 23 are no cyclic group).
fn without(mut number: BigUint, prime: u64) -> BigUint {
    while &number % prime == BigUint::default() {
        number /= prime;
    }
    number
}
