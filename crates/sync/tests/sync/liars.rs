//! Headers that lie.

use crate::history::{FIRST, FORGED, History, STRANGERS};
use crate::world::{Conduct, Raw, World, lies};
use std::rc::Rc;
use vigil_primitives::{BlockHeader, Bytes, Hash, Hcc, Height, rlp};
use vigil_sync::{Ask, Fault, SyncConfig};

fn world(length: Height) -> World {
    World::new(SyncConfig::default(), length)
}

/// Answers every question for headers with these.
fn gives(headers: Vec<Bytes>, tip: Option<Bytes>) -> Conduct {
    lies(move |ask, raw| match ask {
        Ask::Headers { .. } => Some(Raw { headers: Some(headers.clone()), tip: tip.clone(), bodies: vec![] }),
        Ask::Bodies(_) => Some(raw),
    })
}

/// The liar is alone at first, then an honest peer saves the day; no block of another chain is ever asked for.
fn found_out(what: &str, fault: Fault, conduct: Conduct, history: Option<History>) {
    let mut world = world(200);
    let history = history.map_or(world.truth.clone(), Rc::new);
    world.serve(1, history, 200, conduct);
    world.run_for(3_000);
    world.honest(2, 200, 50);
    world.run_until(60_000, |world| world.settled == 200);
    assert!(world.fined(1).contains(&fault), "{what}: {:?}", world.penalties);
    assert!(world.fined(2).is_empty(), "{what}: {:?}", world.penalties);
    let truth: Vec<Hash> = (0..=201).map(|height| world.truth.hash(height)).collect();
    assert!(world.bodies_asked().all(|hash| truth.contains(hash)), "{what}: blocks of a lie were asked for");
}

/// The true chain up to 30, then headers bent by `bend`.
fn bent(bend: impl Fn(Height, &mut BlockHeader)) -> History {
    world(200).truth.bent(30, 201, bend, |_| FIRST)
}

#[test]
fn headers_that_do_not_chain_cost_a_hundred_points() {
    let truth = world(200).truth;
    let other = History::new(201, |_| FIRST).bent(1, 201, |_, _| (), |_| STRANGERS);
    let two_histories = [truth.headers(1..=30), other.headers(31..=64)].concat();
    let hole = truth.headers((1..=64).filter(|height| *height != 30));
    for (lie, headers) in [
        ("other heights", truth.headers(2..=65)),
        ("a hole", hole),
        ("two histories", two_histories),
        ("garbage", vec![Bytes::from(vec![0xc1; 9])]),
        ("a block for a header", vec![truth.block(1)]),
    ] {
        found_out(lie, Fault::Invalid, gives(headers, None), None);
    }
}

#[test]
fn headers_that_break_a_rule_cost_a_hundred_points() {
    let honest = || Conduct::Honest { after: 10 };
    let back = world(200).truth.certs[20].clone();
    for (lie, history) in [
        ("another chain id", bent(|_, header| header.chain_id = "othernet".into())),
        ("an epoch that stands still", bent(|height, header| header.epoch = height.min(30))),
        ("a vote twice", bent(|_, header| header.hcc.votes[1] = header.hcc.votes[0].clone())),
        ("votes for another height", bent(|_, header| header.hcc.votes.iter_mut().for_each(|vote| vote.height += 1))),
        ("votes of another source", bent(|_, header| header.hcc.votes[2].source_hash = Hash::ZERO)),
        (
            "an older certificate",
            bent(move |height, header| {
                if height == 33 {
                    header.hcc = back.clone()
                }
            }),
        ),
    ] {
        found_out(lie, Fault::Invalid, honest(), Some(history));
    }
}

#[test]
fn headers_up_to_a_head_that_prove_nothing_are_unsolicited() {
    let nothing = Hcc { votes: vec![], block_hash: Hash::repeat_byte(9) };
    let history = bent(move |_, header| header.hcc = nothing.clone());
    found_out("no certificate", Fault::Unsolicited, lies(|_, raw| Some(Raw { tip: None, ..raw })), Some(history));
}

#[test]
fn what_is_not_certified_costs_a_hundred_points() {
    let truth = world(200).truth;
    // From the first block, inside an answer, at its ends, and far up.
    for at in [1, 2, 30, 62, 63, 64, 65, 66, 129, 190, 200, 201] {
        for (lie, voters) in [("forged votes", FORGED), ("votes of strangers", STRANGERS)] {
            let fake = truth.forked(at, 201, voters);
            found_out(&format!("{lie} from {at} up"), Fault::Invalid, Conduct::Honest { after: 10 }, Some(fake));
        }
    }
}

