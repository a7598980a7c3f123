//! The swarm: transports and the protocols that share a connection.

use crate::codec::FrameCodec;
use crate::gate::Gate;
use crate::record::RECORDS_BYTES_MAX;
use crate::wire::limits::*;
use crate::{NetConfig, NetError};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::futures::StreamExt;
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity, MessageId, ValidationMode};
use libp2p::identity::Keypair;
use libp2p::kad::{self, store::MemoryStore};
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{self as rr, ProtocolSupport};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, Transport, allow_block_list, connection_limits, dns, identify, noise,
    ping, quic, tcp, yamux,
};
use std::net::SocketAddr;
use std::time::Duration;
use vigil_primitives::{Hash, SignDomain, keccak256};

/// Deadline of a request for blocks (`spec/consensus.md` §4.3 REC).
pub(crate) const BLOCKS_DEADLINE: Duration = Duration::from_secs(20);
const CONTROL_DEADLINE: Duration = Duration::from_secs(10);
const CONSENSUS_DEADLINE: Duration = Duration::from_secs(10);
const TRANSPORT_DEADLINE: Duration = Duration::from_secs(10);
const LISTEN_DEADLINE: Duration = Duration::from_secs(5);
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_DEADLINE: Duration = Duration::from_secs(10);
/// Connections are closed by us, not by idleness.
const IDLE: Duration = Duration::from_secs(365 * 24 * 3600);
/// Streams a connection and channel. The product with the message limit bounds what one peer can make us hold.
const CONSENSUS_STREAMS: usize = 128;
const BULK_STREAMS: usize = 4;
const CONTROL_STREAMS: usize = 16;
const ADDRESSES_STREAMS: usize = 2;
/// Gossip messages queued for one peer.
const GOSSIP_QUEUE: usize = 512;
const PENDING_INCOMING_MAX: u32 = 64;
/// Connections kept for our own dials, however many come in.
const OUTGOING_KEPT: u32 = 64;
const CONNECTIONS_PER_PEER: u32 = 2;

/// Everything that runs on a connection.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) gate: Gate,
    pub(crate) blocked: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) kad: Toggle<kad::Behaviour<MemoryStore>>,
    pub(crate) control: rr::Behaviour<FrameCodec>,
    pub(crate) consensus: rr::Behaviour<FrameCodec>,
    pub(crate) bulk: rr::Behaviour<FrameCodec>,
    pub(crate) guardian: rr::Behaviour<FrameCodec>,
    pub(crate) blocks: rr::Behaviour<FrameCodec>,
    pub(crate) addresses: rr::Behaviour<FrameCodec>,
    pub(crate) gossip: gossipsub::Behaviour,
}

/// The topic of transactions.
pub(crate) fn tx_topic(chain: &SignDomain) -> IdentTopic {
    IdentTopic::new(name(chain, "tx"))
}

/// What identify calls the protocol: peers of other chains tell another name.
pub(crate) fn node_protocol(chain: &SignDomain) -> String {
    name(chain, "node")
}

/// `/vigil/<chain id>/<first 16 hex digits of the genesis hash>/<what>/1`.
fn name(chain: &SignDomain, what: &str) -> String {
    format!("/vigil/{}/{}/{what}/1", chain.chain_id, short(&chain.genesis_hash))
}

fn short(hash: &Hash) -> String {
    hex::encode(&hash[..8])
}

/// Builds a swarm that neither listens nor dials yet.
pub(crate) fn swarm(config: &NetConfig, chain: &SignDomain, key: &Keypair) -> Result<Swarm<Behaviour>, NetError> {
    let id = key.public().to_peer_id();
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(connection_limits(config)),
        gate: Gate::new(config.per_address_max),
        blocked: allow_block_list::Behaviour::default(),
        identify: identify::Behaviour::new(
            identify::Config::new(node_protocol(chain), key.public()).with_agent_version(config.agent.clone()),
        ),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_DEADLINE)),
        kad: config.discovery.then(|| kademlia(chain, id)).transpose()?.into(),
        control: direct(
            "/vigil/control/1".into(),
            CONTROL_BYTES_MAX,
            CONTROL_BYTES_MAX,
            CONTROL_DEADLINE,
            CONTROL_STREAMS,
        )?,
        consensus: direct(
            name(chain, "consensus"),
            CONSENSUS_SMALL_BYTES_MAX,
            0,
            CONSENSUS_DEADLINE,
            CONSENSUS_STREAMS,
        )?,
        bulk: direct(name(chain, "bulk"), CONSENSUS_BYTES_MAX, 0, CONSENSUS_DEADLINE, BULK_STREAMS)?,
        guardian: direct(name(chain, "guardian"), GUARDIAN_BYTES_MAX, 0, CONSENSUS_DEADLINE, CONSENSUS_STREAMS)?,
        blocks: direct(
            name(chain, "blocks"),
            BLOCKS_REQUEST_BYTES_MAX,
            BLOCKS_RESPONSE_BYTES_MAX,
            BLOCKS_DEADLINE,
            2 * BLOCKS_OUTSTANDING_MAX,
        )?,
        addresses: direct(name(chain, "addresses"), RECORDS_BYTES_MAX, 0, CONTROL_DEADLINE, ADDRESSES_STREAMS)?,
        gossip: gossip(chain)?,
    };
    let swarm_config = libp2p::swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(IDLE)
        .with_substream_upgrade_protocol_override(Version::V1Lazy);
    Ok(Swarm::new(transport(key)?, behaviour, id, swarm_config))
}

