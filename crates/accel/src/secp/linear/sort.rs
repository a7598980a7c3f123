//! Points in the order in which they are added to their buckets.

use super::buckets::{Cut, LANES_MAX, Terms};
use crate::field::Field;
use crate::secp::machine::Machine;
use std::ops::Range;

/// Buckets whose sums grow in step.
pub(super) struct Chunk {
    /// The first bucket.
    pub(super) first: usize,
    pub(super) steps: Vec<Step>,
}

/// A point for each of the first ranks.
pub(super) struct Step {
    /// Where they stand in `Sorter::sorted`.
    pub(super) start: usize,
    /// How many.
    pub(super) buckets: usize,
}

/// Sorts the points of some windows by steps.
#[derive(Default)]
pub(super) struct Sorter {
    /// Per term and window, bucket and sign.
    codes: Vec<u32>,
    /// Per bucket: how many points.
    counts: Vec<u32>,
    /// Per bucket: in which of `starts` its next point is counted from, and its rank.
    cursors: Vec<(u32, u32)>,
    /// Where each step of each chunk begins in `sorted`.
    starts: Vec<u32>,
    /// Buckets of a chunk by falling number of points.
    pub(super) ranked: Vec<u32>,
    pub(super) chunks: Vec<Chunk>,
    /// Points (as in [`Terms`]) of each step, in the order of ranks; filled up to whole groups of lanes with zeros.
    pub(super) sorted: Vec<u32>,
}

impl Sorter {
    /// Of some columns: column `block * windows + window` is a window of a block.
    pub(super) fn sort<M: Machine>(&mut self, terms: &Terms, cut: Cut, windows: usize, columns: Range<usize>) {
        let total = columns.len() * cut.buckets();
        self.codes.clear();
        self.counts.clear();
        // One more, for digits that are 0.
        self.counts.resize(total + 1, 0);
        let parts = |column: usize| {
            let (block, window) = (column / windows, column % windows);
            let short = if window < cut.windows { terms.short_of(block) } else { 0..0 };
            (window, short, terms.long_of(block))
        };
        for (number, column) in columns.clone().enumerate() {
            let (window, short, long) = parts(column);
            let base = number * cut.buckets();
            self.encode(&terms.scalars[short], cut, window, cut.windows, base);
            self.encode(&terms.scalars[long], cut, window, 2 * cut.windows, base);
        }
        self.rank::<M>(total);
        let mut codes = self.codes.as_slice();
        for column in columns {
            let (_, short, long) = parts(column);
            for points in [&terms.points[short], &terms.points[long]] {
                let (now, rest) = codes.split_at(points.len());
                codes = rest;
                for (code, point) in now.iter().zip(points) {
                    let (bucket, sign) = ((code >> 1) as usize, code & 1);
                    if bucket < total {
                        let (step, rank) = &mut self.cursors[bucket];
                        self.sorted[(self.starts[*step as usize] + *rank) as usize] = point ^ sign;
                        *step += 1;
                    }
                }
            }
        }
    }

    /// Appends the codes of one window, and counts.
    fn encode(&mut self, scalars: &[u128], cut: Cut, window: usize, windows: usize, base: usize) {
        let (bit, next) = (cut.bit(window), cut.bit(window + 1));
        // The last window has no bias and may reach the next power of two.
        let (mask, half) =
            if window + 1 == windows { (u32::MAX, 0) } else { ((1 << (next - bit)) - 1, 1 << (next - bit - 1)) };
        let none = self.counts.len() - 1;
        let counts = &mut self.counts;
        self.codes.extend(scalars.iter().map(|scalar| {
            let digit = ((scalar >> bit) as u32 & mask) as i32 - half;
            let magnitude = digit.unsigned_abs() as usize;
            let bucket = if magnitude == 0 { none } else { base + magnitude - 1 };
            counts[bucket] += 1;
            (bucket as u32) << 1 | u32::from(digit < 0)
        }));
    }

    /// Ranks the buckets of each chunk, and lays out the steps.
    fn rank<M: Machine>(&mut self, total: usize) {
        let mut places = 0;
        self.chunks.clear();
        self.starts.clear();
        self.cursors.clear();
        self.ranked.clear();
        self.ranked.resize(total, 0);
        for (number, counts) in self.counts[..total].chunks(LANES_MAX).enumerate() {
            let first = number * LANES_MAX;
            let most = counts.iter().copied().max().unwrap_or(0) as usize;
            // above[i]: how many buckets have more than i points; first how many have i.
            let mut above = vec![0usize; most + 1];
            for count in counts {
                above[*count as usize] += 1;
            }
            let mut sum = 0;
            for above in above.iter_mut().rev() {
                (*above, sum) = (sum, sum + *above);
            }
            let mut steps = Vec::with_capacity(most);
            let first_step = self.starts.len() as u32;
            for &buckets in &above[..most] {
                steps.push(Step { start: places, buckets });
                self.starts.push(places as u32);
                places += buckets.next_multiple_of(M::Fe::LANES);
            }
            for (bucket, count) in counts.iter().enumerate() {
                let rank = above[*count as usize];
                above[*count as usize] += 1;
                self.cursors.push((first_step, rank as u32));
                self.ranked[first + rank] = (first + bucket) as u32;
            }
            self.chunks.push(Chunk { first, steps });
        }
        self.sorted.clear();
        self.sorted.resize(places, 0);
    }
}
