//! Bounded queues: what waits for a peer, and what waits for the node.

use crate::NetEvent;
use crate::limits::{CONSENSUS_BYTES_MAX, GOSSIP_BYTES_MAX};
use std::collections::VecDeque;
use vigil_primitives::Bytes;

/// Small consensus messages waiting for one peer; the oldest gives way, for the machine repeats itself.
const SMALL_MAX: usize = 1_024;
/// Large ones.
const BULK_MAX: usize = 32;
/// Bytes of either that wait for one peer; the oldest gives way.
const LANE_BYTES_MAX: usize = 32 << 20;
/// Requests without acknowledgement, a peer and channel. Below the streams a connection carries.
const SMALL_IN_FLIGHT_MAX: usize = 64;
const BULK_IN_FLIGHT_MAX: usize = 4;
/// Consensus messages and connection events waiting for the node; at this many the swarm is not polled.
const URGENT_MAX: usize = 2_048;
/// Requests for blocks, answers and heads; likewise.
const NORMAL_MAX: usize = 512;
/// Batches of transactions; the oldest gives way.
const TXS_MAX: usize = 512;
/// Messages of guardians; the oldest gives way.
const GUARDIANS_MAX: usize = 4_096;
/// Bytes of them; likewise.
const GUARDIANS_BYTES_MAX: usize = 32 << 20;
/// Bytes of consensus messages waiting for the node; at this many the swarm is not polled.
const URGENT_BYTES_MAX: usize = 64 << 20;
/// Bytes of transactions waiting for the node; the oldest give way.
const TXS_BYTES_MAX: usize = 64 << 20;

const _: () = assert!(CONSENSUS_BYTES_MAX <= LANE_BYTES_MAX && GOSSIP_BYTES_MAX <= TXS_BYTES_MAX);

/// One channel of one peer.
#[derive(Debug)]
struct Lane {
    waiting: VecDeque<Bytes>,
    waiting_max: usize,
    bytes: usize,
    in_flight: usize,
    in_flight_max: usize,
}

impl Lane {
    fn new(waiting_max: usize, in_flight_max: usize) -> Self {
        Self { waiting: VecDeque::new(), waiting_max, bytes: 0, in_flight: 0, in_flight_max }
    }

    /// Returns false if older ones were dropped to make room.
    fn push(&mut self, message: Bytes) -> bool {
        self.bytes += message.len();
        self.waiting.push_back(message);
        let mut fits = true;
        while self.waiting.len() > self.waiting_max || self.bytes > LANE_BYTES_MAX {
            fits = false;
            self.pop();
        }
        fits
    }

    fn pop(&mut self) -> Option<Bytes> {
        let message = self.waiting.pop_front()?;
        self.bytes -= message.len();
        Some(message)
    }

    fn next(&mut self, may: impl FnOnce() -> bool) -> Option<Bytes> {
        if self.in_flight == self.in_flight_max || self.waiting.is_empty() || !may() {
            return None;
        }
        let message = self.pop()?;
        self.in_flight += 1;
        Some(message)
    }
}

/// A channel for messages that are sent and not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Channel {
    /// Consensus messages of a usual size.
    Small,
    /// Large ones.
    Bulk,
    /// What guardians tell each other.
    Guardian,
}

impl Channel {
    /// That of a consensus message.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.len() <= crate::limits::CONSENSUS_SMALL_BYTES_MAX { Self::Small } else { Self::Bulk }
    }
}

/// Messages on their way to one peer. Shut until the peer has answered our hello, so that it never
/// receives a message of somebody it does not know.
#[derive(Debug)]
pub(crate) struct Outbox {
    open: bool,
    small: Lane,
    guardian: Lane,
    bulk: Lane,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            open: false,
            small: Lane::new(SMALL_MAX, SMALL_IN_FLIGHT_MAX),
            guardian: Lane::new(SMALL_MAX, SMALL_IN_FLIGHT_MAX),
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
    pub(crate) fn push(&mut self, channel: Channel, bytes: Bytes) -> bool {
        self.lane(channel).push(bytes)
    }

    pub(crate) fn has_waiting(&self) -> bool {
        [&self.small, &self.guardian, &self.bulk].iter().any(|lane| !lane.waiting.is_empty())
    }

