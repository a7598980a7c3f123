//! Aggregated votes of guardians on one checkpoint (`spec/consensus.md` §2.4, §2.10). Definition of the engine's operation
//! `checkpoint`, plain.
//!
//! An aggregate is the sum of c_u signatures of each guardian u, and the vector c. With σ the sum, g the generator of G1,
//! it holds if
//! - `proof-of-possession`: e(g, σ) = e(Σ c_u pk_u, H(m));
//! - `augmented`: e(g, σ) = Π e(c_u pk_u, H(pk_u || m)).
//!
//! Many aggregates are merged first and checked once (A4, P3): what is kept is the sum, so the sum is what must hold.
//! Errors of parts that cancel out do no harm, but no part may be used alone.

use crate::bls::{BlsError, PublicKey, Scheme, Signature};
use blst::MultiPoint;
use blst::min_pk::{AggregatePublicKey, PublicKey as Point1};

/// How many aggregates one call merges at most: sums of entries fit 16 bits.
pub const AGGREGATES_MAX: usize = 256;

/// Votes on a checkpoint as they come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// A compressed point of G2; unchecked.
    pub signature: [u8; 96],
    /// How often each guardian's signature is in it, in the order of the guardian set.
    pub signers: Vec<u8>,
}

/// Aggregates added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// A compressed point of G2.
    pub signature: [u8; 96],
    /// How often each guardian's signature is in it.
    pub signers: Vec<u16>,
}

/// Why an aggregate is refused: the first rule that it breaks, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// The vector belongs to another set.
    #[error("the signer vector has {got} entries, the set has {expected} guardians")]
    Length {
        /// Entries given.
        got: usize,
        /// Guardians of the set.
        expected: usize,
    },
    /// Nobody signed.
    #[error("the signer vector is all zero")]
    Empty,
    /// The signature is no point that may be one.
    #[error("the signature: {0}")]
    Signature(#[from] BlsError),
    /// The keys of the signers add up to infinity (`proof-of-possession`).
    #[error("the signers' keys cancel out")]
    Keys,
    /// The signature is not the signers'.
    #[error("the signature is not that of the signers")]
    Equation,
}

/// Answer of [`merge`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// For each aggregate, in order.
    pub verdicts: Vec<Result<(), Reject>>,
    /// The sum of the accepted ones. `None` if there are none, or if they cancel out.
    pub sum: Option<Sum>,
}

/// Judges one aggregate.
///
/// # Errors
/// [`Reject`], the first rule that is broken.
pub fn judge(scheme: Scheme, keys: &[PublicKey], message: &[u8], votes: &Aggregate) -> Result<(), Reject> {
    let signature = check_form(keys.len(), votes)?;
    Set { scheme, keys, message }.holds(&Part::new(0, votes, signature))
}

/// Merges aggregates and judges their sum. Those that are malformed are refused first, each for itself. If the sum of the
/// others does not hold, its halves are judged (the first has half of the number, rounded down), and so on: a sum that
/// holds is accepted as a whole, and only what does not hold alone is refused.
///
/// # Panics
/// For more than [`AGGREGATES_MAX`].
pub fn merge(scheme: Scheme, keys: &[PublicKey], message: &[u8], votes: &[Aggregate]) -> Merged {
    assert!(votes.len() <= AGGREGATES_MAX, "{} aggregates, at most {AGGREGATES_MAX}", votes.len());
    let mut verdicts = vec![Ok(()); votes.len()];
    let mut parts = Vec::new();
    for (index, votes) in votes.iter().enumerate() {
        match check_form(keys.len(), votes) {
            Ok(signature) => parts.push(Part::new(index, votes, signature)),
            Err(reject) => verdicts[index] = Err(reject),
        }
    }
    Set { scheme, keys, message }.bisect(&parts, &mut verdicts);
    parts.retain(|part| verdicts[part.index].is_ok());
    let sum = Part::sum(&parts).map(|sum| Sum { signature: sum.signature.to_bytes(), signers: sum.signers });
    Merged { verdicts, sum }
}

/// What can be said of an aggregate without any key.
fn check_form(guardians: usize, votes: &Aggregate) -> Result<Signature, Reject> {
    if votes.signers.len() != guardians {
        return Err(Reject::Length { got: votes.signers.len(), expected: guardians });
    }
    if votes.signers.iter().all(|entry| *entry == 0) {
        return Err(Reject::Empty);
    }
    Ok(Signature::from_bytes(&votes.signature)?)
}

/// A well-formed aggregate, or a sum of such.
struct Part {
    index: usize,
    signature: Signature,
    signers: Vec<u16>,
}

impl Part {
    fn new(index: usize, votes: &Aggregate, signature: Signature) -> Self {
        Self { index, signature, signers: votes.signers.iter().map(|entry| u16::from(*entry)).collect() }
    }

    /// `None` for no parts, or if the signatures cancel out.
    fn sum(parts: &[Self]) -> Option<Self> {
        let signatures: Vec<Signature> = parts.iter().map(|part| part.signature).collect();
        let signature = Signature::aggregate(&signatures).ok()?;
        let mut signers = vec![0; parts[0].signers.len()];
        for part in parts {
            signers.iter_mut().zip(&part.signers).for_each(|(sum, entry)| *sum += entry);
        }
        Some(Self { index: 0, signature, signers })
    }
}

/// What all aggregates are judged by.
struct Set<'a> {
    scheme: Scheme,
    keys: &'a [PublicKey],
    message: &'a [u8],
}

impl Set<'_> {
    fn bisect(&self, parts: &[Part], verdicts: &mut [Result<(), Reject>]) {
        match parts {
            [] => {}
            [part] => verdicts[part.index] = self.holds(part),
            _ if Part::sum(parts).is_some_and(|sum| self.holds(&sum).is_ok()) => {}
            _ => {
                let (first, rest) = parts.split_at(parts.len() / 2);
                self.bisect(first, verdicts);
                self.bisect(rest, verdicts);
            }
        }
    }

    fn holds(&self, part: &Part) -> Result<(), Reject> {
        let keys = self.keys.iter().zip(&part.signers).filter(|(_, entry)| **entry > 0);
        let holds = match self.scheme {
            Scheme::Augmented => {
                let messages: Vec<Vec<u8>> =
                    keys.clone().map(|(key, _)| self.scheme.signed(key, self.message)).collect();
                let keys: Vec<Point1> = keys.map(|(key, entry)| times(key, *entry).to_public_key()).collect();
                part.signature.verify_points(self.scheme, &messages, &keys)
            }
            Scheme::ProofOfPossession => {
                let mut terms = keys.map(|(key, entry)| times(key, *entry));
                let mut sum = terms.next().ok_or(Reject::Empty)?;
                terms.for_each(|term| sum.add_aggregate(&term));
                let sum = sum.to_public_key();
                sum.validate().map_err(|_| Reject::Keys)?;
                part.signature.verify_points(self.scheme, &[self.message.to_vec()], &[sum])
            }
        };
        if holds { Ok(()) } else { Err(Reject::Equation) }
    }
}

/// A key, `entry` times. Not infinity: the order of the group is a prime above all entries.
fn times(key: &PublicKey, entry: u16) -> AggregatePublicKey {
    [key.point()].mult(&entry.to_le_bytes(), 16)
}
