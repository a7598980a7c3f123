//! Tables of small multiples, and how digits pick from them.

use super::curve::Affine;
use super::power::invert_all;
use crate::field::{Field, Packed};

/// Writes the multiples 1 to `count` (a power of two) of every lane's point: `table[lane * count + i - 1]` is `i` times
/// the point of `lane`, counted over all groups. 5M + 1S an addition.
///
/// The points are of the curve (whose order is prime), so that no addition meets equal or opposite points while `count`
/// is below half the order.
#[inline(always)]
pub(crate) fn multiples<F: Field>(points: &[Affine<F>], count: usize, table: &mut [Packed]) {
    assert!(count.is_power_of_two() && table.len() == points.len() * F::LANES * count);
    for (group, point) in points.iter().enumerate() {
        F::store_points(point.x, point.y, |lane, packed| table[(group * F::LANES + lane) * count] = packed);
    }
    let most = points.len() * count / 2;
    let (mut inverses, mut prefix) = (Vec::with_capacity(most), vec![F::splat([0; 4]); most]);
    let mut have = 1;
    while have < count {
        // have + i for i below have, and twice have.
        inverses.clear();
        for group in 0..points.len() {
            let top = at::<F>(table, group, count, have);
            for i in 1..have {
                inverses.push(at::<F>(table, group, count, i).x.sub(top.x));
            }
            inverses.push(top.y.twice());
        }
        invert_all(&mut inverses, &mut prefix[..points.len() * have]);
        for group in 0..points.len() {
            let inverses = &inverses[group * have..][..have];
            let top = at::<F>(table, group, count, have);
            for i in 1..have {
                let other = at::<F>(table, group, count, i);
                let sum = top.add(other.x.sub(top.x), other.y.sub(top.y), inverses[i - 1]);
                put(table, group, count, have + i, sum);
            }
            put(table, group, count, 2 * have, top.double(inverses[have - 1]));
        }
        have *= 2;
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

/// What one signed digit a lane picks from tables.
pub(crate) struct Picks {
    /// Index of the multiple in a table that begins with the multiple 1; 0 where the digit is 0.
    index: [u16; 64],
    /// Lanes with a negative digit.
    pub(crate) negative: u64,
    /// Lanes whose digit is 0.
    pub(crate) zero: u64,
}

impl Picks {
    #[inline(always)]
    pub(crate) fn new(digits: &[i16]) -> Self {
        let mut picks = Self { index: [0; 64], negative: 0, zero: 0 };
        for (lane, digit) in digits.iter().enumerate() {
            picks.index[lane] = digit.unsigned_abs().max(1) - 1;
            picks.negative |= u64::from(*digit < 0) << lane;
            picks.zero |= u64::from(*digit == 0) << lane;
        }
        picks
    }

    #[inline(always)]
    pub(crate) fn index(&self, lane: usize) -> usize {
        usize::from(self.index[lane])
    }
}
