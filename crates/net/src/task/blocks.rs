//! Requests for blocks, in both directions.

use super::Task;
use crate::codec::Frame;
use crate::limits::BLOCKS_OUTSTANDING_MAX;
use crate::{BlocksRequest, BlocksResponse, NetEvent, Peer, RequestError, points};
use libp2p::PeerId;
use libp2p::futures::future::BoxFuture;
use libp2p::futures::stream::FuturesUnordered;
use libp2p::request_response::{Event, Message, OutboundFailure, ResponseChannel};
use std::time::Instant;
use tokio::sync::oneshot;

/// The node's answer to a request of a peer; `None` if it gave none.
pub(super) type Served = (PeerId, ResponseChannel<Frame>, Option<BlocksResponse>);
/// Requests of peers that the node is working on.
pub(super) type Serving = FuturesUnordered<BoxFuture<'static, Served>>;

impl Task {
    pub(super) fn request_blocks(&mut self, peer: Peer, id: u64, request: &BlocksRequest) {
        let refused = match self.link(peer) {
            None => Some(RequestError::NotConnected),
            Some((_, link)) if link.asked >= BLOCKS_OUTSTANDING_MAX => Some(RequestError::TooMany),
            Some(_) => None,
        };
        if let Some(error) = refused {
            return self.tell(NetEvent::Blocks { peer, id, result: Err(error) });
        }
        if let Some((to, link)) = self.link(peer) {
            link.asked += 1;
            link.to_ask.push_back((id, request.encode()));
            self.ask(to, Instant::now());
        }
    }

    /// Sends what waited until it does not come too fast for the peer.
    pub(super) fn ask_waiting(&mut self, now: Instant) {
        let waiting: Vec<_> =
            self.links.iter().filter(|(_, link)| !link.to_ask.is_empty()).map(|(id, _)| *id).collect();
        waiting.into_iter().for_each(|id| self.ask(id, now));
    }

    fn ask(&mut self, to: PeerId, now: Instant) {
        let Some(link) = self.links.get_mut(&to) else { return };
        while !link.to_ask.is_empty() && link.own.blocks.take(1, now) {
            let Some((id, request)) = link.to_ask.pop_front() else { return };
            let sent = self.swarm.behaviour_mut().blocks.send_request(&to, Frame::Message(request));
            self.asked.insert(sent, (link.peer, id));
        }
    }

    pub(super) fn blocks_event(&mut self, event: Event<Frame, Frame>, now: Instant) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.serve(peer, &request, channel, now);
            }
            Event::Message { peer, message: Message::Response { request_id, response }, .. } => {
                if let Some((number, id)) = self.asked.remove(&request_id) {
                    self.blocks_answered(peer, number, id, &response);
                }
            }
            Event::OutboundFailure { request_id, error, .. } => {
                if let Some((number, id)) = self.asked.remove(&request_id) {
                    self.answered(number);
                    let error = match error {
                        OutboundFailure::Timeout => RequestError::Timeout,
                        OutboundFailure::ConnectionClosed | OutboundFailure::DialFailure => RequestError::NotConnected,
                        other => RequestError::Stream(other.to_string()),
                    };
                    self.tell(NetEvent::Blocks { peer: number, id, result: Err(error) });
                }
            }
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    /// The node has answered a peer's request.
    pub(super) fn served(&mut self, (id, channel, response): Served) {
        if let Some(link) = self.links.get_mut(&id) {
            link.serving = link.serving.saturating_sub(1);
        }
        let Some(response) = response else { return };
        if let Err(error) = response.check_limits() {
            tracing::error!(%error, "an answer with blocks is too large to be sent");
            return;
        }
        let _ = self.swarm.behaviour_mut().blocks.send_response(channel, Frame::Message(response.encode()));
    }

    fn answered(&mut self, peer: Peer) {
        if let Some((_, link)) = self.link(peer) {
            link.asked = link.asked.saturating_sub(1);
        }
    }

    fn blocks_answered(&mut self, from: PeerId, peer: Peer, id: u64, frame: &Frame) {
        self.answered(peer);
        let result = match frame {
            Frame::Message(bytes) => BlocksResponse::decode(bytes),
            Frame::Oversize(bytes) => Err(crate::WireError::Limit {
                what: "bytes of an answer",
                got: u64::from(*bytes),
                max: crate::limits::BLOCKS_RESPONSE_BYTES_MAX as u64,
            }),
        };
        if let Err(error) = &result {
            self.penalize(from, points::MALFORMED, &error.to_string());
        }
        self.tell(NetEvent::Blocks { peer, id, result: result.map_err(RequestError::Malformed) });
    }

    fn serve(&mut self, id: PeerId, frame: &Frame, channel: ResponseChannel<Frame>, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let request = match frame {
            Frame::Message(bytes) => BlocksRequest::decode(bytes).map_err(|error| error.to_string()),
            Frame::Oversize(bytes) => Err(format!("a request for blocks of {bytes} bytes")),
        };
        let request = match request {
            Ok(request) => request,
            Err(reason) => return self.penalize(id, points::MALFORMED, &reason),
        };
        if !link.buckets.blocks.take(1, now) || link.serving >= BLOCKS_OUTSTANDING_MAX {
            metrics::counter!("vigil_net_flood_total", "channel" => "blocks").increment(1);
            return self.penalize(id, points::FLOOD, "too many requests for blocks");
        }
        if link.greeting.is_none() {
            return;
        }
        link.serving += 1;
        let peer = link.peer;
        let (reply, answer) = oneshot::channel();
        self.serving.push(Box::pin(async move { (id, channel, answer.await.ok()) }));
        self.tell(NetEvent::BlocksRequest { peer, request, reply });
    }
}
