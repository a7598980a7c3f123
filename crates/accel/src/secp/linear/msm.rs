//! The sum of some equations of a batch, by Pippenger's method.
//!
//! All sums begin at known multiples of the generator's secret start S, whose effect is taken out of the factor of G, so
//! that nobody can choose points that meet equal or opposite ones there (and empty buckets need no care).

use super::Items;
use super::batch::Batch;
use super::buckets::{Bucketing, Buckets, Cut, Terms};
use super::running::RunningSums;
use crate::field::scalar::Fe1;
use crate::field::{Field, Packed};
use crate::secp::curve::{Affine, Jacobian};
use crate::secp::generator::{self, Generator};
use crate::secp::glv;
use crate::secp::machine::{Machine, Task};
use crate::secp::order::Order;
use crate::secp::power::invert_all;
use crate::secp::table::Digits;
use std::marker::PhantomData;

/// Sums equations. Its memory is used again and again.
#[derive(Default)]
pub(super) struct Summing {
    /// Points with short factors; also those with long ones, if they are many.
    terms: Terms,
    /// Points with long factors, if they are few.
    few: Terms,
    /// Per key, its factor; all 0 between the calls.
    of_keys: Vec<Order>,
    /// Which are not 0.
    touched: Vec<u32>,
    bucketing: Bucketing,
}

impl Summing {
    /// The sum of some equations, plus the start S. `None` if too many equal or opposite points met.
    pub(super) fn sum<M: Machine>(
        &mut self,
        machine: M,
        generator: &Generator,
        batch: &Batch,
        items: Items,
    ) -> Option<Packed> {
        let of_g = machine.call(Collect { batch, items, summing: &mut *self });
        let starts = Starts { once: generator.start_point, twice: machine.call(Twice(&generator.start_point)) };
        let mut parts = Vec::with_capacity(2);
        let mut multiple = Order::ONE.neg();
        for terms in [&mut self.terms, &mut self.few] {
            if terms.short + terms.long() > 0 {
                let cut = Cut::best(terms.short, terms.long());
                let buckets = self.bucketing.run(machine, &batch.points, terms, cut)?;
                let (part, starts) = weigh(machine, &starts, buckets, cut)?;
                parts.push(part);
                multiple = multiple.add(starts);
            }
        }
        let of_g = of_g.add(multiple.mul(generator.start).neg());
        machine.call(Total { generator, parts: &parts, of_g })
    }
}

/// Lists the points and factors of some equations; returns the factor of G.
struct Collect<'a> {
    batch: &'a Batch,
    items: Items,
    summing: &'a mut Summing,
}

impl Task for Collect<'_> {
    type Output = Order;

    #[inline(always)]
    fn run(self) -> Order {
        let Self { batch, items, summing } = self;
        let items = &batch.items[items];
        let Summing { terms, few, of_keys, touched, .. } = summing;
        terms.clear();
        few.clear();
        touched.clear();
        of_keys.resize(of_keys.len().max(batch.places), Order::ZERO);
        let mut of_g = Order::ZERO;
        let places = batch.places as u32;
        for item in items {
            terms.push_short(item.place, item.halves[0]);
            terms.push_short(item.place + places, item.halves[1]);
            of_g = of_g.add(item.of_g);
            let of_key = &mut of_keys[item.key as usize];
            if of_key.is_zero() {
                touched.push(item.key);
            }
            *of_key = of_key.add(item.of_key);
        }
        let target = if touched.len() * FEW < items.len() { few } else { terms };
        for key in touched {
            let halves = glv::split(std::mem::replace(&mut of_keys[*key as usize], Order::ZERO));
            for (half, first) in halves.into_iter().zip([2 * places, 3 * places]) {
                let [low, high] = half.magnitude;
                target.push(first + *key, u128::from(high) << 64 | u128::from(low), half.negative);
            }
        }
        of_g
    }
}

/// Keys fewer than a part `1 / FEW` of the signatures are summed apart from them.
const FEW: usize = 4;

