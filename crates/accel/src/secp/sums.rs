//! Many affine sums in step: every addition of a batch shares one inversion (Montgomery's trick), which makes it 5M + 1S
//! where a Jacobian one is 8M + 3S.
//!
//! An operation has two passes over the sums: one multiplies the denominators of all slopes, the other walks back with
//! the inverse of their product. The second pass of an operation is done together with the first of the next, so that
//! each sum is fetched from memory once an operation and the products of the two passes fill each other's waiting times.

use super::curve::Affine;
use super::machine::{Machine, Task};
use super::power::InverseChain;
use crate::field::{Field, Packed};

/// A point to add in each lane. Bits of the masks above the lanes mean nothing.
pub(crate) struct Addend<F> {
    pub(crate) x: F,
    pub(crate) y: F,
    /// Lanes from which the point is taken away.
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

/// Sums that are doubled and added to in step, one a lane.
pub(crate) trait Accumulator<M: Machine> {
    /// Sums that all begin at one point.
    fn new(machine: M, start: &Packed, groups: usize) -> Self;

    /// Doubles every sum.
    fn double(&mut self);

    /// Adds what the source gives to every sum.
    fn add(&mut self, source: &impl Source<M::Fe>);

    /// The sums.
    fn finish(self) -> Finished;
}

/// Sums at their end.
pub(crate) struct Finished {
    /// Canonical, one a lane.
    pub(crate) points: Vec<Packed>,
    /// Per group, the lanes whose sum met an addition of equal or opposite points: their points are worth nothing.
    pub(crate) lost: Vec<u64>,
    /// Those of them whose sum is the point at infinity for certain. Whoever makes a signature can bring it about, so that
    /// it must not cost more than another end.
    pub(crate) infinite: Vec<u64>,
}

/// What became of one sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The point stands in [`Finished::points`].
    Point,
    /// It is the point at infinity.
    Infinity,
    /// Nobody knows.
    Lost,
}

impl Finished {
    /// What became of the sum at this place, in groups of so many lanes.
    pub(crate) fn end(&self, place: usize, lanes: usize) -> End {
        let has = |masks: &[u64]| masks[place / lanes] >> (place % lanes) & 1 == 1;
        match (has(&self.infinite), has(&self.lost)) {
            (true, _) => End::Infinity,
            (false, true) => End::Lost,
            (false, false) => End::Point,
        }
    }
}

/// One sum a lane, over several groups of lanes; for batches that are large enough to share inversions.
pub(crate) struct Sums<M: Machine> {
    machine: M,
    points: Vec<Affine<M::Fe>>,
    /// See [`Finished`].
    lost: Vec<u64>,
    infinite: Vec<u64>,
    /// The operation whose first pass is done: one of the constants below.
    open: u8,
    /// Whether the last pass went from the first group to the last.
    forward: bool,
    /// Of the denominators of the open operation.
    product: M::Fe,
    /// Product of the denominators that the last pass met before a group's.
    prefix: Vec<M::Fe>,
    /// For an addition: the differences of the coordinates, and where nothing is added.
    dx: Vec<M::Fe>,
    dy: Vec<M::Fe>,
    skip: Vec<u64>,
}

const NOTHING: u8 = 0;
const DOUBLING: u8 = 1;
const ADDITION: u8 = 2;

impl<M: Machine> Accumulator<M> for Sums<M> {
    fn new(machine: M, start: &Packed, groups: usize) -> Self {
        machine.call(Begin { machine, start, groups })
    }

    /// 5M + 2S.
    fn double(&mut self) {
        self.next(&Doubling, DOUBLING);
    }

    /// 5M + 1S.
    fn add(&mut self, source: &impl Source<M::Fe>) {
        self.next(&Addition(source), ADDITION);
        if self.machine.call(IsZero::<M>(self.product)) {
            self.machine.call(LoseEqual(self));
        }
    }

    fn finish(mut self) -> Finished {
        self.next(&Close, NOTHING);
        Finished { points: self.machine.call(Pack(&self)), lost: self.lost, infinite: self.infinite }
    }
}

impl<M: Machine> Sums<M> {
    fn next(&mut self, operation: &impl Operation<M>, open: u8) {
        let machine = self.machine;
        match self.open {
            NOTHING => machine.call(Pass::<_, _, NOTHING>(self, operation)),
            DOUBLING => machine.call(Pass::<_, _, DOUBLING>(self, operation)),
            _ => machine.call(Pass::<_, _, ADDITION>(self, operation)),
        }
        self.open = open;
    }

    /// Group `step` of a pass.
    #[inline(always)]
    fn group(&self, step: usize, forward: bool) -> usize {
        if forward { step } else { self.points.len() - 1 - step }
    }
}

/// The first pass of an operation.
trait Operation<M: Machine> {
    /// False for the end.
    const BEGINS: bool;

