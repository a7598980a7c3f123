//! §1.12: a set change takes effect at the first block whose header chain proves it settled.

use super::bench::*;
use super::net::*;
use crate::*;
use vigil_primitives::*;

fn flagged(bench: &mut Bench, epoch: Epoch, parent: Hash, hcc: Hash, set: &ValidatorSet) -> Hash {
    let hcc = bench.cc(hcc);
    let proposer = epoch as usize % bench.members;
    bench.custom_with(proposer, vec![Bytes::from(rlp::encode(set))], |header| {
        (header.epoch, header.parent, header.hcc) = (epoch, parent, hcc);
    })
}

#[test]
fn the_direct_path_changes_at_u_plus_two() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let new_set = equal_set(3..7);
    let u = flagged(&mut bench, 1, g, g, &new_set);
    bench.propose(&u);
    bench.certify(&u);
    let v = bench.block(2, u, u);
    bench.propose(&v);
    let meta = bench.machine.meta(&v).expect("held").clone();
    assert_eq!((meta.set.index, meta.pend), (0, Some(u)));
    assert_eq!(bench.machine.set_key().index, 0);
    let effects = bench.certify(&v);
    assert_eq!(settled(&effects), [u], "an old-set certificate settles u and no more");
    let forwarded = effects.iter().filter(|e| matches!(e, Effect::Broadcast(Message::Certificate(_)))).count();
    assert_eq!(forwarded, 1, "the proof of the set change is forwarded");
    assert_eq!(bench.machine.set_key(), SetKey { index: 1, origin: u });
    // Epoch 3: step 3 - e0 = 2 of members 3..7 is member 5.
    assert_eq!(bench.machine.proposer(3), Some(address(5)));
    let hcc = bench.cc(v);
    let w = bench.custom(5, |h| (h.epoch, h.parent, h.hcc) = (3, v, hcc));
    assert_eq!(votes(&bench.propose(&w)), [w], "member 3 is in both sets");
    let meta = bench.machine.meta(&w).expect("held").clone();
    assert_eq!((meta.set.index, meta.pend), (1, None));
    // The old set cannot certify w, the new one can; it settles nothing of the old set yet ...
    bench.certify(&w);
    assert!(bench.machine.cert(&w).is_none());
    let cc = bench.cc_by(&[4, 5, 6], &w);
    let effects = bench.give(Message::Certificate(std::sync::Arc::new(cc.clone())));
    assert_eq!(settled(&effects), NONE);
    // ... and its child's does.
    let x = bench.custom(6, |h| (h.epoch, h.parent, h.hcc) = (4, w, cc));
    bench.propose(&x);
    let cc = bench.cc_by(&[4, 5, 6], &x);
    let effects = bench.give(Message::Certificate(std::sync::Arc::new(cc)));
    assert_eq!(settled(&effects), [v, w]);
    assert_eq!(bench.machine.view().lock.0, 1, "ranks carry the set index");
}

/// u and v as on the direct path, v certified: w is the first block of the new set.
fn handover() -> (Bench, [Hash; 2]) {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let u = flagged(&mut bench, 1, g, g, &equal_set(1..5));
    bench.propose(&u);
    bench.certify(&u);
    let v = bench.block(2, u, u);
    (bench, [u, v])
}

#[test]
fn who_missed_the_proof_of_a_set_change_gets_it_with_e4() {
    let (mut bench, [_, v]) = handover();
    bench.propose(&v);
    bench.certify(&v);
    assert_eq!(bench.machine.set_key().index, 1);
    let sent = |effects: &[Effect]| {
        effects.iter().filter(|e| matches!(e, Effect::Broadcast(Message::Certificate(c)) if c.block_hash == v)).count()
    };
    // Epoch 3 was entered by this very certificate, which E4 sends anyway; a later one by epoch changes of the new set.
    assert_eq!(sent(&bench.wait(100_000, TimerId::Epoch)), 0);
    for voter in [1, 2, 4] {
        bench.give(Message::EpochChange(bench.genesis_change(voter, 7)));
    }
    assert_eq!(bench.epoch(), 7);
    assert_eq!(sent(&bench.wait(100_000, TimerId::Epoch)), 1);
}

