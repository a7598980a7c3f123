//! Hosts that talk to each other, and some that lie.

use super::super::neighbours::LINKS_MAX;
use super::*;
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeSet, VecDeque};

mod strangers;

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

fn introduced(members: Vec<Address>, others: Vec<Address>) -> Here {
    Here { members, others, signature: BlsSignatureBytes::ZERO }
}

/// A host whose guardians are all proven.
fn proven(who: &[Address]) -> Hosted {
    Hosted::new(who, &[])
}

/// A host whose guardians are not.
fn unproven(who: &[Address]) -> Hosted {
    Hosted::new(&[], who)
}

/// Hosts that are all connected. The number of a connection is that of the host at its other end.
struct Net {
    hosts: Vec<Links>,
    rng: ChaCha8Rng,
    /// Delivered.
    messages: usize,
    /// Half of what is told, but who is where, gets lost.
    lossy: bool,
}

impl Net {
    fn new(seed: u64, guardians: &[usize]) -> Self {
        Self::with(seed, guardians, true, false)
    }

    fn with(seed: u64, guardians: &[usize], is_proven: bool, lossy: bool) -> Self {
        let mut rng = rng(seed);
        let hosts = guardians.iter().enumerate().map(|(host, n)| {
            let mut links = Links::new(all_of(host, *n), &mut rng);
            if is_proven {
                links.introduce(introduced(all_of(host, *n), Vec::new()), false);
            }
            links
        });
        let mut net = Self { hosts: hosts.collect(), rng, messages: 0, lossy };
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
            self.messages += 1;
            if self.lossy && !matches!(message, Told::Here(_)) && self.rng.random_bool(0.5) {
                continue;
            }
            let (host, from) = (&mut self.hosts[to], Peer(from as u64));
            match message {
                Told::Here(here) => host.here(from, Hosted::new(&here.members, &here.others), &mut self.rng),
                Told::Link(pairs) => host.link(from, &pairs),
                Told::Apart(pairs) => host.apart(from, &pairs, &mut self.rng),
                Told::Votes { .. } => unreachable!("links say no votes"),
            }
        }
    }

    fn part(&mut self, a: usize, b: usize) {
        self.hosts[a].disconnected(Peer(b as u64), &mut self.rng);
        self.hosts[b].disconnected(Peer(a as u64), &mut self.rng);
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

    /// Every guardian votes: to each that it takes for a neighbour.
    fn all_vote(&mut self) {
        for (host, seat) in self.seats() {
            let from = self.hosts[host].ids[seat];
            for (place, to) in self.neighbours(host, seat) {
                if let Place::There(Peer(other)) = place {
                    self.hosts[other as usize].heard_from(Peer(host as u64), from, to);
                }
            }
        }
        self.run();
    }

    fn seats(&self) -> Vec<(usize, usize)> {
        self.hosts.iter().enumerate().flat_map(|(i, host)| (0..host.ids.len()).map(move |seat| (i, seat))).collect()
    }

    /// Neighbours that do not hear who takes them for one.
    fn one_sided(&self) -> usize {
        let deaf =
            |(host, seat): (usize, usize)| self.hosts[host].seats[seat].count() - self.heard_by(host, seat).len();
        self.seats().into_iter().map(deaf).sum()
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
            let net = Net::new(seed, guardians);
            let others = guardians.iter().sum::<usize>() - 1;
            for (h, host) in net.hosts.iter().enumerate() {
                let (own, abroad) = (guardians[h] - 1, others + 1 - guardians[h]);
                // So many of its own process is what it may look for at most.
                let wanted = OUTGOING.min(abroad + own.min(NEIGHBOURS / 4));
                for (seat, ours) in host.seats.iter().enumerate() {
                    assert!(ours.count() <= LINKS_MAX + OUTGOING, "{guardians:?}, host {h}: {}", ours.count());
                    let heard = net.heard_by(h, seat).len();
                    assert_eq!(heard, ours.count(), "{guardians:?}, host {h}: a one-sided link");
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
    for other in 0..3 {
        net.part(3, other);
    }
    assert!(net.hosts[3].seats.iter().all(|ours| ours.count() == ours.at(Place::Here)));
    for host in &net.hosts[..3] {
        for ours in &host.seats {
            assert_eq!(ours.at(Place::There(Peer(3))), 0);
            assert!(ours.count() >= OUTGOING / 2, "{}", ours.count());
        }
    }
    // It comes back.
    for other in 0..3 {
        net.hosts[3].connected(Peer(other as u64));
        net.hosts[other].connected(Peer(3));
    }
    net.run();
    assert!(net.is_connected());
    assert!(net.hosts[3].seats.iter().all(|ours| ours.count() >= OUTGOING / 2));
}

#[test]
fn a_peer_brings_no_more_than_its_share() {
    let mut rng = rng(1);
    let (crowd, peer) = (all_of(9, 200), Peer(1));
    let mut links = Links::new(vec![who(0, 0)], &mut rng);
    links.connected(peer);
    links.here(peer, proven(&crowd), &mut rng);
    links.take_acts();
    let looked_for = links.seats[0].count();
    assert_eq!(looked_for, OUTGOING, "there is nobody else");
    crowd.iter().for_each(|from| links.link(peer, &[Pair { from: *from, to: who(0, 0) }]));
    let acts = links.take_acts();
    assert_eq!(connected(&acts), BROUGHT_BY_A_PEER_MAX, "its share, whoever we looked for");
    let told: usize =
        acts.iter().map(|act| if let Act::Tell(_, Told::Apart(pairs)) = act { pairs.len() } else { 0 }).sum();
    assert_eq!(told, 200 - OUTGOING - BROUGHT_BY_A_PEER_MAX, "the others are told");
    // Peers that are looked for no more bring some each, until there is no room.
    for n in 2..9 {
        links.connected(Peer(n));
        links.here(Peer(n), proven(&all_of(n as usize, 200)), &mut rng);
        links.take_acts();
        all_of(n as usize, 200).iter().for_each(|from| links.link(Peer(n), &[Pair { from: *from, to: who(0, 0) }]));
        assert!(connected(&links.take_acts()) <= BROUGHT_BY_A_PEER_MAX);
    }
    assert_eq!(links.seats[0].count(), LINKS_MAX);
}

#[test]
fn whoever_lies_about_its_guardians_gets_no_link() {
    let mut rng = rng(2);
    let (us, them, peer) = (who(0, 0), who(1, 0), Peer(1));
    let mut links = Links::new(vec![us], &mut rng);
    links.link(peer, &[Pair { from: them, to: us }]);
    links.here(peer, proven(&[them]), &mut rng);
    assert_eq!(links.take_acts(), [], "there is no such connection");
    links.connected(peer);
    assert_eq!(links.take_acts(), [Act::Tell(peer, Told::Here(introduced(vec![], vec![us])))]);
    links.link(peer, &[Pair { from: them, to: us }]);
    assert_eq!(links.take_acts(), [], "it has not said whom it hosts");
    links.here(peer, Hosted::default(), &mut rng);
    links.link(peer, &[Pair { from: them, to: us }]);
    links.link(peer, &[Pair { from: them, to: who(0, 7) }]);
    assert_eq!(links.take_acts(), [], "it hosts nobody");
    assert_eq!(links.heard(Place::There(peer), them, us), None);
}

#[test]
fn the_same_link_twice_is_one() {
    let mut rng = rng(3);
    let (us, them, peer) = (who(0, 0), who(1, 0), Peer(1));
    let mut links = Links::new(vec![us], &mut rng);
    links.connected(peer);
    links.here(peer, proven(&[them, them]), &mut rng);
    let acts = links.take_acts();
    assert_eq!(connected(&acts), 1, "{acts:?}");
    links.link(peer, &[Pair { from: them, to: us }]);
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
    links.here(peer, proven(&all_of(1, OUTGOING + 1)), &mut rng);
    let asked = |acts: &[Act]| -> Vec<Address> {
        let pairs = acts.iter().filter_map(|act| match act {
            Act::Tell(_, Told::Link(pairs)) => Some(pairs),
            _ => None,
        });
        pairs.flatten().map(|pair| pair.to).collect()
    };
    let first = asked(&links.take_acts());
    assert_eq!(first.len(), OUTGOING);
    links.apart(peer, &[Pair { from: first[0], to: us }], &mut rng);
    let acts = links.take_acts();
    let [last] = asked(&acts)[..] else { panic!("{acts:?}") };
    assert!(!first.contains(&last) && matches!(acts[0], Act::Disconnected(0, _)), "{acts:?}");
    assert_eq!(acts[1], Act::Tell(peer, Told::Apart(vec![Pair { from: us, to: first[0] }])), "for messages that cross");
    for liar in [first[0], who(1, 99), us] {
        links.apart(peer, &[Pair { from: liar, to: us }], &mut rng);
        assert_eq!(links.take_acts(), [], "it is no neighbour");
    }
    links.apart(peer, &[Pair { from: first[1], to: us }], &mut rng);
    let acts = links.take_acts();
    assert!(asked(&acts).is_empty() && matches!(acts[0], Act::Disconnected(0, _)), "nobody is left to ask: {acts:?}");
    // It may still come by itself.
    links.link(peer, &[Pair { from: first[0], to: us }]);
    assert_eq!(connected(&links.take_acts()), 1);
    links.apart(peer, &[Pair { from: first[0], to: us }], &mut rng);
    assert!(matches!(links.take_acts()[..], [Act::Disconnected(0, _)]), "it may go again");
}

/// Each half fills its places from its own while they are apart; nobody looks for anybody when they meet again.
#[test]
fn two_halves_become_one_again() {
    for guardians in [&[25; 4][..], &[1; 30], &[17, 17, 17, 17, 16, 16]] {
        // With links that are old when they meet, and without.
        (11..17).for_each(|seed| halves_meet(seed, guardians, seed % 2 == 0));
    }
}

fn halves_meet(seed: u64, guardians: &[usize], settled: bool) {
    let (hosts, half) = (guardians.len(), guardians.len() / 2);
    let mut net = Net::new(seed, guardians);
    for (a, b) in (0..half).flat_map(|a| (half..hosts).map(move |b| (a, b))) {
        net.part(a, b);
    }
    assert!(!net.is_connected(), "{guardians:?}");
    if settled {
        net.hosts.iter_mut().for_each(|host| host.settled(&mut net.rng));
        net.run();
    }
    for (a, b) in (0..half).flat_map(|a| (half..hosts).map(move |b| (a, b))) {
        net.hosts[a].connected(Peer(b as u64));
        net.hosts[b].connected(Peer(a as u64));
        net.run();
    }
    assert!(net.is_connected(), "{guardians:?}");
    let across = |host: usize, seat: usize| {
        let over = |(place, _): &(Place, Address)| match place {
            Place::There(Peer(other)) => (host < half) != ((*other as usize) < half),
            Place::Here => false,
        };
        net.neighbours(host, seat).iter().filter(|n| over(n)).count()
    };
    let few: Vec<_> = net.seats().into_iter().filter(|(host, seat)| across(*host, *seat) < 2).collect();
    assert!(few.is_empty(), "{guardians:?}: these hear nearly nobody of the other half: {few:?}");
}

/// A thousand guardians: nobody is alone, no host is left out, and the start takes few messages.
#[test]
fn a_thousand_guardians_find_each_other_with_few_messages() {
    let hosts = 12;
    let net = Net::new(12, &[83; 12]);
    assert!(net.is_connected());
    for host in 0..hosts {
        for seat in 0..83 {
            let neighbours = net.neighbours(host, seat);
            assert!((OUTGOING..=LINKS_MAX).contains(&neighbours.len()), "{}", neighbours.len());
        }
        for other in (0..hosts).filter(|other| *other != host) {
            let links: usize = net.hosts[host].seats.iter().map(|ours| ours.at(Place::There(Peer(other as u64)))).sum();
            assert!(links > 40, "hosts {host} and {other} have {links} links");
        }
    }
    assert!(net.messages < hosts * hosts * 40, "{} messages", net.messages);
}

/// Messages are lost while queues are full: who votes learns that it is not heard.
#[test]
fn what_was_lost_is_noticed_when_guardians_vote() {
    let mut net = Net::with(13, &[60; 6], true, true);
    assert!(net.one_sided() > 500, "{}", net.one_sided());
    net.lossy = false;
    for _ in 0..10 {
        net.all_vote();
    }
    assert_eq!(net.one_sided(), 0);
    assert!(net.is_connected());
    assert!(net.seats().iter().all(|(host, seat)| net.hosts[*host].seats[*seat].count() >= OUTGOING));
}

#[test]
fn who_thinks_to_be_a_neighbour_and_is_none_is_told() {
    let mut rng = rng(5);
    let (us, them, peer) = (who(0, 0), who(1, 0), Peer(1));
    let mut links = Links::new(vec![us], &mut rng);
    links.connected(peer);
    links.take_acts();
    assert_eq!(links.heard_from(peer, them, us), None);
    assert_eq!(links.take_acts(), [Act::Tell(peer, Told::Apart(vec![Pair { from: us, to: them }]))]);
    assert_eq!(links.heard_from(peer, them, who(0, 9)), None);
    assert_eq!(links.take_acts(), [], "we host no such guardian");
}
