//! The first half of Pippenger's method: points by digits of their scalars, and the sum of each bucket.
//!
//! A scalar is written in signed digits, one a window; in each window, the points with digit d (or, turned, -d) fall
//! into bucket d. All sums of some buckets grow in step, one lane each, so that an addition costs 5M + 1S: buckets
//! are ranked by how many points they get, so that the lanes that still grow are the first ones.

use super::accumulate::{Accumulate, AddLate, Late, Scratch};
use super::sort::{Chunk, Sorter};
use crate::field::Packed;
use crate::secp::machine::Machine;
use std::ops::Range;

/// Sums that grow in step at most: what of them is at work fits the second-level cache.
pub(super) const LANES_MAX: usize = 4096;

/// How scalars are cut: 64 bits into `windows` of `width` bits or, the last ones, of one less.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// Bits of a digit, the sign among them: `2^(width-1)` buckets a window.
    pub(super) width: usize,
    /// Windows of 64 bits; there are twice as many of 128.
    pub(super) windows: usize,
}

impl Cut {
    /// The cheapest for so many short (64 bits) and long (128 bits) scalars in a block. A bucket costs as much as 12/5 points in
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

/// Points and their scalars, of some blocks; in each block, first those with short scalars.
#[derive(Default)]
pub(super) struct Terms {
    /// Place of the point, times two, plus one if it is to be turned. All short ones stand before all long ones.
    pub(super) points: Vec<u32>,
    pub(super) scalars: Vec<u128>,
    /// Where the short ones of each block end.
    short_ends: Vec<usize>,
    /// Where the long ones of each block end.
    long_ends: Vec<usize>,
}

impl Terms {
    pub(super) fn clear(&mut self) {
        self.points.clear();
        self.scalars.clear();
        self.short_ends.clear();
        self.long_ends.clear();
    }

    /// A scalar of at most 2^63 for short ones, of less than 0.7 * 2^128 for long ones.
    #[inline(always)]
    pub(super) fn push(&mut self, place: u32, magnitude: u128, negative: bool) {
        self.points.push(place << 1 | u32::from(negative));
        self.scalars.push(magnitude);
    }

    /// What was pushed since the last block are the short ones of a block.
    #[inline(always)]
    pub(super) fn end_short(&mut self) {
        self.short_ends.push(self.points.len());
    }

    /// What was pushed since the last block are the long ones of a block. After the short ones of all blocks.
    #[inline(always)]
    pub(super) fn end_long(&mut self) {
        self.long_ends.push(self.points.len());
    }

    pub(super) fn blocks(&self) -> usize {
        self.short_ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// How many scalars are short.
    pub(super) fn short(&self) -> usize {
        self.short_ends.last().copied().unwrap_or(0)
    }

    /// How many scalars are long.
    pub(super) fn long(&self) -> usize {
        self.points.len() - self.short()
    }

    /// The short ones of a block.
    pub(super) fn short_of(&self, block: usize) -> Range<usize> {
        let start = if block == 0 { 0 } else { self.short_ends[block - 1] };
        start..self.short_ends[block]
    }

    /// The long ones of a block.
    pub(super) fn long_of(&self, block: usize) -> Range<usize> {
        let start = if block == 0 { self.short() } else { self.long_ends[block - 1] };
        start..self.long_ends[block]
    }
}

/// The sum of each bucket: `[(block * windows + window) * cut.buckets() + |digit| - 1]`.
#[derive(Default)]
pub(super) struct Buckets {
    pub(super) sums: Vec<Packed>,
    /// Those that got a point; the sums of the others mean nothing.
    pub(super) occupied: Vec<bool>,
    pub(super) blocks: usize,
    /// Of a block.
    pub(super) windows: usize,
}

impl Buckets {
    /// All empty.
    fn begin(&mut self, blocks: usize, windows: usize, buckets: usize) {
        (self.blocks, self.windows) = (blocks, windows);
        self.occupied.clear();
        self.fill_up(blocks * windows * buckets);
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
        let columns = terms.blocks() * windows;
        let first_long = terms.short();
        let (short, long) = terms.scalars.split_at_mut(first_long);
        let (short_bias, long_bias) = (cut.bias(cut.windows), cut.bias(2 * cut.windows));
        short.iter_mut().for_each(|scalar| *scalar += short_bias);
        long.iter_mut().for_each(|scalar| *scalar += long_bias);

        let Self { buckets, sorter, late } = self;
        buckets.begin(terms.blocks(), windows, cut.buckets());
        late.clear();
        let late_max = LATE_MIN + terms.points.len() / LATE_PART;
        let mut scratch = Scratch::<M::Fe>::default();
        // Some windows together if they are small, of one block after the other.
        let together = LANES_MAX.div_ceil(cut.buckets());
        for first in (0..columns).step_by(together) {
            sorter.sort::<M>(terms, cut, windows, first..columns.min(first + together));
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
