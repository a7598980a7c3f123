//! Bytes of our own protocols. One tag byte, then RLP; strict and bounded.

use crate::{Head, Role};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use limits::*;
use vigil_primitives::rlp::{self, RlpError};
use vigil_primitives::{Address, Bytes, Hash, Signature, TX_BYTES_MAX};

/// Limits of the network, in bytes unless said otherwise.
pub mod limits {
    use vigil_consensus::HCC_BYTES_MAX;
    use vigil_primitives::BLOCK_BYTES_MAX;

    /// A hello or a head.
    pub const CONTROL_BYTES_MAX: usize = 4 * 1024;
    /// Consensus messages up to this size take the fast channel; larger ones the bulk channel.
    pub const CONSENSUS_SMALL_BYTES_MAX: usize = 256 * 1024;
    /// Largest consensus message: a proposal with the largest block and its certificates.
    pub const CONSENSUS_BYTES_MAX: usize = BLOCK_BYTES_MAX + 256 * 1024;
    /// A message between guardians: the longest votes, with room for whom they are to.
    pub const GUARDIAN_BYTES_MAX: usize = 32 * 1024;
    /// A request for blocks.
    pub const BLOCKS_REQUEST_BYTES_MAX: usize = 4 * 1024;
    /// Headers or blocks of an answer together; one block alone may fill it.
    pub const BLOCKS_BYTES_MAX: usize = BLOCK_BYTES_MAX;
    /// An answer on the wire: headers or blocks, a certificate, framing.
    pub const BLOCKS_RESPONSE_BYTES_MAX: usize = BLOCKS_BYTES_MAX + HCC_BYTES_MAX + 1024;
    /// Headers, hashes or blocks in one request or answer.
    pub const BLOCKS_MAX: usize = 64;
    /// Requests for blocks open at a time, a peer and direction.
    pub const BLOCKS_OUTSTANDING_MAX: usize = 16;
    /// A gossip message.
    pub const GOSSIP_BYTES_MAX: usize = 1024 * 1024;
    /// Transactions in a gossip message.
    pub const GOSSIP_TXS_MAX: usize = 4_096;
    /// Longest agent name.
    pub const AGENT_BYTES_MAX: usize = 128;

    const _: () = assert!(BLOCKS_MAX * 33 + 16 <= BLOCKS_REQUEST_BYTES_MAX);
    const _: () = assert!(BLOCK_BYTES_MAX <= BLOCKS_BYTES_MAX && BLOCKS_MAX * 5 + 32 <= 1024);
    const _: () = assert!(vigil_primitives::AGGREGATED_VOTES_BYTES_MAX + 64 <= GUARDIAN_BYTES_MAX);
    const _: () = assert!(vigil_consensus::MESSAGE_BYTES_MAX <= CONSENSUS_BYTES_MAX);
    const _: () = assert!(vigil_consensus::EPOCH_CERT_BYTES_MAX + 64 <= CONSENSUS_SMALL_BYTES_MAX);
}

const VERSION: u64 = 2;
const TAG_HELLO: u8 = 0;
const TAG_HEAD: u8 = 1;

/// Why received bytes are no message of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// No bytes at all, where a tag belongs.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A tag nobody knows.
    #[error("{what} has the unknown tag {tag}")]
    Tag {
        /// What was decoded.
        what: &'static str,
        /// The tag.
        tag: u8,
    },
    /// The body.
    #[error(transparent)]
    Rlp(#[from] RlpError),
    /// More, or less, of something than allowed.
    #[error("{what}: {got}, the limit is {max}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// Given.
        got: u64,
        /// Allowed.
        max: u64,
    },
}

/// A proof that the sender of a [`Hello`] signs for a validator address.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ValidatorProof {
    /// The address.
    pub address: Address,
    /// Over [`crate::proof_digest`] of the sender's peer id.
    pub signature: Signature,
}

/// The first message on a connection, in both directions.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Hello {
    /// Version of the protocols; differing versions do not talk.
    pub version: u64,
    /// The chain.
    pub chain_id: String,
    /// Its genesis block.
    pub genesis_hash: Hash,
    /// Name and version of the software.
    pub agent: String,
    /// [`Role`] as a number: 0 full, 1 validator, 2 guardian.
    pub role: u8,
    /// The sender's settled head.
    pub head: Head,
    /// At most one.
    pub proof: Vec<ValidatorProof>,
}

impl Hello {
    /// The version spoken here.
    pub const VERSION: u64 = VERSION;

    pub(crate) fn role(&self) -> Role {
        match self.role {
            1 => Role::Validator,
            2 => Role::Guardian,
            _ => Role::Full,
        }
    }
}

impl Role {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Full => 0,
            Self::Validator => 1,
            Self::Guardian => 2,
        }
    }
}

/// What travels on the control channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Hello(Hello),
    Head(Head),
}

impl Control {
    pub(crate) fn encode(&self) -> Bytes {
        match self {
            Self::Hello(hello) => tagged(TAG_HELLO, hello),
            Self::Head(head) => tagged(TAG_HEAD, head),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let (tag, body) = split("control message", bytes)?;
        match tag {
            TAG_HELLO => {
                let hello: Hello = rlp::decode_exact("hello", body, CONTROL_BYTES_MAX)?;
                at_most("validator proofs in a hello", hello.proof.len(), 1)?;
                at_most("bytes of an agent name", hello.agent.len(), AGENT_BYTES_MAX)?;
                Ok(Self::Hello(hello))
            }
            TAG_HEAD => Ok(Self::Head(rlp::decode_exact("head", body, CONTROL_BYTES_MAX)?)),
            tag => Err(WireError::Tag { what: "control message", tag }),
        }
    }
}

pub(crate) fn encode_txs(txs: &[Bytes]) -> Vec<u8> {
    let mut out = Vec::new();
    alloy_rlp::encode_list::<Bytes, Bytes>(txs, &mut out);
    out
}

pub(crate) fn decode_txs(bytes: &[u8]) -> Result<Vec<Bytes>, WireError> {
    let txs: Vec<Bytes> = rlp::decode_exact("batch of transactions", bytes, GOSSIP_BYTES_MAX)?;
    if txs.is_empty() {
        return Err(WireError::Empty("batch of transactions"));
    }
    at_most("transactions in a batch", txs.len(), GOSSIP_TXS_MAX)?;
    txs.iter().try_for_each(|tx| at_most("bytes of a transaction", tx.len(), TX_BYTES_MAX))?;
    Ok(txs)
}

pub(crate) fn tagged<T: rlp::Encodable + ?Sized>(tag: u8, body: &T) -> Bytes {
    let mut out = vec![tag];
    body.encode(&mut out);
    out.into()
}

pub(crate) fn split<'a>(what: &'static str, bytes: &'a [u8]) -> Result<(u8, &'a [u8]), WireError> {
    let (tag, body) = bytes.split_first().ok_or(WireError::Empty(what))?;
    Ok((*tag, body))
}

pub(crate) fn at_most(what: &'static str, got: usize, max: usize) -> Result<(), WireError> {
    if got > max { Err(WireError::Limit { what, got: got as u64, max: max as u64 }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
