//! Links between guardians of this process and those behind connections. Pure: what is to be done comes out as [`Act`]s.
//!
//! Anybody can connect and name guardians. Those of whom a host has proven to have their keys (`proofs.rs`) get places among
//! themselves; all others share a few, so that validators without guardians hear votes, too.

use super::choose::{Choice, choose};
use super::hosted::Hosted;
use super::neighbours::{BROUGHT_BY_A_PEER_MAX, Neighbours, OUTGOING, Place, UNPROVEN_MAX};
use super::wire::{Here, PAIRS_MAX, Pair, Told};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vigil_consensus::Peer;
use vigil_consensus::finality::NEIGHBOURS;
use vigil_primitives::{Address, BlsSignatureBytes};

/// Of those that a guardian looks for so many may be of its own process: the others keep processes connected.
const OWN_MAX: usize = NEIGHBOURS / 4;

/// How often a peer may fill its places at a guardian until a checkpoint settles: a neighbour that comes again is a new
/// one to the machine, which knows nothing of what it said before and greets it.
const FILLED_MAX: usize = 3;

/// Votes of a peer for who is no neighbour that are free until a checkpoint settles: so many links are said in two
/// messages, which may get lost.
const STRAYS_MAX: usize = 2 * PAIRS_MAX;

/// What follows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// To be sent.
    Tell(Peer, Told),
    /// The machine of that seat has a neighbour of this number.
    Connected(usize, Peer),
    /// It has it no more.
    Disconnected(usize, Peer),
    /// A peer does what an honest one hardly does once.
    Blame(Peer, &'static str),
}

/// The links of one process. Seats are numbered from 0.
pub(super) struct Links {
    ids: Vec<Address>,
    seat_of: HashMap<Address, usize>,
    seats: Vec<Neighbours>,
    /// Guardians of this process and behind each connection; nobody until it has said.
    hosted: BTreeMap<Place, Hosted>,
    /// How often peers brought votes for who is no neighbour since a checkpoint settled.
    strays: HashMap<Peer, usize>,
    /// What peers were told of us last.
    here: Here,
    acts: Vec<Act>,
}

impl Links {
    /// Links among the guardians `ids` of this process. Peers are told who they are, without proof.
    pub(super) fn new(ids: Vec<Address>, rng: &mut impl rand::Rng) -> Self {
        let seat_of = ids.iter().enumerate().map(|(seat, id)| (*id, seat)).collect();
        let seats = ids.iter().map(|_| Neighbours::default()).collect();
        let hosted = BTreeMap::from([(Place::Here, Hosted::new(&ids, &[]))]);
        let here = Here { members: Vec::new(), others: ids.clone(), signature: BlsSignatureBytes::ZERO };
        let mut links = Self { ids, seat_of, seats, hosted, strays: HashMap::new(), here, acts: Vec::new() };
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
        self.hosted.insert(Place::There(peer), Hosted::default());
        self.acts.push(Act::Tell(peer, Told::Here(self.here.clone())));
    }

    /// A peer is gone, and all behind it.
    pub(super) fn disconnected(&mut self, peer: Peer, rng: &mut impl rand::Rng) {
        self.hosted.remove(&Place::There(peer));
        self.strays.remove(&peer);
        for (seat, ours) in self.seats.iter_mut().enumerate() {
            let gone = ours.let_go(Place::There(peer));
            self.acts.extend(gone.into_iter().map(|number| Act::Disconnected(seat, number)));
        }
        self.look_for_neighbours(rng);
    }

    /// Peers are told whom we host, if that changed, or `again`.
    pub(super) fn introduce(&mut self, here: Here, again: bool) {
        if !again && here == self.here {
            return;
        }
        self.here = here;
        for place in self.hosted.keys() {
            if let Place::There(peer) = place {
                self.acts.push(Act::Tell(*peer, Told::Here(self.here.clone())));
            }
        }
    }

