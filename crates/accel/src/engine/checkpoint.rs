//! The operation `checkpoint`: votes merged on the calling thread, tables made by all workers.

use super::Engine;
use super::plan::Op;
use crate::bls::plain::Plain;
use crate::checkpoint::{
    self, AGGREGATES_MAX, Aggregate, GuardianKeys, Merged, MillerValue, PreparedCheckpoint, Scheme,
};
use std::ops::Range;
use std::sync::Arc;
use vigil_crypto::checkpoint as twin;

/// Guardians of a piece of a table: some milliseconds of work, after which one may stop, and many full vectors.
const PIECE: usize = 64;

impl Engine {
    /// What votes on a message are merged with. In the augmented scheme this is a table of 768 bytes a guardian, made by all
    /// workers in pieces; `goes_on` is asked before each, and `None` is given once it says no.
    pub fn prepare_checkpoint(
        &self,
        scheme: Scheme,
        guardians: &Arc<GuardianKeys>,
        message: &[u8],
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Option<PreparedCheckpoint> {
        let of = Arc::clone(guardians);
        if scheme == Scheme::ProofOfPossession {
            return goes_on().then(|| PreparedCheckpoint::proof_of_possession(of, message));
        }
        let pieces: Vec<Range<usize>> =
            (0..of.len()).step_by(PIECE).map(|start| start..(start + PIECE).min(of.len())).collect();
        let piece = |range: &Range<usize>| {
            if goes_on() { self.miller_values(guardians, range.clone(), message) } else { Vec::new() }
        };
        let work = |pieces: &[Range<usize>]| pieces.iter().flat_map(piece).collect();
        let values: Vec<MillerValue> = self.work.workers.spread_one_by_one(&pieces, work);
        (values.len() == of.len()).then(|| PreparedCheckpoint::augmented(of, message, values))
    }

    /// Merges votes. The calling thread does it, a millisecond or a few, so that no vote waits behind transactions. The answer
    /// is [`vigil_crypto::checkpoint::merge`]'s.
    ///
    /// # Panics
    /// For more than [`AGGREGATES_MAX`].
    pub fn merge_votes(&self, checkpoint: &PreparedCheckpoint, votes: &[Aggregate]) -> Merged {
        assert!(votes.len() <= AGGREGATES_MAX, "{} aggregates, at most {AGGREGATES_MAX}", votes.len());
        let by_backend = |merged: Merged| Some(merged).filter(|merged| merged.verdicts.len() == votes.len());
        self.work.attempt(
            Op::Checkpoint,
            votes.len(),
            |backend| by_backend(backend.merge_votes(checkpoint, votes)),
            || twin::merge(checkpoint.scheme(), checkpoint.guardians().keys(), checkpoint.message(), votes),
        )
    }

    fn miller_values(&self, guardians: &GuardianKeys, range: Range<usize>, message: &[u8]) -> Vec<MillerValue> {
        self.work.run(
            Op::MillerValues,
            range.len(),
            |backend| backend.miller_values(guardians, range.clone(), message),
            || checkpoint::miller_values(&Plain, guardians, range.clone(), message),
        )
    }
}
