//! Many affine sums in step: every addition of a batch shares one inversion (Montgomery's trick), which makes it 5M + 1S
//! where a Jacobian one is 8M + 3S.

use super::curve::Affine;
use super::machine::{Machine, Task};
use super::power::{InverseChain, multiply_chain};
use crate::field::{Field, Packed};

/// A point to add in each lane.
pub(crate) struct Addend<F> {
    pub(crate) x: F,
    pub(crate) y: F,
    /// Lanes from which the point is taken away. As in all masks of an addend, bits above the lanes mean nothing.
    pub(crate) negative: u64,
    /// Lanes to which nothing is added.
    pub(crate) skip: u64,
}

/// Where addends come from. A trait and not a closure: a closure is not always inlined, and then lacks the target
/// features.
pub(crate) trait Source<F> {
    /// What to add to the sums of a group. Always `#[inline(always)]`.
    fn addend(&self, group: usize) -> Addend<F>;

    /// The addend of this group is wanted soon.
    fn prefetch(&self, group: usize);
}

/// One sum a lane, over several groups of lanes.
pub(crate) struct Sums<M: Machine> {
    machine: M,
    /// The sums.
    pub(crate) points: Vec<Affine<M::Fe>>,
    /// Per group, the lanes whose sum met an addition of equal or opposite points and is worth nothing.
    pub(crate) lost: Vec<u64>,
    dx: Vec<M::Fe>,
    dy: Vec<M::Fe>,
    prefix: Vec<M::Fe>,
    skip: Vec<u64>,
}

impl<M: Machine> Sums<M> {
    /// Sums that all begin at one point.
    pub(crate) fn new(machine: M, start: Packed, groups: usize) -> Self {
        machine.call(Begin { machine, start, groups })
    }

    /// The sums, canonical.
    pub(crate) fn to_packed(&self) -> Vec<Packed> {
        self.machine.call(Pack(self))
    }

    /// Doubles every sum: 5M + 2S.
    pub(crate) fn double(&mut self) {
        self.machine.call(Double(self));
    }

    /// Adds what the source gives to every sum: 5M + 1S.
    pub(crate) fn add(&mut self, source: &impl Source<M::Fe>) {
        self.machine.call(Add(self, source));
    }

    /// Gives up the lanes whose x are equal, so that they do not spoil the others' product.
    #[inline(always)]
    fn lose_equal(&mut self) {
        for (dx, lost) in self.dx.iter_mut().zip(&mut self.lost) {
            let zero = dx.is_zero();
            *lost |= zero;
            *dx = dx.select(M::Fe::splat([1, 0, 0, 0]), zero);
        }
    }
}

struct Begin<M> {
    machine: M,
    start: Packed,
    groups: usize,
}

impl<M: Machine> Task for Begin<M> {
    type Output = Sums<M>;

    #[inline(always)]
    fn run(self) -> Sums<M> {
        let Self { machine, start, groups } = self;
        let (x, y) = M::Fe::load_points(|_| &start);
        let scratch = vec![x; groups];
        Sums {
            machine,
            points: vec![Affine { x, y }; groups],
            lost: vec![0; groups],
            dx: scratch.clone(),
            dy: scratch.clone(),
            prefix: scratch,
            skip: vec![0; groups],
        }
    }
}

struct Pack<'a, M: Machine>(&'a Sums<M>);

impl<M: Machine> Task for Pack<'_, M> {
    type Output = Vec<Packed>;

    #[inline(always)]
    fn run(self) -> Vec<Packed> {
        let points = &self.0.points;
        let mut packed = vec![Packed([0; 8]); points.len() * M::Fe::LANES];
        for (group, point) in points.iter().enumerate() {
            M::Fe::store_points(point.x, point.y, |lane, point| packed[group * M::Fe::LANES + lane] = point);
        }
        packed
    }
}

struct Double<'a, M: Machine>(&'a mut Sums<M>);

impl<M: Machine> Task for Double<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let sums = self.0;
        for (dx, point) in sums.dx.iter_mut().zip(&sums.points) {
            *dx = point.y.twice();
        }
        let mut chain = InverseChain::new(multiply_chain(&sums.dx, &mut sums.prefix));
        for group in (0..sums.points.len()).rev() {
            let inverse = chain.next(sums.dx[group], sums.prefix[group]);
            sums.points[group] = sums.points[group].double(inverse);
        }
    }
}

struct Add<'a, M: Machine, S>(&'a mut Sums<M>, &'a S);

impl<M: Machine, S: Source<M::Fe>> Task for Add<'_, M, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (sums, source) = (self.0, self.1);
        let one = M::Fe::splat([1, 0, 0, 0]);
        source.prefetch(0);
        for group in 0..sums.points.len() {
            if group + 1 < sums.points.len() {
                source.prefetch(group + 1);
            }
            let Addend { x, y, negative, skip } = source.addend(group);
            let point = &sums.points[group];
            sums.dx[group] = x.sub(point.x).select(one, skip);
            sums.dy[group] = y.neg_where(negative).sub(point.y);
            sums.skip[group] = skip;
        }
        let mut product = multiply_chain(&sums.dx, &mut sums.prefix);
        if product.is_zero() != 0 {
            sums.lose_equal();
            product = multiply_chain(&sums.dx, &mut sums.prefix);
        }
        let mut chain = InverseChain::new(product);
        for group in (0..sums.points.len()).rev() {
            let dx = sums.dx[group];
            let inverse = chain.next(dx, sums.prefix[group]);
            let point = sums.points[group];
            sums.points[group] = point.add(dx, sums.dy[group], inverse).select(point, sums.skip[group]);
        }
    }
}
