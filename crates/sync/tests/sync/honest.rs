//! Honest peers: fast, slow, short of breath, gone.

use crate::world::{Conduct, World, head};
use vigil_sync::{Peer, SyncConfig, SyncInput, SyncState};

#[test]
fn catches_up_to_the_last_settled_block() {
    for length in [1, 2, 3, 63, 64, 65, 128, 1_000] {
        let mut world = World::new(SyncConfig::default(), length);
        world.honest(1, length, 100);
        world.run_until(60_000, |world| world.settled == length);
        world.run_for(500);
        assert_eq!(world.status().state, SyncState::Synced, "{length} blocks");
        assert!(world.penalties.is_empty(), "{:?}", world.penalties);
    }
}

#[test]
fn many_peers_share_the_work_within_the_bounds() {
    let config = SyncConfig::default();
    let mut world = World::new(config, 3_000);
    (1..=8).for_each(|peer| world.honest(peer, 3_000, 1_000));
    world.run_until(120_000, |world| world.settled == 3_000);
    let asked: std::collections::BTreeSet<_> = world.requests.iter().map(|(peer, ..)| *peer).collect();
    assert_eq!(asked.len(), 8);
    assert!(world.open_max <= config.in_flight_max, "{} requests open", world.open_max);
    assert!(world.ahead_max <= config.window, "{} blocks ahead", world.ahead_max);
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
}

#[test]
fn a_gap_that_consensus_closes_is_left_alone() {
    let mut world = World::new(SyncConfig::default(), 10);
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
    let mut world = World::new(SyncConfig::default(), 2_000);
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
    let mut world = World::new(SyncConfig::default(), 300);
    let truth = world.truth.clone();
    for peer in 1..=3 {
        world.serve(peer, truth.clone(), 300, Conduct::Stingy { blocks: 5 });
        world.claim(peer, head(&truth, 300));
    }
    world.run_until(120_000, |world| world.settled >= 299);
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
}

#[test]
fn a_late_answer_is_asked_for_elsewhere() {
    let mut world = World::new(SyncConfig::default(), 200);
    let truth = world.truth.clone();
    world.serve(1, truth.clone(), 200, Conduct::Silent);
    world.claim(1, head(&truth, 200));
    world.honest(2, 200, 50);
    let took = world.run_until(60_000, |world| world.settled == 200);
    assert!(took < 25_000, "{took} ms");
    assert!(world.fined(1).iter().all(|fault| fault.points() == 5) && !world.fined(1).is_empty());
    assert!(world.fined(2).is_empty());
}

#[test]
fn a_peer_that_goes_away_is_no_fault() {
    let mut world = World::new(SyncConfig::default(), 200);
    let truth = world.truth.clone();
    world.serve(1, truth.clone(), 200, Conduct::Silent);
    world.claim(1, head(&truth, 200));
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
    let mut world = World::new(SyncConfig::default(), 10);
    assert_eq!(world.status().state, SyncState::NoPeers);
    world.honest(1, 10, 10);
    assert_eq!(world.status().state, SyncState::Behind { blocks: 10 });
    assert!(world.status().is_syncing());
    world.input(SyncInput::PeerGone(Peer(1)));
    assert_eq!(world.status().state, SyncState::NoPeers);
}

#[test]
fn consensus_overtakes_the_download() {
    let mut world = World::new(SyncConfig::default(), 1_000);
    world.honest(1, 1_000, 2_000);
    world.run_for(3_000);
    world.settle(400);
    // What lies below is neither delivered nor asked for again.
    let asked = world.requests.len();
    world.run_until(60_000, |world| world.settled == 1_000);
    assert!(world.requests[asked..].iter().all(|(_, from, max)| from + max > 400), "{:?}", world.requests);
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
}
