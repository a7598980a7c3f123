//! BLS12-381, eight at a time, with AVX-512 IFMA.
//!
//! Functions that use the instructions are `#[target_feature]` and safe; they are entered only through the backend's token
//! (`backends::avx512ifma`), which proves that the CPU has them. Formulas are those for public data: they branch on it.

mod bound;
mod buckets;
mod decompress;
mod fp;
mod fp12;
mod fp2;
mod fp6;
mod g1;
mod g2;
mod gt;
mod hash;
mod miller;
mod power;
mod spare;
mod sswu;
#[cfg(test)]
mod testing;

pub(crate) use decompress::signatures;
pub(crate) use gt::product;

use super::library;
use super::row::{Point, Row12};
use super::{Maths, plain::Plain};
use blst::{blst_fp12, blst_p1, blst_p1_affine, blst_p2_affine};
use fp::Fp;
use fp12::Fp12;
use g2::Affine;
use miller::{At, miller_loop};

/// As [`super::Maths::key_sum`].
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn key_sum(points: &[Point], times: &[u16]) -> blst_p1 {
    let mut sum = blst_p1::default();
    for bit in g1::weighted_sum(points, times).into_iter().rev() {
        sum = library::double(&sum);
        if let Some((point, negative)) = bit {
            let point = point.to_blst();
            sum = library::add(&sum, &if negative { library::negative(&point) } else { point });
        }
    }
    sum
}

/// As [`super::Maths::miller_product`].
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn miller_product(pairs: &[(blst_p1_affine, blst_p2_affine)]) -> blst_fp12 {
    let mut product = library::one();
    for some in pairs.chunks(8) {
        let pair = |lane: usize| &some[lane.min(some.len() - 1)];
        let p: [blst_p1_affine; 8] = std::array::from_fn(|lane| pair(lane).0);
        let q = Affine::from_blst(&std::array::from_fn(|lane| pair(lane).1));
        let at = At::new(&Fp::from_blst(&p.map(|p| p.x)), &Fp::from_blst(&p.map(|p| p.y)));
        let values = miller_loop(&at, &q).to_blst();
        product = values[..some.len()].iter().fold(product, |product, value| library::multiply(&product, value));
    }
    product
}

/// How many are hashed together: they share inversions, and what is kept of them stays in the second level cache.
const HASHED_AT_ONCE: usize = 64;

/// As [`super::Maths::hashes`].
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn hashes(messages: &[Vec<u8>], tag: &[u8]) -> Vec<blst_p2_affine> {
    let mut points = Vec::with_capacity(messages.len());
    for some in messages.chunks(HASHED_AT_ONCE) {
        for (eight, hashed) in some.chunks(8).zip(hash::hash_to_g2(some, tag)) {
            let of_lane = hashed.point.to_blst();
            points.extend(eight.iter().enumerate().map(|(lane, message)| {
                if hashed.unknown >> lane & 1 == 0 { of_lane[lane] } else { library::hash_to_g2(message, tag) }
            }));
        }
    }
    points
}

/// As [`super::Maths::miller_values`].
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn miller_values(points: &[Point], signed: &[Vec<u8>], tag: &[u8]) -> Vec<Row12> {
    let mut values = Vec::with_capacity(points.len());
    for (points, signed) in points.chunks(HASHED_AT_ONCE).zip(signed.chunks(HASHED_AT_ONCE)) {
        let hashed = hash::hash_to_g2(signed, tag);
        let value = |(points, hashed): (&[Point], &hash::Hashed)| {
            let point = |lane: usize| &points[lane.min(points.len() - 1)];
            let x = Fp::load(std::array::from_fn(|lane| &point(lane).x));
            let y = Fp::load(std::array::from_fn(|lane| &point(lane).y));
            miller_loop(&At::new(&x, &y), &hashed.point)
        };
        let mut eights: Vec<Fp12> = points.chunks(8).zip(&hashed).map(value).collect();
        gt::make_units(&mut eights);
        for ((points, signed), (hashed, eight)) in
            points.chunks(8).zip(signed.chunks(8)).zip(hashed.iter().zip(&eights))
        {
            let start = values.len();
            values.extend_from_slice(&eight.store()[..points.len()]);
            for lane in (0..points.len()).filter(|lane| hashed.unknown >> lane & 1 == 1) {
                values[start + lane] = Plain.miller_values(&points[lane..=lane], &signed[lane..=lane], tag)[0];
            }
        }
    }
    values
}
