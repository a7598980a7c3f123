//! Plain 64-bit words.

use crate::backend::{Backend, BackendName};
use crate::comb::Comb;
use crate::ops::PublicKey;

/// Every machine has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Backend for Portable {
    fn name(&self) -> BackendName {
        BackendName::Portable
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        keys.iter().map(|_| None).collect()
    }
}
