//! Stops and starts: the journal, what is restored, what is not signed twice (§1.13).

use super::bench::*;
use super::net::*;
use crate::*;
use vigil_primitives::*;

fn some_vote(height: Height) -> Vote {
    let signature = sign_as(&address(1), &Hash::ZERO);
    let block_hash = Hash::with_last_byte(height as u8);
    Vote {
        height,
        block_hash,
        block_epoch: height + 3,
        source_set: 0,
        source_height: height - 1,
        source_hash: Hash::ZERO,
        voter: address(1),
        signature,
    }
}

#[test]
fn records_round_trip_and_add_up() {
    let lock = |height| Lock {
        set_index: 0,
        height,
        hash: Hash::with_last_byte(9),
        cc: Hcc { votes: vec![some_vote(2); 3], block_hash: Hash::ZERO },
    };
    let records = vec![
        JournalRecord::EpochChange { target: 4 },
        JournalRecord::Vote { vote: some_vote(3), lock: lock(2) },
        JournalRecord::Proposal { epoch: 7, hash: Hash::with_last_byte(1) },
        JournalRecord::Vote { vote: some_vote(5), lock: lock(4) },
        JournalRecord::EpochChange { target: 11 },
        JournalRecord::RolledBack(RolledBack { signed: 12, known: 10 }),
    ];
    for record in &records {
        let bytes = record.to_bytes();
        assert_eq!(JournalRecord::from_bytes(&bytes).as_ref(), Ok(record));
        assert!((0..bytes.len()).all(|end| JournalRecord::from_bytes(&bytes[..end]).is_err()));
    }
    let state = JournalState::replay(records.clone());
    assert_eq!(state.last_vote, Some(some_vote(5)));
    assert_eq!(state.lock.as_ref().map(Lock::rank), Some((0, 4)));
    assert_eq!((state.last_proposal.map(|p| p.0), state.change_target, state.epoch()), (Some(7), 11, 10));
    assert_eq!(JournalState::replay(state.records()), state);
    // Whatever the order, nothing goes back.
    let mut reversed = records;
    reversed.reverse();
    assert_eq!(JournalState::replay(reversed), state);
}

#[test]
fn a_restart_restores_the_epoch_and_signs_nothing_twice() {
    let (members, me) = (4, 3);
    let mut bench = Bench::new(members, me);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let b = bench.block_by(1, 1, g, g, 1);
    let mut effects = bench.propose(&a);
    effects.extend(bench.wait(100_000, TimerId::Epoch));
    let journal: Vec<JournalRecord> = effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Journal(record) => Some(record),
            _ => None,
        })
        .collect();
    assert_eq!(journal.len(), 2);
    // The disk lost everything but the journal.
    let disk = Disk { journal, ..Disk::default() };
    let mut again = Bench::with(members, Some(me), Rules::default(), disk);
    again.blocks = bench.blocks.clone();
    let view = again.machine.view();
    assert_eq!(
        (view.epoch, view.own_ec, view.has_epoch_cert),
        (1, 2, false),
        "no epoch certificate until one is received"
    );
    assert_eq!(votes(&again.propose(&a)), NONE);
    assert_eq!(votes(&again.propose(&b)), NONE);
    let effects = again.wait(100_000, TimerId::Epoch);
    assert_eq!(changes(&effects), [2], "sent again, not journalled again");
    assert_eq!(votes(&effects), [a], "the last vote too");
    assert!(effects.iter().all(|e| !matches!(e, Effect::Journal(_))));
}

