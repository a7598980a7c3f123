//! Rule G1 and what is durable.

use super::*;

fn vote(resets: u64, height: Height, block: u8) -> Checkpoint {
    Checkpoint { resets, height, block_hash: Hash::repeat_byte(block), set_hash: Hash::ZERO }
}

#[test]
fn records_survive_the_disk_and_nothing_else_is_one() {
    let record = Record::Vote(vote(3, 700, 9));
    let bytes = record.to_bytes();
    assert_eq!(Record::from_bytes(&bytes), Ok(record));
    assert!(Record::from_bytes(&[]).is_err());
    assert!(Record::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(Record::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    assert!(Record::from_bytes(&[&[1], &bytes[1..]].concat()).is_err(), "a validator's record");
}

#[test]
fn a_journal_never_goes_back() {
    let journal =
        Journal::replay([vote(0, 300, 1), vote(0, 100, 2), vote(1, 200, 3), vote(0, 900, 4)].map(Record::Vote));
    assert_eq!(journal.last, Some(vote(1, 200, 3)));
}

fn restarted(last: Checkpoint, settled: &[Height]) -> Bench {
    let blank = Bench::of(4, Recovered::default());
    let settled = settled.iter().map(|height| blank.settled(*height)).collect();
    let journal = Journal::replay([Record::Vote(last)]);
    let mut bench = Bench::of(4, Recovered { journal, settled, ..Recovered::default() });
    bench.step(Input::Start);
    bench.step(Input::Connected(Peer(1)));
    bench
}

fn abstentions(bench: &Bench) -> Vec<Abstention> {
    let reasons = bench.effects.iter().filter_map(|effect| match effect {
        Effect::Abstain { reason, .. } => Some(*reason),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn the_same_vote_is_said_again_after_a_restart_and_not_journalled_again() {
    let last = Bench::of(4, Recovered::default()).checkpoint(T);
    let mut bench = restarted(last, &[T]);
    assert!(bench.machine.view().voted);
    assert!(!bench.effects.iter().any(|effect| matches!(effect, Effect::Journal(_))));
    assert_eq!(bench.sent(), [(1, vec![1, 0, 0, 0])]);
}

#[test]
fn no_vote_for_another_block_of_a_height_that_was_voted_on() {
    let bench = restarted(vote(0, T, 0x99), &[T]);
    assert!(!bench.machine.view().voted);
    assert_eq!(abstentions(&bench), [Abstention::Conflict { height: T }]);
}

#[test]
fn no_vote_that_does_not_descend_from_an_earlier_one() {
    let mut bench = restarted(vote(0, T, 0x99), &[T, 2 * T]);
    assert_eq!(abstentions(&bench), [Abstention::Conflict { height: T }]);
    bench.settle(3 * T);
    assert_eq!(abstentions(&bench).len(), 2, "nor ever after");
    assert!(!bench.machine.view().voted);
}

#[test]
fn no_vote_where_it_cannot_be_known() {
    let last = Bench::of(4, Recovered::default()).checkpoint(T);
    let bench = restarted(last, &[2 * T, 3 * T]);
    assert_eq!(abstentions(&bench), [Abstention::Unknown { height: T }]);
}

#[test]
fn no_vote_below_the_last_one() {
    let last = Bench::of(4, Recovered::default()).checkpoint(5 * T);
    let mut bench = restarted(last, &[T]);
    assert!(!bench.machine.view().voted);
    assert_eq!(abstentions(&bench), [], "the chain is catching up: nothing to worry about");
    bench.step(Input::Settled([2, 3, 4, 5].map(|i| bench.settled(i * T)).to_vec()));
    assert!(bench.machine.view().voted, "the same vote");
    bench.settle(6 * T);
    assert!(bench.machine.view().voted);
}

#[test]
fn votes_go_on_where_the_last_one_is_below() {
    let last = Bench::of(4, Recovered::default()).checkpoint(T);
    let bench = restarted(last, &[T, 2 * T]);
    assert!(bench.machine.view().voted);
    assert!(matches!(bench.effects[0], Effect::Journal(Record::Vote(vote)) if vote == bench.checkpoint(2 * T)));
}

#[test]
fn another_key_on_chain_gets_no_vote() {
    let mut bench = Bench::new(4);
    let voter = Voter { address: address(0), keys: Box::new(FakeKeys(3)) };
    bench.machine = Machine::new(config(), Some(voter), Recovered::default());
    bench.settle(T);
    assert_eq!(abstentions(&bench), [Abstention::OtherKey]);
    let voter = Voter { address: address(99), keys: Box::new(FakeKeys(3)) };
    let mut stranger = Bench::new(4);
    stranger.machine = Machine::new(config(), Some(voter), Recovered::default());
    stranger.settle(T);
    assert!(!stranger.machine.view().voted && abstentions(&stranger).is_empty());
}

/// The block of our last vote is remembered however long nothing becomes final.
#[test]
fn what_is_remembered_is_bounded() {
    let mut bench = Bench::new(4);
    for i in 1..=(CHECKPOINTS_KEPT as u64 + 50) {
        bench.settle(i * T);
        assert!(bench.machine.view().voted, "{i}");
    }
    let mut silent = restarted(bench.checkpoint(T), &[T]);
    for i in 2..=(CHECKPOINTS_KEPT as u64 + 50) {
        silent.step(Input::Settled(vec![SettledCheckpoint { set: set_of(3), ..silent.settled(i * T) }]));
    }
    assert!(silent.machine.view().voted);
}
