//! Tables of a key's multiples, with which its signatures are checked without doublings.

use crate::field::Packed;
use crate::ops::PublicKey;
use std::sync::{Arc, Weak};

/// Multiples of one public key, 256 KiB; made by [`crate::Backend::build_combs`], understood by every CPU backend.
#[derive(Clone, Debug)]
pub struct Comb {
    key: PublicKey,
    points: Arc<[Packed]>,
    /// What copies in other memories are known by, and see that this one is gone by.
    alive: Arc<()>,
}

impl Comb {
    /// Bits of a digit.
    pub(crate) const WIDTH: usize = 8;
    /// Digits of a number of at most 255 bits.
    pub(crate) const WINDOWS: usize = 32;
    /// Memory that a table takes, in bytes.
    pub const BYTES: usize = Self::WINDOWS * Self::ENTRIES * size_of::<Packed>();
    /// Multiples in a window.
    const ENTRIES: usize = 1 << (Self::WIDTH - 1);

    /// `points[window * 128 + i - 1]` is `i * 2^(8 window)` times the key.
    pub(crate) fn new(key: PublicKey, points: Vec<Packed>) -> Self {
        assert_eq!(points.len(), Self::WINDOWS * Self::ENTRIES);
        Self { key, points: points.into(), alive: Arc::default() }
    }

    /// Whose multiples.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    #[inline(always)]
    pub(crate) fn point(&self, window: usize, index: usize) -> &Packed {
        &self.points[window * Self::ENTRIES + index]
    }

    /// The same for this table and its clones alone, as long as a [`Comb::alive`] of it is held.
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.alive) as usize
    }

    /// Tells when this table and its clones are gone.
    pub(crate) fn alive(&self) -> Weak<()> {
        Arc::downgrade(&self.alive)
    }

    /// All of them.
    pub(crate) fn points(&self) -> &[Packed] {
        &self.points
    }
}
