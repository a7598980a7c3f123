//! Memory for sums that is kept from call to call: the operating system takes longer to give fresh pages than it takes to
//! fill them.

use std::sync::{Mutex, PoisonError};

/// Most bytes that are kept: those of some 10,000 guardians.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// A vector that nobody uses just now.
pub(super) struct Spare<T>(Mutex<Vec<T>>);

impl<T> Spare<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// An empty vector.
    pub(super) fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a vector, unless it is very large.
    pub(super) fn give_back(&self, mut vector: Vec<T>) {
        vector.clear();
        if vector.capacity() * size_of::<T>() <= KEPT_BYTES {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = vector;
        }
    }
}
