//! The sums of blocks of equations of a batch, by Pippenger's method.
//!
//! All sums begin at known multiples of the generator's secret start S, whose effect is taken out of the factor of G, so
//! that nobody can choose points that meet equal or opposite ones there (and empty buckets need no care).

use super::Items;
use super::batch::{Batch, Item};
use super::buckets::{Bucketing, Cut, Terms};
use super::weigh::{Starts, weigh};
use crate::field::{Field, Packed};
use crate::secp::few::FewSums;
use crate::secp::generator::{self, Generator, OfG};
use crate::secp::glv;
use crate::secp::machine::{Machine, Narrow, Task};
use crate::secp::order::Order;
use crate::secp::sums::{Accumulator, Addend, End, Source};
use crate::secp::table::Digits;

/// Sums equations. Its memory is used again and again.
#[derive(Default)]
pub(super) struct Summing {
    /// Points with short factors; also those with long ones, if they are many.
    terms: Terms,
    /// Points with long factors, if they are few.
    few: Terms,
    /// Per key, its factor in the block at work; all 0 between the blocks.
    of_keys: Vec<Order>,
    /// The keys of each block, and their factors.
    keys: Vec<(u32, Order)>,
    /// Where the keys of each block end.
    key_ends: Vec<usize>,
    bucketing: Bucketing,
}

/// So many blocks and more have a lane each; fewer are finished one by one, as a chain in lanes takes longer.
const LANES_MIN: usize = 4;

impl Summing {
    /// The sum of each block of equations, plus the start S: it is S if all hold. With [`Weights::Place`], each equation
    /// counts as often as its place in its block says, from 1. `None` if equal or opposite points met: for a block, or
    /// too many for all.
    pub(super) fn sums<M: Machine>(
        &mut self,
        machine: M,
        generator: &Generator,
        batch: &Batch,
        blocks: &[Items],
        weights: Weights,
    ) -> Vec<Option<Packed>> {
        let of_g = machine.call(Collect { batch, blocks, weights, summing: &mut *self });
        let sums = if blocks.len() < LANES_MIN {
            self.finish(machine, Narrow(machine), generator, batch, &of_g)
        } else {
            self.finish(machine, machine, generator, batch, &of_g)
        };
        sums.unwrap_or_else(|| vec![None; blocks.len()])
    }

    /// The sums of what is listed; `finisher` does what is one chain a block.
    fn finish<M: Machine, N: Machine>(
        &mut self,
        machine: M,
        finisher: N,
        generator: &Generator,
        batch: &Batch,
        of_g: &[Order],
    ) -> Option<Vec<Option<Packed>>> {
        let blocks = of_g.len();
        let starts = Starts::new(machine, generator);
        let mut total: Option<FewSums<N>> = None;
        let mut parts = Vec::with_capacity(2);
        let mut multiple = Order::ONE.neg();
        for terms in [&mut self.few, &mut self.terms].into_iter().filter(|terms| !terms.is_empty()) {
            let cut = Cut::best(terms.short() / blocks, terms.long() / blocks);
            let buckets = self.bucketing.run(machine, &batch.points, terms, cut)?;
            let weighed = weigh(machine, &starts, buckets, cut)?;
            let (sum, starts) = weighed.total(finisher, &starts);
            multiple = multiple.add(starts);
            parts.extend(total.replace(sum).map(FewSums::finish));
        }
        let mut total = total?;
        parts.iter().for_each(|part| total.add(&Points(&part.points)));
        let surplus = multiple.mul(generator.start);
        let mut digits = Digits::zero(generator::WINDOWS, blocks);
        for (block, of_g) in of_g.iter().enumerate() {
            Generator::write(&mut digits, block, of_g.add(surplus.neg()));
        }
        for window in 0..generator::WINDOWS {
            total.add(&OfG { generator, digits: &digits, window });
        }
        parts.push(total.finish());
        let lost = |block| parts.iter().any(|part| part.end(block, N::Fe::LANES) != End::Point);
        let sum = |block| parts.last().map(|total| total.points[block]).filter(|_| !lost(block));
        Some((0..blocks).map(sum).collect())
    }
}

