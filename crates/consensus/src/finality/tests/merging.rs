//! Which aggregates are added up.

use super::super::merge::{Tally, best_plan};
use super::*;

fn tallies(set: &GuardianSet, vectors: &[&[u8]]) -> Vec<Tally> {
    let tally = |vector: &&[u8]| Tally::new(set, Aggregate { signature: [0; 96], signers: vector.to_vec() });
    vectors.iter().map(tally).collect()
}

/// The chosen items, ascending, and their weight.
fn chosen(set: &GuardianSet, vectors: &[&[u8]], share: Option<usize>, bases: &[usize]) -> (Vec<usize>, u128) {
    let tallies = tallies(set, vectors);
    let items: Vec<&Tally> = tallies.iter().collect();
    let plan = best_plan(set, &items, share, bases).unwrap();
    let mut chosen = plan.chosen;
    chosen.sort_unstable();
    (chosen, plan.weight)
}

#[test]
fn nothing_is_added_that_brings_nobody_new() {
    let set = set_of(4);
    let vectors: [&[u8]; 4] = [&[1, 1, 0, 0], &[0, 1, 0, 0], &[0, 0, 1, 0], &[1, 1, 0, 0]];
    assert_eq!(chosen(&set, &vectors, None, &[0]), (vec![0, 2], 3));
}

#[test]
fn entries_stay_below_256() {
    let set = set_of(3);
    let vectors: [&[u8]; 3] = [&[200, 1, 0], &[55, 0, 1], &[56, 0, 1]];
    assert_eq!(chosen(&set, &vectors[..2], None, &[0]), (vec![0, 1], 3));
    assert_eq!(chosen(&set, &[vectors[0], vectors[2]], None, &[0]), (vec![0], 2));
}

#[test]
fn the_own_share_comes_first_wherever_it_is_missing() {
    let set = set_of(4);
    // The neighbour's 255 of our own vote leave no room for ours; without a share of us in it there is room.
    let vectors: [&[u8]; 3] = [&[1, 0, 0, 0], &[0, 1, 0, 0], &[255, 0, 1, 1]];
    assert_eq!(chosen(&set, &vectors, Some(0), &[1]), (vec![0, 1], 2));
    assert_eq!(chosen(&set, &vectors, Some(0), &[2]), (vec![1, 2], 4), "it is in already");
}

#[test]
fn a_poisoned_start_is_undone() {
    let set = set_of(6);
    // The heaviest was scaled up by a liar: from it nothing fits. From another start everything else does.
    let vectors: [&[u8]; 4] =
        [&[255, 255, 255, 0, 0, 0], &[1, 0, 0, 1, 0, 0], &[0, 1, 0, 0, 1, 0], &[0, 0, 1, 0, 0, 0]];
    assert_eq!(chosen(&set, &vectors, None, &[0]), (vec![0], 3));
    assert_eq!(chosen(&set, &vectors, None, &[0, 1]), (vec![1, 2, 3], 5));
}

#[test]
fn stake_counts_not_heads() {
    let weights = [1, 1, 1, 5];
    let member = |i: usize| GuardianMember { address: address(i), key: key(i), weight: weights[i] };
    let set = GuardianSet::new((0..4).map(member).collect());
    let vectors: [&[u8]; 3] = [&[200, 0, 0, 0], &[100, 1, 1, 0], &[100, 0, 0, 1]];
    assert_eq!(chosen(&set, &vectors, None, &[1]), (vec![1, 2], 8));
    let tally = &tallies(&set, &[&[3, 0, 0, 9]])[0];
    assert_eq!(tally.weight, 6);
    assert_eq!(tally.gain_over(&set, Some(&tallies(&set, &[&[1, 0, 0, 0]])[0])), 5);
}

/// Lazy greedy is greedy: each step adds the most that fits, by a plain reading of the rule.
#[test]
fn plans_are_those_of_a_plain_greedy() {
    let set = set_of(150);
    let mut state = 7u64;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for _ in 0..200 {
        let vectors: Vec<Vec<u8>> = (0..1 + draw(12))
            .map(|_| (0..150).map(|_| if draw(4) == 0 { 1 + draw(120) as u8 } else { 0 }).collect())
            .collect();
        let vectors: Vec<&[u8]> = vectors.iter().map(Vec::as_slice).collect();
        let tallies = tallies(&set, &vectors);
        let items: Vec<&Tally> = tallies.iter().collect();
        let plan = best_plan(&set, &items, None, &[0]).unwrap();
        assert_eq!(plan.chosen, plain(&vectors));
    }
}

