//! Guardians with keys, and what they sign.

use super::actors::{Chain, address, fee, genesis, input, key, output, params, signed, stranger};
use crate::{genesis_guardian, queries};
use std::sync::Arc;
use vigil_crypto::bls::{Scheme, SecretKey, Signature as BlsSignature};
use vigil_crypto::{VerifiedTx, sign_tx, signer_vectors};
use vigil_primitives::{
    Address, AggregatedVotes, BlsSignatureBytes, Bytes, ChainParams, Checkpoint, Coins, DepositStakeV2, Evidence,
    Genesis, GenesisAccount, GuardianSet, Hash, Height, Signature, Slash, StakePurpose, Tx, Vote, WithdrawStake,
    keccak256,
};

/// The guardian of that number: its node has the key of person `101 + n`.
pub(super) fn guardian(n: u16) -> Address {
    address(guardian_person(n))
}

pub(super) fn guardian_person(n: u16) -> u16 {
    101 + n
}

pub(super) fn guardian_source(n: u16) -> Address {
    stranger(9_000 + u64::from(n))
}

pub(super) fn bls_key(n: u16) -> SecretKey {
    let mut bytes = keccak256([b"ledger guardian".as_slice(), &n.to_be_bytes()].concat()).0;
    bytes[0] &= 0x3f;
    SecretKey::from_bytes(&bytes).expect("a key")
}

/// Guardians with so many thousand tokens each, beside the people of [`genesis`].
pub(super) fn guarded(params: ChainParams, people: u16, thousands: &[u64]) -> Genesis {
    let mut genesis = genesis(params, people);
    for (n, thousands) in (0..).zip(thousands) {
        let amount = Coins::tokens(thousands * 1_000, 0).theta;
        genesis.accounts.push(GenesisAccount { address: guardian_source(n), theta: amount, tfuel: Default::default() });
        genesis.guardians.push(genesis_guardian(guardian_source(n), guardian(n), amount, &bls_key(n)));
    }
    genesis
}

pub(super) fn chain(thousands: &[u64]) -> Chain {
    Chain::of(&guarded(params(), 3, thousands))
}

impl Chain {
    pub(super) fn set(&self) -> GuardianSet {
        queries::guardians(&self.head.state).expect("reads")
    }

    /// The head as guardians would vote on it, if it is a checkpoint.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        let (height, block_hash) = (self.head.height, self.head_hash);
        Checkpoint { resets: 0, height, block_hash, set_hash: self.set().hash() }
    }

    /// Votes of guardians by number, each once.
    pub(super) fn votes(&self, set: &GuardianSet, checkpoint: Checkpoint, who: &[u16]) -> AggregatedVotes {
        let entries: Vec<(u16, u8)> = who.iter().map(|n| (*n, 1)).collect();
        self.weighted_votes(set, checkpoint, &entries)
    }

    /// Votes of guardians by number, each as often as given.
    pub(super) fn weighted_votes(
        &self,
        set: &GuardianSet,
        checkpoint: Checkpoint,
        who: &[(u16, u8)],
    ) -> AggregatedVotes {
        let message = self.proofs.message(&checkpoint);
        let scheme = Scheme::from_name(&self.params.bls_scheme).expect("a scheme");
        let mut vector = vec![0u8; set.len()];
        let mut parts = Vec::new();
        for (n, entry) in who {
            vector[set.position(&guardian(*n)).expect("a member")] = *entry;
            let signature = bls_key(*n).sign(scheme, message.as_slice());
            parts.extend(std::iter::repeat_n(signature, usize::from(*entry)));
        }
        let signature = BlsSignature::aggregate(&parts).expect("not infinity").to_bytes();
        let signature = BlsSignatureBytes::from(signature);
        AggregatedVotes { checkpoint, signers: signer_vectors::pack(&vector).into(), signature }
    }

    /// A vote signed by person `n`.
    pub(super) fn vote(&self, n: u16, height: Height, block: u8, source: Height) -> Vote {
        let unsigned = Vote {
            height,
            block_hash: Hash::repeat_byte(block),
            block_epoch: height,
            source_set: 0,
            source_height: source,
            source_hash: Hash::repeat_byte(99),
            voter: address(n),
            signature: Signature::none(),
        };
        let signature = key(n).sign(&unsigned.digest(crate::Proofs::domain(&self.proofs)));
        Vote { signature, ..unsigned }
    }

    /// Two votes of person `n` at one height.
    pub(super) fn double_vote(&self, n: u16, height: Height) -> Evidence {
        Evidence::DoubleVote(self.vote(n, height, 1, 0), self.vote(n, height, 2, 0))
    }

    /// A report by a person.
    pub(super) fn report(&self, reporter: u16, sequence: u64, evidence: &Evidence) -> Arc<VerifiedTx> {
        let tx = Slash {
            proposer: input(reporter, Coins::ZERO, sequence),
            slashed_address: evidence.offender(),
            reserve_sequence: 0,
            slash_proof: evidence.to_bytes().into(),
        };
        signed(&self.params, Tx::Slash(tx), &[reporter])
    }

    /// Person `from` stakes 1,000 tokens with guardian `n`.
    pub(super) fn joins(&self, from: u16, sequence: u64, n: u16) -> Arc<VerifiedTx> {
        let mut tx = Tx::DepositStakeV2(DepositStakeV2 {
            fee: fee(),
            source: input(from, Coins::tokens(1_000, 0), sequence),
            holder: output(guardian(n), Coins::ZERO),
            purpose: 1,
            bls_pubkey: Bytes::copy_from_slice(&bls_key(n).public_key().to_bytes()),
            bls_pop: Bytes::copy_from_slice(&bls_key(n).prove_possession().to_bytes()),
            holder_sig: Signature::none(),
        });
        sign_tx(&self.params.chain_id, &mut tx, 1, &key(guardian_person(n))).expect("a slot");
        signed(&self.params, tx, &[from])
    }

    /// Person `from` takes its stake with guardian `n` back.
    pub(super) fn leaves(&self, from: u16, sequence: u64, n: u16) -> Arc<VerifiedTx> {
        let holder = output(guardian(n), Coins::ZERO);
        let tx = WithdrawStake { fee: fee(), source: input(from, Coins::ZERO, sequence), holder, purpose: 1 };
        signed(&self.params, Tx::WithdrawStake(tx), &[from])
    }

    pub(super) fn slashed_at(&self, role: StakePurpose, node: &Address) -> Option<Height> {
        queries::slashed_at(&self.head.state, role, node).expect("reads")
    }
}
