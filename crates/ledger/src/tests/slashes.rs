//! Slash transactions: each kind of evidence, each refusal, and where the coins go.

use super::actors::{Chain, address, deposit, fee, genesis, input, key, params, send, signed, stranger, withdraw};
use super::guards::{chain, guardian, guardian_source};
use crate::tx::slash::SLASHES_MAX;
use crate::{Proposal, Punishable, TxError, build_block, code, double_voters, punishable, queries};
use vigil_primitives::{
    AggregatedVotes, BlockHeader, Bytes, ChainParams, Checkpoint, Coins, Evidence, GenesisStake, Hash, Hcc, SignDomain,
    Signature, Slash, StakePurpose, Tx, U256, Vote,
};

fn theta(tokens: u64) -> U256 {
    Coins::tokens(tokens, 0).theta
}

/// Validators 1 (a million tokens) and 2 (200,000); person 3 reports. At height 3.
fn two_validators() -> Chain {
    let mut genesis = genesis(params(), 4);
    genesis.stakes.push(GenesisStake { source: address(2), holder: address(2), amount: theta(200_000) });
    let mut chain = Chain::of(&genesis);
    chain.run_to(3);
    chain
}

fn domain(chain: &Chain) -> &SignDomain {
    crate::Proofs::domain(&chain.proofs)
}

fn header(chain: &Chain, n: u16, epoch: u64, height: u64, salt: u64) -> BlockHeader {
    let chain_id = chain.params.chain_id.clone();
    let hcc = Hcc { votes: Vec::new(), block_hash: domain(chain).genesis_hash };
    let proposer = address(n);
    let unsigned = BlockHeader { chain_id, epoch, height, hcc, timestamp: salt, proposer, ..BlockHeader::default() };
    BlockHeader { signature: key(n).sign(&unsigned.sign_digest()), ..unsigned }
}

fn lie(chain: &Chain, n: u16) -> Evidence {
    let header = header(chain, 1, 3, 3, 0);
    let unsigned = Vote { block_hash: header.hash(), signature: Signature::none(), ..chain.vote(n, 3, 0, 2) };
    let signature = key(n).sign(&unsigned.digest(domain(chain)));
    Evidence::SourceLie(Vote { signature, ..unsigned }, Box::new(header))
}

fn refusal(chain: &Chain, evidence: &Evidence) -> TxError {
    chain.try_tx(&chain.report(3, 1, evidence)).expect_err("refused")
}

#[test]
fn every_fault_of_a_validator_costs_its_stake() {
    type Make = fn(&Chain) -> Evidence;
    let faults: [(&str, Make); 5] = [
        ("double vote", |c| c.double_vote(2, 3)),
        ("two sources", |c| Evidence::DoubleVote(c.vote(2, 3, 1, 0), c.vote(2, 3, 1, 2))),
        ("double proposal", |c| Evidence::DoubleProposal(header(c, 2, 7, 3, 0), header(c, 2, 7, 2, 1))),
        ("surround vote", |c| Evidence::SurroundVote(c.vote(2, 4, 1, 0), c.vote(2, 3, 2, 1))),
        ("source lie", |c| lie(c, 2)),
    ];
    for (what, fault) in faults {
        let mut chain = two_validators();
        let built = chain.step_all(&[chain.report(3, 1, &fault(&chain))]);
        assert!(built.outcome.validators_changed, "{what}");
        assert_eq!(chain.validators, [(address(1), theta(1_000_000))], "{what}");
        assert_eq!(chain.account(&address(3)).balance, Coins::tokens(10_010_000, 50_000_000), "{what}: 5 %");
        assert_eq!(chain.head.supply.burned, Coins::theta(theta(190_000)), "{what}");
        assert_eq!(chain.slashed_at(StakePurpose::Validator, &address(2)), Some(4), "{what}");
        assert_eq!(chain.account(&address(2)).balance.theta, theta(9_800_000), "{what}: nothing comes back");
    }
}

