//! The operation `checkpoint`: votes of guardians merged and verified, with what is worked out once for a guardian set
//! ([`GuardianKeys`]) and once for a checkpoint ([`PreparedCheckpoint`]).
//!
//! Definition: [`vigil_crypto::checkpoint`], whose answers these are for every input. All votes are added up and the sum is
//! judged; if it does not hold, its halves are, and so on.
//! - `proof-of-possession`: e(g, σ) = e(Σ c_u pk_u, H(m)). H(m) is prepared, the sum of keys is what takes time.
//! - `augmented`: e(g, σ) = Π e(pk_u, H(pk_u || m))^c_u. Prepared are the Miller values f_u of all guardians; the final
//!   exponentiation is a homomorphism, so that one of Π f_u^c_u closes the check.

mod merge;

pub(crate) use merge::merge;

use crate::bls::row::{Point, Row12};
use crate::bls::{Maths, library};
use blst::blst_p2_affine;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
pub use vigil_crypto::bls::{PublicKey as GuardianKey, Scheme};
pub use vigil_crypto::checkpoint::{AGGREGATES_MAX, Aggregate, Merged, Reject, Sum};

/// The keys of a guardian set, in its order, in the form that sums are taken of: 272 bytes a guardian.
#[derive(Clone, Debug)]
pub struct GuardianKeys {
    keys: Vec<GuardianKey>,
    points: Vec<Point>,
}

impl GuardianKeys {
    /// Of keys in the order of the set. About 0.1 microseconds a key.
    pub fn new(keys: &[GuardianKey]) -> Self {
        let points = keys.iter().map(|key| Point::from_blst(&(*key).into())).collect();
        Self { keys: keys.to_vec(), points }
    }

    /// The keys, in the order of the set.
    pub fn keys(&self) -> &[GuardianKey] {
        &self.keys
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True for no guardians.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// What each guardian of a range signs in the augmented scheme: its key, then the message.
    #[doc(hidden)]
    pub fn signed(&self, range: Range<usize>, message: &[u8]) -> Vec<Vec<u8>> {
        self.keys[range].iter().map(|key| [&key.to_bytes(), message].concat()).collect()
    }
}

/// A Miller value of a guardian's key and the hash of what it signs (augmented scheme): 768 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct MillerValue(pub(crate) Row12);

/// As [`crate::Backend::miller_values`].
pub(crate) fn miller_values(
    maths: &dyn Maths,
    guardians: &GuardianKeys,
    range: Range<usize>,
    message: &[u8],
) -> Vec<MillerValue> {
    let signed = guardians.signed(range.clone(), message);
    let values = maths.miller_values(&guardians.points()[range], &signed, Scheme::Augmented.tag());
    values.into_iter().map(MillerValue).collect()
}

/// A checkpoint of a guardian set, ready to merge votes on.
#[derive(Clone, Debug)]
pub struct PreparedCheckpoint {
    guardians: Arc<GuardianKeys>,
    message: Vec<u8>,
    of_scheme: OfScheme,
    /// A graphics card made the table: what it finds good is good, but what it does not is decided with another table.
    by_card: bool,
    again: OnceLock<Vec<Row12>>,
}

#[derive(Clone, Debug)]
enum OfScheme {
    /// H(m)
    ProofOfPossession(Box<blst_p2_affine>),
    /// One for each guardian.
    Augmented(Vec<Row12>),
}

/// [`OfScheme`], with the table that is to be used.
enum Prepared<'a> {
    ProofOfPossession(&'a blst_p2_affine),
    Augmented(&'a [Row12]),
}

impl PreparedCheckpoint {
    /// In the scheme with proofs of possession. One hash to the curve, a tenth of a millisecond.
    pub fn proof_of_possession(guardians: Arc<GuardianKeys>, message: &[u8]) -> Self {
        let hash = library::hash_to_g2(message, Scheme::ProofOfPossession.tag());
        Self::new(guardians, message, OfScheme::ProofOfPossession(Box::new(hash)))
    }

    /// In the augmented scheme, with the values of [`crate::Backend::miller_values`] for all guardians and this message.
    ///
    /// # Panics
    /// If there is not one value for each guardian.
    pub fn augmented(guardians: Arc<GuardianKeys>, message: &[u8], values: Vec<MillerValue>) -> Self {
        assert_eq!(values.len(), guardians.len(), "a Miller value for each guardian");
        let values = values.into_iter().map(|value| value.0).collect();
        Self::new(guardians, message, OfScheme::Augmented(values))
    }

    fn new(guardians: Arc<GuardianKeys>, message: &[u8], of_scheme: OfScheme) -> Self {
        Self { guardians, message: message.to_vec(), of_scheme, by_card: false, again: OnceLock::new() }
    }

    /// The same, with a table that a graphics card had a part in.
    pub(crate) fn by_card(self) -> Self {
        Self { by_card: true, ..self }
    }

    /// Whether what is refused with this table is to be refused.
    pub(crate) fn is_trusted(&self) -> bool {
        !self.by_card || self.again.get().is_some()
    }

    /// From now on the table is one of the CPU, which `values` works out if this one is not.
    pub(crate) fn trust(&self, values: impl FnOnce() -> Vec<MillerValue>) {
        if !self.is_trusted() {
            self.again.get_or_init(|| values().into_iter().map(|value| value.0).collect());
        }
    }

    /// What `merge` makes of votes, which are refused with a table of the CPU only; and whether another table was wrong.
    pub(crate) fn judged(
        &self,
        merge: impl Fn() -> Merged,
        values: impl FnOnce() -> Vec<MillerValue>,
    ) -> (Merged, bool) {
        // Another caller may have the table replaced meanwhile.
        let was_trusted = self.is_trusted();
        let merged = merge();
        if was_trusted || merged.verdicts.iter().all(Result::is_ok) {
            return (merged, false);
        }
        self.trust(values);
        let right = merge();
        let is_other = right != merged;
        (right, is_other)
    }

    /// What votes are merged with.
    fn of_scheme(&self) -> Prepared<'_> {
        match &self.of_scheme {
            OfScheme::ProofOfPossession(hash) => Prepared::ProofOfPossession(hash),
            OfScheme::Augmented(values) => Prepared::Augmented(self.again.get().unwrap_or(values)),
        }
    }

    /// Which scheme.
    pub fn scheme(&self) -> Scheme {
        match self.of_scheme {
            OfScheme::ProofOfPossession(_) => Scheme::ProofOfPossession,
            OfScheme::Augmented(_) => Scheme::Augmented,
        }
    }

    /// Whose votes.
    pub fn guardians(&self) -> &Arc<GuardianKeys> {
        &self.guardians
    }

    /// What is voted on.
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}
