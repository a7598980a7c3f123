//! What a backend does, and which ones this box has.

use crate::backends::cpu::{Cpu, Token};
use crate::backends::portable::Portable;
use crate::bls::plain::Plain;
use crate::checkpoint::{self, Aggregate, GuardianKeys, Merged, MillerValue, PreparedCheckpoint, Scheme};
use crate::comb::Comb;
use crate::ops::{Claim, PublicKey, Recovered, Signed, SignedMessage, Verdict};
use crate::oracle;
use crate::signer_vectors;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use vigil_crypto::signer_vectors::UnpackError;
use vigil_primitives::Hash;

/// Names of the backends, as in metrics, configuration and `VIGIL_REQUIRE_BACKENDS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BackendName {
    /// Plain 64-bit words; every machine has it.
    Portable,
    /// x86-64 with AVX2, BMI1, BMI2 and ADX.
    Avx2,
    /// AArch64 with NEON.
    Neon,
    /// x86-64 with AVX-512 F, DQ, BW, VL and IFMA.
    Avx512Ifma,
    /// A graphics card through Vulkan, Metal or DirectX 12.
    Wgpu,
    /// An NVIDIA card through CUDA.
    Cuda,
}

impl BackendName {
    /// All of them, the fastest last.
    pub const ALL: [Self; 6] = [Self::Portable, Self::Neon, Self::Avx2, Self::Avx512Ifma, Self::Wgpu, Self::Cuda];

    /// `portable`, `neon`, `avx2`, `avx512ifma`, `wgpu` or `cuda`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Avx512Ifma => "avx512ifma",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }

    /// The kind of processor that it is for, as in [`std::env::consts::ARCH`], and the instruction sets that it needs
    /// there; `None`: every kind, or no processor at all.
    pub const fn needs(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Self::Portable | Self::Wgpu | Self::Cuda => None,
            Self::Neon => Some(("aarch64", &["neon"])),
            Self::Avx2 => Some(("x86_64", &["avx2", "bmi1", "bmi2", "adx"])),
            Self::Avx512Ifma => {
                Some(("x86_64", &["avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512ifma", "bmi2", "adx"]))
            }
        }
    }
}

/// No backend has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no backend is called `{0}`; there are portable, neon, avx2, avx512ifma, wgpu and cuda")]
pub struct UnknownBackend(pub String);

impl FromStr for BackendName {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        let known = Self::ALL.into_iter().find(|backend| backend.as_str() == name);
        known.ok_or_else(|| UnknownBackend(name.to_owned()))
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One way to do the operations, on the calling thread: `Engine` spreads work over threads. A value of such a type
/// exists only on a machine that can run it.
///
/// The answers stand in the order of the items, and are those of [`oracle`], which the methods here ask unless a backend
/// knows better.
pub trait Backend: fmt::Debug + Send + Sync {
    /// Which.
    fn name(&self) -> BackendName;

    /// Builds what the first call of an operation would build.
    fn warm_up(&self) {}

    /// Why another does its work at present; only cards can be so.
    fn distrusted(&self) -> Option<String> {
        None
    }

    /// Who signed each item.
    fn recover(&self, items: &[Signed]) -> Vec<Recovered> {
        items.iter().map(oracle::recover).collect()
    }

    /// Whether the claimed key signed, for keys that are seldom seen.
    fn verify_cold(&self, claims: &[Claim]) -> Vec<Verdict> {
        claims.iter().map(oracle::verify).collect()
    }

    /// Whether the claimed key signed, with the tables of the keys: `combs[i]` belongs to `claims[i].key`.
    ///
    /// # Panics
    /// If the slices differ in length, or a table is another key's.
    fn verify_hot(&self, claims: &[Claim], combs: &[&Comb]) -> Vec<Verdict> {
        assert_eq!(claims.len(), combs.len(), "a table for each claim");
        self.verify_cold(claims)
    }

    /// Tables for [`Self::verify_hot`]; `None` for bytes that are no point of the curve.
    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>>;

    /// Keccak-256 of each message.
    ///
    /// # Panics
    /// If `out` has another length than `messages`.
    fn keccak256(&self, messages: &[&[u8]], out: &mut [Hash]) {
        assert_eq!(messages.len(), out.len(), "one digest a message");
        for (message, digest) in messages.iter().zip(out) {
            *digest = oracle::digest(message);
        }
    }

