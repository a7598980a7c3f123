//! What the network is started with.

use crate::Role;
use libp2p::Multiaddr;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of one network task.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// Where `p2p.key`, `bans.json`, `banned_addresses.json` and `peers.json` live; created if absent.
    pub data_dir: PathBuf,
    /// Addresses to listen on; see [`NetConfig::listen_on`]. May be empty (dial only).
    pub listen: Vec<Multiaddr>,
    /// Peers that are always dialled, with or without `/p2p/<peer id>` at the end.
    pub seeds: Vec<Multiaddr>,
    /// Under which addresses a validator tells the others to find it, each an IP address and a port. Empty: those it
    /// listens on, behind a NAT with the IP address that two peers see it at.
    pub advertise: Vec<Multiaddr>,
    /// Most incoming connections from one IP address (IPv6: one /64) at a time. Loopback and the addresses of seeds and
    /// validators are free.
    pub per_address_max: usize,
    /// Most peers at a time; seeds and validators of the current set are let in above it.
    pub max_peers: usize,
    /// Below this many peers, addresses learnt from others are dialled.
    pub target_peers: usize,
    /// Broadcasts go to all validators and to this many other peers, which thus follow without asking.
    pub followers_max: usize,
    /// Whether Kademlia looks for addresses.
    pub discovery: bool,
    /// Name and version, told to peers.
    pub agent: String,
    /// What this node says it is.
    pub role: Role,
    /// First wait before a lost peer is dialled again; doubles up to [`NetConfig::reconnect_max`].
    pub reconnect_min: Duration,
    /// Longest wait between two dials of one peer.
    pub reconnect_max: Duration,
    /// How much one peer may send.
    pub rates: Rates,
}

impl NetConfig {
    /// Defaults: no listener, no seed, 64 peers at most, 24 wanted, discovery on, reconnect after 0.5 s to 30 s.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: Vec::new(),
            seeds: Vec::new(),
            advertise: Vec::new(),
            per_address_max: 16,
            max_peers: 64,
            target_peers: 24,
            followers_max: 16,
            discovery: true,
            agent: concat!("vigil/", env!("CARGO_PKG_VERSION")).to_owned(),
            role: Role::Full,
            reconnect_min: Duration::from_millis(500),
            reconnect_max: Duration::from_secs(30),
            rates: Rates::default(),
        }
    }

    /// Listens on TCP and QUIC (UDP) of one port. Port 0 lets the system choose, one for each.
    #[must_use]
    pub fn listen_on(mut self, ip: IpAddr, port: u16) -> Self {
        let base = Multiaddr::from(ip);
        let tcp = base.clone().with(libp2p::multiaddr::Protocol::Tcp(port));
        let udp = base.with(libp2p::multiaddr::Protocol::Udp(port)).with(libp2p::multiaddr::Protocol::QuicV1);
        self.listen.extend([tcp, udp]);
        self
    }
}

/// Token buckets of one peer: `(burst, per second)` in messages, but for `gossip_bytes`. What exceeds them is dropped and
/// costs [`crate::points::FLOOD`] a message.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Small consensus messages of a validator.
    pub consensus: (u32, u32),
    /// Large consensus messages of a validator.
    pub bulk: (u32, u32),
    /// Small consensus messages of anyone else.
    pub consensus_unproven: (u32, u32),
    /// Large consensus messages of anyone else.
    pub bulk_unproven: (u32, u32),
    /// Messages of guardians; a node may host many.
    pub guardian: (u32, u32),
    /// Gossip messages.
    pub gossip: (u32, u32),
    /// Bytes of gossip.
    pub gossip_bytes: (u32, u32),
    /// Requests for blocks.
    pub blocks: (u32, u32),
    /// Hellos and heads.
    pub control: (u32, u32),
    /// Messages with address records; we send ten a second at most.
    pub addresses: (u32, u32),
}

impl Rates {
    /// What we send ourselves to a peer with these rates, as networks bunch messages up: consensus messages, heads and
    /// requests for blocks keep to it. Gossip is bounded by its batches, address records by the tick that sends them.
    #[must_use]
    pub(crate) fn for_ourselves(&self) -> Self {
        let less = |(burst, per_second): (u32, u32)| ((burst / 2).max(1), (per_second / 4 * 3).max(1));
        Self {
            consensus: less(self.consensus),
            bulk: less(self.bulk),
            consensus_unproven: less(self.consensus_unproven),
            bulk_unproven: less(self.bulk_unproven),
            guardian: less(self.guardian),
            gossip: less(self.gossip),
            gossip_bytes: less(self.gossip_bytes),
            blocks: less(self.blocks),
            control: less(self.control),
            addresses: less(self.addresses),
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            consensus: (2_000, 1_000),
            bulk: (128, 32),
            consensus_unproven: (128, 32),
            bulk_unproven: (32, 8),
            guardian: (4_000, 1_000),
            gossip: (8_000, 4_000),
            gossip_bytes: (64 << 20, 32 << 20),
            blocks: (64, 16),
            control: (64, 16),
            addresses: (64, 16),
        }
    }
}