#[test]
fn a_guardian_that_votes_twice_loses_its_stake() {
    let mut chain = chain(&[10, 20, 30]);
    chain.run_to(5);
    let (checkpoint, set) = (chain.checkpoint(), chain.set());
    chain.run_to(6);
    let rival = Checkpoint { block_hash: Hash::repeat_byte(1), ..checkpoint };
    let (a, b) = (chain.votes(&set, checkpoint, &[0, 1, 2]), chain.votes(&set, rival, &[1]));
    let against = |n| Evidence::GuardianDoubleVote(guardian(n), Box::new((a.clone(), b.clone())));
    let error = refusal(&chain, &against(0));
    assert!(error.text.contains("not among the signers"), "{error}");
    let found = double_voters(&chain.head.state, &(a.clone(), b.clone())).expect("reads");
    assert_eq!(found, Some(vec![against(1)]));
    let unknown = AggregatedVotes { checkpoint: Checkpoint { set_hash: Hash::ZERO, ..rival }, ..b.clone() };
    assert_eq!(double_voters(&chain.head.state, &(a.clone(), unknown)).expect("reads"), None);
    chain.step_all(&[chain.report(3, 1, &against(1))]);
    assert_eq!(chain.account(&address(3)).balance.theta, theta(10_001_000));
    assert_eq!(chain.head.supply.burned, Coins::theta(theta(19_000)));
    assert_eq!(chain.set().position(&guardian(1)), None);
    assert_eq!(chain.set().len(), 2);
    assert_eq!(chain.slashed_at(StakePurpose::Guardian, &guardian(1)), Some(7));
    assert_eq!(chain.slashed_at(StakePurpose::Validator, &guardian(1)), None);
    // It may come back, with its old key; what it did is done with.
    chain.step_all(&[chain.joins(2, 1, 1)]);
    let error = chain.try_tx(&chain.report(3, 2, &against(1))).expect_err("replayed");
    assert!(error.text.contains("was slashed at height 7"), "{error}");
}

#[test]
fn votes_that_prove_nothing_of_guardians() {
    let mut chain = chain(&[10, 20, 30]);
    chain.run_to(5);
    let (checkpoint, set) = (chain.checkpoint(), chain.set());
    chain.run_to(6);
    let rival = Checkpoint { block_hash: Hash::repeat_byte(1), ..checkpoint };
    let good = chain.votes(&set, checkpoint, &[0, 1]);
    let against = |n, b: AggregatedVotes| {
        refusal(&chain, &Evidence::GuardianDoubleVote(guardian(n), Box::new((good.clone(), b))))
    };
    let error = against(1, AggregatedVotes { checkpoint: rival, ..good.clone() });
    assert_eq!(error.code, code::INVALID_SIGNATURE, "the old signature: {error}");
    let more = chain.votes(&set, rival, &[0, 1]);
    let error = against(1, AggregatedVotes { signers: more.signers.clone(), ..chain.votes(&set, rival, &[0]) });
    assert_eq!(error.code, code::INVALID_SIGNATURE, "it did not sign: {error}");
    let error = against(1, chain.votes(&set, Checkpoint { set_hash: Hash::repeat_byte(7), ..rival }, &[1]));
    assert!(error.text.contains("is not remembered"), "{error}");
    let error = against(1, AggregatedVotes { signers: vec![9, 9].into(), ..more.clone() });
    assert!(error.text.contains("votes of guardians"), "{error}");
    let error = against(1, chain.votes(&set, Checkpoint { set_hash: Hash::ZERO, ..checkpoint }, &[1]));
    assert!(error.text.contains("do not contradict"), "one block: {error}");
    let error = against(9, more);
    assert!(error.text.contains("has no stake as a guardian"), "{error}");
}

