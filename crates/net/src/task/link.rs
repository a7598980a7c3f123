//! What the task keeps of a connected peer.

use crate::bucket::Buckets;
use crate::queue::{Channel, Outbox};
use crate::{Head, Peer, PeerInfo, Rates, Role};
use libp2p::request_response::OutboundRequestId;
use libp2p::{Multiaddr, PeerId};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Instant;
use vigil_primitives::{Address, Bytes};

/// What a peer has said of itself, checked.
#[derive(Clone, Debug)]
pub(super) struct Greeting {
    pub(super) agent: String,
    pub(super) role: Role,
    pub(super) validator: Option<Address>,
}

/// A connected peer, over one or two connections.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) peer: Peer,
    pub(super) address: Multiaddr,
    pub(super) outbound: bool,
    pub(super) since: Instant,
    /// Set by its hello; the node knows of the peer from then on.
    pub(super) greeting: Option<Greeting>,
    /// The head it last told.
    pub(super) head: Head,
    /// The head it was last told.
    pub(super) told: Head,
    /// A head is on its way to it.
    pub(super) telling: bool,
    /// Our hello was lost once.
    pub(super) said_hello_again: bool,
    pub(super) outbox: Outbox,
    /// What of it is not acknowledged yet, and whether it goes for the second time.
    pub(super) under_way: HashMap<(Channel, OutboundRequestId), (Bytes, bool)>,
    /// What it may send us.
    pub(super) buckets: Buckets,
    /// What we may send it: less than it may send us, by [`Rates::for_ourselves`].
    pub(super) own: Buckets,
    /// Requests for blocks open at it, and those that wait.
    pub(super) asked: usize,
    /// Requests for blocks that would come too fast for it.
    pub(super) to_ask: VecDeque<(u64, Bytes)>,
    /// Its requests for blocks open at us.
    pub(super) serving: usize,
    /// Validators whose address records it is yet to be told.
    pub(super) untold: BTreeSet<Address>,
    /// Address records are on their way to it.
    pub(super) telling_records: bool,
    /// The IP address it sees us at.
    pub(super) sees_us_at: Option<IpAddr>,
    pub(super) pings_failed: u32,
    /// Why it is about to be disconnected, and when at the latest.
    pub(super) doomed: Option<(&'static str, Instant)>,
}

impl Link {
    pub(super) fn new(peer: Peer, address: Multiaddr, outbound: bool, rates: &Rates, now: Instant) -> Self {
        Self {
            peer,
            address,
            outbound,
            since: now,
            greeting: None,
            head: Head::default(),
            told: Head::default(),
            telling: false,
            said_hello_again: false,
            outbox: Outbox::new(),
            under_way: HashMap::new(),
            buckets: Buckets::new(rates, now),
            own: Buckets::new(&rates.for_ourselves(), now),
            asked: 0,
            to_ask: VecDeque::new(),
            serving: 0,
            untold: BTreeSet::new(),
            telling_records: false,
            sees_us_at: None,
            pings_failed: 0,
            doomed: None,
        }
    }

    /// The validator address it has proven.
    pub(super) fn validator(&self) -> Option<&Address> {
        self.greeting.as_ref().and_then(|greeting| greeting.validator.as_ref())
    }

    /// For the node; `None` before its hello.
    pub(super) fn info(&self, id: PeerId, score: i32) -> Option<PeerInfo> {
        let greeting = self.greeting.as_ref()?;
        Some(PeerInfo {
            peer: self.peer,
            id,
            address: self.address.clone(),
            outbound: self.outbound,
            agent: greeting.agent.clone(),
            role: greeting.role,
            validator: greeting.validator,
            head: self.head,
            score,
        })
    }
}
