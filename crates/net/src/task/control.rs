//! Hello and settled heads.

use super::Task;
use super::link::Greeting;
use crate::codec::Frame;
use crate::wire::Control;
use crate::{Head, Hello, NetEvent, points, proof_digest};
use libp2p::PeerId;
use libp2p::request_response::{Event, Message, OutboundFailure, ResponseChannel};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use vigil_primitives::{Address, Bytes};

/// A refused peer gets our hello, so that its log says why, and this long to read it.
const DOOMED_FOR: Duration = Duration::from_millis(500);

impl Task {
    pub(super) fn say_hello(&mut self, id: PeerId) {
        let hello = self.hello();
        if let Some(link) = self.links.get_mut(&id) {
            link.told = hello.head;
        }
        let frame = Frame::Message(Control::Hello(hello).encode());
        self.swarm.behaviour_mut().control.send_request(&id, frame);
    }

    pub(super) fn publish_head(&mut self, head: Head) {
        self.head = head;
        let ids: Vec<_> = self.links.keys().copied().collect();
        ids.into_iter().for_each(|id| self.tell_head(id, Instant::now()));
    }

    /// Tells those who could not be told at once.
    pub(super) fn tell_heads(&mut self, now: Instant) {
        let behind: Vec<_> = self.links.iter().filter(|(_, link)| link.told != self.head).map(|(id, _)| *id).collect();
        behind.into_iter().for_each(|id| self.tell_head(id, now));
    }

