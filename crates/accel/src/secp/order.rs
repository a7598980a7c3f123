//! Numbers modulo the group order n, in plain words; shared by all backends.

use crate::ops::SignatureError;
use crate::safegcd::Modulus;
use crate::words;
use vigil_primitives::{Hash, SIGNATURE_BYTES};

/// The group order n.
pub(crate) const N: [u64; 4] =
    [0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, 0xffff_ffff_ffff_ffff];
/// (n - 1) / 2
const HALF: [u64; 4] = [0xdfe9_2f46_681b_20a0, 0x5d57_6e73_57a4_501d, 0xffff_ffff_ffff_ffff, 0x7fff_ffff_ffff_ffff];
/// 2^256 - n less its top word, a 1.
const C: [u64; 2] = [0x402d_a173_2fc9_bebf, 0x4551_2319_50b7_5fc4];

static MODULUS: Modulus = Modulus::new(N);

/// A number modulo n: words of the canonical value in 0..n, the least significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order([u64; 4]);

/// A signature that keeps the rules of form: r in 1..n, s in 1..=(n-1)/2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parsed {
    /// r, also an x coordinate.
    pub(crate) r: Order,
    /// s
    pub(crate) s: Order,
    /// Whether the point R has an odd y.
    pub(crate) odd: bool,
}

impl Parsed {
    /// From `r || s || v`.
    ///
    /// # Errors
    /// The reasons, and their order, of `vigil_crypto::recover_key`: `RecoveryId`, `R`, `S`, `HighS`.
    #[inline(always)]
    pub(crate) fn new(signature: &[u8; SIGNATURE_BYTES]) -> Result<Self, SignatureError> {
        let v = signature[64];
        if v > 1 {
            return Err(SignatureError::RecoveryId(v));
        }
        let (r, rest) = signature.split_first_chunk().expect("65 bytes");
        let s = rest.first_chunk().expect("33 bytes");
        let r = Order::from_be(r).filter(|r| !r.is_zero()).ok_or(SignatureError::R)?;
        let s = Order::from_be(s).filter(|s| !s.is_zero()).ok_or(SignatureError::S)?;
        if s.is_high() {
            return Err(SignatureError::HighS);
        }
        Ok(Self { r, s, odd: v == 1 })
    }
}

impl Order {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self([1, 0, 0, 0]);

    /// Any 256-bit number, reduced.
    #[inline(always)]
    pub(crate) fn reduce(value: [u64; 4]) -> Self {
        Self(subtract_once(value, false))
    }

    /// 32 bytes, big-endian; `None` from n on.
    #[inline(always)]
    pub(crate) fn from_be(bytes: &[u8; 32]) -> Option<Self> {
        let value = words::from_be(bytes);
        let (_, below) = words::sub(value, N);
        below.then_some(Self(value))
    }

    /// A digest as ECDSA reads it: big-endian, modulo n.
    #[inline(always)]
    pub(crate) fn from_digest(digest: &Hash) -> Self {
        Self::reduce(words::from_be(&digest.0))
    }

    /// The canonical value, the least significant word first.
    #[inline(always)]
    pub(crate) fn words(self) -> [u64; 4] {
        self.0
    }

    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        words::is_zero(self.0)
    }

    /// True above (n - 1) / 2.
    #[inline(always)]
    pub(crate) fn is_high(self) -> bool {
        words::sub(HALF, self.0).1
    }

    /// `self + b`
    #[inline(always)]
    pub(crate) fn add(self, b: Self) -> Self {
        let (sum, carry) = words::add(self.0, b.0);
        Self(subtract_once(sum, carry))
    }

    /// `-self`
    #[inline(always)]
    pub(crate) fn neg(self) -> Self {
        let (difference, _) = words::sub(N, self.0);
        Self(words::select(difference, [0; 4], self.is_zero()))
    }

    /// The smaller of `self` and `-self`, at most (n - 1) / 2 < 2^255, and whether it is the latter.
    #[inline(always)]
    pub(crate) fn halved(self) -> (bool, [u64; 4]) {
        let (difference, _) = words::sub(N, self.0);
        let high = self.is_high();
        (high, words::select(self.0, difference, high))
    }

    /// `self * b`
    #[inline(always)]
    pub(crate) fn mul(self, b: Self) -> Self {
        Self(fold(words::mul(self.0, b.0)))
    }

    /// The inverse; 0 for 0. About a microsecond: see [`batch_invert`].
    pub(crate) fn invert(self) -> Self {
        Self(MODULUS.invert(self.0))
    }
}

