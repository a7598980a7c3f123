//! Votes whose source is not what their block says: they hide nothing, and do not undo the true vote.

use super::bench::*;
use super::net::*;
use crate::*;
use std::sync::Arc;
use vigil_primitives::*;

pub(super) fn changed(vote: &Vote, change: impl FnOnce(&mut Vote)) -> Vote {
    let mut vote = vote.clone();
    change(&mut vote);
    vote.signature = sign_as(&vote.voter, &vote.digest(&domain()));
    vote
}

/// A follower of 4 members that has heard a vote of member 0 for a block of height 2 over height 1, and `x` of height 3
/// over genesis: a vote for it surrounds the one heard.
fn voted() -> (Bench, Hash) {
    let mut bench = Bench::with(4, None, Rules::default(), Disk::default());
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.certify(&a);
    let b = bench.block(2, a, a);
    bench.propose(&b);
    bench.give(Message::Vote(bench.vote(0, &b)));
    let x1 = bench.block_by(1, 1, g, g, 1);
    let x2 = bench.block(5, x1, g);
    let x = bench.block(6, x2, g);
    (bench, x)
}

/// Evidence against member 0, by kind: double votes, surround votes. All of it holds.
fn accused(effects: &[Effect]) -> [usize; 2] {
    let mut kinds = [0; 2];
    for proof in evidence(effects) {
        assert_eq!(proof.offender(), address(0));
        let is_signed = |signer: &_, digest: &_, signature: &_| HashKeys(*signer).verify(signer, digest, signature);
        assert_eq!(proof.verify(&domain(), is_signed), Ok(()));
        match proof {
            Evidence::DoubleVote(..) => kinds[0] += 1,
            Evidence::SurroundVote(..) => kinds[1] += 1,
            _ => panic!("{proof:?}"),
        }
    }
    kinds
}

/// The lie to all, the truth to whoever makes the certificate.
#[test]
fn a_lie_hides_no_surround_vote_whatever_brings_the_truth() {
    for known in [false, true] {
        let carriers: [fn(&mut Bench, Hash) -> Message; 5] = [
            |bench, x| Message::Vote(bench.vote(0, &x)),
            |bench, x| Message::Certificate(Arc::new(bench.cc_by(&[0, 1, 2], &x))),
            |bench, x| Message::EpochCert(EpochCert::Commit(Arc::new(bench.cc_by(&[0, 1, 2], &x)))),
            |bench, x| Message::EpochChange(bench.change(1, 9, x, x)),
            |bench, x| {
                let hcc = bench.cc_by(&[0, 1, 2], &x);
                let child = bench.custom(3, |header| (header.epoch, header.parent, header.hcc) = (7, x, hcc));
                Message::Block(Arc::new(bench.blocks[&child].clone()))
            },
        ];
        for (i, carrier) in carriers.into_iter().enumerate() {
            let (mut bench, x) = voted();
            let lie = changed(&bench.vote(0, &x), |vote| vote.source_height = 2);
            assert_eq!(accused(&bench.give(Message::Vote(lie))), [0, 0], "carrier {i}: it contradicts nothing");
            if known {
                let honest = bench.cc_by(&[1, 2, 3], &x);
                assert_eq!(accused(&bench.give(Message::Certificate(Arc::new(honest)))), [0, 0]);
                assert!(bench.machine.cert(&x).is_some());
            }
            let truth = carrier(&mut bench, x);
            assert_eq!(accused(&bench.give(truth)), [1, 1], "carrier {i}, certificate known: {known}");
        }
    }
}

#[test]
fn lies_about_the_height_do_not_fill_the_memory_of_a_block() {
    let (mut bench, x) = voted();
    for height in [10, 11] {
        let lie = changed(&bench.vote(0, &x), |vote| (vote.height, vote.source_height) = (height, height - 1));
        assert_eq!(accused(&bench.give(Message::Vote(lie))), [0, 0], "they contradict nothing");
    }
    assert_eq!(accused(&bench.give(Message::Vote(bench.vote(0, &x)))), [0, 1]);
}

#[test]
fn the_true_vote_counts_after_a_lie_and_only_once() {
    for held in [true, false] {
        let mut bench = Bench::new(4, 3);
        let g = bench.genesis();
        let a = bench.block(1, g, g);
        if held {
            bench.propose(&a);
        } else {
            bench.give(Message::Vote(bench.vote(2, &a)));
        }
        let truth = bench.vote(0, &a);
        let lie = changed(&truth, |vote| vote.source_set = 1);
        assert_eq!(accused(&bench.give(Message::Vote(lie))), [0, 0]);
        assert_eq!(accused(&bench.give(Message::Vote(truth.clone()))), [1, 0]);
        assert!(bench.machine.cert(&a).is_none(), "two of four");
        bench.give(Message::Vote(bench.vote(1, &a)));
        let cert = bench.machine.cert(&a).expect("three of four");
        assert_eq!(cert.votes.len(), 3);
        assert!(cert.votes.contains(&truth) && cert.votes.iter().all(|vote| vote.body() == truth.body()));
    }
}

#[test]
fn of_a_voter_that_said_two_things_of_a_block_no_third_is_looked_at() {
    let (mut bench, x) = voted();
    let truth = bench.vote(0, &x);
    let before = bench.machine.view().buffered.votes;
    for source_set in 0..5 {
        bench.give(Message::Vote(changed(&truth, |vote| vote.source_set = source_set)));
    }
    assert_eq!(bench.machine.view().buffered.votes, before + 2);
    let unsigned = Vote { source_set: 9, signature: Signature::from([1; 65]), ..truth.clone() };
    assert_eq!(penalties(&bench.give(Message::Vote(unsigned))), []);
    let other_signature = Vote { signature: Signature::from([1; 65]), ..truth };
    assert_eq!(penalties(&bench.give(Message::Vote(other_signature))), [], "what it says is known");
}

/// The certificate beside a change is not signed with it: whoever passes it on may put garbage there.
#[test]
fn a_change_counts_though_garbage_stands_beside_its_known_lock() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let x = bench.block(1, g, g);
    bench.feed(&x);
    bench.certify(&x);
    let mut change = bench.change(1, 9, x, x);
    let mut garbage = bench.cc(x);
    garbage.votes.iter_mut().for_each(|vote| vote.source_set = 1);
    change.lock_cc = Some(Arc::new(garbage));
    bench.give(Message::EpochChange(change));
    let kept = &bench.machine.changes[&address(1)];
    assert_eq!((kept.target_epoch, kept.lock_cc.as_deref()), (9, Some(&bench.cc(x))), "with the one that holds");
}
