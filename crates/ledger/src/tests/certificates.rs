//! What a state remembers of checkpoints, and certificates in headers.

use super::actors::{Chain, params};
use super::guards::{bls_key, chain, guarded, guardian};
use crate::{BlockError, CertificateError, Finalized, Parent, execute_block, keys, queries};
use vigil_crypto::bls::Scheme;
use vigil_primitives::{
    AggregatedVotes, BlockHeader, BlsSignatureBytes, ChainParams, Checkpoint, GuardianSet, Hash, StakePurpose,
};

/// A chain at height 9 with five guardians; its checkpoint is at 5, and its set.
fn at_nine() -> (Chain, Checkpoint, GuardianSet) {
    let mut chain = chain(&[10, 10, 10, 10, 10]);
    chain.run_to(5);
    let (checkpoint, set) = (chain.checkpoint(), chain.set());
    chain.run_to(9);
    (chain, checkpoint, set)
}

/// Executes an own block with another certificate in its header. The roots of what must be refused do not matter.
fn execute(chain: &Chain, cert: AggregatedVotes) -> Result<(), BlockError> {
    let built = chain.build(&[]);
    let header = BlockHeader { finality: Some(Box::new(cert)), ..built.block.header };
    match execute_block(&chain.env(), &chain.head, &header, &built.txs) {
        // The coinbase of the block that was built has no guardians in it.
        Err(BlockError::StateRoot { .. } | BlockError::Tx { index: 0, .. }) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

fn refusal(chain: &Chain, cert: AggregatedVotes) -> CertificateError {
    let offered = chain.build_with(Some(cert.clone()), &[]);
    assert_eq!(offered.block.header.finality, None, "a builder leaves it out");
    let Err(BlockError::Certificate { error, .. }) = execute(chain, cert) else { panic!("must be refused") };
    assert_eq!(offered.refused_certificate, Some(error.clone()));
    error
}

#[test]
fn a_certificate_is_taken_once() {
    let (mut chain, checkpoint, set) = at_nine();
    let cert = chain.votes(&set, checkpoint, &[0, 1, 2, 4]);
    assert!(execute(&chain, cert.clone()).is_ok());
    let built = chain.step_with(Some(cert.clone()), &[]);
    assert_eq!(built.block.header.finality.as_deref(), Some(&cert));
    let expected = Finalized { height: 5, hash: checkpoint.block_hash };
    assert_eq!(queries::finalized(&chain.head.state).expect("reads"), Some(expected));
    chain.run_to(14);
    let again = refusal(&chain, cert);
    assert!(matches!(again, CertificateError::Repeated { got: 5, last: 5 }), "{again}");
}

#[test]
fn only_in_checkpoint_blocks() {
    let mut chain = chain(&[10, 10]);
    chain.run_to(5);
    let cert = chain.votes(&chain.set(), chain.checkpoint(), &[0, 1]);
    for height in 5..8 {
        chain.run_to(height);
        let error = refusal(&chain, cert.clone());
        assert!(matches!(error, CertificateError::Place { interval: 5, .. }), "{error}");
    }
}

#[test]
fn what_a_certificate_must_name() {
    let (chain, checkpoint, set) = at_nine();
    let with = |change: fn(&mut Checkpoint)| {
        let mut checkpoint = checkpoint;
        change(&mut checkpoint);
        refusal(&chain, chain.votes(&set, checkpoint, &[0, 1, 2, 3]))
    };
    let error = with(|c| c.resets = 1);
    assert!(matches!(error, CertificateError::Resets { got: 1, expected: 0 }), "{error}");
    for height in
        [|c: &mut Checkpoint| c.height = 4, |c: &mut Checkpoint| c.height = 10, |c: &mut Checkpoint| c.height = 15]
    {
        let error = with(height);
        assert!(matches!(error, CertificateError::Height { block: 10, .. }), "{error}");
    }
    let error = with(|c| c.height = 0);
    assert!(matches!(error, CertificateError::Height { .. }), "{error}");
    let error = with(|c| c.block_hash = Hash::repeat_byte(1));
    assert!(matches!(error, CertificateError::Other { what: "block", height: 5, .. }), "{error}");
    let error = with(|c| c.set_hash = Hash::repeat_byte(1));
    assert!(matches!(error, CertificateError::Other { what: "guardian set", .. }), "{error}");
}

#[test]
fn exactly_two_thirds_are_too_few() {
    let mut chain = chain(&[10, 10, 5, 5]);
    chain.run_to(5);
    let (checkpoint, set) = (chain.checkpoint(), chain.set());
    chain.run_to(9);
    let error = refusal(&chain, chain.votes(&set, checkpoint, &[0, 1]));
    assert!(matches!(error, CertificateError::Weight { got, total } if 3 * got == 2 * total), "{error}");
    assert!(execute(&chain, chain.votes(&set, checkpoint, &[0, 1, 2])).is_ok());
}

#[test]
fn forged_signers_are_refused() {
    let (chain, checkpoint, set) = at_nine();
    let good = chain.votes(&set, checkpoint, &[0, 1, 2, 3]);
    let error = |cert| refusal(&chain, cert);
    // Somebody else's vector with this signature, nobody's signature, a signature of another checkpoint.
    let more = chain.votes(&set, checkpoint, &[0, 1, 2, 3, 4]);
    let stolen = AggregatedVotes { signers: more.signers.clone(), ..good.clone() };
    assert_eq!(error(stolen), CertificateError::Signature);
    let nobody = AggregatedVotes { signature: BlsSignatureBytes::ZERO, ..good.clone() };
    assert_eq!(error(nobody), CertificateError::Signature);
    let other = chain.votes(&set, Checkpoint { height: 10, ..checkpoint }, &[0, 1, 2, 3]);
    assert_eq!(error(AggregatedVotes { checkpoint, ..other }), CertificateError::Signature);
    let twice = chain.weighted_votes(&set, checkpoint, &[(0, 2), (1, 1), (2, 3), (3, 1)]);
    assert_eq!(error(AggregatedVotes { signature: good.signature, ..twice.clone() }), CertificateError::Signature);
    assert!(execute(&chain, twice).is_ok(), "entries above 1 are what they are");
    // A vector of another length, and one of nobody.
    for signers in [vec![], vec![0, 0xff, 0xff], vec![0, 0]] {
        let error = error(AggregatedVotes { signers: signers.into(), ..good.clone() });
        assert!(matches!(error, CertificateError::Signers(_) | CertificateError::Weight { got: 0, .. }), "{error}");
    }
}

#[test]
fn both_schemes() {
    let params = ChainParams { bls_scheme: "proof-of-possession".into(), ..params() };
    let mut chain = Chain::of(&guarded(params, 1, &[10, 10, 10]));
    chain.run_to(5);
    let cert = chain.votes(&chain.set(), chain.checkpoint(), &[2, 0, 1]);
    chain.run_to(9);
    assert!(execute(&chain, cert.clone()).is_ok());
    let message = cert.checkpoint.message(crate::Proofs::domain(&chain.proofs));
    let other = bls_key(0).sign(Scheme::Augmented, message.as_slice()).to_bytes();
    let forged = AggregatedVotes { signature: BlsSignatureBytes::from(other), ..cert };
    assert_eq!(refusal(&chain, forged), CertificateError::Signature);
}

#[test]
fn a_missed_checkpoint_is_leapt_over() {
    let (mut chain, checkpoint, set) = at_nine();
    let old = chain.votes(&set, checkpoint, &[0, 1, 2, 3]);
    chain.run_to(10);
    let newer = chain.votes(&chain.set(), chain.checkpoint(), &[0, 1, 2, 3]);
    chain.run_to(14);
    chain.step_with(Some(newer), &[]);
    assert_eq!(queries::finalized(&chain.head.state).expect("reads").map(|f| f.height), Some(10));
    chain.run_to(19);
    let error = refusal(&chain, old);
    assert!(matches!(error, CertificateError::Repeated { got: 5, last: 10 }), "{error}");
}

/// Certificates are of their own branch.
#[test]
fn another_branch_is_refused() {
    let mut left = chain(&[10, 10]);
    let mut right = chain(&[10, 10]);
    right.step_all(&[super::actors::distribute(&right.params, 2, 1, guardian(0), 10)]);
    left.run_to(5);
    right.run_to(5);
    let cert = left.votes(&left.set(), left.checkpoint(), &[0, 1]);
    right.run_to(9);
    let error = refusal(&right, cert);
    assert!(matches!(error, CertificateError::Other { what: "block", .. }), "{error}");
}

#[test]
fn old_checkpoints_and_sets_are_forgotten() {
    let params = ChainParams { checkpoint_interval: 2, ..params() };
    let mut chain = Chain::of(&guarded(params, 2, &[10, 10]));
    chain.run_to(2);
    let (first, set) = (chain.votes(&chain.set(), chain.checkpoint(), &[0, 1]), chain.set());
    chain.step(&[]);
    let remembered = |chain: &Chain| queries::guardian_set(&chain.head.state, &set.hash()).expect("reads");
    assert_eq!(remembered(&chain), Some(set.clone()), "written in the block after the checkpoint");
    let last = 2 * crate::finality::CHECKPOINTS_MAX as u64;
    chain.run_to(last + 1);
    assert!(execute(&chain, first.clone()).is_ok(), "the oldest that is remembered");
    chain.run_to(last + 3);
    let error = refusal(&chain, first);
    assert!(matches!(error, CertificateError::Forgotten { got: 2 }), "{error}");
}

#[test]
fn a_set_stays_as_long_as_evidence_may_need_it() {
    let params = ChainParams { checkpoint_interval: 2, return_locking_period: 7, ..params() };
    let mut chain = Chain::of(&guarded(params, 3, &[10, 10]));
    chain.run_to(2);
    let set = chain.set();
    chain.step_all(&[chain.joins(2, 1, 7)]);
    chain.run_to(4);
    let newer = chain.votes(&chain.set(), chain.checkpoint(), &[0, 1]);
    chain.run_to(5);
    chain.step_with(Some(newer), &[]);
    assert_eq!(queries::finalized(&chain.head.state).expect("reads").map(|f| f.height), Some(4));
    let remembered = |chain: &Chain| queries::guardian_set(&chain.head.state, &set.hash()).expect("reads").is_some();
    // The window of a fault at height 2 ends with block 9; the block after the next checkpoint forgets the set.
    chain.run_to(10);
    assert!(remembered(&chain));
    chain.run_to(11);
    assert!(!remembered(&chain));
    assert!(queries::guardian_set(&chain.head.state, &chain.set().hash()).expect("reads").is_some());
}

#[test]
fn a_chain_without_guardians_writes_nothing() {
    let mut chain = Chain::new(params(), 1);
    chain.run_to(11);
    for key in [keys::CHECKPOINTS, keys::GUARDIAN_SETS, keys::FINALIZED, keys::GUARDIANS] {
        assert_eq!(chain.head.state.value(key).expect("reads"), None);
    }
    assert_eq!(chain.slashed_at(StakePurpose::Guardian, &guardian(0)), None);
}

#[test]
fn a_missing_set_is_our_fault() {
    let (chain, checkpoint, set) = at_nine();
    let cert = chain.votes(&set, checkpoint, &[0, 1, 2, 3]);
    let mut trie = chain.head.state.trie.clone();
    trie.remove(&*chain.nodes, &keys::guardian_set(&set.hash())).expect("writes");
    let commit = trie.commit(&vigil_trie::ScalarHasher);
    chain.nodes.add(&commit.nodes);
    let state = crate::State::open(commit.root, chain.nodes.clone());
    let broken = Chain { head: Parent { state, ..chain.head.clone() }, ..chain };
    let built = broken.build(&[]);
    let header = BlockHeader { finality: Some(Box::new(cert)), ..built.block.header };
    let result = execute_block(&broken.env(), &broken.head, &header, &built.txs);
    assert!(matches!(result, Err(BlockError::State(_))), "{result:?}");
}
