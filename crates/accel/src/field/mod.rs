//! Numbers modulo p = 2^256 - 2^32 - 977, several at a time.
//!
//! A [`Field`] value holds [`Field::LANES`] numbers, and every operation works on all of them. The curve is written once
//! over this trait; what differs between backends is the arithmetic below it: `ifma` (eight numbers a vector, 5x52-bit
//! limbs, AVX-512 IFMA), `scalar` (one number, plain 64-bit words) and `pair` (two of either, or four, so that a processor has
//! independent work while one waits).
//!
//! Every function may be given any value that another returned ("a value in range"); what that means in limbs is written
//! and, in debug builds and under the feature `bounds-check`, checked in each implementation. Only [`Field::canonical`] is below p.
//!
//! All functions are `#[inline(always)]`: they get the instructions of the `#[target_feature]` function that they end up
//! in, which is why none of them is called but below a backend's gate.

#[cfg(target_arch = "x86_64")]
pub(crate) mod ifma;
pub(crate) mod pair;
pub(crate) mod scalar;

/// A point as 64-bit words, the least significant first: x in `[0..4]`, y in `[4..8]`; a table entry. One cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed(pub [u64; 8]);

impl Packed {
    /// Asks the processor to fetch the point, which is wanted soon: tables are larger than the nearest caches.
    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        crate::prefetch((&raw const *self).cast(), 1);
    }
}

/// [`Field::LANES`] numbers modulo p.
pub(crate) trait Field: Copy {
    /// How many numbers.
    const LANES: usize;

    /// A mask with a one for every lane: bit i is lane i, 64 at most. In masks that are given, higher bits mean nothing;
    /// in masks that are returned they are 0.
    fn all() -> u64 {
        if Self::LANES == 64 { u64::MAX } else { (1 << Self::LANES) - 1 }
    }

    /// The same number in every lane, from words (least significant first); below 2^256.
    fn splat(words: [u64; 4]) -> Self;

    /// `at(lane)` is the number of a lane, in words; below 2^256.
    fn load(at: impl Fn(usize) -> [u64; 4]) -> Self;

    /// Reads one packed point a lane: `(x, y)`. Values below 2^256.
    fn load_points<'a>(at: impl Fn(usize) -> &'a Packed) -> (Self, Self);

    /// Writes one packed point a lane, canonical.
    fn store_points(x: Self, y: Self, put: impl FnMut(usize, Packed));

    /// `self * b`
    fn mul(self, b: Self) -> Self;
    /// `self^2`
    fn sqr(self) -> Self;
    /// `self * b + c`
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `self * b - c`
    fn mul_sub(self, b: Self, c: Self) -> Self;
    /// `self^2 - b - 2 c`
    fn sqr_sub(self, b: Self, c: Self) -> Self;
    /// `self^2 - 2 c`
    fn sqr_sub_twice(self, c: Self) -> Self;
    /// `3 self^2`
    fn sqr_triple(self) -> Self;
    /// `self^2 + b * c`
    fn sqr_add_mul(self, b: Self, c: Self) -> Self;
    /// `2 (self * b + c * d)`
    fn twice_mul_add_mul(self, b: Self, c: Self, d: Self) -> Self;
    /// The inverse of each lane. None may be 0 modulo p: then all lanes are worth nothing.
    fn invert(self) -> Self;
    /// `self - b`
    fn sub(self, b: Self) -> Self;
    /// `2 (self - b)`
    fn twice_sub(self, b: Self) -> Self;
    /// `2 self`
    fn twice(self) -> Self;
    /// `-self`
    fn neg(self) -> Self;
    /// `-self` where the mask has a one, else `self`.
    fn neg_where(self, mask: u64) -> Self;
    /// `-2 self` where the mask has a one, else `2 self`.
    fn twice_neg_where(self, mask: u64) -> Self;
    /// `b` where the mask has a one, else `self`.
    fn select(self, b: Self, mask: u64) -> Self;
    /// The lanes that are 0 modulo p.
    fn is_zero(self) -> u64;
    /// The lanes whose canonical number is odd.
    fn is_odd(self) -> u64;
}
