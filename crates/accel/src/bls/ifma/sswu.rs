//! The simplified map of Shallue, van de Woestijne and Ulas (RFC 9380 section 6.6.2) to the curve
//! y^2 = x^3 + A x + B, A = 240 u, B = 1012 (1 + u), with Z = -(2 + u), and the isogeny from there to ours (appendix E.3).

use super::fp::Fp;
use super::fp2::Fp2;
use super::g2::Jacobian;
use super::power::{inverse_roots, invert, second_halves};
use crate::bls::constants::{ROOT_MINUS_5, X_NUMERATOR, Y_NUMERATOR};
use crate::bls::words::{Limbs, small};

/// A number on the way.
struct Candidate {
    u: Fp2,
    /// Z u^2
    t: Fp2,
    numerator: Fp2,
    denominator: Fp2,
}

/// The point of each number. Z = 0 stands for infinity, as always.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn map_to_curve(numbers: &[Fp2]) -> Vec<Jacobian> {
    let candidates: Vec<Candidate> = numbers.iter().map(|u| Candidate::new(u)).collect();
    let mut inverses: Vec<Fp> = candidates.iter().map(|c| c.denominator.norm()).collect();
    invert(&mut inverses);
    let x: Vec<Fp2> = candidates.iter().zip(&inverses).map(|(c, inverse)| c.x(inverse)).collect();
    let right: Vec<Fp2> = x.iter().map(|x| right_side(x)).collect();
    let norms: Vec<Fp> = right.iter().map(|right| right.norm()).collect();
    let mut roots = norms.clone();
    inverse_roots(&mut roots);
    // Where there is no root, Z times the number has one, and -5 times the norm: Z's norm is 5.
    let (mut squares, mut to_root) = (Vec::with_capacity(x.len()), Vec::with_capacity(x.len()));
    for ((right, norm), root) in right.iter().zip(&norms).zip(&mut roots) {
        let of_norm = root.mul(norm);
        let is_square = of_norm.sqr().equals(norm);
        *root = of_norm.select(!is_square, &of_norm.mul(&Fp::splat(&ROOT_MINUS_5)));
        to_root.push(right.select(!is_square, &mul_z(right).reduced()));
        squares.push(is_square);
    }
    let roots = second_halves(&to_root, &roots);
    let all = candidates.iter().zip(x).zip(roots.iter().zip(squares));
    all.map(|((candidate, x), (roots, is_square))| candidate.point(&x, &roots.root, is_square)).collect()
}

impl Candidate {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(u: &Fp2) -> Self {
        let t = mul_z(&u.sqr()).reduced();
        let sum = t.sqr().add(&t);
        let numerator = sum.add(&Fp2::one()).mul(&Fp2::splat(&const { [small(1012); 2] }));
        // -A (t^2 + t), or A Z if that is 0: 240 - 480 u.
        let a = Fp::splat(&const { small(240) });
        let usual = Fp2 { c0: sum.c1.mul(&a), c1: sum.c0.mul(&a).neg::<2>() };
        let instead = Fp2 { c0: a, c1: a.shl::<1>().neg::<2>() };
        Self { u: *u, t, numerator, denominator: usual.select(sum.is_zero(), &instead) }
    }

    /// x_1, given the inverse of the denominator's norm.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn x(&self, inverse: &Fp) -> Fp2 {
        self.numerator.mul(&self.denominator.conjugate::<4>().mul_fp(inverse))
    }

    /// The point, given x_1 and the root of its right side, or of Z times its right side. In that case the point is
    /// (t x_1, t u root): t^3 = Z t^2 u^2.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn point(&self, x: &Fp2, root: &Fp2, is_square: u8) -> Jacobian {
        let x = self.t.mul(x).select(is_square, x);
        let y = self.t.mul(&self.u).mul(root).select(is_square, root);
        let y = y.neg_where::<4>(y.sgn0() ^ self.u.sgn0());
        isogeny(&x, &y)
    }
}

/// Times Z = -(2 + u): -(2 a0 - a1) - (2 a1 + a0) u. Numbers of at most 4 p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul_z(a: &Fp2) -> Fp2 {
    Fp2 { c0: a.c1.sub::<8>(&a.c0.shl::<1>()), c1: a.c1.shl::<1>().add(&a.c0).neg::<12>() }
}

/// x^3 + A x + B
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn right_side(x: &Fp2) -> Fp2 {
    let a = Fp2::splat(&const { [small(0), small(240)] });
    let b = Fp2::splat(&const { [small(1012); 2] });
    x.sqr().add(&a).mul(x).add(&b).reduced()
}

/// The denominators are d^2 for x and d^3 for y, with d = x + 6 - 6 u: that is our Z.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn isogeny(x: &Fp2, y: &Fp2) -> Jacobian {
    let six = Fp::splat(&const { small(6) });
    let z = x.add(&Fp2 { c0: six, c1: six.neg::<1>() });
    Jacobian { x: polynomial(&X_NUMERATOR, x), y: y.mul(&polynomial(&Y_NUMERATOR, x)), z }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn polynomial(coefficients: &'static [[Limbs; 2]; 4], x: &Fp2) -> Fp2 {
    let [c0, c1, c2, c3] = coefficients;
    let sum = Fp2::splat(c3).mul(x).add(&Fp2::splat(c2));
    let sum = sum.mul(x).add(&Fp2::splat(c1));
    sum.mul(x).add(&Fp2::splat(c0))
}
