//! Peers that cannot prove whom they host, that come and go, or that speak to nobody; and what a checkpoint begins anew.

use super::*;

/// What a seat has of a host: who of it is a neighbour.
fn linked(links: &Links, peer: Peer) -> usize {
    links.seats[0].at(Place::There(peer))
}

/// Somebody who can connect as often as it likes and invents guardians.
#[test]
fn strangers_cut_no_links_and_fill_no_places() {
    let mut rng = rng(6);
    let us = who(0, 0);
    let mut links = Links::new(vec![us], &mut rng);
    let friend = Peer(1);
    links.connected(friend);
    links.here(friend, proven(&all_of(1, 100)), &mut rng);
    all_of(1, 5).iter().for_each(|from| links.link(friend, &[Pair { from: *from, to: us }]));
    let before = linked(&links, friend);
    assert!(before >= OUTGOING);
    links.take_acts();
    for n in 2..100 {
        links.connected(Peer(n));
        links.here(Peer(n), unproven(&all_of(n as usize, 100)), &mut rng);
        all_of(n as usize, 100).iter().for_each(|from| links.link(Peer(n), &[Pair { from: *from, to: us }]));
        assert!(linked(&links, Peer(n)) <= 1, "one of a connection");
    }
    assert_eq!(linked(&links, friend), before, "nobody gave way");
    assert_eq!(links.seats[0].count() - before, UNPROVEN_MAX, "we look for none of them while there are others");
    // Who is proven finds a place all the same.
    for n in 200..202 {
        links.connected(Peer(n));
        links.here(Peer(n), proven(&all_of(n as usize, 50)), &mut rng);
        all_of(n as usize, 50).iter().for_each(|from| links.link(Peer(n), &[Pair { from: *from, to: us }]));
        assert!(linked(&links, Peer(n)) >= BROUGHT_BY_A_PEER_MAX, "{}", linked(&links, Peer(n)));
    }
}

#[test]
fn through_any_newcomers_half_of_the_links_stay_until_a_checkpoint() {
    let mut rng = rng(7);
    let mut links = Links::new(vec![who(0, 0)], &mut rng);
    links.connected(Peer(1));
    links.here(Peer(1), proven(&all_of(1, 100)), &mut rng);
    links.settled(&mut rng);
    assert_eq!(linked(&links, Peer(1)), OUTGOING);
    let come = |links: &mut Links, newcomers: std::ops::Range<u64>, rng: &mut ChaCha8Rng| {
        for n in newcomers {
            links.connected(Peer(n));
            links.here(Peer(n), proven(&[who(n as usize, 0)]), rng);
        }
    };
    come(&mut links, 2..30, &mut rng);
    assert_eq!(linked(&links, Peer(1)), OUTGOING / 2);
    links.settled(&mut rng);
    come(&mut links, 30..50, &mut rng);
    assert!(linked(&links, Peer(1)) < OUTGOING / 2, "then more give way");
}

/// A guardian that had no room is asked again when a checkpoint settles.
#[test]
fn a_checkpoint_opens_what_was_full() {
    let mut rng = rng(8);
    let (us, peer) = (who(0, 0), Peer(1));
    let mut links = Links::new(vec![us], &mut rng);
    links.connected(peer);
    links.here(peer, proven(&all_of(1, 3)), &mut rng);
    links.apart(peer, &all_of(1, 3).iter().map(|from| Pair { from: *from, to: us }).collect::<Vec<_>>(), &mut rng);
    links.take_acts();
    assert_eq!(linked(&links, peer), 0);
    links.settled(&mut rng);
    assert_eq!((connected(&links.take_acts()), linked(&links, peer)), (3, 3));
}

