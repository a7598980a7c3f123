//! Powers, inverses and square roots. Chains over several vectors in step, so that one works while another waits.

use super::fp::Fp;
use super::fp2::Fp2;
use crate::bls::constants::{HALF, P_MINUS_3_OVER_4, P_MINUS_3_OVER_4_BITS};
use blst::{blst_fp, blst_fp_eucl_inverse};

/// Bits of a window of the exponent.
const WINDOW: usize = 5;

/// Numbers whose chains go in step: enough that none waits, and few enough that their powers stay in the first level cache.
const IN_STEP: usize = 3;

/// Each to the power (p - 3) / 4: 1 / sqrt(x) for a square x, 1 / sqrt(-x) up to sign for another.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn inverse_roots(numbers: &mut [Fp]) {
    numbers.chunks_mut(IN_STEP).for_each(|some| inverse_roots_in_step(some));
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn inverse_roots_in_step(numbers: &mut [Fp]) {
    let squares: Vec<Fp> = numbers.iter().map(|x| x.sqr()).collect();
    // Odd powers: x, x^3, x^5 and so on.
    let mut odd: Vec<Vec<Fp>> = vec![numbers.to_vec()];
    for i in 1..1 << (WINDOW - 1) {
        let last = &odd[i - 1];
        odd.push(last.iter().zip(&squares).map(|(x, square)| x.mul(square)).collect());
    }
    let bit = |i: usize| P_MINUS_3_OVER_4[i / 64] >> (i % 64) & 1;
    let mut at = P_MINUS_3_OVER_4_BITS;
    let mut started = false;
    while at > 0 {
        if bit(at - 1) == 0 {
            numbers.iter_mut().for_each(|x| *x = x.sqr());
            at -= 1;
            continue;
        }
        // The longest window that ends with a 1.
        let mut len = WINDOW.min(at);
        while bit(at - len) == 0 {
            len -= 1;
        }
        let digit = (0..len).fold(0, |digit, i| 2 * digit + bit(at - 1 - i)) as usize;
        if started {
            for _ in 0..len {
                numbers.iter_mut().for_each(|x| *x = x.sqr());
            }
            numbers.iter_mut().zip(&odd[digit / 2]).for_each(|(x, power)| *x = x.mul(power));
        } else {
            numbers.copy_from_slice(&odd[digit / 2]);
            started = true;
        }
        at -= len;
    }
}

/// The inverses, in place. None may be 0 in any lane: one that is makes all of them 0.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn invert(numbers: &mut [Fp]) {
    let mut product = Fp::one();
    let before: Vec<Fp> = numbers
        .iter()
        .map(|x| {
            let before = product;
            product = product.mul(x);
            before
        })
        .collect();
    let mut inverse = invert_lanes(&product);
    for (x, before) in numbers.iter_mut().zip(&before).rev() {
        let of_this = inverse.mul(before);
        inverse = inverse.mul(x);
        *x = of_this;
    }
}

/// One inversion for eight lanes.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn invert_lanes(x: &Fp) -> Fp {
    let swapped = x.swap_lanes::<1>();
    let pairs = x.mul(&swapped);
    let other_pairs = pairs.swap_lanes::<2>();
    let fours = pairs.mul(&other_pairs);
    let other_fours = fours.swap_lanes::<4>();
    let all = fours.mul(&other_fours);
    let others = swapped.mul(&other_pairs).mul(&other_fours);
    let all = all.to_blst()[0];
    let mut inverse = blst_fp::default();
    // SAFETY: both are numbers of blst.
    unsafe { blst_fp_eucl_inverse(&mut inverse, &all) };
    others.mul(&Fp::from_blst(&[inverse; 8]))
}

/// The square root of each, and the lanes that have none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roots {
    pub(super) root: Fp2,
    /// Lanes where `root` is one.
    pub(super) found: u8,
}

/// Square roots in Fp2, of either sign.
///
/// For a = a0 + a1 u with norm n^2: one of (a0 +- n) / 2 is a square x0^2, and then a1 = 2 x0 x1. Let d = (a0 + n) / 2 and
/// t = d^((p-3)/4). If d is a square, x0 = d t and 1 / x0 = t. If not, -d is, with root d t up to sign, and d t is the second
/// half: x1 = d t, x0 = a1 / (2 x1). The root is checked by squaring.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn square_roots(numbers: &[Fp2]) -> Vec<Roots> {
    let norms: Vec<Fp> = numbers.iter().map(|a| a.norm()).collect();
    let mut roots = norms.clone();
    inverse_roots(&mut roots);
    roots.iter_mut().zip(&norms).for_each(|(t, norm)| *t = t.mul(norm));
    second_halves(numbers, &roots)
}

/// The roots, given `n` with `n^2` the norm of each (or of the negative: then there is no root).
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn second_halves(numbers: &[Fp2], n: &[Fp]) -> Vec<Roots> {
    let half = Fp::splat(&HALF);
    let halved: Vec<Fp> = numbers.iter().zip(n).map(|(a, n)| choose_half(a, n).mul(&half)).collect();
    let mut t = halved.clone();
    inverse_roots(&mut t);
    let both = numbers.iter().zip(halved.iter().zip(&t));
    both.map(|(a, (d, t))| {
        let first = d.mul(t);
        let is_root = first.sqr().equals(d);
        // 1 / (2 first) is t / 2, or -t / 2 where first^2 = -d.
        let other = a.c1.mul(t).mul(&half).neg_where::<2>(!is_root);
        let root = Fp2 { c0: other.select(is_root, &first), c1: first.select(is_root, &other) };
        Roots { root, found: root.sqr().equals(a) }
    })
    .collect()
}

/// `a0 + n`, or `a0 - n` where that is 0: then a is a number of Fp and n its negative.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn choose_half(a: &Fp2, n: &Fp) -> Fp {
    let sum = a.c0.add(n);
    sum.select(sum.is_zero(), &a.c0.sub::<2>(n))
}

#[cfg(test)]
mod tests;
