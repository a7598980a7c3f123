//! Sums in G1 of affine points, eight pairs a vector, with one inversion for many (Montgomery's trick).
//!
//! Equal and opposite points are met by whoever registers a key twice or with its opposite: lanes with equal x are found and
//! doubled, or told to be infinity. There is no point with y = 0, as the curve has no point of order 2.

use super::buckets::{Group, Ref};
use super::fp::Fp;
use super::power::invert_lanes;
use super::spare::Spare;
use crate::bls::row::{Point, Row};

/// Vectors that share an inversion: what is kept of them stays in the second level cache.
const VECTORS_AT_ONCE: usize = 128;

static SPARE: Spare<Point> = Spare::new();

/// Points, none of them infinity: those given, and sums.
struct Points<'a> {
    given: &'a [Point],
    sums: Vec<Point>,
    steps: Vec<Step>,
}

/// What the first pass leaves of eight pairs.
struct Step {
    /// The denominators of the slopes.
    run: Fp,
    /// The product of all denominators before.
    before: Fp,
    /// Lanes whose points are equal, and opposite.
    equal: u8,
    opposite: u8,
}

impl Points<'_> {
    fn get(&self, element: Ref) -> (Point, bool) {
        (*self.at(element), element.is_negative())
    }

    #[inline]
    fn at(&self, element: Ref) -> &Point {
        let at = element.at();
        self.given.get(at).unwrap_or_else(|| &self.sums[at - self.given.len()])
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add_some(&mut self, pairs: &[(Ref, Ref)]) -> Vec<usize> {
        let mut product = Fp::one();
        let mut steps = std::mem::take(&mut self.steps);
        steps.clear();
        for eight in pairs.chunks(8) {
            let step = self.start(eight, &product);
            product = product.mul(&step.run);
            steps.push(step);
        }
        let mut inverse = invert_lanes(&product);
        let first = self.sums.len();
        self.sums.resize(first + pairs.len(), Point { x: Row::ZERO, y: Row::ZERO });
        for (i, (eight, step)) in pairs.chunks(8).zip(&steps).enumerate().rev() {
            let of_this = inverse.mul(&step.before);
            inverse = inverse.mul(&step.run);
            let (x, y) = self.finish(eight, step, &of_this);
            let (x, y) = (x.store(), y.store());
            for (place, (x, y)) in self.sums[first + 8 * i..].iter_mut().zip(x.iter().zip(&y)).take(eight.len()) {
                *place = Point { x: *x, y: *y };
            }
        }
        let infinite = steps.iter().enumerate().filter(|(_, step)| step.opposite != 0);
        let lanes = |(i, step): (usize, &Step)| {
            let opposite = step.opposite;
            (0..8).filter(move |lane| opposite >> lane & 1 == 1).map(move |lane| 8 * i + lane)
        };
        let neutral = infinite.flat_map(lanes).filter(|at| *at < pairs.len()).collect();
        self.steps = steps;
        neutral
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn start(&self, pairs: &[(Ref, Ref)], before: &Fp) -> Step {
        let (left, right) = (self.lanes(pairs, |pair| pair.0), self.lanes(pairs, |pair| pair.1));
        let run = Fp::load(right.map(|(point, _)| &point.x)).sub::<3>(&Fp::load(left.map(|(point, _)| &point.x)));
        let step = Step { run, before: *before, equal: 0, opposite: 0 };
        if step.run.may_be_zero() == 0 { step } else { step.with_equal_x(&y_of(&left), &y_of(&right)) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn finish(&self, pairs: &[(Ref, Ref)], step: &Step, inverse: &Fp) -> (Fp, Fp) {
        let (left, right) = (self.lanes(pairs, |pair| pair.0), self.lanes(pairs, |pair| pair.1));
        let (x1, x2) = (Fp::load(left.map(|(point, _)| &point.x)), Fp::load(right.map(|(point, _)| &point.x)));
        let y1 = y_of(&left);
        let mut rise = y_of(&right).sub::<3>(&y1);
        if step.equal != 0 {
            rise = rise.select(step.equal, &x1.sqr().triple());
        }
        let slope = rise.mul(inverse);
        let x = slope.sqr().less_both(&x1, &x2);
        let y = slope.mul(&x1.sub::<3>(&x)).less_both(&y1, &Fp::zero());
        (x, y)
    }

    /// Points of up to eight pairs, the last repeated, and whether they are negative.
    #[inline]
    fn lanes(&self, pairs: &[(Ref, Ref)], which: impl Fn(&(Ref, Ref)) -> Ref) -> [(&Point, bool); 8] {
        std::array::from_fn(|lane| {
            let element = which(&pairs[lane.min(pairs.len() - 1)]);
            (self.at(element), element.is_negative())
        })
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn y_of(points: &[(&Point, bool); 8]) -> Fp {
    let negative = points.iter().enumerate().fold(0u8, |mask, (i, (_, negative))| mask | u8::from(*negative) << i);
    let y = Fp::load(points.map(|(point, _)| &point.y));
    if negative == 0 { y } else { y.neg_where::<3>(negative) }
}

impl Step {
    /// Lanes with equal x: the tangent for equal points, anything for opposite ones.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline(never)]
    fn with_equal_x(self, y1: &Fp, y2: &Fp) -> Self {
        let equal = self.run.is_zero();
        let opposite = equal & y1.add(y2).is_zero();
        let run = self.run.select(equal, &y1.shl::<1>()).select(opposite, &Fp::one());
        Self { run, equal, opposite, ..self }
    }
}

impl Group for Points<'_> {
    fn len(&self) -> usize {
        self.given.len() + self.sums.len()
    }

    fn add_pairs(&mut self, pairs: &[(Ref, Ref)]) -> Vec<usize> {
        let mut neutral = Vec::new();
        for (i, some) in pairs.chunks(8 * VECTORS_AT_ONCE).enumerate() {
            // SAFETY: `weighted_sum` alone makes a value of this type, and has the features.
            let of_these = unsafe { self.add_some(some) };
            neutral.extend(of_these.into_iter().map(|at| i * 8 * VECTORS_AT_ONCE + at));
        }
        neutral
    }
}

/// The sum of points, each times its number, as a sum of powers of two times points: `(point, negative)` for each bit.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn weighted_sum(points: &[Point], times: &[u16]) -> Vec<Option<(Point, bool)>> {
    let mut sums = SPARE.take();
    sums.reserve(3 * points.len());
    let mut group = Points { given: points, sums, steps: Vec::with_capacity(VECTORS_AT_ONCE) };
    let bits = super::buckets::weighted_sum(&mut group, times);
    let bits = bits.into_iter().map(|bit| bit.map(|bit| group.get(bit))).collect();
    SPARE.give_back(group.sums);
    bits
}

#[cfg(test)]
mod tests;
