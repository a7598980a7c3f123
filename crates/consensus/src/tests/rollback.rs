//! A journal that forgot what its key signed: seen, never contradicted, remembered (§1.13, §1.14).

use super::bench::*;
use super::net::*;
use crate::*;
use std::sync::Arc;
use vigil_primitives::*;

pub(super) const ME: usize = 3;

/// Member 3 of 4, which stops when it hears of what it forgot, and a first block.
fn forgetful(journal: Vec<JournalRecord>) -> (Bench, Hash) {
    let mut bench = Bench::with(4, Some(ME), Rules::default(), Disk { journal, ..Disk::default() });
    bench.machine.on_unknown_own(UnknownOwn::Halt);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    (bench, a)
}

/// Each way in which a statement of ours can reach us.
fn carriers(bench: &mut Bench, a: Hash) -> Vec<Message> {
    let g = bench.genesis();
    let own_block = Arc::new({
        let hash = bench.block(3, g, g);
        bench.blocks[&hash].clone()
    });
    let cc = bench.cc_by(&[0, 1, ME], &a);
    let child = bench.custom(2, |header| {
        (header.epoch, header.parent, header.hcc) = (2, a, cc.clone());
    });
    let child = Arc::new(bench.blocks[&child].clone());
    let changes: Vec<EpochChange> = [0, 1, ME].map(|voter| bench.genesis_change(voter, 5)).into();
    let mut locked = bench.change(0, 5, a, a);
    locked.lock_cc = Some(Arc::new(cc.clone()));
    vec![
        Message::Vote(bench.vote(ME, &a)),
        Message::Certificate(Arc::new(cc.clone())),
        Message::EpochCert(EpochCert::Commit(Arc::new(cc))),
        Message::Block(child.clone()),
        Message::Proposal(Proposal { block: child, epoch_cert: None }),
        Message::EpochChange(bench.genesis_change(ME, 5)),
        Message::EpochChange(locked),
        Message::EpochCert(EpochCert::Changes(changes)),
        Message::Block(own_block.clone()),
        Message::Proposal(Proposal { block: own_block, epoch_cert: None }),
    ]
}

/// What a journal that holds all of [`carriers`] adds up from.
fn complete_journal(bench: &mut Bench, a: Hash) -> Vec<JournalRecord> {
    let g = bench.genesis();
    let proposal = bench.block(3, g, g);
    vec![
        JournalRecord::Vote { vote: bench.vote(ME, &a), lock: Lock { hash: g, ..Lock::default() } },
        JournalRecord::Proposal { epoch: 3, hash: proposal },
        JournalRecord::EpochChange { target: 5 },
    ]
}

fn found(effects: &[Effect]) -> Option<RolledBack> {
    let journalled = effects.iter().position(|e| matches!(e, Effect::Journal(JournalRecord::RolledBack(_))));
    let halted = effects.iter().enumerate().find_map(|(i, effect)| match effect {
        Effect::Halted(HaltReason::RolledBack(found)) => Some((i, *found)),
        _ => None,
    });
    assert_eq!(journalled.map(|i| i + 1), halted.map(|(i, _)| i), "durable first");
    halted.map(|(_, found)| found)
}

pub(super) fn journal_of(effects: &[Effect]) -> Vec<JournalRecord> {
    let records = effects.iter().filter_map(|effect| match effect {
        Effect::Journal(record) => Some(record.clone()),
        _ => None,
    });
    records.collect()
}

/// Everything that tempts a validator to sign: blocks to vote for, its own turn, timeouts.
fn tempt(bench: &mut Bench) -> Vec<Effect> {
    let g = bench.genesis();
    let mut effects = Vec::new();
    for epoch in 6..9 {
        effects.extend(bench.enter(epoch, ME));
        effects.extend(bench.wait(10 * DELTA, TimerId::Propose));
        let block = bench.block(epoch, g, g);
        effects.extend(bench.propose(&block));
        effects.extend(bench.wait(100 * DELTA, TimerId::Epoch));
    }
    effects
}

fn is_signed_by_us(effect: &Effect) -> bool {
    match effect {
        Effect::Broadcast(Message::Vote(vote)) => vote.voter == address(ME),
        Effect::Broadcast(Message::EpochChange(change)) => change.voter == address(ME),
        Effect::Broadcast(Message::Proposal(proposal)) => proposal.block.header.proposer == address(ME),
        Effect::Build(_) => true,
        _ => false,
    }
}

