//! Resets: who loses what, who settles next, and which faults count afterwards.

use super::actors::{Chain, address, deposit, params};
use super::guards::{chain, guarded, guardian};
use crate::slashing::Moment;
use crate::{Parent, Punishable, ResetError, check_supply, keys, make_reset, punishable, queries};
use vigil_primitives::{
    BlockHeader, Checkpoint, Coins, Evidence, GenesisStake, Hash, Height, Offences, Reset, StakePurpose, U256,
    committee_hash,
};

fn theta(tokens: u64) -> U256 {
    Coins::tokens(tokens, 0).theta
}

/// Validators 1 (a million tokens), 2 and 3 (300,000 each), two guardians; at the checkpoint of height 5.
fn at_checkpoint() -> (Chain, BlockHeader) {
    let mut genesis = guarded(params(), 4, &[10, 20]);
    for n in [2, 3] {
        genesis.stakes.push(GenesisStake { source: address(n), holder: address(n), amount: theta(300_000) });
    }
    let mut chain = Chain::of(&genesis);
    chain.run_to(4);
    let header = chain.step(&[]).block.header;
    (chain, header)
}

fn make(chain: &Chain, number: u64, offences: &Offences) -> Result<(Reset, crate::BlockOutcome), ResetError> {
    make_reset(&chain.env(), &chain.head, number, chain.checkpoint(), offences)
}

/// The chain after its reset.
fn reset(mut chain: Chain, base: &BlockHeader, offences: &Offences) -> Chain {
    let (reset, outcome) = make(&chain, 1, offences).expect("a reset");
    let header = reset.header(base, outcome.state_root);
    check_supply(&outcome.state, &outcome.supply).expect("every coin is accounted for");
    chain.nodes.add(&outcome.nodes);
    chain.head = outcome.as_parent(&header);
    chain.head_hash = header.hash();
    chain.proofs = chain.proofs.after_reset(header.hash());
    chain.validators = outcome.validators;
    chain
}

#[test]
fn offenders_lose_their_stake_and_the_rest_settles() {
    let (chain, base) = at_checkpoint();
    let offences = Offences::new([chain.double_vote(3, 9), chain.double_vote(2, 7)]);
    let (made, outcome) = make(&chain, 1, &offences).expect("a reset");
    assert_eq!(outcome.validators, [(address(1), theta(1_000_000))]);
    assert_eq!((made.offences, made.committee), (offences.root(), committee_hash(&outcome.validators)));
    assert!(outcome.validators_changed);
    assert_eq!(make(&chain, 1, &offences).expect("again").0, made, "everybody makes the same");
    let mut after = reset(chain, &base, &offences);
    assert_eq!(after.head.supply.burned, Coins::theta(theta(600_000)), "nobody reported them on chain");
    assert_eq!(queries::resets(&after.head.state).expect("reads"), 1);
    let last = queries::finalized(&after.head.state).expect("reads").expect("the checkpoint");
    assert_eq!((last.height, last.hash), (5, base.hash()));
    after.run_to(10);
    assert_eq!(after.checkpoint().height, 10);
    let set = after.set();
    let checkpoint = Checkpoint { resets: 1, ..after.checkpoint() };
    after.run_to(14);
    let refused = Checkpoint { resets: 0, ..checkpoint };
    let votes = after.votes(&set, refused, &[0, 1]);
    assert!(after.step_with(Some(votes), &[]).block.header.finality.is_none(), "of before the reset");
    after.run_to(19);
    let votes = after.votes(&set, checkpoint, &[0, 1]);
    assert!(after.step_with(Some(votes), &[]).block.header.finality.is_some());
}

#[test]
fn a_reset_that_cannot_be_is_refused() {
    let (mut chain, base) = at_checkpoint();
    assert!(matches!(make(&chain, 0, &Offences::default()), Err(ResetError::Number { got: 0, before: 0 })));
    let higher = Checkpoint { height: 6, ..chain.checkpoint() };
    let error = make_reset(&chain.env(), &chain.head, 1, higher, &Offences::default()).unwrap_err();
    assert!(matches!(error, ResetError::Height { checkpoint: 6, state: 5 }));
    let stranger = Offences::new([chain.double_vote(4, 7)]);
    assert!(matches!(make(&chain, 1, &stranger), Err(ResetError::Offence { index: 0, .. })));
    let Evidence::DoubleVote(a, b) = chain.double_vote(2, 7) else { unreachable!() };
    let forged = Evidence::DoubleVote(a.clone(), vigil_primitives::Vote { signature: a.signature.clone(), ..b });
    assert!(matches!(make(&chain, 1, &Offences::new([forged])), Err(ResetError::Offence { index: 0, .. })));
    let all = Offences::new([1, 2, 3].map(|n| chain.double_vote(n, 7)));
    assert!(matches!(make(&chain, 1, &all), Err(ResetError::Nobody)));
    chain = reset(chain, &base, &Offences::default());
    let here = Checkpoint { height: 6, ..chain.checkpoint() };
    let error = make_reset(&chain.env(), &chain.head, 1, here, &Offences::default()).unwrap_err();
    assert!(matches!(error, ResetError::Number { got: 1, before: 1 }));
}

