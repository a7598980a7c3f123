//! BLS12-381 for checkpoints: the maths of [`crate::checkpoint`], plain (blst) and eight at a time.
//!
//! A sum of keys or a product of Miller values is worked out by a [`Maths`]; whatever it gives is used with blst's own
//! pairing, so that all of them give the same answers.

pub(crate) mod constants;
#[cfg(target_arch = "x86_64")]
pub(crate) mod ifma;
// Some of these are for the vectors alone.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) mod library;
pub(crate) mod plain;
pub(crate) mod row;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) mod words;

use blst::{blst_fp12, blst_p1, blst_p1_affine, blst_p2_affine};
use row::{Point, Row12};
use vigil_crypto::bls::Signature;

/// The parts of a checkpoint's verification that backends do in their own ways.
pub(crate) trait Maths {
    /// Each compressed signature, if it is one: a point of the subgroup of order r, in canonical form, not infinity. `None`
    /// says nothing: whoever asks has the judge decide.
    fn signatures(&self, compressed: &[[u8; 96]]) -> Vec<Option<blst_p2_affine>> {
        compressed.iter().map(|bytes| Signature::from_bytes(bytes).ok().map(Into::into)).collect()
    }

    /// The sum of points of G1, each times its number. Neither is any of them infinity nor does the sum have to be a point.
    fn key_sum(&self, points: &[Point], times: &[u16]) -> blst_p1;

    /// A Miller value of each key and the hash of what it signs.
    fn miller_values(&self, points: &[Point], signed: &[Vec<u8>], tag: &[u8]) -> Vec<Row12>;

    /// The hash of each message to G2. The table is made without this: it is for measurements.
    fn hashes(&self, messages: &[Vec<u8>], tag: &[u8]) -> Vec<blst_p2_affine> {
        messages.iter().map(|message| library::hash_to_g2(message, tag)).collect()
    }

    /// The product of Miller values, each to the power of its number, up to factors that the final exponentiation takes out.
    fn product(&self, values: &[Row12], powers: &[u16]) -> blst_fp12;

    /// The product of the Miller values of a few pairs, up to factors that the final exponentiation takes out.
    fn miller_product(&self, pairs: &[(blst_p1_affine, blst_p2_affine)]) -> blst_fp12 {
        library::miller_product(pairs)
    }
}
