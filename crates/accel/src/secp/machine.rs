//! What the curve needs of a backend.

use crate::field::scalar::Fe1;
use crate::field::{Field, Packed};

/// Work that is compiled as a function of its own: one per phase, each small enough for the compiler and for the
/// processor's instruction cache.
pub(crate) trait Task {
    type Output;

    /// Always `#[inline(always)]`: [`Machine::call`] is the function that it becomes.
    fn run(self) -> Self::Output;
}

/// A backend's token, as the curve sees it.
pub(crate) trait Machine: Copy {
    /// Its numbers modulo p.
    type Fe: Field;

    /// Batches of so many and more are recovered in affine sums, which cost fewer multiplications but an inversion a step.
    const AFFINE_MIN: usize;

    /// Runs the task with the instructions of which this token is the proof.
    fn call<T: Task>(self, task: T) -> T::Output;

    /// Keccak-256 of each point: of x and y, 32 bytes each, big-endian. `points` are canonical; digests in words, the
    /// first byte lowest.
    fn digests(self, points: &[Packed], digests: &mut [[u64; 4]]) {
        for (Packed([x0, x1, x2, x3, y0, y1, y2, y3]), digest) in points.iter().zip(digests) {
            *digest = crate::keccak::point_digest([*x0, *x1, *x2, *x3], [*y0, *y1, *y2, *y3]);
        }
    }
}

/// A machine that works on one number at a time: for chains of which there are too few to fill lanes.
#[derive(Clone, Copy)]
pub(crate) struct Narrow<M>(pub(crate) M);

impl<M: Machine> Machine for Narrow<M> {
    type Fe = Fe1;

    const AFFINE_MIN: usize = M::AFFINE_MIN;

    #[inline(always)]
    fn call<T: Task>(self, task: T) -> T::Output {
        self.0.call(task)
    }
}
