//! Links between guardians of this process and those behind connections. Pure: what is to be done comes out as [`Act`]s.

use super::choose::choose;
use super::neighbours::{Neighbours, Place};
use super::wire::{Pair, Told};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use vigil_consensus::Peer;
use vigil_consensus::finality::NEIGHBOURS;
use vigil_primitives::Address;

/// Neighbours that a guardian looks for itself.
pub(super) const OUTGOING: usize = NEIGHBOURS / 2;
/// Neighbours of a guardian at most; the rest came to it.
pub(super) const LINKS_MAX: usize = 2 * NEIGHBOURS;
/// Neighbours that one peer may have brought to a guardian.
pub(super) const BROUGHT_BY_A_PEER_MAX: usize = NEIGHBOURS / 2;

/// What follows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// To be sent.
    Tell(Peer, Told),
    /// The machine of that seat has a neighbour of this number.
    Connected(usize, Peer),
    /// It has it no more.
    Disconnected(usize, Peer),
    /// A peer broke a rule.
    Blame(Peer, &'static str),
}

/// The links of one process. Seats are numbered from 0.
pub(super) struct Links {
    ids: Vec<Address>,
    seat_of: HashMap<Address, usize>,
    seats: Vec<Neighbours>,
    /// Guardians behind each connection; `None` until it has said.
    peers: BTreeMap<Peer, Option<Vec<Address>>>,
    acts: Vec<Act>,
}

impl Links {
    /// Links among the guardians `ids` of this process.
    pub(super) fn new(ids: Vec<Address>, rng: &mut impl rand::Rng) -> Self {
        let seat_of = ids.iter().enumerate().map(|(seat, id)| (*id, seat)).collect();
        let seats = ids.iter().map(|_| Neighbours::default()).collect();
        let mut links = Self { ids, seat_of, seats, peers: BTreeMap::new(), acts: Vec::new() };
        links.look_for_neighbours(rng);
        links
    }

    /// What is to be done since the last time, in order; what is said to a peer in few messages.
    pub(super) fn take_acts(&mut self) -> Vec<Act> {
        let mut acts: Vec<Act> = Vec::new();
        let mut last: HashMap<Peer, usize> = HashMap::new();
        for act in std::mem::take(&mut self.acts) {
            if let Act::Tell(peer, told) = &act {
                if let Some(Act::Tell(_, before)) = last.get(peer).map(|at| &mut acts[*at])
                    && before.join(told)
                {
                    continue;
                }
                last.insert(*peer, acts.len());
            }
            acts.push(act);
        }
        acts
    }

    /// A peer is there.
    pub(super) fn connected(&mut self, peer: Peer) {
        self.peers.insert(peer, None);
        self.acts.push(Act::Tell(peer, Told::Here(self.ids.clone())));
    }

    /// A peer is gone, and all behind it.
    pub(super) fn disconnected(&mut self, peer: Peer, rng: &mut impl rand::Rng) {
        self.peers.remove(&peer);
        for (seat, ours) in self.seats.iter_mut().enumerate() {
            let gone = ours.let_go(Place::There(peer));
            self.acts.extend(gone.into_iter().map(|number| Act::Disconnected(seat, number)));
        }
        self.look_for_neighbours(rng);
    }

    /// A peer says whom it hosts.
    pub(super) fn here(&mut self, peer: Peer, guardians: Vec<Address>, rng: &mut impl rand::Rng) {
        match self.peers.get_mut(&peer) {
            None => {}
            Some(Some(_)) => self.acts.push(Act::Blame(peer, "it said twice whom it hosts")),
            Some(hosted) => {
                let offered = guardians.len();
                *hosted = Some(guardians);
                self.make_room(peer, offered, rng);
                self.look_for_neighbours(rng);
            }
        }
    }

    /// Guardians of a peer take some of ours as neighbours.
    pub(super) fn link(&mut self, peer: Peer, pairs: &[Pair]) {
        let Some(Some(hosted)) = self.peers.get(&peer) else { return };
        let hosted: HashSet<Address> = hosted.iter().copied().collect();
        for Pair { from, to } in pairs.iter().filter(|pair| hosted.contains(&pair.from)) {
            if let Some(seat) = self.seat_of.get(to).copied()
                && !self.take(seat, Place::There(peer), *from, false)
            {
                self.tell_apart(peer, *to, *from);
            }
        }
    }