fn plain(vectors: &[&[u8]]) -> Vec<usize> {
    let mut sum = vec![0u32; vectors[0].len()];
    let gain = |sum: &[u32], v: &[u8]| v.iter().zip(sum).filter(|(entry, sum)| **entry > 0 && **sum == 0).count();
    let fits = |sum: &[u32], v: &[u8]| v.iter().zip(sum).all(|(entry, sum)| u32::from(*entry) + sum <= 255);
    let mut chosen = Vec::new();
    let mut next = (gain(&sum, vectors[0]) > 0).then_some(0);
    while let Some(i) = next {
        sum.iter_mut().zip(vectors[i]).for_each(|(sum, entry)| *sum += u32::from(*entry));
        chosen.push(i);
        let open = (0..vectors.len()).filter(|i| fits(&sum, vectors[*i]) && gain(&sum, vectors[*i]) > 0);
        next = open.max_by_key(|i| (gain(&sum, vectors[*i]), std::cmp::Reverse(*i)));
    }
    chosen
}

/// With bad votes among them the sum is chosen again from what is left, in the same round.
#[test]
fn culprits_fall_out_and_the_rest_is_merged() {
    let mut bench = Bench::new(12);
    bench.settle(T);
    bench.take();
    bench.receive(1, bad(bench.votes(T, &[0, 1, 1, 1, 1, 1, 1])));
    bench.receive(2, bench.votes(T, &[0, 0, 1]));
    bench.receive(3, bad(bench.votes(T, &[0, 0, 0, 0, 0, 0, 0, 1])));
    bench.receive(4, bench.votes(T, &[0, 0, 0, 0, 1]));
    bench.pass();
    assert_eq!(bench.machine.view().round, 1);
    assert_eq!(bench.penalties(), [1, 3].map(|peer| (peer, Penalty::Votes(Reject::Equation))));
    let verified = bench.effects.iter().filter(|effect| matches!(effect, Effect::Verify(_))).count();
    assert_eq!(verified, 2);
    assert!(
        bench.sent().iter().all(|(_, vector)| vector[..5] == [1, 0, 1, 0, 1] && vector[5..].iter().all(|e| *e == 0))
    );
    // They are not looked at again before the next checkpoint.
    bench.receive(1, bench.votes(T, &[0, 1]));
    assert_eq!(bench.machine.view().candidates, 0);
    bench.settle(2 * T);
    bench.receive(1, bench.votes(2 * T, &[0, 1]));
    assert_eq!(bench.machine.view().candidates, 1);
}

#[test]
fn a_false_quorum_costs_one_verification() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    bench.take();
    bench.receive(1, bad(bench.votes(T, &[1, 1, 1, 1])));
    assert_eq!(bench.penalties(), [(1, Penalty::Votes(Reject::Equation))]);
    assert_eq!(bench.machine.view().finalized_height, 0);
    bench.receive(2, bench.votes(T, &[0, 1, 1, 0]));
    bench.pass();
    assert_eq!(bench.machine.view().finalized_height, T);
}

/// A sum is judged while votes come in and checkpoints settle.
#[test]
fn answers_to_old_questions_do_no_harm() {
    let mut bench = Bench::new(9);
    bench.verifies = false;
    bench.settle(T);
    bench.receive(1, bench.votes(T, &[0, 1]));
    bench.pass();
    let Some(Effect::Verify(job)) = bench.take().into_iter().find(|effect| matches!(effect, Effect::Verify(_))) else {
        panic!()
    };
    bench.receive(2, bench.votes(T, &[0, 0, 1]));
    bench.settle(2 * T);
    bench.step(Input::Verified { id: job.id + 7, merged: judge(&job) });
    bench.step(Input::Verified { id: job.id, merged: judge(&job) });
    assert_eq!((bench.machine.view().weight, bench.machine.view().voting), (1, Some(bench.checkpoint(2 * T))));
    bench.step(Input::Verified { id: job.id, merged: judge(&job) });
    bench.verifies = true;
    bench.receive(1, bench.votes(2 * T, &[0, 1]));
    bench.pass();
    assert_eq!(bench.machine.view().weight, 2);
}