    /// The denominator of the slopes of a group. Always `#[inline(always)]`.
    fn denominator(&self, sums: &mut Sums<M>, group: usize, point: &Affine<M::Fe>) -> M::Fe;

    /// The group comes next.
    #[inline(always)]
    fn prefetch(&self, _group: usize) {}
}

struct Doubling;

impl<M: Machine> Operation<M> for Doubling {
    const BEGINS: bool = true;

    #[inline(always)]
    fn denominator(&self, _: &mut Sums<M>, _: usize, point: &Affine<M::Fe>) -> M::Fe {
        point.y.twice()
    }
}

struct Addition<'a, S>(&'a S);

impl<M: Machine, S: Source<M::Fe>> Operation<M> for Addition<'_, S> {
    const BEGINS: bool = true;

    #[inline(always)]
    fn denominator(&self, sums: &mut Sums<M>, group: usize, point: &Affine<M::Fe>) -> M::Fe {
        let Addend { x, y, negative, skip } = self.0.addend(group);
        let dx = x.sub(point.x).select(M::Fe::splat([1, 0, 0, 0]), skip);
        sums.dx[group] = dx;
        sums.dy[group] = y.neg_where(negative).sub(point.y);
        sums.skip[group] = skip;
        // Infinity and a point make a point, which nobody knows here.
        sums.infinite[group] &= skip;
        dx
    }

    #[inline(always)]
    fn prefetch(&self, group: usize) {
        self.0.prefetch(group);
    }
}

struct Close;

impl<M: Machine> Operation<M> for Close {
    const BEGINS: bool = false;

    #[inline(always)]
    fn denominator(&self, sums: &mut Sums<M>, _: usize, _: &Affine<M::Fe>) -> M::Fe {
        sums.product
    }
}

/// The second pass of the operation `OPEN` and the first of another.
struct Pass<'a, M: Machine, O, const OPEN: u8>(&'a mut Sums<M>, &'a O);

impl<M: Machine, O: Operation<M>, const OPEN: u8> Task for Pass<'_, M, O, OPEN> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (sums, operation) = (self.0, self.1);
        let forward = !sums.forward;
        let groups = sums.points.len();
        let mut product = M::Fe::splat([1, 0, 0, 0]);
        let mut chain = InverseChain::new(if OPEN == NOTHING { product } else { sums.product });
        operation.prefetch(sums.group(0, forward));
        for step in 0..groups {
            if step + 1 < groups {
                operation.prefetch(sums.group(step + 1, forward));
            }
            let group = sums.group(step, forward);
            let mut point = sums.points[group];
            if OPEN == DOUBLING {
                let inverse = chain.next(point.y.twice(), sums.prefix[group]);
                point = point.double(inverse);
                sums.points[group] = point;
            }
            if OPEN == ADDITION {
                let dx = sums.dx[group];
                let inverse = chain.next(dx, sums.prefix[group]);
                point = point.add(dx, sums.dy[group], inverse).select(point, sums.skip[group]);
                sums.points[group] = point;
            }
            if O::BEGINS {
                let denominator = operation.denominator(sums, group, &point);
                sums.prefix[group] = product;
                product = product.mul(denominator);
            }
        }
        sums.product = product;
        sums.forward = forward;
    }
}

struct IsZero<M: Machine>(M::Fe);

impl<M: Machine> Task for IsZero<M> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        self.0.is_zero() != 0
    }
}

/// Gives up the lanes whose x are equal, so that they do not spoil the others' product.
struct LoseEqual<'a, M: Machine>(&'a mut Sums<M>);

impl<M: Machine> Task for LoseEqual<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let sums = self.0;
        let one = M::Fe::splat([1, 0, 0, 0]);
        sums.product = one;
        for step in 0..sums.points.len() {
            let group = sums.group(step, sums.forward);
            let equal = sums.dx[group].is_zero();
            sums.infinite[group] |= equal & !sums.dy[group].is_zero() & !sums.lost[group];
            sums.lost[group] |= equal;
            sums.dx[group] = sums.dx[group].select(one, equal);
            sums.prefix[group] = sums.product;
            sums.product = sums.product.mul(sums.dx[group]);
        }
    }
}

struct Begin<'a, M> {
    machine: M,
    start: &'a Packed,
    groups: usize,
}

impl<M: Machine> Task for Begin<'_, M> {
    type Output = Sums<M>;

    #[inline(always)]
    fn run(self) -> Sums<M> {
        let Self { machine, start, groups } = self;
        let (x, y) = M::Fe::load_points(|_| start);
        let scratch = vec![x; groups];
        Sums {
            machine,
            points: vec![Affine { x, y }; groups],
            lost: vec![0; groups],
            infinite: vec![0; groups],
            open: NOTHING,
            forward: false,
            product: x,
            prefix: scratch.clone(),
            dx: scratch.clone(),
            dy: scratch,
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