    /// The next message to be sent now, small ones first. `may` is asked once for each that there is room for.
    pub(crate) fn next(&mut self, mut may: impl FnMut(Channel) -> bool) -> Option<(Channel, Bytes)> {
        if !self.open {
            return None;
        }
        let channels = [Channel::Small, Channel::Guardian, Channel::Bulk];
        channels.into_iter().find_map(|channel| Some((channel, self.lane(channel).next(|| may(channel))?)))
    }

    /// A message was acknowledged or has failed.
    pub(crate) fn done(&mut self, channel: Channel) {
        let lane = self.lane(channel);
        lane.in_flight = lane.in_flight.saturating_sub(1);
    }

    fn lane(&mut self, channel: Channel) -> &mut Lane {
        match channel {
            Channel::Small => &mut self.small,
            Channel::Bulk => &mut self.bulk,
            Channel::Guardian => &mut self.guardian,
        }
    }
}

/// Events in order, and how much they hold.
#[derive(Debug, Default)]
struct Line {
    events: VecDeque<NetEvent>,
    bytes: usize,
}

impl Line {
    fn push(&mut self, event: NetEvent) {
        self.bytes += weight(&event);
        self.events.push_back(event);
    }

    fn pop(&mut self) -> Option<NetEvent> {
        let event = self.events.pop_front()?;
        self.bytes -= weight(&event);
        Some(event)
    }
}

/// Bytes that an event holds of what a peer sent unasked; the node itself bounds the answers that it asks for.
fn weight(event: &NetEvent) -> usize {
    match event {
        NetEvent::Consensus { bytes, .. } | NetEvent::Guardian { bytes, .. } => bytes.len(),
        NetEvent::Txs { txs, .. } => txs.iter().map(|tx| tx.len()).sum(),
        _ => 0,
    }
}

/// Events on their way to the node, in four ranks: consensus and connections, blocks and heads, guardians, transactions.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    urgent: Line,
    normal: Line,
    guardians: Line,
    txs: Line,
}

impl Inbox {
    /// Queues an event. Returns those that were dropped to make room (only transactions and guardians' messages are).
    pub(crate) fn push(&mut self, event: NetEvent) -> Vec<NetEvent> {
        match event {
            NetEvent::Txs { .. } => {
                self.txs.push(event);
                return drop_old(&mut self.txs, TXS_MAX, TXS_BYTES_MAX);
            }
            NetEvent::Guardian { .. } => {
                self.guardians.push(event);
                return drop_old(&mut self.guardians, GUARDIANS_MAX, GUARDIANS_BYTES_MAX);
            }
            NetEvent::BlocksRequest { .. } | NetEvent::Blocks { .. } | NetEvent::Status { .. } => {
                self.normal.push(event);
            }
            NetEvent::PeerConnected(_) | NetEvent::PeerDisconnected(_) | NetEvent::Consensus { .. } => {
                self.urgent.push(event);
            }
        }
        Vec::new()
    }

    /// The most urgent event.
    pub(crate) fn pop(&mut self) -> Option<NetEvent> {
        let lines = [&mut self.urgent, &mut self.normal, &mut self.guardians, &mut self.txs];
        lines.into_iter().find_map(Line::pop)
    }

    pub(crate) fn is_empty(&self) -> bool {
        [&self.urgent, &self.normal, &self.guardians, &self.txs].iter().all(|line| line.events.is_empty())
    }

    /// True if the node is so far behind that nothing more should be read from the network.
    pub(crate) fn is_full(&self) -> bool {
        self.urgent.events.len() >= URGENT_MAX
            || self.normal.events.len() >= NORMAL_MAX
            || self.urgent.bytes >= URGENT_BYTES_MAX
    }
}

/// Drops the oldest until both limits are kept.
fn drop_old(line: &mut Line, events_max: usize, bytes_max: usize) -> Vec<NetEvent> {
    let mut dropped = Vec::new();
    while line.events.len() > events_max || line.bytes > bytes_max {
        dropped.extend(line.pop());
    }
    dropped
}

#[cfg(test)]
mod tests;
