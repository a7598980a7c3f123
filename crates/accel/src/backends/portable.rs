//! Plain 64-bit words, whatever the machine.

use super::cpu::Token;
use crate::backend::BackendName;
use crate::field::{pair::Pair, scalar::Fe1};
use crate::keccak::batch_plain;
use crate::secp::machine::{Machine, Task};
use crate::signer_vectors;
use vigil_primitives::Hash;

/// Every machine has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Machine for Portable {
    /// Two numbers side by side: a processor works on one while a product of the other waits for its carries.
    type Fe = Pair<Fe1>;

    const AFFINE_MIN: usize = 96;

    #[inline(never)]
    fn call<T: Task>(self, task: T) -> T::Output {
        task.run()
    }
}

impl Token for Portable {
    const NAME: BackendName = BackendName::Portable;

    fn keccak256(self, messages: &[&[u8]], digests: &mut [Hash]) {
        batch_plain(messages, digests);
    }

    fn weighted_sums(self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
        signer_vectors::weighted_sums(vectors, weights, sums);
    }
}
