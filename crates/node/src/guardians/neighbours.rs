//! The neighbours of one machine, numbered, and how many there may be.

use std::collections::{BTreeMap, HashMap, HashSet};
use vigil_consensus::Peer;
use vigil_consensus::finality::NEIGHBOURS;
use vigil_primitives::Address;

/// Neighbours that a guardian looks for itself.
pub(super) const OUTGOING: usize = NEIGHBOURS / 2;
/// Proven neighbours of a guardian beyond which none may come.
pub(super) const LINKS_MAX: usize = 2 * NEIGHBOURS;
/// Proven neighbours that one peer may have brought to a guardian.
pub(super) const BROUGHT_BY_A_PEER_MAX: usize = NEIGHBOURS / 2;
/// Unproven neighbours that may come to a guardian, and as many that it looks for: one of each connection. They have
/// places of their own, as anybody can make up more of them than there are places.
pub(super) const UNPROVEN_MAX: usize = NEIGHBOURS / 4;

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
    /// Its host has its key.
    proven: bool,
    /// It was one when the last checkpoint settled.
    old: bool,
}

/// Whom a machine talks to. It knows them by numbers, which are given once.
#[derive(Default)]
pub(super) struct Neighbours {
    neighbours: BTreeMap<Peer, Neighbour>,
    numbers: HashMap<(Place, Address), Peer>,
    numbered: u64,
    /// Not looked for until a checkpoint settles: those that had no room for us, and those that were given up, as whoever
    /// links again and again is refused.
    closed: HashSet<(Place, Address)>,
    /// Neighbours that came from each connection since a checkpoint settled.
    arrived: HashMap<Place, usize>,
    /// So many may be given up until a checkpoint settles, and so many old ones. `None`: no checkpoint has settled yet, and
    /// places are still being divided.
    spare: Option<(usize, usize)>,
}

impl Neighbours {
    /// A checkpoint is settled: limits begin anew, and who was closed may be looked for.
    pub(super) fn begin_anew(&mut self) {
        self.closed.clear();
        self.arrived.clear();
        self.neighbours.values_mut().for_each(|neighbour| neighbour.old = true);
        self.spare = Some((OUTGOING / 2, self.outgoing() / 2));
    }

    /// Takes a neighbour; its number. `None`: it is one already.
    pub(super) fn take(&mut self, place: Place, who: Address, outgoing: bool, proven: bool) -> Option<Peer> {
        if self.numbers.contains_key(&(place, who)) {
            return None;
        }
        self.numbered += 1;
        let peer = Peer(self.numbered);
        self.neighbours.insert(peer, Neighbour { place, who, outgoing, proven, old: false });
        self.numbers.insert((place, who), peer);
        if !outgoing {
            *self.arrived.entry(place).or_default() += 1;
        }
        Some(peer)
    }

    /// True if somebody who comes may be taken.
    pub(super) fn has_room(&self, place: Place, proven: bool) -> bool {
        let came = |n: &Neighbour| !n.outgoing && n.proven == proven;
        if proven {
            let is_share = place == Place::Here || self.having(|n| came(n) && n.place == place) < BROUGHT_BY_A_PEER_MAX;
            return is_share && self.having(|n| n.proven) < LINKS_MAX;
        }
        self.having(|n| !n.proven && n.place == place) == 0 && self.having(came) < UNPROVEN_MAX
    }

    /// Neighbours that came from a place since a checkpoint settled; who went and came again counts twice.
    pub(super) fn arrived(&self, place: Place) -> usize {
        self.arrived.get(&place).copied().unwrap_or(0)
    }

    /// Somebody has no room, or gave us up: no neighbour any more, and if we looked for it, closed. Its number, and whether
    /// we looked for it. `None`: it is no neighbour.
    pub(super) fn refused(&mut self, place: Place, who: Address) -> Option<(Peer, bool)> {
        let number = self.number_of(place, who)?;
        let outgoing = self.remove(number)?.outgoing;
        if outgoing {
            self.closed.insert((place, who));
        }
        Some((number, outgoing))
    }

    /// Gives up so many of other processes that it looked for, one after the other of the place that has the most. Until
    /// a checkpoint settles it gives up a few at most, and half of those that it had at the last stay, whoever comes.
    pub(super) fn give_up(&mut self, count: usize, rng: &mut impl rand::Rng) -> Vec<(Peer, Place, Address)> {
        let mut gone = Vec::new();
        while gone.len() < count {
            let (have, (any, old)) = (self.by_place(true), self.spare.unwrap_or((usize::MAX, 0)));
            let may_go = |n: &Neighbour| if n.old { any.min(old) > 0 } else { any > 0 };
            let there = self.neighbours.iter().filter(|(_, n)| n.outgoing && n.proven && n.place != Place::Here);
            let there = there.filter(|(_, n)| may_go(n));
            let found = there.max_by_key(|(_, n)| (have[&n.place], rng.random::<u32>())).map(|(number, _)| *number);
            let Some((number, at)) = found.and_then(|number| Some((number, self.remove(number)?))) else { break };
            self.spare = self.spare.map(|(any, old)| (any - 1, old - usize::from(at.old)));
            self.closed.insert((at.place, at.who));
            gone.push((number, at.place, at.who));
        }
        gone
    }

