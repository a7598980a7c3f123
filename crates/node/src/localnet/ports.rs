//! Ports of a local network (DESIGN §5).

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// Without a base port, node 1 and later take theirs from here.
const LATER_NODES_BASE: u16 = 17_000;
/// Distance between the ports of two nodes.
const PORTS_PER_NODE: u16 = 20;

/// Ports of one node; all on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// `theta.*` JSON-RPC (TCP).
    pub rpc: u16,
    /// Ethereum's JSON-RPC (TCP).
    pub eth: u16,
    /// Ethereum's JSON-RPC over WebSocket alone (TCP).
    pub eth_ws: u16,
    /// Other nodes (TCP, and UDP for QUIC).
    pub p2p: u16,
    /// Metrics and health (TCP).
    pub metrics: u16,
}

/// Ports of node 0 without a base port.
const FIRST_NODE: Ports = Ports { rpc: 16_888, eth: 18_888, eth_ws: 18_889, p2p: 30_001, metrics: 16_900 };

/// A port that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Something listens there.
    #[error(
        "{what} of node {node} needs port {port}, which is taken ({reason}); stop what uses it or give --base-port"
    )]
    Taken {
        /// Which service.
        what: &'static str,
        /// Of which node.
        node: usize,
        /// The port.
        port: u16,
        /// What the system says.
        reason: String,
    },
    /// Counting from the base port leaves the range of ports.
    #[error(
        "base port {base} leaves no room for {nodes} nodes: node i uses base + 20 * i to base + 20 * i + 4, at most 65535"
    )]
    Range {
        /// The base port.
        base: u16,
        /// How many nodes.
        nodes: usize,
    },
}

impl Ports {
    /// Ports of node `node`. With a base, node i counts from base + 20·i: +0 RPC, +1 Ethereum's RPC, +2 its
    /// WebSocket, +3 p2p, +4 metrics. Without, node 0 has 16888, 18888, 18889, 30001 and 16900, the others count from 17000.
    /// `None`: out of range.
    pub fn of(node: usize, base: Option<u16>) -> Option<Self> {
        let (start, steps) = match base {
            None if node == 0 => return Some(FIRST_NODE),
            None => (LATER_NODES_BASE, node - 1),
            Some(base) => (base, node),
        };
        let steps = u16::try_from(steps).ok()?;
        let rpc = PORTS_PER_NODE.checked_mul(steps).and_then(|offset| start.checked_add(offset))?;
        let metrics = rpc.checked_add(4)?;
        Some(Self { rpc, eth: rpc + 1, eth_ws: rpc + 2, p2p: rpc + 3, metrics })
    }

    /// Ports of nodes 0 to `nodes` - 1.
    ///
    /// # Errors
    /// [`PortError::Range`].
    pub fn of_all(nodes: usize, base: Option<u16>) -> Result<Vec<Self>, PortError> {
        let all = (0..nodes).map(|node| Self::of(node, base)).collect::<Option<Vec<_>>>();
        all.ok_or(PortError::Range { base: base.unwrap_or(LATER_NODES_BASE), nodes })
    }

    /// Checks that nobody listens on any of them.
    ///
    /// # Errors
    /// [`PortError::Taken`] with the first that is taken.
    pub fn check_free(all: &[Self]) -> Result<(), PortError> {
        for (node, ports) in all.iter().enumerate() {
            let tcp = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop);
            let udp = |port: u16| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).map(drop);
            let results = [
                ("JSON-RPC", ports.rpc, tcp(ports.rpc)),
                ("Ethereum's JSON-RPC", ports.eth, tcp(ports.eth)),
                ("Ethereum's WebSocket", ports.eth_ws, tcp(ports.eth_ws)),
                ("p2p", ports.p2p, tcp(ports.p2p)),
                ("p2p over QUIC", ports.p2p, udp(ports.p2p)),
                ("metrics", ports.metrics, tcp(ports.metrics)),
            ];
            for (what, port, result) in results {
                result.map_err(|e| PortError::Taken { what, node, port, reason: e.to_string() })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five in a row.
    fn ports(rpc: u16) -> Ports {
        Ports { rpc, eth: rpc + 1, eth_ws: rpc + 2, p2p: rpc + 3, metrics: rpc + 4 }
    }

    #[test]
    fn node_zero_has_the_fixed_ports_unless_a_base_is_given() {
        assert_eq!(Ports::of(0, None), Some(FIRST_NODE));
        assert_eq!(Ports::of(1, None), Some(ports(17_000)));
        assert_eq!(Ports::of(2, None), Some(ports(17_020)));
        assert_eq!(Ports::of(3, Some(40_000)), Some(ports(40_060)));
    }

    #[test]
    fn ports_past_the_range_are_refused() {
        assert!(Ports::of_all(1, Some(65_531)).is_ok());
        assert_eq!(Ports::of_all(1, Some(65_532)), Err(PortError::Range { base: 65_532, nodes: 1 }));
        assert!(Ports::of_all(4, Some(65_500)).is_err());
    }

    #[test]
    fn a_taken_port_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let Some(base) = port.checked_sub(4) else { return };
        let all = Ports::of_all(1, Some(base)).expect("in range");
        match Ports::check_free(&all) {
            Err(PortError::Taken { port: taken, what: "metrics", node: 0, .. }) => assert_eq!(taken, port),
            Err(PortError::Taken { .. }) => {} // another program of this machine has a port just below
            other => panic!("{other:?}"),
        }
    }
}
