//! Verdicts on guardians' votes, each found once.

use crate::guardians::Verifier;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use vigil_accel::checkpoint::Aggregate;
use vigil_ledger::{Proofs, ScalarProofs};
use vigil_primitives::{
    Address, AggregatedVotes, ChainParams, GuardianSet, Hash, SignDomain, Signature, keccak256, rlp,
};

/// Verdicts remembered; then all are forgotten. A block needs at most one for its certificate and two for each slash.
const VERDICTS_MAX: usize = 1_024;

/// [`ScalarProofs`] with a memory: the votes of a certificate or of evidence come several times (mempool, building,
/// executing), and judging those of a thousand guardians may take a second.
#[derive(Debug)]
pub struct NodeProofs {
    judge: ScalarProofs,
    /// Judges votes quicker, once the node runs.
    verifier: OnceLock<Arc<Verifier>>,
    /// By the hash of the votes, which name their set.
    verdicts: Mutex<HashMap<Hash, bool>>,
}

impl NodeProofs {
    /// For the chain of that domain and these rules.
    pub fn new(domain: SignDomain, params: &ChainParams) -> Self {
        Self { judge: ScalarProofs::new(domain, params), verifier: OnceLock::new(), verdicts: Mutex::default() }
    }

    /// From now on votes go through the engine.
    pub fn use_engine(&self, verifier: Arc<Verifier>) {
        let _was_set = self.verifier.set(verifier);
    }

    /// Votes that were found to hold elsewhere.
    pub fn note(&self, votes: &AggregatedVotes) {
        self.remember(keccak256(rlp::encode(votes)), true);
    }

    /// The verdict on votes that were judged a while ago.
    pub fn known(&self, votes: &AggregatedVotes) -> Option<bool> {
        self.verdicts().get(&keccak256(rlp::encode(votes))).copied()
    }

    fn remember(&self, name: Hash, holds: bool) {
        let mut verdicts = self.verdicts();
        if verdicts.len() >= VERDICTS_MAX {
            verdicts.clear();
        }
        verdicts.insert(name, holds);
    }

    fn verdicts(&self) -> MutexGuard<'_, HashMap<Hash, bool>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proofs for NodeProofs {
    fn domain(&self) -> &SignDomain {
        self.judge.domain()
    }

    fn is_signed(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool {
        self.judge.is_signed(signer, digest, signature)
    }

    fn votes_hold(&self, set: &GuardianSet, votes: &AggregatedVotes, signers: &[u8]) -> bool {
        if let Some(known) = self.known(votes) {
            return known;
        }
        let holds = match self.verifier.get() {
            Some(verifier) => {
                let message = self.judge.message(&votes.checkpoint);
                let aggregate = Aggregate { signature: votes.signature.0, signers: signers.to_vec() };
                verifier.holds(set, &message, &aggregate)
            }
            None => self.judge.votes_hold(set, votes, signers),
        };
        self.remember(keccak256(rlp::encode(votes)), holds);
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_accel::Engine;
    use vigil_crypto::bls::{Scheme, SecretKey};
    use vigil_primitives::{BlsKeyBytes, BlsSignatureBytes, Checkpoint, GuardianMember};

    /// One guardian, and its vote at a height.
    fn vote(domain: &SignDomain, height: u64) -> (GuardianSet, AggregatedVotes) {
        let secret = SecretKey::from_bytes(&[3; 32]).expect("a key");
        let key = BlsKeyBytes::from(secret.public_key().to_bytes());
        let set = GuardianSet::new(vec![GuardianMember { address: Address::ZERO, key, weight: 1 }]);
        let checkpoint = Checkpoint { resets: 0, height, block_hash: Hash::ZERO, set_hash: set.hash() };
        let signature = secret.sign(Scheme::Augmented, checkpoint.message(domain).as_slice());
        let signature = BlsSignatureBytes::from(signature.to_bytes());
        (set, AggregatedVotes { checkpoint, signers: vec![0, 0x80].into(), signature })
    }

    fn domain() -> SignDomain {
        SignDomain { chain_id: "a chain".into(), genesis_hash: Hash::ZERO }
    }

    #[test]
    fn a_remembered_verdict_is_that_of_the_judge() {
        let domain = domain();
        let proofs = NodeProofs::new(domain.clone(), &ChainParams::default());
        let (set, good) = vote(&domain, 10);
        let forged = AggregatedVotes { signature: vote(&domain, 20).1.signature, ..good.clone() };
        for _again in 0..2 {
            assert!(proofs.votes_hold(&set, &good, &[1]));
            assert!(!proofs.votes_hold(&set, &forged, &[1]));
        }
        assert_eq!(proofs.verdicts().len(), 2);
    }

    /// Validators sign in the domain of their segment, guardians in that of genesis for ever.
    #[test]
    fn after_a_reset_the_engine_agrees_with_the_judge() {
        let (domain, params) = (domain(), ChainParams::default());
        let (set, good) = vote(&domain, 10);
        let judge = ScalarProofs::new(domain.clone(), &params).after_reset(Hash::repeat_byte(5));
        assert!(judge.votes_hold(&set, &good, &[1]));
        let proofs = NodeProofs { judge, ..NodeProofs::new(domain, &params) };
        proofs.use_engine(Arc::new(Verifier::new(Engine::small(), Scheme::Augmented)));
        assert!(proofs.votes_hold(&set, &good, &[1]));
    }
}
