//! The judge: every operation one item at a time through `vigil-crypto`. Also the fastest way for one to three items.

use crate::ops::{Claim, Recovered, Signed, Signer, Verdict};
use vigil_crypto::{keccak256, recover_key, verify_known};
use vigil_primitives::Hash;

/// Who signed. Definition of `recover`.
///
/// # Errors
/// [`vigil_crypto::SignatureError`], the first rule that is broken.
pub fn recover(item: &Signed) -> Recovered {
    recover_key(&item.digest, &item.signature).map(|key| Signer { key, address: key.address() })
}

/// Whether the key signed. Definition of `verify_known`.
///
/// # Errors
/// [`vigil_crypto::SignatureError`]: the first rule of form that is broken, else `WrongKey`.
pub fn verify(claim: &Claim) -> Verdict {
    verify_known(&claim.signed.digest, &claim.signed.signature, &claim.key)
}

/// Keccak-256 of one message. Definition of `keccak256`.
pub fn digest(message: &[u8]) -> Hash {
    keccak256(message)
}