    /// Whether each account signed its message: Keccak-256, then [`Self::recover`].
    fn verify_messages(&self, messages: &[SignedMessage<'_>]) -> Vec<bool> {
        let texts: Vec<&[u8]> = messages.iter().map(|signed| signed.message).collect();
        let mut digests = vec![Hash::ZERO; messages.len()];
        self.keccak256(&texts, &mut digests);
        let signed = |(of, digest): (&SignedMessage<'_>, &Hash)| Signed { digest: *digest, signature: of.signature };
        let signers = self.recover(&messages.iter().zip(&digests).map(signed).collect::<Vec<_>>());
        messages.iter().zip(signers).map(|(of, signer)| signer.is_ok_and(|s| s.address == of.signer)).collect()
    }

    /// Writes the sum of the signer vectors, each times its weight.
    ///
    /// # Panics
    /// As [`vigil_crypto::signer_vectors::weighted_sums`].
    fn weighted_sums(&self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
        signer_vectors::weighted_sums(vectors, weights, sums);
    }

    /// How many guardians signed: entries that are not 0.
    fn signer_count(&self, vector: &[u8]) -> usize {
        signer_vectors::signer_count(vector)
    }

    /// Who signed in any of the vectors, as a bitmap.
    ///
    /// # Panics
    /// As [`vigil_crypto::signer_vectors::support`].
    fn signer_support(&self, n: usize, vectors: &[&[u8]]) -> Vec<u8> {
        signer_vectors::support(n, vectors)
    }

    /// The sum of two signer vectors; `None` if an entry would be above 255.
    ///
    /// # Panics
    /// If they differ in length.
    fn merge_signers(&self, a: &[u8], b: &[u8]) -> Option<Vec<u8>> {
        signer_vectors::merge(a, b)
    }

    /// The wire form of a signer vector.
    fn pack_signers(&self, vector: &[u8]) -> Vec<u8> {
        signer_vectors::pack(vector)
    }

    /// Reads the wire form of a signer vector of `n` entries.
    ///
    /// # Errors
    /// As [`vigil_crypto::signer_vectors::unpack`].
    fn unpack_signers(&self, n: usize, bytes: &[u8]) -> Result<Vec<u8>, UnpackError> {
        signer_vectors::unpack(n, bytes)
    }

    /// The Miller values of a range of guardians in the augmented scheme: pieces of [`PreparedCheckpoint::augmented`]'s table.
    ///
    /// # Panics
    /// If the range is out of bounds.
    fn miller_values(&self, guardians: &GuardianKeys, range: Range<usize>, message: &[u8]) -> Vec<MillerValue> {
        checkpoint::miller_values(&Plain, guardians, range, message)
    }

    /// What votes on a message are merged with.
    fn prepare_checkpoint(&self, scheme: Scheme, guardians: &Arc<GuardianKeys>, message: &[u8]) -> PreparedCheckpoint {
        let of = Arc::clone(guardians);
        match scheme {
            Scheme::ProofOfPossession => PreparedCheckpoint::proof_of_possession(of, message),
            Scheme::Augmented => {
                let values = self.miller_values(guardians, 0..guardians.len(), message);
                PreparedCheckpoint::augmented(of, message, values)
            }
        }
    }

    /// Merges votes on a checkpoint. The answer is [`vigil_crypto::checkpoint::merge`]'s.
    ///
    /// # Panics
    /// For more than [`checkpoint::AGGREGATES_MAX`].
    fn merge_votes(&self, checkpoint: &PreparedCheckpoint, votes: &[Aggregate]) -> Merged {
        checkpoint::merge(&Plain, checkpoint, votes)
    }
}

/// The backends of this machine, the slowest first; [`BackendName::Portable`] is always there.
pub fn detect() -> Vec<&'static dyn Backend> {
    static FOUND: OnceLock<Vec<Box<dyn Backend>>> = OnceLock::new();
    FOUND.get_or_init(look).iter().map(Box::as_ref).collect()
}

fn look() -> Vec<Box<dyn Backend>> {
    let mut found: Vec<Box<dyn Backend>> = vec![boxed(Portable)];
    #[cfg(target_arch = "aarch64")]
    found.extend(crate::backends::neon::Neon::detect().map(boxed));
    #[cfg(target_arch = "x86_64")]
    {
        found.extend(crate::backends::avx2::Avx2::detect().map(boxed));
        found.extend(crate::backends::avx512ifma::Avx512Ifma::detect().map(boxed));
    }
    found
}

fn boxed(token: impl Token + 'static) -> Box<dyn Backend> {
    Box::new(Cpu(token))
}
