//! Hashes to G2 (RFC 9380, suite BLS12381G2_XMD:SHA-256_SSWU_RO_) in programs, from the expanded message on.
//!
//! The simplified map of Shallue, van de Woestijne and Ulas (section 6.6.2) to the curve y^2 = x^3 + A x + B, A = 240 u,
//! B = 1012 (1 + u), with Z = -(2 + u), and the isogeny from there to ours (appendix E.3).

use super::constants::{fp, fp2, shift, small};
use super::g2::Jacobian;
use super::power::{inverse, inverse_root, second_half};
use super::program::{Builder, Flag, NUMBER};
use super::tower::Fp2;
use crate::bls::constants::{ROOT_MINUS_5, X_NUMERATOR, Y_NUMERATOR};
use crate::bls::library;
use crate::bls::words::Limbs;

/// Words of an expanded message as [`expanded`] lays it out.
pub(crate) const EXPANDED: usize = FIELDS * 2 * NUMBER;
/// Numbers of Fp for a message, and bytes of uniform randomness for each (`L` of the suite).
const FIELDS: usize = 4;
const FIELD_BYTES: usize = 64;

/// What a message is hashed from (section 5.3.1 with SHA-256): four numbers of 512 bits; of each the low half, the high half,
/// 8 words and 4 of 0.
pub(crate) fn expanded(message: &[u8], tag: &[u8]) -> [u32; EXPANDED] {
    let bytes: [u8; FIELDS * FIELD_BYTES] = library::expand_message(message, tag);
    let mut words = [0; EXPANDED];
    for (row, half) in words.chunks_exact_mut(NUMBER).zip(bytes.chunks_exact(32)) {
        row.iter_mut().zip(half.rchunks_exact(4)).for_each(|(word, bytes)| {
            *word = u32::from_be_bytes(bytes.try_into().expect("4 bytes"));
        });
    }
    // Big-endian numbers have their high half first.
    words.chunks_exact_mut(2 * NUMBER).for_each(|number| number.rotate_left(NUMBER));
    words
}

/// The point of an expanded message, which begins at this word of the input. Z = 0 stands for a point that the formulas cannot
/// tell: nobody finds a message for which that is so.
pub(crate) fn hash_to_g2(of: &Builder, word: u32) -> Jacobian<'_> {
    let number = |i: u32| {
        let low = word + 2 * NUMBER as u32 * i;
        of.sum(&[(of.input(low), shift(of, 0)), (of.input(low + NUMBER as u32), shift(of, 256))], &[])
    };
    let [a, b] = [0, 2].map(|i| map_to_curve(Fp2 { c0: number(i), c1: number(i + 1) }));
    clear_cofactor(a.add(b))
}

/// RFC 9380 appendix G.3 (Budroni and Pintore), with x negative.
fn clear_cofactor(p: Jacobian<'_>) -> Jacobian<'_> {
    let t1 = p.mul_x_abs().neg();
    let t2 = p.psi();
    let t3 = p.double().psi2().add(t2.neg());
    let t2 = t1.add(t2).mul_x_abs().neg();
    t3.add(t2).add(t1.neg()).add(p.neg())
}

fn map_to_curve(u: Fp2<'_>) -> Jacobian<'_> {
    let of = u.c0.of();
    let t = mul_z(u.square());
    let sum = t.square() + t;
    let one = Fp2 { c0: small(of, 1), c1: small(of, 0) };
    let b = Fp2 { c0: small(of, 1012), c1: small(of, 1012) };
    let numerator = (sum + one) * b;
    // -A (t^2 + t), or A Z if that is 0: 240 - 480 u.
    let a = small(of, 240);
    let usual = Fp2 { c0: sum.c1 * a, c1: -(sum.c0 * a) };
    let denominator = Fp2 { c0: a, c1: -a.double() }.where_else(sum.is_zero(), usual);
    let x = numerator * denominator.conjugate().mul_fp(inverse(denominator.norm()));
    // Where x^3 + A x + B has no root, Z times it has one, and -5 times its norm: Z's norm is 5.
    let right = (x.square() + Fp2 { c0: small(of, 0), c1: a }) * x + b;
    let norm = right.norm();
    let of_norm = inverse_root(norm) * norm;
    let is_square = (of_norm.square() - norm).is_zero();
    let of_norm = of_norm.where_else(is_square, of_norm * fp(of, &ROOT_MINUS_5));
    let root = second_half(right.where_else(is_square, mul_z(right)), of_norm);
    // In that case the point is (t x_1, t u root): t^3 = Z t^2 u^2.
    let x = x.where_else(is_square, t * x);
    let y = root.where_else(is_square, t * u * root);
    let y = (-y).where_else(sign(y).xor(sign(u)), y);
    isogeny(x, y)
}

/// sgn0 of section 4.1.
fn sign(a: Fp2<'_>) -> Flag<'_> {
    a.c0.is_odd().or(a.c0.is_zero().and(a.c1.is_odd()))
}

/// Times Z = -(2 + u): -(2 a0 - a1) - (2 a1 + a0) u.
fn mul_z(a: Fp2<'_>) -> Fp2<'_> {
    Fp2 { c0: a.c1 - a.c0.double(), c1: -(a.c1.double() + a.c0) }
}

/// The denominators are d^2 for x and d^3 for y, with d = x + 6 - 6 u: that is our Z.
fn isogeny<'b>(x: Fp2<'b>, y: Fp2<'b>) -> Jacobian<'b> {
    let six = small(x.c0.of(), 6);
    let z = x + Fp2 { c0: six, c1: -six };
    Jacobian { x: polynomial(&X_NUMERATOR, x), y: y * polynomial(&Y_NUMERATOR, x), z }
}

fn polynomial<'b>(coefficients: &[[Limbs; 2]; 4], x: Fp2<'b>) -> Fp2<'b> {
    let of = x.c0.of();
    let [c0, c1, c2, c3] = coefficients.each_ref().map(|c| fp2(of, c));
    ((c3 * x + c2) * x + c1) * x + c0
}
