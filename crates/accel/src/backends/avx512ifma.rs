//! Eight signatures a vector: AVX-512 with IFMA.

use super::cpu::Token;
use crate::backend::BackendName;
use crate::bls::row::{Point, Row12};
use crate::bls::{Maths, ifma};
use crate::field::{Packed, ifma::Fe8, pair::Pair};
use crate::keccak::{batch_x8, point_digest_x8};
use crate::secp::machine::{Machine, Task};
use crate::signer_vectors::weighted_sums_avx512;
use blst::{blst_fp12, blst_p1, blst_p1_affine, blst_p2_affine};
use vigil_primitives::Hash;

/// Proof that this CPU has AVX-512 F, DQ, BW, VL and IFMA, BMI2 and ADX.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512Ifma(());

impl Avx512Ifma {
    /// The token, if the CPU and the operating system have it all.
    pub(crate) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("adx");
        has.then_some(Self(()))
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,bmi2,adx")]
#[inline(never)]
fn call<T: Task>(task: T) -> T::Output {
    task.run()
}

impl Machine for Avx512Ifma {
    /// Two vectors side by side: while a product of one waits for its carries, the other works.
    type Fe = Pair<Fe8>;

    const AFFINE_MIN: usize = 640;

    #[inline(always)]
    fn call<T: Task>(self, task: T) -> T::Output {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { call(task) }
    }

    fn digests(self, points: &[Packed], digests: &mut [[u64; 4]]) {
        self.call(Digests(points, digests));
    }
}

/// Keccak-256 of points, eight at a time.
struct Digests<'a>(&'a [Packed], &'a mut [[u64; 4]]);

impl Task for Digests<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (points, digests) in self.0.chunks(8).zip(self.1.chunks_mut(8)) {
            let (x, y) = Fe8::load_point_words(|lane| &points[lane.min(points.len() - 1)]);
            // SAFETY: this task is run by `call`.
            let words = unsafe { point_digest_x8(x, y) };
            Fe8::store_words(words, |lane, digest| {
                if let Some(place) = digests.get_mut(lane) {
                    *place = digest;
                }
            });
        }
    }
}

impl Token for Avx512Ifma {
    const NAME: BackendName = BackendName::Avx512Ifma;

    fn keccak256(self, messages: &[&[u8]], digests: &mut [Hash]) {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { batch_x8(messages, digests) }
    }

    fn weighted_sums(self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { weighted_sums_avx512(vectors, weights, sums) }
    }

    fn maths(&self) -> &dyn Maths {
        self
    }
}

impl Maths for Avx512Ifma {
    fn signatures(&self, compressed: &[[u8; 96]]) -> Vec<Option<blst_p2_affine>> {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { ifma::signatures(compressed) }
    }

    fn key_sum(&self, points: &[Point], times: &[u16]) -> blst_p1 {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { ifma::key_sum(points, times) }
    }

    fn hashes(&self, messages: &[Vec<u8>], tag: &[u8]) -> Vec<blst_p2_affine> {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { ifma::hashes(messages, tag) }
    }

    fn miller_values(&self, points: &[Point], signed: &[Vec<u8>], tag: &[u8]) -> Vec<Row12> {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { ifma::miller_values(points, signed, tag) }
    }

    fn product(&self, values: &[Row12], powers: &[u16]) -> blst_fp12 {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { ifma::product(values, powers) }
    }

    fn miller_product(&self, pairs: &[(blst_p1_affine, blst_p2_affine)]) -> blst_fp12 {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { ifma::miller_product(pairs) }
    }
}
