//! The operation `checkpoint`: votes merged on the calling thread, tables made by all workers.

use super::Engine;
use super::divide::On;
use super::plan::Op;
use crate::bls::plain::Plain;
use crate::checkpoint::{
    self, AGGREGATES_MAX, Aggregate, GuardianKeys, Merged, MillerValue, PreparedCheckpoint, Scheme,
};
use crate::gpu::Fault;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
        let by_card = AtomicBool::new(false);
        let part = |part: &[usize], on: On| match (part, on) {
            ([first, ..], On::Card { card, .. }) if goes_on() => {
                by_card.store(true, Ordering::Relaxed);
                let on_thread = |part: &[usize]| self.table_part(guardians, part, message, goes_on);
                let by_cpu = || self.work.on_workers(Op::MillerValues, part, on_thread);
                self.work.cards[card].miller_values_with(guardians, *first..first + part.len(), message, by_cpu)
            }
            ([..], On::Card { .. }) => Vec::new(),
            (part, On::ThisThread) => self.table_part(guardians, part, message, goes_on),
        };
        let all: Vec<usize> = (0..of.len()).collect();
        let values: Vec<MillerValue> = self.work.divided(Op::MillerValues, &all, part);
        let checkpoint = (values.len() == of.len()).then(|| PreparedCheckpoint::augmented(of, message, values))?;
        Some(if by_card.into_inner() { checkpoint.by_card() } else { checkpoint })
    }

    /// The values of guardians in a row, by the CPU; fewer once `goes_on` says no.
    fn table_part(
        &self,
        guardians: &GuardianKeys,
        part: &[usize],
        message: &[u8],
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Vec<MillerValue> {
        let piece = |piece: &[usize]| match piece {
            [first, ..] if goes_on() => self.miller_values(guardians, *first..first + piece.len(), message),
            _ => Vec::new(),
        };
        part.chunks(PIECE).flat_map(piece).collect()
    }

    /// Merges votes. The calling thread does it, a millisecond or a few, so that no vote waits behind transactions. The answer
    /// is [`vigil_crypto::checkpoint::merge`]'s: before votes are refused with a table that a graphics card had a part in, the
    /// workers make another, once a checkpoint.
    ///
    /// # Panics
    /// For more than [`AGGREGATES_MAX`].
    pub fn merge_votes(&self, checkpoint: &PreparedCheckpoint, votes: &[Aggregate]) -> Merged {
        let by_workers = || {
            let (guardians, all) = (checkpoint.guardians(), Vec::from_iter(0..checkpoint.guardians().len()));
            let work = |part: &[usize]| self.table_part(guardians, part, checkpoint.message(), &|| true);
            self.work.on_workers(Op::MillerValues, &all, work)
        };
        let (merged, was_wrong) = checkpoint.judged(|| self.merge_with(checkpoint, votes), by_workers);
        if was_wrong {
            let lie = Fault::Lies("a table of Miller values was wrong".to_owned());
            self.work.cards.iter().for_each(|card| card.failed(&lie));
        }
        merged
    }

    fn merge_with(&self, checkpoint: &PreparedCheckpoint, votes: &[Aggregate]) -> Merged {
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
