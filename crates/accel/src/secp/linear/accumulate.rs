//! The sums of buckets, many in step, one a lane: an addition costs 5M + 1S.

use super::buckets::Buckets;
use super::sort::Step;
use crate::field::scalar::Fe1;
use crate::field::{Field, Packed};
use crate::secp::curve::Affine;
use crate::secp::machine::Task;
use crate::secp::power::{InverseChain, multiply_chain};

/// A point that the step could not add to its bucket.
pub(super) struct Late {
    pub(super) bucket: usize,
    /// As in [`Terms`].
    pub(super) point: u32,
}

/// Memory of [`Accumulate`], a group of lanes each.
pub(super) struct Scratch<F> {
    sums: Vec<Affine<F>>,
    dx: Vec<F>,
    dy: Vec<F>,
    prefix: Vec<F>,
    /// Lanes to which nothing is added.
    skip: Vec<u64>,
}

impl<F> Default for Scratch<F> {
    fn default() -> Self {
        Self { sums: vec![], dx: vec![], dy: vec![], prefix: vec![], skip: vec![] }
    }
}

/// Sums up the buckets of a chunk.
pub(super) struct Accumulate<'a, F> {
    pub(super) points: &'a [Packed],
    pub(super) sorted: &'a [u32],
    pub(super) steps: &'a [Step],
    /// Which bucket a rank is; all that get a point.
    pub(super) ranked: &'a [u32],
    pub(super) sums: &'a mut [Packed],
    pub(super) scratch: &'a mut Scratch<F>,
    pub(super) late: &'a mut Vec<Late>,
}

impl<F: Field> Task for Accumulate<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { points, sorted, steps, ranked, sums, scratch, late } = self;
        let Some((first, steps)) = steps.split_first() else { return };
        let zero = F::splat([0; 4]);
        let groups = ranked.len().div_ceil(F::LANES);
        scratch.sums.resize(groups, Affine { x: zero, y: zero });
        scratch.dx.resize(groups, zero);
        scratch.dy.resize(groups, zero);
        scratch.prefix.resize(groups, zero);
        scratch.skip.resize(groups, 0);
        for (group, sum) in scratch.sums.iter_mut().enumerate() {
            *sum = gather::<F>(points, &sorted[first.start + group * F::LANES..][..F::LANES]);
        }
        for Step { start, buckets } in steps {
            let before = late.len();
            add_step(points, &sorted[*start..], *buckets, scratch, late);
            late[before..].iter_mut().for_each(|late| late.bucket = ranked[late.bucket] as usize);
        }
        for (group, sum) in scratch.sums.iter().enumerate() {
            let first = group * F::LANES;
            F::store_points(sum.x, sum.y, |lane, point| {
                if let Some(bucket) = ranked.get(first + lane) {
                    sums[*bucket as usize] = point;
                }
            });
        }
    }
}

/// Adds a point to each of the first sums, but where points are equal or opposite: those become late (with their rank for
/// the bucket).
#[inline(always)]
fn add_step<F: Field>(
    points: &[Packed],
    sorted: &[u32],
    buckets: usize,
    scratch: &mut Scratch<F>,
    late: &mut Vec<Late>,
) {
    let groups = buckets.div_ceil(F::LANES);
    let one = F::splat([1, 0, 0, 0]);
    let Scratch { sums, dx, dy, prefix, skip } = scratch;
    let (sums, skip) = (&mut sums[..groups], &mut skip[..groups]);
    let (dx, dy, prefix) = (&mut dx[..groups], &mut dy[..groups], &mut prefix[..groups]);
    let sorted = &sorted[..groups * F::LANES];
    let mut product = one;
    for group in 0..groups {
        prefetch(points, sorted, (group + 2) * F::LANES, F::LANES);
        let point: Affine<F> = gather(points, &sorted[group * F::LANES..][..F::LANES]);
        let mut difference = point.x.sub(sums[group].x);
        skip[group] = 0;
        if (group + 1) * F::LANES > buckets {
            skip[group] = u64::MAX << (buckets % F::LANES);
            difference = difference.select(one, skip[group]);
        }
        dx[group] = difference;
        dy[group] = point.y.sub(sums[group].y);
        prefix[group] = product;
        product = product.mul(difference);
    }
    if product.is_zero() != 0 {
        for group in 0..groups {
            let zero = dx[group].is_zero();
            skip[group] |= zero;
            dx[group] = dx[group].select(one, zero);
            for lane in (0..F::LANES).filter(|lane| zero >> lane & 1 == 1) {
                let rank = group * F::LANES + lane;
                late.push(Late { bucket: rank, point: sorted[rank] });
            }
        }
        product = multiply_chain(dx, prefix);
    }
    let mut chain = InverseChain::new(product);
    for group in (0..groups).rev() {
        let inverse = chain.next(dx[group], prefix[group]);
        let sum = sums[group].add(dx[group], dy[group], inverse);
        sums[group] = if skip[group] == 0 { sum } else { sum.select(sums[group], skip[group]) };
    }
}

/// Adds points one by one, whatever they are.
pub(super) struct AddLate<'a> {
    pub(super) points: &'a [Packed],
    pub(super) late: &'a [Late],
    pub(super) buckets: &'a mut Buckets,
}

impl Task for AddLate<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { points, late, buckets } = self;
        for Late { bucket, point } in late {
            let (x, y) = Fe1::load_points(|_| &points[(point >> 1) as usize]);
            let point = Affine { x, y: y.neg_where(u64::from(point & 1)) };
            let (x, y) = Fe1::load_points(|_| &buckets.sums[*bucket]);
            let sum = if buckets.occupied[*bucket] { add_any(Affine { x, y }, point) } else { Some(point) };
            buckets.occupied[*bucket] = sum.is_some();
            if let Some(Affine { x, y }) = sum {
                Fe1::store_points(x, y, |_, sum| buckets.sums[*bucket] = sum);
            }
        }
    }
}

/// The sum of any two points; `None` is the point at infinity.
#[inline(always)]
pub(super) fn add_any(a: Affine<Fe1>, b: Affine<Fe1>) -> Option<Affine<Fe1>> {
    let (dx, dy) = (b.x.sub(a.x), b.y.sub(a.y));
    if dx.is_zero() == 0 {
        Some(a.add(dx, dy, dx.invert()))
    } else if dy.is_zero() == 1 {
        Some(a.double(a.y.twice().invert()))
    } else {
        None
    }
}

/// A point in each lane, as in [`Terms`].
#[inline(always)]
fn gather<F: Field>(points: &[Packed], sorted: &[u32]) -> Affine<F> {
    let (x, y) = F::load_points(|lane| &points[(sorted[lane] >> 1) as usize]);
    let mut negative = 0;
    for (lane, point) in sorted.iter().enumerate() {
        negative |= u64::from(point & 1) << lane;
    }
    Affine { x, y: y.neg_where(negative) }
}

#[inline(always)]
fn prefetch(points: &[Packed], sorted: &[u32], first: usize, lanes: usize) {
    if first + lanes <= sorted.len() {
        for point in &sorted[first..first + lanes] {
            points[(point >> 1) as usize].prefetch();
        }
    }
}
