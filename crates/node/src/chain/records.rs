//! Keys and values of the chain's columns.
//!
//! | column | key | value |
//! |---|---|---|
//! | Meta | `restart` | [`vigil_consensus::RestartPoint`]: the settled head; written with what it settles |
//! | Meta | `pending/` + block hash | empty: the block is executed and not settled |
//! | Meta | `signed/` + address | RLP of [`SignedRecord`]: this key has signed from this data directory, this far |
//! | Meta | `final` | RLP of the highest certificate of guardians |
//! | Meta | `final/` + height, u64 big endian | RLP of the certificate of a checkpoint |
//! | Meta | `fault/` + more | what waits to be reported (`reporter/stored.rs`) |
//! | Blocks | block hash | RLP of the block |
//! | Executed | block hash | RLP of [`ExecutedRecord`] |
//! | Heights | height, u64 big endian | RLP of [`HeightRecord`] |
//! | Txs | transaction hash, native or Ethereum's | RLP of [`TxRecord`] |
//! | Receipts | block hash | RLP of the receipts of its contract transactions; no entry if it has none |
//! | Logs | what a log is about, and the height (`receipts.rs`) | empty |
//! | Certs | block hash | RLP of the certificate |
//! | Nodes | node hash | RLP of the node |

use alloy_rlp::{RlpDecodable, RlpEncodable};
use std::fmt;
use vigil_consensus::{Executed, JournalState};
use vigil_ledger::Supply;
use vigil_primitives::{Address, Epoch, Hash, Height};

/// Version of these keys and values.
pub(crate) const SCHEMA: u32 = 3;
/// Meta key of the restart point.
pub(crate) const RESTART: &[u8] = b"restart";
/// Meta key of the highest certificate of guardians.
pub(crate) const FINAL: &[u8] = b"final";
/// Prefix of the Meta keys of certificates by height.
pub(crate) const FINAL_AT: &[u8] = b"final/";
/// Prefix of the Meta keys of executed blocks that are not settled.
pub(crate) const PENDING: &[u8] = b"pending/";

/// What execution left.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct ExecutedRecord {
    /// For consensus.
    pub(crate) executed: Executed,
    /// Minted and burned since genesis.
    pub(crate) supply: Supply,
}

/// How far a key has signed: epochs of its last vote and proposal, target of its last `EpochChange`; 0: none. Written
/// with each settlement, so that a journal that was replaced by an older copy is noticed at start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SignedRecord {
    pub(crate) vote: Epoch,
    pub(crate) proposal: Epoch,
    pub(crate) change: Epoch,
}

impl SignedRecord {
    /// The last epoch in which the key may have voted or proposed.
    pub(crate) fn epoch(&self) -> Epoch {
        self.vote.max(self.proposal).max(self.change.saturating_sub(1))
    }

    /// True if a journal that ends here does not hold all of `other`.
    pub(crate) fn is_behind(&self, other: &Self) -> bool {
        self.vote < other.vote || self.proposal < other.proposal || self.change < other.change
    }
}

impl From<&JournalState> for SignedRecord {
    fn from(state: &JournalState) -> Self {
        let lost = state.lost.map_or(0, |lost| lost.epoch + 1);
        Self { vote: state.voted().epoch, proposal: state.proposed(), change: state.change_target.max(lost) }
    }
}

impl fmt::Display for SignedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vote, proposal, change } = self;
        write!(f, "a vote of epoch {vote}, a proposal of epoch {proposal} and an epoch change to {change}")
    }
}

/// A settled block.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct HeightRecord {
    /// Which.
    pub(crate) hash: Hash,
    /// True if a certified child links to it directly.
    pub(crate) direct: bool,
}

/// Where a settled transaction is.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct TxRecord {
    /// The block.
    pub(crate) block: Hash,
    /// Its height.
    pub(crate) height: Height,
    /// Position in the block.
    pub(crate) index: u64,
}

pub(crate) fn height_key(height: Height) -> [u8; 8] {
    height.to_be_bytes()
}

pub(crate) fn final_key(height: Height) -> Vec<u8> {
    [FINAL_AT, &height.to_be_bytes()].concat()
}

pub(crate) fn pending_key(hash: &Hash) -> Vec<u8> {
    [PENDING, hash.as_slice()].concat()
}

pub(crate) fn signed_key(address: &Address) -> Vec<u8> {
    [b"signed/".as_slice(), address.as_slice()].concat()
}
