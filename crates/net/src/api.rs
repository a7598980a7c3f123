//! What the node and the network task say to each other.

use crate::{BlocksRequest, BlocksResponse, Peer, WireError};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;
use vigil_primitives::{Address, Bytes, Hash, Height};

/// A settled head: the newest settled block of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, alloy_rlp::RlpEncodable, alloy_rlp::RlpDecodable)]
pub struct Head {
    /// Its height.
    pub height: Height,
    /// Its hash.
    pub hash: Hash,
}

/// What a node says it is. Told, not proven; a validator proves itself by signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Follows the chain.
    #[default]
    Full,
    /// Proposes and votes.
    Validator,
    /// Votes for checkpoints.
    Guardian,
}

/// What is known of a connected peer.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    /// Its number, for as long as it is connected.
    pub peer: Peer,
    /// Its libp2p identity, which outlives connections.
    pub id: PeerId,
    /// Where it is connected from or to.
    pub address: Multiaddr,
    /// True if we dialled.
    pub outbound: bool,
    /// Its name and version.
    pub agent: String,
    /// What it says it is.
    pub role: Role,
    /// The validator address it has proven to sign for (whether or not in the current set).
    pub validator: Option<Address>,
    /// The last settled head it told.
    pub head: Head,
    /// Its score: at [`crate::BAN_AT`] it is banned.
    pub score: i32,
}

/// Names a gossip message that waits for [`NetCommand::Report`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GossipId {
    pub(crate) id: libp2p::gossipsub::MessageId,
    pub(crate) source: PeerId,
}

/// What the node found a gossip message to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good: forward it.
    Accept,
    /// Bad beyond doubt: drop it, penalise who forwarded it.
    Reject,
    /// Of no use (known, too late, no room): drop it.
    Ignore,
}

/// Why a request for blocks has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The peer is not connected (any more).
    #[error("the peer is not connected")]
    NotConnected,
    /// Sixteen requests to this peer are open already.
    #[error("16 requests to this peer are open")]
    TooMany,
    /// No answer in 20 s.
    #[error("no answer in time")]
    Timeout,
    /// The stream broke.
    #[error("stream failed: {0}")]
    Stream(String),
    /// The answer breaks a limit or is not what its encoding must be. The peer has been penalised.
    #[error("bad answer: {0}")]
    Malformed(WireError),
}

/// What the node asks of the network. Sending never waits; see [`crate::NetHandle`].
#[derive(Debug)]
pub enum NetCommand {
    /// The addresses whose consensus messages count: the current and the next set.
    SetValidators(Vec<Address>),
    /// One consensus message to one peer. Dropped if it is not connected.
    SendConsensus {
        /// To whom.
        peer: Peer,
        /// The encoded message.
        bytes: Bytes,
    },
    /// One consensus message to all connected validators, and to [`crate::NetConfig::followers_max`] others.
    BroadcastConsensus(Bytes),
    /// One message of a guardian to one peer. Dropped if it is not connected.
    SendGuardian {
        /// To whom.
        peer: Peer,
        /// The encoded message, at most [`crate::limits::GUARDIAN_BYTES_MAX`].
        bytes: Bytes,
    },
    /// Raw transactions to everyone; batched by 64 KiB or 10 ms.
    PublishTxs(Vec<Bytes>),
    /// Our settled head, to all peers. Repeating one is free.
    PublishStatus(Head),
    /// Asks a peer for blocks; answered by [`NetEvent::Blocks`] with the same `id`, always.
    RequestBlocks {
        /// Whom.
        peer: Peer,
        /// Chosen by the caller.
        id: u64,
        /// What.
        request: BlocksRequest,
    },
    /// The verdict on a gossip message.
    Report {
        /// From [`NetEvent::Txs`].
        message: GossipId,
        /// The verdict.
        verdict: Verdict,
    },
    /// Takes points from a peer.
    Penalize {
        /// Whom.
        peer: Peer,
        /// How many; see [`crate::points`].
        points: u32,
        /// For the log.
        reason: String,
    },
    /// Gives a peer a point for something useful.
    Reward(Peer),
    /// Connects to an address, and keeps connecting to it like to a seed.
    Dial(Multiaddr),
    /// Who is connected.
    Peers(oneshot::Sender<Vec<PeerInfo>>),
    /// Saves, closes, ends the task.
    Shutdown(oneshot::Sender<()>),
}

/// What the network tells the node.
#[derive(Debug)]
pub enum NetEvent {
    /// A peer of our chain has said hello.
    PeerConnected(PeerInfo),
    /// It is gone; its number will not be used again.
    PeerDisconnected(Peer),
    /// A consensus message, undecoded, within the size limits.
    Consensus {
        /// From whom.
        peer: Peer,
        /// True if the peer has proven an address of the current set.
        validator: bool,
        /// The encoded message.
        bytes: Bytes,
    },
    /// A message of a guardian, undecoded, within the size limit.
    Guardian {
        /// From whom.
        peer: Peer,
        /// The encoded message.
        bytes: Bytes,
    },
    /// Transactions. Not forwarded before [`NetCommand::Report`].
    Txs {
        /// Who forwarded them; not known to be their author.
        peer: Peer,
        /// Raw transactions, each within [`vigil_primitives::TX_BYTES_MAX`].
        txs: Vec<Bytes>,
        /// What to report on.
        message: GossipId,
    },
    /// A peer's settled head.
    Status {
        /// Whose.
        peer: Peer,
        /// The head it claims.
        head: Head,
    },
    /// A peer asks for blocks. Dropping `reply` answers nothing; the peer sees a timeout.
    BlocksRequest {
        /// Who.
        peer: Peer,
        /// What.
        request: BlocksRequest,
        /// Where the answer goes.
        reply: oneshot::Sender<BlocksResponse>,
    },
    /// The answer to [`NetCommand::RequestBlocks`].
    Blocks {
        /// Of whom.
        peer: Peer,
        /// The caller's number.
        id: u64,
        /// Blocks, or why not.
        result: Result<BlocksResponse, RequestError>,
    },
}

/// Why the network does not start or does not take a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// Why.
        reason: String,
    },
    /// An address cannot be told to other validators: names could lead them anywhere.
    #[error("cannot advertise {address}: it must be an IP address and a port, like /ip4/203.0.113.7/tcp/30001")]
    Advertise {
        /// The address.
        address: Multiaddr,
    },
    /// The node key.
    #[error(transparent)]
    Identity(#[from] crate::IdentityError),
    /// A file of the data directory.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// libp2p refuses a setting.
    #[error("network setup: {0}")]
    Setup(String),
    /// The command queue is full; the command is dropped.
    #[error("the network's command queue is full")]
    Busy,
    /// The task has ended.
    #[error("the network has shut down")]
    Closed,
}
