//! Tables of small multiples, and how digits pick from them.

use super::curve::Affine;
use super::machine::{Machine, Task};
use super::power::invert_all;
use crate::field::{Field, Packed};

/// Writes the multiples 1 to `count` (a power of two) of every lane's point: `table[lane * count + i - 1]` is `i` times
/// the point of `lane`, counted over all groups. 5M + 1S an addition.
///
/// The points are of the curve (whose order is prime), so that no addition meets equal or opposite points while `count`
/// is below half the order.
pub(crate) fn multiples<M: Machine>(machine: M, points: &[Affine<M::Fe>], count: usize, table: &mut [Packed]) {
    assert!(count.is_power_of_two() && table.len() == points.len() * M::Fe::LANES * count);
    machine.call(First::<M>(points, count, table));
    let most = points.len() * count / 2;
    let zero = M::Fe::splat([0; 4]);
    let (mut inverses, mut prefix) = (vec![zero; most], vec![zero; most]);
    let mut have = 1;
    while have < count {
        let size = points.len() * have;
        let (inverses, prefix) = (&mut inverses[..size], &mut prefix[..size]);
        machine.call(Twice::<M> { table: &mut *table, count, have, inverses, prefix });
        have *= 2;
    }
}

/// Multiple 1.
struct First<'a, M: Machine>(&'a [Affine<M::Fe>], usize, &'a mut [Packed]);

impl<M: Machine> Task for First<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(points, count, table) = self;
        for (group, point) in points.iter().enumerate() {
            put(table, group, count, 1, *point);
        }
    }
}

/// From `have` multiples to twice as many.
struct Twice<'a, M: Machine> {
    table: &'a mut [Packed],
    count: usize,
    have: usize,
    inverses: &'a mut [M::Fe],
    prefix: &'a mut [M::Fe],
}

impl<M: Machine> Task for Twice<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { table, count, have, inverses, prefix } = self;
        // have + i for i below have, and twice have.
        for (group, inverses) in inverses.chunks_exact_mut(have).enumerate() {
            let top = at::<M::Fe>(table, group, count, have);
            for i in 1..have {
                inverses[i - 1] = at::<M::Fe>(table, group, count, i).x.sub(top.x);
            }
            inverses[have - 1] = top.y.twice();
        }
        invert_all(inverses, prefix);
        for (group, inverses) in inverses.chunks_exact(have).enumerate() {
            let top = at::<M::Fe>(table, group, count, have);
            for i in 1..have {
                let other = at::<M::Fe>(table, group, count, i);
                let sum = top.add(other.x.sub(top.x), other.y.sub(top.y), inverses[i - 1]);
                put(table, group, count, have + i, sum);
            }
            put(table, group, count, 2 * have, top.double(inverses[have - 1]));
        }
    }
}

#[inline(always)]
fn at<F: Field>(table: &[Packed], group: usize, count: usize, times: usize) -> Affine<F> {
    let (x, y) = F::load_points(|lane| &table[(group * F::LANES + lane) * count + times - 1]);
    Affine { x, y }
}

#[inline(always)]
fn put<F: Field>(table: &mut [Packed], group: usize, count: usize, times: usize, point: Affine<F>) {
    F::store_points(point.x, point.y, |lane, packed| table[(group * F::LANES + lane) * count + times - 1] = packed);
}

/// Signed digits of many scalars: a row of all scalars for each window.
pub(crate) struct Digits {
    scalars: usize,
    digits: Vec<i16>,
}

impl Digits {
    /// All digits 0.
    pub(crate) fn zero(windows: usize, scalars: usize) -> Self {
        Self { scalars, digits: vec![0; windows * scalars] }
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, window: usize, scalar: usize, digit: i32) {
        self.digits[window * self.scalars + scalar] = digit as i16;
    }

    /// What the digits of one window pick for the `lanes` scalars from `first` on.
    #[inline(always)]
    pub(crate) fn picks(&self, window: usize, first: usize, lanes: usize) -> Picks {
        let digits = &self.digits[window * self.scalars + first..][..lanes];
        let mut picks = Picks { index: [0; 64], negative: 0, zero: 0 };
        for (lane, digit) in digits.iter().enumerate() {
            picks.index[lane] = digit.unsigned_abs().max(1) - 1;
            picks.negative |= u64::from(*digit < 0) << lane;
            picks.zero |= u64::from(*digit == 0) << lane;
        }
        picks
    }
}

/// What one signed digit a lane picks from tables.
pub(crate) struct Picks {
    /// Place of the multiple in a table that begins with the multiple 1; 0 where the digit is 0.
    index: [u16; 64],
    /// Lanes with a negative digit.
    pub(crate) negative: u64,
    /// Lanes whose digit is 0.
    pub(crate) zero: u64,
}

impl Picks {
    #[inline(always)]
    pub(crate) fn index(&self, lane: usize) -> usize {
        usize::from(self.index[lane])
    }
}
