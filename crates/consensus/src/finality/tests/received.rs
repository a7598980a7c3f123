//! The checks on received votes.

use super::*;
use vigil_crypto::signer_vectors::UnpackError;

fn one(change: impl Fn(&Bench, &mut AggregatedVotes)) -> Vec<(u64, Penalty)> {
    let mut bench = Bench::new(4);
    bench.settle(T);
    let mut votes = bench.votes(T, &[0, 1]);
    change(&bench, &mut votes);
    bench.receive(1, votes);
    assert_eq!(bench.machine.view().candidates, 0);
    bench.penalties()
}

#[test]
fn what_is_wrong_is_refused_for_what_it_is() {
    assert_eq!(one(|_, votes| votes.checkpoint.height = 150), [(1, Penalty::OffInterval { height: 150, interval: T })]);
    assert_eq!(one(|_, votes| votes.checkpoint.height = 0), [(1, Penalty::OffInterval { height: 0, interval: T })]);
    let expected = set_of(4).hash();
    assert_eq!(
        one(|_, votes| votes.checkpoint.set_hash = Hash::ZERO),
        [(1, Penalty::WrongSet { got: Hash::ZERO, expected })]
    );
    assert_eq!(one(|_, votes| votes.signers = signer_vectors::pack(&[0; 4]).into()), [(1, Penalty::NoSigner)]);
    let long = signer_vectors::pack(&[1; 40]);
    assert!(matches!(
        one(|_, votes| votes.signers = long.clone().into())[..],
        [(1, Penalty::Vector(UnpackError::Bitmap { entries: 4 }))]
    ));
    assert!(matches!(
        one(|_, votes| votes.signers = vec![9, 1].into())[..],
        [(1, Penalty::Vector(UnpackError::Width(9)))]
    ));
    assert!(matches!(
        one(|_, votes| votes.signers = vec![].into())[..],
        [(1, Penalty::Vector(UnpackError::Length { .. }))]
    ));
    assert_eq!(one(|_, votes| votes.checkpoint.resets = 1), [], "another life of the chain is not ours to judge");
}

#[test]
fn strangers_are_not_heard() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.receive(77, bench.votes(T, &[0, 1]));
    assert_eq!(bench.machine.view().candidates, 0);
}

#[test]
fn votes_that_come_too_early_wait_for_two_rounds() {
    for (wait, candidates) in [(PARKED_ROUNDS * ROUND, 1), (PARKED_ROUNDS * ROUND + 1, 0)] {
        let mut bench = Bench::new(4);
        bench.receive(1, bench.votes(T, &[0, 1]));
        assert_eq!(bench.machine.view().parked, 1);
        bench.now += wait;
        bench.settle(T);
        assert_eq!((bench.machine.view().candidates, bench.machine.view().parked), (candidates, 0), "after {wait} ms");
    }
}

#[test]
fn a_certificate_that_comes_too_early_counts_when_its_block_is_settled() {
    let mut bench = Bench::new(4);
    bench.receive(1, bench.votes(T, &[0, 1, 1, 1]));
    bench.settle(T);
    assert_eq!(bench.machine.view().finalized_height, T);
}

#[test]
fn parked_votes_are_bounded_and_the_latest_stay() {
    let mut bench = Bench::new(4);
    for i in 1..=20 {
        bench.receive(1, bench.votes(i * T, &[0, 1]));
        bench.receive(1, bench.votes(i * T, &[0, 1, 1]));
    }
    assert_eq!(bench.machine.view().parked, PARKED_PER_PEER_MAX);
    bench.settle(12 * T);
    assert_eq!(bench.machine.view().parked, PARKED_PER_PEER_MAX, "they are of higher checkpoints");
    bench.settle(20 * T);
    assert_eq!((bench.machine.view().parked, bench.machine.view().candidates), (0, 1));
    bench.step(Input::Disconnected(Peer(1)));
    assert_eq!((bench.machine.view().peers, bench.machine.view().candidates), (2, 0), "what it said goes with it");
}

#[test]
fn more_votes_than_rounds_are_a_flood() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    for _ in 0..MESSAGES_SLACK {
        bench.receive(1, bench.votes(T, &[0, 1]));
    }
    assert_eq!(bench.penalties(), []);
    bench.receive(1, bench.votes(T, &[0, 1]));
    assert_eq!(bench.penalties(), [(1, Penalty::Flood)]);
    // One more a round is what a neighbour does.
    let mut patient = Bench::new(4);
    patient.settle(T);
    for _ in 0..50 {
        patient.receive(1, patient.votes(T, &[0, 1]));
        patient.pass();
    }
    assert_eq!(patient.penalties(), []);
}

#[test]
fn what_brings_nobody_new_is_not_kept() {
    let mut bench = Bench::new(9);
    bench.settle(T);
    bench.receive(1, bench.votes(T, &[0, 1, 1]));
    bench.pass();
    bench.receive(2, bench.votes(T, &[1, 0, 1]));
    assert_eq!(bench.machine.view().candidates, 0);
    // A neighbour stands behind its last word only.
    bench.receive(3, bench.votes(T, &[0, 0, 0, 1]));
    bench.receive(3, bench.votes(T, &[0, 0, 1]));
    assert_eq!(bench.machine.view().candidates, 0);
}

/// What is old costs nothing but a look a round, however much of it comes.
#[test]
fn stale_votes_are_looked_at_once_a_round() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.receive(3, bench.votes(T, &[0, 1, 1, 1]));
    bench.now += ROUND;
    bench.receive(1, bench.votes(T, &[0, 1]));
    let mut broken = bench.votes(T, &[0, 1]);
    broken.signers = vec![9, 1].into();
    bench.receive(1, broken.clone());
    assert_eq!(bench.penalties(), [], "the second of the round was not read");
    bench.now += ROUND;
    bench.receive(1, broken);
    assert!(matches!(bench.penalties()[..], [(1, Penalty::Vector(_))]));
}
