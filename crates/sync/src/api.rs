//! What goes into the syncer and what comes out.

use crate::{Answer, AnswerError, Millis, Peer, Verdict};
use std::sync::Arc;
use vigil_consensus::{HEIGHT_WINDOW, PARKED_BYTES_MAX, PARKED_PER_PEER_MAX};
use vigil_primitives::{BLOCK_BYTES_MAX, Block, Hash, Hcc, Height};

/// A settled head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its height.
    pub height: Height,
    /// Its hash.
    pub hash: Hash,
}

/// Bounds and times.
#[derive(Clone, Copy, Debug)]
pub struct SyncConfig {
    /// Headers or blocks in one request, 1 to 64.
    pub range_blocks: u64,
    /// Requests open at a time.
    pub in_flight_max: usize,
    /// Requests open at one peer.
    pub in_flight_per_peer_max: usize,
    /// Blocks are delivered at most this far above our settled head while it moves.
    pub window: Height,
    /// And this far once it has not for [`SyncConfig::pause`]: a stretch that settles only with its last block.
    pub window_max: Height,
    /// Bytes of blocks held and, at 8 MiB a request, expected.
    pub buffer_bytes_max: usize,
    /// An answer is late after this: just before the network's own 20 s, so that lateness is told from other failures.
    pub deadline: Millis,
    /// Other peers a question is put to before it pauses for [`SyncConfig::pause`].
    pub retries: usize,
    /// See [`SyncConfig::retries`]. Also the pause before a peer is asked again for headers above its head.
    pub pause: Millis,
    /// How long consensus may take to close a gap of one block before we fetch it: a validator's gap closes by itself. A
    /// sixth of it for gaps below eight blocks. 0 for a node that only follows.
    pub patience: Millis,
    /// Blocks delivered and nothing settled for this long: everything is asked for again, of other peers first.
    pub stall_after: Millis,
    /// How long a peer with three failures in a row is neither believed nor asked.
    pub set_aside: Millis,
}

/// Blocks that consensus keeps while their parents are executed, whoever gave them and however large they are. It may
/// lose more, and ask for them again one by one.
const WINDOW: usize = PARKED_BYTES_MAX / BLOCK_BYTES_MAX - 2;

const _: () = assert!(WINDOW < PARKED_PER_PEER_MAX && (WINDOW as Height) < HEIGHT_WINDOW);

impl Default for SyncConfig {
    fn default() -> Self {
        Self {
            range_blocks: 64,
            in_flight_max: 8,
            in_flight_per_peer_max: 2,
            window: WINDOW as Height,
            window_max: HEIGHT_WINDOW,
            buffer_bytes_max: 128 * 1024 * 1024,
            deadline: 19_500,
            retries: 2,
            pause: 1_000,
            patience: 3_000,
            stall_after: 10_000,
            set_aside: 60_000,
        }
    }
}

/// What is asked of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Headers of settled blocks upward from a height, and what proves the last ([`crate::serve_headers`]).
    Headers {
        /// First height.
        from: Height,
        /// At most this many.
        max: u64,
    },
    /// Blocks by hash ([`crate::serve_bodies`]).
    Bodies(Vec<Hash>),
}

/// Something happened.
#[derive(Clone, Debug)]
pub enum SyncInput {
    /// A peer is connected, or tells a new settled head.
    PeerHead {
        /// Who.
        peer: Peer,
        /// Its claim.
        head: Head,
    },
    /// A peer is gone.
    PeerGone(Peer),
    /// The answer to [`SyncEffect::Request`].
    Answer {
        /// The request's number.
        id: u64,
        /// Decoded, or why there is none.
        answer: Result<Answer, AnswerError>,
    },
    /// The answer to [`SyncEffect::Verify`].
    Verified {
        /// Of the effect.
        ticket: u64,
        /// What [`crate::verify`] found under the sets known here.
        verdict: Verdict,
        /// True if [`SyncEffect::Verify::after`] was executed here before the sets were looked up: then no set that could
        /// count was missing.
        complete: bool,
    },
    /// Our settled head, whenever it moves, by sync or otherwise.
    Settled(Head),
    /// A delivered block is invalid here.
    Rejected {
        /// The block.
        hash: Hash,
        /// Why.
        reason: String,
    },
    /// Time passes: a few times a second.
    Tick,
}

/// Something to do.
#[derive(Clone, Debug)]
pub enum SyncEffect {
    /// Ask `peer`.
    Request {
        /// Whom.
        peer: Peer,
        /// To be given back with the answer.
        id: u64,
        /// For what.
        ask: Ask,
    },
    /// Check certificates with [`crate::verify`], off the loop: it costs signatures. One at a time.
    Verify {
        /// To be given back with the answer.
        ticket: u64,
        /// The proven header, or settled head, that the first certified block comes after.
        after: Hash,
        /// Certificates of blocks of one chain, ascending, each canonical and about the header it names.
        certs: Vec<Arc<Hcc>>,
    },
    /// Hand a block to consensus; its parent was delivered before, or is our settled head.
    Deliver {
        /// Who sent it.
        peer: Peer,
        /// Its hash.
        hash: Hash,
        /// The block.
        block: Arc<Block>,
    },
    /// Hand a certificate to consensus; its block was delivered before.
    Certificate {
        /// Who sent it.
        peer: Peer,
        /// The certificate, found good by [`SyncEffect::Verify`].
        cert: Arc<Hcc>,
    },
    /// A peer broke a rule.
    Penalize {
        /// Who.
        peer: Peer,
        /// What it did.
        fault: Fault,
        /// For the log.
        reason: String,
    },
    /// A peer was useful.
    Reward(Peer),
}

/// What a peer did wrong, with its price (`spec/consensus.md` §4.3 REC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Headers that are invalid, do not chain or are not certified; a block that is not the one asked for.
    Invalid,
    /// An answer that does not answer.
    Unsolicited,
    /// No answer in time.
    Timeout,
}

impl Fault {
    /// Points to be taken.
    pub fn points(self) -> u32 {
        match self {
            Self::Invalid => 100,
            Self::Unsolicited => 20,
            Self::Timeout => 5,
        }
    }
}

/// Whether and why we are not at the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// Nobody to ask.
    NoPeers,
    /// At the head, or so close that consensus closes the gap.
    Synced,
    /// Catching up.
    Behind {
        /// By how many blocks, if the peers tell the truth.
        blocks: Height,
    },
    /// Catching up does not get on.
    Stalled {
        /// As above.
        blocks: Height,
        /// What failed last.
        error: String,
    },
}

/// For RPC and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncStatus {
    /// Whether and why.
    pub state: SyncState,
    /// Our settled head.
    pub own: Head,
    /// The highest head a peer claims that is believed.
    pub best: Option<Height>,
    /// The highest head that is proven or that two peers claim, or of one or two the higher: no single peer of several makes it up.
    pub agreed: Option<Height>,
    /// Peers known.
    pub peers: usize,
}

impl SyncStatus {
    /// True while blocks are being fetched.
    pub fn is_syncing(&self) -> bool {
        matches!(self.state, SyncState::Behind { .. } | SyncState::Stalled { .. })
    }
}