    /// Whom a peer hosts, as far as that is known now.
    pub(super) fn here(&mut self, peer: Peer, hosted: Hosted, rng: &mut impl rand::Rng) {
        let place = Place::There(peer);
        let Some(known) = self.hosted.get_mut(&place).filter(|known| **known != hosted) else { return };
        let is_new = |who: &Address| known.is_proven(who) != Some(true);
        let has_newcomers = hosted.list(true).iter().any(is_new);
        for seat in 0..self.seats.len() {
            for (number, who) in self.seats[seat].revise(place, |who| hosted.is_proven(who)) {
                self.acts.push(Act::Disconnected(seat, number));
                self.acts.push(Act::Tell(peer, Told::Apart(vec![Pair { from: self.ids[seat], to: who }])));
            }
        }
        *known = hosted;
        if has_newcomers {
            self.make_room(place, rng);
        }
        self.look_for_neighbours(rng);
    }

    /// A checkpoint is settled: what was refused is tried again.
    pub(super) fn settled(&mut self, rng: &mut impl rand::Rng) {
        self.strays.clear();
        self.seats.iter_mut().for_each(Neighbours::begin_anew);
        self.look_for_neighbours(rng);
    }

    /// Guardians of a peer take some of ours as neighbours.
    pub(super) fn link(&mut self, peer: Peer, pairs: &[Pair]) {
        let place = Place::There(peer);
        for Pair { from, to } in pairs {
            if let Some(seat) = self.seat_of.get(to).copied()
                && let Some(proven) = self.is_proven(place, from)
                && !self.come(seat, place, *from, proven)
            {
                self.tell_apart(peer, *to, *from);
                if self.has_filled(seat, place) {
                    self.acts.push(Act::Blame(peer, "its guardians come and go"));
                }
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
        lonely.into_iter().for_each(|seat| self.look(seat, rng));
    }

    /// The seat of `to`, and the number that `from` has there. `None`: they are no neighbours.
    pub(super) fn heard(&self, place: Place, from: Address, to: Address) -> Option<(usize, Peer)> {
        let seat = *self.seat_of.get(&to)?;
        Some((seat, self.seats[seat].number_of(place, from)?))
    }

    /// As [`Self::heard`] for what a peer says. Who thinks to be a neighbour and is none (a message was lost) is told.
    pub(super) fn heard_from(&mut self, peer: Peer, from: Address, to: Address) -> Option<(usize, Peer)> {
        let heard = self.heard(Place::There(peer), from, to);
        if heard.is_none() {
            self.stray(peer, from, to);
        }
        heard
    }

    /// The neighbour with that number.
    pub(super) fn neighbour(&self, seat: usize, number: Peer) -> Option<(Place, Address)> {
        self.seats[seat].get(number)
    }

    fn is_proven(&self, place: Place, who: &Address) -> Option<bool> {
        self.hosted.get(&place)?.is_proven(who)
    }

    /// Guardians gave all their places away before proven ones came, as after a partition: they give some up, so that a
    /// fair share is for the newcomers.
    fn make_room(&mut self, newcomers: Place, rng: &mut impl rand::Rng) {
        let places = self.hosted.values().filter(|hosted| !hosted.list(true).is_empty()).count();
        let share = (OUTGOING / places).max(1).min(self.hosted[&newcomers].list(true).len());
        for seat in 0..self.seats.len() {
            let ours = &mut self.seats[seat];
            let free = OUTGOING.saturating_sub(ours.outgoing()) + ours.at(newcomers);
            let gone = ours.give_up(share.saturating_sub(free), rng);
            let room = gone.len();
            for (number, place, who) in gone {
                self.acts.push(Act::Disconnected(seat, number));
                if let Place::There(other) = place {
                    self.tell_apart(other, self.ids[seat], who);
                }
            }
            self.look_among(true, |place| place == newcomers, seat, room, rng);
        }
    }

    fn stray(&mut self, peer: Peer, from: Address, to: Address) {
        if self.seat_of.contains_key(&to) {
            self.tell_apart(peer, to, from);
        }
        let strays = self.strays.entry(peer).or_default();
        *strays += 1;
        if *strays > STRAYS_MAX {
            self.acts.push(Act::Blame(peer, "votes for who is no neighbour"));
        }
    }

    fn tell_apart(&mut self, peer: Peer, from: Address, to: Address) {
        self.acts.push(Act::Tell(peer, Told::Apart(vec![Pair { from, to }])));
    }

    fn look_for_neighbours(&mut self, rng: &mut impl rand::Rng) {
        (0..self.seats.len()).for_each(|seat| self.look(seat, rng));
    }

    /// A machine looks for neighbours until it has found enough itself; where proven ones are not enough, for some others.
    fn look(&mut self, seat: usize, rng: &mut impl rand::Rng) {
        let ours = &self.seats[seat];
        let wanted = OUTGOING.saturating_sub(ours.outgoing());
        self.look_among(true, |_| true, seat, wanted, rng);
        let ours = &self.seats[seat];
        let wanted = OUTGOING.saturating_sub(ours.outgoing()).min(UNPROVEN_MAX);
        self.look_among(false, |_| true, seat, wanted.saturating_sub(ours.outgoing_unproven()), rng);
    }

    fn look_among(
        &mut self,
        proven: bool,
        at: impl Fn(Place) -> bool,
        seat: usize,
        wanted: usize,
        rng: &mut impl rand::Rng,
    ) {
        if wanted == 0 {
            return;
        }
        let (id, ours) = (self.ids[seat], &self.seats[seat]);
        let have = ours.by_place(proven);
        let most = |place: &Place| match place {
            Place::Here => OWN_MAX.saturating_sub(have.get(place).copied().unwrap_or(0)),
            Place::There(_) if proven => usize::MAX,
            Place::There(_) => usize::from(!have.contains_key(place)),
        };
        let hosted = self.hosted.iter().filter(|(place, _)| at(**place));
        let from =
            hosted.map(|(place, who)| Choice { place: *place, who: who.list(proven), most: most(place) }).collect();
        let is_open = |place, who: &Address| *who != id && ours.is_open(place, *who);
        for (place, who) in choose(from, wanted, have.clone(), is_open, rng) {
            match place {
                Place::There(peer) => {
                    self.take(seat, place, who, true, proven);
                    self.acts.push(Act::Tell(peer, Told::Link(vec![Pair { from: id, to: who }])));
                }
                Place::Here if self.come(self.seat_of[&who], place, id, true) => {
                    self.take(seat, place, who, true, true);
                }
                Place::Here => {}
            }
        }
    }

    /// Somebody comes to be a neighbour, if it is none yet. False: there is no room.
    fn come(&mut self, seat: usize, place: Place, who: Address, proven: bool) -> bool {
        let ours = &self.seats[seat];
        let has_room = || ours.has_room(place, proven) && !self.has_filled(seat, place);
        let may_stay = ours.number_of(place, who).is_some() || has_room();
        if may_stay {
            self.take(seat, place, who, false, proven);
        }
        may_stay
    }

    /// True if no more may come from a place until a checkpoint settles.
    fn has_filled(&self, seat: usize, place: Place) -> bool {
        let Some(hosted) = self.hosted.get(&place).filter(|_| place != Place::Here) else { return false };
        let share = hosted.list(true).len().min(BROUGHT_BY_A_PEER_MAX) + hosted.list(false).len().min(1);
        self.seats[seat].arrived(place) >= FILLED_MAX * share
    }

    /// Makes somebody a neighbour, if it is none yet.
    fn take(&mut self, seat: usize, place: Place, who: Address, outgoing: bool, proven: bool) {
        if let Some(number) = self.seats[seat].take(place, who, outgoing, proven) {
            self.acts.push(Act::Connected(seat, number));
        }
    }
}

#[cfg(test)]
mod tests;
