//! The reset: what is signed, what is given up, what a certificate alone does, and what a crash keeps.

use super::*;
use vigil_primitives::{Reset, ResetVotes};

/// A machine of `n` guardians that has `T` final and `2 T` settled.
fn bench(n: usize) -> Bench {
    let mut bench = Bench::new(n);
    bench.settle(T);
    bench.receive(1, bench.votes(T, &vec![1; n]));
    bench.settle(2 * T);
    bench.take();
    bench
}

fn reset(bench: &Bench) -> Reset {
    Reset {
        number: 1,
        checkpoint: bench.checkpoint(T),
        offences: Hash::repeat_byte(1),
        committee: Hash::repeat_byte(2),
    }
}

fn ask(bench: &mut Bench, reset: Reset) {
    let set = bench.set.clone();
    bench.step(Input::Reset { reset, set });
}

fn reset_votes(bench: &Bench, reset: Reset, entries: &[u8]) -> ResetVotes {
    let AggregatedVotes { signers, signature, .. } = bench.votes(T, entries);
    ResetVotes { reset, signers, signature }
}

fn hear(bench: &mut Bench, from: u64, reset: Reset, entries: &[u8]) {
    let votes = reset_votes(bench, reset, entries);
    bench.step(Input::ReceivedReset { from: Peer(from), votes });
}

fn abstentions(bench: &Bench) -> Vec<Abstention> {
    let reasons = bench.effects.iter().filter_map(|effect| match effect {
        Effect::Abstain { reason, .. } => Some(*reason),
        _ => None,
    });
    reasons.collect()
}

fn resets_sent(bench: &Bench) -> usize {
    bench.effects.iter().filter(|effect| matches!(effect, Effect::SendReset { .. })).count()
}

fn journalled(bench: &Bench) -> Vec<Record> {
    let records = bench.effects.iter().filter_map(|effect| match effect {
        Effect::Journal(record) => Some(*record),
        _ => None,
    });
    records.collect()
}

#[test]
fn it_is_journalled_before_it_is_said_and_gathered_as_checkpoints_are() {
    let mut bench = bench(4);
    let reset = reset(&bench);
    ask(&mut bench, reset);
    assert_eq!(journalled(&bench), [Record::Reset(reset)]);
    let journal = bench.effects.iter().position(|effect| matches!(effect, Effect::Journal(_))).unwrap();
    let send = bench.effects.iter().position(|effect| matches!(effect, Effect::SendReset { .. })).unwrap();
    assert!(journal < send);
    assert_eq!(bench.machine.view().resetting, Some(1));
    hear(&mut bench, 1, reset, &[0, 1]);
    bench.pass();
    assert_eq!((bench.machine.view().weight, bench.machine.view().resets), (2, 0), "half is not enough");
    hear(&mut bench, 2, reset, &[0, 0, 1]);
    bench.pass();
    let view = bench.machine.view();
    assert_eq!((view.resets, view.resetting, view.finalized_height), (1, None, T));
    assert_eq!(bench.machine.reset().unwrap().reset, reset);
    assert!(bench.effects.iter().any(|effect| matches!(effect, Effect::Reset(cert) if cert.reset == reset)));
}

#[test]
fn nothing_above_the_checkpoint_counts_any_more() {
    let mut bench = bench(4);
    let reset = reset(&bench);
    ask(&mut bench, reset);
    bench.take();
    bench.receive(1, bench.votes(2 * T, &[1, 1, 1, 1]));
    let cert = Arc::new(bench.votes(2 * T, &[1, 1, 1, 1]));
    bench.step(Input::Proven(cert));
    bench.settle(3 * T);
    bench.receive(2, bench.votes(3 * T, &[0, 1, 1, 1]));
    bench.pass();
    assert_eq!(bench.machine.view().finalized_height, T);
    assert_eq!(journalled(&bench), [], "no vote");
}

#[test]
fn only_the_next_number_from_what_is_final_here_and_one_of_a_number() {
    let mut bench = bench(4);
    let good = reset(&bench);
    let higher = Reset { checkpoint: bench.checkpoint(2 * T), ..good };
    for (wrong, reason) in [
        (Reset { number: 2, ..good }, Abstention::ResetNumber { got: 2, expected: 1 }),
        (Reset { number: 0, ..good }, Abstention::ResetNumber { got: 0, expected: 1 }),
        (higher, Abstention::ResetNotFinal { height: 2 * T, ours: T }),
    ] {
        ask(&mut bench, wrong);
        assert_eq!(abstentions(&bench), [reason]);
        bench.take();
    }
    bench.step(Input::Reset { reset: good, set: set_of(3) });
    assert_eq!(abstentions(&bench), [Abstention::ResetNotFinal { height: T, ours: T }], "other guardians");
    bench.take();
    ask(&mut bench, good);
    ask(&mut bench, Reset { offences: Hash::ZERO, ..good });
    assert_eq!(abstentions(&bench), [Abstention::ResetSigned { number: 1 }]);
    assert_eq!(journalled(&bench), [Record::Reset(good)]);
}