#[test]
fn whatever_shows_what_was_forgotten_ends_signing_for_good() {
    let (mut bench, a) = forgetful(Vec::new());
    for (i, message) in carriers(&mut bench, a).into_iter().enumerate() {
        let (mut bench, _) = forgetful(Vec::new());
        let effects = bench.give(message);
        assert!(found(&effects).is_some_and(|found| found.known == 0 && found.signed > 0), "carrier {i}");
        assert!(bench.machine.view().halted);
        assert!(!tempt(&mut bench).iter().any(is_signed_by_us), "carrier {i}");
        // The journal tells the next life, compacted or not.
        let journal = JournalState::replay(journal_of(&effects)).records();
        let (mut again, _) = forgetful(journal);
        assert!(again.machine.view().halted, "carrier {i}");
        assert!(!tempt(&mut again).iter().any(is_signed_by_us), "carrier {i}");
    }
    let (mut bench, _) = forgetful(Vec::new());
    assert!(tempt(&mut bench).iter().any(is_signed_by_us), "the temptation works");
}

#[test]
fn what_the_journal_holds_is_no_news() {
    let (mut bench, a) = forgetful(Vec::new());
    let (messages, journal) = (carriers(&mut bench, a), complete_journal(&mut bench, a));
    let (mut bench, _) = forgetful(journal);
    for (i, message) in messages.into_iter().enumerate() {
        assert_eq!(found(&bench.give(message)), None, "carrier {i}");
    }
    assert!(!bench.machine.view().halted);
}

#[test]
fn what_was_signed_since_the_start_is_told_apart() {
    let (mut bench, a) = forgetful(Vec::new());
    let g = bench.genesis();
    assert_eq!(votes(&bench.propose(&a)), [a]);
    bench.enter(6, ME);
    let b = bench.block(6, a, g);
    assert_eq!(votes(&bench.propose(&b)), [b]);
    for voted in [a, b] {
        assert_eq!(found(&bench.give(Message::Vote(bench.vote(ME, &voted)))), None);
    }
    // Between the two, and lower than the second: what a rolled back journal forgot.
    let forgotten = bench.block_by(2, 2, g, g, 1);
    let effects = bench.give(Message::Vote(bench.vote(ME, &forgotten)));
    assert_eq!(found(&effects), Some(RolledBack { signed: 2, known: 6 }));
}

#[test]
fn a_forgery_or_another_chains_block_is_no_evidence() {
    let (mut bench, a) = forgetful(Vec::new());
    let mut vote = bench.vote(ME, &a);
    vote.height += 1;
    let mut change = bench.genesis_change(ME, 5);
    change.target_epoch += 1;
    let mut elsewhere = bench.cc(a);
    elsewhere.votes.iter_mut().for_each(|vote| vote.signature = sign_as(&vote.voter, &Hash::ZERO));
    let foreign = bench.custom(ME, |header| {
        (header.epoch, header.parent, header.hcc) = (7, a, elsewhere);
    });
    let foreign = Arc::new(bench.blocks[&foreign].clone());
    for message in [Message::Vote(vote), Message::EpochChange(change), Message::Block(foreign)] {
        let effects = bench.input(Input::Received { from: PEER, message });
        assert_eq!(found(&effects), None);
    }
}

#[test]
fn certificates_in_our_own_store_tell_too() {
    let (bench, a) = forgetful(Vec::new());
    let disk = Disk {
        certs: vec![bench.cc_by(&[0, 1, ME], &a)],
        blocks: vec![(Arc::new(bench.blocks[&a].clone()), Executed::default())],
        ..Disk::default()
    };
    let recovered = disk.recovered(&equal_set(0..4));
    let mut machine = Machine::new(config(Some(ME), Rules::default()), Box::new(HashKeys(address(ME))), recovered);
    let mut effects = Vec::new();
    machine.step(Now { mono: 5, unix: UNIX_START + 1_000 }, Input::Start, &mut effects);
    assert_eq!(found(&effects), Some(RolledBack { signed: 1, known: 0 }));
}