/// `sum over windows of 2^bit * sum over buckets of (i + 1) * bucket i`, and how many times S stands in it.
///
/// The buckets of a window lie in segments of `length`. Per segment, the running sums T (of its buckets, from the last to
/// the first) and A (of all T on the way) give `A + length * number * T`. The factors `number` are taken bit by
/// bit.
fn weigh<M: Machine>(machine: M, starts: &Starts, buckets: &mut Buckets, cut: Cut) -> Option<(Packed, Order)> {
    let segments = segments(buckets.windows, cut);
    let length = cut.buckets() / segments;
    let groups = (buckets.windows * segments).div_ceil(M::Fe::LANES);
    buckets.fill_up(groups * M::Fe::LANES * length);
    let Starts { once, twice } = starts;
    let (plain, weighted) =
        machine.call(RunningSums::<M::Fe> { field: PhantomData, buckets, length, groups, once, twice })?;
    let lists = Lists { windows: buckets.windows, segments };
    let lists_sums = machine.call(SumLists::<M::Fe> {
        field: PhantomData,
        lists,
        plain: &plain,
        weighted: &weighted,
        start: twice,
    })?;
    machine.call(Horner { cut, lists, length, sums: &lists_sums, start: once })
}

/// Segments of a window: many, so that many lanes share an inversion, but at least two buckets in each.
fn segments(windows: usize, cut: Cut) -> usize {
    (LANES_WANTED / windows).next_power_of_two().clamp(2, cut.buckets() / 2)
}

/// Running sums in step.
const LANES_WANTED: usize = 768;

/// Where sums begin: S and 2 S.
struct Starts {
    once: Packed,
    twice: Packed,
}

struct Twice<'a>(&'a Packed);

impl Task for Twice<'_> {
    type Output = Packed;

    #[inline(always)]
    fn run(self) -> Packed {
        let mut sum = Sum::new(*self.0);
        sum.double();
        sum.finish().expect("twice a point is finite")
    }
}

/// Per window, lists of half of its segments each: for each bit, the T of the segments whose number has it; the A
/// of the first half and of the second half.
#[derive(Clone, Copy)]
struct Lists {
    windows: usize,
    /// A power of two.
    segments: usize,
}

impl Lists {
    #[inline(always)]
    fn bits(self) -> usize {
        self.segments.ilog2() as usize
    }

    #[inline(always)]
    fn a_window(self) -> usize {
        self.bits() + 2
    }

