//! Hosts that talk to each other, and some that lie.

use super::*;
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeSet, VecDeque};

fn rng(seed: u64) -> ChaCha8Rng {
    eprintln!("seed {seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

fn who(host: usize, guardian: usize) -> Address {
    Address::left_padding_from(&[host as u8 + 1, guardian as u8])
}

fn all_of(host: usize, guardians: usize) -> Vec<Address> {
    (0..guardians).map(|guardian| who(host, guardian)).collect()
}

/// Hosts that are all connected. The number of a connection is that of the host at its other end.
struct Net {
    hosts: Vec<Links>,
    rng: ChaCha8Rng,
    /// Half of what is told, but who is where, gets lost.
    lossy: bool,
}

impl Net {
    fn new(seed: u64, guardians: &[usize]) -> Self {
        Self::with(seed, guardians, false)
    }

    fn with(seed: u64, guardians: &[usize], lossy: bool) -> Self {
        let mut rng = rng(seed);
        let hosts = guardians.iter().enumerate().map(|(host, n)| Links::new(all_of(host, *n), &mut rng)).collect();
        let mut net = Self { hosts, rng, lossy };
        for a in 0..guardians.len() {
            (0..guardians.len()).filter(|b| *b != a).for_each(|b| net.hosts[a].connected(Peer(b as u64)));
        }
        net.run();
        net
    }

    /// Delivers until nobody has anything to say; nobody breaks a rule.
    fn run(&mut self) {
        let mut told = VecDeque::new();
        loop {
            for (from, host) in self.hosts.iter_mut().enumerate() {
                for act in host.take_acts() {
                    match act {
                        Act::Tell(Peer(to), message) => told.push_back((from, to as usize, message)),
                        Act::Blame(peer, why) => panic!("{peer:?}: {why}"),
                        Act::Connected(..) | Act::Disconnected(..) => {}
                    }
                }
            }
            let Some((from, to, message)) = told.pop_front() else { return };
            if self.lossy && !matches!(message, Told::Here(_)) && self.rng.random_bool(0.5) {
                continue;
            }
            let (host, from) = (&mut self.hosts[to], Peer(from as u64));
            match message {
                Told::Here(guardians) => host.here(from, guardians, &mut self.rng),
                Told::Link { from: theirs, to: ours } => host.link(from, theirs, ours),
                Told::Part { from: theirs, to: ours } => host.part(from, theirs, ours, &mut self.rng),
                Told::Votes { from: theirs, to: ours, .. } => drop(host.votes(from, theirs, ours)),
            }
        }
    }

    /// Connections between these and those break.
    fn split(&mut self, these: &[usize], those: &[usize]) {
        for (a, b) in these.iter().flat_map(|a| those.iter().map(move |b| (*a, *b))) {
            self.hosts[a].disconnected(Peer(b as u64), &mut self.rng);
            self.hosts[b].disconnected(Peer(a as u64), &mut self.rng);
        }
        self.run();
    }

    fn join(&mut self, these: &[usize], those: &[usize]) {
        for (a, b) in these.iter().flat_map(|a| those.iter().map(move |b| (*a, *b))) {
            self.hosts[a].connected(Peer(b as u64));
            self.hosts[b].connected(Peer(a as u64));
        }
        self.run();
    }

    /// Every guardian votes: to each that it takes for a neighbour.
    fn all_vote(&mut self) {
        for host in 0..self.hosts.len() {
            for seat in 0..self.hosts[host].ids.len() {
                let from = self.hosts[host].ids[seat];
                for (place, to) in self.neighbours(host, seat) {
                    if let Place::There(Peer(other)) = place {
                        self.hosts[other as usize].votes(Peer(host as u64), from, to);
                    }
                }
            }
        }
        self.run();
    }

    fn neighbours(&self, host: usize, seat: usize) -> Vec<(Place, Address)> {
        let ours = &self.hosts[host].seats[seat];
        let numbers = (1..=10 * LINKS_MAX as u64).map(Peer);
        let found: Vec<_> = numbers.filter_map(|number| ours.get(number)).collect();
        assert_eq!(found.len(), ours.count());
        found
    }

    /// Neighbours that hear a guardian, by address.
    fn heard_by(&self, host: usize, seat: usize) -> BTreeSet<Address> {
        let id = self.hosts[host].ids[seat];
        let hears = |(place, who): (Place, Address)| match place {
            Place::Here => self.hosts[host].heard(Place::Here, id, who).map(|_| who),
            Place::There(Peer(other)) => {
                self.hosts[other as usize].heard(Place::There(Peer(host as u64)), id, who).map(|_| who)
            }
        };
        self.neighbours(host, seat).into_iter().filter_map(hears).collect()
    }

    /// Neighbours that do not hear who takes them for one.
    fn one_sided(&self) -> usize {
        let seats =
            (0..self.hosts.len()).flat_map(|host| (0..self.hosts[host].ids.len()).map(move |seat| (host, seat)));
        seats.map(|(host, seat)| self.hosts[host].seats[seat].count() - self.heard_by(host, seat).len()).sum()
    }

    fn vote_until_all_are_heard(&mut self) {
        for _ in 0..20 {
            self.all_vote();
            if self.one_sided() == 0 {
                return;
            }
        }
        panic!("{} links are one-sided", self.one_sided());
    }

    /// True if what one guardian says reaches all, from neighbour to neighbour.
    fn is_connected(&self) -> bool {
        let place = |host: &Links, id| host.seat_of.get(&id).copied();
        let mut reached = BTreeSet::from([self.hosts[0].ids[0]]);
        let mut next: Vec<Address> = reached.iter().copied().collect();
        while let Some(id) = next.pop() {
            let (host, seat) = self.hosts.iter().enumerate().find_map(|(i, h)| Some((i, place(h, id)?))).unwrap();
            next.extend(self.heard_by(host, seat).into_iter().filter(|id| reached.insert(*id)));
        }
        reached.len() == self.hosts.iter().map(|host| host.ids.len()).sum::<usize>()
    }
}

fn connected(acts: &[Act]) -> usize {
    acts.iter().filter(|act| matches!(act, Act::Connected(..))).count()
}

#[test]
fn every_guardian_finds_neighbours_and_none_too_many() {
    for seed in 0..5 {
        for guardians in [&[1, 1][..], &[2, 2, 2, 2], &[25, 25, 25, 25], &[100, 1, 30, 1], &[60; 6]] {
            // A refusal may cross a link that was asked for.
            let mut net = Net::new(seed, guardians);
            net.vote_until_all_are_heard();
            let others = guardians.iter().sum::<usize>() - 1;
            for (h, host) in net.hosts.iter().enumerate() {
                let (own, abroad) = (guardians[h] - 1, others + 1 - guardians[h]);
                // So many of its own process is what it may look for at most.
                let wanted = OUTGOING.min(abroad + own.min(NEIGHBOURS / 4));
                for (seat, ours) in host.seats.iter().enumerate() {
                    assert!(ours.count() <= LINKS_MAX + OUTGOING, "{guardians:?}, host {h}: {}", ours.count());
                    let heard = net.heard_by(h, seat).len();
                    assert!(heard >= wanted.min(NEIGHBOURS / 4), "{guardians:?}, host {h}: heard by {heard}");
                }
            }
            assert!(net.is_connected(), "{guardians:?}");
        }
    }
}

#[test]
fn who_goes_is_replaced_and_nothing_of_it_stays() {
    let mut net = Net::new(7, &[25, 25, 25, 25]);
    net.split(&[3], &[0, 1, 2]);
    assert!(net.hosts[3].seats.iter().all(|ours| ours.count() == ours.at(Place::Here)));
    for host in &net.hosts[..3] {
        for ours in &host.seats {
            assert_eq!(ours.at(Place::There(Peer(3))), 0);
            assert!(ours.count() >= OUTGOING / 2, "{}", ours.count());
        }
    }
    // It comes back.
    net.join(&[3], &[0, 1, 2]);
    assert!(net.is_connected());
    assert!(net.hosts[3].seats.iter().all(|ours| ours.count() >= OUTGOING / 2));
}

/// Each half has all the neighbours that it wants when the other comes back.
#[test]
fn halves_that_were_parted_find_each_other() {
    for guardians in [&[25, 25, 25, 25][..], &[60; 6], &[3; 8], &[125, 1, 1, 125]] {
        let mut net = Net::new(11, guardians);
        let hosts: Vec<usize> = (0..guardians.len()).collect();
        let (these, those) = hosts.split_at(guardians.len() / 2);
        net.split(these, those);
        assert!(!net.is_connected());
        net.join(these, those);
        assert!(net.is_connected(), "{guardians:?}");
        for (a, b) in these.iter().flat_map(|a| those.iter().map(move |b| (*a, *b))) {
            let reached = net.hosts[a].seats.iter().filter(|ours| ours.at(Place::There(Peer(b as u64))) > 0).count();
            assert!(2 * reached >= guardians[a].min(guardians[b]), "{guardians:?}: host {a} reaches {b} by {reached}");
        }
    }
}

/// Messages are lost while queues are full: who votes notices that it is not heard.
#[test]
fn what_was_lost_is_noticed_when_guardians_vote() {
    let mut net = Net::with(12, &[60; 6], true);
    assert!(net.one_sided() > 1_000, "{}", net.one_sided());
    net.lossy = false;
    net.vote_until_all_are_heard();
    assert!(net.is_connected());
}

#[test]
fn a_peer_brings_no_more_than_its_share() {
    let mut rng = rng(1);
    let (crowd, peer) = (all_of(9, 200), Peer(1));
    let mut links = Links::new(vec![who(0, 0)], &mut rng);
    links.connected(peer);
    links.here(peer, crowd.clone(), &mut rng);
    links.take_acts();
    let looked_for = links.seats[0].count();
    assert_eq!(looked_for, OUTGOING, "there is nobody else");
    crowd.iter().for_each(|from| links.link(peer, *from, who(0, 0)));
    let acts = links.take_acts();
    assert_eq!(connected(&acts), BROUGHT_BY_A_PEER_MAX, "its share, whoever we looked for");
    let full = |act: &&Act| matches!(act, Act::Tell(to, Told::Part { from, .. }) if (*to, *from) == (peer, who(0, 0)));
    assert_eq!(acts.iter().filter(full).count(), 200 - OUTGOING - BROUGHT_BY_A_PEER_MAX, "the others are told");
    // Peers that are looked for no more bring some each, until there is no room.
    for n in 2..9 {
        links.connected(Peer(n));
        links.here(Peer(n), all_of(n as usize, 200), &mut rng);
        links.take_acts();
        all_of(n as usize, 200).iter().for_each(|from| links.link(Peer(n), *from, who(0, 0)));
        assert!(connected(&links.take_acts()) <= BROUGHT_BY_A_PEER_MAX);
    }
    assert_eq!(links.seats[0].count(), LINKS_MAX);
}

#[test]
fn whoever_lies_about_its_guardians_gets_no_link() {
    let mut rng = rng(2);
    let (us, them, peer) = (who(0, 0), who(1, 0), Peer(1));
    let mut links = Links::new(vec![us], &mut rng);
    links.link(peer, them, us);
    links.here(peer, vec![them], &mut rng);
    assert_eq!(links.take_acts(), [], "there is no such connection");
    links.connected(peer);
    assert_eq!(links.take_acts(), [Act::Tell(peer, Told::Here(vec![us]))]);
    links.link(peer, them, us);
    assert_eq!(links.take_acts(), [], "it has not said whom it hosts");
    links.here(peer, Vec::new(), &mut rng);
    links.link(peer, them, us);
    links.link(peer, them, who(0, 7));
    assert_eq!(links.take_acts(), [], "it hosts nobody");
    links.here(peer, vec![them], &mut rng);
    assert!(matches!(links.take_acts()[..], [Act::Blame(blamed, _)] if blamed == peer));
    links.link(peer, them, us);
    assert_eq!(links.take_acts(), [], "what it said first counts");
    assert_eq!(links.heard(Place::There(peer), them, us), None);
}

#[test]
fn the_same_link_twice_is_one() {
    let mut rng = rng(3);
    let (us, them, peer) = (who(0, 0), who(1, 0), Peer(1));
    let mut links = Links::new(vec![us], &mut rng);
    links.connected(peer);
    links.here(peer, vec![them, them], &mut rng);
    let acts = links.take_acts();
    assert_eq!(connected(&acts), 1, "{acts:?}");
    links.link(peer, them, us);
    assert_eq!(links.take_acts(), []);
    let (seat, number) = links.heard(Place::There(peer), them, us).expect("neighbours");
    assert_eq!((seat, links.neighbour(seat, number)), (0, Some((Place::There(peer), them))));
    links.disconnected(peer, &mut rng);
    assert_eq!(links.take_acts(), [Act::Disconnected(0, number)]);
    assert_eq!(links.neighbour(seat, number), None);
}

#[test]
fn whoever_has_no_room_is_not_asked_again() {
    let mut rng = rng(4);
    let (us, peer) = (who(0, 0), Peer(1));
    let mut links = Links::new(vec![us], &mut rng);
    links.connected(peer);
    links.here(peer, all_of(1, OUTGOING + 1), &mut rng);
    let asked = |acts: &[Act]| -> Vec<Address> {
        let asked = acts.iter().filter_map(|act| match act {
            Act::Tell(_, Told::Link { to, .. }) => Some(*to),
            _ => None,
        });
        asked.collect()
    };
    let first = asked(&links.take_acts());
    assert_eq!(first.len(), OUTGOING);
    links.part(peer, first[0], us, &mut rng);
    let acts = links.take_acts();
    let [last] = asked(&acts)[..] else { panic!("{acts:?}") };
    assert!(!first.contains(&last) && matches!(acts[0], Act::Disconnected(0, _)), "{acts:?}");
    for liar in [first[0], who(1, 99), us] {
        links.part(peer, liar, us, &mut rng);
        assert_eq!(links.take_acts(), [], "it is no neighbour");
    }
    links.part(peer, first[1], us, &mut rng);
    let acts = links.take_acts();
    assert!(matches!(acts[..], [Act::Disconnected(0, _)]), "nobody is left to ask: {acts:?}");
    // It may still come by itself.
    links.link(peer, first[0], us);
    assert_eq!(connected(&links.take_acts()), 1);
    links.part(peer, first[0], us, &mut rng);
    let acts = links.take_acts();
    assert!(matches!(acts[..], [Act::Disconnected(0, _)]), "and go again: {acts:?}");
}
