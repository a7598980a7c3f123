//! Which item of a block is bad, if only one is.
//!
//! With E_i for the wrong point of equation i, a block whose one bad item stands at place j has the sum E_j, and with
//! weights by place the sum `j E_j`. If several are bad, the second sum is a multiple of the first by a place only with
//! probability 2^-128 for each place: `sum of (i - j) E_i` would have to be 0.

use super::accumulate::add_any;
use crate::field::scalar::Fe1;
use crate::field::{Field, Packed};
use crate::secp::curve::Affine;
use crate::secp::machine::{Machine, Task};
use crate::secp::table::multiples;
use std::marker::PhantomData;

/// The sums of a block, plus the start: of its equations, and of those with weights by place.
#[derive(Clone, Copy)]
pub(super) struct BadSums {
    pub(super) once: Packed,
    pub(super) weighted: Packed,
}

/// The place of the only bad item of each block of at most so many items; `None` if it has more.
pub(super) fn places<M: Machine>(machine: M, start: &Packed, sums: &[BadSums], items: usize) -> Vec<Option<usize>> {
    if sums.is_empty() {
        return Vec::new();
    }
    let count = items.next_power_of_two();
    let errors: Vec<_> = sums.iter().map(|sums| machine.call(Errors { sums, start })).collect();
    // Lanes of blocks that have more are filled with any point.
    let once: Vec<Packed> = errors.iter().map(|errors| errors.as_ref().map_or(*start, |[once, _]| *once)).collect();
    let groups = machine.call(Load::<M::Fe>(&once, PhantomData));
    let mut table = vec![Packed([0; 8]); groups.len() * M::Fe::LANES * count];
    multiples(machine, &groups, count, &mut table);
    let place = |(errors, multiples): (&Option<[Packed; 2]>, &[Packed])| {
        let [_, weighted] = errors.as_ref()?;
        multiples.iter().position(|multiple| multiple == weighted)
    };
    errors.iter().zip(table.chunks(count)).map(place).collect()
}

/// The sums without the start; `None` if one of them is the point at infinity.
struct Errors<'a> {
    sums: &'a BadSums,
    start: &'a Packed,
}

impl Task for Errors<'_> {
    type Output = Option<[Packed; 2]>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { sums: BadSums { once, weighted }, start } = self;
        let (x, y) = Fe1::load_points(|_| start);
        let minus_start = Affine { x, y: y.neg() };
        let mut errors = [*once, *weighted];
        for error in &mut errors {
            let (x, y) = Fe1::load_points(|_| &*error);
            let Affine { x, y } = add_any(Affine { x, y }, minus_start)?;
            Fe1::store_points(x, y, |_, point| *error = point);
        }
        Some(errors)
    }
}

/// Points in lanes, the last ones several times.
struct Load<'a, F>(&'a [Packed], PhantomData<F>);

impl<F: Field> Task for Load<'_, F> {
    type Output = Vec<Affine<F>>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let last = self.0.len() - 1;
        let mut groups = Vec::with_capacity(self.0.len().div_ceil(F::LANES));
        for first in (0..self.0.len()).step_by(F::LANES) {
            let (x, y) = F::load_points(|lane| &self.0[(first + lane).min(last)]);
            groups.push(Affine { x, y });
        }
        groups
    }
}