#[test]
fn with_the_operators_word_we_are_bound_by_what_we_hear() {
    let (mut bench, a) = forgetful(Vec::new());
    bench.machine.on_unknown_own(UnknownOwn::Adopt);
    let g = bench.genesis();
    let rival = bench.block_by(1, 1, g, g, 1);
    let effects = bench.give(Message::Vote(bench.vote(ME, &a)));
    let lock = Lock { hash: g, cc: bench.cc(g), ..Lock::default() };
    let fresh = |epoch, height, hash| JournalRecord::Fresh(Floor { epoch, height, hash, ..Floor::default() });
    let adopted = [JournalRecord::Vote { vote: bench.vote(ME, &a), lock }, fresh(1, 1, a)];
    assert_eq!((journal_of(&effects), found(&effects)), (adopted.into(), None));
    assert_eq!(votes(&bench.propose(&rival)), NONE, "one vote an epoch");
    let effects = bench.give(Message::EpochChange(bench.genesis_change(ME, 5)));
    assert_eq!(journal_of(&effects), [JournalRecord::EpochChange { target: 5 }, fresh(4, 0, g)]);
    assert_eq!(journal_of(&bench.give(Message::EpochChange(bench.genesis_change(ME, 5)))), [], "once");
    bench.enter(4, ME);
    let late = bench.block(4, g, g);
    assert_eq!(votes(&bench.propose(&late)), NONE, "E5");
    assert_eq!(changes(&bench.wait(100 * DELTA, TimerId::Epoch)), [5], "and it is said again");
}

/// A vote for `b`, our proposal of it, or an `EpochChange` that names both links, that we only hear of: nothing above it is signed over a lower source.
#[test]
fn what_is_adopted_is_not_surrounded() {
    for what in ["a vote", "a proposal", "an epoch change"] {
        let mut bench = next_start(vec![JournalRecord::Fresh(Floor::default())]);
        let g = bench.genesis();
        let a = bench.block(1, g, g);
        let b = bench.block(3, a, a);
        bench.feed(&a);
        let effects = match what {
            "a vote" => bench.give(Message::Vote(bench.vote(ME, &b))),
            "a proposal" => bench.feed(&b),
            _ => bench.give(Message::EpochChange(bench.change(ME, 5, a, b))),
        };
        let journal = journal_of(&effects);
        assert!(matches!(journal[..], [_, JournalRecord::Fresh(_)]), "{what}: {journal:?}");
        let floor = JournalState::replay(journal.clone()).voted();
        assert_eq!((floor.height, floor.source_rank()), (2, (0, 1)), "{what}");

        let mut bench = next_start(journal);
        bench.feed(&a);
        let around = [bench.block(5, a, g), bench.block(6, a, a)];
        bench.enter(5, ME);
        bench.feed(&around[0]);
        bench.enter(8, ME);
        let outer = bench.block(8, around[0], g);
        assert_eq!(votes(&bench.propose(&outer)), NONE, "{what}: source 0 to target 3 surrounds 1 to 2");
        bench.feed(&around[1]);
        bench.enter(9, ME);
        let above = bench.block(9, around[1], a);
        assert_eq!(votes(&bench.propose(&above)), [above], "{what}");
    }
}

#[test]
fn who_says_less_than_before_is_reminded_once_an_epoch() {
    let (mut bench, a) = forgetful(Vec::new());
    let g = bench.genesis();
    let later = bench.block(5, g, g);
    let (old, new) = (bench.vote(0, &a), bench.vote(0, &later));
    let reminders = |effects: Vec<Effect>| -> Vec<Message> {
        let sent = effects.into_iter().filter_map(|effect| match effect {
            Effect::Send { to: PEER, message: message @ (Message::Vote(_) | Message::EpochChange(_)) } => Some(message),
            _ => None,
        });
        sent.collect()
    };
    assert_eq!(reminders(bench.give(Message::Vote(new.clone()))), []);
    assert_eq!(reminders(bench.give(Message::Vote(old.clone()))), [Message::Vote(new.clone())]);
    assert_eq!(reminders(bench.give(Message::Vote(old))), [], "once");
    bench.enter(2, 0);
    let change = bench.genesis_change(0, 6);
    assert_eq!(reminders(bench.give(Message::EpochChange(change.clone()))), []);
    let older = Message::EpochChange(bench.genesis_change(0, 4));
    assert_eq!(reminders(bench.give(older)), [Message::Vote(new), Message::EpochChange(change)]);
}

