//! The first half of Pippenger's method: points by digits of their scalars, and the sum of each bucket.
//!
//! A scalar is written in signed digits, one a window; in each window, the points with digit d (or, turned, -d) fall
//! into bucket d. All sums of some buckets grow in step, one lane each, so that an addition costs 5M + 1S: buckets
//! are ranked by how many points they get, so that the lanes that still grow are the first ones.

use super::accumulate::{Accumulate, AddLate, Late, Scratch};
use super::sort::{Chunk, Sorter};
use crate::field::Packed;
use crate::secp::machine::Machine;

/// Sums that grow in step at most: what of them is at work fits the second-level cache.
pub(super) const LANES_MAX: usize = 2048;

/// How scalars are cut: 64 bits into `windows` of `width` bits or, the last ones, of one less.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// Bits of a digit, the sign among them: `2^(width-1)` buckets a window.
    pub(super) width: usize,
    /// Windows of 64 bits; there are twice as many of 128.
    pub(super) windows: usize,
}

impl Cut {
    /// The cheapest for so many short (64 bits) and long (128 bits) scalars. A bucket costs as much as 12/5 points in
    /// buckets: measured with AVX-512 for 64 to 16,384 equations of one key or different keys.
    pub(super) fn best(short: usize, long: usize) -> Self {
        let cut = |windows| Self { width: 64 / windows + 1, windows };
        let cost = |cut: &Self| {
            let windows = if long == 0 { cut.windows } else { 2 * cut.windows };
            5 * (short + 2 * long) * cut.windows + 12 * windows * cut.buckets()
        };
        [5, 6, 7, 9, 10, 11, 13].map(cut).into_iter().min_by_key(cost).expect("some")
    }

    /// Buckets of a window.
    pub(super) fn buckets(self) -> usize {
        1 << (self.width - 1)
    }

    /// Lowest bit of a window; of the one after the last, all bits.
    pub(super) fn bit(self, window: usize) -> usize {
        let (half, window) = (window / self.windows, window % self.windows);
        let wide = 64 - (self.width - 1) * self.windows;
        64 * half + window * (self.width - 1) + window.min(wide)
    }

    /// To be added to a scalar of so many windows, so that the digits of all but the last become their fields less half
    /// of the window's size.
    fn bias(self, windows: usize) -> u128 {
        (1..windows).map(|window| 1 << (self.bit(window) - 1)).sum()
    }
}

/// Points and their scalars.
#[derive(Default)]
pub(super) struct Terms {
    /// Place of the point, times two, plus one if it is to be turned.
    pub(super) points: Vec<u32>,
    pub(super) scalars: Vec<u128>,
    /// The first so many scalars have 64 bits, not 128.
    pub(super) short: usize,
}

impl Terms {
    pub(super) fn clear(&mut self) {
        self.points.clear();
        self.scalars.clear();
        self.short = 0;
    }

    /// Scalars of at most 2^63; before all others.
    #[inline(always)]
    pub(super) fn push_short(&mut self, place: u32, scalar: i64) {
        self.push(place, u128::from(scalar.unsigned_abs()), scalar < 0);
        self.short += 1;
    }

    /// Scalars below 0.7 * 2^128.
    #[inline(always)]
    pub(super) fn push(&mut self, place: u32, magnitude: u128, negative: bool) {
        self.points.push(place << 1 | u32::from(negative));
        self.scalars.push(magnitude);
    }

    pub(super) fn long(&self) -> usize {
        self.points.len() - self.short
    }
}

/// The sum of each bucket: `[window * cut.buckets() + |digit| - 1]`.
#[derive(Default)]
pub(super) struct Buckets {
    pub(super) sums: Vec<Packed>,
    /// Those that got a point; the sums of the others mean nothing.
    pub(super) occupied: Vec<bool>,
    pub(super) windows: usize,
}

impl Buckets {
    /// All empty.
    fn begin(&mut self, windows: usize, buckets: usize) {
        self.windows = windows;
        self.occupied.clear();
        self.fill_up(windows * buckets);
    }

    /// With empty buckets.
    pub(super) fn fill_up(&mut self, buckets: usize) {
        self.occupied.resize(buckets, false);
        self.sums.resize(self.sums.len().max(buckets), Packed([0; 8]));
    }
}

/// The work, with its memory.
#[derive(Default)]
pub(super) struct Bucketing {
    buckets: Buckets,
    sorter: Sorter,
    late: Vec<Late>,
}

impl Bucketing {
    /// Sums up the buckets. `None` if too many equal or opposite points met. (Changes the scalars.)
    pub(super) fn run<M: Machine>(
        &mut self,
        machine: M,
        points: &[Packed],
        terms: &mut Terms,
        cut: Cut,
    ) -> Option<&mut Buckets> {
        let windows = if terms.long() == 0 { cut.windows } else { 2 * cut.windows };
        let (short, long) = terms.scalars.split_at_mut(terms.short);
        short.iter_mut().for_each(|scalar| *scalar += cut.bias(cut.windows));
        long.iter_mut().for_each(|scalar| *scalar += cut.bias(2 * cut.windows));

        let Self { buckets, sorter, late } = self;
        buckets.begin(windows, cut.buckets());
        late.clear();
        let late_max = LATE_MIN + terms.points.len() / LATE_PART;
        let mut scratch = Scratch::<M::Fe>::default();
        // Some windows together if they are small.
        let together = LANES_MAX.div_ceil(cut.buckets());
        for first in (0..windows).step_by(together) {
            sorter.sort::<M>(terms, cut, first..windows.min(first + together));
            let offset = first * cut.buckets();
            for Chunk { first, steps } in &sorter.chunks {
                let occupied = steps.first().map_or(0, |step| step.buckets);
                let ranked = &sorter.ranked[*first..][..occupied];
                for bucket in ranked {
                    buckets.occupied[offset + *bucket as usize] = true;
                }
                let (sorted, sums) = (&sorter.sorted, &mut buckets.sums[offset..]);
                let (scratch, before) = (&mut scratch, late.len());
                machine.call(Accumulate { points, sorted, steps, ranked, sums, scratch, late });
                late[before..].iter_mut().for_each(|late| late.bucket += offset);
                if late.len() > late_max {
                    return None;
                }
            }
        }
        machine.call(AddLate { points, late, buckets });
        Some(buckets)
    }
}

/// Additions of equal or opposite points are done one by one if they are at most so many, and so many of all terms: then
/// they cost little.
const LATE_MIN: usize = 32;
const LATE_PART: usize = 64;
