//! Sums of small batches: in Jacobian points, so that no step needs an inversion.

use super::curve::{Affine, Jacobian};
use super::machine::{Machine, Task};
use super::power::invert_all;
use super::sums::{Accumulator, Addend, Finished, Source};
use crate::field::{Field, Packed};
use std::marker::PhantomData;

/// One sum a lane, over several groups of lanes.
pub(crate) struct FewSums<M: Machine> {
    machine: M,
    points: Vec<Jacobian<M::Fe>>,
    /// The points are minus the sums: every doubling turns the sign.
    turned: bool,
}

impl<M: Machine> Accumulator<M> for FewSums<M> {
    fn new(machine: M, start: &Packed, groups: usize) -> Self {
        Self { machine, points: machine.call(Starts(start, groups, PhantomData)), turned: false }
    }

    fn double(&mut self) {
        self.machine.call(MinusDouble(&mut self.points));
        self.turned = !self.turned;
    }

    fn add(&mut self, source: &impl Source<M::Fe>) {
        self.machine.call(Add { points: &mut self.points, source, turned: self.turned });
    }

    fn finish(self) -> Finished {
        self.machine.call(Finish { points: &self.points, turned: self.turned })
    }
}

struct Starts<'a, F>(&'a Packed, usize, PhantomData<F>);

impl<F: Field> Task for Starts<'_, F> {
    type Output = Vec<Jacobian<F>>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let (x, y) = F::load_points(|_| self.0);
        vec![Jacobian::from_affine(Affine { x, y }); self.1]
    }
}

struct MinusDouble<'a, F>(&'a mut [Jacobian<F>]);

impl<F: Field> Task for MinusDouble<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for point in self.0 {
            *point = point.minus_double();
        }
    }
}

struct Add<'a, F, S> {
    points: &'a mut [Jacobian<F>],
    source: &'a S,
    turned: bool,
}

impl<F: Field, S: Source<F>> Task for Add<'_, F, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { points, source, turned } = self;
        for (group, point) in points.iter_mut().enumerate() {
            let Addend { x, y, negative, skip } = source.addend(group);
            let negative = if turned { !negative } else { negative };
            *point = point.add(x, y.twice_neg_where(negative)).select(*point, skip);
        }
    }
}

/// Affine points from one inversion. Z = 0: the lane is lost, or at infinity; see [`Jacobian`].
struct Finish<'a, F> {
    points: &'a [Jacobian<F>],
    turned: bool,
}

impl<F: Field> Task for Finish<'_, F> {
    type Output = Finished;

    #[inline(always)]
    fn run(self) -> Finished {
        let Self { points, turned } = self;
        let mut inverses = Vec::with_capacity(points.len());
        let (mut lost, mut infinite) = (Vec::with_capacity(points.len()), Vec::with_capacity(points.len()));
        for point in points {
            let zero = point.z.is_zero();
            inverses.push(point.z.select(F::splat([1, 0, 0, 0]), zero));
            lost.push(zero);
            infinite.push(zero & !point.x.is_zero());
        }
        let mut prefix = inverses.clone();
        invert_all(&mut inverses, &mut prefix);
        let mut packed = vec![Packed([0; 8]); points.len() * F::LANES];
        for (group, point) in points.iter().enumerate() {
            let Affine { x, y } = point.to_affine(inverses[group]);
            let y = if turned { y.neg() } else { y };
            F::store_points(x, y, |lane, point| packed[group * F::LANES + lane] = point);
        }
        Finished { points: packed, lost, infinite }
    }
}
