//! Branches that a quorum certified and that were abandoned all the same: certified is not settled.

use crate::history::{FIRST, History};
use crate::world::{Conduct, Raw, World, lies};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use vigil_primitives::{Bytes, Height};
use vigil_sync::{Ask, Fault, Peer, SyncConfig};

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
            Some(Raw { headers: Some(fake.headers(*from..to)), ..raw })
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

fn headers(headers: Vec<Bytes>) -> Raw {
    Raw { headers: Some(headers), ..Raw::default() }
}

/// Speaks of another branch, gives two true headers when it is followed alone, and is late with the next.
fn cries_and_dawdles(truth: Rc<History>) -> Conduct {
    // The first of the two, and whether it has just cried.
    let (shown, cried) = (Cell::new(0), Cell::new(false));
    Conduct::Timed(Rc::new(move |ask, raw| match *ask {
        Ask::Bodies(_) => (10, raw),
        Ask::Headers { from, .. } if shown.get() > 0 && from == shown.get() + 1 => (15_000, raw),
        Ask::Headers { from, .. } if cried.replace(false) || from <= shown.get() => {
            shown.set(from);
            (10, headers(truth.headers(from..from + 2)))
        }
        Ask::Headers { from: 1, .. } => (10, headers(truth.headers(1..2))),
        Ask::Headers { from, .. } => {
            shown.set(0);
            cried.set(true);
            (10, headers(truth.forked(from - 1, from + 1, FIRST).headers(from..from + 2)))
        }
    }))
}

#[test]
fn who_cries_another_branch_and_dawdles_pays_and_stops_nobody() {
    let mut world = World::new(SyncConfig::default(), 2_000);
    (2..=5).for_each(|peer| world.honest(peer, 2_000, 100));
    world.liar(1, 2_000, cries_and_dawdles(world.truth.clone()));
    world.run_until(120_000, |world| world.settled == 2_000);
    assert!(world.fined(1).contains(&Fault::Unsolicited), "{:?}", world.penalties);
    assert!((2..=5).all(|peer| world.fined(peer).is_empty()), "{:?}", world.penalties);
}

/// A world of 500 blocks whose peer 1 speaks once of another branch, beside two honest peers.
fn world_with_a_denier() -> World {
    let mut world = World::new(SyncConfig::default(), 500);
    let fake = world.truth.forked(100, 501, FIRST);
    let fresh = Cell::new(true);
    let denies = lies(move |ask, raw| match ask {
        Ask::Headers { from, max } if *from > 100 && fresh.replace(false) => {
            Some(headers(fake.headers(*from..(from + max).min(501))))
        }
        _ => Some(raw),
    });
    (2..=3).for_each(|peer| world.honest(peer, 500, 100));
    world.run_for(150);
    world.liar(1, 500, denies);
    world
}

#[test]
fn who_gives_the_header_that_it_denied_lies() {
    let mut world = world_with_a_denier();
    world.run_until(60_000, |world| world.settled == 500);
    assert_eq!(world.fined(1), [Fault::Invalid], "{:?}", world.penalties);
    assert_eq!(world.penalties.len(), 1, "{:?}", world.penalties);
}

#[test]
fn who_denied_what_settles_lied() {
    let mut world = world_with_a_denier();
    let denies = |(peer, ask): &(Peer, Ask)| peer.0 == 1 && matches!(ask, Ask::Headers { from, .. } if *from > 100);
    world.run_until(10_000, |world| world.requests.iter().any(denies));
    // It dodges the question for its branch, so the others are asked.
    world.claim(1, world.truth.head(0));
    world.run_until(60_000, |world| world.settled == 500);
    assert_eq!(world.fined(1), [Fault::Invalid], "{:?}", world.penalties);
    assert_eq!(world.penalties.len(), 1, "{:?}", world.penalties);
}
