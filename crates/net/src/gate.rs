//! The door: how many may come from one address, and who may not come at all.

use crate::address::Source;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::{ConnectionClosed, ListenFailure};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use libp2p::{Multiaddr, PeerId};
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::task::{Context, Poll};

/// Why a connection is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
enum Refused {
    #[error("{0} is banned")]
    Banned(Source),
    #[error("{from} has {max} connections already")]
    Full { from: Source, max: usize },
}

/// Refuses connections from and to banned addresses, and incoming ones beyond so many from one address.
///
/// Seeds and validators share addresses with strangers (a provider's NAT): theirs are trusted, and nothing is refused.
#[derive(Debug)]
pub(crate) struct Gate {
    per_source_max: usize,
    banned: BTreeSet<Source>,
    trusted: BTreeSet<Source>,
    /// Incoming connections, established or not.
    incoming: HashMap<ConnectionId, Source>,
}

impl Gate {
    pub(crate) fn new(per_source_max: usize) -> Self {
        Self { per_source_max, banned: BTreeSet::new(), trusted: BTreeSet::new(), incoming: HashMap::new() }
    }

    /// Replaces the list of banned addresses.
    pub(crate) fn set_banned(&mut self, banned: BTreeSet<Source>) {
        self.banned = banned;
    }

    /// Replaces the list of trusted addresses.
    pub(crate) fn set_trusted(&mut self, trusted: BTreeSet<Source>) {
        self.trusted = trusted;
    }

    pub(crate) fn trusts(&self, source: &Source) -> bool {
        self.trusted.contains(source)
    }

    pub(crate) fn is_banned(&self, source: &Source) -> bool {
        self.banned.contains(source) && !self.trusts(source)
    }

    fn enter(&mut self, connection: ConnectionId, address: &Multiaddr) -> Result<(), Refused> {
        let Some(from) = Source::of(address).filter(|from| !self.trusts(from)) else { return Ok(()) };
        if self.banned.contains(&from) {
            return Err(Refused::Banned(from));
        }
        let max = self.per_source_max;
        if self.incoming.values().filter(|other| **other == from).count() >= max {
            return Err(Refused::Full { from, max });
        }
        self.incoming.insert(connection, from);
        Ok(())
    }

    fn leave(&self, address: &Multiaddr) -> Result<(), Refused> {
        let banned = Source::of(address).filter(|to| self.is_banned(to));
        banned.map_or(Ok(()), |to| Err(Refused::Banned(to)))
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.enter(connection, remote).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.leave(remote).map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.incoming.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::ConnectedPoint;

    fn at(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    fn source(text: &str) -> Source {
        Source::of(&at(text)).unwrap()
    }

    fn come(gate: &mut Gate, n: usize, from: &str) -> bool {
        let connection = ConnectionId::new_unchecked(n);
        gate.handle_pending_inbound_connection(connection, &at("/ip4/198.51.100.1/tcp/1"), &at(from)).is_ok()
    }

    fn close(gate: &mut Gate, n: usize, from: &str) {
        let (local_addr, send_back_addr) = (at("/ip4/198.51.100.1/tcp/1"), at(from));
        gate.on_swarm_event(FromSwarm::ConnectionClosed(ConnectionClosed {
            peer_id: PeerId::random(),
            connection_id: ConnectionId::new_unchecked(n),
            endpoint: &ConnectedPoint::Listener { local_addr, send_back_addr },
            cause: None,
            remaining_established: 0,
        }));
    }

    #[test]
    fn so_many_from_one_address() {
        let mut gate = Gate::new(2);
        assert!(come(&mut gate, 1, "/ip4/203.0.113.7/tcp/1") && come(&mut gate, 2, "/ip4/203.0.113.7/udp/2/quic-v1"));
        assert!(!come(&mut gate, 3, "/ip4/203.0.113.7/tcp/3"));
        assert!(come(&mut gate, 4, "/ip4/203.0.113.8/tcp/4"), "a neighbour");
        close(&mut gate, 1, "/ip4/203.0.113.7/tcp/1");
        assert!(come(&mut gate, 5, "/ip4/203.0.113.7/tcp/5"));
        let same_64 = ["/ip6/2001:db8::1/tcp/1", "/ip6/2001:db8::ffff:2/tcp/1", "/ip6/2001:db8::3/tcp/1"];
        assert_eq!(same_64.map(|from| come(&mut gate, from.len(), from)), [true, true, false]);
        assert!((10..99).all(|n| come(&mut gate, n, "/ip4/127.0.0.1/tcp/1")), "a test network");
    }

    #[test]
    fn banned_addresses_neither_come_nor_are_visited() {
        let mut gate = Gate::new(9);
        gate.set_banned(BTreeSet::from([source("/ip4/203.0.113.7/tcp/1"), source("/ip6/2001:db8::1/tcp/1")]));
        for banned in ["/ip4/203.0.113.7/tcp/9", "/ip6/::ffff:203.0.113.7/tcp/9", "/ip6/2001:db8::9:9/tcp/9"] {
            assert!(!come(&mut gate, 1, banned), "{banned}");
            assert!(gate.leave(&at(banned)).is_err(), "{banned}");
        }
        let neighbour = "/ip6/2001:db8:0:1::1/tcp/1";
        assert!(come(&mut gate, 2, neighbour) && gate.leave(&at(neighbour)).is_ok());
        gate.set_banned(BTreeSet::new());
        assert!(come(&mut gate, 3, "/ip4/203.0.113.7/tcp/9"));
    }

    #[test]
    fn trusted_addresses_are_open() {
        let mut gate = Gate::new(1);
        let shared = "/ip4/203.0.113.7/tcp/1";
        gate.set_banned(BTreeSet::from([source(shared)]));
        gate.set_trusted(BTreeSet::from([source(shared)]));
        assert!((0..9).all(|n| come(&mut gate, n, shared)) && gate.leave(&at(shared)).is_ok());
    }
}
