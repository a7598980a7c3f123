//! Consensus messages, transactions and blocks between nodes.

use crate::common::*;
use std::time::Instant;
use vigil_net::limits::{BLOCKS_BYTES_MAX, CONSENSUS_BYTES_MAX, CONSENSUS_SMALL_BYTES_MAX, GUARDIAN_BYTES_MAX};
use vigil_net::{
    BlocksRequest, BlocksResponse, GossipId, Head, NetConfig, NetEvent, Peer, Rates, RequestError, Verdict,
};
use vigil_primitives::{Bytes, Hash};

/// More than the burst that a peer allows.
const HURRIED_REQUESTS: u64 = 100;

fn consensus(event: NetEvent) -> Option<(Peer, bool, Bytes)> {
    match event {
        NetEvent::Consensus { peer, validator, bytes } => Some((peer, validator, bytes)),
        _ => None,
    }
}

fn guardian(event: NetEvent) -> Option<(Peer, Bytes)> {
    match event {
        NetEvent::Guardian { peer, bytes } => Some((peer, bytes)),
        _ => None,
    }
}

fn txs(event: NetEvent) -> Option<(Vec<Bytes>, GossipId)> {
    match event {
        NetEvent::Txs { txs, message, .. } => Some((txs, message)),
        _ => None,
    }
}