#[test]
fn what_is_no_fault_or_not_proven() {
    let chain = two_validators();
    let other_chain = Chain::new(ChainParams { chain_id: "other".into(), ..params() }, 2);
    // The same people on a chain of the same name.
    let twin = Chain::of(&{
        let mut genesis = genesis(params(), 4);
        genesis.timestamp += 1;
        genesis
    });
    let Evidence::DoubleVote(a, b) = chain.double_vote(2, 3) else { unreachable!() };
    let certified = |of: &Chain, salt| {
        let hcc = Hcc { votes: vec![of.vote(1, 2, 5, 1)], block_hash: Hash::repeat_byte(5) };
        let unsigned = BlockHeader { hcc, signature: Signature::none(), ..header(&chain, 2, 7, 3, salt) };
        BlockHeader { signature: key(2).sign(&unsigned.sign_digest()), ..unsigned }
    };
    assert!(
        chain
            .try_tx(&chain.report(3, 1, &Evidence::DoubleProposal(certified(&chain, 0), certified(&chain, 1))))
            .is_ok()
    );
    let forged = Vote { signature: a.signature.clone(), ..b.clone() };
    let unsigned = Vote { signature: Signature::none(), ..b.clone() };
    let (h, other_epoch) = (header(&chain, 2, 7, 3, 0), header(&chain, 2, 8, 3, 0));
    let stolen = BlockHeader { proposer: address(2), ..header(&chain, 1, 7, 3, 1) };
    let cases = [
        ("do not contradict", 100_000, Evidence::DoubleVote(a.clone(), a.clone())),
        ("do not contradict", 100_000, Evidence::DoubleVote(a.clone(), chain.vote(2, 2, 2, 0))),
        ("do not contradict", 100_000, Evidence::DoubleProposal(h.clone(), other_epoch)),
        ("a header is of chain other", 100_000, {
            Evidence::DoubleProposal(header(&other_chain, 2, 7, 3, 0), header(&other_chain, 2, 7, 3, 1))
        }),
        ("a header stands on genesis", 100_000, Evidence::DoubleProposal(h.clone(), header(&twin, 2, 7, 3, 1))),
        ("a signature is not", 100_001, Evidence::DoubleProposal(certified(&chain, 0), certified(&twin, 1))),
        ("a signature is not", 100_001, twin.double_vote(2, 3)),
        ("a signature is not", 100_001, Evidence::DoubleVote(a.clone(), forged)),
        ("a signature is not", 100_001, Evidence::DoubleVote(a.clone(), unsigned)),
        ("a signature is not", 100_001, Evidence::DoubleProposal(h, stolen)),
        ("a signature is not", 100_001, other_chain.double_vote(2, 3)),
        ("has no stake as a validator", 100_000, chain.double_vote(4, 3)),
    ];
    for (text, code, evidence) in cases {
        let error = refusal(&chain, &evidence);
        assert!(error.text.contains(text) && error.code == code, "{text}: {error} ({})", error.code);
    }
}

#[test]
fn the_form_of_a_report() {
    let chain = two_validators();
    let evidence = chain.double_vote(2, 3);
    let good = Slash {
        proposer: input(3, Coins::ZERO, 1),
        slashed_address: address(2),
        reserve_sequence: 0,
        slash_proof: evidence.to_bytes().into(),
    };
    let refusal = |slash: Slash, signer: u16| {
        chain.try_tx(&signed(&chain.params, Tx::Slash(slash), &[signer])).map_or_else(|e| e, |()| panic!("refused"))
    };
    assert!(chain.try_tx(&signed(&chain.params, Tx::Slash(good.clone()), &[3])).is_ok());
    let with = |change: fn(&mut Slash)| {
        let mut slash = good.clone();
        change(&mut slash);
        refusal(slash, 3)
    };
    assert_eq!(with(|s| s.proposer.sequence = 2).code, code::INVALID_SEQUENCE);
    assert_eq!(refusal(good.clone(), 4).code, code::INVALID_SIGNATURE);
    assert!(with(|s| s.proposer.coins.tfuel = U256::from(1)).text.contains("zero coins"));
    assert!(with(|s| s.reserve_sequence = 1).text.contains("reserve sequence 0"));
    assert!(with(|s| s.slashed_address = address(1)).text.contains("the evidence is against"));
    assert!(
        with(|s| s.slash_proof = [s.slash_proof.as_ref(), &[0]].concat().into()).text.contains("belong to nothing")
    );
    assert!(with(|s| s.slash_proof = vec![1; 70_000].into()).text.contains("the limit is"));
    assert!(with(|s| s.slash_proof = Bytes::new()).text.contains("unknown kind"));
    let stranger = chain.report(77, 1, &evidence);
    assert!(chain.try_tx(&stranger).expect_err("no account").text.contains("reporter account"));
}