/// How often the equations of a block count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Weights {
    /// Once.
    One,
    /// As their place in the block says: once, twice and so on.
    Place,
}

impl Weights {
    /// Largest block with weights by place: a weight is below 2^9.
    pub(super) const PLACES_MAX: usize = 256;
}

/// How often the equation at a place of a block counts with [`Weights::Place`].
#[inline(always)]
fn weight(place: usize) -> u64 {
    place as u64 + 1
}

/// One point a lane.
struct Points<'a>(&'a [Packed]);

impl<F: Field> Source<F> for Points<'_> {
    #[inline(always)]
    fn addend(&self, group: usize) -> Addend<F> {
        let (x, y) = F::load_points(|lane| &self.0[group * F::LANES + lane]);
        Addend { x, y, negative: 0, skip: 0 }
    }

    #[inline(always)]
    fn prefetch(&self, _group: usize) {}
}

/// Lists the points and factors of blocks of equations; returns the factor of G of each.
struct Collect<'a> {
    batch: &'a Batch,
    blocks: &'a [Items],
    weights: Weights,
    summing: &'a mut Summing,
}

impl Task for Collect<'_> {
    type Output = Vec<Order>;

    #[inline(always)]
    fn run(self) -> Vec<Order> {
        let Self { batch, blocks, weights, summing: Summing { terms, few, of_keys, keys, key_ends, .. } } = self;
        terms.clear();
        few.clear();
        keys.clear();
        key_ends.clear();
        of_keys.resize(of_keys.len().max(batch.places), Order::ZERO);
        let places = batch.places as u32;
        let mut of_g = Vec::with_capacity(blocks.len());
        for block in blocks {
            let first_key = keys.len();
            let mut sum = Order::ZERO;
            for (place, item) in batch.items[block.clone()].iter().enumerate() {
                let mut factors = [item.of_g, item.of_key];
                match weights {
                    Weights::One => push_halves(terms, item, places, 1),
                    Weights::Place => {
                        let weight = Order::reduce([weight(place), 0, 0, 0]);
                        factors = factors.map(|factor| factor.mul(weight));
                    }
                }
                sum = sum.add(factors[0]);
                let of_key = &mut of_keys[item.key as usize];
                if of_key.is_zero() {
                    keys.push((item.key, Order::ZERO));
                }
                *of_key = of_key.add(factors[1]);
            }
            // A key may be listed twice, if its sum was 0 in between: then the second factor is 0.
            for (key, of_key) in &mut keys[first_key..] {
                *of_key = std::mem::replace(&mut of_keys[*key as usize], Order::ZERO);
            }
            of_g.push(sum);
            key_ends.push(keys.len());
            terms.end_short();
            few.end_short();
        }
        let items: usize = blocks.iter().map(Items::len).sum();
        let keys_apart = keys.len() * FEW < items;
        let mut first = 0;
        for (block, end) in blocks.iter().zip(key_ends) {
            if weights == Weights::Place {
                // These factors do not stay short.
                for (place, item) in batch.items[block.clone()].iter().enumerate() {
                    push_halves(terms, item, places, weight(place));
                }
            }
            let target = if keys_apart { &mut *few } else { &mut *terms };
            for (key, of_key) in &keys[first..*end] {
                for (half, first) in glv::split(*of_key).into_iter().zip([2 * places, 3 * places]) {
                    let [low, high] = half.magnitude;
                    target.push(first + *key, u128::from(high) << 64 | u128::from(low), half.negative);
                }
            }
            first = *end;
            terms.end_long();
            few.end_long();
        }
        of_g
    }
}

/// R and its image.
#[inline(always)]
fn push_halves(terms: &mut Terms, item: &Item, places: u32, weight: u64) {
    for (place, half) in [item.place, item.place + places].into_iter().zip(item.halves) {
        terms.push(place, u128::from(half.unsigned_abs()) * u128::from(weight), half < 0);
    }
}

/// Keys fewer than a part `1 / FEW` of the signatures are summed apart from them.
const FEW: usize = 4;