#[test]
fn a_certificate_of_an_unheld_block_is_judged_by_the_set_of_its_source() {
    let (mut bench, [_, v]) = handover();
    bench.propose(&v);
    bench.certify(&v);
    let hcc = bench.cc(v);
    // Epoch 3: step 2 of members 1..5 is member 3, but its block is not held. 0, 1, 2 are a quorum of the old set.
    let w = bench.custom(3, |h| (h.epoch, h.parent, h.hcc) = (3, v, hcc));
    let cc = std::sync::Arc::new(bench.cc_by(&[0, 1, 2], &w));
    let effects = bench.give(Message::Certificate(cc));
    assert_eq!((bench.epoch(), penalties(&effects)), (3, vec![]));
    assert!(bench.machine.cert(&w).is_none());
    assert_eq!(requests(&effects), [(PEER, w)], "the block will tell");
    for voter in [0, 1, 2] {
        bench.give(Message::Vote(bench.vote(voter, &w)));
    }
    assert_eq!(bench.epoch(), 3, "single votes are judged alike");
    bench.give(Message::Vote(bench.vote(4, &w)));
    assert_eq!(bench.epoch(), 4, "1, 2 and 4 are a quorum of the new set");
}

#[test]
fn without_the_source_a_certificate_must_be_enough_in_every_set() {
    let (mut bench, [_, v]) = handover();
    // v is not held: the set of blocks on it is not known.
    let hcc = bench.cc(v);
    let w = bench.custom(3, |h| (h.epoch, h.parent, h.hcc) = (3, v, hcc));
    for voter in [0, 1, 2] {
        bench.give(Message::Vote(bench.vote(voter, &w)));
    }
    assert!(bench.machine.cert(&w).is_none(), "0, 1, 2 are enough in the old set only");
    bench.feed(&v);
    bench.certify(&v);
    assert!(bench.machine.cert(&w).is_none());
    bench.give(Message::Vote(bench.vote(3, &w)));
    assert!(bench.machine.cert(&w).is_some(), "1, 2, 3 are a quorum of the new set");
}

#[test]
fn u_plus_one_may_fail_and_be_climbed_over() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let u = flagged(&mut bench, 1, g, g, &equal_set(3..7));
    bench.propose(&u);
    bench.certify(&u);
    let v = bench.block(2, u, u);
    bench.propose(&v);
    // v never gets a certificate; x on it still carries u's: the old set goes on, the change stays pending.
    bench.enter_with(5, 3, v);
    let x = bench.block(5, v, u);
    assert_eq!(votes(&bench.propose(&x)), [x]);
    let meta = bench.machine.meta(&x).expect("held").clone();
    assert_eq!((meta.set.index, meta.pend), (0, Some(u)));
    assert_eq!(settled(&bench.certify(&x)), NONE, "no direct link");
    let y = bench.block(6, x, x);
    bench.propose(&y);
    assert_eq!(settled(&bench.certify(&y)), [u]);
    assert_eq!(bench.machine.set_key().index, 1);
}