/// Replaces each number by its inverse, at three multiplications each. None may be 0.
///
/// Montgomery's trick on four chains side by side, so that a multiplication need not wait for the one before.
#[inline(always)]
pub(crate) fn batch_invert(values: &mut [Order]) {
    const CHAINS: usize = 4;
    let mut products = [Order::ONE; CHAINS];
    let mut before = Vec::with_capacity(values.len().next_multiple_of(CHAINS));
    for group in values.chunks(CHAINS) {
        before.extend_from_slice(&products);
        for (product, value) in products.iter_mut().zip(group) {
            *product = product.mul(*value);
        }
    }
    let mut inverses = invert_few(products);
    for (group, before) in values.chunks_mut(CHAINS).zip(before.chunks_exact(CHAINS)).rev() {
        for ((inverse, value), before) in inverses.iter_mut().zip(group).zip(before) {
            let rest = inverse.mul(*value);
            *value = inverse.mul(*before);
            *inverse = rest;
        }
    }
}

/// The inverses of four numbers, from one.
#[inline(always)]
fn invert_few([a, b, c, d]: [Order; 4]) -> [Order; 4] {
    let (ab, cd) = (a.mul(b), c.mul(d));
    let both = ab.mul(cd).invert();
    let (ab_inverse, cd_inverse) = (both.mul(cd), both.mul(ab));
    [ab_inverse.mul(b), ab_inverse.mul(a), cd_inverse.mul(d), cd_inverse.mul(c)]
}

/// `value`, plus 2^256 if `top`, less n, if it is at least n; it must be below 2n.
#[inline(always)]
fn subtract_once(value: [u64; 4], top: bool) -> [u64; 4] {
    let (less, carry) = words::add(value, [C[0], C[1], 1, 0].map(words::opaque));
    words::select(value, less, carry | top)
}

/// A product of two numbers below 2^256, modulo n: three times, what is above 2^256 is folded down by
/// `2^256 = C + 2^128`, which is below 2^128.4.
#[inline(always)]
fn fold(t: [u64; 8]) -> [u64; 4] {
    // To below 2^256 + 2^384.4: words a0..a6, a6 at most 1.
    let (a0, c) = t[4].carrying_mul_add(C[0], t[0], 0);
    let (a1, c) = t[5].carrying_mul_add(C[0], t[1], c);
    let (a2, c) = t[6].carrying_mul_add(C[0], t[2], c);
    let (a3, a4) = t[7].carrying_mul_add(C[0], t[3], c);
    let (a1, c) = t[4].carrying_mul_add(C[1], a1, 0);
    let (a2, c) = t[5].carrying_mul_add(C[1], a2, c);
    let (a3, c) = t[6].carrying_mul_add(C[1], a3, c);
    let (a4, a5) = t[7].carrying_mul_add(C[1], a4, c);
    let (a2, c) = a2.carrying_add(t[4], false);
    let (a3, c) = a3.carrying_add(t[5], c);
    let (a4, c) = a4.carrying_add(t[6], c);
    let (a5, a6) = a5.carrying_add(t[7], c);

    // To below 2^256 + 2^256.8: words b0..b4, b4 at most 2. First with the words of C, then with 2^128.
    let top = if a6 { C } else { [0; 2] };
    let (b0, c) = a4.carrying_mul_add(C[0], a0, 0);
    let (b1, c0) = a5.carrying_mul_add(C[0], a1, c);
    let (b1, c) = a4.carrying_mul_add(C[1], b1, 0);
    let (b2, c1) = a5.carrying_mul_add(C[1], a2, c);
    let (b2, c) = b2.carrying_add(c0, false);
    let (b3, b4) = a3.carrying_add(c1, c);
    let (b2, c) = b2.carrying_add(top[0], false);
    let (b3, c) = b3.carrying_add(top[1], c);
    let b4 = u64::from(b4) + u64::from(c);
    let (b2, c) = b2.carrying_add(a4, false);
    let (b3, c) = b3.carrying_add(a5, c);
    let b4 = b4 + u64::from(a6) + u64::from(c);

    // To below 2^256 + 2^131 < 2n.
    let low = u128::from(C[0]) * u128::from(b4);
    let high = u128::from(C[1]) * u128::from(b4) + (low >> 64);
    let (sum, carry) = words::add([b0, b1, b2, b3], [low as u64, high as u64, (high >> 64) as u64 + b4, 0]);
    subtract_once(sum, carry)
}
