//! What is known of a number beside its limbs: how many times p it may be. Only debug builds and the feature
//! `bounds-check` keep it; they prove the ranges for every input, as the bounds depend on the formulas alone.

/// Whether bounds are kept.
pub(super) const CHECKED: bool = cfg!(any(debug_assertions, feature = "bounds-check"));

/// A number (or a square of one) below so many times p (or p^2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound(#[cfg(any(debug_assertions, feature = "bounds-check"))] u64);

impl Bound {
    #[cfg(any(debug_assertions, feature = "bounds-check"))]
    pub(super) const fn new(times: u64) -> Self {
        Self(times)
    }

    #[cfg(not(any(debug_assertions, feature = "bounds-check")))]
    pub(super) const fn new(_times: u64) -> Self {
        Self()
    }

    #[cfg(any(debug_assertions, feature = "bounds-check"))]
    pub(super) const fn get(self) -> u64 {
        self.0
    }

    #[cfg(not(any(debug_assertions, feature = "bounds-check")))]
    pub(super) const fn get(self) -> u64 {
        0
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self::new(self.get() + other.get())
    }

    pub(super) const fn times(self, other: Self) -> Self {
        Self::new(self.get() * other.get())
    }

    pub(super) const fn larger(self, other: Self) -> Self {
        if self.get() > other.get() { self } else { other }
    }

    /// # Panics
    /// If it may be more than `most`, where bounds are kept.
    #[track_caller]
    pub(super) fn at_most(self, most: u64) {
        assert!(!CHECKED || self.get() <= most, "bound {} is above {most}", self.get());
    }
}
