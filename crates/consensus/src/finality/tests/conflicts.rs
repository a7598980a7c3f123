//! Guardians that are in votes on two blocks of one height.

use super::*;

fn other(bench: &Bench, height: Height, entries: &[u8]) -> AggregatedVotes {
    let mut votes = bench.votes(height, entries);
    votes.checkpoint.block_hash = Hash::repeat_byte(0x66);
    votes
}

fn accused(bench: &mut Bench) -> Vec<(AggregatedVotes, AggregatedVotes)> {
    let pairs = bench.take().into_iter().filter_map(|effect| match effect {
        Effect::DoubleVote(pair) => Some(*pair),
        _ => None,
    });
    pairs.collect()
}

#[test]
fn who_is_in_both_is_found_whenever_the_second_comes() {
    let mut bench = Bench::new(9);
    bench.settle(T);
    bench.receive(1, other(&bench, T, &[0, 0, 1, 1]));
    assert_eq!(accused(&mut bench), [], "our vote alone meets nobody of it");
    bench.receive(2, bench.votes(T, &[0, 0, 1]));
    bench.pass();
    bench.receive(3, bench.votes(T, &[0, 1, 1, 1, 1, 1, 1]));
    bench.pass();
    let pairs = accused(&mut bench);
    assert_eq!(pairs.len(), 1, "once it is final, all at once: {pairs:?}");
    assert_eq!(pairs[0].1, other(&bench, T, &[0, 0, 1, 1]));
    assert_eq!(pairs[0].0.checkpoint, bench.checkpoint(T));
    // And votes that come after it is final.
    bench.receive(4, other(&bench, T, &[0, 1]));
    assert_eq!(accused(&mut bench).len(), 1);
}

#[test]
fn votes_on_another_block_must_hold() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.receive(1, bench.votes(T, &[0, 1, 1, 1]));
    bench.receive(2, bad(other(&bench, T, &[0, 1])));
    assert_eq!(accused(&mut bench), []);
    bench.settle(2 * T);
    bench.receive(2, bad(other(&bench, 2 * T, &[0, 1])));
    assert_eq!(bench.penalties(), [(2, Penalty::Votes(Reject::Equation))]);
}

#[test]
fn each_neighbour_may_ask_for_two_judgements_a_checkpoint() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    for entries in [[0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 1, 1], [0, 2, 1, 1]] {
        bench.receive(1, other(&bench, T, &entries));
    }
    let judged = bench.effects.iter().filter(|effect| matches!(effect, Effect::Verify(_))).count();
    assert_eq!(judged, 2);
}

#[test]
fn another_set_cannot_be_judged() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    let mut votes = other(&bench, T, &[0, 1]);
    votes.checkpoint.set_hash = Hash::ZERO;
    bench.receive(1, votes);
    assert_eq!(bench.penalties(), []);
    assert!(!bench.effects.iter().any(|effect| matches!(effect, Effect::Verify(_))));
}

/// Another block of a height of ours is final: whatever we vote for does not descend from it.
#[test]
fn no_vote_while_another_chain_is_final() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.receive(1, other(&bench, T, &[0, 1, 1, 1]));
    bench.settle(2 * T);
    assert!(!bench.machine.view().voted);
    let reason = Abstention::Finalized { height: T };
    assert!(
        bench
            .effects
            .iter()
            .any(|e| matches!(e, Effect::Abstain { height, reason: r } if (*height, *r) == (2 * T, reason)))
    );
}