#[test]
fn without_anything_final_it_goes_on_from_genesis() {
    let mut bench = Bench::new(4);
    bench.settle(T);
    let genesis = Checkpoint { set_hash: bench.set.hash(), ..Checkpoint::default() };
    ask(&mut bench, Reset { number: 1, checkpoint: genesis, ..Reset::default() });
    assert_eq!(bench.machine.view().resetting, Some(1), "{:?}", abstentions(&bench));
    let reset = Reset { number: 1, checkpoint: genesis, ..Reset::default() };
    hear(&mut bench, 1, reset, &[1, 1, 1, 1]);
    assert_eq!((bench.machine.view().resets, bench.machine.view().finalized_height), (1, 0));
    bench.settle(T);
    assert_eq!(bench.machine.view().voting, Some(bench.settled(T).checkpoint(1)));
}

#[test]
fn a_certificate_alone_is_enough_and_less_is_not_looked_at() {
    let mut bench = bench(4);
    let reset = reset(&bench);
    hear(&mut bench, 1, reset, &[0, 1, 1]);
    bench.now += ROUND;
    let mut forged = reset_votes(&bench, reset, &[1, 1, 1]);
    forged.signature[0] = BAD;
    bench.step(Input::ReceivedReset { from: Peer(2), votes: forged });
    assert_eq!(bench.machine.view().resets, 0);
    assert_eq!(bench.penalties(), [(2, Penalty::Votes(Reject::Equation))]);
    hear(&mut bench, 3, reset, &[0, 1, 1, 1]);
    assert_eq!((bench.machine.view().resets, bench.machine.view().resetting), (1, None));
    assert_eq!(resets_sent(&bench), 2, "told on to all but the sender");
    assert!(journalled(&bench).is_empty());
}

#[test]
fn votes_begin_anew_after_a_reset() {
    let mut bench = bench(4);
    let reset = reset(&bench);
    ask(&mut bench, reset);
    hear(&mut bench, 1, reset, &[1, 1, 1, 1]);
    bench.take();
    let other = SettledCheckpoint { block_hash: Hash::repeat_byte(0x77), ..bench.settled(2 * T) };
    bench.step(Input::Settled(vec![other.clone()]));
    assert_eq!(journalled(&bench), [Record::Vote(other.checkpoint(1))], "G1 holds for each number alone");
    bench.receive(1, AggregatedVotes { checkpoint: bench.checkpoint(2 * T), ..bench.votes(2 * T, &[1, 1, 1, 1]) });
    assert_eq!(bench.machine.view().finalized_height, T, "votes before the reset");
    bench.receive(1, AggregatedVotes { checkpoint: other.checkpoint(1), ..bench.votes(2 * T, &[1, 1, 1, 1]) });
    assert_eq!(bench.machine.view().finalized_height, 2 * T);
}

#[test]
fn who_still_votes_as_before_is_told_once_a_round() {
    let mut bench = bench(4);
    let reset = reset(&bench);
    hear(&mut bench, 1, reset, &[1, 1, 1, 1]);
    bench.now += ROUND;
    bench.take();
    for _ in 0..5 {
        bench.receive(2, bench.votes(2 * T, &[0, 0, 1]));
    }
    assert_eq!(resets_sent(&bench), 1);
    bench.step(Input::Connected(Peer(9)));
    assert_eq!(resets_sent(&bench), 2, "and who connects");
}

#[test]
fn what_is_final_is_never_undone() {
    let mut bench = bench(4);
    let reset = reset(&bench);
    bench.receive(1, bench.votes(2 * T, &[1, 1, 1, 1]));
    bench.take();
    hear(&mut bench, 1, reset, &[1, 1, 1, 1]);
    assert_eq!(abstentions(&bench), [Abstention::Finalized { height: 2 * T }]);
    let view = bench.machine.view();
    assert_eq!((view.resets, view.finalized_height), (0, 2 * T));
}

/// Guardians of an earlier checkpoint may be long gone, and their keys stolen: they decide nothing above it.
#[test]
fn only_guardians_of_its_checkpoint_certify_a_reset() {
    let mut bench = bench(4);
    let newer = SettledCheckpoint { set: set_of(5), ..bench.settled(3 * T) };
    bench.step(Input::Settled(vec![newer.clone()]));
    let old = Checkpoint { set_hash: bench.set.hash(), ..newer.checkpoint(0) };
    let by_the_old = Reset { checkpoint: old, ..reset(&bench) };
    hear(&mut bench, 1, by_the_old, &[1, 1, 1, 1]);
    assert_eq!(bench.machine.view().resets, 0);
    let reset = Reset { checkpoint: newer.checkpoint(0), ..reset(&bench) };
    bench.set = newer.set;
    hear(&mut bench, 1, reset, &[1, 1, 1, 1, 1]);
    assert_eq!(bench.machine.view().resets, 1);
}

