//! A signature from a card, with what shows in a microsecond that it is one.

use super::constants::number_of;
use super::fp2_of;
use crate::bls::constants::{PSI_X, PSI_Y};
use crate::bls::library;
use crate::bls::row::{Row, below_p};
use crate::bls::words::Limbs;
use blst::{blst_fp, blst_fp2, blst_p2_affine};

/// The bits of the first byte that are no bits of x.
const COMPRESSED: u8 = 0x80;
const INFINITY: u8 = 0x40;
const LARGE: u8 = 0x20;

/// What is asked of a card: x, and which y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// The halves of x, plain numbers below p, 12 words each; then 1 for the larger y.
    row: [u32; 25],
}

impl Evidence {
    /// `None` if the flags are not those of a point that is not infinity, or a half of x is p or more.
    pub(crate) fn asked(bytes: &[u8; 96]) -> Option<Self> {
        if bytes[0] & (COMPRESSED | INFINITY) != COMPRESSED {
            return None;
        }
        let mut plain = *bytes;
        plain[0] &= 0x1f;
        let mut row = [0; 25];
        // Big-endian: the second half of x comes first.
        for (half, words) in plain.chunks_exact(48).rev().zip(row.chunks_exact_mut(12)) {
            words.iter_mut().zip(half.rchunks_exact(4)).for_each(|(word, bytes)| {
                *word = u32::from_be_bytes(bytes.try_into().expect("4 bytes"));
            });
            if !below_p(&number_of(words).l) {
                return None;
            }
        }
        row[24] = (bytes[0] & LARGE != 0).into();
        Some(Self { row })
    }

    /// The row of [`super::programs::SIGNATURE`].
    pub(crate) fn row(&self) -> [u32; 25] {
        self.row
    }

    /// The point that the card found, if it is on the curve, has the x and the y asked for and is in the subgroup of order r:
    /// psi(P) = x P holds there alone (Scott, "A note on group membership tests"), and x P came with it.
    pub(crate) fn point(&self, answer: &[u32]) -> Option<blst_p2_affine> {
        let [y, px, py, pz, x] = std::array::from_fn(|i| fp2_of(&answer[24 * i..]));
        let plain = |words: &[u32]| library::fp_from_words(words.try_into().expect("12 words"));
        let asked = blst_fp2 { fp: [plain(&self.row[..12]), plain(&self.row[12..24])] };
        let four = library::fp_from_words(&[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let right = add(&mul(&square(&x), &x), &blst_fp2 { fp: [four; 2] });
        let is_large = library::is_large(&y);
        if x != asked || square(&y) != right || is_large != (self.row[24] == 1) {
            return None;
        }
        let [psi_x, psi_y] = psi(&x, &y);
        let zz = square(&pz);
        // psi(P) = -(|x| P)
        let same_x = mul(&psi_x, &zz) == px;
        let opposite_y = add(&mul(&psi_y, &mul(&zz, &pz)), &py) == blst_fp2::default();
        (pz != blst_fp2::default() && same_x && opposite_y).then_some(blst_p2_affine { x, y })
    }
}

fn psi(x: &blst_fp2, y: &blst_fp2) -> [blst_fp2; 2] {
    let constant = |limbs: &Limbs| Row(*limbs).to_blst();
    let k = constant(&PSI_X);
    let product = |a: &blst_fp| library::product(a, &k);
    let x = blst_fp2 { fp: [product(&x.fp[1]), product(&x.fp[0])] };
    let y = mul(&library::conjugate_fp2(y), &blst_fp2 { fp: PSI_Y.each_ref().map(constant) });
    [x, y]
}

fn mul(a: &blst_fp2, b: &blst_fp2) -> blst_fp2 {
    library::product_fp2(a, b)
}

fn square(a: &blst_fp2) -> blst_fp2 {
    library::product_fp2(a, a)
}

fn add(a: &blst_fp2, b: &blst_fp2) -> blst_fp2 {
    library::sum_fp2(a, b)
}
