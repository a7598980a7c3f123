//! The same verdicts as [`crate::recover`] from a second, unrelated implementation (k256), for tests and benches.

use crate::SignatureError;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::scalar::IsHigh;
use k256::{FieldBytes, NonZeroScalar, Scalar};
use vigil_primitives::{Address, Hash, SIGNATURE_BYTES};

/// As [`crate::recover`], with the range rules too decided by k256's own scalars.
///
/// # Errors
/// [`SignatureError`]: the same reason for every input.
pub fn recover(digest: &Hash, sig: &[u8; SIGNATURE_BYTES]) -> Result<Address, SignatureError> {
    let id = RecoveryId::from_byte(sig[64]).filter(|id| !id.is_x_reduced());
    let id = id.ok_or(SignatureError::RecoveryId(sig[64]))?;
    let r = scalar(&sig[..32]).ok_or(SignatureError::R)?;
    let s = scalar(&sig[32..64]).ok_or(SignatureError::S)?;
    if bool::from(s.is_high()) {
        return Err(SignatureError::HighS);
    }
    let signature = Signature::from_scalars(r, s).map_err(|_| SignatureError::NoKey)?;
    let key = VerifyingKey::recover_from_prehash(digest.as_slice(), &signature, id);
    let key = key.map_err(|_| SignatureError::NoKey)?;
    Ok(Address::from_raw_public_key(&key.to_encoded_point(false).as_bytes()[1..]))
}

/// A number in 1..n from 32 bytes.
fn scalar(bytes: &[u8]) -> Option<NonZeroScalar> {
    let scalar = Option::<Scalar>::from(Scalar::from_repr(*FieldBytes::from_slice(bytes)))?;
    NonZeroScalar::new(scalar).into()
}
