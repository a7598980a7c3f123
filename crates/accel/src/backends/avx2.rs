//! x86-64 without AVX-512: the plain field with MULX and ADX, since AVX2 has no wider multiplications than the plain words
//! (`PERFORMANCE.md` §4b), and Keccak in AVX2 vectors.

use super::cpu::Token;
use crate::backend::BackendName;
use crate::field::{pair::Pair, scalar::Fe1};
use crate::keccak::batch_x4;
use crate::secp::machine::{Machine, Task};
use crate::signer_vectors::weighted_sums_avx2;
use vigil_primitives::Hash;

/// Proof that this CPU has AVX2, BMI2 and ADX.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The token, if the CPU and the operating system have it all.
    pub(crate) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("adx");
        has.then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,adx")]
#[inline(never)]
fn call<T: Task>(task: T) -> T::Output {
    task.run()
}

impl Machine for Avx2 {
    /// Two numbers side by side: the processor works on one while a product of the other waits for its carries.
    type Fe = Pair<Fe1>;

    #[inline(always)]
    fn call<T: Task>(self, task: T) -> T::Output {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { call(task) }
    }
}

impl Token for Avx2 {
    const NAME: BackendName = BackendName::Avx2;

    fn keccak256(self, messages: &[&[u8]], digests: &mut [Hash]) {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { batch_x4(messages, digests) }
    }

    fn weighted_sums(self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { weighted_sums_avx2(vectors, weights, sums) }
    }
}
