//! Messages of validators and of guardians: one stream each, acknowledged by an empty answer.

use super::Task;
use crate::behaviour::Behaviour;
use crate::codec::Frame;
use crate::limits::{CONSENSUS_BYTES_MAX, GUARDIAN_BYTES_MAX};
use crate::queue::Channel;
use crate::{NetEvent, Peer, points};
use libp2p::PeerId;
use libp2p::request_response::{Event, Message, OutboundFailure, OutboundRequestId};
use std::time::Instant;
use vigil_primitives::Bytes;

impl Task {
    pub(super) fn send_consensus(&mut self, peer: Peer, bytes: Bytes) {
        if let Some((id, _)) = self.link(peer) {
            self.enqueue(id, Channel::of(&bytes), bytes);
        }
    }

    pub(super) fn send_guardian(&mut self, peer: Peer, bytes: Bytes) {
        if let Some((id, _)) = self.link(peer) {
            self.enqueue(id, Channel::Guardian, bytes);
        }
    }

    /// To every validator of the set, and to a few others who follow.
    pub(super) fn broadcast_consensus(&mut self, bytes: &Bytes) {
        let greeted = self.links.iter().filter(|(_, link)| link.greeting.is_some());
        let (validators, mut others): (Vec<_>, Vec<_>) =
            greeted.map(|(id, link)| (*id, link.peer)).partition(|(id, _)| self.is_validator(id));
        others.sort_by_key(|(_, peer)| *peer);
        others.truncate(self.config.followers_max);
        for (id, _) in validators.into_iter().chain(others) {
            self.enqueue(id, Channel::of(bytes), bytes.clone());
        }
    }

    pub(super) fn told(&mut self, event: Event<Frame, Frame>, kind: Channel, now: Instant) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.received(peer, request, kind, now);
                let answer = Frame::Message(Bytes::new());
                let behaviour = self.swarm.behaviour_mut();
                let _ = match kind {
                    Channel::Small => behaviour.consensus.send_response(channel, answer),
                    Channel::Bulk => behaviour.bulk.send_response(channel, answer),
                    Channel::Guardian => behaviour.guardian.send_response(channel, answer),
                };
            }
            Event::Message { peer, message: Message::Response { request_id, .. }, .. } => {
                self.sent(peer, kind, request_id);
            }
            // A QUIC connection that closes breaks its streams first.
            Event::OutboundFailure {
                peer,
                error: OutboundFailure::ConnectionClosed | OutboundFailure::Io(_),
                request_id,
                ..
            } => self.lost(peer, kind, request_id),
            Event::OutboundFailure { peer, error, request_id, .. } => {
                tracing::debug!(%peer, %error, ?kind, "message not delivered");
                self.sent(peer, kind, request_id);
            }
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    /// Sends what waits because it would have come too fast.
    pub(super) fn send_all_waiting(&mut self, now: Instant) {
        let waiting: Vec<_> =
            self.links.iter().filter(|(_, link)| link.outbox.has_waiting()).map(|(id, _)| *id).collect();
        waiting.into_iter().for_each(|id| self.send_waiting(id, now));
    }

    /// Sends what waits for a peer as far as its streams and its limits allow.
    pub(super) fn send_waiting(&mut self, id: PeerId, now: Instant) {
        let validator = self.proof.as_ref().is_some_and(|proof| self.overlay.is_member(&proof.address));
        let Some(link) = self.links.get_mut(&id) else { return };
        let (behaviour, own) = (self.swarm.behaviour_mut(), &mut link.own);
        while let Some((channel, bytes)) = link.outbox.next(|channel| own.of(channel, validator).take(1, now)) {
            let request = send(behaviour, &id, channel, &bytes);
            link.under_way.insert((channel, request), (bytes, false));
        }
    }

    pub(super) fn is_validator(&self, id: &PeerId) -> bool {
        let proven = self.links.get(id).and_then(|link| link.validator());
        proven.is_some_and(|address| self.overlay.is_member(address))
    }

    fn enqueue(&mut self, id: PeerId, channel: Channel, bytes: Bytes) {
        let max = if channel == Channel::Guardian { GUARDIAN_BYTES_MAX } else { CONSENSUS_BYTES_MAX };
        if bytes.len() > max {
            tracing::error!(?channel, bytes = bytes.len(), max, "a message is too long to be sent");
            return;
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        if !link.outbox.push(channel, bytes) {
            let queue = if channel == Channel::Guardian { "guardian" } else { "consensus" };
            metrics::counter!("vigil_net_dropped_total", "queue" => queue).increment(1);
        }
        self.send_waiting(id, Instant::now());
    }

    fn sent(&mut self, id: PeerId, channel: Channel, request: OutboundRequestId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.under_way.remove(&(channel, request));
            link.outbox.done(channel);
            self.send_waiting(id, Instant::now());
        }
    }

    /// Two peers that dial each other at once, or by two transports, keep one of the connections: what went over the other
    /// one goes again, once. It may come twice.
    fn lost(&mut self, id: PeerId, channel: Channel, request: OutboundRequestId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        match link.under_way.remove(&(channel, request)) {
            Some((bytes, false)) => {
                let request = send(self.swarm.behaviour_mut(), &id, channel, &bytes);
                link.under_way.insert((channel, request), (bytes, true));
            }
            _ => self.sent(id, channel, request),
        }
    }

    fn received(&mut self, id: PeerId, frame: Frame, channel: Channel, now: Instant) {
        let validator = self.is_validator(&id);
        let Some(link) = self.links.get_mut(&id) else { return };
        let name = if channel == Channel::Guardian { "guardian" } else { "consensus" };
        let bytes = match frame {
            Frame::Message(bytes) => bytes,
            Frame::Oversize(bytes) => {
                return self.penalize(id, points::MALFORMED, &format!("a {name} message of {bytes} bytes"));
            }
        };
        if !link.buckets.of(channel, validator).take(1, now) {
            metrics::counter!("vigil_net_flood_total", "channel" => name).increment(1);
            return self.penalize(id, points::FLOOD, &format!("too many {name} messages"));
        }
        if link.greeting.is_some() {
            let peer = link.peer;
            self.tell(match channel {
                Channel::Guardian => NetEvent::Guardian { peer, bytes },
                Channel::Small | Channel::Bulk => NetEvent::Consensus { peer, validator, bytes },
            });
        }
    }
}

fn send(behaviour: &mut Behaviour, to: &PeerId, channel: Channel, bytes: &Bytes) -> OutboundRequestId {
    let streams = match channel {
        Channel::Small => &mut behaviour.consensus,
        Channel::Bulk => &mut behaviour.bulk,
        Channel::Guardian => &mut behaviour.guardian,
    };
    streams.send_request(to, Frame::Message(bytes.clone()))
}
