//! The endomorphism of secp256k1: `LAMBDA * (x, y) = (BETA * x, y)`, which halves the length of a scalar (Gallant,
//! Lambert, Vanstone 2001).
//!
//! LAMBDA and BETA are cube roots of 1 modulo n and p. The lattice of the pairs `(u, v)` with `u + v * LAMBDA = 0` modulo
//! n has the short basis `(A1, -B1), (A2, A1)`, found with the extended Euclidean algorithm on `n, LAMBDA`; its
//! determinant `A1^2 + A2 * B1` is n. A scalar k is `(k, 0)` less the lattice point nearest to it, `c1 (A1, -B1) + c2 (A2,
//! A1)` with `c1 = k A1 / n` and `c2 = k B1 / n`, both rounded. What remains is at most half of each basis vector
//! (and 2^-60 of it, from rounding): |k1| <= (A1 + A2) / 2 < 0.636 * 2^128 and |k2| <= (A1 + B1) / 2 < 0.541 * 2^128.

use super::order::Order;

/// lambda, a cube root of 1 modulo n.
pub(crate) const LAMBDA: [u64; 4] =
    [0xdf02_967c_1b23_bd72, 0x122e_22ea_2081_6678, 0xa526_1c02_8812_645a, 0x5363_ad4c_c05c_30e0];
/// beta, the cube root of 1 modulo p that goes with lambda.
pub(crate) const BETA: [u64; 4] =
    [0xc139_6c28_7195_01ee, 0x9cf0_4975_12f5_8995, 0x6e64_479e_ac34_34e9, 0x7ae9_6a2b_657c_0710];

const A1: [u64; 2] = [0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd];
const B1: [u64; 2] = [0x6f54_7fa9_0abf_e4c3, 0xe443_7ed6_010e_8828];
/// Less 2^128.
const A2: [u64; 2] = [0x57c1_108d_9d44_cfd8, 0x14ca_50f7_a8e2_f3f6];
/// `2^320 * A1 / n`, rounded.
const G1: [u64; 3] = [0x3daa_8a14_71e8_ca80, 0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd];
/// `2^320 * B1 / n`, rounded.
const G2: [u64; 3] = [0x2212_08ac_9df5_06c6, 0x6f54_7fa9_0abf_e4c4, 0xe443_7ed6_010e_8828];

/// One half of a scalar, with its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Half {
    /// Below 0.636 * 2^128; the least significant word first.
    pub(crate) magnitude: [u64; 2],
    /// True if the half is minus the magnitude.
    pub(crate) negative: bool,
}

/// `[k1, k2]` with `k = k1 + k2 * LAMBDA` modulo n.
#[inline(always)]
pub(crate) fn split(k: Order) -> [Half; 2] {
    let k = k.words();
    let c1 = nearest(k, G1);
    let c2 = nearest(k, G2);
    // Both halves are right modulo 2^192, and small: the third word is their sign.
    let k1 = sub([k[0], k[1], k[2]], mul(c1, A1));
    let k1 = sub(k1, mul(c2, A2));
    let k1 = sub(k1, [0, 0, c2[0]]);
    let k2 = sub(mul(c1, B1), mul(c2, A1));
    [half(k1), half(k2)]
}

/// `k * g / 2^320`, rounded. The lowest word of k is too small to matter: leaving it out changes the quotient by less
/// than 2^-64, g's own rounding by less than 2^-65.
#[inline(always)]
fn nearest(k: [u64; 4], g: [u64; 3]) -> [u64; 2] {
    let (_, c) = k[1].carrying_mul(g[0], 0);
    let (t1, c) = k[1].carrying_mul(g[1], c);
    let (t2, t3) = k[1].carrying_mul(g[2], c);
    let (_, c) = k[2].carrying_mul_add(g[0], t1, 0);
    let (t2, c) = k[2].carrying_mul_add(g[1], t2, c);
    let (t3, t4) = k[2].carrying_mul_add(g[2], t3, c);
    let (_, c) = k[3].carrying_mul_add(g[0], t2, 0);
    let (t3, c) = k[3].carrying_mul_add(g[1], t3, c);
    let (t4, t5) = k[3].carrying_mul_add(g[2], t4, c);
    let (t4, c) = t4.carrying_add(t3 >> 63, false);
    [t4, t5 + c as u64]
}

/// The product modulo 2^192.
#[inline(always)]
fn mul(a: [u64; 2], b: [u64; 2]) -> [u64; 3] {
    let (r0, c) = a[0].carrying_mul(b[0], 0);
    let (r1, r2) = a[0].carrying_mul(b[1], c);
    let (r1, c) = a[1].carrying_mul_add(b[0], r1, 0);
    [r0, r1, a[1].wrapping_mul(b[1]).wrapping_add(r2).wrapping_add(c)]
}

/// The difference modulo 2^192.
#[inline(always)]
fn sub(a: [u64; 3], b: [u64; 3]) -> [u64; 3] {
    let (r0, c) = a[0].borrowing_sub(b[0], false);
    let (r1, c) = a[1].borrowing_sub(b[1], c);
    [r0, r1, a[2].wrapping_sub(b[2]).wrapping_sub(c as u64)]
}

#[inline(always)]
fn half(k: [u64; 3]) -> Half {
    let sign = ((k[2] as i64) >> 63) as u64;
    let (r0, c) = (k[0] ^ sign).overflowing_add(sign & 1);
    Half { magnitude: [r0, (k[1] ^ sign).wrapping_add(c as u64)], negative: sign != 0 }
}
