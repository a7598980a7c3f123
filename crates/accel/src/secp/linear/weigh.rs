//! The second half of Pippenger's method: the sums of buckets with their weights.

use super::buckets::{Buckets, Cut};
use super::running::RunningSums;
use crate::field::scalar::Fe1;
use crate::field::{Field, Packed};
use crate::secp::curve::{Affine, Jacobian};
use crate::secp::few::FewSums;
use crate::secp::generator::Generator;
use crate::secp::machine::{Machine, Task};
use crate::secp::order::Order;
use crate::secp::power::invert_all;
use crate::secp::sums::{Accumulator, Addend, Source};
use std::marker::PhantomData;

/// What `sum over buckets of (i + 1) * bucket i` needs, for each window of each block.
///
/// The buckets of a window lie in segments of `length`. Per segment, the running sums T (of its buckets, from the last to
/// the first) and A (of all T on the way) give `A + length * number * T`. The factors `number` are taken bit by
/// bit.
pub(super) fn weigh<M: Machine>(machine: M, starts: &Starts, buckets: &mut Buckets, cut: Cut) -> Option<Weighed> {
    let (blocks, windows) = (buckets.blocks, buckets.windows);
    let columns = blocks * windows;
    let segments = segments(columns, cut);
    let length = cut.buckets() / segments;
    let groups = (columns * segments).div_ceil(M::Fe::LANES);
    buckets.fill_up(groups * M::Fe::LANES * length);
    let Starts { once, twice } = starts;
    let (plain, weighted) =
        machine.call(RunningSums::<M::Fe> { field: PhantomData, buckets, length, groups, once, twice })?;
    let lists = Lists { columns, segments };
    let (plain, weighted) = (plain.as_slice(), weighted.as_slice());
    let sums = machine.call(SumLists::<M::Fe> { field: PhantomData, lists, plain, weighted, start: twice })?;
    Some(Weighed { cut, blocks, windows, length, lists, sums })
}

/// Segments of a window: many, so that many lanes share an inversion, but at least two buckets in each.
fn segments(columns: usize, cut: Cut) -> usize {
    (LANES_WANTED / columns).next_power_of_two().clamp(2, cut.buckets() / 2)
}

/// Running sums in step.
const LANES_WANTED: usize = 768;

/// Where sums begin.
pub(super) struct Starts {
    /// S
    once: Packed,
    /// 2 S
    twice: Packed,
}

impl Starts {
    pub(super) fn new(machine: impl Machine, generator: &Generator) -> Self {
        let once = generator.start_point;
        Self { once, twice: machine.call(Twice(&once)) }
    }
}

struct Twice<'a>(&'a Packed);

impl Task for Twice<'_> {
    type Output = Packed;

    #[inline(always)]
    fn run(self) -> Packed {
        let (x, y) = Fe1::load_points(|_| self.0);
        let Affine { x, y } = Affine { x, y }.double(y.twice().invert());
        let mut packed = Packed([0; 8]);
        Fe1::store_points(x, y, |_, point| packed = point);
        packed
    }
}

/// Per column (a window of a block), lists of half of its segments each: for each bit, the T of the segments whose number has it; the A
/// of the first half and of the second half.
#[derive(Clone, Copy)]
struct Lists {
    columns: usize,
    /// Of a column; a power of two.
    segments: usize,
}

impl Lists {
    #[inline(always)]
    fn bits(self) -> usize {
        self.segments.ilog2() as usize
    }

    #[inline(always)]
    fn a_column(self) -> usize {
        self.bits() + 2
    }

    /// Segment `i` of a list of a column.
    #[inline(always)]
    fn segment(self, list: usize, i: usize) -> usize {
        if list < self.bits() {
            i >> list << (list + 1) | 1 << list | i & ((1 << list) - 1)
        } else {
            (list - self.bits()) * self.segments / 2 + i
        }
    }
}

/// The sum of each list, in Jacobian points, a list a lane. `None` if equal or opposite points met.
struct SumLists<'a, F> {
    field: PhantomData<F>,
    lists: Lists,
    plain: &'a [Packed],
    weighted: &'a [Packed],
    start: &'a Packed,
}

