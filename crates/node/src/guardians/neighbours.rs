//! The neighbours of one machine, numbered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use vigil_consensus::Peer;
use vigil_primitives::Address;

/// Where a neighbour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// In this process.
    Here,
    /// Behind a connection.
    There(Peer),
}

#[derive(Clone, Copy)]
struct Neighbour {
    place: Place,
    who: Address,
    /// We looked for it; else it came to us.
    outgoing: bool,
}

/// Whom a machine talks to. It knows them by numbers, which are given once.
#[derive(Default)]
pub(super) struct Neighbours {
    neighbours: BTreeMap<Peer, Neighbour>,
    numbers: HashMap<(Place, Address), Peer>,
    numbered: u64,
    /// Those that had no room for us.
    full: BTreeSet<(Place, Address)>,
}

impl Neighbours {
    /// Takes a neighbour; its number. `None`: it is one already.
    pub(super) fn take(&mut self, place: Place, who: Address, outgoing: bool) -> Option<Peer> {
        if self.numbers.contains_key(&(place, who)) {
            return None;
        }
        self.numbered += 1;
        let peer = Peer(self.numbered);
        self.neighbours.insert(peer, Neighbour { place, who, outgoing });
        self.numbers.insert((place, who), peer);
        Some(peer)
    }

    /// Somebody has no room, or gave us up: no neighbour any more, and if we looked for it, not looked for again. Its number, and
    /// whether we looked for it. `None`: it is no neighbour.
    pub(super) fn refused(&mut self, place: Place, who: Address) -> Option<(Peer, bool)> {
        let number = self.number_of(place, who)?;
        let outgoing = self.remove(number)?.outgoing;
        if outgoing {
            self.full.insert((place, who));
        }
        Some((number, outgoing))
    }

    /// Gives up so many of other processes that it looked for, one after the other of the place that has the most.
    pub(super) fn give_up(&mut self, count: usize, rng: &mut impl rand::Rng) -> Vec<(Peer, Place, Address)> {
        let mut gone = Vec::new();
        while gone.len() < count {
            let have = self.by_place();
            let there = self.neighbours.iter().filter(|(_, n)| n.outgoing && n.place != Place::Here);
            let found = there.max_by_key(|(_, n)| (have[&n.place], rng.random::<u32>())).map(|(number, _)| *number);
            let Some((number, at)) = found.and_then(|number| Some((number, self.remove(number)?))) else { break };
            gone.push((number, at.place, at.who));
        }
        gone
    }

    fn remove(&mut self, number: Peer) -> Option<Neighbour> {
        let gone = self.neighbours.remove(&number)?;
        self.numbers.remove(&(gone.place, gone.who));
        Some(gone)
    }

    /// True if it may be looked for.
    pub(super) fn is_open(&self, place: Place, who: Address) -> bool {
        !self.numbers.contains_key(&(place, who)) && !self.full.contains(&(place, who))
    }

    /// Lets go of all neighbours behind a connection; their numbers.
    pub(super) fn let_go(&mut self, place: Place) -> Vec<Peer> {
        self.full.retain(|(at, _)| *at != place);
        let gone: Vec<Peer> =
            self.neighbours.iter().filter(|(_, at)| at.place == place).map(|(peer, _)| *peer).collect();
        gone.iter().for_each(|number| {
            self.remove(*number);
        });
        gone
    }

    pub(super) fn number_of(&self, place: Place, who: Address) -> Option<Peer> {
        self.numbers.get(&(place, who)).copied()
    }

    pub(super) fn get(&self, peer: Peer) -> Option<(Place, Address)> {
        self.neighbours.get(&peer).map(|neighbour| (neighbour.place, neighbour.who))
    }

    /// Neighbours at a place.
    pub(super) fn at(&self, place: Place) -> usize {
        self.neighbours.values().filter(|neighbour| neighbour.place == place).count()
    }

    /// Neighbours at each place.
    pub(super) fn by_place(&self) -> BTreeMap<Place, usize> {
        self.neighbours.values().fold(BTreeMap::new(), |mut counts, neighbour| {
            *counts.entry(neighbour.place).or_default() += 1;
            counts
        })
    }

    /// Neighbours that it looked for itself.
    pub(super) fn outgoing(&self) -> usize {
        self.neighbours.values().filter(|neighbour| neighbour.outgoing).count()
    }

    /// Neighbours at a place that came from there; those that were looked for do not count.
    pub(super) fn brought_by(&self, place: Place) -> usize {
        self.neighbours.values().filter(|neighbour| neighbour.place == place && !neighbour.outgoing).count()
    }

    pub(super) fn count(&self) -> usize {
        self.neighbours.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_come_and_go_leave_nothing_behind() {
        let mut ours = Neighbours::default();
        let there = Place::There(Peer(7));
        for n in 1..=5 {
            let who = Address::repeat_byte(n);
            let number = ours.take(there, who, n <= 2).unwrap();
            assert_eq!(ours.take(there, who, true), None, "one already");
            assert_eq!((ours.number_of(there, who), ours.get(number)), (Some(number), Some((there, who))));
        }
        let [first, last] = [1, 5].map(Address::repeat_byte);
        assert_eq!((ours.refused(there, last), ours.refused(there, last)), (Some((Peer(5), false)), None));
        assert!(ours.is_open(there, last), "it came to us, and may be looked for");
        assert_eq!(ours.refused(there, first), Some((Peer(1), true)));
        assert_eq!((ours.number_of(there, first), ours.is_open(there, first)), (None, false));
        let again = ours.take(there, first, true).unwrap();
        assert!(!ours.is_open(there, first) && again != Peer(1));
        let here = ours.take(Place::Here, Address::repeat_byte(1), true).unwrap();
        assert_eq!((ours.outgoing(), ours.count()), (3, 5));
        assert_eq!((ours.brought_by(there), ours.brought_by(Place::Here)), (2, 0));
        assert_eq!(ours.let_go(there).len(), 4);
        assert_eq!((ours.outgoing(), ours.count()), (1, 1));
        assert_eq!(ours.number_of(there, first), None);
        assert!(ours.is_open(there, first), "a new connection is asked anew");
        assert_eq!(ours.get(here), Some((Place::Here, Address::repeat_byte(1))));
    }

    #[test]
    fn the_fullest_place_gives_up_first() {
        use rand::SeedableRng;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut ours = Neighbours::default();
        for (place, n) in [(Place::There(Peer(1)), 6), (Place::There(Peer(2)), 3), (Place::Here, 8)] {
            for who in 0..n {
                ours.take(place, Address::with_last_byte(who), true);
            }
        }
        ours.take(Place::There(Peer(3)), Address::ZERO, false);
        let gone = ours.give_up(4, &mut rng);
        let of_the_first = gone.iter().filter(|(_, place, _)| *place == Place::There(Peer(1))).count();
        assert!(gone.len() == 4 && (3..=4).contains(&of_the_first), "{gone:?}");
        for (number, place, who) in gone {
            assert_eq!((ours.get(number), ours.is_open(place, who)), (None, true), "it may be found again");
        }
        assert_eq!(ours.give_up(9, &mut rng).len(), 5, "not those of our process, nor those that came");
        assert_eq!((ours.at(Place::Here), ours.count()), (8, 9));
    }
}
