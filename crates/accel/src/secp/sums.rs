//! Many affine sums in step: every addition of a batch shares one inversion (Montgomery's trick), which makes it 5M + 1S
//! where a Jacobian one is 8M + 3S.

use super::curve::Affine;
use super::power::{InverseChain, multiply_chain};
use crate::field::Field;

/// A point to add in each lane.
pub(crate) struct Addend<F> {
    pub(crate) x: F,
    pub(crate) y: F,
    /// Lanes to which nothing is added.
    pub(crate) skip: u64,
}

/// Where addends come from. A trait and not a closure: a closure is not always inlined, and then lacks the target
/// features.
pub(crate) trait Source<F> {
    /// What to add to the sums of a group.
    fn addend(&self, group: usize) -> Addend<F>;
}

/// One sum a lane, over several groups of lanes.
pub(crate) struct Sums<F> {
    /// The sums.
    pub(crate) points: Vec<Affine<F>>,
    /// Per group, the lanes whose sum met an addition of equal or opposite points and is worth nothing.
    pub(crate) lost: Vec<u64>,
    dx: Vec<F>,
    dy: Vec<F>,
    prefix: Vec<F>,
    skip: Vec<u64>,
}

impl<F: Field> Sums<F> {
    /// All beginning at one point.
    #[inline(always)]
    pub(crate) fn new(groups: usize, [x, y]: [[u64; 4]; 2]) -> Self {
        let one = F::splat([1, 0, 0, 0]);
        Self {
            points: vec![Affine { x: F::splat(x), y: F::splat(y) }; groups],
            lost: vec![0; groups],
            dx: vec![one; groups],
            dy: vec![one; groups],
            prefix: vec![one; groups],
            skip: vec![0; groups],
        }
    }

    /// Doubles every sum: 5M + 2S.
    #[inline(always)]
    pub(crate) fn double(&mut self) {
        for (dx, point) in self.dx.iter_mut().zip(&self.points) {
            *dx = point.y.twice();
        }
        let mut chain = InverseChain::new(multiply_chain(&self.dx, &mut self.prefix));
        for group in (0..self.points.len()).rev() {
            let inverse = chain.next(self.dx[group], self.prefix[group]);
            self.points[group] = self.points[group].double(inverse);
        }
    }

    /// Adds what the source gives to every sum: 5M + 1S.
    #[inline(always)]
    pub(crate) fn add(&mut self, source: &impl Source<F>) {
        let one = F::splat([1, 0, 0, 0]);
        for group in 0..self.points.len() {
            let Addend { x, y, skip } = source.addend(group);
            let point = &self.points[group];
            self.dx[group] = x.sub(point.x).select(one, skip);
            self.dy[group] = y.sub(point.y);
            self.skip[group] = skip;
        }
        let mut product = multiply_chain(&self.dx, &mut self.prefix);
        if product.is_zero() != 0 {
            self.lose_equal();
            product = multiply_chain(&self.dx, &mut self.prefix);
        }
        let mut chain = InverseChain::new(product);
        for group in (0..self.points.len()).rev() {
            let dx = self.dx[group];
            let inverse = chain.next(dx, self.prefix[group]);
            let point = self.points[group];
            self.points[group] = point.add(dx, self.dy[group], inverse).select(point, self.skip[group]);
        }
    }

    /// Gives up the lanes whose x are equal, so that they do not spoil the others' product.
    #[inline(never)]
    fn lose_equal(&mut self) {
        for (dx, lost) in self.dx.iter_mut().zip(&mut self.lost) {
            let zero = dx.is_zero();
            *lost |= zero;
            *dx = dx.select(F::splat([1, 0, 0, 0]), zero);
        }
    }
}
