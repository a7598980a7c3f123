//! All operations on a CPU, once for every token.

use crate::backend::{Backend, BackendName};
use crate::bls::{Maths, plain::Plain};
use crate::checkpoint::{self, Aggregate, GuardianKeys, Merged, MillerValue, PreparedCheckpoint};
use crate::comb::Comb;
use crate::ops::{Claim, PublicKey, Recovered, Signed, Verdict};
use crate::secp::generator::Generator;
use crate::secp::machine::Machine;
use crate::secp::{hot, linear, recover};
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;
use vigil_primitives::Hash;

/// A token: proof that this CPU has the instructions of its backend. Only its `detect` makes one.
pub(crate) trait Token: Machine + fmt::Debug + Send + Sync {
    /// Whose token.
    const NAME: BackendName;

    /// As [`Backend::keccak256`]; the slices are of one length.
    fn keccak256(self, messages: &[&[u8]], digests: &mut [Hash]);

    /// As [`Backend::weighted_sums`].
    fn weighted_sums(self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]);

    /// What checkpoints are verified with.
    fn maths(&self) -> &dyn Maths {
        &Plain
    }
}

/// The backend of a token.
#[derive(Debug)]
pub(crate) struct Cpu<T>(pub(crate) T);

impl<T: Token> Cpu<T> {
    /// One table for all backends: they understand the same points.
    fn generator(&self) -> &'static Generator {
        static GENERATOR: OnceLock<Generator> = OnceLock::new();
        GENERATOR.get_or_init(|| Generator::new(self.0))
    }
}

impl<T: Token> Backend for Cpu<T> {
    fn name(&self) -> BackendName {
        T::NAME
    }

    fn warm_up(&self) {
        self.generator();
    }

    fn recover(&self, items: &[Signed]) -> Vec<Recovered> {
        recover::recover(self.0, self.generator(), items)
    }

    fn verify_cold(&self, claims: &[Claim]) -> Vec<Verdict> {
        linear::verify_cold(self.0, self.generator(), claims)
    }

    fn verify_hot(&self, claims: &[Claim], combs: &[&Comb]) -> Vec<Verdict> {
        hot::verify_hot(self.0, self.generator(), claims, combs)
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        hot::build_combs(self.0, keys)
    }

    fn keccak256(&self, messages: &[&[u8]], digests: &mut [Hash]) {
        assert_eq!(messages.len(), digests.len(), "one digest a message");
        self.0.keccak256(messages, digests);
    }

    fn weighted_sums(&self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
        self.0.weighted_sums(vectors, weights, sums);
    }

    fn miller_values(&self, guardians: &GuardianKeys, range: Range<usize>, message: &[u8]) -> Vec<MillerValue> {
        checkpoint::miller_values(self.0.maths(), guardians, range, message)
    }

    fn merge_votes(&self, checkpoint: &PreparedCheckpoint, votes: &[Aggregate]) -> Merged {
        checkpoint::merge(self.0.maths(), checkpoint, votes)
    }
}
