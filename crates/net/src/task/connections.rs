//! Connections: made, lost, dialled, discovered.

use super::Task;
use super::link::Link;
use crate::address::{self, Reach};
use crate::behaviour::BehaviourEvent;
use crate::queue::Channel;
use crate::{NetEvent, Peer, RequestError};
use libp2p::core::ConnectedPoint;
use libp2p::swarm::{ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, identify, kad, ping};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A peer that has not said hello by then is disconnected.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);
/// A connection is closed after this many lost pings in a row.
const PINGS_FAILED_MAX: u32 = 2;
/// Addresses taken from one identification.
const IDENTIFY_ADDRESSES_MAX: usize = 8;

impl Task {
    pub(super) fn swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let now = Instant::now();
        match event {
            SwarmEvent::Behaviour(event) => self.behaviour_event(event, now),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.connected(peer_id, connection_id, &endpoint, now);
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                let cause = cause.map(|cause| cause.to_string()).unwrap_or_default();
                self.disconnected(peer_id, &cause, now);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                tracing::debug!(peer = ?peer_id, %error, "dial failed");
                if matches!(error, DialError::LocalPeerId { .. }) {
                    self.book.is_us(connection_id);
                }
                self.book.failed(connection_id);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(address = %send_back_addr, %error, "incoming connection failed");
            }
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                tracing::error!(?addresses, ?reason, "a listener has closed");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listener"),
            _ => {}
        }
    }

    fn behaviour_event(&mut self, event: BehaviourEvent, now: Instant) {
        match event {
            BehaviourEvent::Control(event) => self.control_event(event, now),
            BehaviourEvent::Consensus(event) => self.told(event, Channel::Small, now),
            BehaviourEvent::Bulk(event) => self.told(event, Channel::Bulk, now),
            BehaviourEvent::Guardian(event) => self.told(event, Channel::Guardian, now),
            BehaviourEvent::Blocks(event) => self.blocks_event(event, now),
            BehaviourEvent::Addresses(event) => self.records_event(event, now),
            BehaviourEvent::Gossip(event) => self.gossip_event(event, now),
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.identified(peer_id, info, now);
            }
            BehaviourEvent::Kad(event) => self.kad_event(event, now),
            BehaviourEvent::Ping(event) => self.pinged(&event),
            BehaviourEvent::Identify(_) => {}
            BehaviourEvent::Limits(never) | BehaviourEvent::Gate(never) | BehaviourEvent::Blocked(never) => {
                match never {}
            }
        }
    }

    fn connected(&mut self, id: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint, now: Instant) {
        if endpoint.is_dialer() {
            self.book.established(connection, id);
        }
        if self.links.contains_key(&id) {
            return;
        }
        self.numbered += 1;
        let peer = Peer(self.numbered);
        let address = endpoint.get_remote_address().clone();
        tracing::debug!(peer = %id, number = peer.0, %address, "connected");
        self.numbers.put(peer, id);
        self.links.insert(id, Link::new(peer, address, endpoint.is_dialer(), &self.config.rates, now));
        self.say_hello(id);
    }

    fn disconnected(&mut self, id: PeerId, cause: &str, now: Instant) {
        self.book.lost(&id, now);
        let Some(link) = self.links.remove(&id) else { return };
        tracing::debug!(peer = %id, number = link.peer.0, cause, "disconnected");
        for (id, _) in link.to_ask {
            self.tell(NetEvent::Blocks { peer: link.peer, id, result: Err(RequestError::NotConnected) });
        }
        if link.greeting.is_some() {
            self.ends.ready.fetch_sub(1, Ordering::Relaxed);
            self.count_peers();
            self.tell(NetEvent::PeerDisconnected(link.peer));
        }
    }

    pub(super) fn count_peers(&self) {
        #[allow(clippy::cast_precision_loss)]
        metrics::gauge!("vigil_net_peers").set(self.ready_count() as f64);
    }

    pub(super) fn dial(&mut self, now: Instant) {
        let more = self.ready_count() < self.config.target_peers;
        let connected = self.links.values().filter_map(|link| link.validator().copied()).collect();
        let covered = self.overlay.covered(&connected);
        let (links, bans, unix) = (&self.links, &self.bans, super::unix_seconds());
        let skip = |id: &PeerId| links.contains_key(id) || covered.contains(id) || bans.contains(id, unix);
        let due = self.book.due(more, now, skip);
        for options in due {
            let dial = options.connection_id();
            if let Err(error) = self.swarm.dial(options) {
                tracing::debug!(%error, "dial refused");
                self.book.failed(dial);
            }
        }
    }

    /// Disconnects peers that are doomed or have not said hello in time.
    pub(super) fn drop_silent_links(&mut self, now: Instant) {
        let late = |link: &Link| link.greeting.is_none() && now >= link.since + HELLO_DEADLINE;
        let over = self.links.iter().filter_map(|(id, link)| match link.doomed {
            Some((reason, at)) if now >= at => Some((*id, reason)),
            None if late(link) => Some((*id, "no hello in time")),
            _ => None,
        });
        for (id, reason) in over.collect::<Vec<_>>() {
            self.hang_up(id, reason);
        }
    }

    pub(super) fn hang_up(&mut self, id: PeerId, reason: &str) {
        tracing::debug!(peer = %id, reason, "disconnecting");
        let _ = self.swarm.disconnect_peer_id(id);
    }

    fn pinged(&mut self, event: &ping::Event) {
        let Some(link) = self.links.get_mut(&event.peer) else { return };
        match &event.result {
            Ok(_) | Err(ping::Failure::Unsupported) => link.pings_failed = 0,
            Err(_) => {
                link.pings_failed += 1;
                if link.pings_failed >= PINGS_FAILED_MAX {
                    link.pings_failed = 0;
                    self.swarm.close_connection(event.connection);
                }
            }
        }
    }

    /// A peer tells its addresses: kept if it is of our chain.
    fn identified(&mut self, id: PeerId, info: identify::Info, now: Instant) {
        if info.protocol_version != crate::behaviour::node_protocol(&self.chain) {
            return;
        }
        let reach = self.reach();
        let Some(link) = self.links.get_mut(&id) else { return };
        link.sees_us_at = address::ip(&info.observed_addr);
        let (near, greeted) = (Reach::of(&link.address).or(reach), link.greeting.is_some());
        let usable = info.listen_addrs.into_iter().filter(|address| is_dialable(address, near));
        for address in usable.take(IDENTIFY_ADDRESSES_MAX) {
            if let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() {
                kad.add_address(&id, address.clone());
            }
            self.book.told_by_itself(id, [address], now);
        }
        if greeted {
            self.book.ready(&id);
        }
    }

    fn kad_event(&mut self, event: kad::Event, now: Instant) {
        match event {
            kad::Event::RoutingUpdated { peer, addresses, .. } => self.learn(peer, addresses.into_vec(), now),
            kad::Event::OutboundQueryProgressed {
                result: kad::QueryResult::GetClosestPeers(Ok(kad::GetClosestPeersOk { peers, .. })),
                ..
            } => {
                for peer in peers {
                    self.learn(peer.peer_id, peer.addrs, now);
                }
            }
            _ => {}
        }
    }

    /// Notes what others say of a peer, as far as it makes sense to dial it from here.
    fn learn(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, now: Instant) {
        let reach = self.reach();
        self.book.learn(peer, addresses.into_iter().filter(|address| is_dialable(address, reach)), now);
    }

    /// How far we reach ourselves: the widest reach among the addresses we listen on or advertise.
    pub(super) fn reach(&self) -> Option<Reach> {
        self.config.advertise.iter().chain(self.swarm.listeners()).filter_map(Reach::of).max()
    }

    /// Asks for peers near a random key if more are wanted.
    pub(super) fn discover(&mut self) {
        if self.ready_count() < self.config.target_peers
            && let Some(kad) = self.swarm.behaviour_mut().kad.as_mut()
        {
            kad.get_closest_peers(PeerId::random());
        }
    }
}

/// True if it makes sense to dial an address that was told from as far away as `near`: who is on the internet is not sent
/// into our private network, and who is not on this machine is not sent to its services.
pub(super) fn is_dialable(address: &Multiaddr, near: Option<Reach>) -> bool {
    Reach::of(address).is_some_and(|reach| near.is_none_or(|near| reach >= near))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_nearer_than_he_is() {
        let near = |text: &str| Reach::of(&text.parse().unwrap());
        let places = ["/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/203.0.113.7/tcp/1", "/ip4/0.0.0.0/tcp/1"];
        for (from, dialable) in [
            (near(places[0]), [true, true, true, false]),
            (near(places[1]), [false, true, true, false]),
            (near(places[2]), [false, false, true, false]),
        ] {
            assert_eq!(places.map(|place| is_dialable(&place.parse().unwrap(), from)), dialable, "{from:?}");
        }
    }
}
