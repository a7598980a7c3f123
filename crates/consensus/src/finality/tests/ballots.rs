//! From the settled checkpoint to the certificate.

use super::*;

fn kinds(effects: &[Effect]) -> Vec<&'static str> {
    let kind = |effect: &Effect| match effect {
        Effect::Journal(_) => "journal",
        Effect::Send { .. } => "send",
        Effect::SendReset { .. } => "send reset",
        Effect::Reset(_) => "reset",
        Effect::Verify(_) => "verify",
        Effect::SetTimer(_) => "timer",
        Effect::Finalized(_) => "finalized",
        Effect::DoubleVote(_) => "double vote",
        Effect::Penalize { .. } => "penalize",
        Effect::Abstain { .. } => "abstain",
    };
    effects.iter().map(kind).collect()
}

#[test]
fn a_vote_is_journalled_before_it_leaves() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    assert_eq!(kinds(&bench.effects), ["journal", "timer", "send", "send", "send"]);
    let Effect::Journal(record) = bench.effects[0] else { panic!() };
    assert_eq!(record, Record::Vote(bench.checkpoint(T)));
    assert_eq!(bench.sent(), [(1, vec![1, 0, 0, 0]), (2, vec![1, 0, 0, 0]), (3, vec![1, 0, 0, 0])]);
}

#[test]
fn a_round_merges_what_came_and_says_it() {
    let mut bench = Bench::new(10);
    bench.settle(T);
    bench.take();
    bench.receive(1, bench.votes(T, &[0, 1]));
    bench.receive(2, bench.votes(T, &[0, 0, 1, 2]));
    assert_eq!(bench.take().len(), 0, "the round is not over");
    bench.pass();
    let sent = bench.sent();
    assert_eq!(sent.len(), 9);
    assert!(sent.iter().all(|(_, vector)| vector[..4] == [1, 1, 1, 2]));
    assert_eq!((bench.machine.view().round, bench.machine.view().weight), (1, 4));
}

#[test]
fn a_round_ends_when_everybody_was_heard() {
    let mut bench = Bench::new(5);
    bench.settle(T);
    for (peer, entries) in [(1, [0, 1, 0, 0, 0]), (2, [0, 0, 1, 0, 0]), (3, [0, 0, 1, 0, 0])] {
        bench.receive(peer, bench.votes(T, &entries));
    }
    assert_eq!(bench.machine.view().round, 0);
    bench.receive(4, bench.votes(T, &[0, 1, 0, 0, 0]));
    assert_eq!((bench.machine.view().round, bench.now), (1, 0));
}

#[test]
fn more_than_two_thirds_finalize_and_nothing_is_merged_after() {
    let mut bench = Bench::new(6);
    bench.settle(T);
    bench.receive(1, bench.votes(T, &[0, 1, 1, 1]));
    bench.pass();
    assert_eq!(bench.machine.finalized(), None, "four of six are no quorum");
    bench.receive(2, bench.votes(T, &[0, 0, 0, 0, 1]));
    bench.take();
    bench.pass();
    let cert = bench.machine.finalized().unwrap().clone();
    assert_eq!(cert.as_ref(), &bench.votes(T, &[1, 1, 1, 1, 1]));
    assert_eq!(kinds(&bench.effects)[..2], ["verify", "finalized"]);
    assert_eq!(bench.sent().len(), 5, "it is said once more");
    bench.receive(5, bench.votes(T, &[0, 0, 0, 0, 0, 1]));
    bench.pass();
    assert_eq!(bench.machine.finalized().unwrap(), &cert, "frozen");
}

#[test]
fn a_quorum_that_arrives_is_adopted_at_once() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.take();
    bench.receive(3, bench.votes(T, &[0, 9, 1, 1]));
    assert_eq!(bench.machine.finalized().unwrap().as_ref(), &bench.votes(T, &[0, 9, 1, 1]));
    let sent: Vec<u64> = bench.sent().into_iter().map(|(to, _)| to).collect();
    assert_eq!(sent, [1, 2], "who brought it has it");
}

#[test]
fn who_still_votes_on_what_is_final_is_answered_once_a_round() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.receive(3, bench.votes(T, &[0, 1, 1, 1]));
    bench.now += ROUND;
    bench.take();
    for _ in 0..3 {
        bench.receive(1, bench.votes(T, &[0, 1]));
    }
    assert_eq!(bench.sent(), [(1, vec![0, 1, 1, 1])]);
    bench.receive(2, bench.votes(T, &[0, 1, 1, 1]));
    assert_eq!(bench.sent(), [], "a certificate needs no answer");
    bench.now += ROUND;
    bench.receive(1, bench.votes(T, &[0, 1]));
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn the_next_checkpoint_finalizes_a_missed_one() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.pass();
    bench.settle(2 * T);
    bench.receive(1, bench.votes(2 * T, &[0, 1, 1, 1]));
    assert_eq!(bench.machine.view().finalized_height, 2 * T);
    bench.take();
    // An old certificate is no news, whoever comes with it.
    bench.receive(2, bench.votes(T, &[0, 1, 1, 1]));
    bench.step(Input::Proven(Arc::new(bench.votes(T, &[0, 1, 1, 1]))));
    assert!(!kinds(&bench.effects).contains(&"finalized"));
}

