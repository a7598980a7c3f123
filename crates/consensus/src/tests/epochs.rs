//! E1 to E5 and the timing of §1.5.

use super::bench::*;
use super::net::*;
use crate::*;
use vigil_primitives::Hash;

fn certs_sent(effects: &[Effect]) -> usize {
    let sent = |e: &&Effect| matches!(e, Effect::Send { to: PEER, message: Message::EpochCert(_) });
    effects.iter().filter(sent).count()
}

fn epoch_timer(effects: &[Effect]) -> Option<Millis> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::SetTimer { id: TimerId::Epoch, at } => Some(*at),
        _ => None,
    })
}

#[test]
fn e1_the_timeout_sends_an_epoch_change_and_e4_repeats_it() {
    let mut bench = Bench::new(4, 3);
    // Epoch 1 was entered by genesis' implicit certificate: 4Δ + x + I.
    assert_eq!(changes(&bench.wait(4 * DELTA + INTERVAL - 1, TimerId::Epoch)), [0; 0]);
    let effects = bench.wait(1, TimerId::Epoch);
    assert_eq!(changes(&effects), [2]);
    let journal = effects.iter().position(|e| matches!(e, Effect::Journal(JournalRecord::EpochChange { target: 2 })));
    let sent = effects.iter().position(|e| matches!(e, Effect::Broadcast(Message::EpochChange(_))));
    assert!(journal.expect("journalled") < sent.expect("sent"));
    let again = bench.now.mono + 7 * DELTA;
    assert_eq!(epoch_timer(&effects), Some(again));
    let effects = bench.wait(7 * DELTA, TimerId::Epoch);
    assert_eq!(changes(&effects), [2], "the same again");
    assert!(effects.iter().all(|e| !matches!(e, Effect::Journal(_))));
    assert!(effects.iter().any(|e| matches!(e, Effect::Broadcast(Message::EpochCert(_)))));
    assert_eq!(bench.epoch(), 1);
}

#[test]
fn e1_votes_send_no_epoch_change_and_are_none() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let mut effects = bench.propose(&a);
    effects.extend(bench.give(Message::Vote(bench.vote(0, &a))));
    assert_eq!(changes(&effects), [0; 0]);
    bench.give(Message::EpochChange(bench.genesis_change(1, 2)));
    assert_eq!(bench.epoch(), 1, "two votes and an epoch change are no quorum");
}

#[test]
fn the_variant_counts_votes_as_epoch_changes() {
    let rules = Rules { votes_count_as_epoch_change: true, ..Rules::default() };
    let mut bench = Bench::with(4, Some(3), rules, Disk::default());
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.give(Message::Vote(bench.vote(0, &a)));
    assert_eq!(bench.epoch(), 1);
    bench.give(Message::EpochChange(bench.genesis_change(1, 2)));
    assert_eq!(bench.epoch(), 2);
}

#[test]
fn e2_amplifies_the_largest_target_that_an_honest_one_wants() {
    let mut bench = Bench::new(4, 3);
    assert_eq!(changes(&bench.give(Message::EpochChange(bench.genesis_change(0, 9)))), [0; 0], "one of four");
    assert_eq!(changes(&bench.give(Message::EpochChange(bench.genesis_change(1, 5)))), [5], "9 is one liar's");
    assert_eq!(bench.epoch(), 5, "with our own they are three");
}

#[test]
fn e2_timer_keeps_running_and_the_variant_stops_it() {
    for (rules, sends) in
        [(Rules::default(), 1), (Rules { no_resend_timer_after_amplified_ec: true, ..Rules::default() }, 0)]
    {
        let mut bench = Bench::with(7, Some(3), rules, Disk::default());
        for voter in 0..3 {
            bench.give(Message::EpochChange(bench.genesis_change(voter, 2)));
        }
        assert_eq!((bench.epoch(), bench.machine.view().own_ec), (1, 2));
        assert_eq!(changes(&bench.wait(100_000, TimerId::Epoch)).len(), sends);
    }
}

#[test]
fn e3_enters_by_the_certificate_of_an_unknown_block_and_fetches_it() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let effects = bench.certify(&a);
    assert_eq!(bench.epoch(), 2);
    assert_eq!(requests(&effects), [(PEER, a)]);
    let forwarded = effects.iter().filter(|e| matches!(e, Effect::Broadcast(Message::EpochCert(_)))).count();
    assert_eq!(forwarded, 1);
    assert_eq!(changes(&effects), [0; 0], "E3(a) sends none");
    assert_eq!(bench.machine.view().backoff, BACKOFF_MIN);
}

#[test]
fn e3_enters_by_single_votes_header_and_lock() {
    let g = Bench::new(4, 3).genesis();
    let by_votes = |bench: &mut Bench, a| {
        for voter in 0..3 {
            bench.give(Message::Vote(bench.vote(voter, &a)));
        }
    };
    let by_header = |bench: &mut Bench, a| {
        let b = bench.block(2, a, a);
        bench.propose(&b);
    };
    let by_lock = |bench: &mut Bench, a| {
        bench.give(Message::EpochChange(bench.change(0, 2, a, a)));
    };
    type Way = dyn Fn(&mut Bench, Hash);
    let ways: [&Way; 3] = [&by_votes, &by_header, &by_lock];
    for way in ways {
        let mut bench = Bench::new(4, 3);
        let a = bench.block(1, g, g);
        way(&mut bench, a);
        assert_eq!(bench.epoch(), 2);
    }
}