    /// Segment `i` of a list of a window.
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
        let count = lists.windows * lists.a_window();
        let groups = count.div_ceil(F::LANES);
        let (x, y) = F::load_points(|_| start);
        let mut sums = vec![Jacobian::from_affine(Affine { x, y }); groups];
        for (group, sum) in sums.iter_mut().enumerate() {
            for i in 0..lists.segments / 2 {
                let (x, y) = F::load_points(|lane| {
                    let list = (group * F::LANES + lane).min(count - 1);
                    let (window, list) = (list / lists.a_window(), list % lists.a_window());
                    let points = if list < lists.bits() { plain } else { weighted };
                    &points[window * lists.segments + lists.segment(list, i)]
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

/// The lists of all windows with their powers of two.
struct Horner<'a> {
    cut: Cut,
    lists: Lists,
    length: usize,
    sums: &'a [Packed],
    start: &'a Packed,
}

/// The sum begins at `2^FIRST * S`: more than the sums that it meets begin with, so that it never equals one where all
/// buckets are empty.
const FIRST: usize = 20;

impl Task for Horner<'_> {
    type Output = Option<(Packed, Order)>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { cut, lists, length, sums, start } = self;
        let half = lists.segments as u64 / 2;
        // How many times S stands in the sum of a list: each A has two and the T on the way, each T has one.
        let (in_plain, in_weighted) = (2 + half, 2 + half * (2 + length as u64));
        let mut sum = Running::new(*start);
        let mut bit = cut.bit(lists.windows - 1) + cut.width + FIRST;
        for window in (0..lists.windows).rev() {
            let at = window * lists.a_window();
            for list in (0..lists.bits()).rev() {
                let next = cut.bit(window) + length.ilog2() as usize + list;
                sum.double(bit - next);
                bit = next;
                sum.add(&sums[at + list], in_plain);
            }
            sum.double(bit - cut.bit(window));
            bit = cut.bit(window);
            sum.add(&sums[at + lists.bits()], in_weighted);
            sum.add(&sums[at + lists.bits() + 1], in_weighted);
        }
        Some((sum.sum.finish()?, sum.starts))
    }
}

/// A sum, and how many times S stands in it.
struct Running {
    sum: Sum,
    starts: Order,
}

impl Running {
    #[inline(always)]
    fn new(start: Packed) -> Self {
        Self { sum: Sum::new(start), starts: Order::ONE }
    }

    #[inline(always)]
    fn double(&mut self, times: usize) {
        for _ in 0..times {
            self.sum.double();
            self.starts = self.starts.add(self.starts);
        }
    }

    #[inline(always)]
    fn add(&mut self, point: &Packed, starts: u64) {
        self.sum.add(point, false);
        self.starts = self.starts.add(Order::reduce([starts, 0, 0, 0]));
    }
}

/// One sum of points.
struct Sum {
    point: Jacobian<Fe1>,
    /// The sum is minus the point.
    turned: bool,
}

impl Sum {
    #[inline(always)]
    fn new(start: Packed) -> Self {
        let (x, y) = Fe1::load_points(|_| &start);
        Self { point: Jacobian::from_affine(Affine { x, y }), turned: false }
    }

    #[inline(always)]
    fn double(&mut self) {
        self.point = self.point.minus_double();
        self.turned = !self.turned;
    }

    #[inline(always)]
    fn add(&mut self, point: &Packed, negative: bool) {
        let (x, y) = Fe1::load_points(|_| point);
        self.point = self.point.add(x, y.twice_neg_where(u64::from(negative ^ self.turned)));
    }

    /// The sum, canonical; `None` if an addition met equal or opposite points.
    #[inline(always)]
    fn finish(self) -> Option<Packed> {
        if self.point.z.is_zero() != 0 {
            return None;
        }
        let Affine { x, y } = self.point.to_affine(self.point.z.invert());
        let mut packed = Packed([0; 8]);
        Fe1::store_points(x, y.neg_where(u64::from(self.turned)), |_, point| packed = point);
        Some(packed)
    }
}

/// The parts and a multiple of G. (That it ends at S if all is 0 is in `of_g`.)
struct Total<'a> {
    generator: &'a Generator,
    parts: &'a [Packed],
    of_g: Order,
}

impl Task for Total<'_> {
    type Output = Option<Packed>;

    #[inline(always)]
    fn run(self) -> Option<Packed> {
        let (first, others) = self.parts.split_first()?;
        let mut sum = Sum::new(*first);
        for other in others {
            sum.add(other, false);
        }
        let mut digits = Digits::zero(generator::WINDOWS, 1);
        Generator::write(&mut digits, 0, self.of_g);
        for window in 0..generator::WINDOWS {
            let picks = digits.picks(window, 0, 1);
            if picks.zero & 1 == 0 {
                sum.add(self.generator.point(window, picks.index(0)), picks.negative & 1 == 1);
            }
        }
        sum.finish()
    }
}

/// `both - left + start`: the sum of the right half with its start. `None` if equal or opposite points met.
pub(super) struct Rest<'a> {
    pub(super) both: &'a Packed,
    pub(super) left: &'a Packed,
    pub(super) start: &'a Packed,
}

impl Task for Rest<'_> {
    type Output = Option<Packed>;

    #[inline(always)]
    fn run(self) -> Option<Packed> {
        let mut sum = Sum::new(*self.both);
        sum.add(self.start, false);
        sum.add(self.left, true);
        sum.finish()
    }
}