fn blocks(event: NetEvent) -> Option<(u64, Result<BlocksResponse, RequestError>)> {
    match event {
        NetEvent::Blocks { id, result, .. } => Some((id, result)),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validators_hear_each_other() {
    let committee: Vec<_> = (1..=4).map(validator).collect();
    let mut nodes: Vec<Node> = Vec::new();
    for address in &committee {
        let seeds: Vec<_> = nodes.iter().map(Node::seed).collect();
        nodes.push(Node::start(Over::Tcp, TestKey(*address), &seeds).await);
    }
    for node in &mut nodes {
        node.handle.set_validators(committee.clone()).unwrap();
        for _ in 1..committee.len() {
            node.connected().await;
        }
    }
    for n in 0..nodes.len() {
        let vote = Bytes::from(vec![n as u8; 200]);
        nodes[n].handle.broadcast_consensus(vote.clone()).unwrap();
        for (other, node) in nodes.iter_mut().enumerate().filter(|(other, _)| *other != n) {
            let (_, validator, bytes) = node.wait(&format!("vote of {n} at {other}"), consensus).await;
            assert!(validator);
            assert_eq!(bytes, vote);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_every_size_arrive() {
    for over in [Over::Tcp, Over::Quic] {
        let ((a, seen_by_a), (mut b, _)) = pair(over, Follower, Follower).await;
        let sizes = [0, 1, CONSENSUS_SMALL_BYTES_MAX, CONSENSUS_SMALL_BYTES_MAX + 1, CONSENSUS_BYTES_MAX];
        for size in sizes {
            let message = Bytes::from(vec![size as u8; size]);
            a.handle.send_consensus(seen_by_a.peer, message.clone()).unwrap();
            let (_, validator, got) = b.wait(&format!("message of {size} bytes"), consensus).await;
            assert!(!validator, "nobody has said who validates");
            assert!(got == message, "{size} bytes");
        }
        // One over the limit is not sent; the connection lives on.
        a.handle.send_consensus(seen_by_a.peer, Bytes::from(vec![0; CONSENSUS_BYTES_MAX + 1])).unwrap();
        a.handle.send_consensus(seen_by_a.peer, Bytes::from(vec![42])).unwrap();
        assert_eq!(b.wait("the last message", consensus).await.2, Bytes::from(vec![42]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guardians_hear_each_other() {
    for over in [Over::Tcp, Over::Quic] {
        let ((a, seen_by_a), (mut b, seen_by_b)) = pair(over, Follower, Follower).await;
        for size in [0, 1, GUARDIAN_BYTES_MAX] {
            let message = Bytes::from(vec![size as u8; size]);
            a.handle.send_guardian(seen_by_a.peer, message.clone()).unwrap();
            let got = b.wait(&format!("message of {size} bytes"), guardian).await;
            assert_eq!(got, (seen_by_b.peer, message));
        }
        // One over the limit is not sent; the connection lives on.
        a.handle.send_guardian(seen_by_a.peer, Bytes::from(vec![0; GUARDIAN_BYTES_MAX + 1])).unwrap();
        a.handle.send_guardian(seen_by_a.peer, Bytes::from(vec![42])).unwrap();
        assert_eq!(b.wait("the last message", guardian).await.1, Bytes::from(vec![42]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_does_not_wait_behind_a_proposal() {
    let ((a, seen_by_a), (mut b, _)) = pair(Over::Tcp, Follower, Follower).await;
    let proposal = Bytes::from(vec![1; CONSENSUS_BYTES_MAX]);
    let mut waits = Vec::new();
    for round in 0..20u8 {
        let start = Instant::now();
        a.handle.send_consensus(seen_by_a.peer, Bytes::from(vec![round])).unwrap();
        assert_eq!(b.wait("vote", consensus).await.2[0], round);
        waits.push(start.elapsed());
    }
    waits.sort();
    eprintln!("vote on loopback: median {:?}, worst {:?}", waits[10], waits[19]);
    for _ in 0..3 {
        a.handle.send_consensus(seen_by_a.peer, proposal.clone()).unwrap();
    }
    a.handle.send_consensus(seen_by_a.peer, Bytes::from(vec![2])).unwrap();
    let first = b.wait("first of both", consensus).await.2;
    assert_eq!(first.len(), 1, "25 MB of proposals came before one byte of vote");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_cross_a_line_of_nodes() {
    for over in [Over::Tcp, Over::Quic] {
        let mut line: Vec<Node> = vec![Node::start(over, Follower, &[]).await];
        for _ in 0..3 {
            let seed = line.last().unwrap().seed();
            let mut node = Node::start(over, Follower, &[seed]).await;
            node.connected().await;
            line.push(node);
        }
        let batch: Vec<Bytes> = (0..50u8).map(|n| Bytes::from(vec![n; 300])).collect();
        publish_until_heard(&mut line, &batch).await;
    }
}

/// Gossip needs a moment to learn who is subscribed: publishes changing batches until one has crossed the line.
async fn publish_until_heard(line: &mut [Node], batch: &[Bytes]) {
    let (first, rest) = line.split_first_mut().unwrap();
    let last = rest.len() - 1;
    let start = Instant::now();
    for attempt in 0u32.. {
        assert!(start.elapsed() < DEADLINE, "no transaction has crossed the line");
        let mut marked = batch.to_vec();
        marked.push(Bytes::from(attempt.to_be_bytes().to_vec()));
        first.handle.publish_txs(marked.clone()).unwrap();
        let round = async {
            for (n, node) in rest.iter_mut().enumerate() {
                let (got, message) = node.wait("Txs", txs).await;
                node.handle.report(message, Verdict::Accept).unwrap();
                assert_eq!(got[..batch.len()], *batch);
                if n == last {
                    return got;
                }
            }
            unreachable!("the line has a last node")
        };
        if tokio::time::timeout(std::time::Duration::from_millis(500), round).await.is_ok() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_accepted_is_not_forwarded() {
    let ((mut a, _), (mut b, _)) = pair(Over::Tcp, Follower, Follower).await;
    let mut c = Node::start(Over::Tcp, Follower, &[b.seed()]).await;
    c.connected().await;
    publish_until_heard_by_all(&mut a, &mut b, &mut c).await;
    a.handle.publish_txs(vec![Bytes::from(b"bad".to_vec())]).unwrap();
    let (_, message) = b.wait("the bad one", |event| txs(event).filter(|(txs, _)| txs[0].as_ref() == b"bad")).await;
    b.handle.report(message, Verdict::Reject).unwrap();
    // The forwarder of rubbish is banned, and c never hears of it.
    a.disconnected().await;
    b.handle.publish_txs(vec![Bytes::from(b"end".to_vec())]).unwrap();
    c.wait("the end", |event| {
        let (txs, _) = txs(event)?;
        assert_ne!(txs[0].as_ref(), b"bad");
        (txs[0].as_ref() == b"end").then_some(())
    })
    .await;
}

async fn publish_until_heard_by_all(a: &mut Node, b: &mut Node, c: &mut Node) {
    let (first, mut rest) = (a, [b, c]);
    let start = Instant::now();
    for attempt in 0u32.. {
        assert!(start.elapsed() < DEADLINE, "gossip does not start");
        first.handle.publish_txs(vec![Bytes::from(attempt.to_be_bytes().to_vec())]).unwrap();
        let round = async {
            for node in &mut rest {
                let (_, message) = node.wait("Txs", txs).await;
                node.handle.report(message, Verdict::Accept).unwrap();
            }
        };
        if tokio::time::timeout(std::time::Duration::from_millis(500), round).await.is_ok() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_are_asked_for_and_given() {
    for over in [Over::Tcp, Over::Quic] {
        let ((a, seen_by_a), (mut b, _)) = pair(over, Follower, Follower).await;
        let requests =
            [BlocksRequest::Headers { from: 7, max: 64 }, BlocksRequest::Bodies(vec![Hash::repeat_byte(1); 64])];
        let items = vec![Bytes::from(vec![9; BLOCKS_BYTES_MAX / 64]); 64];
        let headers = BlocksResponse::Headers { headers: items.clone(), tip: Some(Bytes::from(vec![1; 4_000])) };
        let answers = [headers, BlocksResponse::Bodies(items)];
        let expected = answers.clone();
        let server = tokio::spawn(async move {
            for answer in answers {
                b.wait("BlocksRequest", |event| match event {
                    NetEvent::BlocksRequest { reply, .. } => reply.send(answer.clone()).ok(),
                    _ => None,
                })
                .await;
            }
            b
        });
        let mut a = a;
        for (id, (request, answer)) in requests.into_iter().zip(expected).enumerate() {
            a.handle.request_blocks(seen_by_a.peer, id as u64, request).unwrap();
            let (got, result) = a.wait("Blocks", blocks).await;
            assert_eq!(got, id as u64);
            assert!(result.unwrap() == answer);
        }
        let b = server.await.unwrap();
        // Every request is answered, also when the peer goes away or was never there.
        a.handle.request_blocks(seen_by_a.peer, 10, BlocksRequest::Headers { from: 0, max: 1 }).unwrap();
        a.handle.request_blocks(Peer(999), 11, BlocksRequest::Headers { from: 0, max: 1 }).unwrap();
        assert_eq!(a.wait("refusal", blocks).await, (11, Err(RequestError::NotConnected)));
        drop(b);
        let (id, result) = a.wait("failure", blocks).await;
        assert!(id == 10 && result.is_err(), "{result:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_requests_are_bounded() {
    let ((mut a, seen_by_a), (_b, _)) = pair(Over::Tcp, Follower, Follower).await;
    for id in 0..17 {
        a.handle.request_blocks(seen_by_a.peer, id, BlocksRequest::Headers { from: 0, max: 1 }).unwrap();
    }
    assert_eq!(a.wait("refusal", blocks).await, (16, Err(RequestError::TooMany)));
}

/// A node on a fast chain, or that catches up, has more to say and to ask than its peers allow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_in_a_hurry_keeps_to_the_limits_of_others() {
    let ((mut a, seen_by_a), (mut b, seen_by_b)) = pair(Over::Tcp, Follower, Follower).await;
    let server = tokio::spawn(async move {
        let mut head = Head::default();
        let mut served = 0;
        while head.height < 1_000 || served < HURRIED_REQUESTS {
            b.wait("heads and requests", |event| match event {
                NetEvent::Status { head: told, .. } => {
                    head = told;
                    Some(())
                }
                NetEvent::BlocksRequest { reply, .. } => {
                    served += 1;
                    reply.send(BlocksResponse::Bodies(Vec::new())).ok()
                }
                NetEvent::PeerDisconnected(peer) => panic!("{peer:?} was sent away"),
                _ => None,
            })
            .await;
        }
        b
    });
    for id in 0..HURRIED_REQUESTS {
        for height in 1..=10 {
            let head = Head { height: id * 10 + height, hash: Hash::repeat_byte(1) };
            a.handle.publish_status(head).unwrap();
        }
        a.handle.request_blocks(seen_by_a.peer, id, BlocksRequest::Bodies(vec![Hash::ZERO])).unwrap();
        assert_eq!(a.wait("Blocks", blocks).await, (id, Ok(BlocksResponse::Bodies(Vec::new()))));
    }
    let b = server.await.unwrap();
    let scores = b.handle.peers().await.unwrap();
    assert_eq!(scores.iter().map(|info| (info.peer, info.score)).collect::<Vec<_>>(), [(seen_by_b.peer, 0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_ends_in_a_ban() {
    let dir = tempfile::tempdir().unwrap();
    let rates = Rates { consensus_unproven: (20, 1), ..Rates::default() };
    let strict = NetConfig { listen: vec![Over::Tcp.listen(0)], rates, ..config(dir.path()) };
    let mut a = Node::with(strict, "testnet", Follower).await;
    let mut b = Node::start(Over::Tcp, Follower, &[a.seed()]).await;
    let (seen_by_a, seen_by_b) = (a.connected().await, b.connected().await);
    for n in 0..400u32 {
        b.handle.send_consensus(seen_by_b.peer, Bytes::from(n.to_be_bytes().to_vec())).unwrap();
    }
    let mut heard = 0;
    a.wait("the end of the flood", |event| match event {
        NetEvent::Consensus { .. } => {
            heard += 1;
            None
        }
        NetEvent::PeerDisconnected(peer) => (peer == seen_by_a.peer).then_some(()),
        _ => None,
    })
    .await;
    assert!((20..=60).contains(&heard), "{heard} messages got through");
    assert!(dir.path().join("bans.json").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_node_holds_its_peers_back_and_loses_nothing() {
    let ((a, seen_by_a), (mut b, _)) = pair(Over::Tcp, TestKey(validator(1)), TestKey(validator(2))).await;
    for node in [&a, &b] {
        node.handle.set_validators(vec![validator(1)]).unwrap();
        node.handle.peers().await.unwrap();
    }
    for n in 0..1_000u32 {
        a.handle.send_consensus(seen_by_a.peer, Bytes::from(n.to_be_bytes().to_vec())).unwrap();
    }
    let mut heard = std::collections::BTreeSet::new();
    while heard.len() < 1_000 {
        let bytes = b.wait("message", consensus).await.2;
        heard.insert(u32::from_be_bytes(bytes.as_ref().try_into().unwrap()));
    }
}
