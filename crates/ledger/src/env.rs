//! What the ledger asks of whoever calls it: the rules, a hasher, and a judge of signatures in consensus messages.

use crate::contracts::Ancestors;
use vigil_crypto::bls::{PublicKey, Scheme};
use vigil_crypto::checkpoint::{Aggregate, judge};
use vigil_crypto::verify_digest;
use vigil_primitives::{Address, AggregatedVotes, ChainParams, Checkpoint, GuardianSet, Hash, SignDomain, Signature};
use vigil_trie::BatchHasher;

/// What executing and building blocks needs besides the blocks; the same for all blocks of a chain.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The rules.
    pub params: &'a ChainParams,
    /// Hashes tries and lottery tickets.
    pub hasher: &'a dyn BatchHasher,
    /// Judges certificates in headers and evidence in transactions.
    pub proofs: &'a dyn Proofs,
    /// Knows the blocks before, for contracts that ask.
    pub ancestors: &'a dyn Ancestors,
}

impl std::fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").field("chain_id", &self.params.chain_id).finish_non_exhaustive()
    }
}

/// Judges signatures of votes and headers. Every node must get the answers of [`ScalarProofs`].
pub trait Proofs: Send + Sync {
    /// What separates signatures of validators from those on other chains, and in other segments of this one.
    fn domain(&self) -> &SignDomain;

    /// True if `signature` is `signer`'s over `digest`.
    fn is_signed(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool;

    /// True if the votes' signature is that of the guardians that `signers` names, each as often as it says.
    /// `set`: that of the votes' checkpoint. `signers`: the votes' vector unpacked, an entry for each guardian.
    fn votes_hold(&self, set: &GuardianSet, votes: &AggregatedVotes, signers: &[u8]) -> bool;
}

/// One signature after the other, in the plainest way: the judge of all others.
#[derive(Clone, Debug)]
pub struct ScalarProofs {
    /// Of validators.
    domain: SignDomain,
    /// Of guardians.
    genesis: SignDomain,
    scheme: Scheme,
}

impl ScalarProofs {
    /// For the chain of that domain and these rules.
    ///
    /// # Panics
    /// If the rules name no scheme; those of a valid genesis do.
    pub fn new(domain: SignDomain, params: &ChainParams) -> Self {
        let scheme = Scheme::from_name(&params.bls_scheme).expect("a valid genesis names a scheme");
        Self { genesis: domain.clone(), domain, scheme }
    }

    /// The 32 bytes that guardians sign: under the domain of genesis in every segment, as a checkpoint names the resets.
    pub fn message(&self, checkpoint: &Checkpoint) -> Hash {
        checkpoint.message(&self.genesis)
    }

    /// For the segment that begins with a reset block ([`SignDomain::after_reset`]).
    #[must_use]
    pub fn after_reset(&self, reset_block: Hash) -> Self {
        Self { domain: self.genesis.after_reset(reset_block), ..self.clone() }
    }
}

impl Proofs for ScalarProofs {
    fn domain(&self) -> &SignDomain {
        &self.domain
    }

    fn is_signed(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool {
        verify_digest(signer, digest, signature)
    }

    fn votes_hold(&self, set: &GuardianSet, votes: &AggregatedVotes, signers: &[u8]) -> bool {
        let message = self.message(&votes.checkpoint);
        let key = |bytes: &[u8]| PublicKey::from_bytes(bytes);
        // Keys in a set have proved possession; one that is none could only have come from a broken state.
        let keys: Result<Vec<PublicKey>, _> = set.members().iter().map(|m| key(m.key.as_slice())).collect();
        let aggregate = Aggregate { signature: votes.signature.0, signers: signers.to_vec() };
        keys.is_ok_and(|keys| judge(self.scheme, &keys, message.as_slice(), &aggregate).is_ok())
    }
}