#[test]
fn e3_enters_by_a_quorum_and_tells_its_lock() {
    let mut bench = Bench::new(7, 3);
    // E2 sends EC(4) at the third; the fourth and the own make five of seven.
    let effects: Vec<Effect> = (0..4)
        .flat_map(|voter| bench.give(Message::EpochChange(bench.genesis_change(voter + 3 * (voter / 3), 4))))
        .collect();
    assert_eq!(bench.epoch(), 4);
    assert_eq!(changes(&effects), [4]);
    let cert = effects.iter().find_map(|e| match e {
        Effect::Broadcast(Message::EpochCert(cert)) => Some(cert.clone()),
        _ => None,
    });
    // Another node enters by this certificate alone.
    let mut other = Bench::new(7, 2);
    other.give(Message::EpochCert(cert.expect("forwarded")));
    assert_eq!(other.epoch(), 4);
    assert_eq!(other.machine.view().own_ec, 4, "it tells its lock for the epoch");
}

#[test]
fn e3_needs_strictly_more_than_two_thirds() {
    let mut bench = Bench::with(3, None, Rules::default(), Disk::default());
    bench.give(Message::EpochChange(bench.genesis_change(0, 2)));
    bench.give(Message::EpochChange(bench.genesis_change(1, 2)));
    assert_eq!(bench.epoch(), 1);
    bench.give(Message::EpochChange(bench.genesis_change(2, 2)));
    assert_eq!(bench.epoch(), 2);
}

#[test]
fn e4_who_is_behind_gets_the_epoch_certificate_once() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.certify(&a);
    assert_eq!(certs_sent(&bench.give(Message::EpochChange(bench.genesis_change(0, 2)))), 1);
    assert_eq!(certs_sent(&bench.give(Message::EpochChange(bench.genesis_change(0, 2)))), 0);
    let b = bench.block(2, a, a);
    bench.propose(&b);
    bench.certify(&b);
    assert_eq!(certs_sent(&bench.give(Message::Vote(bench.vote(0, &a)))), 1, "a new epoch, and an old vote");
}

#[test]
fn an_epoch_change_without_its_locks_certificate_is_dropped() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let mut naked = bench.change(0, 2, a, a);
    naked.lock_cc = None;
    bench.give(Message::EpochChange(naked));
    let mut weak = bench.change(1, 2, a, a);
    weak.lock_cc = Some(std::sync::Arc::new(bench.cc_by(&[0, 1], &a)));
    bench.give(Message::EpochChange(weak));
    let mut forged = bench.genesis_change(2, 2);
    forged.signature = sign_as(&address(1), &forged.digest(&domain()));
    assert_eq!(penalties(&bench.give(Message::EpochChange(forged))), [Penalty::BadSignature]);
    bench.give(Message::EpochChange(bench.genesis_change(9, 2)));
    assert_eq!(bench.machine.view().buffered.ecs, 0);
}

#[test]
fn back_off_grows_by_a_quarter_and_falls_on_settlement_only() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    for (jump, k) in [(2, 1250), (5, 1562), (6, 1952)] {
        bench.enter(jump, 3);
        assert_eq!(bench.machine.view().backoff, k, "a jump counts once");
    }
    for epoch in 7..30 {
        bench.enter(epoch, 3);
    }
    assert_eq!(bench.machine.view().backoff, BACKOFF_MAX);
    let a = bench.block(29, g, g);
    bench.propose(&a);
    bench.certify(&a);
    assert_eq!(bench.machine.view().backoff, BACKOFF_MAX, "a certificate is not enough");
    let b = bench.block(30, a, a);
    bench.propose(&b);
    assert_eq!(settled(&bench.certify(&b)), [a]);
    assert_eq!(bench.machine.view().backoff, BACKOFF_MIN);
}

#[test]
fn the_variant_resets_the_back_off_on_a_certificate() {
    let rules = Rules { backoff_reset_on_certificate: true, ..Rules::default() };
    let mut bench = Bench::with(4, Some(3), rules, Disk::default());
    let g = bench.genesis();
    bench.enter(2, 3);
    let a = bench.block(2, g, g);
    bench.propose(&a);
    bench.certify(&a);
    assert_eq!(bench.machine.view().backoff, BACKOFF_MIN);
}

#[test]
fn timeouts_are_those_of_the_specification() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    // Entered by E3(b): k (7Δ + x) + I, k = 1.25.
    let effects = bench.enter(2, 3);
    let entered = bench.now.mono;
    assert_eq!(epoch_timer(&effects), Some(entered + 7 * DELTA * 5 / 4 + INTERVAL));
    // After a vote: at the latest k (2Δ + x).
    bench.now.mono += 100;
    let a = bench.block(2, g, g);
    let effects = bench.propose(&a);
    assert_eq!(votes(&effects), [a]);
    assert_eq!(epoch_timer(&effects), Some(entered + 100 + 2 * DELTA * 5 / 4));
    // Entered by E3(a): k (4Δ + x) + I.
    let effects = bench.certify(&a);
    assert_eq!(epoch_timer(&effects), Some(bench.now.mono + 4 * DELTA * 5 / 4 + INTERVAL));
}

#[test]
fn climbing_epochs_are_short_and_lower_the_back_off() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.enter_with(2, 3, a);
    bench.enter_with(5, 3, a);
    let k = bench.machine.view().backoff;
    bench.now.mono += 50;
    // A block of this epoch that passes the lock, but no higher than our last vote.
    let low = bench.block(5, g, g);
    let effects = bench.propose(&low);
    assert_eq!(votes(&effects), NONE);
    assert_eq!(epoch_timer(&effects), Some(bench.now.mono + 2 * DELTA));
    bench.enter_with(6, 3, a);
    assert_eq!(bench.machine.view().backoff, (k * 4 / 5).max(BACKOFF_MIN));
}
