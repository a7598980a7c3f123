//! Blocks that are withheld or swapped.

use crate::world::{Conduct, Raw, World, lies};
use vigil_primitives::{Block, Bytes, Height, rlp};
use vigil_sync::{Ask, Fault, SyncConfig};

fn world(length: Height) -> World {
    World::new(SyncConfig::default(), length)
}

/// Honest about headers, and this instead of blocks.
fn instead(of_bodies: impl Fn(Vec<Bytes>) -> Option<Vec<Bytes>> + 'static) -> Conduct {
    lies(move |ask, raw| match ask {
        Ask::Headers { .. } => Some(raw),
        Ask::Bodies(_) => of_bodies(raw.bodies).map(|bodies| Raw { bodies, ..Raw::default() }),
    })
}

/// The liar gives the headers; the honest peers save the day.
fn found_out(what: &str, fault: Fault, conduct: Conduct) {
    let mut world = world(300);
    world.liar(1, 300, conduct);
    world.run_for(200);
    (2..=3).for_each(|peer| world.honest(peer, 300, 50));
    world.run_until(100_000, |world| world.settled == 300);
    assert!(world.fined(1).contains(&fault), "{what}: {:?}", world.penalties);
    assert!(world.fined(2).is_empty() && world.fined(3).is_empty(), "{what}: {:?}", world.penalties);
    assert!(world.strays.is_empty(), "{what}");
}

#[test]
fn another_block_costs_a_hundred_points() {
    let other: Bytes = world(300).truth.forked(5, 10, crate::history::STRANGERS).block(7);
    found_out("a block nobody asked for", Fault::Invalid, instead(move |_| Some(vec![other.clone()])));
    found_out("garbage", Fault::Invalid, instead(|_| Some(vec![Bytes::from(vec![0xc1; 9])])));
}

#[test]
fn other_transactions_cost_a_hundred_points() {
    // The header, and with it the hash, is the one asked for.
    let swapped = |bodies: Vec<Bytes>| {
        let swap = |bytes: &Bytes| {
            let block = Block { txs: vec![Bytes::from(vec![1])], ..Block::from_rlp(bytes).unwrap() };
            Bytes::from(rlp::encode(&block))
        };
        Some(bodies.iter().map(swap).collect())
    };
    found_out("other transactions", Fault::Invalid, instead(swapped));
}

#[test]
fn an_answer_that_is_none_is_unsolicited() {
    found_out("withheld", Fault::Unsolicited, instead(|_| Some(vec![])));
    let reversed = |mut bodies: Vec<Bytes>| {
        bodies.reverse();
        Some(bodies)
    };
    found_out("another order", Fault::Unsolicited, instead(reversed));
    let doubled = |mut bodies: Vec<Bytes>| {
        bodies.extend(bodies.last().cloned());
        Some(bodies)
    };
    found_out("one twice", Fault::Unsolicited, instead(doubled));
    found_out("silence", Fault::Timeout, instead(|_| None));
}

#[test]
fn who_never_gave_the_header_may_lack_the_block() {
    // Peer 1 tells headers and withholds blocks; peers 2 and 3 claim the head, but their stores are damaged.
    let mut world = world(100);
    world.liar(1, 100, instead(|_| None));
    world.run_for(200);
    (2..=3).for_each(|peer| world.liar(peer, 100, instead(|_| Some(vec![]))));
    world.run_for(25_000);
    assert!(world.fined(2).is_empty() && world.fined(3).is_empty(), "{:?}", world.penalties);
    world.honest(4, 100, 50);
    world.run_until(120_000, |world| world.settled == 100);
}

#[test]
fn one_honest_peer_among_liars_is_enough() {
    let mut world = world(500);
    let fake = std::rc::Rc::new(world.truth.forked(100, 501, crate::history::FORGED));
    world.liar(1, 500, Conduct::Silent);
    world.liar(2, 500, Conduct::Failing);
    world.liar(3, 500, instead(|_| None));
    world.liar(4, 500, instead(|_| Some(vec![])));
    world.liar(5, 500, lies(|_, _| Some(Raw::default())));
    world.serve(6, fake, 500, Conduct::Honest { after: 10 });
    world.liar(7, 500, Conduct::Stingy { items: 1 });
    world.honest(8, 500, 100);
    let took = world.run_until(300_000, |world| world.settled == 500);
    assert!(took < 120_000, "{took} ms");
    assert!(world.fined(7).is_empty() && world.fined(8).is_empty(), "{:?}", world.penalties);
}
