//! Fp2 = Fp[u] / (u^2 + 1), Fp6 = Fp2[v] / (v^3 - (1 + u)) and Fp12 = Fp6[w] / (w^2 - v) in programs.
//!
//! Products of Fp2 and Fp6 are sums of products reduced once: a product costs 144 steps and a reduction 156, so schoolbook
//! with few reductions is no dearer than Karatsuba, and has next to no additions, which cost as much memory as products.

use super::constants::small;
use super::program::{Builder, Flag, Fp, NUMBER};
use std::ops::{Add, Mul, Neg, Sub};

/// `c0 + c1 u`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fp2<'b> {
    pub(crate) c0: Fp<'b>,
    pub(crate) c1: Fp<'b>,
}

/// `c0 + c1 v + c2 v^2`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fp6<'b>(pub(crate) [Fp2<'b>; 3]);

/// `c0 + c1 w`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fp12<'b> {
    pub(crate) c0: Fp6<'b>,
    pub(crate) c1: Fp6<'b>,
}

/// `c0 + c1 v + c4 v w`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'b> {
    pub(crate) c0: Fp2<'b>,
    pub(crate) c1: Fp2<'b>,
    pub(crate) c4: Fp2<'b>,
}

/// Sum of products of Fp2, three at most: two reductions.
fn dot<'b>(terms: &[(Fp2<'b>, Fp2<'b>)]) -> Fp2<'b> {
    let of = terms[0].0.c0.of();
    let pairs = |f: fn(&(Fp2<'b>, Fp2<'b>)) -> (Fp<'b>, Fp<'b>)| terms.iter().map(f).collect::<Vec<_>>();
    let (low, high) = (pairs(|(a, b)| (a.c0, b.c0)), pairs(|(a, b)| (a.c1, b.c1)));
    let cross = [pairs(|(a, b)| (a.c0, b.c1)), pairs(|(a, b)| (a.c1, b.c0))].concat();
    Fp2 { c0: of.sum(&low, &high), c1: of.sum(&cross, &[]) }
}

impl<'b> Fp2<'b> {
    pub(crate) fn constant(of: &'b Builder, halves: [[u32; NUMBER]; 2]) -> Self {
        Self { c0: of.constant(halves[0]), c1: of.constant(halves[1]) }
    }

    /// Of 24 words of the input.
    pub(crate) fn input(of: &'b Builder, word: u32) -> Self {
        Self { c0: of.input(word), c1: of.input(word + NUMBER as u32) }
    }

    pub(crate) fn slots(of: &'b Builder, slot: u32) -> Self {
        Self { c0: of.slot(slot), c1: of.slot(slot + 1) }
    }

    pub(crate) fn neighbour(of: &'b Builder, slot: u32) -> Self {
        Self { c0: of.neighbour(slot), c1: of.neighbour(slot + 1) }
    }

    pub(crate) fn keep(self, slot: u32) {
        self.c0.keep(slot);
        self.c1.keep(slot + 1);
    }

    /// To 24 words of the answer.
    pub(crate) fn output(self, word: u32) {
        self.c0.output(word);
        self.c1.output(word + NUMBER as u32);
    }

    /// (c0 + c1) (c0 - c1), 2 c0 c1
    pub(crate) fn square(self) -> Self {
        Self { c0: (self.c0 + self.c1) * (self.c0 - self.c1), c1: self.c0.double() * self.c1 }
    }

    pub(crate) fn double(self) -> Self {
        self + self
    }

    pub(crate) fn triple(self) -> Self {
        self + self + self
    }

    pub(crate) fn conjugate(self) -> Self {
        Self { c0: self.c0, c1: -self.c1 }
    }

    pub(crate) fn mul_fp(self, k: Fp<'b>) -> Self {
        Self { c0: self.c0 * k, c1: self.c1 * k }
    }

    /// Times 1 + u.
    pub(crate) fn mul_xi(self) -> Self {
        Self { c0: self.c0 - self.c1, c1: self.c0 + self.c1 }
    }

    /// c0^2 + c1^2
    pub(crate) fn norm(self) -> Fp<'b> {
        self.c0.of().sum(&[(self.c0, self.c0), (self.c1, self.c1)], &[])
    }

    pub(crate) fn where_else(self, flag: Flag<'b>, other: Self) -> Self {
        Self { c0: self.c0.where_else(flag, other.c0), c1: self.c1.where_else(flag, other.c1) }
    }

    pub(crate) fn is_zero(self) -> Flag<'b> {
        self.c0.is_zero().and(self.c1.is_zero())
    }

    pub(crate) fn equals(self, other: Self) -> Flag<'b> {
        (self - other).is_zero()
    }
}

impl Add for Fp2<'_> {
    type Output = Self;

    fn add(self, b: Self) -> Self {
        Self { c0: self.c0 + b.c0, c1: self.c1 + b.c1 }
    }
}

impl Sub for Fp2<'_> {
    type Output = Self;

    fn sub(self, b: Self) -> Self {
        Self { c0: self.c0 - b.c0, c1: self.c1 - b.c1 }
    }
}

impl Mul for Fp2<'_> {
    type Output = Self;

    fn mul(self, b: Self) -> Self {
        dot(&[(self, b)])
    }
}

impl Neg for Fp2<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        Self { c0: -self.c0, c1: -self.c1 }
    }
}