/// The old set goes on above a change that another branch proves, so heights of sources sink where their ranks rise.
#[test]
fn nobody_honest_surrounds_over_a_set_change() {
    let (mut bench, [u, v]) = handover();
    bench.propose(&v);
    bench.enter_with(5, 3, v);
    let x = bench.block(5, v, u);
    bench.propose(&x);
    bench.enter_with(6, 3, x);
    let y = bench.block(6, x, u);
    bench.propose(&y);
    bench.certify(&y);
    bench.enter_with(8, 3, y);
    let z = bench.block(8, y, y);
    let before = own_vote(&bench.propose(&z));
    // v is certified after all, and w on it is the first block of the new set.
    assert_eq!(settled(&bench.certify(&v)), [u]);
    let on = |bench: &mut Bench, epoch: Epoch, parent, hcc| {
        let turn = 1 + (epoch as usize - 1) % 4;
        bench.custom(turn, |h| (h.epoch, h.parent, h.hcc) = (epoch, parent, hcc))
    };
    let cc = bench.cc(v);
    let w = on(&mut bench, 4, v, cc);
    bench.feed(&w);
    let cc = bench.cc_by(&[1, 2, 4], &w);
    bench.give(Message::Certificate(std::sync::Arc::new(cc.clone())));
    let mut parent = w;
    for epoch in [5, 6] {
        parent = on(&mut bench, epoch, parent, cc.clone());
        bench.feed(&parent);
    }
    for voter in [1, 2, 4] {
        bench.give(Message::EpochChange(bench.genesis_change(voter, 9)));
    }
    let last = on(&mut bench, 9, parent, cc);
    let after = own_vote(&bench.propose(&last));
    assert_eq!((before.height, before.source_rank()), (5, (0, 4)));
    assert_eq!((after.height, after.source_rank()), (6, (1, 3)), "V5 ranks the later set higher");
    let evidence = Evidence::SurroundVote(after.clone(), before.clone());
    assert_eq!(evidence.check_contradiction(&domain()), Err(EvidenceError::NoContradiction));
    assert_eq!(offences([&before, &after]), []);
    // A witness that counts both votes reports nobody.
    let reported = [&before, &after].map(|vote| evidence_of(&mut bench, vote));
    assert_eq!(reported, [vec![], vec![]]);
    let sinking = Vote { source_set: 0, ..after };
    assert!(Evidence::SurroundVote(sinking, before).check_contradiction(&domain()).is_ok(), "in one set it is a fault");
}

fn evidence_of(bench: &mut Bench, vote: &Vote) -> Vec<Evidence> {
    evidence(&bench.give(Message::Vote(vote.clone())))
}

fn own_vote(effects: &[Effect]) -> Vote {
    let vote = effects.iter().find_map(|effect| match effect {
        Effect::Broadcast(Message::Vote(vote)) => Some(vote.clone()),
        _ => None,
    });
    vote.expect("a vote")
}

#[test]
fn the_forced_link_variant_refuses_that_climb() {
    let rules = Rules { forced_links: true, ..Rules::default() };
    let mut bench = Bench::with(4, Some(3), rules, Disk::default());
    let g = bench.genesis();
    let u = flagged(&mut bench, 1, g, g, &equal_set(3..7));
    bench.propose(&u);
    bench.certify(&u);
    let v = bench.block(2, u, u);
    bench.propose(&v);
    bench.enter_with(5, 3, v);
    let x = bench.block(5, v, u);
    assert_eq!(votes(&bench.propose(&x)), NONE);
}

#[test]
fn one_change_in_flight() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let u = flagged(&mut bench, 1, g, g, &equal_set(3..7));
    bench.propose(&u);
    bench.certify(&u);
    let v = flagged(&mut bench, 2, u, u, &equal_set(0..4));
    assert_eq!(votes(&bench.propose(&v)), NONE);
    assert!(bench.machine.meta(&v).is_none(), "invalid");
}

#[test]
fn a_network_changes_its_set_again_and_again() {
    // Nodes 0..4 start; 4 and 5 join, 0 and 1 leave, and back.
    let mut net = Net::new(equal_set(0..4), 6, Rules::default());
    net.set_changes = (1..40).map(|i| (3 * i, if i % 2 == 1 { equal_set(2..6) } else { equal_set(0..4) })).collect();
    net.run_until(30_000);
    assert!(net.lowest_settled() >= 30, "settled {}", net.lowest_settled());
    assert!(net.machine(0).set_key().index >= 5, "{:?}", net.machine(0).set_key());
    let keys: std::collections::BTreeSet<SetKey> = (0..6).map(|i| net.machine(i).set_key()).collect();
    assert!(keys.len() <= 2, "{keys:?}");
}

#[test]
fn a_network_changes_its_set_with_one_silent() {
    let mut net = Net::new(equal_set(0..7), 7, Rules::default());
    net.silent.insert(3);
    net.set_changes = (1..200).map(|i| (i, if i % 2 == 1 { equal_set(0..6) } else { equal_set(0..7) })).collect();
    net.run_until(120_000);
    assert!(net.lowest_settled() >= 60, "settled {}", net.lowest_settled());
    assert!(net.machine(0).set_key().index >= 5, "{:?}", net.machine(0).set_key());
}
