//! A journal that was begun anew: what it takes from each statement of the lost one, and from stored blocks.

use super::bench::*;
use super::net::*;
use super::rollback::{ME, journal_of, next_start};
use crate::*;
use std::sync::Arc;
use vigil_primitives::*;

/// The journal after an `EpochChange` that names a vote is known: a rival of that vote's block convicts.
#[test]
fn the_vote_that_an_epoch_change_names_is_not_contradicted() {
    let mut bench = next_start(vec![JournalRecord::Fresh(Floor::default())]);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.give(Message::EpochChange(bench.change(ME, 5, g, a)));
    let told = &bench.machine.changes[&address(ME)];
    assert_eq!((told.target_epoch, told.last_vote_height, told.last_vote_hash), (5, 1, a));
    bench.enter(6, ME);
    let rival = bench.block(6, g, g);
    assert_eq!(votes(&bench.propose(&rival)), NONE);
    bench.enter(8, ME);
    let higher = bench.block(8, rival, g);
    assert_eq!(votes(&bench.propose(&higher)), [higher]);
}

/// Statements of low epochs that say more than is known: a source, a last vote, a height.
#[test]
fn what_binds_more_is_adopted_whatever_its_epoch() {
    let known = Floor { epoch: 9, height: 2, hash: Hash::repeat_byte(2), source_set: 0, source_height: 1 };
    let statements: [fn(&mut Bench, [Hash; 3]) -> Message; 3] = [
        |bench, [.., c]| Message::Vote(bench.vote(ME, &c)),
        |bench, [a, _, c]| Message::EpochChange(bench.change(ME, 8, a, c)),
        |bench, [.., c]| Message::Block(bench.blocks[&c].clone().into()),
    ];
    for (what, statement) in statements.into_iter().enumerate() {
        for (height, source_height) in [(2, 1), (3, 1), (2, 2), (3, 2)] {
            let floor = Floor { height, source_height, ..known };
            let mut bench = next_start(vec![JournalRecord::Fresh(floor)]);
            let g = bench.genesis();
            let a = bench.block(1, g, g);
            let b = bench.block(2, a, a);
            let c = bench.block(7, b, b);
            let message = statement(&mut bench, [a, b, c]);
            let is_news = height < 3 || (what == 0 && source_height < 2);
            let said = format!("statement {what}, known: {height}, {source_height}");
            assert_eq!(!journal_of(&bench.give(message.clone())).is_empty(), is_news, "{said}");
            assert_eq!(journal_of(&bench.give(message)), [], "once: {said}");
        }
    }
}

/// u (height 1) changes the set, v proves it, w is the first block of members 3 to 6, and x carries the certificate of w.
fn handover() -> (Bench, [Hash; 4]) {
    let mut bench = Bench::new(4, ME);
    let g = bench.genesis();
    let (cc, set) = (bench.cc(g), Bytes::from(rlp::encode(&equal_set(3..7))));
    let u = bench.custom_with(1, vec![set], |h| (h.epoch, h.parent, h.hcc) = (1, g, cc));
    bench.feed(&u);
    let v = bench.block(2, u, u);
    bench.feed(&v);
    bench.certify(&v);
    let cc = bench.cc(v);
    let w = bench.custom(5, |h| (h.epoch, h.parent, h.hcc) = (3, v, cc));
    bench.feed(&w);
    let cc = bench.cc_by(&[4, 5, 6], &w);
    let x = bench.custom(6, |h| (h.epoch, h.parent, h.hcc) = (4, w, cc));
    (bench, [u, v, w, x])
}

/// Starts again without the journal, with these blocks stored. It may have ended at epoch and height 4.
fn lose_journal(bench: &mut Bench, stored: &[Hash]) -> Vec<Effect> {
    let floor = Floor { epoch: 4, height: 4, hash: Hash::repeat_byte(4), ..Floor::default() };
    let blocks = stored.iter().map(|hash| &bench.blocks[hash]).map(|block| (Arc::new(block.clone()), executed(block)));
    let disk = Disk { journal: vec![JournalRecord::Fresh(floor)], blocks: blocks.collect(), ..Disk::default() };
    let recovered = disk.recovered(&equal_set(0..4));
    bench.machine = Machine::new(config(Some(ME), Rules::default()), Box::new(HashKeys(address(ME))), recovered);
    bench.input(Input::Start)
}

