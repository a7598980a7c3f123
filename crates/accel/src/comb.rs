//! Tables of a key's multiples, with which its signatures are checked without doublings.

use crate::field::Packed;
use crate::ops::PublicKey;

/// Multiples of one public key; made by [`crate::Backend::build_combs`], understood by every CPU backend.
#[derive(Clone, Debug)]
pub struct Comb {
    key: PublicKey,
    points: Box<[Packed]>,
}

impl Comb {
    /// Whose multiples.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val::<[Packed]>(&self.points)
    }
}