/// Who had settled another block where the reset goes on from follows it: guardians say that it is final.
#[test]
fn a_certificate_for_a_block_that_is_not_ours_is_followed() {
    let mut bench = bench(4);
    let base = Checkpoint { block_hash: Hash::repeat_byte(0x55), ..bench.checkpoint(2 * T) };
    let reset = Reset { checkpoint: base, ..reset(&bench) };
    hear(&mut bench, 1, reset, &[1, 1, 1, 1]);
    let view = bench.machine.view();
    assert_eq!((view.resets, view.finalized_height), (1, 2 * T));
    bench.settle(2 * T);
    assert_eq!(bench.machine.view().voting, None, "it is final");
    bench.settle(3 * T);
    assert_eq!(bench.machine.view().voting, Some(bench.settled(3 * T).checkpoint(1)));
}

fn restarted(bench: &Bench, records: &[Record], reset: Option<ResetVotes>) -> Bench {
    let recovered = Recovered {
        journal: Journal::replay(records.iter().copied()),
        finalized: Some(bench.votes(T, &[1, 1, 1, 1])),
        settled: vec![bench.settled(T), bench.settled(2 * T)],
        reset,
    };
    let mut again = Bench::of(4, recovered);
    again.step(Input::Start);
    again.step(Input::Connected(Peer(1)));
    again
}

#[test]
fn a_restart_goes_on_where_the_journal_ends() {
    let bench = bench(4);
    let reset = reset(&bench);
    let mut again = restarted(&bench, &[Record::Vote(bench.checkpoint(2 * T)), Record::Reset(reset)], None);
    assert_eq!((journalled(&again), resets_sent(&again)), (vec![], 1), "said again, and not journalled again");
    ask(&mut again, Reset { committee: Hash::ZERO, ..reset });
    assert_eq!(abstentions(&again), [Abstention::ResetSigned { number: 1 }]);
    again.take();
    again.settle(3 * T);
    assert!(again.take().iter().all(|effect| !matches!(effect, Effect::Send { .. } | Effect::Journal(_))));
}

#[test]
fn a_restart_after_a_reset_is_of_the_new_segment() {
    let bench = bench(4);
    let cert = reset_votes(&bench, reset(&bench), &[1, 1, 1, 1]);
    let again = restarted(&bench, &[Record::Vote(bench.checkpoint(2 * T)), Record::Reset(cert.reset)], Some(cert));
    assert_eq!(journalled(&again), [Record::Vote(bench.settled(2 * T).checkpoint(1))]);
    assert_eq!((again.machine.view().resets, again.machine.view().finalized_height), (1, T));
}

#[test]
fn records_of_resets_survive_the_disk() {
    let record = Record::Reset(reset(&bench(4)));
    assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
    assert!(Record::from_bytes(&[record.to_bytes(), vec![0]].concat()).is_err());
    let later = Record::Reset(Reset { number: 5, ..Reset::default() });
    let other = Record::Reset(Reset { number: 5, committee: Hash::repeat_byte(9), ..Reset::default() });
    let journal = Journal::replay([record, later, other, record]);
    assert_eq!(journal.records(), [later], "the first of the highest number");
}

/// A node without a key takes part if its operator says so, and gives up what the others give up.
#[test]
fn without_a_key_it_is_gathered_and_passed_on() {
    let mut bench = bench(4);
    let reset = reset(&bench);
    let settled = vec![bench.settled(T), bench.settled(2 * T)];
    let finalized = Some(bench.votes(T, &[1, 1, 1, 1]));
    bench.machine = Machine::new(config(), None, Recovered { finalized, settled, ..Recovered::default() });
    (1..4).for_each(|peer| bench.step(Input::Connected(Peer(peer))));
    bench.take();
    ask(&mut bench, reset);
    hear(&mut bench, 1, reset, &[0, 1]);
    bench.pass();
    assert!(journalled(&bench).is_empty() && resets_sent(&bench) > 0);
}

/// The guardians of what is final stay known however long nothing more becomes final: a late certificate needs them.
#[test]
fn the_guardians_of_the_last_final_checkpoint_are_remembered() {
    let mut bench = bench(4);
    let reset = reset(&bench);
    let others = set_of(3);
    for i in 3..(CHECKPOINTS_KEPT as u64 + 20) {
        bench.step(Input::Settled(vec![SettledCheckpoint { set: others.clone(), ..bench.settled(i * T) }]));
    }
    hear(&mut bench, 1, reset, &[1, 1, 1, 1]);
    assert_eq!(bench.machine.view().resets, 1);
}

/// Finality stalls for long before operators reset: who lacks the last certificate knows its guardians from newer checkpoints.
#[test]
fn who_lacks_the_certificate_of_the_base_follows_a_reset() {
    for more in [2, 5, 9] {
        let mut bench = bench(4);
        (3..3 + more).for_each(|n| bench.settle(n * T));
        let reset = Reset { checkpoint: bench.checkpoint(2 * T), ..reset(&bench) };
        hear(&mut bench, 1, reset, &[1, 1, 1, 1]);
        assert_eq!(bench.machine.view().resets, 1, "{more} checkpoints above");
    }
}
