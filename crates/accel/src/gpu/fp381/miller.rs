//! Miller loops in programs: values of the optimal ate pairing before the final exponentiation, up to factors that it takes
//! out (numbers of Fp4 and Fp6).
//!
//! A point (x, y) of the twist stands for (x / w^2, y / w^3). The line through T with slope s / w, at P, times w^3 is
//! (s x_T - y_T) - s x_P v + y_P v w.

use super::constants;
use super::g2::{Affine, Jacobian};
use super::program::Fp;
use super::tower::{Fp6, Fp12, Line};
use crate::bls::constants::X_ABS;

/// A point of G1 as lines take it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'b> {
    minus_x: Fp<'b>,
    y: Fp<'b>,
}

impl<'b> At<'b> {
    pub(crate) fn new(x: Fp<'b>, y: Fp<'b>) -> Self {
        Self { minus_x: -x, y }
    }
}

/// The Miller value. The point of G2 is in the subgroup and not infinity, so that no sum is exceptional.
pub(crate) fn miller_loop<'b>(p: At<'b>, q: Affine<'b>) -> Fp12<'b> {
    let (mut t, line) = double(q.to_jacobian(), p);
    let mut value = of_line(line);
    for bit in (0..63).rev() {
        if bit < 62 {
            let (twice, line) = double(t, p);
            (t, value) = (twice, value.square().mul_line(line));
        }
        if X_ABS >> bit & 1 == 1 {
            let (sum, line) = add(t, q, p);
            (t, value) = (sum, value.mul_line(line));
        }
    }
    // The parameter is negative.
    value.conjugate()
}

fn of_line(line: Line<'_>) -> Fp12<'_> {
    let zero = constants::small(line.c0.c0.of(), 0);
    let zero = super::tower::Fp2 { c0: zero, c1: zero };
    Fp12 { c0: Fp6([line.c0, line.c1, zero]), c1: Fp6([zero, line.c4, zero]) }
}

/// 2 T, and the tangent times 2 Y Z^3.
fn double<'b>(t: Jacobian<'b>, p: At<'b>) -> (Jacobian<'b>, Line<'b>) {
    let Jacobian { x, y, z } = t;
    let (yy, zz) = (y.square(), z.square());
    let e = x.square().triple();
    let d = (x * yy).double().double();
    let x3 = e.square() - d.double();
    let y3 = e * (d - x3) - yy.square().double().double().double();
    let z3 = (y * z).double();
    let line = Line { c0: e * x - yy.double(), c1: (e * zz).mul_fp(p.minus_x), c4: (z3 * zz).mul_fp(p.y) };
    (Jacobian { x: x3, y: y3, z: z3 }, line)
}

/// T + Q, and the line through both times the new Z.
fn add<'b>(t: Jacobian<'b>, q: Affine<'b>, p: At<'b>) -> (Jacobian<'b>, Line<'b>) {
    let Jacobian { x, y, z } = t;
    let zz = z.square();
    let (h, r) = (q.x * zz - x, q.y * (z * zz) - y);
    let hh = h.square();
    let (hhh, v) = (h * hh, x * hh);
    let x3 = r.square() - hhh - v.double();
    let (y3, z3) = (r * (v - x3) - y * hhh, z * h);
    let line = Line { c0: r * q.x - z3 * q.y, c1: r.mul_fp(p.minus_x), c4: z3.mul_fp(p.y) };
    (Jacobian { x: x3, y: y3, z: z3 }, line)
}