#[test]
fn nothing_that_a_lost_journal_may_have_held_is_signed_again() {
    let (bench, _) = forgetful(Vec::new());
    let g = bench.genesis();
    let floor = Floor { epoch: 4, height: 2, hash: Hash::repeat_byte(2), ..Floor::default() };
    let (mut bench, a) = forgetful(JournalState::replay([JournalRecord::Fresh(floor)]).records());
    assert_eq!(bench.machine.view().epoch, 4);
    let b = bench.block(4, a, g);
    bench.propose(&a);
    assert_eq!(votes(&bench.propose(&b)), NONE, "epoch 4");
    bench.wait(100 * DELTA, TimerId::Epoch);
    let told = bench.machine.changes[&address(ME)].clone();
    assert_eq!((told.target_epoch, told.last_vote_height, told.last_vote_hash), (5, 2, floor.hash));
    bench.enter(5, ME);
    let rival = bench.block(5, a, g);
    assert_eq!(votes(&bench.propose(&rival)), NONE, "height 2");
    bench.enter(6, ME);
    let higher = bench.block(6, rival, g);
    assert_eq!(votes(&bench.propose(&higher)), [higher], "above both");
}

#[test]
fn no_second_proposal_for_an_epoch_of_a_lost_journal() {
    let builds_in_our_turn = |epoch| {
        let floor = Floor { epoch, ..Floor::default() };
        let (mut bench, _) = forgetful(vec![JournalRecord::Fresh(floor)]);
        let mut effects = bench.enter(3, ME);
        effects.extend(bench.wait(10 * DELTA, TimerId::Propose));
        builds(&effects).len()
    };
    assert_eq!([2, 3].map(builds_in_our_turn), [1, 0]);
}

/// A later start with this journal; nothing is said of what to do.
pub(super) fn next_start(journal: Vec<JournalRecord>) -> Bench {
    let (mut bench, _) = forgetful(Vec::new());
    let recovered = Disk { journal, ..Disk::default() }.recovered(&equal_set(0..4));
    bench.machine = Machine::new(config(Some(ME), Rules::default()), Box::new(HashKeys(address(ME))), recovered);
    bench.input(Input::Start);
    bench
}

#[test]
fn what_is_heard_binds_at_later_starts_too_until_there_is_a_vote_above_it() {
    let mut bench = next_start(vec![JournalRecord::Fresh(Floor { epoch: 2, ..Floor::default() })]);
    let g = bench.genesis();
    let [old, newer, newest] = [3, 7, 11].map(|epoch| {
        let hash = bench.block(epoch, g, g);
        Message::Block(Arc::new(bench.blocks[&hash].clone()))
    });
    let mut journal = vec![JournalRecord::Fresh(Floor { epoch: 2, ..Floor::default() })];
    let effects = bench.give(Message::EpochChange(bench.genesis_change(ME, 6)));
    journal.extend(journal_of(&effects));
    assert_eq!(JournalState::replay(journal.clone()).epoch(), 5);

    let mut bench = next_start(journal.clone());
    let effects = bench.give(old.clone());
    assert_eq!((journal_of(&effects).len(), found(&effects)), (2, None), "higher than all votes that are known of");
    journal.extend(journal_of(&effects));
    assert_eq!(journal_of(&bench.give(old.clone())), [], "once");
    let effects = bench.give(newer.clone());
    assert_eq!((journal_of(&effects).len(), found(&effects)), (2, None), "adopted");
    journal.extend(journal_of(&effects));

    let above = bench.block_by(0, 9, g, g, 0);
    let vote = bench.vote(ME, &above);
    journal.push(JournalRecord::Vote { vote, lock: Lock { hash: g, ..Lock::default() } });
    let mut bench = next_start(journal);
    for known in [old, newer] {
        assert_eq!(found(&bench.give(known)), None);
    }
    assert_eq!(found(&bench.give(newest)), Some(RolledBack { signed: 11, known: 9 }));
}

#[test]
fn a_vote_above_all_that_is_known_is_adopted_whatever_its_epoch() {
    for heard in [false, true] {
        let mut bench = next_start(vec![JournalRecord::Fresh(Floor { epoch: 9, ..Floor::default() })]);
        let g = bench.genesis();
        let a = bench.block(1, g, g);
        if heard {
            bench.give(Message::Vote(bench.vote(ME, &a)));
        }
        bench.enter(10, ME);
        let same_height = bench.block(10, g, g);
        assert_eq!(votes(&bench.propose(&same_height)).is_empty(), heard);
    }
}

#[test]
fn old_blocks_of_ours_are_no_news_to_a_journal_without_proposals() {
    let (mut bench, _) = forgetful(vec![JournalRecord::EpochChange { target: 8 }]);
    let g = bench.genesis();
    for (epoch, news) in [(3, None), (7, Some(RolledBack { signed: 7, known: 7 }))] {
        let block = bench.block(epoch, g, g);
        assert_eq!(found(&bench.feed(&block)), news, "epoch {epoch}");
    }
}
