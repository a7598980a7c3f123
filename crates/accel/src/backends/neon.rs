//! AArch64: the plain field, since NEON has no wider multiplications than the plain words, and Keccak in NEON vectors.

use crate::backend::{Backend, BackendName};
use crate::comb::Comb;
use crate::field::scalar::Fe1;
use crate::keccak::{batch_x2, batch_x2_sha3};
use crate::ops::{Claim, PublicKey, Recovered, Signed, Verdict};
use crate::secp::generator::Generator;
use crate::secp::machine::{Machine, Task};
use crate::secp::{hot, recover};
use std::arch::is_aarch64_feature_detected;
use std::sync::OnceLock;
use vigil_primitives::Hash;

/// Proof that this CPU has NEON, and whether it has the SHA-3 instructions too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon {
    sha3: bool,
}

static GENERATOR: OnceLock<Generator> = OnceLock::new();

impl Neon {
    /// The token, if the CPU and the operating system have it.
    pub(crate) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("neon").then(|| Self { sha3: is_aarch64_feature_detected!("sha3") })
    }

    fn generator(self) -> &'static Generator {
        GENERATOR.get_or_init(|| Generator::new(self))
    }
}

/// NEON is part of the target, so there is nothing to enable.
#[inline(never)]
fn call<T: Task>(task: T) -> T::Output {
    task.run()
}

impl Machine for Neon {
    type Fe = Fe1;

    #[inline(always)]
    fn call<T: Task>(self, task: T) -> T::Output {
        call(task)
    }
}

impl Backend for Neon {
    fn name(&self) -> BackendName {
        BackendName::Neon
    }

    fn recover(&self, items: &[Signed]) -> Vec<Recovered> {
        recover::recover(*self, self.generator(), items)
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        hot::build_combs(*self, keys)
    }

    fn verify_hot(&self, claims: &[Claim], combs: &[&Comb]) -> Vec<Verdict> {
        hot::verify_hot(*self, self.generator(), claims, combs)
    }

    fn keccak256(&self, messages: &[&[u8]], out: &mut [Hash]) {
        // SAFETY: `detect` saw the instructions.
        unsafe { if self.sha3 { batch_x2_sha3(messages, out) } else { batch_x2(messages, out) } }
    }
}
