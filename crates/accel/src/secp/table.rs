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

/// Signed digits of many scalars, as what they pick from tables: a row of all scalars for each window.
pub(crate) struct Digits {
    /// Places in a row. Not a power of two, or one cache set would have to hold a scalar's digits of all windows.
    row: usize,
    /// Place of the multiple in a table that begins with the multiple 1; 0 where the digit is 0.
    index: Vec<u16>,
    /// Bit `scalar % 64` of `[window * row / 64 + scalar / 64]`: the digit is negative.
    negative: Vec<u64>,
    /// Likewise: the digit is 0.
    zero: Vec<u64>,
}

impl Digits {
    /// All digits 0.
    pub(crate) fn zero(windows: usize, scalars: usize) -> Self {
        let row = scalars.next_multiple_of(64) + 64;
        Self {
            row,
            index: vec![0; windows * row],
            negative: vec![0; windows * row / 64],
            zero: vec![u64::MAX; windows * row / 64],
        }
    }

    /// Sets a digit, once.
    #[inline(always)]
    pub(crate) fn set(&mut self, window: usize, scalar: usize, digit: i32, negative: bool) {
        let place = window * self.row + scalar;
        self.index[place] = (digit.unsigned_abs().max(1) - 1) as u16;
        self.negative[place / 64] |= u64::from((digit < 0) ^ negative) << (place % 64);
        self.zero[place / 64] ^= u64::from(digit != 0) << (place % 64);
    }

    /// What the digits of one window pick for the `lanes` scalars from `first` on, a multiple of `lanes`.
    #[inline(always)]
    pub(crate) fn picks(&self, window: usize, first: usize, lanes: usize) -> Picks<'_> {
        let place = window * self.row + first;
        let mask = |words: &[u64]| words[place / 64] >> (place % 64);
        Picks { index: &self.index[place..][..lanes], negative: mask(&self.negative), zero: mask(&self.zero) }
    }
}

/// What one signed digit a lane picks from tables. Masks may have bits above the lanes.
#[derive(Clone, Copy)]
pub(crate) struct Picks<'a> {
    index: &'a [u16],
    /// Lanes with a negative digit.
    pub(crate) negative: u64,
    /// Lanes whose digit is 0.
    pub(crate) zero: u64,
}

impl Picks<'_> {
    #[inline(always)]
    pub(crate) fn index(&self, lane: usize) -> usize {
        usize::from(self.index[lane])
    }
}
