//! Numbers modulo p in the memory of tables: the limbs that the vectors take, which every backend understands.

use super::words::{self, Limbs, P_WORDS};
use blst::{blst_fp, blst_fp_mul, blst_fp2, blst_fp6, blst_fp12, blst_p1_affine};

/// A number modulo p: eight limbs of 52 bits, Montgomery form with R = 2^416, below 3 p.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Row(pub(crate) Limbs);

/// A number of Fp2.
pub(crate) type Row2 = [Row; 2];

/// A point of G1, not infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) x: Row,
    pub(crate) y: Row,
}

/// A number of Fp12: blst's order, the coefficients of 1, v, v^2, w, v w, v^2 w.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row12(pub(crate) [Row2; 6]);

/// 2^416 and 2^352 modulo p: products with them, which blst divides by 2^384, go to our form and back.
const TO_ROW: [u64; 6] = words::words(&words::R);
const FROM_ROW: [u64; 6] = words::words(&words::doubled(words::ONE, 352));

impl Row {
    pub(crate) const ZERO: Self = Self([0; 8]);

    pub(crate) fn from_blst(number: &blst_fp) -> Self {
        Self(words::limbs(&product(&number.l, &TO_ROW)))
    }

    pub(crate) fn to_blst(self) -> blst_fp {
        let mut l = words::words(&self.0);
        while !below_p(&l) {
            l = less_p(&l);
        }
        blst_fp { l: product(&l, &FROM_ROW) }
    }
}

impl Point {
    pub(crate) fn from_blst(point: &blst_p1_affine) -> Self {
        Self { x: Row::from_blst(&point.x), y: Row::from_blst(&point.y) }
    }

    pub(crate) fn to_blst(self) -> blst_p1_affine {
        blst_p1_affine { x: self.x.to_blst(), y: self.y.to_blst() }
    }
}

impl Row12 {
    pub(crate) fn from_blst(number: &blst_fp12) -> Self {
        let halves = number.fp6.iter().flat_map(|half| &half.fp2);
        let mut rows = [[Row::ZERO; 2]; 6];
        rows.iter_mut().zip(halves).for_each(|(row, number)| *row = number.fp.each_ref().map(Row::from_blst));
        Self(rows)
    }

    pub(crate) fn to_blst(self) -> blst_fp12 {
        let [a, b, c, d, e, f] = self.0.map(|row| blst_fp2 { fp: row.map(Row::to_blst) });
        blst_fp12 { fp6: [blst_fp6 { fp2: [a, b, c] }, blst_fp6 { fp2: [d, e, f] }] }
    }
}

fn product(a: &[u64; 6], b: &[u64; 6]) -> [u64; 6] {
    let mut product = blst_fp::default();
    // SAFETY: numbers of blst.
    unsafe { blst_fp_mul(&mut product, &blst_fp { l: *a }, &blst_fp { l: *b }) };
    product.l
}

/// Whether words are those of a number below p.
pub(crate) fn below_p(words: &[u64; 6]) -> bool {
    words.iter().rev().lt(P_WORDS.iter().rev())
}

fn less_p(words: &[u64; 6]) -> [u64; 6] {
    let mut less = [0; 6];
    let mut borrow = false;
    for (i, word) in less.iter_mut().enumerate() {
        let (difference, first) = words[i].overflowing_sub(P_WORDS[i]);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        (*word, borrow) = (difference, first | second);
    }
    less
}
