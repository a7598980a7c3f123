//! Nothing a peer or a traitor sends makes a buffer grow without limit (I17).

use super::bench::*;
use super::net::*;
use crate::*;
use vigil_primitives::*;

#[test]
fn strangers_fill_nothing() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let mut effects = Vec::new();
    for stranger in 10..200 {
        effects.extend(bench.give(Message::Vote(bench.vote(stranger, &a))));
        bench.give(Message::EpochChange(bench.genesis_change(stranger, 7)));
    }
    assert_eq!(penalties(&effects), [Penalty::NotAMember; 190]);
    let buffered = bench.machine.view().buffered;
    assert_eq!((buffered.votes, buffered.ecs), (0, 0));
}

#[test]
fn what_each_buffer_may_hold_follows_from_committee_and_peers() {
    let most = Buffered::most(4, 1);
    assert_eq!((most.votes, most.ecs, most.parked), (4 * VOTES_PER_VOTER, 4, PARKED_PER_PEER_MAX));
    assert_eq!(Buffered::most(VALIDATORS_MAX, PEERS_MAX).parked, PARKED_MAX);
}

#[test]
fn a_voter_has_room_for_so_many_votes() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    for epoch in 0..1000u64 {
        let hash = bench.block(4 * epoch + 1, g, g);
        bench.give(Message::Vote(bench.vote(0, &hash)));
    }
    assert_eq!(bench.machine.view().buffered.votes, Buffered::most(1, 1).votes);
}

#[test]
fn epoch_changes_are_one_a_sender() {
    let mut bench = Bench::new(4, 3);
    for target in 2..500 {
        bench.give(Message::EpochChange(bench.genesis_change(0, target)));
    }
    assert_eq!(bench.machine.view().buffered.ecs, Buffered::most(1, 1).ecs);
    assert_eq!(bench.epoch(), 1);
}

#[test]
fn parked_blocks_are_bounded_and_parents_come_first() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let mut chain = vec![bench.block(1, g, g)];
    for epoch in 2..150 {
        let parent = chain[chain.len() - 1];
        chain.push(bench.block(epoch, parent, g));
    }
    for hash in chain.iter().skip(1).rev() {
        bench.feed(hash);
    }
    let buffered = bench.machine.view().buffered;
    assert_eq!(buffered.parked, Buffered::most(4, 1).parked);
    assert!(buffered.fetching <= FETCHES_PER_PEER_MAX);
    bench.enter(149, 3);
    bench.feed(&chain[0]);
    assert!(bench.machine.meta(&chain[PARKED_PER_PEER_MAX]).is_some(), "the lowest were kept");
    assert_eq!(bench.machine.view().buffered.parked, 0);
    let mut high = bench.block(1, g, g);
    for epoch in 2..HEIGHT_WINDOW + 2 {
        high = bench.block_by(epoch as usize % 4, epoch, high, g, 9);
    }
    bench.feed(&high);
    assert_eq!(bench.machine.view().buffered.parked, 0, "above the window");
}

#[test]
fn a_liar_has_few_fetches() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    for target in 2..100 {
        let mut change = bench.genesis_change(0, target);
        (change.last_vote_height, change.last_vote_hash) = (5, Hash::with_last_byte(target as u8));
        change.signature = sign_as(&change.voter, &change.digest(&domain()));
        bench.give(Message::EpochChange(change));
    }
    assert_eq!(bench.machine.view().buffered.fetching, FETCHES_PER_PEER_MAX);
    bench.wait(4 * DELTA, TimerId::Fetch);
    bench.wait(4 * DELTA, TimerId::Fetch);
    assert_eq!(bench.machine.view().buffered.fetching, 0, "nobody else is asked for what one claims");
    let _ = g;
}

#[test]
fn the_tree_drops_old_branches_when_it_is_full() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let end = TREE_BLOCKS_MAX as Epoch + 50;
    bench.enter(end, 3);
    let mut first = None;
    for epoch in 1..end {
        let hash = bench.block(epoch, g, g);
        first.get_or_insert(hash);
        bench.feed(&hash);
    }
    assert_eq!(bench.machine.view().buffered.blocks, Buffered::most(4, 1).blocks);
    assert!(bench.machine.meta(&first.expect("fed")).is_none());
    let now = bench.block(end, g, g);
    assert_eq!(votes(&bench.propose(&now)), [now], "there is always room for the new block");
}

#[test]
fn nothing_grows_over_a_long_life() {
    let mut net = Net::equal(4);
    net.silent.insert(2);
    net.run_until(300_000);
    let buffered = net.machine(0).view().buffered;
    assert!(buffered.blocks < 10 && buffered.parked == 0 && buffered.certs < 10, "{buffered:?}");
    assert!(buffered.votes <= 4 * VOTES_PER_VOTER && buffered.ecs <= 4 && buffered.fetching == 0, "{buffered:?}");
}
