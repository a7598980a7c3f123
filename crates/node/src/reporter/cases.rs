//! Faults that are not punished yet: one an offender and role.

use super::CASES_MAX;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Instant;
use vigil_primitives::{Address, EVIDENCE_BYTES_MAX, Evidence, Hash};

/// A fault that is not punished yet.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) evidence: Evidence,
    /// The report that was sent last.
    pub(super) sent: Option<Sent>,
}

/// A report that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) hash: Hash,
    /// When it was published last.
    pub(super) at: Instant,
    /// How often.
    pub(super) times: usize,
}

/// By offender and role. The lowest fault of each is kept: it can be punished first, and the punishment takes all that there
/// is to take. So nobody fills the memory with faults of heights that will not come.
#[derive(Debug, Default)]
pub(super) struct Cases(BTreeMap<(Address, u8), Case>);

/// What became of evidence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Its offender had no case.
    New,
    /// Its offender had a case of a later fault: this one.
    InsteadOf(Box<Evidence>),
    /// Its offender has a case that is as good, or it could never be reported.
    Known,
    /// There are too many cases.
    NoRoom,
}

impl Cases {
    /// Takes evidence in.
    pub(super) fn take(&mut self, evidence: Evidence) -> Taken {
        if evidence.to_bytes().len() > EVIDENCE_BYTES_MAX {
            return Taken::Known;
        }
        let is_full = self.0.len() >= CASES_MAX;
        match self.0.entry((evidence.offender(), evidence.role() as u8)) {
            Entry::Occupied(known) if known.get().evidence.height() <= evidence.height() => Taken::Known,
            Entry::Occupied(mut known) => {
                let later = known.insert(Case { evidence, sent: None });
                Taken::InsteadOf(Box::new(later.evidence))
            }
            Entry::Vacant(_) if is_full => Taken::NoRoom,
            Entry::Vacant(new) => {
                new.insert(Case { evidence, sent: None });
                Taken::New
            }
        }
    }

    pub(super) fn remove(&mut self, key: &(Address, u8)) -> Option<Case> {
        self.0.remove(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&(Address, u8), &Case)> {
        self.0.iter()
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Case> {
        self.0.values_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::{AggregatedVotes, BlsSignatureBytes, Bytes, Checkpoint};

    fn evidence(offender: usize, height: u64) -> Evidence {
        let votes = |block: u8| AggregatedVotes {
            checkpoint: Checkpoint { height, block_hash: Hash::repeat_byte(block), ..Checkpoint::default() },
            signers: Bytes::new(),
            signature: BlsSignatureBytes::ZERO,
        };
        let offender = Address::left_padding_from(&offender.to_be_bytes());
        Evidence::GuardianDoubleVote(offender, Box::new((votes(1), votes(2))))
    }

    #[test]
    fn faults_of_heights_far_away_hide_nobody() {
        let mut cases = Cases::default();
        assert_eq!(cases.take(evidence(1, 1 << 40)), Taken::New);
        for height in 1..=2 * CASES_MAX as u64 {
            assert_eq!(cases.take(evidence(1, (1 << 40) + height)), Taken::Known);
        }
        assert_eq!((cases.take(evidence(2, 100)), cases.len()), (Taken::New, 2));
        assert_eq!(cases.take(evidence(1, 100)), Taken::InsteadOf(Box::new(evidence(1, 1 << 40))));
        assert!(cases.values_mut().all(|case| case.evidence.height() == 100));
    }

    #[test]
    fn who_finds_no_room_has_some_later() {
        let mut cases = Cases::default();
        assert!((0..CASES_MAX).all(|offender| cases.take(evidence(offender, 100)) == Taken::New));
        assert_eq!(cases.take(evidence(CASES_MAX, 100)), Taken::NoRoom);
        assert_eq!(cases.take(evidence(7, 50)), Taken::InsteadOf(Box::new(evidence(7, 100))));
        let first = *cases.iter().next().unwrap().0;
        assert!(cases.remove(&first).is_some() && cases.remove(&first).is_none());
        assert_eq!(cases.take(evidence(CASES_MAX, 100)), Taken::New);
        assert!(!cases.is_empty() && cases.len() == CASES_MAX);
    }
}