    /// Lets go of those behind a connection who are not there any more, or who were proven and are not now; who is proven
    /// now is taken for that. `proven`: what somebody there is, `None` if it is not there.
    pub(super) fn revise(&mut self, place: Place, proven: impl Fn(&Address) -> Option<bool>) -> Vec<(Peer, Address)> {
        let mut gone = Vec::new();
        for (number, at) in self.neighbours.iter_mut().filter(|(_, at)| at.place == place) {
            match proven(&at.who) {
                Some(proven) if proven >= at.proven => at.proven = proven,
                _ => gone.push((*number, at.who)),
            }
        }
        gone.iter().for_each(|(number, _)| {
            self.remove(*number);
        });
        gone
    }

    fn remove(&mut self, number: Peer) -> Option<Neighbour> {
        let gone = self.neighbours.remove(&number)?;
        self.numbers.remove(&(gone.place, gone.who));
        Some(gone)
    }

    /// True if it may be looked for.
    pub(super) fn is_open(&self, place: Place, who: Address) -> bool {
        !self.numbers.contains_key(&(place, who)) && !self.closed.contains(&(place, who))
    }

    /// Lets go of all neighbours behind a connection, and of what is known of it; their numbers.
    pub(super) fn let_go(&mut self, place: Place) -> Vec<Peer> {
        self.closed.retain(|(at, _)| *at != place);
        self.arrived.remove(&place);
        self.revise(place, |_| None).into_iter().map(|(number, _)| number).collect()
    }

    pub(super) fn number_of(&self, place: Place, who: Address) -> Option<Peer> {
        self.numbers.get(&(place, who)).copied()
    }

    pub(super) fn get(&self, peer: Peer) -> Option<(Place, Address)> {
        self.neighbours.get(&peer).map(|neighbour| (neighbour.place, neighbour.who))
    }

    /// Neighbours at a place.
    pub(super) fn at(&self, place: Place) -> usize {
        self.having(|neighbour| neighbour.place == place)
    }

    /// Neighbours at each place that are proven, or are not.
    pub(super) fn by_place(&self, proven: bool) -> BTreeMap<Place, usize> {
        let those = self.neighbours.values().filter(|neighbour| neighbour.proven == proven);
        those.fold(BTreeMap::new(), |mut counts, neighbour| {
            *counts.entry(neighbour.place).or_default() += 1;
            counts
        })
    }

    /// Neighbours that it looked for itself, proven ones.
    pub(super) fn outgoing(&self) -> usize {
        self.having(|neighbour| neighbour.outgoing && neighbour.proven)
    }

    /// As [`Self::outgoing`], unproven ones.
    pub(super) fn outgoing_unproven(&self) -> usize {
        self.having(|neighbour| neighbour.outgoing && !neighbour.proven)
    }

    fn having(&self, what: impl Fn(&Neighbour) -> bool) -> usize {
        self.neighbours.values().filter(|neighbour| what(neighbour)).count()
    }

    #[cfg(test)]
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
            let number = ours.take(there, who, n <= 2, true).unwrap();
            assert_eq!(ours.take(there, who, true, true), None, "one already");
            assert_eq!((ours.number_of(there, who), ours.get(number)), (Some(number), Some((there, who))));
        }
        let [first, last] = [1, 5].map(Address::repeat_byte);
        assert_eq!((ours.refused(there, last), ours.refused(there, last)), (Some((Peer(5), false)), None));
        assert!(ours.is_open(there, last), "it came to us, and may be looked for");
        assert_eq!(ours.refused(there, first), Some((Peer(1), true)));
        assert_eq!((ours.number_of(there, first), ours.is_open(there, first)), (None, false));
        let again = ours.take(there, first, true, true).unwrap();
        assert!(!ours.is_open(there, first) && again != Peer(1));
        let here = ours.take(Place::Here, Address::repeat_byte(1), true, true).unwrap();
        assert_eq!((ours.outgoing(), ours.count()), (3, 5));
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
                ours.take(place, Address::with_last_byte(who), true, true);
            }
        }
        ours.take(Place::There(Peer(3)), Address::ZERO, false, true);
        ours.take(Place::There(Peer(3)), Address::with_last_byte(1), true, false);
        ours.begin_anew();
        let gone = ours.give_up(4, &mut rng);
        let of_the_first = gone.iter().filter(|(_, place, _)| *place == Place::There(Peer(1))).count();
        assert!(gone.len() == 4 && (3..=4).contains(&of_the_first), "{gone:?}");
        for (number, place, who) in gone {
            assert_eq!((ours.get(number), ours.is_open(place, who)), (None, false), "not found again at once");
        }
        assert_eq!((ours.give_up(9, &mut rng).len(), ours.give_up(1, &mut rng).len()), (1, 0), "until a checkpoint");
        ours.begin_anew();
        assert_eq!(ours.give_up(9, &mut rng).len(), 4, "not those of our process, unproven ones, nor those that came");
        assert_eq!((ours.at(Place::Here), ours.count()), (8, 10));
    }

    #[test]
    fn of_few_old_ones_half_stay() {
        use rand::SeedableRng;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let mut ours = Neighbours::default();
        let take = |ours: &mut Neighbours, peer: u64, n: u8| {
            for who in 0..n {
                ours.take(Place::There(Peer(peer)), Address::with_last_byte(who), true, true);
            }
        };
        take(&mut ours, 1, 4);
        ours.begin_anew();
        take(&mut ours, 2, 2);
        assert_eq!((ours.give_up(9, &mut rng).len(), ours.at(Place::There(Peer(1)))), (4, 2));
        take(&mut ours, 3, 2);
        assert_eq!(
            (ours.give_up(9, &mut rng).len(), ours.at(Place::There(Peer(1)))),
            (1, 2),
            "no more than five of any age"
        );
    }
}
