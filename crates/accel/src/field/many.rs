//! Several values of a field side by side, so that a processor has independent work while one product waits for another.

use super::{Field, Packed};

/// `K` times the lanes of `F`; lane `l` is lane `l % F::LANES` of part `l / F::LANES`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Many<F, const K: usize>([F; K]);

impl<F: Field, const K: usize> Many<F, K> {
    /// The part of a mask that belongs to part `k`.
    #[inline(always)]
    fn part(mask: u64, k: usize) -> u64 {
        (mask >> (k * F::LANES)) & F::all()
    }
}

// Plain loops: a closure given to `array::from_fn` is not always inlined, and then lacks the target features.
macro_rules! each {
    ($($name:ident($($arg:ident),*);)*) => {
        $(#[inline(always)]
        fn $name(self $(, $arg: Self)*) -> Self {
            let mut result = self;
            for k in 0..K {
                result.0[k] = self.0[k].$name($($arg.0[k]),*);
            }
            result
        })*
    };
}

macro_rules! masks {
    ($($name:ident;)*) => {
        $(#[inline(always)]
        fn $name(self) -> u64 {
            let mut mask = 0;
            for k in 0..K {
                mask |= self.0[k].$name() << (k * F::LANES);
            }
            mask
        })*
    };
}

impl<F: Field, const K: usize> Field for Many<F, K> {
    const LANES: usize = K * F::LANES;

    each! {
        mul(b);
        sqr();
        mul_add(b, c);
        mul_sub(b, c);
        sqr_sub_twice(c);
        sqr_sub(b, c);
        sqr_triple();
        sqr_add_mul(b, c);
        twice_mul_add_mul(b, c, d);
        add(b);
        sub(b);
        twice_sub(b);
        twice();
        neg();
        canonical();
    }

    masks! {
        is_zero;
        is_odd;
    }

    #[inline(always)]
    fn splat(words: [u64; 4]) -> Self {
        Self([F::splat(words); K])
    }

    #[inline(always)]
    fn load(at: impl Fn(usize) -> [u64; 4]) -> Self {
        let mut result = Self::splat([0; 4]);
        for k in 0..K {
            result.0[k] = F::load(|lane| at(k * F::LANES + lane));
        }
        result
    }

    #[inline(always)]
    fn store(self, mut put: impl FnMut(usize, [u64; 4])) {
        for k in 0..K {
            self.0[k].store(|lane, words| put(k * F::LANES + lane, words));
        }
    }

    #[inline(always)]
    fn load_points<'a>(at: impl Fn(usize) -> &'a Packed) -> (Self, Self) {
        let (mut x, mut y) = (Self::splat([0; 4]), Self::splat([0; 4]));
        for k in 0..K {
            (x.0[k], y.0[k]) = F::load_points(|lane| at(k * F::LANES + lane));
        }
        (x, y)
    }

    #[inline(always)]
    fn store_points(x: Self, y: Self, mut put: impl FnMut(usize, Packed)) {
        for k in 0..K {
            F::store_points(x.0[k], y.0[k], |lane, point| put(k * F::LANES + lane, point));
        }
    }

    #[inline(always)]
    fn neg_where(self, mask: u64) -> Self {
        let mut result = self;
        for k in 0..K {
            result.0[k] = self.0[k].neg_where(Self::part(mask, k));
        }
        result
    }

    #[inline(always)]
    fn twice_neg_where(self, mask: u64) -> Self {
        let mut result = self;
        for k in 0..K {
            result.0[k] = self.0[k].twice_neg_where(Self::part(mask, k));
        }
        result
    }

    #[inline(always)]
    fn select(self, b: Self, mask: u64) -> Self {
        let mut result = self;
        for k in 0..K {
            result.0[k] = self.0[k].select(b.0[k], Self::part(mask, k));
        }
        result
    }
}