impl<'b> Fp6<'b> {
    pub(crate) fn zero(of: &'b Builder) -> Self {
        Self([Fp2::constant(of, [[0; NUMBER]; 2]); 3])
    }

    /// Times v.
    pub(crate) fn mul_v(self) -> Self {
        let Self([a, b, c]) = self;
        Self([c.mul_xi(), a, b])
    }

    /// Times `b0 + b1 v`.
    fn mul_01(self, b0: Fp2<'b>, b1: Fp2<'b>) -> Self {
        let Self([a0, a1, a2]) = self;
        Self([dot(&[(a0, b0), (a2, b1.mul_xi())]), dot(&[(a0, b1), (a1, b0)]), dot(&[(a1, b1), (a2, b0)])])
    }

    /// Times `b1 v`.
    fn mul_1(self, b1: Fp2<'b>) -> Self {
        let Self([a0, a1, a2]) = self;
        Self([a2 * b1.mul_xi(), a0 * b1, a1 * b1])
    }

    pub(crate) fn where_else(self, flag: Flag<'b>, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].where_else(flag, other.0[i])))
    }
}

impl Add for Fp6<'_> {
    type Output = Self;

    fn add(self, b: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + b.0[i]))
    }
}

impl Sub for Fp6<'_> {
    type Output = Self;

    fn sub(self, b: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - b.0[i]))
    }
}

impl Mul for Fp6<'_> {
    type Output = Self;

    /// 36 products and six reductions.
    fn mul(self, b: Self) -> Self {
        let Self([a0, a1, a2]) = self;
        let Self([b0, b1, b2]) = b;
        let (x1, x2) = (b1.mul_xi(), b2.mul_xi());
        Self([
            dot(&[(a0, b0), (a1, x2), (a2, x1)]),
            dot(&[(a0, b1), (a1, b0), (a2, x2)]),
            dot(&[(a0, b2), (a1, b1), (a2, b0)]),
        ])
    }
}

impl<'b> Fp12<'b> {
    pub(crate) fn one(of: &'b Builder) -> Self {
        let zero = Fp6::zero(of);
        let mut c0 = zero;
        c0.0[0].c0 = small(of, 1);
        Self { c0, c1: zero }
    }

    fn parts(of: impl Fn(u32) -> Fp2<'b>) -> Self {
        let half = |first: u32| Fp6(std::array::from_fn(|i| of(first + i as u32)));
        Self { c0: half(0), c1: half(3) }
    }

    /// Of 144 words of the input, in blst's order.
    pub(crate) fn input(of: &'b Builder, word: u32) -> Self {
        Self::parts(|i| Fp2::input(of, word + 24 * i))
    }

    /// Of 12 slots.
    pub(crate) fn slots(of: &'b Builder, slot: u32) -> Self {
        Self::parts(|i| Fp2::slots(of, slot + 2 * i))
    }

    pub(crate) fn neighbour(of: &'b Builder, slot: u32) -> Self {
        Self::parts(|i| Fp2::neighbour(of, slot + 2 * i))
    }

    fn all(self) -> [Fp2<'b>; 6] {
        let (Fp6([a, b, c]), Fp6([d, e, f])) = (self.c0, self.c1);
        [a, b, c, d, e, f]
    }

    pub(crate) fn keep(self, slot: u32) {
        (slot..).step_by(2).zip(self.all()).for_each(|(slot, part)| part.keep(slot));
    }

    /// To 144 words of the answer.
    pub(crate) fn output(self, word: u32) {
        (word..).step_by(2 * NUMBER).zip(self.all()).for_each(|(word, part)| part.output(word));
    }

    /// With t = c0 c1: (c0 + c1) (c0 + v c1) - t - v t, and 2 t.
    pub(crate) fn square(self) -> Self {
        let t = self.c0 * self.c1;
        let sum = (self.c0 + self.c1) * (self.c0 + self.c1.mul_v());
        Self { c0: sum - t - t.mul_v(), c1: t + t }
    }

    /// 13 products of Fp2.
    pub(crate) fn mul_line(self, line: Line<'b>) -> Self {
        let t0 = self.c0.mul_01(line.c0, line.c1);
        let t1 = self.c1.mul_1(line.c4);
        let cross = (self.c0 + self.c1).mul_01(line.c0, line.c1 + line.c4);
        Self { c0: t0 + t1.mul_v(), c1: cross - t0 - t1 }
    }

    /// Up to a factor that the final exponentiation takes out, the inverse.
    pub(crate) fn conjugate(self) -> Self {
        let zero = Fp6::zero(self.c0.0[0].c0.of());
        Self { c0: self.c0, c1: zero - self.c1 }
    }

    pub(crate) fn where_else(self, flag: Flag<'b>, other: Self) -> Self {
        Self { c0: self.c0.where_else(flag, other.c0), c1: self.c1.where_else(flag, other.c1) }
    }
}

impl Mul for Fp12<'_> {
    type Output = Self;

    /// Three products of Fp6.
    fn mul(self, b: Self) -> Self {
        let (t0, t1) = (self.c0 * b.c0, self.c1 * b.c1);
        let cross = (self.c0 + self.c1) * (b.c0 + b.c1);
        Self { c0: t0 + t1.mul_v(), c1: cross - t0 - t1 }
    }
}
