//! Validators find each other by their signed address records.

use crate::common::*;
use std::collections::BTreeSet;
use vigil_net::{Multiaddr, NetConfig, NetEvent, PeerId};
use vigil_primitives::Address;

/// Waits until `node` is connected with all of `others`.
async fn meets(node: &mut Node, mut others: BTreeSet<PeerId>) {
    for peer in node.handle.peers().await.unwrap() {
        others.remove(&peer.id);
    }
    while !others.is_empty() {
        let what = format!("connection with {others:?}");
        let met = node.wait(&what, |event| match event {
            NetEvent::PeerConnected(info) => Some(info.id),
            _ => None,
        });
        others.remove(&met.await);
    }
}

/// Waits until the validators have a full mesh.
async fn mesh(nodes: &mut [Node]) {
    let ids: BTreeSet<_> = nodes.iter().map(|node| node.handle.local_peer_id()).collect();
    for node in nodes {
        let me = node.handle.local_peer_id();
        meets(node, ids.iter().copied().filter(|id| *id != me).collect()).await;
    }
}

async fn validators(over: Over, committee: &[Address], seed: &Multiaddr) -> Vec<Node> {
    let mut nodes = Vec::new();
    for address in committee {
        let node = Node::start(over, TestKey(*address), std::slice::from_ref(seed)).await;
        node.handle.set_validators(committee.to_vec()).unwrap();
        nodes.push(node);
    }
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validators_that_know_only_a_common_seed_end_in_a_full_mesh() {
    for over in [Over::Tcp, Over::Quic] {
        let committee: Vec<_> = (1..=5).map(validator).collect();
        let seed = Node::start(over, Follower, &[]).await;
        seed.handle.set_validators(committee.clone()).unwrap();
        let mut nodes = validators(over, &committee, &seed.seed()).await;
        mesh(&mut nodes).await;
        // Who does not validate is given the records and dials nobody.
        let mut follower = Node::start(over, Follower, &[seed.seed()]).await;
        follower.handle.set_validators(committee).unwrap();
        follower.connected().await;
        assert_eq!(follower.handle.peers().await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_member_joins_the_mesh_when_the_set_changes() {
    let committee: Vec<_> = (1..=3).map(validator).collect();
    let seed = Node::start(Over::Tcp, Follower, &[]).await;
    let mut nodes = validators(Over::Tcp, &committee[..2], &seed.seed()).await;
    seed.handle.set_validators(committee[..2].to_vec()).unwrap();
    mesh(&mut nodes).await;
    let newcomer = Node::start(Over::Tcp, TestKey(committee[2]), &[seed.seed()]).await;
    nodes.push(newcomer);
    for node in nodes.iter().chain([&seed]) {
        node.handle.set_validators(committee.clone()).unwrap();
    }
    mesh(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mesh_comes_back_without_the_seed_after_a_restart() {
    let committee: Vec<_> = (1..=2).map(validator).collect();
    let seed = Node::start(Over::Tcp, Follower, &[]).await;
    seed.handle.set_validators(committee.clone()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = NetConfig { listen: vec![Over::Tcp.listen(0)], seeds: vec![seed.seed()], ..config(dir.path()) };
    let stays = Node::start(Over::Tcp, TestKey(committee[0]), &[seed.seed()]).await;
    stays.handle.set_validators(committee.clone()).unwrap();
    let leaves = Node::with(config.clone(), "testnet", TestKey(committee[1])).await;
    leaves.handle.set_validators(committee.clone()).unwrap();
    let mut nodes = [stays, leaves];
    mesh(&mut nodes).await;
    let [mut stays, leaves] = nodes;
    leaves.handle.shutdown().await;
    drop(seed);
    // Only the record is left in the book: no seed, and no address that was learnt otherwise.
    let book = dir.path().join("peers.json");
    let mut saved: serde_json::Value = serde_json::from_slice(&std::fs::read(&book).unwrap()).unwrap();
    assert_eq!(saved["records"].as_array().map(Vec::len), Some(2), "{saved}");
    saved["peers"] = serde_json::json!({});
    std::fs::write(&book, saved.to_string()).unwrap();
    // It does not listen: the other one cannot be who dials.
    let again = NetConfig { seeds: vec![], listen: vec![], ..config };
    let mut again = Node::with(again, "testnet", TestKey(committee[1])).await;
    again.handle.set_validators(committee).unwrap();
    let info = again.connected().await;
    assert!(info.outbound && info.id == stays.handle.local_peer_id());
    stays.wait("its return", |event| matches!(event, NetEvent::PeerConnected(_)).then_some(())).await;
}
