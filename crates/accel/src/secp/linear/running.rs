//! Running sums over the buckets, many segments of them in step.

use super::buckets::Buckets;
use crate::field::{Field, Packed};
use crate::secp::curve::Affine;
use crate::secp::machine::Task;
use crate::secp::power::InverseChain;
use std::marker::PhantomData;

/// For segments of `length` buckets, one a lane: T, the sum of its buckets and S, and A, the sum of all T on the way from
/// the last bucket to the first and `2 S`. `None` if equal or opposite points met.
pub(super) struct RunningSums<'a, F> {
    pub(super) field: PhantomData<F>,
    pub(super) buckets: &'a Buckets,
    pub(super) length: usize,
    /// Groups of lanes.
    pub(super) groups: usize,
    /// S
    pub(super) once: &'a Packed,
    /// 2 S
    pub(super) twice: &'a Packed,
}

impl<F: Field> Task for RunningSums<'_, F> {
    type Output = Option<(Vec<Packed>, Vec<Packed>)>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { buckets, length, groups, once, twice, .. } = self;
        let one = F::splat([1, 0, 0, 0]);
        let (x, y) = F::load_points(|_| once);
        let (x2, y2) = F::load_points(|_| twice);
        let mut lanes =
            Lanes { t: vec![Sum::new(Affine { x, y }); groups], a: vec![Sum::new(Affine { x: x2, y: y2 }); groups] };
        // A runs a step behind T, so that both share an inversion.
        for step in 0..=length {
            let mut product = one;
            for group in 0..groups {
                let (t, a) = (&mut lanes.t[group], &mut lanes.a[group]);
                let now = t.point;
                if step < length {
                    let (point, skip) = bucket::<F>(buckets, group, length, length - 1 - step);
                    product = t.begin(point, skip, product);
                }
                if step > 0 {
                    product = a.begin(now, 0, product);
                }
            }
            if product.is_zero() != 0 {
                return None;
            }
            let mut chain = InverseChain::new(product);
            for group in (0..groups).rev() {
                if step > 0 {
                    lanes.a[group].end(&mut chain);
                }
                if step < length {
                    lanes.t[group].end(&mut chain);
                }
            }
        }
        Some((pack(&lanes.t), pack(&lanes.a)))
    }
}

/// T and A of all groups.
struct Lanes<F> {
    t: Vec<Sum<F>>,
    a: Vec<Sum<F>>,
}

/// A sum in each lane, and an addition that has begun.
#[derive(Clone, Copy)]
struct Sum<F> {
    point: Affine<F>,
    dx: F,
    dy: F,
    prefix: F,
    skip: u64,
}

impl<F: Field> Sum<F> {
    #[inline(always)]
    fn new(point: Affine<F>) -> Self {
        Self { point, dx: point.x, dy: point.x, prefix: point.x, skip: 0 }
    }

    /// Returns the product of the denominators, to which its own is added.
    #[inline(always)]
    fn begin(&mut self, point: Affine<F>, skip: u64, product: F) -> F {
        self.dx = point.x.sub(self.point.x).select(F::splat([1, 0, 0, 0]), skip);
        self.dy = point.y.sub(self.point.y);
        self.skip = skip;
        self.prefix = product;
        product.mul(self.dx)
    }

    #[inline(always)]
    fn end(&mut self, chain: &mut InverseChain<F>) {
        let inverse = chain.next(self.dx, self.prefix);
        self.point = self.point.add(self.dx, self.dy, inverse).select(self.point, self.skip);
    }
}

/// Bucket `at` of every segment of a group, and the lanes where it is empty.
#[inline(always)]
fn bucket<F: Field>(buckets: &Buckets, group: usize, length: usize, at: usize) -> (Affine<F>, u64) {
    let first = group * F::LANES * length + at;
    let (x, y) = F::load_points(|lane| &buckets.sums[first + lane * length]);
    let mut empty = 0;
    for lane in 0..F::LANES {
        empty |= u64::from(!buckets.occupied[first + lane * length]) << lane;
    }
    (Affine { x, y }, empty)
}

#[inline(always)]
fn pack<F: Field>(sums: &[Sum<F>]) -> Vec<Packed> {
    let mut packed = vec![Packed([0; 8]); sums.len() * F::LANES];
    for (group, Sum { point, .. }) in sums.iter().enumerate() {
        F::store_points(point.x, point.y, |lane, point| packed[group * F::LANES + lane] = point);
    }
    packed
}
