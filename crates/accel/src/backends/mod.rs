//! The gates: each CPU backend's hardware check, its token and its instructions. What they all do with these is `cpu`'s.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512ifma;
pub(crate) mod cpu;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod portable;
