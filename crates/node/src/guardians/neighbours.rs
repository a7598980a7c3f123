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

    /// Somebody is no neighbour any more; its number, and whether we looked for it. Whom we looked for is not looked for again.
    pub(super) fn part(&mut self, place: Place, who: Address) -> Option<(Peer, bool)> {
        let number = self.numbers.remove(&(place, who))?;
        let outgoing = self.neighbours.remove(&number)?.outgoing;
        if outgoing {
            self.full.insert((place, who));
        }
        Some((number, outgoing))
    }

    /// Of those behind connections that we looked for, one of the place that has the most; `None`: none has two.
    pub(super) fn spare(&self) -> Option<(Place, Address)> {
        let mut most: BTreeMap<Place, (usize, Address)> = BTreeMap::new();
        for neighbour in self.neighbours.values().filter(|n| n.outgoing && n.place != Place::Here) {
            let (count, who) = most.entry(neighbour.place).or_default();
            (*count, *who) = (*count + 1, neighbour.who);
        }
        let (place, (count, who)) = most.into_iter().max_by_key(|(_, (count, _))| *count)?;
        (count > 1).then_some((place, who))
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
        for peer in &gone {
            if let Some(Neighbour { place, who, .. }) = self.neighbours.remove(peer) {
                self.numbers.remove(&(place, who));
            }
        }
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
        assert_eq!(ours.spare(), Some((there, Address::repeat_byte(2))), "the last of two");
        assert_eq!(ours.part(there, first), Some((Peer(1), true)));
        assert_eq!((ours.part(there, first), ours.spare()), (None, None));
        assert_eq!(ours.part(there, last), Some((Peer(5), false)));
        assert!(ours.is_open(there, last), "it came by itself, and may be looked for");
        ours.take(there, last, false).unwrap();
        assert_eq!((ours.number_of(there, first), ours.is_open(there, first)), (None, false));
        let again = ours.take(there, first, true).unwrap();
        assert!(!ours.is_open(there, last) && again != Peer(1));
        let here = ours.take(Place::Here, Address::repeat_byte(1), true).unwrap();
        assert_eq!((ours.outgoing(), ours.count()), (3, 6));
        assert_eq!((ours.brought_by(there), ours.brought_by(Place::Here)), (3, 0));
        assert_eq!(ours.let_go(there).len(), 5);
        assert_eq!((ours.outgoing(), ours.count()), (1, 1));
        assert_eq!(ours.number_of(there, first), None);
        assert!(ours.is_open(there, first), "a new connection is asked anew");
        assert_eq!(ours.get(here), Some((Place::Here, Address::repeat_byte(1))));
    }
}