/// Listens on all `addresses` and waits for each to be bound. Returns the bound ones with our peer id.
pub(crate) async fn listen(swarm: &mut Swarm<Behaviour>, addresses: &[Multiaddr]) -> Result<Vec<Multiaddr>, NetError> {
    let refused = |address: &Multiaddr, reason: String| NetError::Listen { address: address.clone(), reason };
    let mut waiting = Vec::new();
    for address in addresses {
        if let Some(socket) = tcp_address(address) {
            // libp2p shares TCP ports (SO_REUSEPORT): a second node on the port would go unnoticed.
            std::net::TcpListener::bind(socket).map_err(|error| refused(address, error.to_string()))?;
        }
        let listener = swarm.listen_on(address.clone()).map_err(|error| refused(address, with_causes(&error)))?;
        waiting.push((listener, address));
    }
    let mut bound = Vec::new();
    let deadline = tokio::time::Instant::now() + LISTEN_DEADLINE;
    while let Some((_, first)) = waiting.first() {
        let Ok(event) = tokio::time::timeout_at(deadline, swarm.select_next_some()).await else {
            return Err(refused(first, format!("not bound after {LISTEN_DEADLINE:?}")));
        };
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                waiting.retain(|(listener, _)| *listener != listener_id);
                bound.push(address.with_p2p(*swarm.local_peer_id()).unwrap_or_else(|address| address));
            }
            SwarmEvent::ListenerClosed { listener_id, reason: Err(error), .. } => {
                if let Some((_, address)) = waiting.iter().find(|(listener, _)| *listener == listener_id) {
                    return Err(refused(address, with_causes(&error)));
                }
            }
            _ => {}
        }
    }
    Ok(bound)
}

fn tcp_address(address: &Multiaddr) -> Option<SocketAddr> {
    let parts: Vec<_> = address.iter().collect();
    match parts[..] {
        [Protocol::Ip4(ip), Protocol::Tcp(port)] => Some((ip, port).into()),
        [Protocol::Ip6(ip), Protocol::Tcp(port)] => Some((ip, port).into()),
        _ => None,
    }
}

/// An error with what caused it; libp2p's own texts are often empty.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.retain(|text| !text.is_empty());
    causes.join(": ")
}

fn transport(key: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetError> {
    let plain = direct_transport(key)?;
    Ok(match dns::tokio::Transport::system(plain) {
        Ok(with_dns) => with_dns.boxed(),
        Err(error) => {
            tracing::warn!(%error, "no DNS configuration: peers can only be dialled by IP address");
            direct_transport(key)?
        }
    })
}

fn direct_transport(key: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetError> {
    let noise = noise::Config::new(key).map_err(|error| NetError::Setup(error.to_string()))?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default())
        .timeout(TRANSPORT_DEADLINE)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let quic =
        quic::tokio::Transport::new(quic::Config::new(key)).map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    Ok(tcp.or_transport(quic).map(|either, _| either.into_inner()).boxed())
}

fn connection_limits(config: &NetConfig) -> connection_limits::ConnectionLimits {
    let incoming = u32::try_from(config.max_peers).unwrap_or(u32::MAX / 4).saturating_mul(2).saturating_add(64);
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_INCOMING_MAX))
        .with_max_established_incoming(Some(incoming))
        .with_max_established(Some(incoming.saturating_add(OUTGOING_KEPT)))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER))
}

fn direct(
    name: String,
    request_bytes_max: usize,
    response_bytes_max: usize,
    deadline: Duration,
    streams: usize,
) -> Result<rr::Behaviour<FrameCodec>, NetError> {
    let config = rr::Config::default().with_request_timeout(deadline).with_max_concurrent_streams(streams);
    let codec = FrameCodec { request_bytes_max, response_bytes_max };
    Ok(rr::Behaviour::with_codec(codec, [(protocol(name)?, ProtocolSupport::Full)], config))
}

fn protocol(name: String) -> Result<StreamProtocol, NetError> {
    StreamProtocol::try_from_owned(name).map_err(|error| NetError::Setup(error.to_string()))
}

fn kademlia(chain: &SignDomain, id: PeerId) -> Result<kad::Behaviour<MemoryStore>, NetError> {
    let mut config = kad::Config::new(protocol(name(chain, "kad"))?);
    config
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_publication_interval(None)
        .set_provider_publication_interval(None)
        // libp2p would warn each time that there is nobody to ask; `Task::discover` asks when there is.
        .set_periodic_bootstrap_interval(None);
    let mut kad = kad::Behaviour::with_config(id, MemoryStore::new(id), config);
    kad.set_mode(Some(kad::Mode::Server));
    Ok(kad)
}

/// Unsigned gossip: what it carries proves itself. Named by content, so that a copy is a copy whoever sends it.
fn gossip(chain: &SignDomain) -> Result<gossipsub::Behaviour, NetError> {
    let config = gossipsub::ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message| MessageId::new(&keccak256(&message.data)[..20]))
        .max_transmit_size(GOSSIP_BYTES_MAX + 1024)
        .heartbeat_initial_delay(Duration::from_millis(500))
        .connection_handler_queue_len(GOSSIP_QUEUE)
        .build()
        .map_err(|error| NetError::Setup(error.to_string()))?;
    let mut gossip = gossipsub::Behaviour::new(MessageAuthenticity::Anonymous, config)
        .map_err(|error| NetError::Setup(error.to_owned()))?;
    gossip.subscribe(&tx_topic(chain)).map_err(|error| NetError::Setup(error.to_string()))?;
    Ok(gossip)
}
