//! Two values side by side, so that a processor has independent work while one product waits for its carries. Pairs of
//! pairs give four. (Not an array: loops over arrays leave the values in memory and copy them about.)

use super::{Field, Packed};

/// The lanes of the first, then those of the second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<A>(A, A);

macro_rules! both {
    ($($name:ident($($arg:ident),*);)*) => {
        $(#[inline(always)]
        fn $name(self $(, $arg: Self)*) -> Self {
            Self(self.0.$name($($arg.0),*), self.1.$name($($arg.1),*))
        })*
    };
}

macro_rules! both_masked {
    ($($name:ident($($arg:ident),*);)*) => {
        $(#[inline(always)]
        fn $name(self $(, $arg: Self)*, mask: u64) -> Self {
            Self(self.0.$name($($arg.0,)* mask & A::all()), self.1.$name($($arg.1,)* mask >> A::LANES))
        })*
    };
}

macro_rules! masks {
    ($($name:ident;)*) => {
        $(#[inline(always)]
        fn $name(self) -> u64 {
            self.0.$name() | self.1.$name() << A::LANES
        })*
    };
}

impl<A: Field> Field for Pair<A> {
    const LANES: usize = 2 * A::LANES;

    both! {
        mul(b);
        sqr();
        mul_add(b, c);
        mul_sub(b, c);
        sqr_sub_twice(c);
        sqr_sub(b, c);
        sqr_triple();
        sqr_add_mul(b, c);
        twice_mul_add_mul(b, c, d);
        sub(b);
        twice_sub(b);
        twice();
        neg();
    }

    both_masked! {
        neg_where();
        twice_neg_where();
        select(b);
    }

    masks! {
        is_zero;
        is_odd;
    }

    #[inline(always)]
    fn invert(self) -> Self {
        let both = self.0.mul(self.1).invert();
        Self(both.mul(self.1), both.mul(self.0))
    }

    #[inline(always)]
    fn splat(words: [u64; 4]) -> Self {
        Self(A::splat(words), A::splat(words))
    }

    #[inline(always)]
    fn load(at: impl Fn(usize) -> [u64; 4]) -> Self {
        Self(A::load(&at), A::load(|lane| at(A::LANES + lane)))
    }

    #[inline(always)]
    fn load_points<'a>(at: impl Fn(usize) -> &'a Packed) -> (Self, Self) {
        let (x0, y0) = A::load_points(&at);
        let (x1, y1) = A::load_points(|lane| at(A::LANES + lane));
        (Self(x0, x1), Self(y0, y1))
    }

    #[inline(always)]
    fn store_points(x: Self, y: Self, mut put: impl FnMut(usize, Packed)) {
        A::store_points(x.0, y.0, &mut put);
        A::store_points(x.1, y.1, |lane, point| put(A::LANES + lane, point));
    }
}
