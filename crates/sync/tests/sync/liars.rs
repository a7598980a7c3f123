//! Liars, and our own troubles.

use crate::world::{Conduct, World, cert_of, chain, head};
use vigil_primitives::{Block, Bytes, Hash, Height, rlp};
use vigil_sync::{Fault, Head, RangeAnswer, SyncConfig, SyncState};

fn world(length: Height) -> World {
    World::new(SyncConfig::default(), length)
}

fn encoded(blocks: &[Block]) -> Vec<Bytes> {
    blocks.iter().map(|block| rlp::encode(block).into()).collect()
}

#[test]
fn a_claim_of_any_height_costs_nothing() {
    for conduct in [Conduct::Silent, Conduct::Failing, Conduct::Says(RangeAnswer::default())] {
        let mut world = world(500);
        world.honest(2, 500, 50);
        world.honest(3, 500, 50);
        world.serve(1, vec![], 0, conduct);
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
    world.serve(1, vec![], 0, Conduct::Says(RangeAnswer::default()));
    world.claim(1, Head { height: 1 << 60, hash: Hash::ZERO });
    world.run_for(1_000);
    assert_eq!(world.fined(1), [Fault::Unsolicited; 2], "two ranges were asked for");
    assert_eq!(world.status().state, SyncState::Synced, "its claim has been lowered to what it has");
    // Endless claims: each costs it points, none makes us ask for more than one range at a time.
    for n in 0..20 {
        world.claim(1, Head { height: (1 << 60) + n, hash: Hash::ZERO });
        world.run_for(1_000);
    }
    assert!(world.fined(1).len() >= 3, "{:?}", world.penalties);
    assert!(world.requests.len() <= 12, "{} requests to somebody who never delivers", world.requests.len());
}

#[test]
fn answers_that_do_not_chain_cost_a_hundred_points() {
    let truth = chain(200, 0, 0);
    let other = chain(200, 7, 0);
    let mut gap = truth[1..=64].to_vec();
    gap.remove(30);
    let mut wrong_chain = truth[1..=1].to_vec();
    wrong_chain[0].header.chain_id = "othernet".into();
    let lies = [
        ("another genesis", encoded(&other[1..=64])),
        ("a hole", encoded(&gap)),
        ("other heights", encoded(&truth[2..=65])),
        ("another chain id", encoded(&wrong_chain)),
        ("garbage", vec![Bytes::from(vec![0xc1; 9])]),
        ("two histories", encoded(&[&truth[1..=30], &other[31..=64]].concat())),
    ];
    for (lie, blocks) in lies {
        let mut world = world(200);
        world.serve(1, vec![], 0, Conduct::Says(RangeAnswer { blocks, certs: vec![] }));
        world.claim(1, head(&truth, 200));
        world.honest(2, 200, 500);
        world.run_until(60_000, |world| world.settled == 200);
        assert!(world.fined(1).contains(&Fault::Invalid), "{lie}: {:?}", world.penalties);
        assert!(world.fined(2).is_empty(), "{lie}: {:?}", world.penalties);
    }
}

#[test]
fn more_than_asked_for_is_unsolicited() {
    let truth = chain(200, 0, 0);
    for answer in [
        RangeAnswer { blocks: encoded(&truth[1..=65]), certs: vec![] },
        RangeAnswer { blocks: encoded(&truth[1..=3]), certs: vec![cert_of(&truth[9])] },
        RangeAnswer { blocks: encoded(&truth[1..=3]), certs: vec![cert_of(&truth[1]); 65] },
    ] {
        let mut world = world(200);
        world.serve(1, vec![], 0, Conduct::Says(answer));
        world.claim(1, head(&truth, 200));
        world.honest(2, 200, 500);
        world.run_until(60_000, |world| world.settled == 200);
        assert!(world.fined(1).contains(&Fault::Unsolicited), "{:?}", world.penalties);
        assert!(world.fined(2).is_empty());
    }
}

#[test]
fn a_chain_of_its_own_is_found_out_by_consensus() {
    // It forks off at block 40, so links and hashes are all in order.
    let fake = chain(400, 9, 40);
    let mut world = world(300);
    world.serve(1, fake.clone(), 300, Conduct::Honest { after: 10 });
    world.claim(1, head(&fake, 300));
    world.honest(2, 300, 100);
    world.honest(3, 300, 100);
    world.run_until(120_000, |world| world.settled == 300);
    assert!(world.fined(1).contains(&Fault::Invalid), "{:?}", world.penalties);
    assert!(world.fined(2).is_empty() && world.fined(3).is_empty(), "{:?}", world.penalties);
}

#[test]
fn a_contradiction_is_judged_when_the_height_is_settled() {
    // The liar's blocks up to 64 are true but for the last, which no later block confirms.
    for lied in [60, 63, 64, 65, 66, 100, 128, 129] {
        let fake = chain(400, 9, lied);
        let mut world = world(300);
        world.serve(1, fake.clone(), 300, Conduct::Honest { after: 100 });
        world.claim(1, head(&fake, 300));
        (2..=4).for_each(|peer| world.honest(peer, 300, 100));
        world.run_until(180_000, |world| world.settled == 300);
        assert!((2..=4).all(|peer| world.fined(peer).is_empty()), "fork at {lied}: {:?}", world.penalties);
    }
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
fn memory_is_bounded_while_the_first_range_is_missing() {
    let mut world = world(5_000);
    let truth = world.truth.clone();
    // The first to be asked is silent; the others serve everything above.
    world.serve(1, truth.clone(), 5_000, Conduct::Silent);
    world.claim(1, head(&truth, 5_000));
    world.run_for(60);
    (2..=5).for_each(|peer| world.honest(peer, 5_000, 10));
    world.run_for(15_000);
    let highest = world.requests.iter().map(|(_, from, max)| from + max).max().unwrap();
    let config = SyncConfig::default();
    assert!(highest <= config.window + 9 * config.range_blocks + 1, "asked up to {highest}");
    world.run_until(120_000, |world| world.settled == 5_000);
}