impl<F: Field> Task for SumLists<'_, F> {
    type Output = Option<Vec<Packed>>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { lists, plain, weighted, start, .. } = self;
        let count = lists.columns * lists.a_column();
        let groups = count.div_ceil(F::LANES);
        let (x, y) = F::load_points(|_| start);
        let mut sums = vec![Jacobian::from_affine(Affine { x, y }); groups];
        for (group, sum) in sums.iter_mut().enumerate() {
            for i in 0..lists.segments / 2 {
                let (x, y) = F::load_points(|lane| {
                    let list = (group * F::LANES + lane).min(count - 1);
                    let (column, list) = (list / lists.a_column(), list % lists.a_column());
                    let points = if list < lists.bits() { plain } else { weighted };
                    &points[column * lists.segments + lists.segment(list, i)]
                });
                *sum = sum.add(x, y.twice());
            }
        }
        let mut inverses = Vec::with_capacity(groups);
        for sum in &sums {
            if sum.z.is_zero() != 0 {
                return None;
            }
            inverses.push(sum.z);
        }
        let mut prefix = inverses.clone();
        invert_all(&mut inverses, &mut prefix);
        let mut packed = vec![*start; groups * F::LANES];
        for (group, sum) in sums.iter().enumerate() {
            let Affine { x, y } = sum.to_affine(inverses[group]);
            F::store_points(x, y, |lane, point| packed[group * F::LANES + lane] = point);
        }
        Some(packed)
    }
}

/// The lists of all windows, to be summed with their powers of two.
pub(super) struct Weighed {
    cut: Cut,
    blocks: usize,
    /// Of a block.
    windows: usize,
    /// Buckets of a segment.
    length: usize,
    lists: Lists,
    sums: Vec<Packed>,
}

/// A total begins at `2^FIRST * S`: more than the sums that it meets begin with, so that it never equals one where all
/// buckets are empty.
const FIRST: usize = 20;

impl Weighed {
    /// `sum over windows of 2^bit * sum over buckets of (i + 1) * bucket i` of each block, and how many times S stands in
    /// it.
    pub(super) fn total<N: Machine>(&self, machine: N, starts: &Starts) -> (FewSums<N>, Order) {
        let Self { cut, windows, length, lists, .. } = self;
        let half = lists.segments as u64 / 2;
        // How many times S stands in the sum of a list: each A has two and the T on the way, each T has one.
        let (in_plain, in_weighted) = (2 + half, 2 + half * (2 + *length as u64));
        let groups = self.blocks.div_ceil(N::Fe::LANES);
        let mut total = Total { sum: FewSums::new(machine, &starts.once, groups), starts: Order::ONE };
        let mut bit = cut.bit(windows - 1) + cut.width + FIRST;
        for window in (0..*windows).rev() {
            for list in (0..lists.bits()).rev() {
                let next = cut.bit(window) + length.ilog2() as usize + list;
                total.double(bit - next);
                bit = next;
                total.add(&self.list(window, list), in_plain);
            }
            total.double(bit - cut.bit(window));
            bit = cut.bit(window);
            total.add(&self.list(window, lists.bits()), in_weighted);
            total.add(&self.list(window, lists.bits() + 1), in_weighted);
        }
        (total.sum, total.starts)
    }

    fn list(&self, window: usize, list: usize) -> ListSums<'_> {
        let stride = self.windows * self.lists.a_column();
        ListSums { sums: &self.sums, blocks: self.blocks, stride, at: window * self.lists.a_column() + list }
    }
}

/// Sums, one a lane, and how many times S stands in each.
struct Total<N: Machine> {
    sum: FewSums<N>,
    starts: Order,
}

impl<N: Machine> Total<N> {
    fn double(&mut self, times: usize) {
        for _ in 0..times {
            self.sum.double();
            self.starts = self.starts.add(self.starts);
        }
    }

    fn add(&mut self, list: &ListSums<'_>, starts: u64) {
        self.sum.add(list);
        self.starts = self.starts.add(Order::reduce([starts, 0, 0, 0]));
    }
}

/// One list of one window, of each block.
struct ListSums<'a> {
    sums: &'a [Packed],
    blocks: usize,
    /// From a block to the next.
    stride: usize,
    /// Of the first block.
    at: usize,
}

impl<F: Field> Source<F> for ListSums<'_> {
    #[inline(always)]
    fn addend(&self, group: usize) -> Addend<F> {
        let Self { sums, blocks, stride, at } = self;
        let (x, y) = F::load_points(|lane| &sums[(group * F::LANES + lane).min(blocks - 1) * stride + at]);
        Addend { x, y, negative: 0, skip: 0 }
    }

    #[inline(always)]
    fn prefetch(&self, _group: usize) {}
}
