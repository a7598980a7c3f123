//! V1 to V6, the lock, and the order of journal and vote.

use super::bench::*;
use super::net::*;
use crate::*;
use vigil_primitives::*;

/// Member 3 of 4; epoch 1 is member 1's turn.
fn bench() -> (Bench, Hash) {
    let bench = Bench::new(4, 3);
    let genesis = bench.genesis();
    (bench, genesis)
}

#[test]
fn votes_for_the_block_of_its_epoch_and_journals_first() {
    let (mut bench, g) = bench();
    let a = bench.block(1, g, g);
    let effects = bench.propose(&a);
    assert_eq!(votes(&effects), [a]);
    let journal = effects.iter().position(|e| matches!(e, Effect::Journal(JournalRecord::Vote { .. })));
    let vote = effects.iter().position(|e| matches!(e, Effect::Broadcast(Message::Vote(_))));
    assert!(journal.expect("journalled") < vote.expect("sent"));
    // Again: nothing.
    assert_eq!(votes(&bench.propose(&a)), NONE);
}

#[test]
fn v1_invalid_blocks_get_no_vote() {
    let (mut bench, g) = bench();
    let hcc = bench.cc(g);
    let wrong = |change: fn(&mut BlockHeader)| {
        let hcc = hcc.clone();
        move |header: &mut BlockHeader| {
            (header.epoch, header.parent, header.hcc) = (1, g, hcc);
            change(header);
        }
    };
    let cases = [
        bench.custom(1, wrong(|h| h.height = 2)),
        bench.custom(2, wrong(|_| ())),
        bench.custom(1, wrong(|h| h.chain_id = "othernet".into())),
        bench.custom(1, wrong(|h| h.timestamp = UNIX_START - 1)),
        bench.custom(1, wrong(|h| h.timestamp = UNIX_START + 1_000 + TIMESTAMP_AHEAD_MAX_SECONDS + 1)),
        bench.custom(1, wrong(|h| h.hcc.block_hash = Hash::with_last_byte(9))),
    ];
    for (i, hash) in cases.iter().enumerate() {
        assert_eq!(votes(&bench.propose(hash)), NONE, "case {i}");
    }
    let at_limit = bench.custom(1, wrong(|h| h.timestamp = UNIX_START + 1_000 + TIMESTAMP_AHEAD_MAX_SECONDS));
    assert_eq!(votes(&bench.feed(&at_limit)), [at_limit]);
}

#[test]
fn v1_a_signature_that_is_not_the_proposers_is_blamed() {
    let (mut bench, g) = bench();
    let a = bench.block(1, g, g);
    let mut block = bench.blocks[&a].clone();
    block.header.signature = sign_as(&address(0), &block.header.sign_digest());
    let effects = bench.give(Message::Proposal(Proposal { block: std::sync::Arc::new(block), epoch_cert: None }));
    assert_eq!(penalties(&effects), [Penalty::BadBlock]);
    assert_eq!(votes(&effects), NONE);
}

#[test]
fn v2_only_blocks_of_the_current_epoch() {
    let (mut bench, g) = bench();
    bench.enter(3, 3);
    assert_eq!(bench.epoch(), 3);
    let old = bench.block(2, g, g);
    assert_eq!(votes(&bench.propose(&old)), NONE, "an older epoch");
    assert!(bench.machine.meta(&old).is_some(), "but it is kept");
    let early = bench.block(4, g, g);
    assert_eq!(votes(&bench.propose(&early)), NONE, "a later epoch");
    let now = bench.block_by(3, 3, g, g, 0);
    assert_eq!(votes(&bench.propose(&now)), [now]);
}

#[test]
fn v2_e5_no_vote_after_the_epoch_change_was_sent() {
    let (mut bench, g) = bench();
    let effects = bench.wait(100_000, TimerId::Epoch);
    assert_eq!(changes(&effects), [2]);
    let a = bench.block(1, g, g);
    assert_eq!(votes(&bench.propose(&a)), NONE);
}

#[test]
fn v3_one_vote_an_epoch() {
    let (mut bench, g) = bench();
    let a = bench.block(1, g, g);
    let b = bench.block_by(1, 1, g, g, 7);
    assert_eq!(votes(&bench.propose(&a)), [a]);
    let effects = bench.propose(&b);
    assert_eq!(votes(&effects), NONE);
    let [Evidence::DoubleProposal(..)] = evidence(&effects)[..] else { panic!("{effects:?}") };
    evidence(&effects)[0].verify(&domain(), is_signed).expect("it proves");
    let forwarded = effects.iter().filter(|e| matches!(e, Effect::Broadcast(Message::Block(_)))).count();
    assert_eq!(forwarded, 2, "both are forwarded once");
    let c = bench.block_by(1, 1, g, g, 8);
    assert!(bench.propose(&c).is_empty(), "a third one is not kept");
    assert!(bench.machine.meta(&c).is_none());
}

