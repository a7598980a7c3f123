//! Who may connect, and what they learn of each other.

use crate::common::*;
use std::time::Duration;
use vigil_net::{Head, NetConfig, NetEvent, Network, Role, points};
use vigil_primitives::Hash;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_learn_who_the_other_is() {
    for over in [Over::Tcp, Over::Quic] {
        let ((a, seen_by_a), (b, seen_by_b)) = pair(over, TestKey(validator(1)), Follower).await;
        assert_eq!(seen_by_a.validator, None);
        assert_eq!(seen_by_b.validator, Some(validator(1)));
        assert_eq!(seen_by_a.id, b.handle.local_peer_id());
        assert_eq!(seen_by_b.id, a.handle.local_peer_id());
        assert!(seen_by_b.outbound && !seen_by_a.outbound);
        assert!(seen_by_b.agent.starts_with("vigil/"));
        assert_eq!(a.handle.peer_count(), 1);
        let peers = a.handle.peers().await.unwrap();
        assert_eq!(peers.len(), 1);
        assert_eq!(peers[0].peer, seen_by_a.peer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tcp_and_quic_on_one_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let a = Node::with(config(dir.path()).listen_on(loopback(), 0), "testnet", Follower).await;
    assert_eq!(a.handle.addresses().len(), 2, "{:?}", a.handle.addresses());
    for seed in a.handle.addresses() {
        let mut b = Node::start(Over::Tcp, Follower, std::slice::from_ref(seed)).await;
        assert_eq!(b.connected().await.id, a.handle.local_peer_id());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_chain_is_refused() {
    let mut a = Node::start(Over::Tcp, Follower, &[]).await;
    let dir = tempfile::tempdir().unwrap();
    let stranger = NetConfig { seeds: vec![a.seed()], ..config(dir.path()) };
    let mut stranger = Node::with(stranger, "othernet", Follower).await;
    // A third node of our chain connects meanwhile, so there is something to wait for.
    let mut b = Node::start(Over::Tcp, Follower, &[a.seed()]).await;
    b.connected().await;
    assert_eq!(a.connected().await.id, b.handle.local_peer_id());
    let nothing = tokio::time::timeout(Duration::from_secs(2), stranger.events.recv()).await;
    assert!(nothing.is_err(), "the stranger heard {nothing:?}");
    assert_eq!(a.handle.peer_count(), 1);
    assert_eq!(stranger.handle.peer_count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_proof_is_banned_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let listening = NetConfig { listen: vec![Over::Tcp.listen(0)], ..config(dir.path()) };
    let a = Node::with(listening.clone(), "testnet", TestKey(validator(1))).await;
    let liar = Node::start(Over::Tcp, Impostor(validator(2)), &[a.seed()]).await;
    let bans = dir.path().join("bans.json");
    let deadline = std::time::Instant::now() + DEADLINE;
    while !bans.exists() {
        assert!(std::time::Instant::now() < deadline, "nobody was banned");
        tokio::task::yield_now().await;
    }
    assert_eq!(a.handle.peer_count(), 0);
    a.handle.shutdown().await;
    // After a restart the ban holds; an honest peer gets in.
    let mut a = Node::with(listening, "testnet", TestKey(validator(1))).await;
    liar.handle.send(vigil_net::NetCommand::Dial(a.seed())).unwrap();
    let honest = Node::start(Over::Tcp, TestKey(validator(2)), &[a.seed()]).await;
    let info = a.connected().await;
    assert_eq!((info.id, info.validator), (honest.handle.local_peer_id(), Some(validator(2))));
    assert_eq!(a.handle.peer_count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_peer_is_found_again() {
    for over in [Over::Tcp, Over::Quic] {
        let dir = tempfile::tempdir().unwrap();
        let listening = NetConfig { listen: vec![over.listen(0)], role: Role::Validator, ..config(dir.path()) };
        let a = Node::with(listening.clone(), "testnet", Follower).await;
        let (first, id) = (a.seed(), a.handle.local_peer_id());
        let port = first.iter().find_map(|part| match part {
            libp2p::multiaddr::Protocol::Tcp(port) | libp2p::multiaddr::Protocol::Udp(port) => Some(port),
            _ => None,
        });
        let mut b = Node::start(over, Follower, &[first]).await;
        let before = b.connected().await;
        a.handle.shutdown().await;
        assert_eq!(b.disconnected().await, before.peer);
        let again = NetConfig { listen: vec![over.listen(port.unwrap())], ..listening };
        let a = start_when_free(again).await;
        let after = b.connected().await;
        assert_eq!(after.id, id, "the node key outlives the run");
        assert_eq!(after.role, Role::Validator);
        assert_ne!(after.peer, before.peer, "a new connection has a new number");
        drop(a);
    }
}

/// Closed QUIC connections keep the port for a moment.
async fn start_when_free(config: NetConfig) -> Node {
    let deadline = std::time::Instant::now() + DEADLINE;
    loop {
        let start = Network::start(config.clone(), chain("testnet"), Head::default(), std::sync::Arc::new(Follower));
        match start.await {
            Ok((handle, events)) => return Node { handle, events, dir: None },
            Err(error) => assert!(std::time::Instant::now() < deadline, "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_of_a_former_run_are_dialled() {
    let dir = tempfile::tempdir().unwrap();
    let mut a = Node::start(Over::Tcp, Follower, &[]).await;
    let mut b = Node::with(NetConfig { seeds: vec![a.seed()], ..config(dir.path()) }, "testnet", Follower).await;
    a.connected().await;
    b.connected().await;
    b.handle.shutdown().await;
    a.disconnected().await;
    let mut b = Node::with(config(dir.path()), "testnet", Follower).await;
    assert_eq!(b.connected().await.id, a.handle.local_peer_id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_spread_by_discovery() {
    let discovering = |dir: &std::path::Path, seeds| NetConfig {
        listen: vec![Over::Tcp.listen(0)],
        discovery: true,
        seeds,
        ..config(dir)
    };
    let dirs: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let hub = Node::with(discovering(dirs[0].path(), vec![]), "testnet", Follower).await;
    let mut a = Node::with(discovering(dirs[1].path(), vec![hub.seed()]), "testnet", Follower).await;
    let mut b = Node::with(discovering(dirs[2].path(), vec![hub.seed()]), "testnet", Follower).await;
    for (node, other) in [(&mut a, b.handle.local_peer_id())] {
        node.wait("connection to a peer heard of", |event| match event {
            NetEvent::PeerConnected(info) => (info.id == other).then_some(()),
            _ => None,
        })
        .await;
    }
    b.connected().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_room_for_so_many() {
    let dir = tempfile::tempdir().unwrap();
    let small = NetConfig { listen: vec![Over::Tcp.listen(0)], max_peers: 1, ..config(dir.path()) };
    let mut a = Node::with(small, "testnet", TestKey(validator(1))).await;
    a.handle.set_validators(vec![validator(3)]).unwrap();
    let mut first = Node::start(Over::Tcp, Follower, &[a.seed()]).await;
    first.connected().await;
    a.connected().await;
    let _second = Node::start(Over::Tcp, Follower, &[a.seed()]).await;
    // A validator is let in above the limit.
    let third = Node::start(Over::Tcp, TestKey(validator(3)), &[a.seed()]).await;
    assert_eq!(a.connected().await.id, third.handle.local_peer_id());
    assert_eq!(a.handle.peer_count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_are_told_and_told_again() {
    let ((mut a, _), (b, _)) = pair(Over::Tcp, Follower, Follower).await;
    for height in 1..=50 {
        b.handle.publish_status(Head { height, hash: Hash::repeat_byte(height as u8) }).unwrap();
    }
    let mut last = 0;
    while last < 50 {
        let head = a
            .wait("Status", |event| match event {
                NetEvent::Status { head, .. } => Some(head),
                _ => None,
            })
            .await;
        assert!(head.height > last, "heads do not go back");
        last = head.height;
    }
    // A newcomer hears it in the hello.
    let mut c = Node::start(Over::Tcp, Follower, &[b.seed()]).await;
    assert_eq!(c.connected().await.head.height, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn penalties_ban_at_one_hundred() {
    let ((mut a, seen_by_a), (mut b, _)) = pair(Over::Tcp, Follower, Follower).await;
    for _ in 0..19 {
        a.handle.penalize(seen_by_a.peer, points::TIMEOUT, "test").unwrap();
    }
    assert_eq!(a.handle.peers().await.unwrap()[0].score, -95);
    a.handle.penalize(seen_by_a.peer, points::TIMEOUT, "test").unwrap();
    assert_eq!(a.disconnected().await, seen_by_a.peer);
    b.disconnected().await;
    // It keeps dialling and is kept out; somebody else gets in.
    let c = Node::start(Over::Tcp, Follower, &[a.seed()]).await;
    assert_eq!(a.connected().await.id, c.handle.local_peer_id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_in_use_is_an_error() {
    let a = Node::start(Over::Tcp, Follower, &[]).await;
    let dir = tempfile::tempdir().unwrap();
    let mut taken = a.seed();
    taken.pop();
    let config = NetConfig { listen: vec![taken.clone()], ..config(dir.path()) };
    let result = Network::start(config, chain("testnet"), Head::default(), std::sync::Arc::new(Follower)).await;
    let error = result.expect_err("the port is taken").to_string();
    assert!(error.contains(&taken.to_string()) && error.contains("in use"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_cannot_be_advertised() {
    let dir = tempfile::tempdir().unwrap();
    let config = NetConfig { advertise: vec!["/dns4/node/tcp/1".parse().unwrap()], ..config(dir.path()) };
    let result = Network::start(config, chain("testnet"), Head::default(), std::sync::Arc::new(Follower)).await;
    let error = result.expect_err("a name").to_string();
    assert!(error.contains("/dns4/node/tcp/1") && error.contains("IP address"), "{error}");
}
