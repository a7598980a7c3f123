//! Evidence in slash transactions, judged before the mempool is locked: votes of guardians are dear to judge, and to forge
//! them costs nothing.

use super::lock;
use crate::chain::NodeProofs;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vigil_crypto::VerifiedTx;
use vigil_ledger::{Proofs, Screen};
use vigil_mempool::{Mempool, Millis, Refused};
use vigil_primitives::{Address, AggregatedVotes, Evidence, GuardianSet, Hash, SignDomain, Signature, Tx};

/// After a judgement so many times its time must pass before the next dear one: at most a tenth of the time goes to
/// evidence, whoever sends it and however many guardians there are.
const PAUSE: u32 = 9;

/// The one judge of evidence, wherever it comes from.
pub(super) struct EvidenceJudge {
    /// Remembers verdicts.
    proofs: Arc<NodeProofs>,
    /// When it has time again.
    free_at: Mutex<Duration>,
}

impl EvidenceJudge {
    pub(super) fn new(proofs: Arc<NodeProofs>) -> Self {
        Self { proofs, free_at: Mutex::default() }
    }

    /// What judges under the lock, where votes are not judged again.
    pub(super) fn for_mempool(&self) -> Arc<dyn Proofs> {
        Arc::new(Judged(Arc::clone(&self.proofs)))
    }

    /// Judges a slash transaction on the settled state, as it must be the next one of its reporter; others are good. Who
    /// forges is remembered. `clock`: time since the start.
    ///
    /// # Errors
    /// [`Refused`]: it must not enter the mempool.
    pub(super) fn judge(
        &self,
        mempool: &Mutex<Mempool<Screen>>,
        tx: &VerifiedTx,
        clock: &dyn Fn() -> Duration,
    ) -> Result<(), Refused> {
        let Tx::Slash(slash) = tx.tx() else { return Ok(()) };
        let mut free_at = lock(&self.free_at);
        let (began, mut screen) = {
            let mut mempool = lock(mempool);
            // Waiting for a lock is no judging: the pause would be the longer the busier the others are.
            let began = clock();
            mempool.hears(millis(began), tx)?;
            (began, mempool.screen_mut().without_pending(Arc::clone(&self.proofs) as Arc<dyn Proofs>))
        };
        let is_dear = self.is_dear(&slash.slash_proof);
        if is_dear && began < *free_at {
            return Err(Refused::Busy);
        }
        let verdict = vigil_mempool::Screen::check_and_apply(&mut screen, tx);
        let ended = clock();
        // What was refused before its votes were looked at keeps nobody waiting.
        if is_dear && !self.is_dear(&slash.slash_proof) {
            *free_at = ended + ended.saturating_sub(began) * PAUSE;
        }
        lock(mempool).note_verdict(millis(ended), tx, &verdict);
        verdict
    }

    /// True if it may hold votes that were not judged yet. The second ones are judged only if the first hold.
    fn is_dear(&self, evidence: &[u8]) -> bool {
        let Ok(Evidence::GuardianDoubleVote(_, votes)) = Evidence::from_bytes(evidence) else { return false };
        match self.proofs.known(&votes.0) {
            Some(true) => self.proofs.known(&votes.1).is_none(),
            known => known.is_none(),
        }
    }
}

fn millis(time: Duration) -> Millis {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Judges all but the votes of guardians: what is entered into the mempool was judged before.
struct Judged(Arc<NodeProofs>);

impl Proofs for Judged {
    fn domain(&self) -> &SignDomain {
        self.0.domain()
    }

    fn is_signed(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool {
        self.0.is_signed(signer, digest, signature)
    }

    fn votes_hold(&self, _: &GuardianSet, _: &AggregatedVotes, _: &[u8]) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
