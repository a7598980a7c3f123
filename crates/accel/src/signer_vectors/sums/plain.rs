//! Lanes of any processor, four to a value as in a NEON register.

use super::Lanes;

#[derive(Clone, Copy)]
pub(in crate::signer_vectors) struct Plain([u32; 4]);

impl Lanes for Plain {
    const ENTRIES: usize = 8;

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        Self([number; 4])
    }

    #[inline(always)]
    unsafe fn pairs(a: *const u8, b: *const u8) -> [Self; 2] {
        // SAFETY: the trait's rule: both have eight bytes.
        let (a, b) = unsafe { (a.cast::<[u8; 8]>().read(), b.cast::<[u8; 8]>().read()) };
        let pair = |i: usize| u32::from(a[i]) | u32::from(b[i]) << 16;
        [Self([pair(0), pair(1), pair(2), pair(3)]), Self([pair(4), pair(5), pair(6), pair(7)])]
    }

    #[inline(always)]
    unsafe fn add_products(self, pair: Self, piece: Self) -> Self {
        let low = |word: u32| word & 0xffff;
        let sum = |i: usize| self.0[i] + low(pair.0[i]) * low(piece.0[i]) + (pair.0[i] >> 16) * (piece.0[i] >> 16);
        Self([sum(0), sum(1), sum(2), sum(3)])
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u32) {
        // SAFETY: the trait's rule: there is room for four.
        unsafe { to.cast::<[u32; 4]>().write(self.0) }
    }
}
