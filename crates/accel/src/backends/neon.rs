//! AArch64: the plain field, since NEON has no wider multiplications than the plain words, and Keccak in NEON vectors.

use super::cpu::Token;
use crate::backend::BackendName;
use crate::field::{pair::Pair, scalar::Fe1};
use crate::keccak::{batch_x2, batch_x2_sha3};
use crate::secp::machine::{Machine, Task};
use crate::signer_vectors;
use std::arch::is_aarch64_feature_detected;
use vigil_primitives::Hash;

/// Proof that this CPU has NEON, and whether it has the SHA-3 instructions too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon {
    sha3: bool,
}

impl Neon {
    /// The token, if the CPU and the operating system have it.
    pub(crate) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("neon").then(|| Self { sha3: is_aarch64_feature_detected!("sha3") })
    }
}

impl Machine for Neon {
    /// Two numbers side by side: the processor works on one while a product of the other waits for its carries.
    type Fe = Pair<Fe1>;

    const AFFINE_MIN: usize = 96;

    /// NEON is part of the target, so there is nothing to enable.
    #[inline(never)]
    fn call<T: Task>(self, task: T) -> T::Output {
        task.run()
    }
}

impl Token for Neon {
    const NAME: BackendName = BackendName::Neon;

    fn keccak256(self, messages: &[&[u8]], digests: &mut [Hash]) {
        // SAFETY: `detect` saw the instructions.
        unsafe { if self.sha3 { batch_x2_sha3(messages, digests) } else { batch_x2(messages, digests) } }
    }

    /// The compiler makes NEON of it.
    fn weighted_sums(self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
        signer_vectors::weighted_sums(vectors, weights, sums);
    }
}
