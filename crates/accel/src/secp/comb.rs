//! Tables with which multiples of a point need no doublings.

use super::curve::{Affine, Jacobian};
use super::machine::{Machine, Task};
use super::power::invert_all;
use super::table::multiples;
use crate::field::{Field, Packed};
use std::marker::PhantomData;

/// A table for each point of the curve: `[(window << (width - 1)) + i - 1]` is `i * 2^(width * window)` times it, for `i`
/// from 1 to `2^(width-1)` and `window` below `windows`.
pub(crate) fn comb_of<M: Machine>(machine: M, points: &[Packed], width: usize, windows: usize) -> Vec<Vec<Packed>> {
    let entries = 1 << (width - 1);
    let bases = machine.call(Bases { machine, points, width, windows });
    let table = |bases: &[Packed]| {
        let bases = machine.call(Load::<M::Fe>(bases, PhantomData));
        let mut table = vec![Packed([0; 8]); bases.len() * M::Fe::LANES * entries];
        multiples(machine, &bases, entries, &mut table);
        table.truncate(windows * entries);
        table
    };
    bases.chunks_exact(windows).map(table).collect()
}

/// Points as groups of lanes; the last point fills up the last group.
struct Load<'a, F>(&'a [Packed], PhantomData<F>);

impl<F: Field> Task for Load<'_, F> {
    type Output = Vec<Affine<F>>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let mut groups = Vec::with_capacity(self.0.len().div_ceil(F::LANES));
        for points in self.0.chunks(F::LANES) {
            let (x, y) = F::load_points(|lane| &points[lane.min(points.len() - 1)]);
            groups.push(Affine { x, y });
        }
        groups
    }
}

/// `2^(width * window)` times each point: `[point * windows + window]`.
struct Bases<'a, M> {
    machine: M,
    points: &'a [Packed],
    width: usize,
    windows: usize,
}

impl<M: Machine> Task for Bases<'_, M> {
    type Output = Vec<Packed>;

    #[inline(always)]
    fn run(self) -> Vec<Packed> {
        let Self { machine, points, width, windows } = self;
        let mut bases = vec![Packed([0; 8]); points.len() * windows];
        for (group, point) in machine.call(Load::<M::Fe>(points, PhantomData)).into_iter().enumerate() {
            let mut sums = Vec::with_capacity(windows);
            let mut sum = Jacobian::from_affine(point);
            sums.push(sum);
            for _ in 1..windows {
                for _ in 0..width {
                    sum = sum.minus_double();
                }
                sums.push(sum);
            }
            let mut inverses: Vec<M::Fe> = Vec::with_capacity(windows);
            for sum in &sums {
                inverses.push(sum.z);
            }
            let mut prefix = inverses.clone();
            invert_all(&mut inverses, &mut prefix);
            for window in 0..windows {
                let Affine { x, y } = sums[window].to_affine(inverses[window]);
                // Every doubling turned the sign.
                let y = if window * width % 2 == 1 { y.neg() } else { y };
                M::Fe::store_points(x, y, |lane, base| {
                    let point = group * M::Fe::LANES + lane;
                    if point < points.len() {
                        bases[point * windows + window] = base;
                    }
                });
            }
        }
        bases
    }
}
