//! Honest peers: fast, slow, short of breath, gone.

use crate::history::History;
use crate::world::{Conduct, World};
use std::collections::BTreeSet;
use vigil_sync::{Ask, Peer, SyncConfig, SyncInput, SyncState};

fn world(length: u64) -> World {
    World::new(SyncConfig::default(), length)
}

#[test]
fn catches_up_to_the_last_settled_block() {
    for length in [1, 2, 3, 63, 64, 65, 128, 1_000] {
        let mut world = world(length);
        world.honest(1, length, 100);
        world.run_until(60_000, |world| world.settled == length);
        world.run_for(500);
        assert_eq!(world.status().state, SyncState::Synced, "{length} blocks");
        assert!(world.penalties.is_empty(), "{:?}", world.penalties);
    }
}

#[test]
fn no_block_is_asked_for_before_its_header_is_proven() {
    let mut world = world(300);
    world.honest(1, 300, 100);
    world.run_until(5_000, |world| world.headers_asked().count() == 2);
    let told = world.headers_asked().next().unwrap();
    assert_eq!(told, (1, 64));
    assert!(world.bodies_asked().all(|hash| (1..64).any(|height| world.truth.hash(height) == *hash)));
    world.run_until(60_000, |world| world.settled == 300);
    assert_eq!(world.bodies_asked().count(), 301, "each once");
}

#[test]
fn many_peers_share_the_work_within_the_bounds() {
    let config = SyncConfig::default();
    let mut world = world(3_000);
    (1..=8).for_each(|peer| world.honest(peer, 3_000, 200));
    world.run_until(120_000, |world| world.settled == 3_000);
    let asked = |is_wanted: fn(&Ask) -> bool| {
        let asked = world.requests.iter().filter(|(_, ask)| is_wanted(ask));
        asked.map(|(peer, _)| *peer).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(asked(|_| true), 8);
    assert!(asked(|ask| matches!(ask, Ask::Bodies(_))) >= 4);
    assert!(world.open_max <= config.in_flight_max, "{} requests open", world.open_max);
    assert!(world.ahead_max <= config.window, "{} blocks ahead", world.ahead_max);
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
}

/// While certificates fail, blocks may climb to the height that consensus takes; all settle at once in the end.
#[test]
fn a_stretch_without_certificates_is_crossed() {
    for (blocks, items) in [(2, 64), (29, 64), (31, 64), (64, 64), (100, 64), (190, 64), (190, 2)] {
        let mut world = World::of(SyncConfig::default(), History::climbing(100, blocks, 401));
        (1..=3).for_each(|peer| world.liar(peer, 400, Conduct::Stingy { items }));
        world.run_until(60_000, |world| world.settled == 400);
        assert!(world.penalties.is_empty(), "{blocks} blocks, {items} an answer: {:?}", world.penalties);
    }
}

#[test]
fn a_change_of_the_validators_is_crossed() {
    for change in [1, 2, 61, 62, 63, 64, 65, 100, 298, 299, 300] {
        let mut world = World::with_set_change(SyncConfig::default(), 300, change);
        (1..=3).for_each(|peer| world.honest(peer, 300, 100));
        let took = world.run_until(30_000, |world| world.settled == 300);
        assert!(took < 5_000, "change in block {change}: {took} ms");
        assert!(world.penalties.is_empty(), "change in block {change}: {:?}", world.penalties);
    }
}

#[test]
fn a_gap_that_consensus_closes_is_left_alone() {
    let mut world = world(10);
    for height in 1..=10 {
        world.honest(1, height, 10);
        world.run_for(500);
        world.settle(height);
    }
    assert!(world.requests.is_empty(), "{:?}", world.requests);
    assert_eq!(world.status().state, SyncState::Synced);
}

#[test]
fn a_follower_stays_at_the_head() {
    let mut world = World::new(SyncConfig { patience: 0, ..SyncConfig::default() }, 200);
    for height in 1..=200 {
        world.honest(1 + height % 3, height, 20);
        let took = world.run_until(5_000, |world| world.settled == height);
        assert!(took <= 500, "block {height} took {took} ms");
    }
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
}

#[test]
fn the_head_moves_while_we_catch_up() {
    let mut world = world(2_000);
    for height in 500..=2_000 {
        world.honest(1, height, 30);
        world.honest(2, height.saturating_sub(1), 60);
        world.run_for(100);
    }
    world.run_until(30_000, |world| world.settled == 2_000);
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
}

#[test]
fn short_answers_are_completed() {
    for items in [1, 2, 5] {
        let mut world = world(300);
        (1..=3).for_each(|peer| world.liar(peer, 300, Conduct::Stingy { items }));
        world.run_until(120_000, |world| world.settled >= 298);
        assert!(world.penalties.is_empty(), "{items} at a time: {:?}", world.penalties);
    }
}

#[test]
fn a_late_answer_is_asked_for_elsewhere() {
    let mut world = world(200);
    world.liar(1, 200, Conduct::Silent);
    world.honest(2, 200, 50);
    let took = world.run_until(60_000, |world| world.settled == 200);
    assert!(took < 25_000, "{took} ms");
    assert!(world.fined(1).iter().all(|fault| fault.points() == 5) && !world.fined(1).is_empty());
    assert!(world.fined(2).is_empty());
}

#[test]
fn a_peer_that_goes_away_is_no_fault() {
    let mut world = world(200);
    world.liar(1, 200, Conduct::Silent);
    world.run_for(100);
    assert!(!world.requests.is_empty());
    world.honest(2, 200, 50);
    world.input(SyncInput::PeerGone(Peer(1)));
    let took = world.run_until(60_000, |world| world.settled == 200);
    assert!(took < 5_000, "{took} ms");
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
}

#[test]
fn nobody_to_ask() {
    let mut world = world(10);
    assert_eq!(world.status().state, SyncState::NoPeers);
    world.honest(1, 10, 10);
    assert_eq!(world.status().state, SyncState::Behind { blocks: 10 });
    assert!(world.status().is_syncing());
    world.input(SyncInput::PeerGone(Peer(1)));
    assert_eq!(world.status().state, SyncState::NoPeers);
}

#[test]
fn consensus_overtakes_the_download() {
    let mut world = world(1_000);
    world.honest(1, 1_000, 2_000);
    world.run_for(3_000);
    world.settle(400);
    // What lies below is neither delivered nor asked for again.
    let asked = world.requests.len();
    world.run_until(60_000, |world| world.settled == 1_000);
    let later = world.requests[asked..].iter().filter_map(|(_, ask)| match ask {
        Ask::Headers { from, .. } => Some(*from),
        Ask::Bodies(_) => None,
    });
    assert_eq!(later.min(), Some(401));
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
}