#[test]
fn a_journalled_proposal_is_sent_again_if_held_else_the_turn_is_skipped() {
    let hash = {
        let mut bench = Bench::new(4, 1);
        let g = bench.genesis();
        let a = bench.block(1, g, g);
        (a, bench.blocks[&a].clone())
    };
    for held in [true, false] {
        let journal = vec![JournalRecord::Proposal { epoch: 1, hash: hash.0 }];
        let blocks = if held { vec![(std::sync::Arc::new(hash.1.clone()), Executed::default())] } else { Vec::new() };
        let disk = Disk { journal, blocks, ..Disk::default() };
        let recovered = disk.recovered(&equal_set(0..4));
        let mut machine = Machine::new(config(Some(1), Rules::default()), Box::new(HashKeys(address(1))), recovered);
        let (now, mut effects) = (Now { mono: 5, unix: UNIX_START + 1000 }, Vec::new());
        machine.step(now, Input::Start, &mut effects);
        let sent =
            effects.iter().any(|e| matches!(e, Effect::Broadcast(Message::Proposal(p)) if p.block.hash() == hash.0));
        assert_eq!(sent, held);
        effects.clear();
        machine.step(Now { mono: 600, ..now }, Input::Timer(TimerId::Propose), &mut effects);
        assert!(builds(&effects).is_empty());
    }
}

#[test]
fn restart_points_round_trip_and_are_checked() {
    let mut net = Net::new(equal_set(0..4), 5, Rules::default());
    net.set_changes.insert(4, equal_set(1..5));
    for _ in 0..20 {
        net.run_until(net.now + 500);
        let Some(point) = &net.nodes[0].disk.restart else { continue };
        let bytes = point.to_bytes();
        assert_eq!(RestartPoint::from_bytes(&bytes).as_ref(), Ok(point));
        assert_eq!(point.head().hash, net.machine(0).settled().1);
        assert!((0..bytes.len()).step_by(7).all(|end| RestartPoint::from_bytes(&bytes[..end]).is_err()));
    }
}

#[test]
fn crashes_of_one_at_a_time_do_not_stop_the_chain() {
    let mut net = Net::new(equal_set(0..4), 5, Rules::default());
    net.set_changes = (1..30).map(|i| (5 * i, if i % 2 == 1 { equal_set(1..5) } else { equal_set(0..4) })).collect();
    for round in 0..30 {
        let victim = round % 5;
        net.run_until(net.now + 1_370);
        net.stop(victim);
        net.run_until(net.now + 700);
        if round % 3 == 0 {
            // Only journal and settled head survive.
            net.nodes[victim].disk.blocks.clear();
            net.nodes[victim].disk.certs.clear();
        }
        net.start(victim);
    }
    net.run_until(net.now + 15_000);
    assert!(net.lowest_settled() >= 60, "settled {}", net.lowest_settled());
}

#[test]
fn all_stop_and_start_again() {
    let mut net = Net::equal(4);
    net.run_until(5_123);
    let before = net.lowest_settled();
    (0..4).for_each(|i| net.stop(i));
    net.run_until(9_000);
    (0..4).for_each(|i| net.start(i));
    net.run_until(20_000);
    assert!(net.lowest_settled() >= before + 15, "{before} -> {}", net.lowest_settled());
}

#[test]
fn who_becomes_a_member_after_its_restart_says_its_last_change() {
    let me = 4;
    let disk = Disk { journal: vec![JournalRecord::EpochChange { target: 8 }], ..Disk::default() };
    let mut bench = Bench::with(4, Some(me), Rules::default(), disk);
    let g = bench.genesis();
    assert!(changes(&bench.wait(100_000, TimerId::Epoch)).is_empty(), "not yet a member");
    let (cc, set) = (bench.cc(g), Bytes::from(rlp::encode(&equal_set(1..5))));
    let flagged = bench.custom_with(1, vec![set], |h| (h.epoch, h.parent, h.hcc) = (1, g, cc));
    let proof = bench.block(2, flagged, flagged);
    for block in [flagged, proof] {
        bench.feed(&block);
        bench.certify(&block);
    }
    assert!(bench.machine.validators().contains(&address(me)));
    assert_eq!(changes(&bench.wait(100_000, TimerId::Epoch)), [8]);
}
