//! What goes into the machine and what it asks of the world.

use crate::{JournalRecord, Message, Millis, Peer, RestartPoint, RolledBack, ValidatorSet};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use std::sync::Arc;
use vigil_primitives::{Address, Block, Epoch, Evidence, Hash, Hcc, Height};

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The first input: timers start.
    Start,
    /// A message arrived on a connection.
    Received {
        /// Whose connection.
        from: Peer,
        /// What it says.
        message: Message,
    },
    /// A connection has ended: nothing is asked of it any more.
    Disconnected(Peer),
    /// The answer to [`Effect::Execute`].
    Executed {
        /// The block.
        block: Hash,
        /// What came of it.
        outcome: Result<Executed, BlockFault>,
    },
    /// The answer to [`Effect::Build`]: a block that was executed while it was built.
    Built {
        /// [`BuildRequest::epoch`].
        epoch: Epoch,
        /// Complete but for the signature. Chain id, epoch, height, parent, HCC and proposer are those of the request.
        block: Box<Block>,
        /// As for an executed block.
        executed: Executed,
    },
    /// A timer has run out. Late, early and repeated ones do no harm.
    Timer(TimerId),
}

/// What execution of a valid block tells consensus. The shell keeps it with the block, for [`crate::Recovered`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executed {
    /// The validator set after the block; `Some` only if the block changed the pool.
    pub set_after: Option<ValidatorSet>,
}

/// Why a block could not be executed. Errors of our own (disk, memory) are never answered with this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// The transactions are not those of the header: says nothing about the block, only about who sent it.
    #[error("the transactions do not have the header's root")]
    Body,
    /// Invalid for everybody at any time (a signature, an encoding): the sender is blamed.
    #[error("{0}")]
    Stateless(String),
    /// Invalid on its parent's state.
    #[error("{0}")]
    Invalid(String),
}

/// One of the machine's timers. Setting one again replaces its former time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerId {
    /// Timeout of the epoch, then every 7Δ (E1, E4).
    Epoch,
    /// The proposer's turn (L2, L3).
    Propose,
    /// Requests without an answer.
    Fetch,
}

/// Something to do, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Make it durable before any later effect is performed.
    Journal(JournalRecord),
    /// To one connection.
    Send {
        /// Which.
        to: Peer,
        /// What.
        message: Message,
    },
    /// To all peers that take part: every validator, and nodes that follow.
    Broadcast(Message),
    /// Give [`Input::Timer`] at or after that time.
    SetTimer {
        /// Which; replaces its former time.
        id: TimerId,
        /// On the monotonic clock.
        at: Millis,
    },
    /// Execute a block (its parent was executed and found valid) and answer with [`Input::Executed`].
    Execute(Arc<Block>),
    /// Build and execute a block, and answer with [`Input::Built`]. A newer request replaces an older one.
    Build(Box<BuildRequest>),
    /// Our own block, signed: to be kept with the result of the execution that built it.
    StoreOwn(Arc<Block>),
    /// Blocks are settled.
    Settled(Box<Settled>),
    /// Blocks that are off every branch we may still follow (not settled, not held any more).
    Discarded(Vec<Hash>),
    /// A certificate we learned: keep it by its block hash until a later block settles.
    StoreCert(Arc<Hcc>),
    /// A peer asks for something we no longer hold in memory; send it if the store has it.
    Lookup {
        /// Who asks.
        to: Peer,
        /// For what.
        lookup: Lookup,
    },
    /// Proof of a fault.
    Evidence(Box<Evidence>),
    /// A peer broke a rule.
    Penalize {
        /// Which.
        peer: Peer,
        /// Why.
        reason: Penalty,
    },
    /// Nothing more is signed. The operator must look. Said again at every start if the journal holds the reason.
    Halted(HaltReason),
}

/// What to look up in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A block: answer with [`Message::Block`].
    Block(Hash),
    /// The certificate of a block: answer with [`Message::Certificate`].
    Cert(Hash),
}

/// What a peer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Penalty {
    /// A signature that is not its signer's.
    BadSignature,
    /// A certificate that certifies nothing.
    BadCertificate,
    /// A block that is invalid for everybody.
    BadBlock,
    /// A vote or an epoch change of somebody who is no validator.
    NotAMember,
    /// No answer to a request: for the shell, whose transport knows; the machine just asks somebody else.
    Timeout,
}

/// Why the machine stopped signing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HaltReason {
    /// A block's certificate and our lock have the same rank and different blocks (V5): more than a third of the stake
    /// is faulty.
    ConflictingCertificates {
        /// Their height.
        height: Height,
        /// Our lock.
        ours: Hash,
        /// The other one.
        theirs: Hash,
    },
    /// Our key signed something that our journal does not know.
    RolledBack(RolledBack),
}

/// What the proposer is to build. Header fields are to be taken over as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildRequest {
    /// Names the request.
    pub epoch: Epoch,
    /// Parent's height + 1.
    pub height: Height,
    /// The block to build on; executed.
    pub parent: Hash,
    /// The certificate to carry.
    pub hcc: Arc<Hcc>,
    /// Us.
    pub proposer: Address,
    /// If false, no transaction may change the validator pool (§1.12).
    pub allow_set_change: bool,
    /// The parent's timestamp: the block's must not be below.
    pub min_timestamp: u64,
}

/// Newly settled blocks.
#[derive(Clone, Debug)]
pub struct Settled {
    /// By ascending height; the last is the new head.
    pub blocks: Vec<SettledBlock>,
    /// Blocks dropped because they conflict with these.
    pub discarded: Vec<Hash>,
    /// To be stored in one batch with the new head; what [`crate::Recovered`] needs.
    pub restart: RestartPoint,
}

/// A settled block.
#[derive(Clone, Debug)]
pub struct SettledBlock {
    /// Its hash.
    pub hash: Hash,
    /// The block.
    pub block: Arc<Block>,
    /// True if a certified child links to it directly; else it is settled as an ancestor.
    pub direct: bool,
}

impl alloy_rlp::Encodable for Executed {
    fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
        ExecutedWire { set_after: self.set_after.clone().into_iter().collect() }.encode(out);
    }
}

impl alloy_rlp::Decodable for Executed {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let mut wire = ExecutedWire::decode(buf)?;
        match wire.set_after.len() {
            0 | 1 => Ok(Self { set_after: wire.set_after.pop() }),
            _ => Err(alloy_rlp::Error::Custom("more than one set")),
        }
    }
}

#[derive(RlpEncodable, RlpDecodable)]
struct ExecutedWire {
    set_after: Vec<ValidatorSet>,
}
