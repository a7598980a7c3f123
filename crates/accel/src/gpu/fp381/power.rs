//! Powers, inverses and square roots in programs.

use super::constants;
use super::program::{Flag, Fp};
use super::tower::Fp2;
use crate::bls::constants::{HALF, P_MINUS_3_OVER_4, P_MINUS_3_OVER_4_BITS};

/// Bits of a window of the exponent.
const WINDOW: usize = 5;

/// x^((p - 3) / 4): 1 / sqrt(x) for a square x, 1 / sqrt(-x) up to sign for another.
pub(crate) fn inverse_root(x: Fp<'_>) -> Fp<'_> {
    let square = x.square();
    let mut odd = vec![x];
    for i in 1..1 << (WINDOW - 1) {
        odd.push(odd[i - 1] * square);
    }
    let bit = |i: usize| P_MINUS_3_OVER_4[i / 64] >> (i % 64) & 1;
    let mut power: Option<Fp<'_>> = None;
    let (mut at, mut squares) = (P_MINUS_3_OVER_4_BITS, 0);
    while at > 0 {
        if bit(at - 1) == 0 {
            (at, squares) = (at - 1, squares + 1);
            continue;
        }
        // The longest window that ends with a 1.
        let len = (1..=WINDOW.min(at)).rev().find(|len| bit(at - len) == 1).expect("the first bit is 1");
        let digit = (0..len).fold(0, |digit, i| 2 * digit + bit(at - 1 - i)) as usize;
        squares += len as u32;
        power = Some(power.map_or(odd[digit / 2], |power| power.squares(squares) * odd[digit / 2]));
        (at, squares) = (at - len, 0);
    }
    let power = power.expect("the exponent is not 0");
    if squares == 0 { power } else { power.squares(squares) }
}

/// 1 / x: the square of x^((p - 3) / 4) is x^((p - 3) / 2), its square x^(p - 3). 0 for 0.
pub(crate) fn inverse(x: Fp<'_>) -> Fp<'_> {
    inverse_root(x).squares(2) * x
}

/// A square root of a, if there is one; and whether it is one.
pub(crate) fn square_root(a: Fp2<'_>) -> (Fp2<'_>, Flag<'_>) {
    let norm = a.norm();
    let root = second_half(a, norm * inverse_root(norm));
    (root, root.square().equals(a))
}

/// The root of a, given `n` with n^2 the norm.
///
/// For a = a0 + a1 u: one of (a0 +- n) / 2 is a square x0^2, and then a1 = 2 x0 x1. Let d = (a0 + n) / 2 and t = d^((p-3)/4).
/// If d is a square, x0 = d t and 1 / x0 = t. If not, -d is, with root d t up to sign, and d t is the second half: x1 = d t,
/// x0 = a1 / (2 x1).
pub(crate) fn second_half<'b>(a: Fp2<'b>, n: Fp<'b>) -> Fp2<'b> {
    let half = constants::fp(n.of(), &HALF);
    let sum = a.c0 + n;
    // Where that is 0, a is a number of Fp and n its negative.
    let d = (a.c0 - n).where_else(sum.is_zero(), sum) * half;
    let t = inverse_root(d);
    let first = d * t;
    let is_root = (first.square() - d).is_zero();
    // 1 / (2 first) is t / 2, or -t / 2 where first^2 = -d.
    let other = a.c1 * t * half;
    Fp2 { c0: first.where_else(is_root, -other), c1: other.where_else(is_root, first) }
}
