//! A journal that was begun anew: what it takes from each statement of the lost one, and from stored blocks.

use super::bench::*;
use super::net::*;
use super::rollback::{ME, journal_of, next_start};
use crate::*;
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
