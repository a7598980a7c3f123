//! Bounded queues: what waits for a peer, and what waits for the node.

use crate::NetEvent;
use std::collections::VecDeque;
use vigil_primitives::Bytes;

/// Small consensus messages waiting for one peer; the oldest gives way, for the machine repeats itself.
const SMALL_MAX: usize = 1_024;
/// Large ones.
const BULK_MAX: usize = 32;
/// Requests without acknowledgement, a peer. Below the streams a connection carries.
const SMALL_IN_FLIGHT_MAX: usize = 64;
const BULK_IN_FLIGHT_MAX: usize = 4;
/// Consensus messages and connection events waiting for the node; at this many the swarm is not polled.
const URGENT_MAX: usize = 2_048;
/// Requests for blocks, answers and heads; likewise.
const NORMAL_MAX: usize = 512;
/// Batches of transactions; the oldest gives way.
const TXS_MAX: usize = 512;

/// One channel of one peer.
#[derive(Debug)]
struct Lane {
    waiting: VecDeque<Bytes>,
    waiting_max: usize,
    in_flight: usize,
    in_flight_max: usize,
}

impl Lane {
    fn new(waiting_max: usize, in_flight_max: usize) -> Self {
        Self { waiting: VecDeque::new(), waiting_max, in_flight: 0, in_flight_max }
    }

    /// Returns false if the oldest was dropped to make room.
    fn push(&mut self, bytes: Bytes) -> bool {
        self.waiting.push_back(bytes);
        let fits = self.waiting.len() <= self.waiting_max;
        if !fits {
            self.waiting.pop_front();
        }
        fits
    }

    fn next(&mut self) -> Option<Bytes> {
        if self.in_flight == self.in_flight_max {
            return None;
        }
        let bytes = self.waiting.pop_front()?;
        self.in_flight += 1;
        Some(bytes)
    }
}

/// Which channel a consensus message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Small,
    Bulk,
}

impl Size {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.len() <= crate::limits::CONSENSUS_SMALL_BYTES_MAX { Self::Small } else { Self::Bulk }
    }
}

/// Consensus messages on their way to one peer. Shut until the peer has answered our hello, so that it never
/// receives a message of somebody it does not know.
#[derive(Debug)]
pub(crate) struct Outbox {
    open: bool,
    small: Lane,
    bulk: Lane,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            open: false,
            small: Lane::new(SMALL_MAX, SMALL_IN_FLIGHT_MAX),
            bulk: Lane::new(BULK_MAX, BULK_IN_FLIGHT_MAX),
        }
    }

    pub(crate) fn open(&mut self) {
        self.open = true;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Queues a message; false if an older one was dropped for it.
    pub(crate) fn push(&mut self, bytes: Bytes) -> bool {
        self.lane(Size::of(&bytes)).push(bytes)
    }

    /// The next message to be sent now, small ones first.
    pub(crate) fn next(&mut self) -> Option<(Size, Bytes)> {
        if !self.open {
            return None;
        }
        let small = self.small.next().map(|bytes| (Size::Small, bytes));
        small.or_else(|| self.bulk.next().map(|bytes| (Size::Bulk, bytes)))
    }

    /// A message was acknowledged or has failed.
    pub(crate) fn done(&mut self, size: Size) {
        let lane = self.lane(size);
        lane.in_flight = lane.in_flight.saturating_sub(1);
    }

    fn lane(&mut self, size: Size) -> &mut Lane {
        match size {
            Size::Small => &mut self.small,
            Size::Bulk => &mut self.bulk,
        }
    }
}

/// Events on their way to the node, in three ranks: consensus and connections, blocks and heads, transactions.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    urgent: VecDeque<NetEvent>,
    normal: VecDeque<NetEvent>,
    txs: VecDeque<NetEvent>,
}

impl Inbox {
    /// Queues an event. Returns the one that was dropped to make room, if any (only transactions are).
    pub(crate) fn push(&mut self, event: NetEvent) -> Option<NetEvent> {
        match event {
            NetEvent::Txs { .. } => {
                self.txs.push_back(event);
                if self.txs.len() > TXS_MAX { self.txs.pop_front() } else { None }
            }
            NetEvent::BlocksRequest { .. } | NetEvent::Blocks { .. } | NetEvent::Status { .. } => {
                self.normal.push_back(event);
                None
            }
            NetEvent::PeerConnected(_) | NetEvent::PeerDisconnected(_) | NetEvent::Consensus { .. } => {
                self.urgent.push_back(event);
                None
            }
        }
    }

    /// The most urgent event.
    pub(crate) fn pop(&mut self) -> Option<NetEvent> {
        self.urgent.pop_front().or_else(|| self.normal.pop_front()).or_else(|| self.txs.pop_front())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.normal.is_empty() && self.txs.is_empty()
    }

    /// True if the node is so far behind that nothing more should be read from the network.
    pub(crate) fn is_full(&self) -> bool {
        self.urgent.len() >= URGENT_MAX || self.normal.len() >= NORMAL_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GossipId, Head, Peer};
    use libp2p::PeerId;

    fn message(n: u32) -> Bytes {
        Bytes::from(n.to_be_bytes().to_vec())
    }

    #[test]
    fn nothing_leaves_before_the_hello() {
        let mut outbox = Outbox::new();
        assert!(outbox.push(message(1)));
        assert_eq!(outbox.next(), None);
        outbox.open();
        assert_eq!(outbox.next(), Some((Size::Small, message(1))));
    }

    #[test]
    fn small_messages_overtake_large_ones() {
        let mut outbox = Outbox::new();
        outbox.open();
        let large = Bytes::from(vec![0; crate::limits::CONSENSUS_SMALL_BYTES_MAX + 1]);
        outbox.push(large.clone());
        outbox.push(message(1));
        assert_eq!(outbox.next(), Some((Size::Small, message(1))));
        assert_eq!(outbox.next(), Some((Size::Bulk, large)));
        assert_eq!(outbox.next(), None);
    }

    #[test]
    fn the_oldest_gives_way_and_flight_is_bounded() {
        let mut outbox = Outbox::new();
        outbox.open();
        assert!((0..SMALL_MAX as u32).all(|n| outbox.push(message(n))));
        assert!(!outbox.push(message(9_999)), "one was dropped");
        assert_eq!(outbox.next(), Some((Size::Small, message(1))), "the oldest");
        for _ in 1..SMALL_IN_FLIGHT_MAX {
            assert!(outbox.next().is_some());
        }
        assert_eq!(outbox.next(), None);
        outbox.done(Size::Small);
        assert!(outbox.next().is_some());
    }

    fn txs(n: u64) -> NetEvent {
        let message = GossipId { id: libp2p::gossipsub::MessageId::new(&n.to_be_bytes()), source: PeerId::random() };
        NetEvent::Txs { peer: Peer(n), txs: vec![], message }
    }

    #[test]
    fn votes_overtake_transactions_and_only_transactions_are_dropped() {
        let mut inbox = Inbox::default();
        for n in 0..TXS_MAX as u64 {
            assert!(inbox.push(txs(n)).is_none());
        }
        assert!(matches!(inbox.push(txs(7_777)), Some(NetEvent::Txs { peer: Peer(0), .. })));
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
}