#[test]
fn standing_changes_with_what_is_proven() {
    let mut rng = rng(9);
    let (us, peer) = (who(0, 0), Peer(1));
    let (a, b, c) = (who(1, 0), who(1, 1), who(1, 2));
    let mut links = Links::new(vec![us], &mut rng);
    links.connected(peer);
    links.here(peer, unproven(&[a, b, c]), &mut rng);
    assert_eq!(linked(&links, peer), 1, "one unproven");
    links.here(peer, Hosted::new(&[a, b], &[c]), &mut rng);
    assert_eq!(linked(&links, peer), 3, "the two, and the third as the unproven one");
    links.take_acts();
    // b left the set, c left the host.
    links.here(peer, Hosted::new(&[a], &[b]), &mut rng);
    let acts = links.take_acts();
    let apart = Act::Tell(peer, Told::Apart([b, c].map(|to| Pair { from: us, to }).to_vec()));
    let apart_turned = Act::Tell(peer, Told::Apart([c, b].map(|to| Pair { from: us, to }).to_vec()));
    assert!(acts.contains(&apart) || acts.contains(&apart_turned), "{acts:?}");
    assert!(links.heard(Place::There(peer), a, us).is_some() && links.heard(Place::There(peer), c, us).is_none());
    assert_eq!(linked(&links, peer), 2, "b is back as an unproven one");
    links.here(peer, Hosted::new(&[a], &[b]), &mut rng);
    assert_eq!(links.take_acts(), [], "nothing new");
}

/// Before anything is proven (nobody knows a set, or another one) all are connected by few links each.
#[test]
fn the_unproven_are_connected() {
    for guardians in [&[1; 8][..], &[25; 4], &[100, 1, 30, 1], &[1; 40]] {
        let net = Net::with(14, guardians, false, false);
        assert!(net.is_connected(), "{guardians:?}");
        for (host, seat) in net.seats() {
            let abroad = net.neighbours(host, seat).iter().filter(|(place, _)| *place != Place::Here).count();
            assert!(abroad <= 2 * UNPROVEN_MAX, "{guardians:?}: {abroad}");
        }
    }
}

#[test]
fn peers_are_told_what_is_new_and_what_may_be_lost() {
    let mut rng = rng(10);
    let us = who(0, 0);
    let mut links = Links::new(vec![us], &mut rng);
    links.connected(Peer(1));
    links.take_acts();
    let here = introduced(vec![us], vec![]);
    links.introduce(here.clone(), false);
    let told = [Act::Tell(Peer(1), Told::Here(here.clone()))];
    assert_eq!(links.take_acts(), told);
    links.introduce(here.clone(), false);
    assert_eq!(links.take_acts(), []);
    links.introduce(here, true);
    assert_eq!(links.take_acts(), told);
}

/// Each time it would be a fresh neighbour, with no limit used up.
#[test]
fn whoever_comes_and_goes_stays_away_until_a_checkpoint() {
    let mut rng = rng(15);
    let (us, them, peer) = (who(0, 0), who(1, 0), Peer(1));
    let (from_us, from_them) = (Pair { from: us, to: them }, Pair { from: them, to: us });
    let mut links = Links::new(vec![us], &mut rng);
    links.connected(peer);
    links.here(peer, proven(&[them]), &mut rng);
    for _ in 0..2 {
        links.apart(peer, &[from_them], &mut rng);
        for _ in 0..FILLED_MAX {
            links.take_acts();
            links.link(peer, &[from_them]);
            assert!(matches!(links.take_acts()[..], [Act::Connected(..)]));
            links.apart(peer, &[from_them], &mut rng);
        }
        links.take_acts();
        for _ in 0..2 {
            links.link(peer, &[from_them]);
            let acts = links.take_acts();
            assert!(matches!(acts[1..], [Act::Blame(blamed, _)] if blamed == peer), "{acts:?}");
            assert_eq!(acts[0], Act::Tell(peer, Told::Apart(vec![from_us])));
        }
        links.settled(&mut rng);
        assert_eq!(linked(&links, peer), 1, "all is forgotten");
    }
}

#[test]
fn a_thousand_votes_for_nobody_are_no_accident() {
    let mut rng = rng(16);
    let (us, them, peer) = (who(0, 0), who(1, 0), Peer(1));
    let mut links = Links::new(vec![us], &mut rng);
    let blamed = |acts: Vec<Act>| acts.iter().filter(|act| matches!(act, Act::Blame(..))).count();
    links.connected(peer);
    for _ in 0..2 {
        for to in [us, who(0, 9)].into_iter().cycle().take(STRAYS_MAX) {
            assert_eq!(links.heard_from(peer, them, to), None);
        }
        assert_eq!(blamed(links.take_acts()), 0, "a lost message or two");
        (0..3).for_each(|_| assert_eq!(links.heard_from(peer, them, us), None));
        assert_eq!(blamed(links.take_acts()), 3);
        links.settled(&mut rng);
    }
}