fn source_floor(effects: &[Effect]) -> (u64, Height) {
    JournalState::replay(journal_of(effects)).voted().source_rank()
}

/// The votes that certify w say that their source is of set 0; w itself is of set 1.
#[test]
fn stored_blocks_are_not_surrounded_across_a_set_change() {
    for stored in [3, 4] {
        let (mut bench, chain) = handover();
        let [u, v, ..] = chain;
        let effects = lose_journal(&mut bench, &chain[..stored]);
        let lost = stored == 4;
        assert_eq!(source_floor(&effects), if lost { (1, 3) } else { (0, 2) });
        // The old set goes on above v and certifies height 3, to which nothing of the new set is linked.
        let old = bench.block(5, v, u);
        let between = bench.block(6, old, old);
        [old, between].iter().for_each(|block| _ = bench.feed(block));
        for voter in [0, 1, 2, 4, 5, 6] {
            bench.give(Message::EpochChange(bench.genesis_change(voter, 8)));
        }
        let outer = bench.block(8, between, old);
        let voted = votes(&bench.feed(&outer));
        assert_eq!(voted.is_empty(), lost, "(0, 3) to 5 surrounds (1, 3) to 4");
    }
}

#[test]
fn the_lock_of_an_adopted_epoch_change_counts_in_the_set_of_its_block() {
    for voters in [[4, 5, 6], [0, 1, 2]] {
        let (mut bench, chain) = handover();
        let [.., w, x] = chain;
        lose_journal(&mut bench, &chain[..3]);
        let mut change = bench.change(ME, 9, w, x);
        change.lock_cc = Some(Arc::new(bench.cc_by(&voters, &w)));
        let found = source_floor(&bench.give(Message::EpochChange(change)));
        assert_eq!(found, (1, 3), "we signed that it is the lock, whoever votes for it in what was put beside it");
    }
}

/// The certificate of a lock is not signed with the change: whoever passes it on may leave it out.
#[test]
fn the_lock_binds_though_a_copy_without_certificate_was_first() {
    let (mut bench, chain) = handover();
    let [.., w, x] = chain;
    lose_journal(&mut bench, &[]);
    let mut change = bench.change(ME, 9, w, x);
    change.lock_cc = None;
    assert_eq!(source_floor(&bench.give(Message::EpochChange(change.clone()))), (0, 3));
    for block in &chain[..3] {
        bench.feed(block);
    }
    let again = bench.give(Message::EpochChange(change.clone()));
    assert_eq!(source_floor(&again), (1, 3), "the block is held now, and its set known");
    let mut claims = bench.cc_by(&[4, 5, 6], &w);
    claims.votes.iter_mut().for_each(|vote| vote.source_set = 7);
    change.lock_cc = Some(Arc::new(claims));
    assert_eq!(journal_of(&bench.give(Message::EpochChange(change))), [], "nothing new holds");
}

/// Block and source of the lock are not held: the certificate would hold in set 1, too, of which the chain may never be.
#[test]
fn a_lock_binds_to_no_later_set_than_certain() {
    let mut bench = Bench::new(4, ME);
    let g = bench.genesis();
    let cc = bench.cc(g);
    let heavier = ValidatorSet::new((0..4).map(|n| (address(n), 10 + u128::from(n == 0)))).expect("a set");
    let u = bench.custom_with(1, vec![Bytes::from(rlp::encode(&heavier))], |h| (h.epoch, h.parent, h.hcc) = (1, g, cc));
    let p = bench.block(2, g, g);
    let q = bench.block(3, p, p);
    let lock = bench.block(4, q, q);
    lose_journal(&mut bench, &[u]);
    let mut change = bench.change(ME, 9, lock, lock);
    change.lock_cc = Some(Arc::new(bench.cc_by(&[0, 1, 2], &lock)));
    assert_eq!(source_floor(&bench.give(Message::EpochChange(change))), (0, 3));
}
