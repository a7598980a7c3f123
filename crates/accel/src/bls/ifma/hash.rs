//! Hashes to G2 (RFC 9380, suite BLS12381G2_XMD:SHA-256_SSWU_RO_), eight a vector.

use super::fp::Fp;
use super::fp2::Fp2;
use super::g2::{Affine, Jacobian};
use super::power::invert;
use super::sswu::map_to_curve;
use crate::bls::{library, words};

/// Bytes of uniform randomness for one number of Fp (`L` of the suite).
const FIELD_BYTES: usize = 64;
/// Numbers of Fp for one message.
const FIELDS: usize = 4;

/// The points of up to eight messages a vector, and the lanes that the formulas cannot tell.
pub(super) struct Hashed {
    pub(super) point: Affine,
    /// Lanes with no point: a sum was exceptional. Nobody can find a message for which that is so.
    pub(super) unknown: u8,
}

/// The hash of each message under a domain separation tag, eight a vector; the last of a vector is repeated.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn hash_to_g2<M: AsRef<[u8]>>(messages: &[M], tag: &[u8]) -> Vec<Hashed> {
    let numbers: Vec<[Fp2; 2]> = messages.chunks(8).map(|eight| hash_to_field(eight, tag)).collect();
    let maps = map_to_curve(numbers.as_flattened());
    let points: Vec<Jacobian> = maps.as_chunks::<2>().0.iter().map(|[a, b]| clear_cofactor(&a.add(b))).collect();
    to_affine(&points)
}

/// Section 5.2: two numbers of Fp2 a message.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn hash_to_field<M: AsRef<[u8]>>(messages: &[M], tag: &[u8]) -> [Fp2; 2] {
    let mut words = [[[0u64; 8]; 8]; FIELDS];
    for lane in 0..8 {
        let message = messages[lane.min(messages.len() - 1)].as_ref();
        let bytes: [u8; FIELDS * FIELD_BYTES] = library::expand_message(message, tag);
        for (words, bytes) in words.iter_mut().zip(bytes.as_chunks::<FIELD_BYTES>().0) {
            for (word, bytes) in words[lane].iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
                *word = u64::from_be_bytes(*bytes);
            }
        }
    }
    let [a, b, c, d] = words;
    [Fp2 { c0: reduce(&a), c1: reduce(&b) }, Fp2 { c0: reduce(&c), c1: reduce(&d) }]
}

/// Numbers of 512 bits modulo p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn reduce(lanes: &[[u64; 8]; 8]) -> Fp {
    let low = Fp::from_words(&lanes.map(|[a, b, c, d, e, f, _, _]| [a, b, c, d, e, f]));
    let high = Fp::from_words(&lanes.map(|[.., g, h]| [g, h, 0, 0, 0, 0]));
    let shift = Fp::splat(&const { words::doubled(words::R2, 384) });
    Fp::dot([&low, &high], [&Fp::splat(&words::R2), &shift])
}

/// RFC 9380 appendix G.3 (Budroni and Pintore), with x negative.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn clear_cofactor(p: &Jacobian) -> Jacobian {
    let t1 = p.mul_x_abs().neg();
    let t2 = p.psi();
    let t3 = p.double().psi2().add(&t2.neg());
    let t2 = t1.add(&t2).mul_x_abs().neg();
    t3.add(&t2).add(&t1.neg()).add(&p.neg())
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn to_affine(points: &[Jacobian]) -> Vec<Hashed> {
    let norms: Vec<Fp> = points.iter().map(|point| point.z.norm()).collect();
    let unknown: Vec<u8> = norms.iter().map(|norm| norm.is_zero()).collect();
    let mut inverses: Vec<Fp> = norms.iter().zip(&unknown).map(|(norm, zero)| norm.select(*zero, &Fp::one())).collect();
    invert(&mut inverses);
    let all = points.iter().zip(inverses.iter().zip(unknown));
    all.map(|(point, (inverse, unknown))| {
        let inverse = point.z.conjugate::<6>().mul_fp(inverse);
        Hashed { point: point.to_affine(&inverse), unknown }
    })
    .collect()
}

#[cfg(test)]
mod tests;
