//! What guardians say: a certificate in a method of our own, and a guardian as the reference shows it.

use super::scalars::{Big, Checksum, U64s};
use crate::{CertInfo, GuardianInfo};
use serde::Serialize;
use vigil_primitives::{BlsSignatureBytes, Bytes, Hash, U256};

/// A certificate of guardians: all that a proof consists of but their keys, and what the signers weigh.
#[derive(Serialize)]
pub(crate) struct FinalityCertJson<'a> {
    height: U64s,
    block_hash: Hash,
    set_hash: Hash,
    resets: U64s,
    /// The packed signer vector (`docs` of `vigil_crypto::signer_vectors`), hex.
    signers: &'a Bytes,
    signer_count: usize,
    guardian_count: usize,
    signer_weight: Big,
    total_weight: Big,
    signature: BlsSignatureBytes,
}

impl<'a> From<&'a CertInfo> for FinalityCertJson<'a> {
    fn from(info: &'a CertInfo) -> Self {
        let checkpoint = &info.cert.checkpoint;
        Self {
            height: U64s(checkpoint.height),
            block_hash: checkpoint.block_hash,
            set_hash: checkpoint.set_hash,
            resets: U64s(checkpoint.resets),
            signers: &info.cert.signers,
            signer_count: info.signers,
            guardian_count: info.guardians,
            signer_weight: Big(U256::from(info.weight)),
            total_weight: Big(U256::from(info.total_weight)),
            signature: info.cert.signature,
        }
    }
}

/// `GetGuardianInfo`: hex without 0x.
#[derive(Serialize)]
pub(crate) struct GuardianInfoJson {
    #[serde(rename = "BLSPubkey")]
    bls_pubkey: String,
    #[serde(rename = "BLSPop")]
    bls_pop: String,
    #[serde(rename = "Address")]
    address: Checksum,
    #[serde(rename = "Signature")]
    signature: String,
}

impl From<GuardianInfo> for GuardianInfoJson {
    fn from(info: GuardianInfo) -> Self {
        Self {
            bls_pubkey: hex::encode(info.bls_pubkey),
            bls_pop: hex::encode(info.bls_pop),
            address: Checksum(info.address),
            signature: hex::encode(&info.signature.0),
        }
    }
}
