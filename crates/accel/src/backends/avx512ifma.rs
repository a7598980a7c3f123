//! Eight signatures a vector: AVX-512 with IFMA.

use crate::backend::{Backend, BackendName};
use crate::comb::Comb;
use crate::field::{ifma::Fe8, pair::Pair};
use crate::ops::{PublicKey, Recovered, Signed};
use crate::secp::generator::Generator;
use crate::secp::recover;
use std::sync::OnceLock;

/// Two vectors side by side: while a product of one waits for its carries, the other works.
type Fe = Pair<Fe8, Fe8>;

/// Proof that this CPU has AVX-512 F, DQ, BW, VL and IFMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512Ifma(());

static GENERATOR: OnceLock<Generator> = OnceLock::new();

impl Avx512Ifma {
    /// The token, if the CPU and the operating system have it all.
    pub(crate) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512ifma");
        has.then_some(Self(()))
    }

    fn generator(self) -> &'static Generator {
        // SAFETY: `self` exists, so `detect` saw the features.
        GENERATOR.get_or_init(|| unsafe { make_generator() })
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn make_generator() -> Generator {
    Generator::new::<Fe>()
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn recover_all(generator: &Generator, items: &[Signed]) -> Vec<Recovered> {
    recover::recover::<Fe>(generator, items)
}

impl Backend for Avx512Ifma {
    fn name(&self) -> BackendName {
        BackendName::Avx512Ifma
    }

    fn recover(&self, items: &[Signed]) -> Vec<Recovered> {
        // SAFETY: `self` exists, so `detect` saw the features.
        unsafe { recover_all(self.generator(), items) }
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        keys.iter().map(|_| None).collect()
    }
}