#[test]
fn a_validators_offence_before_a_reset_and_one_after_it_are_two() {
    let (chain, base) = at_checkpoint();
    let before = chain.double_vote(2, 9);
    let mut after = reset(chain, &base, &Offences::new([before.clone()]));
    after.step_all(&[deposit(&params(), 4, 1, address(2), theta(300_000))]);
    after.run_to(9);
    let error = after.try_tx(&after.report(1, 1, &before)).expect_err("of the old segment");
    assert!(error.text.contains("a signature is not"), "{error}");
    // The same height as the offence that the reset punished.
    let again = after.double_vote(2, 9);
    after.step_all(&[after.report(1, 1, &again)]);
    assert_eq!(after.slashed_at(StakePurpose::Validator, &address(2)), Some(10));
    assert_eq!(after.validators.len(), 2);
}

fn judged(chain: &Chain, resets: u64, height: Height) -> Punishable {
    let set = chain.set();
    let checkpoint = |block| Checkpoint { resets, height, block_hash: Hash::repeat_byte(block), set_hash: set.hash() };
    let votes = (chain.votes(&set, checkpoint(1), &[1]), chain.votes(&set, checkpoint(2), &[1]));
    let evidence = Evidence::GuardianDoubleVote(guardian(1), Box::new(votes));
    let domain = crate::Proofs::domain(&chain.proofs);
    punishable(&chain.head.state, &chain.params, domain, chain.head.height, &evidence).expect("reads")
}

fn refusal(judged: Punishable) -> String {
    match judged {
        Punishable::Never(error) => error.text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_guardians_faults_are_ordered_by_resets_first() {
    let (chain, base) = at_checkpoint();
    assert_eq!(judged(&chain, 0, 10), Punishable::Later);
    assert!(refusal(judged(&chain, 1, 5)).contains("the fault is of reset 1, the chain had 0"));
    let mut after = reset(chain, &base, &Offences::default());
    assert_eq!(judged(&after, 0, 10), Punishable::Yes, "a height that is void now need not be reached");
    assert_eq!(judged(&after, 1, 10), Punishable::Later);
    assert_eq!(judged(&after, 0, 5), Punishable::Yes);
    after.run_to(10);
    assert!(refusal(judged(&after, 0, 100)).contains("too long ago"), "as old as the reset's checkpoint");
    assert_eq!(judged(&after, 1, 10), Punishable::Yes);
    // Slashed after the reset: what was before it is paid for, whatever its height.
    let mut view = after.view();
    view.set(keys::slashed(StakePurpose::Guardian, &guardian(1)), &Moment { resets: 1, height: 9 });
    view.keep().expect("keeps");
    let (state, commit) = view.commit(&vigil_trie::ScalarHasher).expect("commits");
    after.nodes.add(&commit.nodes);
    after.head = Parent { state, ..after.head };
    assert!(refusal(judged(&after, 1, 9)).contains("was slashed at height 9"));
    assert_eq!(judged(&after, 1, 10), Punishable::Yes);
    let (mut young, base) = at_checkpoint();
    young = reset(young, &base, &Offences::default());
    let mut view = young.view();
    view.set(keys::slashed(StakePurpose::Guardian, &guardian(1)), &Moment { resets: 1, height: 6 });
    view.keep().expect("keeps");
    let (state, commit) = view.commit(&vigil_trie::ScalarHasher).expect("commits");
    young.nodes.add(&commit.nodes);
    young.head = Parent { state, ..young.head };
    assert!(refusal(judged(&young, 0, 100)).contains("was slashed at height 6"));
}

#[test]
fn guardians_can_be_among_the_offenders() {
    let mut chain = chain(&[10, 20, 30]);
    chain.run_to(5);
    let (set, one) = (chain.set(), chain.checkpoint());
    let (ten, other) = (Checkpoint { height: 10, ..one }, Checkpoint { height: 10, block_hash: Hash::ZERO, ..one });
    let votes = (chain.votes(&set, ten, &[0, 1]), chain.votes(&set, other, &[1]));
    let offences = Offences::new([Evidence::GuardianDoubleVote(guardian(1), Box::new(votes))]);
    let (_, outcome) = make(&chain, 1, &offences).expect("a reset");
    let left = queries::guardians(&outcome.state).expect("reads");
    assert_eq!((left.len(), left.position(&guardian(1))), (2, None));
    assert!(!outcome.validators_changed);
}
