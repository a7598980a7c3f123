//! Links between guardians of this process and those behind connections. Pure: what is to be done comes out as [`Act`]s.

use super::choose::choose;
use super::neighbours::{Neighbours, Place};
use super::wire::Told;
use rand::seq::IteratorRandom;
use std::collections::{BTreeMap, HashMap};
use vigil_consensus::Peer;
use vigil_consensus::finality::NEIGHBOURS;
use vigil_primitives::Address;

/// Neighbours that a guardian looks for itself.
pub(super) const OUTGOING: usize = NEIGHBOURS;
/// Neighbours of a guardian beyond which nobody else may come to it. On the average as many come as it looks for; with no more
/// room than that most would be refused by somebody.
pub(super) const LINKS_MAX: usize = 3 * NEIGHBOURS;
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

    /// What is to be done since the last time, in order.
    pub(super) fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
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
                *hosted = Some(guardians);
                self.look_for_neighbours(rng);
                (0..self.seats.len()).for_each(|seat| self.reach(seat, peer, rng));
            }
        }
    }

    /// A peer's guardian `from` takes our `to` as a neighbour.
    pub(super) fn link(&mut self, peer: Peer, from: Address, to: Address) {
        let (hosted, place) = (self.peers.get(&peer).and_then(Option::as_ref), Place::There(peer));
        let is_there = hosted.is_some_and(|hosted| hosted.contains(&from));
        if is_there
            && let Some(seat) = self.seat_of.get(&to).copied()
            && !self.take(seat, place, from, false)
        {
            self.acts.push(Act::Tell(peer, Told::Part { from: to, to: from }));
        }
    }

    /// A peer's guardian `from` and our `to` are no neighbours. If `to` looked for it, it looks on.
    pub(super) fn part(&mut self, peer: Peer, from: Address, to: Address, rng: &mut impl rand::Rng) {
        if let Some(seat) = self.seat_of.get(&to).copied()
            && let Some((number, outgoing)) = self.seats[seat].part(Place::There(peer), from)
        {
            self.acts.push(Act::Disconnected(seat, number));
            if outgoing {
                self.look(seat, &self.known(), rng);
            }
        }
    }

    /// Votes of a peer's guardian `from` for our `to`: as [`Links::heard`]. Who is no neighbour is told so: a message that was
    /// lost may have made it believe otherwise.
    pub(super) fn votes(&mut self, peer: Peer, from: Address, to: Address) -> Option<(usize, Peer)> {
        let heard = self.heard(Place::There(peer), from, to);
        if heard.is_none() && self.seat_of.contains_key(&to) {
            self.acts.push(Act::Tell(peer, Told::Part { from: to, to: from }));
        }
        heard
    }

    /// The seat of `to`, and the number that `from` has there. `None`: they are no neighbours.
    pub(super) fn heard(&self, place: Place, from: Address, to: Address) -> Option<(usize, Peer)> {
        let seat = *self.seat_of.get(&to)?;
        Some((seat, self.seats[seat].number_of(place, from)?))
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
        for (place, who) in choose(&open.collect(), wanted, ours.at(Place::Here), rng) {
            match place {
                Place::There(peer) if self.take(seat, place, who, true) => {
                    self.acts.push(Act::Tell(peer, Told::Link { from: id, to: who }));
                }
                Place::Here if self.take(self.seat_of[&who], place, id, false) => {
                    self.take(seat, place, who, true);
                }
                _ => {}
            }
        }
    }

    /// A host that comes finds a neighbour for each of ours, or else two halves of a network that were parted would stay so: with
    /// enough neighbours already, one of the host that has the most makes room.
    fn reach(&mut self, seat: usize, peer: Peer, rng: &mut impl rand::Rng) {
        let (place, id) = (Place::There(peer), self.ids[seat]);
        let ours = &self.seats[seat];
        let hosted = self.peers.get(&peer).and_then(Option::as_ref);
        let open = hosted.into_iter().flatten().filter(|who| ours.is_open(place, **who));
        if ours.at(place) > 0 {
            return;
        }
        if let (Some(who), Some(spare)) = (open.copied().choose(rng), ours.spare())
            && let (Place::There(other), gone) = spare
            && let Some((number, _)) = self.seats[seat].part(spare.0, gone)
        {
            self.acts.push(Act::Tell(other, Told::Part { from: id, to: gone }));
            self.acts.push(Act::Disconnected(seat, number));
            self.take(seat, place, who, true);
            self.acts.push(Act::Tell(peer, Told::Link { from: id, to: who }));
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
