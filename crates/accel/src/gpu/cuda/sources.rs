//! The sources of the kernels: `kernels/cuda/`, in the program.

use crate::gpu::card::Kernel;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A file of `kernels/cuda/`, with its name.
macro_rules! cuda {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../kernels/cuda/", $name)))
    };
}

/// All that NVRTC compiles or includes, by name.
pub(super) const SOURCES: [(&str, &str); 19] = [
    cuda!("base.cuh"),
    cuda!("columns.cuh"),
    cuda!("fp381.cu"),
    cuda!("fp381_field.cuh"),
    cuda!("fp381_inverse.cuh"),
    cuda!("g1.cu"),
    cuda!("keccak.cu"),
    cuda!("keccak.cuh"),
    cuda!("rate.cu"),
    cuda!("secp.cu"),
    cuda!("secp_curve.cuh"),
    cuda!("secp_field.cuh"),
    cuda!("secp_inverse.cuh"),
    cuda!("secp_order.cuh"),
    cuda!("secp_rows.cuh"),
    cuda!("secp_sums.cuh"),
    cuda!("signers.cu"),
    cuda!("tag.cuh"),
    cuda!("words.cuh"),
];

/// What is compiled together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Module {
    /// `secp.cu`
    Secp,
    /// `keccak.cu`
    Keccak,
    /// `signers.cu`
    Signers,
    /// `fp381.cu`
    Fp381,
    /// `g1.cu`
    G1,
    /// `rate.cu`
    Rate,
}

impl Module {
    /// All of them.
    pub(super) const ALL: [Self; 6] = [Self::Secp, Self::Keccak, Self::Signers, Self::Fp381, Self::G1, Self::Rate];

    /// Its file, without `.cu`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Secp => "secp",
            Self::Keccak => "keccak",
            Self::Signers => "signers",
            Self::Fp381 => "fp381",
            Self::G1 => "g1",
            Self::Rate => "rate",
        }
    }

    /// The one that has a kernel.
    pub(super) const fn of(kernel: Kernel) -> Self {
        match kernel {
            Kernel::SecpPrepare
            | Kernel::InvertOrder
            | Kernel::SecpSum
            | Kernel::SecpSumHot
            | Kernel::InvertField
            | Kernel::RecoverFinish
            | Kernel::KnownFinish
            | Kernel::SignerFinish => Self::Secp,
            Kernel::KeccakMessages => Self::Keccak,
            Kernel::SignerSums => Self::Signers,
            Kernel::Fp381 => Self::Fp381,
            Kernel::G1Gather | Kernel::G1Products | Kernel::InvertFp381 | Kernel::G1Sums => Self::G1,
            Kernel::ImadRate => Self::Rate,
        }
    }

    /// Its text.
    pub(super) fn text(self) -> &'static str {
        let is_it = |name: &str| name.strip_suffix(".cu") == Some(self.name());
        SOURCES.iter().find(|(name, _)| is_it(name)).expect("each module has a file").1
    }
}

/// Names and texts of what modules include.
pub(super) fn headers() -> impl Iterator<Item = (&'static str, &'static str)> {
    SOURCES.into_iter().filter(|(name, _)| name.ends_with(".cuh"))
}

/// What tells these sources from others: the first 32 digits of SHA-256 of name, zero byte, text, zero byte of each file, in
/// the order of names. `scripts/nvrtc.py` works out the same.
pub(super) fn hash() -> &'static str {
    static HASH: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for (name, text) in SOURCES {
            [name, "\0", text, "\0"].into_iter().for_each(|part| hash.update(part));
        }
        hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    });
    &HASH
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_file_is_there_in_order() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernels/cuda");
        let files = std::fs::read_dir(folder).expect("the kernels").map(|entry| entry.expect("a file").file_name());
        let mut files: Vec<_> = files.map(|name| name.into_string().expect("plain names")).collect();
        files.retain(|name| name.ends_with(".cu") || name.ends_with(".cuh"));
        files.sort();
        assert_eq!(SOURCES.map(|(name, _)| name).as_slice(), files);
    }

    #[test]
    fn kernels_are_in_the_files_that_are_said_to_have_them() {
        for kernel in Kernel::ALL {
            let declared = format!("KERNEL({}, ", kernel.name());
            assert!(Module::of(kernel).text().contains(&declared), "{}", kernel.name());
        }
    }

    #[test]
    fn the_script_works_out_the_same_hash() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let script = std::process::Command::new("python3").arg(root.join("scripts/nvrtc.py")).arg("--hash").output();
        let output = script.expect("python3, to run scripts/nvrtc.py");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), hash(), "{output:?}");
    }
}
