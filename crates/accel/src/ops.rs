//! What goes into an operation and what comes out.

use vigil_primitives::{Address, Hash, SIGNATURE_BYTES};

pub use vigil_crypto::{MessageSignature, PublicKey, SignatureError, SignedMessage};

/// A signature over a digest, by whom is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub digest: Hash,
    /// `r || s || v`: r and s 32 bytes big-endian, v 0 or 1.
    pub signature: [u8; SIGNATURE_BYTES],
}

/// A signature over a digest, said to be made with a known key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Digest and signature.
    pub signed: Signed,
    /// Whose.
    pub key: PublicKey,
}

/// Who signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub key: PublicKey,
    /// Its account.
    pub address: Address,
}

/// Answer of `recover`, for every input the same as [`vigil_crypto::recover_key`]'s.
pub type Recovered = Result<Signer, SignatureError>;

/// Answer of `verify_known`, for every input the same as [`vigil_crypto::verify_known`]'s.
pub type Verdict = Result<(), SignatureError>;
