//! Multiples of the generator, and the secret point at which sums begin.

use super::comb::comb_of;
use super::curve::{GX, GY};
use super::digits::signed_digits;
use super::machine::Machine;
use super::order::Order;
use super::sums::{Addend, Source};
use super::table::Digits;
use crate::field::{Field, Packed};
use vigil_crypto::SecretKey;

/// Bits of a digit.
const WIDTH: usize = 13;
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
    pub(crate) start_point: Packed,
}

impl Generator {
    /// With a start that the operating system's randomness chooses.
    pub(crate) fn new(machine: impl Machine) -> Self {
        Self::starting_at(machine, &SecretKey::generate())
    }

    /// With a start that is known.
    pub(crate) fn starting_at(machine: impl Machine, key: &SecretKey) -> Self {
        let start = Order::from_be(&key.to_bytes()).expect("a key is below n");
        let mut g = Packed([0; 8]);
        g.0[..4].copy_from_slice(&GX);
        g.0[4..].copy_from_slice(&GY);
        let points = comb_of(machine, &[g], WIDTH, WINDOWS).swap_remove(0);
        Self { points, start, start_point: Packed(key.public_key().to_words()) }
    }

    /// Writes the digits of a factor of G.
    #[inline(always)]
    pub(crate) fn write(digits: &mut Digits, scalar: usize, factor: Order) {
        let (negative, magnitude) = factor.halved();
        signed_digits::<WIDTH, WINDOWS, 4>(magnitude, |window, digit| digits.set(window, scalar, digit, negative));
    }

    /// The multiples of G: `[window * 4096 + i - 1]` is `i * 2^(13 window) * G`.
    pub(crate) fn points(&self) -> &[Packed] {
        &self.points
    }

    #[inline(always)]
    pub(crate) fn point(&self, window: usize, index: usize) -> &Packed {
        &self.points[window * ENTRIES + index]
    }
}

/// The addends of one window of multiples of G.
pub(crate) struct OfG<'a> {
    pub(crate) generator: &'a Generator,
    pub(crate) digits: &'a Digits,
    pub(crate) window: usize,
}

impl<F: Field> Source<F> for OfG<'_> {
    #[inline(always)]
    fn addend(&self, group: usize) -> Addend<F> {
        let picks = self.digits.picks(self.window, group * F::LANES, F::LANES);
        let (x, y) = F::load_points(|lane| self.generator.point(self.window, picks.index(lane)));
        Addend { x, y, negative: picks.negative, skip: picks.zero }
    }

    #[inline(always)]
    fn prefetch(&self, group: usize) {
        let picks = self.digits.picks(self.window, group * F::LANES, F::LANES);
        for lane in 0..F::LANES {
            self.generator.point(self.window, picks.index(lane)).prefetch();
        }
    }
}
