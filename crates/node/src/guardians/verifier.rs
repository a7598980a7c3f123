//! Votes through the verification engine, with what is prepared once for a guardian set and once for a checkpoint.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vigil_accel::Engine;
use vigil_accel::checkpoint::{Aggregate, GuardianKey, GuardianKeys, Merged, PreparedCheckpoint, Reject, Scheme};
use vigil_crypto::bls::Signature;
use vigil_primitives::{Address, BlsKeyBytes, BlsSignatureBytes, GuardianSet, Hash};

/// Guardian sets kept ready.
const SETS_KEPT: usize = 4;
/// Checkpoints kept ready: those of two branches, and one before (§2.10).
const CHECKPOINTS_KEPT: usize = 3;

/// Judges votes on checkpoints. Shared by whoever has some to judge.
pub struct Verifier {
    engine: Engine,
    scheme: Scheme,
    ready: Mutex<Ready>,
}

#[derive(Default)]
struct Ready {
    /// Keys that were decoded once; those of the sets below.
    keys: HashMap<BlsKeyBytes, GuardianKey>,
    sets: VecDeque<(Hash, Arc<GuardianKeys>)>,
    checkpoints: VecDeque<(Hash, Hash, Arc<PreparedCheckpoint>)>,
}

impl Verifier {
    /// Under a chain's scheme.
    pub fn new(engine: Engine, scheme: Scheme) -> Self {
        Self { engine, scheme, ready: Mutex::default() }
    }

    /// True if one aggregate holds, as [`vigil_crypto::checkpoint::judge`]. A signature that is none costs next to nothing.
    /// Nothing is made but for the signers, and nothing is kept: evidence names whatever checkpoint its author likes, and must
    /// not push out those that are voted on.
    pub fn holds(&self, set: &GuardianSet, message: &Hash, votes: &Aggregate) -> bool {
        let verdict = |checkpoint: &PreparedCheckpoint, votes: &Aggregate| {
            self.engine.merge_votes(checkpoint, std::slice::from_ref(votes)).verdicts == [Ok(())]
        };
        if votes.signers.len() != set.members().len() || Signature::from_bytes(&votes.signature).is_err() {
            return false;
        }
        if let Some(checkpoint) = self.known(&set.hash(), message) {
            return verdict(&checkpoint, votes);
        }
        let signing = (0..set.members().len()).filter(|at| votes.signers[*at] > 0);
        let keys = match self.known_keys(set) {
            Some(keys) => signing.clone().map(|at| keys.keys()[at]).collect(),
            None => {
                let named: Vec<BlsKeyBytes> = signing.clone().map(|at| set.members()[at].key).collect();
                let Some(decoded) = self.decoded(&named) else { return false };
                decoded
            }
        };
        let signers = signing.map(|at| votes.signers[at]).collect();
        let keys = Arc::new(GuardianKeys::new(&keys));
        let prepared = self.engine.prepare_checkpoint(self.scheme, &keys, message.as_slice(), &|| true);
        prepared.is_some_and(|checkpoint| verdict(&checkpoint, &Aggregate { signers, ..votes.clone() }))
    }

    /// As [`vigil_crypto::checkpoint::merge`].
    pub fn merge(&self, set: &GuardianSet, message: &Hash, votes: &[Aggregate]) -> Merged {
        match self.prepared(set, message) {
            Some(checkpoint) => self.engine.merge_votes(&checkpoint, votes),
            None => Merged { verdicts: vec![Err(Reject::Equation); votes.len()], sum: None },
        }
    }

    /// True if this is the sum of the signatures of those members of a set on one message, in the proof-of-possession scheme
    /// whatever the chain's. False for nobody, and if one of them is no member.
    pub fn all_signed(
        &self,
        set: &GuardianSet,
        members: &BTreeSet<Address>,
        message: &Hash,
        signature: &BlsSignatureBytes,
    ) -> bool {
        // The cheap part first: anybody can send anything.
        let Ok(signature) = Signature::from_bytes(signature.as_slice()) else { return false };
        let Some(keys) = self.keys(set) else { return false };
        let key = |who| set.position(who).map(|at| keys.keys()[at]);
        let keys: Option<Vec<GuardianKey>> = members.iter().map(key).collect();
        keys.is_some_and(|keys| signature.verify_same_message(&keys, message.as_slice()))
    }

    /// `None`: the set has a key that is none, which only a broken state could hold.
    fn prepared(&self, set: &GuardianSet, message: &Hash) -> Option<Arc<PreparedCheckpoint>> {
        let of = set.hash();
        if let Some(checkpoint) = self.known(&of, message) {
            return Some(checkpoint);
        }
        let keys = self.keys(set)?;
        let prepared = self.engine.prepare_checkpoint(self.scheme, &keys, message.as_slice(), &|| true)?;
        let prepared = Arc::new(prepared);
        let mut ready = self.ready();
        if ready.checkpoints.len() == CHECKPOINTS_KEPT {
            ready.checkpoints.pop_front();
        }
        ready.checkpoints.push_back((of, *message, Arc::clone(&prepared)));
        Some(prepared)
    }

    fn known(&self, of: &Hash, message: &Hash) -> Option<Arc<PreparedCheckpoint>> {
        let ready = self.ready();
        let found = ready.checkpoints.iter().find(|(set, signed, _)| (set, signed) == (of, message));
        found.map(|(_, _, checkpoint)| Arc::clone(checkpoint))
    }

    fn keys(&self, set: &GuardianSet) -> Option<Arc<GuardianKeys>> {
        if let Some(keys) = self.known_keys(set) {
            return Some(keys);
        }
        let named: Vec<BlsKeyBytes> = set.members().iter().map(|member| member.key).collect();
        let decoded = self.decoded(&named)?;
        let keys = Arc::new(GuardianKeys::new(&decoded));
        let mut ready = self.ready();
        ready.keys = named.into_iter().zip(decoded).collect();
        if ready.sets.len() == SETS_KEPT {
            ready.sets.pop_front();
        }
        ready.sets.push_back((set.hash(), Arc::clone(&keys)));
        Some(keys)
    }

    fn known_keys(&self, set: &GuardianSet) -> Option<Arc<GuardianKeys>> {
        let of = set.hash();
        let ready = self.ready();
        ready.sets.iter().find(|(hash, _)| *hash == of).map(|(_, keys)| Arc::clone(keys))
    }

    /// `None`: one of them is none.
    fn decoded(&self, keys: &[BlsKeyBytes]) -> Option<Vec<GuardianKey>> {
        let known: Vec<Option<GuardianKey>> = {
            let ready = self.ready();
            keys.iter().map(|bytes| ready.keys.get(bytes).copied()).collect()
        };
        let decode = |bytes: &BlsKeyBytes| GuardianKey::from_bytes(bytes.as_slice()).ok();
        keys.iter().zip(known).map(|(bytes, known)| known.or_else(|| decode(bytes))).collect()
    }

    fn ready(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
