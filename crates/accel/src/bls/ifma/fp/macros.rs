//! Products, squares and reductions, unrolled. They name what `fp.rs` has in scope.

/// Row i of the product: `a[i]` times all of `b`. Low halves first, so that no sum waits for the one before it.
macro_rules! row {
    ($c:ident, $a:expr, $b:expr, $i:literal; $($j:literal)*) => {
        $($c[$i + $j] = _mm512_madd52lo_epu64($c[$i + $j], $a[$i], $b[$j]);)*
        $($c[$i + $j + 1] = _mm512_madd52hi_epu64($c[$i + $j + 1], $a[$i], $b[$j]);)*
    };
}

/// Adds a product to columns.
macro_rules! product {
    ($c:ident, $a:expr, $b:expr) => {
        row!($c, $a, $b, 0; 0 1 2 3 4 5 6 7);
        row!($c, $a, $b, 1; 0 1 2 3 4 5 6 7);
        row!($c, $a, $b, 2; 0 1 2 3 4 5 6 7);
        row!($c, $a, $b, 3; 0 1 2 3 4 5 6 7);
        row!($c, $a, $b, 4; 0 1 2 3 4 5 6 7);
        row!($c, $a, $b, 5; 0 1 2 3 4 5 6 7);
        row!($c, $a, $b, 6; 0 1 2 3 4 5 6 7);
        row!($c, $a, $b, 7; 0 1 2 3 4 5 6 7);
    };
}

/// Makes columns, which are 0, those of a square: products of different limbs once, doubled, then the squares.
macro_rules! square {
    ($c:ident, $a:expr) => {
        row!($c, $a, $a, 0; 1 2 3 4 5 6 7);
        row!($c, $a, $a, 1; 2 3 4 5 6 7);
        row!($c, $a, $a, 2; 3 4 5 6 7);
        row!($c, $a, $a, 3; 4 5 6 7);
        row!($c, $a, $a, 4; 5 6 7);
        row!($c, $a, $a, 5; 6 7);
        row!($c, $a, $a, 6; 7);
        for column in &mut $c[1..15] {
            *column = _mm512_add_epi64(*column, *column);
        }
        row!($c, $a, $a, 0; 0);
        row!($c, $a, $a, 1; 1);
        row!($c, $a, $a, 2; 2);
        row!($c, $a, $a, 3; 3);
        row!($c, $a, $a, 4; 4);
        row!($c, $a, $a, 5; 5);
        row!($c, $a, $a, 6; 6);
        row!($c, $a, $a, 7; 7);
    };
}

/// The number of columns, which are used up, below so many p.
macro_rules! reduced {
    ($c:ident, $bound:literal) => {{
        let (low, inverse) = (splat(LOW52), splat(words::P_INVERSE));
        let p = limbs!(I => splat(words::P[I]));
        step!($c, p, low, inverse; 0 1 2 3 4 5 6 7);
        let [.., h0, h1, h2, h3, h4, h5, h6, h7] = $c;
        ripple([h0, h1, h2, h3, h4, h5, h6, h7], Bound::new($bound))
    }};
}

/// [`reduced`] for columns that may be negative.
macro_rules! reduced_signed {
    ($c:ident) => {{
        for i in 0..8 {
            $c[8 + i] = _mm512_add_epi64($c[8 + i], splat(words::P[i]));
        }
        reduced!($c, 3)
    }};
}

/// One step of the reduction: makes column i a multiple of 2^52, and moves it to the next.
macro_rules! step {
    ($c:ident, $p:ident, $low:ident, $inverse:ident; $($i:literal)*) => {$({
        let q = _mm512_madd52lo_epu64(_mm512_setzero_si512(), $c[$i], $inverse);
        // The low half of q p_0 is what column i lacks to the next multiple of 2^52, if it is none.
        let carry = _mm512_srai_epi64::<52>(_mm512_add_epi64($c[$i], $low));
        $c[$i + 1] = _mm512_add_epi64($c[$i + 1], carry);
        $c[$i + 1] = _mm512_madd52hi_epu64($c[$i + 1], q, $p[0]);
        step!(@ $c, $p, q, $i; 1 2 3 4 5 6 7);
    })*};
    (@ $c:ident, $p:ident, $q:ident, $i:literal; $($j:literal)*) => {
        $($c[$i + $j] = _mm512_madd52lo_epu64($c[$i + $j], $q, $p[$j]);)*
        $($c[$i + $j + 1] = _mm512_madd52hi_epu64($c[$i + $j + 1], $q, $p[$j]);)*
    };
}

/// `f(i)` of each limb.
macro_rules! limbs {
    ($i:ident => $of:expr) => {
        [
            limbs!(@ $i, 0, $of), limbs!(@ $i, 1, $of), limbs!(@ $i, 2, $of), limbs!(@ $i, 3, $of),
            limbs!(@ $i, 4, $of), limbs!(@ $i, 5, $of), limbs!(@ $i, 6, $of), limbs!(@ $i, 7, $of),
        ]
    };
    (@ $i:ident, $value:literal, $of:expr) => {{ const $i: usize = $value; $of }};
}