#[test]
fn v4_votes_climb_in_height() {
    let (mut bench, g) = bench();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.enter_with(2, 3, a);
    assert_eq!(bench.epoch(), 2);
    let low = bench.block(2, g, g);
    assert_eq!(votes(&bench.propose(&low)), NONE, "height 1 again");
    bench.enter_with(5, 3, a);
    let high = bench.block(5, low, g);
    assert_eq!(votes(&bench.propose(&high)), [high], "height 2");
}

/// a(1, epoch 1) certified, b(2, epoch 2) on it with its certificate: voting b locks a.
fn locked() -> (Bench, [Hash; 2]) {
    let (mut bench, g) = bench();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.certify(&a);
    assert_eq!(bench.epoch(), 2, "E3(a)");
    let b = bench.block(2, a, a);
    assert_eq!(votes(&bench.propose(&b)), [b]);
    (bench, [a, b])
}

#[test]
fn v5_the_lock_is_the_highest_hcc_voted_for() {
    let (mut bench, [a, b]) = locked();
    let g = bench.genesis();
    assert_eq!(bench.machine.view().lock, (0, 1, a));
    // A longer fork that carries only genesis' certificate does not get past the lock...
    let x1 = bench.block_by(1, 1, g, g, 1);
    bench.feed(&x1);
    bench.enter_with(5, 3, b);
    let x2 = bench.block(5, x1, g);
    bench.feed(&x2);
    bench.enter_with(6, 3, b);
    let x3 = bench.block(6, x2, g);
    assert_eq!(votes(&bench.propose(&x3)), NONE);
    // ... a block on the lock does, even with the same certificate.
    bench.enter_with(9, 3, b);
    let c = bench.block(9, b, a);
    assert_eq!(votes(&bench.propose(&c)), [c]);
    assert_eq!(bench.machine.view().lock, (0, 1, a));
}

#[test]
fn v5_a_seen_certificate_does_not_lock() {
    let (mut bench, [a, b]) = locked();
    bench.certify(&b);
    assert_eq!(bench.machine.view().lock, (0, 1, a));
}

#[test]
fn v5_another_certificate_of_the_locks_rank_halts() {
    let (mut bench, [a, _]) = locked();
    let g = bench.genesis();
    // Members 0, 1, 2 also certify x1 at the height of a: more than a third is faulty.
    let x1 = bench.block_by(1, 1, g, g, 1);
    bench.feed(&x1);
    let x2 = bench.block(2 + 4, x1, x1);
    bench.enter(6, 3);
    let effects = bench.propose(&x2);
    assert_eq!(votes(&effects), NONE);
    let halted = |e: &Effect| {
        matches!(e, Effect::Halted(HaltReason::ConflictingCertificates { height: 1, ours, theirs })
            if *ours == a && *theirs == x1)
    };
    assert!(effects.iter().any(halted), "{effects:?}");
    let offenders: std::collections::BTreeSet<Address> = evidence(&effects).iter().map(Evidence::offender).collect();
    assert!(offenders.len() >= 2, "{offenders:?}");
    assert!(bench.machine.view().halted);
    assert!(changes(&bench.wait(100_000, TimerId::Epoch)).is_empty(), "nothing is signed any more");
}

#[test]
fn v6_blocks_off_the_settled_chain_are_dropped() {
    let (mut bench, [a, b]) = locked();
    let g = bench.genesis();
    assert_eq!(settled(&bench.certify(&b)), [a]);
    let x1 = bench.block_by(1, 1, g, g, 1);
    bench.feed(&x1);
    assert!(bench.machine.meta(&x1).is_none());
    bench.enter_with(5, 3, b);
    let x2 = bench.block(5, x1, g);
    bench.feed(&x2);
    bench.enter_with(6, 3, b);
    let x3 = bench.block(6, x2, g);
    assert_eq!(votes(&bench.propose(&x3)), NONE);
    assert!(bench.machine.meta(&x3).is_none());
}

#[test]
fn rule_12_the_hcc_never_falls_along_a_chain() {
    let (mut bench, [_, b]) = locked();
    let g = bench.genesis();
    bench.enter_with(5, 3, b);
    let c = bench.block(5, b, g);
    bench.feed(&c);
    assert!(bench.machine.meta(&c).is_none(), "its parent carries a higher certificate");
}

