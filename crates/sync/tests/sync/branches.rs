//! Branches that a quorum certified and that were abandoned all the same: certified is not settled.

use crate::history::FIRST;
use crate::world::{Conduct, World, lies};
use std::collections::BTreeSet;
use std::rc::Rc;
use vigil_primitives::Height;
use vigil_sync::{Ask, Peer, SyncConfig};

/// A world whose peer 1 knows the true chain up to `at` and then an abandoned branch, one certified block long.
fn world(at: Height) -> World {
    let mut world = World::new(SyncConfig::default(), 300);
    let branch = Rc::new(world.truth.forked(at, at + 1, FIRST));
    world.serve(1, branch, at, Conduct::Honest { after: 10 });
    world
}

#[test]
fn an_abandoned_branch_turns_nobody_into_a_liar() {
    for at in [1, 2, 30, 64, 65, 128, 192] {
        let mut world = world(at);
        world.run_until(10_000, |world| !world.strays.is_empty());
        (2..=4).for_each(|peer| world.honest(peer, 300, 100));
        let took = world.run_until(60_000, |world| world.settled == 300);
        assert!(took < 30_000, "fork at {at}: {took} ms");
        assert!((2..=4).all(|peer| world.fined(peer).is_empty()), "fork at {at}: {:?}", world.penalties);
    }
}

#[test]
fn one_peer_is_followed_alone_only_past_the_fork() {
    let mut world = World::new(SyncConfig::default(), 2_000);
    let branch = Rc::new(world.truth.forked(30, 31, FIRST));
    world.serve(1, branch, 30, Conduct::Honest { after: 10 });
    world.run_until(10_000, |world| !world.strays.is_empty());
    (2..=4).for_each(|peer| world.honest(peer, 2_000, 50));
    world.run_until(60_000, |world| world.settled == 2_000);
    let peers_for = |from_height: Height| -> BTreeSet<Peer> {
        let headers =
            world.requests.iter().filter(|(_, ask)| matches!(ask, Ask::Headers { from, .. } if *from >= from_height));
        headers.map(|(peer, _)| *peer).collect()
    };
    assert_eq!(peers_for(1_000).len(), 3, "then all share the work again");
}

#[test]
fn who_cries_another_branch_must_show_it() {
    let mut world = World::new(SyncConfig::default(), 500);
    let fake = Rc::new(world.truth.forked(3, 501, FIRST));
    // It waits until something is proven, speaks of another branch, and has none from our head up.
    let cries = lies(move |ask, raw| match ask {
        Ask::Headers { from: 1, .. } => None,
        Ask::Headers { from, max } => {
            let to = (from + max).min(501);
            Some(crate::world::Raw { headers: Some(fake.headers(*from..to)), ..raw })
        }
        Ask::Bodies(_) => Some(raw),
    });
    (2..=3).for_each(|peer| world.honest(peer, 500, 100));
    world.run_for(150);
    world.liar(1, 500, cries);
    let took = world.run_until(60_000, |world| world.settled == 500);
    assert!(took < 25_000, "{took} ms");
    assert!(world.fined(2).is_empty() && world.fined(3).is_empty(), "{:?}", world.penalties);
    assert!(!world.fined(1).is_empty());
}

#[test]
fn the_unsettled_tip_of_an_honest_peer_may_change() {
    let mut world = World::new(SyncConfig::default(), 300);
    let branch = Rc::new(world.truth.forked(101, 102, FIRST));
    world.serve(1, branch, 100, Conduct::Honest { after: 10 });
    world.run_until(10_000, |world| world.settled == 100 || world.strays.len() == 1);
    world.honest(1, 300, 10);
    world.run_until(60_000, |world| world.settled == 300);
    assert!(world.penalties.is_empty(), "{:?}", world.penalties);
}