#[test]
fn the_window_ends_with_the_return_of_stake() {
    let mut chain = two_validators();
    let evidence = |height| chain.double_vote(2, height);
    let (now, old, future) = (evidence(3), evidence(1), evidence(6));
    let judged = |chain: &Chain, evidence: &Evidence| {
        punishable(&chain.head.state, &chain.params, domain(chain), chain.head.height, evidence).expect("reads")
    };
    assert_eq!((judged(&chain, &now), judged(&chain, &future)), (Punishable::Yes, Punishable::Later));
    let error = refusal(&chain, &future);
    assert!(error.text.contains("of height 6, above this block's 4"), "{error}");
    assert!(chain.try_tx(&chain.report(3, 1, &old)).is_ok(), "3 blocks ago of 4");
    // Two blocks on the fault at height 1 is 5 blocks old.
    chain.run_to(5);
    assert!(refusal(&chain, &old).text.contains("too long ago: 2 is the oldest"));
    assert!(matches!(judged(&chain, &old), Punishable::Never(_)));
    assert!(chain.try_tx(&chain.report(3, 1, &future)).is_ok(), "its height has come");
}

#[test]
fn nobody_is_punished_twice_for_one_fault() {
    let mut chain = two_validators();
    let first = chain.double_vote(2, 3);
    let second = Evidence::SurroundVote(chain.vote(2, 4, 1, 0), chain.vote(2, 3, 2, 1));
    // The same fault by two reporters in one block: the first in order wins.
    let built = chain.step(&[chain.report(4, 1, &first), chain.report(3, 1, &first), chain.report(1, 1, &second)]);
    assert_eq!((built.txs.len(), built.dropped.len()), (1, 2));
    assert!(built.dropped.iter().all(|(_, error)| error.text.contains("has no stake")), "{:?}", built.dropped);
    chain.step_all(&[deposit(&chain.params, 2, 1, address(2), theta(300_000))]);
    for evidence in [&first, &second] {
        let error = refusal(&chain, evidence);
        assert!(error.text.contains("was slashed at height 4, for all faults up to it"), "{error}");
    }
    // A new fault costs the new stake.
    chain.step_all(&[chain.report(3, 1, &chain.double_vote(2, 5))]);
    assert_eq!(chain.head.supply.burned, fee().checked_add(&Coins::theta(theta(475_000))).expect("fits"));
}

#[test]
fn a_reporter_may_report_itself_and_loses_nearly_all() {
    let mut chain = two_validators();
    chain.step_all(&[chain.report(2, 1, &chain.double_vote(2, 3))]);
    assert_eq!(chain.account(&address(2)).balance.theta, theta(9_810_000));
    assert_eq!(chain.head.supply.burned, Coins::theta(theta(190_000)));
}

#[test]
fn withdrawn_stake_is_taken_as_long_as_it_is_there() {
    let mut chain = two_validators();
    chain.step_all(&[withdraw(&chain.params, 2, 1, address(2))]);
    assert_eq!(chain.validators.len(), 1);
    let evidence = chain.double_vote(2, 3);
    let report = chain.report(3, 1, &evidence);
    let mut late = Chain::of(&genesis(params(), 1));
    std::mem::swap(&mut late, &mut chain);
    // One takes it in the block in which it would return.
    let returns = 3 + late.params.return_locking_period;
    late.run_to(returns);
    late.step_all(&[late.report(3, 1, &late.double_vote(2, 5))]);
    assert_eq!(late.account(&address(2)).balance.theta, theta(9_800_000));
    assert_eq!(late.account(&address(3)).balance.theta, theta(10_010_000));
    late.run_to(returns + 3);
    assert_eq!(late.account(&address(2)).balance.theta, theta(9_800_000));
    assert!(late.try_tx(&report).is_err());
    let error = late.try_tx(&late.report(3, 2, &late.double_vote(2, returns + 2))).expect_err("nothing is left");
    assert!(error.text.contains("has no stake"), "{error}");
}

