//! BLS12-381 signatures: keys in G1 (48 bytes), signatures in G2 (96 bytes), IETF ciphersuites (DESIGN §4, "BLS").
//!
//! Points obey the rules of `spec/consensus.md` §2.10: canonical compressed form, on the curve, in the subgroup, and
//! neither a key nor a signature nor a sum of keys is the point at infinity. Keys come from private randomness.

use blst::BLST_ERROR;
use blst::min_pk::{
    AggregatePublicKey, AggregateSignature, PublicKey as Point1, SecretKey as Scalar, Signature as Point2,
};
use rand::{TryRngCore, rngs::OsRng};
use zeroize::Zeroizing;

/// Bytes of a compressed public key.
pub const PUBLIC_KEY_BYTES: usize = 48;
/// Bytes of a compressed signature.
pub const SIGNATURE_BYTES: usize = 96;

const POSSESSION_TAG: &[u8] = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// How rogue keys are kept out; which one a chain uses is genesis data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Signs the key with the message: H(pk || m). The whitepaper's, and the default.
    Augmented,
    /// Signs the message alone: H(m). Every key must have proven possession first.
    ProofOfPossession,
}

impl Scheme {
    /// The scheme of a genesis file's `bls_scheme`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "augmented" => Some(Self::Augmented),
            "proof-of-possession" => Some(Self::ProofOfPossession),
            _ => None,
        }
    }

    /// The domain separation tag of its signatures.
    pub fn tag(self) -> &'static [u8] {
        match self {
            Self::Augmented => b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_AUG_",
            Self::ProofOfPossession => b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_",
        }
    }

    /// What is hashed to the curve for `message` under `key`.
    pub(crate) fn signed(self, key: &PublicKey, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Augmented => [key.to_bytes().as_slice(), message].concat(),
            Self::ProofOfPossession => message.to_vec(),
        }
    }
}

/// Bytes or points that are no key or signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlsError {
    /// Wrong number of bytes.
    #[error("a compressed point has {expected} bytes here, got {got}")]
    Length {
        /// Bytes given.
        got: usize,
        /// Bytes it must have.
        expected: usize,
    },
    /// Not the canonical compressed encoding of a point of the curve.
    #[error("not the canonical encoding of a point of the curve")]
    Encoding,
    /// On the curve, but not in the subgroup.
    #[error("the point is not in the subgroup")]
    Subgroup,
    /// The point at infinity.
    #[error("the point at infinity is no key and no signature")]
    Infinity,
    /// Nothing to aggregate.
    #[error("an aggregate needs at least one part")]
    Empty,
    /// A secret key is 0 or at least the group order.
    #[error("a secret key is a number in 1..r")]
    SecretKey,
}

impl From<BLST_ERROR> for BlsError {
    fn from(error: BLST_ERROR) -> Self {
        match error {
            BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Self::Subgroup,
            BLST_ERROR::BLST_PK_IS_INFINITY => Self::Infinity,
            _ => Self::Encoding,
        }
    }
}

/// A public key: a point of G1's subgroup, not infinity. Checked when made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(Point1);

impl PublicKey {
    /// Decodes 48 bytes and checks the point.
    ///
    /// # Errors
    /// [`BlsError`] with the rule that is broken.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        check_length(bytes, PUBLIC_KEY_BYTES)?;
        let point = Point1::uncompress(bytes)?;
        point.validate()?;
        Ok(Self(point))
    }

    /// The compressed encoding.
    pub fn to_bytes(&self) -> [u8; PUBLIC_KEY_BYTES] {
        self.0.compress()
    }

    pub(crate) fn point(&self) -> Point1 {
        self.0
    }

    /// True if `signature` is this key's over `message`.
    pub fn verify(&self, scheme: Scheme, message: &[u8], signature: &Signature) -> bool {
        self.verify_tagged(scheme.tag(), &scheme.signed(self, message), signature)
    }

    /// True if `proof` is this key's proof of possession: its signature over its own 48 bytes, under a tag of its own.
    pub fn verify_possession(&self, proof: &Signature) -> bool {
        self.verify_tagged(POSSESSION_TAG, &self.to_bytes(), proof)
    }

    fn verify_tagged(&self, tag: &[u8], signed: &[u8], signature: &Signature) -> bool {
        signature.0.verify(false, signed, tag, &[], &self.0, false) == BLST_ERROR::BLST_SUCCESS
    }

    /// Sum of keys.
    ///
    /// # Errors
    /// [`BlsError::Empty`] for no keys, [`BlsError::Infinity`] if they cancel out.
    pub fn aggregate(keys: &[Self]) -> Result<Self, BlsError> {
        let points: Vec<&Point1> = keys.iter().map(|key| &key.0).collect();
        let sum = AggregatePublicKey::aggregate(&points, false).map_err(|_| BlsError::Empty)?.to_public_key();
        sum.validate()?;
        Ok(Self(sum))
    }
}

