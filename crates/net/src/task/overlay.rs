//! Address records: how validators find each other and keep a full mesh (`spec/consensus.md` §5.4 REC).
//!
//! Everybody keeps the newest record of each member of the sets that count, tells it to whoever connects, and forwards
//! news to all. A member signs a record of its own at the start, when its addresses change and every ten minutes, and
//! dials the members it has no connection with. What a lying member can do with that is bounded: a record names at most
//! four IP addresses; each node dials a member once at a time, with a wait that doubles and that new records do not
//! reset; addresses nearer than we reach ourselves (private ones, from a public node) are not dialled.

use super::connections::is_dialable;
use super::{Task, unix_seconds};
use crate::address::{self, Reach, Source};
use crate::bans::UnixSeconds;
use crate::codec::Frame;
use crate::overlay::{Outcome, REPEAT_AFTER, UPDATE_SECONDS_MIN};
use crate::record::{ADDRESSES_MAX, AddressRecord, Place, RECORDS_MAX, decode_records, encode_records};
use crate::{PeerAuth, WireError, points};
use libp2p::request_response::{Event, Message};
use libp2p::{Multiaddr, PeerId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Instant;
use vigil_primitives::{Address, Bytes, SignDomain};

/// Peers at different addresses that must see us at the same address before we believe it.
const WITNESSES_MIN: usize = 2;

impl Task {
    /// Who validates now and next.
    pub(super) fn set_validators(&mut self, validators: Vec<Address>, now: Instant) {
        let (auth, chain) = (&self.auth, &self.chain);
        self.overlay.set_members(validators, unix_seconds(), |record| is_genuine(auth.as_ref(), chain, record));
        self.records_changed(now);
    }

    pub(super) fn records_event(&mut self, event: Event<Frame, Frame>, now: Instant) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.records_received(peer, &request, now);
                let answer = Frame::Message(Bytes::new());
                let _ = self.swarm.behaviour_mut().addresses.send_response(channel, answer);
            }
            Event::Message { peer, message: Message::Response { .. }, .. } | Event::OutboundFailure { peer, .. } => {
                if let Some(link) = self.links.get_mut(&peer) {
                    link.telling_records = false;
                }
            }
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    /// Says where we are if we validate and it is not known, and sends each peer what it is yet to be told.
    pub(super) fn spread_records(&mut self, now: Instant) {
        if let Some(validator) = self.proof.as_ref().map(|proof| proof.address).filter(|me| self.overlay.is_member(me))
        {
            self.renew_own_record(validator, now);
        }
        let ready = self.links.iter().filter(|(_, link)| !link.telling_records && !link.untold.is_empty());
        for id in ready.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.tell_records(id);
        }
    }

    fn tell_records(&mut self, id: PeerId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let rest = link.untold.iter().nth(RECORDS_MAX).copied();
        let rest = rest.map(|first| link.untold.split_off(&first)).unwrap_or_default();
        let now_told = std::mem::replace(&mut link.untold, rest);
        let records: Vec<_> = now_told.iter().filter_map(|validator| self.overlay.get(validator)).collect();
        if !records.is_empty() {
            link.telling_records = true;
            let frame = Frame::Message(encode_records(records.into_iter()));
            self.swarm.behaviour_mut().addresses.send_request(&id, frame);
        }
    }

    /// Signs a new record if the last one is old or says something else.
    fn renew_own_record(&mut self, validator: Address, now: Instant) {
        let (peer, unix) = (*self.swarm.local_peer_id(), unix_seconds());
        let addresses = self.own_addresses();
        let held = self.overlay.get(&validator).map(|record| &record.place);
        let same = held.is_some_and(|place| place.peer == peer && place.addresses == addresses);
        let next = held.map_or(0, |place| place.time + if same { REPEAT_AFTER } else { UPDATE_SECONDS_MIN });
        if addresses.is_empty() || unix < next {
            return;
        }
        let place = Place { validator, peer, addresses, time: unix };
        let Some((_, signature)) = self.auth.prove(&place.digest(&self.chain)) else { return };
        tracing::debug!(addresses = ?place.addresses, "our address record");
        self.take_record(AddressRecord { place, signature }, None, unix);
        self.records_changed(now);
    }

    /// Where we can be reached from the farthest.
    fn own_addresses(&self) -> Vec<Multiaddr> {
        if !self.config.advertise.is_empty() {
            return self.config.advertise.iter().take(ADDRESSES_MAX).cloned().collect();
        }
        let bound = self.swarm.listeners().filter(|address| address::is_plain(address));
        let mut bound: Vec<_> = bound.filter_map(|address| Some((Reach::of(address)?, address.clone()))).collect();
        let widest = bound.iter().map(|(reach, _)| *reach).max();
        bound.retain(|(reach, _)| Some(*reach) == widest);
        let mut addresses: Vec<_> = bound.into_iter().map(|(_, address)| address).collect();
        if widest == Some(Reach::Private)
            && let Some(seen) = self.seen_at()
        {
            let outside = addresses.iter().map(|address| address::with_ip(address, seen)).collect::<BTreeSet<_>>();
            addresses.splice(..0, outside);
        }
        addresses.truncate(ADDRESSES_MAX);
        addresses
    }

    /// The public address that most peers see us at, if some at different addresses agree.
    pub(super) fn seen_at(&self) -> Option<IpAddr> {
        let links = self.links.values().filter(|link| link.greeting.is_some());
        let seen = links.filter_map(|link| Some((link.sees_us_at?, Source::of(&link.address)?)));
        let mut witnesses: BTreeMap<IpAddr, BTreeSet<Source>> = BTreeMap::new();
        for (ip, witness) in seen.filter(|(ip, _)| Reach::of(&(*ip).into()) == Some(Reach::Global)) {
            witnesses.entry(ip).or_default().insert(witness);
        }
        let (ip, most) = witnesses.into_iter().max_by_key(|(_, witnesses)| witnesses.len())?;
        (most.len() >= WITNESSES_MIN).then_some(ip)
    }

    pub(super) fn records_received(&mut self, id: PeerId, frame: &Frame, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if !link.buckets.addresses.take(1, now) {
            metrics::counter!("vigil_net_flood_total", "channel" => "addresses").increment(1);
            return self.penalize(id, points::FLOOD, "too many address records");
        }
        let greeted = link.greeting.is_some();
        let records = match frame {
            Frame::Message(bytes) => decode_records(bytes),
            Frame::Oversize(bytes) => Err(too_long(*bytes)),
        };
        match records {
            Err(error) => self.penalize(id, points::MALFORMED, &error.to_string()),
            Ok(records) if greeted => self.judge_records(id, records, now),
            Ok(_) => {}
        }
    }

    fn judge_records(&mut self, id: PeerId, records: Vec<AddressRecord>, now: Instant) {
        let unix = unix_seconds();
        let outcomes: Vec<_> = records.into_iter().map(|record| self.take_record(record, Some(id), unix)).collect();
        let some = |outcome| outcomes.contains(&outcome);
        if some(Outcome::Taken) {
            self.records_changed(now);
        }
        if some(Outcome::Forged) {
            self.penalize(id, points::INVALID, "it passed on an address record that its validator did not sign");
        } else if some(Outcome::Late) {
            // Not much: it may be our clock that is wrong.
            self.penalize(id, points::FLOOD, "it passed on an address record that is too old");
        } else if some(Outcome::NotMember) && self.knows_no_more_than_we(id) {
            self.penalize(id, points::FLOOD, "it passed on an address record of nobody who validates");
        }
    }

    /// True if a peer cannot know a newer validator set than we do.
    fn knows_no_more_than_we(&self, id: PeerId) -> bool {
        let theirs = self.links.get(&id).map(|link| link.head.height);
        self.overlay.has_members() && theirs.is_some_and(|height| height <= self.head.height)
    }

    /// Keeps a record if it is news, to be told to all but the peer it came `from`.
    pub(super) fn take_record(&mut self, record: AddressRecord, from: Option<PeerId>, unix: UnixSeconds) -> Outcome {
        let (auth, chain) = (&self.auth, &self.chain);
        let validator = record.place.validator;
        let outcome = self.overlay.offer(record, unix, |record| is_genuine(auth.as_ref(), chain, record));
        if outcome == Outcome::Taken {
            for (id, link) in &mut self.links {
                if link.outbox.is_open() && from != Some(*id) {
                    link.untold.insert(validator);
                }
            }
        }
        outcome
    }

    /// The members or what they say has changed: whom to dial, and whom to let in.
    fn records_changed(&mut self, now: Instant) {
        let me = self.proof.as_ref().map(|proof| proof.address);
        if me.is_some_and(|me| self.overlay.is_member(&me)) {
            let reach = self.reach();
            let places = self.overlay.records().map(|record| &record.place);
            let usable = places.map(|place| {
                let addresses = place.addresses.iter().filter(|address| is_dialable(address, reach));
                (place.peer, addresses.cloned().collect())
            });
            self.book.set_validators(usable, now);
        } else {
            self.book.set_validators(std::iter::empty(), now);
        }
        self.trust_gate();
    }
}

fn is_genuine(auth: &dyn PeerAuth, chain: &SignDomain, record: &AddressRecord) -> bool {
    auth.verify(&record.place.validator, &record.place.digest(chain), &record.signature)
}

fn too_long(bytes: u32) -> WireError {
    let max = crate::record::RECORDS_BYTES_MAX as u64;
    WireError::Limit { what: "bytes of address records", got: bytes.into(), max }
}
