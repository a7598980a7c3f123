//! Sums of points of G1: additions of pairs that share inversions, the first half of the points and the second.

use super::{Desk, params, word};
use crate::gpu::card::{Fault, Kernel, Launch};
use crate::gpu::fp381::NUMBER;
use crate::gpu::tag::{Seeds, TAG};
use std::time::Duration;

/// Words of a point: x, then y.
pub(crate) const POINT: usize = 2 * NUMBER;
/// The last word of x of a point that is infinity.
pub(crate) const INFINITE: u32 = u32::MAX;
/// A slot without a point.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Most pairs of a thread: its part of an inversion is three products and a sixteenth of one.
const PAIRS: usize = 16;
/// Threads are one for so many of the items that a launch may have: a card is full then, and more pairs a thread are cheaper.
const ITEMS_OF_A_THREAD: usize = 4;
/// Threads that share an inversion.
const THREADS: usize = 16;

/// Points to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Points {
    /// [`POINT`] words each.
    pub(crate) rows: Vec<u32>,
    /// The row of each slot, or [`NOBODY`].
    pub(crate) slots: Vec<u32>,
    /// How often the slots are halved, at least once: 2^levels divides their number.
    pub(crate) levels: u32,
}

impl Points {
    /// How many sums are left.
    pub(crate) fn sums(&self) -> usize {
        self.slots.len() >> self.levels
    }
}

impl Desk {
    /// Sum `i` is of all slots that are `i` modulo [`Points::sums`]: rows of [`POINT`] words.
    pub(crate) fn fold(&mut self, points: &Points, limit: Duration) -> Result<Vec<u32>, Fault> {
        self.gather(points)?;
        self.folded(points, 0, limit)
    }

    /// From a level on.
    pub(super) fn folded(&mut self, points: &Points, from: u32, limit: Duration) -> Result<Vec<u32>, Fault> {
        (from..points.levels).try_for_each(|level| self.add_pairs(points, level))?;
        let words = points.sums() * POINT;
        let sums = self.lane.read(self.answers.of(&self.card, words)?, 0..words, limit)?;
        self.all_is_done();
        Ok(sums)
    }

    /// Rows to columns.
    fn gather(&mut self, points: &Points) -> Result<(), Fault> {
        let count = points.slots.len();
        let stride = count.next_multiple_of(32);
        let rows = self.items.of(&self.card, points.rows.len().max(1))?;
        let slots = self.spans.of(&self.card, count)?;
        let columns = self.points[0].of(&self.card, POINT * stride)?;
        self.lane.write(rows, 0, &points.rows)?;
        self.lane.write(slots, 0, &points.slots)?;
        let params = params(&[count, stride, points.rows.len() / POINT].map(word), Seeds([0; TAG]));
        let buffers = &[rows, slots, columns];
        self.lane.launch(&Launch { kernel: Kernel::G1Gather, threads: count, buffers, params })
    }

    /// Once more the first half of the points takes in the second; the last time it is written as rows.
    pub(super) fn add_pairs(&mut self, points: &Points, level: u32) -> Result<(), Fault> {
        let count = points.slots.len() >> level;
        let (pairs, stride) = (count / 2, count.next_multiple_of(32));
        let half = pairs.next_multiple_of(32);
        let [even, odd] = &mut self.points;
        let (from, to) = if level.is_multiple_of(2) { (even, odd) } else { (odd, even) };
        let is_last = level + 1 == points.levels;
        let (to, between, apart) = if is_last { (&mut self.answers, 1, POINT) } else { (to, half, 1) };
        let from = from.of(&self.card, POINT * stride)?;
        let to = to.of(&self.card, POINT * half)?;
        let prefix = self.prefix.of(&self.card, NUMBER * half)?;
        let [totals, products] = &mut self.totals;
        let totals = totals.of(&self.card, NUMBER * half)?;
        let products = products.of(&self.card, NUMBER * half)?;
        let threads = pairs.div_ceil((pairs * ITEMS_OF_A_THREAD / self.card.info().items_max).clamp(1, PAIRS));
        let inverters = threads.div_ceil(THREADS);
        let of_pairs = params(&[pairs, stride, threads, pairs, half, between, apart].map(word), Seeds([0; TAG]));
        let of_inverses = params(&[threads, half, inverters].map(word), Seeds([0; TAG]));
        let lane = &mut self.lane;
        let mut launch =
            |kernel, threads, buffers: &[_], params| lane.launch(&Launch { kernel, threads, buffers, params });
        launch(Kernel::G1Products, threads, &[from, prefix, totals], of_pairs)?;
        launch(Kernel::InvertFp381, inverters, &[totals, products], of_inverses)?;
        launch(Kernel::G1Sums, threads, &[from, prefix, totals, to], of_pairs)
    }
}