#[test]
fn too_few_votes_are_no_certificate() {
    let fake = world(200).truth.bent(40, 201, |_, header| header.hcc.votes.truncate(2), |_| FIRST);
    found_out("two votes of four", Fault::Invalid, Conduct::Honest { after: 10 }, Some(fake));
}

#[test]
fn a_certificate_of_something_else_is_no_tip() {
    let truth = world(200).truth;
    for cert in [truth.cert(9), Bytes::from(vec![0xc0]), rlp::encode(&Hcc::default()).into()] {
        found_out("tip", Fault::Invalid, gives(truth.headers(1..=3), Some(cert)), None);
    }
    found_out("a tip without a header", Fault::Invalid, gives(vec![], Some(truth.cert(9))), None);
}

#[test]
fn more_than_asked_for_is_unsolicited() {
    let truth = world(200).truth;
    found_out("65 headers", Fault::Unsolicited, gives(truth.headers(1..=65), None), None);
    let blocks: Vec<Bytes> = (1..=3).map(|height| truth.block(height)).collect();
    let for_headers =
        lies(move |_, raw| Some(Raw { headers: raw.headers.map(|_| vec![]), bodies: blocks.clone(), tip: None }));
    found_out("blocks for headers", Fault::Unsolicited, for_headers, None);
    let for_blocks = lies(|_, raw| Some(Raw { headers: raw.headers.or(Some(vec![])), ..raw }));
    found_out("headers for blocks", Fault::Unsolicited, for_blocks, None);
}

/// Headers that link to their parents from 20 up, and none carries a certificate of the chain.
fn endless() -> Rc<History> {
    Rc::new(world(200).truth.bent(20, 1_500, |_, header| header.hcc = Hcc::default(), |_| FIRST))
}

#[test]
fn endless_headers_without_proof_end() {
    let mut world = world(200);
    world.serve(1, endless(), 1_400, Conduct::Honest { after: 10 });
    world.run_for(2_000);
    let (_, fault, reason) = world.penalties.first().expect("a penalty");
    assert!(*fault == Fault::Invalid && reason.contains("400 headers without a certificate"), "{reason}");
    assert_eq!(world.penalties.len(), 1, "it is set aside at once");
    let highest = world.headers_asked().map(|(_, to)| to).max();
    assert!(highest <= Some(500), "asked up to {highest:?}");
}

#[test]
fn headers_one_by_one_that_prove_nothing_end() {
    let mut world = world(200);
    let one =
        |raw: Raw| Raw { headers: raw.headers.map(|headers| headers.into_iter().take(1).collect()), tip: None, ..raw };
    let drips = lies(move |ask, raw| match ask {
        Ask::Headers { from: 1, .. } => Some(raw),
        _ => Some(one(raw)),
    });
    world.serve(1, endless(), 1_400, drips);
    world.run_for(50_000);
    assert_eq!(world.fined(1), [Fault::Unsolicited; 4], "{:?}", world.penalties);
    assert!(world.headers_asked().count() <= 1 + 5 * 200, "{} questions", world.headers_asked().count());
}

#[test]
fn headers_that_come_slowly_and_prove_nothing_end() {
    let mut world = world(200);
    let slow = |_: &Ask, raw: Raw| {
        (15_000, Raw { headers: raw.headers.map(|h| h.into_iter().take(2).collect()), tip: None, ..raw })
    };
    let unproven = world.truth.bent(1, 1_500, |_, header| header.hcc = Hcc::default(), |_| FIRST);
    world.serve(1, Rc::new(unproven), 1_400, Conduct::Timed(Rc::new(slow)));
    world.run_for(50_000);
    assert_eq!(world.fined(1), [Fault::Unsolicited], "{:?}", world.penalties);
}

#[test]
fn who_changes_its_story_is_found_out() {
    let other = world(500).truth.forked(50, 501, FIRST);
    let mut world = world(500);
    // True headers up to 64, and then those of a chain that left it at 50.
    let changes = lies(move |ask, raw| match ask {
        Ask::Headers { from: 1, .. } => Some(raw),
        Ask::Headers { from, max } => Some(Raw { headers: Some(other.headers(*from..from + max)), ..raw }),
        Ask::Bodies(_) => Some(raw),
    });
    world.liar(1, 500, changes);
    world.run_for(1_000);
    assert!(world.fined(1).contains(&Fault::Invalid), "{:?}", world.penalties);
    world.honest(2, 500, 50);
    world.run_until(60_000, |world| world.settled == 500);
    assert!(world.fined(2).is_empty(), "{:?}", world.penalties);
}
