//! Products before their reduction.

use super::{Fp, PRODUCTS_MAX, V, WIDE_MAX, Wide, ripple, splat};
use crate::bls::ifma::bound::Bound;
use crate::bls::words::{self, LOW52};
use std::arch::x86_64::*;

/// The product by position: `f(i)` of each column.
macro_rules! columns {
    ($i:ident => $of:expr) => {{
        let mut columns = [_mm512_setzero_si512(); 16];
        for $i in 0..16 {
            columns[$i] = $of;
        }
        columns
    }};
}

impl Wide {
    /// The sum.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(in crate::bls::ifma) fn add(&self, b: &Self) -> Self {
        let (x, y) = (&self.columns, &b.columns);
        self.with(b, columns!(i => _mm512_add_epi64(x[i], y[i])))
    }

    /// The difference, which may be negative.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(in crate::bls::ifma) fn sub(&self, b: &Self) -> Self {
        let (x, y) = (&self.columns, &b.columns);
        self.with(b, columns!(i => _mm512_sub_epi64(x[i], y[i])))
    }

    /// `self - b - c`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(in crate::bls::ifma) fn less_both(&self, b: &Self, c: &Self) -> Self {
        let (x, y, z) = (&self.columns, &b.columns, &c.columns);
        let both = columns!(i => _mm512_sub_epi64(x[i], _mm512_add_epi64(y[i], z[i])));
        self.with(b, both).with(c, both)
    }

    /// `2^SHIFT self`
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(in crate::bls::ifma) fn shl<const SHIFT: u32>(&self) -> Self {
        let x = &self.columns;
        let times = Bound::new(1 << SHIFT);
        Self {
            columns: columns!(i => _mm512_slli_epi64::<SHIFT>(x[i])),
            bound: self.bound.times(times),
            products: self.products.times(times),
        }
    }

    /// These columns, of a sum or difference with another.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn with(&self, b: &Self, columns: [V; 16]) -> Self {
        Self { columns, bound: self.bound.plus(b.bound), products: self.products.plus(b.products) }
    }

    /// The number, if the sum is not negative.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(in crate::bls::ifma) fn reduce(&self) -> Fp {
        self.check();
        let mut c = self.columns;
        reduced!(c, 2)
    }

    /// The number.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(in crate::bls::ifma) fn reduce_signed(&self) -> Fp {
        self.check();
        let mut c = self.columns;
        reduced_signed!(c)
    }

    fn check(&self) {
        self.bound.at_most(WIDE_MAX);
        self.products.at_most(PRODUCTS_MAX);
    }
}