#[test]
fn a_late_quorum_for_a_missed_checkpoint_counts() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.settle(2 * T);
    bench.receive(1, bench.votes(T, &[0, 1, 1, 1]));
    assert_eq!(bench.machine.view().finalized_height, T);
    assert_eq!(bench.machine.view().voting, Some(bench.checkpoint(2 * T)), "and the next one goes on");
}

#[test]
fn of_several_settled_at_once_the_last_is_voted_on() {
    let mut bench = Bench::new(4);
    let settled = [T, 2 * T, 3 * T].map(|height| bench.settled(height)).to_vec();
    bench.step(Input::Settled(settled.clone()));
    let records = bench.effects.iter().filter(|effect| matches!(effect, Effect::Journal(_))).count();
    assert_eq!((records, bench.machine.view().voting), (1, Some(bench.checkpoint(3 * T))));
    bench.take();
    bench.step(Input::Settled(settled));
    assert_eq!(bench.take().len(), 0, "settled before");
}

#[test]
fn a_certificate_alone_is_enough_for_who_comes_late() {
    let recovered = Recovered { settled: vec![Bench::new(4).settled(T)], ..Default::default() };
    let mut bench = Bench::of(4, recovered);
    bench.step(Input::Start);
    bench.step(Input::Connected(Peer(1)));
    bench.receive(1, bench.votes(T, &[0, 1, 1, 1]));
    assert_eq!(bench.machine.view().finalized_height, T);
    // In a block, it was judged with the block.
    bench.settle(2 * T);
    bench.step(Input::Proven(Arc::new(bench.votes(2 * T, &[0, 1, 1, 1]))));
    assert_eq!(bench.machine.view().finalized_height, 2 * T);
    bench.settle(3 * T);
    let mut other = bench.votes(3 * T, &[0, 1, 1, 1]);
    other.checkpoint.block_hash = Hash::repeat_byte(7);
    bench.step(Input::Proven(Arc::new(other)));
    assert_eq!(bench.machine.view().finalized_height, 2 * T, "of a block that is not ours");
}

#[test]
fn a_node_without_a_key_merges_and_does_not_vote() {
    let mut bench = Bench::new(4);
    bench.machine = Machine::new(config(), None, Recovered::default());
    bench.step(Input::Start);
    (1..4).for_each(|peer| bench.step(Input::Connected(Peer(peer))));
    bench.settle(T);
    assert_eq!(kinds(&bench.take()), ["timer"]);
    bench.receive(1, bench.votes(T, &[0, 1]));
    bench.receive(2, bench.votes(T, &[0, 0, 1]));
    bench.pass();
    assert!(bench.sent().iter().all(|(_, vector)| vector == &[0, 1, 1, 0]));
    bench.receive(3, bench.votes(T, &[0, 0, 0, 1]));
    bench.pass();
    assert_eq!(bench.machine.view().finalized_height, T);
}

#[test]
fn a_guardian_that_is_a_quorum_alone_needs_nobody() {
    let mut bench = Bench::new(1);
    bench.settle(T);
    assert_eq!(bench.machine.finalized().unwrap().as_ref().checkpoint, bench.checkpoint(T));
}

#[test]
fn nobody_can_finalize_without_guardians() {
    let mut bench = Bench::new(0);
    bench.settle(T);
    bench.pass();
    assert_eq!(bench.machine.view().finalized_height, 0);
}

#[test]
fn a_neighbour_that_comes_is_told_and_silence_is_broken_now_and_then() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.take();
    bench.step(Input::Connected(Peer(9)));
    assert_eq!(bench.sent(), [(9, vec![1, 0, 0, 0])]);
    for round in 1..REPEAT_ROUNDS {
        bench.pass();
        assert_eq!(bench.sent(), [], "nothing new in round {round}");
    }
    bench.pass();
    assert_eq!(bench.sent().len(), 4, "it may not have been heard");
    bench.receive(1, bench.votes(T, &[0, 1, 1, 1]));
    bench.take();
    bench.step(Input::Connected(Peer(10)));
    assert_eq!(bench.sent(), [(10, vec![0, 1, 1, 1])]);
}
