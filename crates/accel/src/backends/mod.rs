//! The gates: each backend's hardware check, token and entry points.

pub(crate) mod portable;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512ifma;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