#[test]
fn certificates_are_judged_strictly() {
    let (mut bench, g) = bench();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    let good = bench.cc_by(&[0, 1, 2], &a);
    let mut duplicate = good.clone();
    duplicate.votes[1] = duplicate.votes[0].clone();
    let mut unsorted = good.clone();
    unsorted.votes.swap(0, 1);
    let mut other_block = good.clone();
    other_block.block_hash = Hash::with_last_byte(5);
    let mut other_body = bench.cc_by(&[0, 1, 2], &a);
    for vote in &mut other_body.votes {
        vote.height = 2;
        vote.signature = sign_as(&vote.voter, &vote.digest(&domain()));
    }
    let mut forged = good.clone();
    forged.votes[2].signature = sign_as(&address(0), &forged.votes[2].digest(&domain()));
    let bad = [
        (duplicate, Some(Penalty::BadCertificate)),
        (unsorted, Some(Penalty::BadCertificate)),
        (other_block, Some(Penalty::BadCertificate)),
        (bench.cc_by(&[0, 1], &a), None),
        (bench.cc_by(&[0, 1, 9], &a), None),
        (bench.cc_by(&[0, 1, 2, 9], &a), None),
        (Hcc { votes: Vec::new(), block_hash: a }, Some(Penalty::BadCertificate)),
        (other_body, Some(Penalty::BadCertificate)),
        (forged, Some(Penalty::BadSignature)),
    ];
    for (i, (hcc, reason)) in bad.into_iter().enumerate() {
        let effects = bench.give(Message::Certificate(std::sync::Arc::new(hcc.clone())));
        assert_eq!(penalties(&effects).first().copied(), reason, "case {i}");
        assert!(bench.machine.cert(&a).is_none(), "case {i}");
        // And a header that carries it is no block to vote for.
        bench.now.mono += 1;
        let b = bench.custom(2, |h| (h.epoch, h.parent, h.hcc) = (2, a, hcc));
        bench.feed(&b);
        assert!(bench.machine.meta(&b).is_none(), "case {i}");
    }
    assert_eq!(bench.epoch(), 1);
    bench.give(Message::Certificate(std::sync::Arc::new(good)));
    assert!(bench.machine.cert(&a).is_some());
}

#[test]
fn exactly_two_thirds_is_no_quorum() {
    let mut bench = Bench::new(3, 2);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    assert!(bench.machine.cert(&a).is_none());
    bench.give(Message::Vote(bench.vote(0, &a)));
    assert!(bench.machine.cert(&a).is_none(), "two of three");
    bench.give(Message::Vote(bench.vote(1, &a)));
    assert!(bench.machine.cert(&a).is_some(), "three of three");
}

fn is_signed(signer: &Address, digest: &Hash, signature: &Signature) -> bool {
    HashKeys(*signer).verify(signer, digest, signature)
}

#[test]
fn votes_that_lie_do_not_count_and_are_proof() {
    let (mut bench, [_, b]) = locked();
    let g = bench.genesis();
    let mut lie = bench.vote(0, &b);
    (lie.source_hash, lie.source_height) = (g, 0);
    lie.signature = sign_as(&lie.voter, &lie.digest(&domain()));
    let effects = bench.give(Message::Vote(lie));
    let found = evidence(&effects);
    assert!(matches!(found[..], [Evidence::SourceLie(..)]), "{found:?}");
    found[0].verify(&domain(), is_signed).expect("it proves");
    assert_eq!(found[0], Evidence::from_bytes(&found[0].to_bytes()).expect("round trip"));
    bench.give(Message::Vote(bench.vote(1, &b)));
    assert!(bench.machine.cert(&b).is_none(), "1 and 3 are two of four; the lie does not count");
}

#[test]
fn double_and_surround_votes_are_proof() {
    let (mut bench, [a, b]) = locked();
    let g = bench.genesis();
    let x1 = bench.block_by(1, 1, g, g, 1);
    let x2 = bench.block(5, x1, g);
    let x3 = bench.block(6, x2, g);
    bench.give(Message::Vote(bench.vote(0, &a)));
    bench.give(Message::Vote(bench.vote(0, &b)));
    let double = evidence(&bench.give(Message::Vote(bench.vote(0, &x1))));
    assert!(matches!(&double[..], [Evidence::DoubleVote(a, b)] if a.voter == address(0) && b.voter == a.voter));
    // source 0 -> target 3 surrounds source 1 -> target 2.
    let surround = evidence(&bench.give(Message::Vote(bench.vote(0, &x3))));
    assert!(matches!(&surround[..], [Evidence::SurroundVote(outer, _)] if outer.block_hash == x3), "{surround:?}");
    for proof in double.iter().chain(&surround) {
        proof.verify(&domain(), is_signed).expect("it proves");
        assert_eq!(*proof, Evidence::from_bytes(&proof.to_bytes()).expect("round trip"));
    }
    assert_eq!(evidence(&bench.give(Message::Vote(bench.vote(0, &x3)))), [], "once");
    let vote = bench.vote(0, &a);
    let nothing = Evidence::DoubleVote(vote.clone(), vote);
    let refused = nothing.verify(&domain(), is_signed);
    assert_eq!(refused, Err(EvidenceError::NoContradiction));
}

