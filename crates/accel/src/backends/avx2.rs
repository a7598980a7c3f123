//! x86-64 without AVX-512: the plain field with MULX and ADX, since AVX2 has no wider multiplications than the plain words
//! (`PERFORMANCE.md` §4b), and Keccak in AVX2 vectors.

use super::cpu::Token;
use crate::backend::BackendName;
use crate::field::{Packed, pair::Pair, scalar::Fe1Mulx};
use crate::keccak::{batch_x4, point_digest_x4};
use crate::secp::machine::{Machine, Task};
use crate::signer_vectors::weighted_sums_avx2;
use std::arch::x86_64::__m256i;
use vigil_primitives::Hash;

/// Proof that this CPU has AVX2, BMI1, BMI2 and ADX.
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
    type Fe = Pair<Fe1Mulx>;

    const AFFINE_MIN: usize = 96;

    #[inline(always)]
    fn call<T: Task>(self, task: T) -> T::Output {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { call(task) }
    }

    fn digests(self, points: &[Packed], digests: &mut [[u64; 4]]) {
        self.call(Digests(points, digests));
    }
}

/// Keccak-256 of points, four at a time.
struct Digests<'a>(&'a [Packed], &'a mut [[u64; 4]]);

impl Task for Digests<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (points, digests) in self.0.chunks(4).zip(self.1.chunks_mut(4)) {
            let mut words = [[0; 4]; 8];
            for (lane, point) in points.iter().enumerate() {
                for (word, lanes) in point.0.iter().zip(&mut words) {
                    lanes[lane] = *word;
                }
            }
            let [x0, x1, x2, x3, y0, y1, y2, y3] = words;
            // SAFETY: this task is run by `call`; four words are a vector.
            let words = unsafe {
                let vector = |words: [u64; 4]| std::mem::transmute::<[u64; 4], __m256i>(words);
                let digest = point_digest_x4(
                    [vector(x0), vector(x1), vector(x2), vector(x3)],
                    [vector(y0), vector(y1), vector(y2), vector(y3)],
                );
                std::mem::transmute::<[__m256i; 4], [[u64; 4]; 4]>(digest)
            };
            for (lane, digest) in digests.iter_mut().enumerate() {
                *digest = [words[0][lane], words[1][lane], words[2][lane], words[3][lane]];
            }
        }
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
