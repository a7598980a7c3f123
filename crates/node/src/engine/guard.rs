//! Notices that our key signs elsewhere.
//!
//! A key that was copied to a new machine without its journal looks like one that has never signed. The chain knows
//! better: certificates in settled blocks hold the votes of everybody. A vote of ours that our journal does not know
//! means that another node signs with this key, or did; this one falls silent before it can contradict it.

use super::Signer;
use crate::health::{Fault, Health};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use vigil_primitives::{Address, Hcc, Height};

/// Watches settled certificates for votes of our key.
#[derive(Debug)]
pub struct KeyGuard {
    me: Address,
    /// Height of the last vote in our journal.
    voted: Arc<AtomicU64>,
    elsewhere: AtomicBool,
    health: Arc<Health>,
}

impl KeyGuard {
    /// A guard of `signer`'s key.
    pub fn new(signer: &Signer, health: Arc<Health>) -> Self {
        Self { me: signer.address(), voted: signer.voted(), elsewhere: AtomicBool::new(false), health }
    }

    /// Looks for a vote of ours that we have not cast. Votes have ascending heights, so those up to our last are known.
    pub fn look_at(&self, certificate: &Hcc) {
        let unknown = |height: Height| height > self.voted.load(Ordering::Acquire);
        let foreign = certificate.votes.iter().find(|vote| vote.voter == self.me && unknown(vote.height));
        if let Some(vote) = foreign
            && !self.elsewhere.swap(true, Ordering::AcqRel)
        {
            let (me, height) = (self.me, vote.height);
            let why = format!(
                "not signing: the chain holds a vote of our key {me} at height {height} that this node's journal does \
                 not know. Another node signs with this key, or its journal was left behind: stop the other node and \
                 bring its journal here, or start once with --fresh-journal if it is lost for good"
            );
            self.health.raise(Fault::NotSigning, why);
        }
    }

    /// True once such a vote was seen: sign no more.
    pub fn is_elsewhere(&self) -> bool {
        self.elsewhere.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;
    use vigil_consensus::{JournalRecord, Lock};
    use vigil_primitives::{Signature, Vote};

    #[test]
    fn only_a_vote_that_the_journal_does_not_know_is_foreign() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let (me, health) = (Address::repeat_byte(1), Arc::new(Health::new(false, std::time::Duration::MAX)));
        let (mut signer, _) = Signer::open(&Layout::new(dir.path()), me, false, false).expect("begun");
        let guard = KeyGuard::new(&signer, Arc::clone(&health));
        let vote = |voter: u8, height| Vote {
            height,
            block_hash: Default::default(),
            block_epoch: height,
            source_height: 0,
            source_hash: Default::default(),
            voter: Address::repeat_byte(voter),
            signature: Signature::none(),
        };
        let certificate = |voter, height| Hcc { votes: vec![vote(voter, height)], block_hash: Default::default() };
        let record = JournalRecord::Vote { vote: vote(1, 5), lock: Lock::default() };
        assert!(signer.record(&[record], &health, || true));
        guard.look_at(&certificate(1, 5));
        guard.look_at(&certificate(2, 9));
        assert!(!guard.is_elsewhere() && health.reason(0).is_none());
        guard.look_at(&certificate(1, 6));
        assert!(guard.is_elsewhere() && health.reason(0).expect("a fault").starts_with("not signing"));
    }
}
