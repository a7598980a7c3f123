//! Networks on loopback in one process.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use vigil_net::{Head, Multiaddr, NetConfig, NetEvent, NetHandle, Network, Peer, PeerAuth, PeerInfo};
use vigil_primitives::{Address, Hash, SignDomain, Signature, keccak256};

/// Longest wait for an event; reached only when a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A stand-in for a consensus key: the "signature" is a hash of address and digest.
pub(crate) struct TestKey(pub(crate) Address);

pub(crate) fn signature(address: &Address, digest: &Hash) -> Signature {
    let hash = keccak256([address.as_slice(), digest.as_slice()].concat());
    let mut bytes = [0; 65];
    bytes[..32].copy_from_slice(hash.as_slice());
    Signature::from(bytes)
}

impl PeerAuth for TestKey {
    fn prove(&self, digest: &Hash) -> Option<(Address, Signature)> {
        Some((self.0, signature(&self.0, digest)))
    }

    fn verify(&self, address: &Address, digest: &Hash, given: &Signature) -> bool {
        *given == signature(address, digest)
    }
}

/// Claims an address whose key it does not have.
pub(crate) struct Impostor(pub(crate) Address);

impl PeerAuth for Impostor {
    fn prove(&self, _digest: &Hash) -> Option<(Address, Signature)> {
        Some((self.0, signature(&self.0, &Hash::ZERO)))
    }

    fn verify(&self, _: &Address, _: &Hash, _: &Signature) -> bool {
        true
    }
}

/// Follows; checks proofs, gives none.
pub(crate) struct Follower;

impl PeerAuth for Follower {
    fn prove(&self, _digest: &Hash) -> Option<(Address, Signature)> {
        None
    }

    fn verify(&self, address: &Address, digest: &Hash, given: &Signature) -> bool {
        *given == signature(address, digest)
    }
}

pub(crate) fn chain(id: &str) -> SignDomain {
    SignDomain { chain_id: id.into(), genesis_hash: keccak256(id) }
}

pub(crate) fn validator(n: u8) -> Address {
    Address::repeat_byte(n)
}

#[derive(Clone, Copy)]
pub(crate) enum Over {
    Tcp,
    Quic,
}

impl Over {
    pub(crate) fn listen(self, port: u16) -> Multiaddr {
        match self {
            Self::Tcp => format!("/ip4/127.0.0.1/tcp/{port}"),
            Self::Quic => format!("/ip4/127.0.0.1/udp/{port}/quic-v1"),
        }
        .parse()
        .unwrap()
    }
}

/// Quick reconnects, no discovery, no listener.
pub(crate) fn config(dir: &Path) -> NetConfig {
    NetConfig {
        discovery: false,
        reconnect_min: Duration::from_millis(50),
        reconnect_max: Duration::from_millis(400),
        ..NetConfig::new(dir)
    }
}

/// A node under test.
pub(crate) struct Node {
    pub(crate) handle: NetHandle,
    pub(crate) events: Receiver<NetEvent>,
    pub(crate) dir: Option<tempfile::TempDir>,
}

impl Node {
    /// Listens on `over` and dials `seeds`.
    pub(crate) async fn start(over: Over, auth: impl PeerAuth, seeds: &[Multiaddr]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = NetConfig { listen: vec![over.listen(0)], seeds: seeds.to_vec(), ..config(dir.path()) };
        let mut node = Self::with(config, "testnet", auth).await;
        node.dir = Some(dir);
        node
    }

    pub(crate) async fn with(config: NetConfig, chain_id: &str, auth: impl PeerAuth) -> Self {
        let (handle, events) = Network::start(config, chain(chain_id), Head::default(), Arc::new(auth)).await.unwrap();
        Self { handle, events, dir: None }
    }

    pub(crate) fn seed(&self) -> Multiaddr {
        self.handle.addresses()[0].clone()
    }

    /// The next event that `pick` takes; others are dropped.
    pub(crate) async fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(NetEvent) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.events.recv().await.expect("the task runs");
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(DEADLINE, found).await.unwrap_or_else(|_| panic!("no {what}"))
    }

    pub(crate) async fn connected(&mut self) -> PeerInfo {
        self.wait("PeerConnected", |event| match event {
            NetEvent::PeerConnected(info) => Some(info),
            _ => None,
        })
        .await
    }

    pub(crate) async fn disconnected(&mut self) -> Peer {
        self.wait("PeerDisconnected", |event| match event {
            NetEvent::PeerDisconnected(peer) => Some(peer),
            _ => None,
        })
        .await
    }
}

/// Two connected nodes, the second having dialled, and what each knows of the other.
pub(crate) async fn pair(over: Over, a: impl PeerAuth, b: impl PeerAuth) -> ((Node, PeerInfo), (Node, PeerInfo)) {
    let mut a = Node::start(over, a, &[]).await;
    let mut b = Node::start(over, b, &[a.seed()]).await;
    let (b_info, a_info) = (a.connected().await, b.connected().await);
    ((a, b_info), (b, a_info))
}

pub(crate) fn loopback() -> IpAddr {
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}
