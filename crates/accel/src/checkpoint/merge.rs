//! Merging, whatever the backend: [`vigil_crypto::checkpoint::merge`] with what is prepared.

use super::{AGGREGATES_MAX, Aggregate, Merged, Prepared, PreparedCheckpoint, Reject, Sum};
use crate::bls::Maths;
use crate::bls::library::{self, SumG2, exponentiates_to_one, minus_g1};
use blst::blst_p2_affine;
use vigil_crypto::bls::Signature;

/// As [`crate::Backend::merge_votes`].
pub(crate) fn merge(maths: &dyn Maths, checkpoint: &PreparedCheckpoint, votes: &[Aggregate]) -> Merged {
    assert!(votes.len() <= AGGREGATES_MAX, "{} aggregates, at most {AGGREGATES_MAX}", votes.len());
    let mut verdicts: Vec<_> = votes.iter().map(|votes| check_vector(checkpoint.guardians.len(), votes)).collect();
    let well_formed: Vec<usize> = (0..votes.len()).filter(|at| verdicts[*at].is_ok()).collect();
    let mut parts = Vec::with_capacity(well_formed.len());
    let signatures: Vec<[u8; 96]> = well_formed.iter().map(|at| votes[*at].signature).collect();
    for (at, point) in well_formed.into_iter().zip(maths.signatures(&signatures)) {
        match point.map_or_else(|| judge_signature(&votes[at]), Ok) {
            Ok(signature) => parts.push(Part { at, signature, signers: &votes[at].signers }),
            Err(reject) => verdicts[at] = Err(reject),
        }
    }
    Work { maths, checkpoint }.bisect(&parts, &mut verdicts);
    parts.retain(|part| verdicts[part.at].is_ok());
    Merged { sum: sum(&parts), verdicts }
}

fn check_vector(guardians: usize, votes: &Aggregate) -> Result<(), Reject> {
    if votes.signers.len() != guardians {
        return Err(Reject::Length { got: votes.signers.len(), expected: guardians });
    }
    if votes.signers.iter().all(|entry| *entry == 0) { Err(Reject::Empty) } else { Ok(()) }
}

fn judge_signature(votes: &Aggregate) -> Result<blst_p2_affine, Reject> {
    Ok(Signature::from_bytes(&votes.signature)?.into())
}

/// A well-formed aggregate.
struct Part<'a> {
    at: usize,
    signature: blst_p2_affine,
    signers: &'a [u8],
}

fn signature_sum(parts: &[Part<'_>]) -> Option<blst_p2_affine> {
    SumG2::of(parts.iter().map(|part| &part.signature)).to_affine()
}

fn signer_sum(parts: &[Part<'_>]) -> Vec<u16> {
    let mut sum = vec![0u16; parts.first().map_or(0, |part| part.signers.len())];
    for part in parts {
        sum.iter_mut().zip(part.signers).for_each(|(sum, entry)| *sum += u16::from(*entry));
    }
    sum
}

fn sum(parts: &[Part<'_>]) -> Option<Sum> {
    let signature = library::compress(&signature_sum(parts)?);
    Some(Sum { signature, signers: signer_sum(parts) })
}

struct Work<'a> {
    maths: &'a dyn Maths,
    checkpoint: &'a PreparedCheckpoint,
}

impl Work<'_> {
    fn bisect(&self, parts: &[Part<'_>], verdicts: &mut [Result<(), Reject>]) {
        match parts {
            [] => {}
            [part] => verdicts[part.at] = self.judge(parts),
            _ if self.judge(parts).is_ok() => {}
            _ => {
                let (first, rest) = parts.split_at(parts.len() / 2);
                self.bisect(first, verdicts);
                self.bisect(rest, verdicts);
            }
        }
    }

    /// The sum of parts. What is wrong with it is of interest for a single part alone, whose signature is a point.
    fn judge(&self, parts: &[Part<'_>]) -> Result<(), Reject> {
        let signature = signature_sum(parts).ok_or(Reject::Equation)?;
        let signers = signer_sum(parts);
        let value = match self.checkpoint.of_scheme() {
            Prepared::ProofOfPossession(hash) => {
                let keys = self.maths.key_sum(self.checkpoint.guardians.points(), &signers);
                let keys = library::to_affine(&keys).ok_or(Reject::Keys)?;
                self.maths.miller_product(&[(minus_g1(), signature), (keys, *hash)])
            }
            Prepared::Augmented(values) => {
                let product = self.maths.product(values, &signers);
                library::multiply(&product, &self.maths.miller_product(&[(minus_g1(), signature)]))
            }
        };
        if exponentiates_to_one(&value) { Ok(()) } else { Err(Reject::Equation) }
    }
}
