//! Transactions by gossip.

use super::Task;
use crate::wire::decode_txs;
use crate::{GossipId, NetEvent, Verdict, points};
use libp2p::gossipsub::{self, MessageAcceptance, PublishError};
use std::time::Instant;
use vigil_primitives::Bytes;

impl Task {
    pub(super) fn publish_txs(&mut self, txs: Vec<Bytes>) {
        let now = Instant::now();
        for tx in txs {
            if let Some(batch) = self.batch.push(tx, now) {
                self.publish(batch);
            }
        }
    }

    pub(super) fn flush_txs(&mut self) {
        if let Some(batch) = self.batch.take() {
            self.publish(batch);
        }
    }

    pub(super) fn report(&mut self, message: &GossipId, verdict: Verdict) {
        let acceptance = match verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Reject => MessageAcceptance::Reject,
            Verdict::Ignore => MessageAcceptance::Ignore,
        };
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.report_message_validation_result(&message.id, &message.source, acceptance);
        if verdict == Verdict::Reject {
            self.penalize(message.source, points::INVALID, "it forwarded an invalid transaction");
        }
    }

    pub(super) fn gossip_event(&mut self, event: gossipsub::Event, now: Instant) {
        let gossipsub::Event::Message { propagation_source: source, message_id, message } = event else { return };
        let id = GossipId { id: message_id, source };
        let Some(link) = self.links.get_mut(&source) else { return self.report(&id, Verdict::Ignore) };
        let peer = link.peer;
        if !link.buckets.gossip.take(1, now) || !link.buckets.gossip_bytes.take(message.data.len(), now) {
            metrics::counter!("vigil_net_flood_total", "channel" => "gossip").increment(1);
            self.report(&id, Verdict::Ignore);
            return self.penalize(source, points::FLOOD, "too much gossip");
        }
        match decode_txs(&message.data) {
            Ok(txs) => self.tell(NetEvent::Txs { peer, txs, message: id }),
            Err(error) => {
                self.report(&id, Verdict::Ignore);
                self.penalize(source, points::MALFORMED, &error.to_string());
            }
        }
    }

    fn publish(&mut self, batch: Vec<u8>) {
        let topic = self.topic.clone();
        match self.swarm.behaviour_mut().gossip.publish(topic, batch) {
            Ok(_) | Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => {
                metrics::counter!("vigil_net_dropped_total", "queue" => "gossip").increment(1);
                tracing::debug!(%error, "transactions not published");
            }
        }
    }
}