#[test]
fn all_sources_of_a_node_lose() {
    let mut chain = chain(&[10]);
    chain.step_all(&[chain.joins(2, 1, 0), deposit(&chain.params, 3, 1, address(1), theta(400_001))]);
    chain.run_to(5);
    let (checkpoint, set) = (chain.checkpoint(), chain.set());
    assert_eq!(set.total(), 11_000 * vigil_primitives::WEI);
    let rival = Checkpoint { block_hash: Hash::ZERO, ..checkpoint };
    chain.run_to(6);
    let votes = (chain.votes(&set, checkpoint, &[0]), chain.votes(&set, rival, &[0]));
    let guardian_fault = Evidence::GuardianDoubleVote(guardian(0), Box::new(votes));
    let before = chain.head.supply.burned.theta;
    chain.step_all(&[chain.report(2, 2, &guardian_fault), chain.report(3, 2, &chain.double_vote(1, 6))]);
    assert_eq!(chain.head.supply.burned.theta - before, theta(1_411_001) * U256::from(95) / U256::from(100));
    assert!(queries::guardian_pool(&chain.head.state).expect("reads").expect("written").sorted_guardians.is_empty());
    assert!(chain.validators.is_empty());
    chain.run_to(12);
    assert_eq!(chain.account(&guardian_source(0)).balance.theta, U256::ZERO);
}

#[test]
fn few_in_a_block() {
    let mut genesis = genesis(params(), 9);
    genesis.stakes.extend((2..9).map(|n| {
        let (source, holder) = (address(n), address(n));
        GenesisStake { source, holder, amount: theta(200_000) }
    }));
    let mut chain = Chain::of(&genesis);
    chain.run_to(2);
    let reports: Vec<_> = (2..8).map(|n| chain.report(9, u64::from(n) - 1, &chain.double_vote(n, 2))).collect();
    let built = chain.step(&reports);
    assert_eq!((built.txs.len(), built.dropped.len()), (SLASHES_MAX, 2));
    assert!(built.dropped[0].1.text.contains("at most 4 slash transactions"), "{:?}", built.dropped);
    chain.step_all(&reports[SLASHES_MAX..]);
    assert_eq!(chain.validators.len(), 2);
}

#[test]
fn a_slash_may_have_to_wait_for_another_set_change() {
    let chain = two_validators();
    let candidates =
        [chain.report(3, 1, &chain.double_vote(2, 3)), send(&chain.params, 4, 1, stranger(1), Coins::ZERO)];
    let sign = |digest: &Hash| key(1).sign(digest);
    let proposal = Proposal { header: chain.header(), allow_set_change: false, candidates: &candidates, sign: &sign };
    let built = build_block(&chain.env(), &chain.head, proposal).expect("builds");
    assert_eq!((built.deferred, built.txs.len()), (vec![candidates[0].hash()], 1));
    assert!(!built.outcome.validators_changed && built.outcome.supply.burned.theta.is_zero());
}

#[test]
fn the_key_of_a_slashed_guardian_is_free_in_the_same_block() {
    let mut chain = chain(&[10]);
    chain.run_to(5);
    let (checkpoint, set) = (chain.checkpoint(), chain.set());
    chain.run_to(6);
    let rival = Checkpoint { block_hash: Hash::ZERO, ..checkpoint };
    let votes = (chain.votes(&set, checkpoint, &[0]), chain.votes(&set, rival, &[0]));
    let fault = Evidence::GuardianDoubleVote(guardian(0), Box::new(votes));
    let txs = [chain.joins(2, 1, 4), chain.report(3, 1, &fault), chain.joins(2, 2, 0)];
    chain.step_all(&txs);
    assert_eq!(chain.set().total(), 2_000 * vigil_primitives::WEI);
}
