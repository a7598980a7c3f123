use super::*;
use crate::{GossipId, Head, Peer};
use libp2p::PeerId;

fn message(n: u32) -> Bytes {
    Bytes::from(n.to_be_bytes().to_vec())
}

#[test]
fn nothing_leaves_before_the_hello() {
    let mut outbox = Outbox::new();
    assert!(outbox.push(Channel::Small, message(1)));
    assert_eq!(outbox.next(|_| true), None);
    outbox.open();
    assert_eq!(outbox.next(|_| true), Some((Channel::Small, message(1))));
}

#[test]
fn small_messages_overtake_large_ones() {
    let mut outbox = Outbox::new();
    outbox.open();
    let large = Bytes::from(vec![0; crate::limits::CONSENSUS_SMALL_BYTES_MAX + 1]);
    outbox.push(Channel::of(&large), large.clone());
    outbox.push(Channel::Small, message(1));
    assert_eq!(outbox.next(|_| true), Some((Channel::Small, message(1))));
    assert_eq!(outbox.next(|_| true), Some((Channel::Bulk, large)));
    assert_eq!(outbox.next(|_| true), None);
}

#[test]
fn the_oldest_gives_way_and_flight_is_bounded() {
    let mut outbox = Outbox::new();
    outbox.open();
    assert!((0..SMALL_MAX as u32).all(|n| outbox.push(Channel::Small, message(n))));
    assert!(!outbox.push(Channel::Small, message(9_999)), "one was dropped");
    assert_eq!(outbox.next(|_| true), Some((Channel::Small, message(1))), "the oldest");
    for _ in 1..SMALL_IN_FLIGHT_MAX {
        assert!(outbox.next(|_| true).is_some());
    }
    assert_eq!(outbox.next(|_| true), None);
    outbox.done(Channel::Small);
    assert!(outbox.next(|_| true).is_some());
}

fn txs(n: u64) -> NetEvent {
    let message = GossipId { id: libp2p::gossipsub::MessageId::new(&n.to_be_bytes()), source: PeerId::random() };
    NetEvent::Txs { peer: Peer(n), txs: vec![], message }
}

#[test]
fn votes_overtake_transactions_and_only_transactions_are_dropped() {
    let mut inbox = Inbox::default();
    for n in 0..TXS_MAX as u64 {
        assert!(inbox.push(txs(n)).is_empty());
    }
    assert!(matches!(inbox.push(txs(7_777))[..], [NetEvent::Txs { peer: Peer(0), .. }]));
    inbox.push(NetEvent::Status { peer: Peer(1), head: Head::default() });
    inbox.push(NetEvent::Consensus { peer: Peer(1), validator: true, bytes: message(1) });
    assert!(matches!(inbox.pop(), Some(NetEvent::Consensus { .. })));
    assert!(matches!(inbox.pop(), Some(NetEvent::Status { .. })));
    assert!(matches!(inbox.pop(), Some(NetEvent::Txs { peer: Peer(1), .. })));
    assert!(!inbox.is_full());
    for _ in 0..URGENT_MAX {
        inbox.push(NetEvent::PeerDisconnected(Peer(1)));
    }
    assert!(inbox.is_full());
}

#[test]
fn what_waits_for_a_peer_is_bounded_in_bytes() {
    let mut outbox = Outbox::new();
    outbox.open();
    let block = Bytes::from(vec![0; CONSENSUS_BYTES_MAX]);
    let fitting = LANE_BYTES_MAX / CONSENSUS_BYTES_MAX;
    assert!((0..fitting).all(|_| outbox.push(Channel::Bulk, block.clone())));
    assert!(!outbox.push(Channel::Bulk, block.clone()), "one was dropped");
    assert_eq!(std::iter::from_fn(|| outbox.next(|_| true)).count(), fitting.min(BULK_IN_FLIGHT_MAX));
    let small = Bytes::from(vec![0; 1024]);
    assert!((0..SMALL_MAX).all(|_| outbox.push(Channel::Small, small.clone())));
    assert_eq!((outbox.small.bytes, outbox.bulk.bytes), (SMALL_MAX * 1024, 0), "lanes apart, and sent is gone");
}

#[test]
fn what_waits_for_the_node_is_bounded_in_bytes() {
    let mut inbox = Inbox::default();
    let bytes = Bytes::from(vec![0; CONSENSUS_BYTES_MAX]);
    let mut held = 0;
    while !inbox.is_full() {
        inbox.push(NetEvent::Consensus { peer: Peer(1), validator: false, bytes: bytes.clone() });
        held += bytes.len();
    }
    assert!((URGENT_BYTES_MAX..URGENT_BYTES_MAX + bytes.len()).contains(&held));
    while inbox.pop().is_some() {}
    assert!(!inbox.is_full() && inbox.is_empty() && inbox.urgent.bytes == 0);
    let batch = |n| match txs(n) {
        NetEvent::Txs { peer, message, .. } => NetEvent::Txs { peer, txs: vec![bytes.clone(); 4], message },
        _ => unreachable!("made above"),
    };
    let dropped: usize = (0..4).map(|n| inbox.push(batch(n)).len()).sum();
    assert!(dropped > 0 && inbox.txs.bytes <= TXS_BYTES_MAX);
}

#[test]
fn messages_of_guardians_have_lanes_of_their_own() {
    let mut outbox = Outbox::new();
    outbox.open();
    let large = Bytes::from(vec![0; crate::limits::CONSENSUS_SMALL_BYTES_MAX + 1]);
    outbox.push(Channel::Bulk, large.clone());
    outbox.push(Channel::Guardian, message(2));
    outbox.push(Channel::Small, message(1));
    let order: Vec<Channel> = std::iter::from_fn(|| outbox.next(|_| true)).map(|(channel, _)| channel).collect();
    assert_eq!(order, [Channel::Small, Channel::Guardian, Channel::Bulk]);

    let mut inbox = Inbox::default();
    let votes = |n: u64| NetEvent::Guardian { peer: Peer(n), bytes: Bytes::from(vec![0; 32 * 1024]) };
    let dropped: usize = (0..5_000).map(|n| inbox.push(votes(n)).len()).sum();
    assert_eq!(5_000 - dropped, GUARDIANS_BYTES_MAX / (32 * 1024), "the oldest give way");
    assert!(!inbox.is_full(), "they never stop the swarm");
    inbox.push(NetEvent::Consensus { peer: Peer(1), validator: true, bytes: message(1) });
    assert!(matches!(inbox.pop(), Some(NetEvent::Consensus { .. })));
    assert!(matches!(inbox.pop(), Some(NetEvent::Guardian { peer, .. }) if peer == Peer(dropped as u64)));
}
