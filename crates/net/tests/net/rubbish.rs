//! A peer that speaks libp2p and our protocol names, and sends rubbish.

use crate::common::*;
use libp2p::futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{self as rr, Codec, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use std::io;
use vigil_net::PeerId;

/// Sends the request's bytes as they are, without a length.
#[derive(Clone, Default)]
struct Raw;

impl Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&request).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
        _: Vec<u8>,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io.take(1 << 20).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

const CONTROL: &str = "/vigil/control/1";

/// Speaks `protocol`; takes hellos and never answers them.
fn rogue(protocol: &str) -> Swarm<rr::Behaviour<Raw>> {
    let mut protocols = vec![(StreamProtocol::try_from_owned(protocol.to_owned()).unwrap(), ProtocolSupport::Full)];
    if protocol != CONTROL {
        protocols.push((StreamProtocol::new(CONTROL), ProtocolSupport::Inbound));
    }
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| rr::Behaviour::<Raw>::new(protocols, rr::Config::default()))
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(DEADLINE))
        .build()
}

/// Sends `bytes` on `protocol`, again and again, until the node has closed the connection. Returns how often.
async fn send_until_dropped(node: &Node, protocol: &str, bytes: &[u8]) -> u32 {
    let mut rogue = rogue(protocol);
    let target: PeerId = node.handle.local_peer_id();
    rogue.dial(node.seed()).unwrap();
    let mut sent = 0;
    let mut unanswered = Vec::new();
    let all = async {
        loop {
            match rogue.select_next_some().await {
                SwarmEvent::Behaviour(rr::Event::Message { message: rr::Message::Request { channel, .. }, .. }) => {
                    unanswered.push(channel);
                }
                SwarmEvent::ConnectionEstablished { .. }
                | SwarmEvent::Behaviour(rr::Event::Message { .. } | rr::Event::OutboundFailure { .. })
                    if rogue.is_connected(&target) =>
                {
                    sent += 1;
                    rogue.behaviour_mut().send_request(&target, bytes.to_vec());
                }
                SwarmEvent::ConnectionClosed { .. } => return,
                _ => {}
            }
        }
    };
    tokio::time::timeout(DEADLINE, all).await.expect("the node keeps listening to rubbish");
    sent
}

fn name(what: &str) -> String {
    let chain = chain("testnet");
    format!("/vigil/testnet/{}/{what}/1", &chain.genesis_hash.to_string()[2..18])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rubbish_is_banned_and_the_node_lives_on() {
    let mut node = Node::start(Over::Tcp, Follower, &[]).await;
    let framed = |body: &[u8]| [&(body.len() as u32).to_be_bytes()[..], body].concat();
    let garbage = framed(&[0xff; 100]);
    let oversize = [0xff, 0xff, 0xff, 0xff, 1, 2, 3];
    for (protocol, bytes) in [
        (CONTROL.to_owned(), garbage.as_slice()),
        (CONTROL.to_owned(), &oversize),
        (name("consensus"), &oversize),
        (name("bulk"), &oversize),
        (name("guardian"), &oversize),
        (name("blocks"), &garbage),
        (name("blocks"), &oversize),
    ] {
        let sent = send_until_dropped(&node, &protocol, bytes).await;
        assert!((2..=4).contains(&sent), "{protocol}: closed after {sent} messages, malformed ones cost 50 points");
    }
    let bans = std::fs::read_to_string(node.dir.as_ref().unwrap().path().join("bans.json")).unwrap();
    assert_eq!(bans.matches(':').count(), 7, "{bans}");
    // Nobody of them was introduced to the node, and an honest peer still is.
    let honest = Node::start(Over::Tcp, Follower, &[node.seed()]).await;
    assert_eq!(node.connected().await.id, honest.handle.local_peer_id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_without_hello_is_not_heard() {
    let mut node = Node::start(Over::Tcp, Follower, &[]).await;
    let sent = send_until_dropped(&node, &name("consensus"), &[0, 0, 0, 1, 7]).await;
    assert!(sent >= 1);
    assert!(node.events.try_recv().is_err(), "the node was told of a stranger");
}