#[test]
fn a_block_that_fails_is_invalid_with_its_children() {
    let (mut bench, g) = bench();
    bench.execute = false;
    let a = bench.block(1, g, g);
    let b = bench.block(2, a, g);
    bench.propose(&a);
    bench.feed(&b);
    let outcome = Err(BlockFault::Invalid("overspent".into()));
    let effects = bench.input(Input::Executed { block: a, outcome });
    assert_eq!((votes(&effects), penalties(&effects)), (NONE.to_vec(), vec![]));
    assert!(bench.feed(&a).is_empty() && bench.feed(&b).is_empty(), "both are remembered as invalid");
}

#[test]
fn a_swapped_body_does_not_poison_the_hash() {
    let (mut bench, g) = bench();
    bench.execute = false;
    let a = bench.block(1, g, g);
    bench.propose(&a);
    let effects = bench.input(Input::Executed { block: a, outcome: Err(BlockFault::Body) });
    assert_eq!(penalties(&effects), [Penalty::BadBlock]);
    bench.execute = true;
    assert_eq!(votes(&bench.propose(&a)), [a], "the true body is welcome");
}

#[test]
fn more_than_two_blocks_of_a_turn_are_kept_if_something_stands_on_them() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    // A liar makes five blocks in its turn; they and the child of the last come before their parent.
    let a = bench.block(1, g, g);
    let rivals: Vec<Hash> = (0..5).map(|salt| bench.block_by(2, 2, a, g, salt)).collect();
    bench.enter(2, 3);
    rivals.iter().for_each(|rival| drop(bench.feed(rival)));
    let sorted = {
        let mut sorted = rivals.clone();
        sorted.sort();
        sorted
    };
    let child = bench.block(3, sorted[4], g);
    bench.enter(3, 3);
    let asked = requests(&bench.feed(&child));
    assert!(asked.is_empty(), "its parent is parked, and that one's is on its way");
    bench.feed(&a);
    assert!(bench.machine.meta(&child).is_some());
    assert_eq!(rivals.iter().filter(|rival| bench.machine.meta(rival).is_some()).count(), 3);
}

#[test]
fn an_ancestor_is_asked_for_through_parked_ones() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let b = bench.block(2, a, g);
    let c = bench.block(3, b, g);
    bench.feed(&b);
    (0..4).for_each(|_| drop(bench.wait(100 * DELTA, TimerId::Fetch)));
    (0..8).for_each(|_| drop(bench.wait(100 * DELTA, TimerId::Fetch)));
    assert_eq!(bench.machine.view().buffered.fetching, 0, "given up");
    assert_eq!(requests(&bench.feed(&c)), [(PEER, a)]);
}

/// Whoever sees both messages has the proof, also a node that does not sign.
#[test]
fn followers_find_faults() {
    let mut bench = Bench::with(4, None, Rules::default(), Disk::default());
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let rival = bench.block_by(1, 1, g, g, 7);
    bench.give(Message::Proposal(Proposal { block: bench.blocks[&a].clone().into(), epoch_cert: None }));
    let effects = bench.feed(&rival);
    assert!(matches!(evidence(&effects)[..], [Evidence::DoubleProposal(..)]), "{effects:?}");
    bench.certify(&a);
    let b = bench.block(2, a, a);
    bench.feed(&b);
    bench.give(Message::Vote(bench.vote(0, &b)));
    let double = evidence(&bench.give(Message::Vote(bench.vote(0, &rival))));
    assert!(matches!(&double[..], [Evidence::DoubleVote(..)]), "{double:?}");
    let x2 = bench.block(5, rival, g);
    let x3 = bench.block(6, x2, g);
    let surround = evidence(&bench.give(Message::Vote(bench.vote(0, &x3))));
    assert!(matches!(&surround[..], [Evidence::SurroundVote(..)]), "{surround:?}");
    for proof in double.iter().chain(&surround) {
        proof.verify(&domain(), is_signed).expect("it proves");
    }
}
