//! Consensus messages: one stream each, acknowledged by an empty answer.

use super::Task;
use crate::codec::Frame;
use crate::limits::CONSENSUS_BYTES_MAX;
use crate::queue::Size;
use crate::{NetEvent, Peer, points};
use libp2p::PeerId;
use libp2p::request_response::{Event, Message};
use std::time::Instant;
use vigil_primitives::Bytes;

impl Task {
    pub(super) fn send_consensus(&mut self, peer: Peer, bytes: Bytes) {
        if let Some((id, _)) = self.link(peer) {
            self.enqueue(id, bytes);
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
            self.enqueue(id, bytes.clone());
        }
    }

    pub(super) fn consensus_event(&mut self, event: Event<Frame, Frame>, size: Size, now: Instant) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.consensus_received(peer, request, size, now);
                let answer = Frame::Message(Bytes::new());
                let behaviour = self.swarm.behaviour_mut();
                let _ = match size {
                    Size::Small => behaviour.consensus.send_response(channel, answer),
                    Size::Bulk => behaviour.bulk.send_response(channel, answer),
                };
            }
            Event::Message { peer, message: Message::Response { .. }, .. } => self.consensus_done(peer, size),
            Event::OutboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "consensus message not delivered");
                self.consensus_done(peer, size);
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
        while let Some((size, bytes)) = link.outbox.next(|size| own.of_consensus(size, validator).take(1, now)) {
            match size {
                Size::Small => behaviour.consensus.send_request(&id, Frame::Message(bytes)),
                Size::Bulk => behaviour.bulk.send_request(&id, Frame::Message(bytes)),
            };
        }
    }

    pub(super) fn is_validator(&self, id: &PeerId) -> bool {
        let proven = self.links.get(id).and_then(|link| link.validator());
        proven.is_some_and(|address| self.overlay.is_member(address))
    }

    fn enqueue(&mut self, id: PeerId, bytes: Bytes) {
        if bytes.len() > CONSENSUS_BYTES_MAX {
            tracing::error!(
                bytes = bytes.len(),
                max = CONSENSUS_BYTES_MAX,
                "a consensus message is too long to be sent"
            );
            return;
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        if !link.outbox.push(bytes) {
            metrics::counter!("vigil_net_dropped_total", "queue" => "consensus").increment(1);
        }
        self.send_waiting(id, Instant::now());
    }

    fn consensus_done(&mut self, id: PeerId, size: Size) {
        if let Some(link) = self.links.get_mut(&id) {
            link.outbox.done(size);
            self.send_waiting(id, Instant::now());
        }
    }

    fn consensus_received(&mut self, id: PeerId, frame: Frame, size: Size, now: Instant) {
        let validator = self.is_validator(&id);
        let Some(link) = self.links.get_mut(&id) else { return };
        let bytes = match frame {
            Frame::Message(bytes) => bytes,
            Frame::Oversize(bytes) => {
                return self.penalize(id, points::MALFORMED, &format!("a consensus message of {bytes} bytes"));
            }
        };
        if !link.buckets.of_consensus(size, validator).take(1, now) {
            metrics::counter!("vigil_net_flood_total", "channel" => "consensus").increment(1);
            return self.penalize(id, points::FLOOD, "too many consensus messages");
        }
        if link.greeting.is_some() {
            let peer = link.peer;
            self.tell(NetEvent::Consensus { peer, validator, bytes });
        }
    }
}
