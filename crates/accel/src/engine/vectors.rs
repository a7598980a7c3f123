//! The operation `signer_vectors`, on the calling thread. Definitions and wire form: [`vigil_crypto::signer_vectors`].

use super::Engine;
use super::plan::Op;
use crate::backend::Backend;
use vigil_crypto::signer_vectors::{self as twin, UnpackError, check_shape};

impl Engine {
    /// The sum of signer vectors of `n` entries, each times its weight.
    ///
    /// # Panics
    /// If a vector has not `n` entries, there are not as many weights as vectors, or more than [`twin::VECTORS_MAX`].
    pub fn weighted_sums(&self, n: usize, vectors: &[&[u8]], weights: &[u64]) -> Vec<u128> {
        check_shape(n, vectors);
        assert_eq!(vectors.len(), weights.len(), "a weight for each vector");
        let sums = |sum: &dyn Fn(&mut [u128])| {
            let mut sums = vec![0; n];
            sum(&mut sums);
            sums
        };
        self.on_vectors(
            vectors.len(),
            |backend| sums(&|sums| backend.weighted_sums(vectors, weights, sums)),
            || sums(&|sums| twin::weighted_sums(vectors, weights, sums)),
        )
    }

    /// How many guardians signed: entries that are not 0.
    pub fn signer_count(&self, vector: &[u8]) -> usize {
        self.on_vectors(1, |backend| backend.signer_count(vector), || twin::signer_count(vector))
    }

    /// Who signed in any of the vectors of `n` entries, as a bitmap.
    ///
    /// # Panics
    /// If a vector has not `n` entries, or there are more than [`twin::VECTORS_MAX`].
    pub fn signer_support(&self, n: usize, vectors: &[&[u8]]) -> Vec<u8> {
        check_shape(n, vectors);
        self.on_vectors(vectors.len(), |backend| backend.signer_support(n, vectors), || twin::support(n, vectors))
    }

    /// The sum of two signer vectors; `None` if an entry would be above 255.
    ///
    /// # Panics
    /// If they differ in length.
    pub fn merge_signers(&self, a: &[u8], b: &[u8]) -> Option<Vec<u8>> {
        assert_eq!(a.len(), b.len(), "vectors over one guardian set");
        self.on_vectors(2, |backend| backend.merge_signers(a, b), || twin::merge(a, b))
    }

    /// The wire form of a signer vector.
    pub fn pack_signers(&self, vector: &[u8]) -> Vec<u8> {
        self.on_vectors(1, |backend| backend.pack_signers(vector), || twin::pack(vector))
    }

    /// Reads the wire form of a signer vector of `n` entries.
    ///
    /// # Errors
    /// As [`twin::unpack`].
    pub fn unpack_signers(&self, n: usize, bytes: &[u8]) -> Result<Vec<u8>, UnpackError> {
        self.on_vectors(1, |backend| backend.unpack_signers(n, bytes), || twin::unpack(n, bytes))
    }

    /// The caller has checked the shapes: a panic is the backend's fault.
    fn on_vectors<R>(&self, count: usize, call: impl Fn(&dyn Backend) -> R, by_twin: impl FnOnce() -> R) -> R {
        self.work.attempt(Op::SignerVectors, count, |backend| Some(call(backend)), by_twin)
    }
}