impl From<PublicKey> for blst::blst_p1_affine {
    fn from(key: PublicKey) -> Self {
        key.0.into()
    }
}

/// A signature or a sum of signatures: a point of G2's subgroup, not infinity. Checked when made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(Point2);

impl Signature {
    /// Decodes 96 bytes and checks the point.
    ///
    /// # Errors
    /// [`BlsError`] with the rule that is broken.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        check_length(bytes, SIGNATURE_BYTES)?;
        let point = Point2::uncompress(bytes)?;
        point.validate(true)?;
        Ok(Self(point))
    }

    /// The compressed encoding.
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        self.0.compress()
    }

    /// Sum of signatures.
    ///
    /// # Errors
    /// [`BlsError::Empty`] for no signatures, [`BlsError::Infinity`] if they cancel out.
    pub fn aggregate(signatures: &[Self]) -> Result<Self, BlsError> {
        let points: Vec<&Point2> = signatures.iter().map(|signature| &signature.0).collect();
        let sum = AggregateSignature::aggregate(&points, false).map_err(|_| BlsError::Empty)?.to_signature();
        sum.validate(true)?;
        Ok(Self(sum))
    }

    /// True if this is the sum of one signature of each key over its message. False for no parts.
    pub fn verify_aggregate(&self, scheme: Scheme, parts: &[(PublicKey, &[u8])]) -> bool {
        let signed: Vec<Vec<u8>> = parts.iter().map(|(key, message)| scheme.signed(key, message)).collect();
        let keys: Vec<Point1> = parts.iter().map(|(key, _)| key.0).collect();
        self.verify_points(scheme, &signed, &keys)
    }

    /// True if this is the sum of signatures: under each point, of the bytes at its place.
    pub(crate) fn verify_points(&self, scheme: Scheme, signed: &[Vec<u8>], points: &[Point1]) -> bool {
        let signed: Vec<&[u8]> = signed.iter().map(Vec::as_slice).collect();
        let points: Vec<&Point1> = points.iter().collect();
        self.0.aggregate_verify(false, &signed, scheme.tag(), &points, false) == BLST_ERROR::BLST_SUCCESS
    }

    /// True if this is the sum of the keys' signatures over one message, in the proof-of-possession scheme. False for
    /// no keys and for keys that cancel out.
    pub fn verify_same_message(&self, keys: &[PublicKey], message: &[u8]) -> bool {
        PublicKey::aggregate(keys).is_ok_and(|sum| sum.verify(Scheme::ProofOfPossession, message, self))
    }
}

impl From<Signature> for blst::blst_p2_affine {
    fn from(signature: Signature) -> Self {
        signature.0.into()
    }
}

/// A secret key. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct SecretKey(Scalar);

impl SecretKey {
    /// From 32 bytes, big-endian.
    ///
    /// # Errors
    /// [`BlsError::SecretKey`] if the number is 0 or at least the group order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BlsError> {
        Ok(Self(Scalar::from_bytes(bytes).map_err(|_| BlsError::SecretKey)?))
    }

    /// A new key from the operating system's randomness.
    ///
    /// # Panics
    /// If the operating system gives none.
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0u8; 32]);
        OsRng.try_fill_bytes(seed.as_mut()).expect("the operating system has randomness");
        Self(Scalar::key_gen(seed.as_ref(), &[]).expect("32 bytes are enough"))
    }

    /// The 32 bytes, big-endian; wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Its public key.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.sk_to_pk())
    }

    /// Signs a message; deterministic.
    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Signature {
        Signature(self.0.sign(&scheme.signed(&self.public_key(), message), scheme.tag(), &[]))
    }

    /// The proof of possession: a signature over the key's own 48 bytes under a tag of its own.
    pub fn prove_possession(&self) -> Signature {
        Signature(self.0.sign(&self.public_key().to_bytes(), POSSESSION_TAG, &[]))
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

fn check_length(bytes: &[u8], expected: usize) -> Result<(), BlsError> {
    if bytes.len() == expected { Ok(()) } else { Err(BlsError::Length { got: bytes.len(), expected }) }
}