    /// Guardians of a peer have no room for ours, or gave them up. Those that looked for them look on.
    pub(super) fn apart(&mut self, peer: Peer, pairs: &[Pair], rng: &mut impl rand::Rng) {
        let mut lonely = BTreeSet::new();
        for Pair { from, to } in pairs {
            if let Some(seat) = self.seat_of.get(to).copied()
                && let Some((number, outgoing)) = self.seats[seat].refused(Place::There(peer), *from)
            {
                self.acts.push(Act::Disconnected(seat, number));
                if outgoing {
                    // Our word that it is a neighbour may have crossed theirs that it is none.
                    self.tell_apart(peer, *to, *from);
                    lonely.insert(seat);
                }
            }
        }
        let known = self.known();
        lonely.into_iter().for_each(|seat| self.look(seat, &known, rng));
    }

    /// The seat of `to`, and the number that `from` has there. `None`: they are no neighbours.
    pub(super) fn heard(&self, place: Place, from: Address, to: Address) -> Option<(usize, Peer)> {
        let seat = *self.seat_of.get(&to)?;
        Some((seat, self.seats[seat].number_of(place, from)?))
    }

    /// As [`Self::heard`] for what a peer says. Who thinks to be a neighbour and is none (a message was lost) is told.
    pub(super) fn heard_from(&mut self, peer: Peer, from: Address, to: Address) -> Option<(usize, Peer)> {
        let heard = self.heard(Place::There(peer), from, to);
        if heard.is_none() && self.seat_of.contains_key(&to) {
            self.tell_apart(peer, to, from);
        }
        heard
    }

    /// The neighbour with that number.
    pub(super) fn neighbour(&self, seat: usize, number: Peer) -> Option<(Place, Address)> {
        self.seats[seat].get(number)
    }

    /// Who is hosted where.
    fn known(&self) -> BTreeMap<Place, Vec<Address>> {
        let there = self.peers.iter().filter_map(|(peer, who)| Some((Place::There(*peer), who.clone()?)));
        there.chain([(Place::Here, self.ids.clone())]).collect()
    }

    /// Guardians gave all their places away before a peer came, as after a partition: they give some up, so that a fair
    /// share is for the newcomer.
    fn make_room(&mut self, peer: Peer, offered: usize, rng: &mut impl rand::Rng) {
        let places = 1 + self.peers.values().flatten().filter(|hosted| !hosted.is_empty()).count();
        let share = (OUTGOING / places).max(1).min(offered);
        for seat in 0..self.seats.len() {
            let ours = &mut self.seats[seat];
            let free = OUTGOING.saturating_sub(ours.outgoing()) + ours.at(Place::There(peer));
            for (number, place, who) in ours.give_up(share.saturating_sub(free), rng) {
                self.acts.push(Act::Disconnected(seat, number));
                if let Place::There(other) = place {
                    self.tell_apart(other, self.ids[seat], who);
                }
            }
        }
    }

    fn tell_apart(&mut self, peer: Peer, from: Address, to: Address) {
        self.acts.push(Act::Tell(peer, Told::Apart(vec![Pair { from, to }])));
    }

    fn look_for_neighbours(&mut self, rng: &mut impl rand::Rng) {
        let known = self.known();
        (0..self.seats.len()).for_each(|seat| self.look(seat, &known, rng));
    }

    /// A machine looks for neighbours until it has found enough itself.
    fn look(&mut self, seat: usize, known: &BTreeMap<Place, Vec<Address>>, rng: &mut impl rand::Rng) {
        let (id, ours) = (self.ids[seat], &self.seats[seat]);
        let wanted = OUTGOING.saturating_sub(ours.outgoing());
        if wanted == 0 {
            return;
        }
        let open = known.iter().map(|(place, who)| {
            let is_open = |who: &&Address| **who != id && ours.is_open(*place, **who);
            (*place, who.iter().filter(is_open).copied().collect())
        });
        for (place, who) in choose(open.collect(), wanted, ours.by_place(), rng) {
            match place {
                Place::There(peer) if self.take(seat, place, who, true) => {
                    self.acts.push(Act::Tell(peer, Told::Link(vec![Pair { from: id, to: who }])));
                }
                Place::Here if self.take(self.seat_of[&who], place, id, false) => {
                    self.take(seat, place, who, true);
                }
                _ => {}
            }
        }
    }

    /// Makes somebody a neighbour, if it is none yet. False: there is no room.
    fn take(&mut self, seat: usize, place: Place, who: Address, outgoing: bool) -> bool {
        let ours = &mut self.seats[seat];
        if ours.number_of(place, who).is_some() {
            return true;
        }
        let is_share = place == Place::Here || ours.brought_by(place) < BROUGHT_BY_A_PEER_MAX;
        let has_room = is_share && ours.count() < LINKS_MAX;
        if !outgoing && !has_room {
            return false;
        }
        let number = ours.take(place, who, outgoing).expect("it is no neighbour");
        self.acts.push(Act::Connected(seat, number));
        true
    }
}

#[cfg(test)]
mod tests;
