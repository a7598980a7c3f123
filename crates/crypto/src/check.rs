//! The door through which batches of signatures reach a faster engine than this crate.

use crate::{keccak256, recover};
use vigil_primitives::{Address, Hash, SIGNATURE_BYTES};

/// Did `signer` make this signature?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was signed.
    pub digest: Hash,
    /// `r || s || v`, v 0 or 1.
    pub signature: [u8; SIGNATURE_BYTES],
    /// Said to have signed.
    pub signer: Address,
}

/// Checks signatures and hashes, many at a time.
///
/// What [`crate::verify_txs`] makes of the answers is taken for verified by everything behind it: **whoever implements this
/// vouches** that every answer is the one that [`Scalar`] gives, for every input.
pub trait SignatureChecker {
    /// For each check, in order, whether [`recover`] gives its signer.
    fn check(&self, checks: &[Check]) -> Vec<bool>;

    /// Keccak-256 of each message, in order.
    fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash>;
}

/// One after the other on the calling thread: the judge of all others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scalar;

impl SignatureChecker for Scalar {
    fn check(&self, checks: &[Check]) -> Vec<bool> {
        checks.iter().map(|check| recover(&check.digest, &check.signature) == Ok(check.signer)).collect()
    }

    fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash> {
        messages.iter().map(keccak256).collect()
    }
}
