//! Miller loops, one a lane: values of the optimal ate pairing before the final exponentiation, up to factors that it takes
//! out (numbers of Fp4 and Fp6).
//!
//! A point (x, y) of the twist stands for (x / w^2, y / w^3). The line through T with slope s / w, at P, times w^3 is
//! (s x_T - y_T) - s x_P v + y_P v w.

use super::fp::Fp;
use super::fp12::{Fp12, Line};
use super::g2::{Affine, Jacobian};
use crate::bls::constants::X_ABS;

/// A point of G1 a lane, as lines take it.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    minus_x: Fp,
    y: Fp,
}

impl At {
    /// Coordinates of at most 3 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn new(x: &Fp, y: &Fp) -> Self {
        Self { minus_x: x.neg::<3>(), y: *y }
    }
}

/// The Miller value of each lane. The points of G2 are in the subgroup and not infinity, so that no sum is exceptional.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn miller_loop(p: &At, q: &Affine) -> Fp12 {
    let mut t = q.to_jacobian();
    let mut value = Fp12::one();
    for bit in (0..63).rev() {
        if bit < 62 {
            value = value.sqr();
        }
        let (twice, line) = double(&t, p);
        t = twice;
        value = value.mul_line(&line);
        if X_ABS >> bit & 1 == 1 {
            let (sum, line) = add(&t, q, p);
            t = sum;
            value = value.mul_line(&line);
        }
    }
    // The parameter is negative.
    value.conjugate_where(0xff)
}

/// 2 T, and the tangent times 2 Y Z^3.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn double(t: &Jacobian, p: &At) -> (Jacobian, Line) {
    let Jacobian { x, y, z } = t;
    let (yy, zz) = (y.sqr(), z.sqr());
    let e = x.sqr().triple();
    let d = x.mul(&yy).shl::<2>();
    let x3 = e.sqr().sub::<24>(&d.shl::<1>());
    let y3 = d.sub::<64>(&x3).mul_less_8_squares(&e, &yy);
    let z3 = y.mul(z).shl::<1>();
    let line =
        Line { c0: e.mul(x).sub::<6>(&yy.shl::<1>()), c1: e.mul(&zz).mul_fp(&p.minus_x), c4: z3.mul(&zz).mul_fp(&p.y) };
    (Jacobian { x: x3, y: y3, z: z3 }, line)
}

/// T + Q, and the line through both times the new Z.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add(t: &Jacobian, q: &Affine, p: &At) -> (Jacobian, Line) {
    let Jacobian { x, y, z } = t;
    let zz = z.sqr();
    let h = q.x.mul(&zz).sub::<67>(x);
    let r = q.y.mul(&z.mul(&zz)).sub::<4>(y);
    let hh = h.sqr();
    let hhh = h.mul(&hh);
    let v = x.mul(&hh);
    let x3 = r.sqr().sub::<16>(&hhh.add(&v.shl::<1>()));
    let y3 = r.mul_less_mul(&v.sub::<24>(&x3), y, &hhh);
    let z3 = z.mul(&h);
    let c0 = r.mul_less_mul(&q.x, &z3, &q.y);
    (Jacobian { x: x3, y: y3, z: z3 }, Line { c0, c1: r.mul_fp(&p.minus_x), c4: z3.mul_fp(&p.y) })
}

#[cfg(test)]
mod tests;
