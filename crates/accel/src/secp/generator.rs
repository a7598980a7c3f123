//! Multiples of the generator, and the secret point at which sums begin.

use super::curve::{Affine, GX, GY, Jacobian};
use super::order::Order;
use super::power::invert_all;
use super::table::multiples;
use crate::field::{Field, Packed};
use vigil_crypto::SecretKey;

/// Bits of a digit.
pub(crate) const WIDTH: usize = 13;
/// Digits of a number of at most 255 bits.
pub(crate) const WINDOWS: usize = 20;
/// Multiples in a window.
const ENTRIES: usize = 1 << (WIDTH - 1);

/// What every batch needs of the generator G; 5 MiB, made once a process.
pub(crate) struct Generator {
    /// `[window * ENTRIES + i - 1]` is `i * 2^(WIDTH * window) * G`.
    points: Vec<Packed>,
    /// The logarithm of the point at which sums begin. Nobody but this process knows it, so that nobody can choose
    /// signatures whose sums meet equal or opposite points.
    pub(crate) start: Order,
    /// The point, x and y.
    pub(crate) start_point: [[u64; 4]; 2],
}

impl Generator {
    /// With a start that the operating system's randomness chooses.
    #[inline(always)]
    pub(crate) fn new<F: Field>() -> Self {
        let key = SecretKey::generate();
        let start = Order::from_be(&key.to_bytes()).expect("a key is below n");
        let [x0, x1, x2, x3, y0, y1, y2, y3] = key.public_key().to_words();
        let start_point = [[x0, x1, x2, x3], [y0, y1, y2, y3]];
        Self { points: comb::<F>(GX, GY, WIDTH, WINDOWS), start, start_point }
    }

    #[inline(always)]
    pub(crate) fn point(&self, window: usize, index: usize) -> &Packed {
        &self.points[window * ENTRIES + index]
    }
}

/// For one point: `[(window << (width - 1)) + i - 1]` is `i * 2^(width * window)` times it, for i to 2^(width-1).
#[inline(always)]
pub(crate) fn comb<F: Field>(x: [u64; 4], y: [u64; 4], width: usize, windows: usize) -> Vec<Packed> {
    let bases = bases::<F>(x, y, width, windows);
    let groups = windows.div_ceil(F::LANES);
    let base = |group: usize, lane: usize| &bases[(group * F::LANES + lane).min(windows - 1)];
    let mut points = Vec::with_capacity(groups);
    for group in 0..groups {
        let (x, y) = F::load_points(|lane| base(group, lane));
        points.push(Affine { x, y });
    }
    let entries = 1 << (width - 1);
    let mut table = vec![Packed([0; 8]); groups * F::LANES * entries];
    multiples(&points, entries, &mut table);
    table.truncate(windows * entries);
    table
}

/// `2^(width * window)` times the point, for each window.
#[inline(always)]
fn bases<F: Field>(x: [u64; 4], y: [u64; 4], width: usize, windows: usize) -> Vec<Packed> {
    let mut point = Jacobian::<F>::from_affine(Affine { x: F::splat(x), y: F::splat(y) });
    let mut points = Vec::with_capacity(windows);
    for window in 0..windows {
        if window > 0 {
            for _ in 0..width {
                point = point.minus_double();
            }
        }
        points.push(point);
    }
    let mut inverses: Vec<F> = points.iter().map(|p| p.z).collect();
    let mut prefix = inverses.clone();
    invert_all(&mut inverses, &mut prefix);
    let mut bases = Vec::with_capacity(windows);
    for window in 0..windows {
        let Affine { x, y } = points[window].to_affine(inverses[window]);
        let negative = window * width % 2 == 1;
        let y = if negative { y.neg() } else { y };
        F::store_points(x, y, |lane, packed| {
            if lane == 0 {
                bases.push(packed);
            }
        });
    }
    bases
}
