//! The sources of the kernels: `kernels/wgsl/`, of which each shader gets only what it needs, so that drivers compile little.

use crate::gpu::card::Kernel;

/// How words are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// With 64-bit integers.
    Int64,
    /// With 32-bit integers alone.
    Plain,
}

impl Arithmetic {
    /// As people read it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Int64 => "64-bit integers",
            Self::Plain => "32-bit integers",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Int64 => wgsl!("wide_int64"),
            Self::Plain => wgsl!("wide_u32"),
        }
    }
}

/// A file of `kernels/wgsl/`.
macro_rules! wgsl {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../kernels/wgsl/", $name, ".wgsl"))
    };
}
use wgsl;

/// A shader with one entry point.
pub(super) struct Shader {
    /// The entry point.
    pub(super) name: &'static str,
    /// For each place, whether the shader writes to it.
    pub(super) writes: &'static [bool],
    parts: &'static [&'static [&'static str]],
}

const COMMON: &[&str] = &[wgsl!("words"), wgsl!("params")];
const TAG: &[&str] = &[wgsl!("tag")];
const TAG_ROW: &[&str] = &[wgsl!("secp_item"), wgsl!("tag"), wgsl!("tag_row")];
const FIELD: &[&str] = &[wgsl!("secp_field")];
const FIELD_POWER: &[&str] = &[wgsl!("secp_power")];
const ORDER: &[&str] = &[wgsl!("secp_order")];
const ORDER_POWER: &[&str] = &[wgsl!("secp_order_power")];
const CURVE: &[&str] = &[wgsl!("secp_field"), wgsl!("secp_curve")];
const STATE: &[&str] = &[wgsl!("secp_state")];
const STORE: &[&str] = &[wgsl!("secp_state"), wgsl!("secp_store")];
const ITEM: &[&str] = &[wgsl!("secp_item")];
const INVERT: &[&str] = &[wgsl!("invert")];
const SUMS: &[&str] = &[wgsl!("secp_digits"), wgsl!("secp_sum_common")];
const END: &[&str] = &[wgsl!("secp_affine")];
const KECCAK: &[&str] = &[wgsl!("keccak")];
const FP381: &[&str] = &[wgsl!("fp381_field"), wgsl!("fp381_square")];

impl Shader {
    /// That of a kernel; `None`: there is none in WGSL.
    pub(super) fn of(kernel: Kernel) -> Option<Self> {
        let (writes, parts): (&'static [bool], &'static [&'static [&'static str]]) = match kernel {
            Kernel::SecpPrepare => {
                (&[false, true], &[CURVE, FIELD_POWER, ORDER, STORE, ITEM, &[wgsl!("secp_prepare")]])
            }
            Kernel::InvertOrder => (&[true, true], &[ORDER, ORDER_POWER, STORE, INVERT, &[wgsl!("invert_order")]]),
            Kernel::SecpSum => (
                &[false, true, false, false],
                &[CURVE, ORDER, &[wgsl!("secp_split")], STORE, ITEM, SUMS, &[wgsl!("secp_sum")]],
            ),
            Kernel::SecpSumHot => {
                (&[false, true, false, false, false], &[CURVE, ORDER, STORE, ITEM, SUMS, &[wgsl!("secp_sum_hot")]])
            }
            Kernel::InvertField => (&[true, true], &[FIELD, FIELD_POWER, STORE, INVERT, &[wgsl!("invert_field")]]),
            Kernel::RecoverFinish => {
                (&[false, false, true], &[CURVE, STATE, END, KECCAK, TAG_ROW, &[wgsl!("recover_finish")]])
            }
            Kernel::KnownFinish => (&[false, false, true], &[CURVE, STATE, END, TAG_ROW, &[wgsl!("known_finish")]]),
            Kernel::SignerFinish => {
                (&[false, false, true], &[CURVE, STATE, END, KECCAK, TAG_ROW, &[wgsl!("signer_finish")]])
            }
            Kernel::KeccakMessages => (&[false, false, true], &[KECCAK, TAG, &[wgsl!("keccak_messages")]]),
            Kernel::SignerSums => (&[false, false, true], &[TAG, &[wgsl!("signer_sums")]]),
            Kernel::Fp381 => (&[true, false, false, false, true], &[FP381, &[wgsl!("fp381")]]),
            Kernel::G1Gather => (&[false, false, true], &[&[wgsl!("g1_gather")]]),
            Kernel::G1Products => (&[false, true, true], &[FP381, &[wgsl!("g1_pair"), wgsl!("g1_products")]]),
            Kernel::InvertFp381 => (&[true, true], &[FP381, &[wgsl!("fp381_inverse"), wgsl!("invert_fp381")]]),
            Kernel::G1Sums => (&[false, false, false, true], &[FP381, &[wgsl!("g1_pair"), wgsl!("g1_sums")]]),
            Kernel::ImadRate => return None,
        };
        Some(Self { name: kernel.name(), writes, parts })
    }

    /// The one that tries an arithmetic.
    pub(super) fn trial() -> Self {
        let parts = &[FIELD, FIELD_POWER, ORDER, ORDER_POWER, &[wgsl!("arithmetic")] as &[&str]];
        Self { name: "arithmetic", writes: &[false, true], parts }
    }

    /// Its text.
    pub(super) fn source(&self, arithmetic: Arithmetic) -> String {
        let parts = self.parts.iter().copied().flatten();
        [arithmetic.source()].iter().chain(COMMON).chain(parts).copied().collect::<Vec<_>>().join("\n")
    }
}
