//! Heads that are claimed and not shown, and our own troubles.

use crate::history::FIRST;
use crate::world::{Conduct, Raw, World, lies};
use std::rc::Rc;
use vigil_primitives::{Hash, Hcc, Height};
use vigil_sync::{Fault, Head, SyncConfig, SyncState};

fn world(length: Height) -> World {
    World::new(SyncConfig::default(), length)
}

fn says_nothing() -> Conduct {
    lies(|_, _| Some(Raw::default()))
}

#[test]
fn a_claim_of_any_height_costs_nothing() {
    for conduct in [Conduct::Silent, Conduct::Failing, says_nothing(), Conduct::Honest { after: 10 }] {
        let mut world = world(500);
        world.honest(2, 500, 50);
        world.honest(3, 500, 50);
        world.liar(1, 0, conduct);
        world.claim(1, Head { height: u64::MAX, hash: Hash::repeat_byte(1) });
        world.run_until(120_000, |world| world.settled == 500);
        assert!(world.fined(2).is_empty() && world.fined(3).is_empty(), "{:?}", world.penalties);
        // While the liar is set aside the node knows that it is at the head.
        world.run_until(120_000, |world| world.status().state == SyncState::Synced);
    }
}

#[test]
fn a_liar_alone_is_set_aside() {
    let mut world = world(5);
    world.liar(1, 0, says_nothing());
    world.claim(1, Head { height: 1 << 60, hash: Hash::ZERO });
    world.run_for(1_000);
    assert_eq!(world.fined(1), [Fault::Unsolicited]);
    assert_eq!(world.status().state, SyncState::Synced, "its claim has been lowered to what it has");
    // Endless claims: each costs it points, none makes us ask for more than one answer at a time.
    for n in 0..20 {
        world.claim(1, Head { height: (1 << 60) + n, hash: Hash::ZERO });
        world.run_for(1_000);
    }
    assert!(world.fined(1).len() >= 3, "{:?}", world.penalties);
    assert!(world.requests.len() <= 12, "{} requests to somebody who never delivers", world.requests.len());
}

#[test]
fn who_has_told_all_is_not_asked_on_and_on() {
    // It does not give the child that settles its head: no fault, but nothing to gain either.
    let mut world = world(100);
    world.liar(
        1,
        100,
        lies(|_, raw| Some(Raw { headers: raw.headers.map(|h| h.into_iter().take(1).collect()), tip: None, ..raw })),
    );
    world.claim(1, world.truth.head(1));
    world.run_for(10_000);
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
    assert!(world.requests.len() <= 10, "{} requests in 10 s", world.requests.len());
}

#[test]
fn a_claim_that_is_never_proven_is_lowered_and_adds_up() {
    let mut world = world(300);
    (2..=4).for_each(|peer| world.honest(peer, 200, 50));
    world.run_until(60_000, |world| world.settled == 200);
    let nothing = Hcc { votes: vec![], block_hash: Hash::repeat_byte(9) };
    let fake = Rc::new(world.truth.bent(202, 301, move |_, header| header.hcc = nothing.clone(), |_| FIRST));
    world.serve(1, fake, 240, lies(|_, raw| Some(Raw { tip: None, ..raw })));
    assert_eq!((world.status().best, world.status().agreed), (Some(240), Some(201)), "nobody else says so");
    world.run_until(10_000, |world| world.status().state == SyncState::Synced);
    assert_eq!((world.fined(1), world.status().best), (vec![Fault::Unsolicited], Some(200)));
    // The next claim costs at once.
    world.claim(1, Head { height: 241, hash: Hash::ZERO });
    world.run_until(10_000, |world| world.status().state == SyncState::Synced);
    assert_eq!(world.fined(1), [Fault::Unsolicited; 2]);
    assert_eq!(world.penalties.len(), 2, "{:?}", world.penalties);
}

#[test]
fn one_of_three_claims_is_not_believed_alone() {
    let mut world = world(300);
    world.liar(1, 5, Conduct::Silent);
    assert_eq!(world.status().agreed, Some(5));
    world.liar(2, 9, Conduct::Silent);
    assert_eq!(world.status().agreed, Some(9), "the other may be new itself");
    world.liar(3, 90, Conduct::Silent);
    assert_eq!(world.status().agreed, Some(9));
}

#[test]
fn consensus_that_settles_nothing_is_a_stall_with_a_reason() {
    let mut world = world(100);
    world.settles = false;
    world.honest(1, 100, 50);
    world.honest(2, 100, 50);
    world.run_for(12_000);
    match world.status().state {
        SyncState::Stalled { blocks: 100, error } => assert!(error.contains("stays at 0"), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(world.penalties.is_empty(), "nobody is to blame: {:?}", world.penalties);
    // And it goes on when consensus does.
    world.settles = true;
    world.run_until(120_000, |world| world.settled == 100);
}

#[test]
fn a_certified_block_that_is_invalid_here_is_our_trouble() {
    let mut world = world(100);
    world.invalid = Some(40);
    (1..=3).for_each(|peer| world.honest(peer, 100, 50));
    world.run_for(30_000);
    match world.status().state {
        SyncState::Stalled { error, .. } => assert!(error.contains("block 40 is certified"), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(world.penalties.is_empty(), "nobody is to blame: {:?}", world.penalties);
}

#[test]
fn memory_is_bounded_while_the_first_blocks_are_missing() {
    let mut world = world(5_000);
    // The first to be asked for blocks is silent about them; the others serve everything above.
    world.liar(1, 5_000, lies(|_, raw| raw.headers.is_some().then_some(raw)));
    world.run_for(200);
    (2..=5).for_each(|peer| world.honest(peer, 5_000, 10));
    world.run_for(15_000);
    let config = SyncConfig::default();
    let ahead = config.window_max + 9 * config.range_blocks;
    let highest = world.headers_asked().map(|(_, to)| to).max().unwrap();
    assert!(highest <= ahead, "headers asked for up to {highest}");
    assert!(world.bodies_asked().count() as u64 <= ahead, "{} blocks asked for", world.bodies_asked().count());
    world.run_until(120_000, |world| world.settled == 5_000);
}