    pub(super) fn control_event(&mut self, event: Event<Frame, Frame>, now: Instant) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.control_request(peer, request, channel, now);
            }
            Event::Message { peer, message: Message::Response { response, .. }, .. } => {
                self.control_response(peer, &response, now);
            }
            Event::OutboundFailure { peer, error, .. } => {
                let Some(link) = self.links.get_mut(&peer) else { return };
                link.telling = false;
                if !link.outbox.is_open() {
                    // It may have gone over one of two connections, and the other one is kept.
                    let is_lost = matches!(error, OutboundFailure::ConnectionClosed | OutboundFailure::Io(_));
                    if is_lost && !std::mem::replace(&mut link.said_hello_again, true) {
                        return self.say_hello(peer);
                    }
                    self.hang_up(peer, &format!("hello not answered: {error}"));
                }
            }
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    fn control_request(&mut self, id: PeerId, frame: Frame, channel: ResponseChannel<Frame>, now: Instant) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.doomed.is_none()) else { return };
        if !link.buckets.control.take(1, now) {
            return self.penalize(id, points::FLOOD, "too many hellos or heads");
        }
        let answer = match decode(&frame) {
            Ok(Control::Hello(hello)) => {
                let answer = Control::Hello(self.hello()).encode();
                if let Some(link) = self.links.get_mut(&id) {
                    link.told = self.head;
                }
                self.greeted(id, hello, now);
                answer
            }
            Ok(Control::Head(head)) => {
                self.head_of(id, head);
                Bytes::new()
            }
            Err(reason) => return self.penalize(id, points::MALFORMED, &reason),
        };
        let _ = self.swarm.behaviour_mut().control.send_response(channel, Frame::Message(answer));
    }

    /// An empty answer acknowledges a head; the other answer there is is the peer's hello.
    fn control_response(&mut self, id: PeerId, frame: &Frame, now: Instant) {
        if self.links.get(&id).is_none_or(|link| link.doomed.is_some()) {
            return;
        }
        if let Frame::Message(bytes) = frame
            && bytes.is_empty()
        {
            if let Some(link) = self.links.get_mut(&id) {
                link.telling = false;
            }
            return self.tell_head(id, now);
        }
        match decode(frame) {
            Ok(Control::Hello(hello)) => {
                if self.greeted(id, hello, now)
                    && let Some(link) = self.links.get_mut(&id)
                {
                    link.outbox.open();
                    link.untold = self.overlay.records().map(|record| record.place.validator).collect();
                    self.send_waiting(id, now);
                    self.tell_head(id, now);
                }
            }
            Ok(Control::Head(_)) => self.penalize(id, points::MALFORMED, "a head is no answer"),
            Err(reason) => self.penalize(id, points::MALFORMED, &reason),
        }
    }

    fn hello(&self) -> Hello {
        Hello {
            version: Hello::VERSION,
            chain_id: self.chain.chain_id.clone(),
            genesis_hash: self.chain.genesis_hash,
            agent: printable(&self.config.agent),
            role: self.config.role.number(),
            head: self.head,
            proof: self.proof.clone().into_iter().collect(),
        }
    }

    /// Checks a hello; the first good one makes the peer known to the node. False if the peer is to go.
    fn greeted(&mut self, id: PeerId, hello: Hello, now: Instant) -> bool {
        if let Some(reason) = self.mismatch(&hello) {
            tracing::warn!(peer = %id, agent = %printable(&hello.agent), "peer refused: {reason}");
            self.book.refuse(&id, now);
            self.doom(id, "another chain", now);
            return false;
        }
        let Ok(validator) = self.proven(id, &hello) else {
            self.penalize(id, points::INVALID, "its proof of a validator address is not by that address");
            return false;
        };
        let Some(link) = self.links.get(&id) else { return false };
        if link.greeting.is_some() {
            return true;
        }
        if self.ready_count() >= self.config.max_peers && !self.is_welcome(&id, validator.as_ref()) {
            self.doom(id, "too many peers", now);
            return false;
        }
        let greeting = Greeting { role: hello.role(), agent: printable(&hello.agent), validator };
        self.welcome(id, greeting, hello.head, now);
        true
    }

    fn welcome(&mut self, id: PeerId, greeting: Greeting, head: Head, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.head = head;
        link.greeting = Some(greeting);
        self.book.ready(&id);
        self.ends.ready.fetch_add(1, Ordering::Relaxed);
        self.count_peers();
        let score = self.scores.get(&id, now);
        if let Some(info) = self.links.get(&id).and_then(|link| link.info(id, score)) {
            tracing::info!(peer = %id, number = info.peer.0, address = %info.address, agent = %info.agent,
                validator = ?info.validator, height = info.head.height, "peer connected");
            self.tell(NetEvent::PeerConnected(info));
        }
    }

    /// What makes us and the sender of `hello` strangers.
    fn mismatch(&self, hello: &Hello) -> Option<String> {
        if hello.chain_id != self.chain.chain_id {
            let theirs = printable(&hello.chain_id);
            return Some(format!("it is on chain {theirs:?}, we are on {:?}", self.chain.chain_id));
        }
        if hello.genesis_hash != self.chain.genesis_hash {
            return Some(format!("its genesis is {}, ours is {}", hello.genesis_hash, self.chain.genesis_hash));
        }
        (hello.version != Hello::VERSION)
            .then(|| format!("it speaks version {} of the protocol, we speak {}", hello.version, Hello::VERSION))
    }

    /// The validator address that `hello` proves; an error if it claims one falsely.
    fn proven(&self, id: PeerId, hello: &Hello) -> Result<Option<Address>, ()> {
        let Some(proof) = hello.proof.first() else { return Ok(None) };
        let digest = proof_digest(&self.chain, &id);
        let genuine = self.auth.verify(&proof.address, &digest, &proof.signature);
        if genuine { Ok(Some(proof.address)) } else { Err(()) }
    }

    fn is_welcome(&self, id: &PeerId, validator: Option<&Address>) -> bool {
        self.book.is_seed(id) || validator.is_some_and(|address| self.overlay.is_member(address))
    }

    fn doom(&mut self, id: PeerId, reason: &'static str, now: Instant) {
        if let Some(link) = self.links.get_mut(&id) {
            link.doomed.get_or_insert((reason, now + DOOMED_FOR));
        }
    }

    fn head_of(&mut self, id: PeerId, head: Head) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.head = head;
        if link.greeting.is_some() {
            let peer = link.peer;
            self.tell(NetEvent::Status { peer, head });
        }
    }

    /// Tells a peer our head unless it knows it, is being told one or has been told too many.
    fn tell_head(&mut self, id: PeerId, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if !link.outbox.is_open() || link.telling || link.told == self.head || !link.own.control.take(1, now) {
            return;
        }
        link.telling = true;
        link.told = self.head;
        let frame = Frame::Message(Control::Head(self.head).encode());
        self.swarm.behaviour_mut().control.send_request(&id, frame);
    }
}

/// The first 64 characters, without those that would make more of a log line than a line.
fn printable(text: &str) -> String {
    text.chars().take(64).filter(|c| c.is_ascii_graphic() || *c == ' ').collect()
}

fn decode(frame: &Frame) -> Result<Control, String> {
    match frame {
        Frame::Message(bytes) => Control::decode(bytes).map_err(|error| error.to_string()),
        Frame::Oversize(bytes) => Err(format!("a control message of {bytes} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_a_peer_calls_itself_cannot_write_to_the_terminal() {
        assert_eq!(printable("vigil/0.1.0 (linux)"), "vigil/0.1.0 (linux)");
        assert_eq!(printable("a\u{1b}[2J\nb\u{202e}c"), "a[2Jbc");
        assert_eq!(printable(&"x".repeat(128)).len(), 64);
    }
}
