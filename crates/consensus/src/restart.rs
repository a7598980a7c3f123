//! What must be stored to start again where the chain was settled.

use crate::schedule::ScheduleCheckpoint;
use crate::{Executed, JournalState, Schedule, SetKey, ValidatorSet};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use std::sync::Arc;
use vigil_primitives::{Block, BlockHeader, Epoch, Hash, Hcc, Height, RlpError, rlp};

/// What consensus must know of a block whose parent was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMeta {
    /// The block.
    pub hash: Hash,
    /// Its parent.
    pub parent: Hash,
    /// Its height.
    pub height: Height,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its time, in Unix seconds.
    pub timestamp: u64,
    /// The block whose certificate it carries.
    pub hcc_hash: Hash,
    /// Index of that block's set.
    pub hcc_set: u64,
    /// Height of that block.
    pub hcc_height: Height,
    /// The set that votes on it (§1.12).
    pub set: SetKey,
    /// The flagged ancestor that is not yet proven settled (§1.12).
    pub pend: Option<Hash>,
    /// The set after it, if it changed the pool ("flagged"). Known once it is executed.
    pub set_after: Option<ValidatorSet>,
}

impl BlockMeta {
    /// Rank of the certificate that it carries (§1.12): what votes for the block name as their source.
    pub(crate) fn hcc_rank(&self) -> (u64, Height) {
        (self.hcc_set, self.hcc_height)
    }
}

/// A validator set and its turns.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SetSnapshot {
    pub(crate) key: SetKey,
    pub(crate) validators: ValidatorSet,
    pub(crate) turns: ScheduleCheckpoint,
}

/// The settled head and what the rules need to know below it. Stored as one value, with the head, in one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartPoint {
    /// Ascending; the last is the head.
    pub(crate) tail: Vec<BlockMeta>,
    /// The sets of the tail.
    pub(crate) sets: Vec<SetSnapshot>,
}

/// What a machine starts with.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The signing journal, added up.
    pub journal: JournalState,
    /// The last one stored, or [`RestartPoint::genesis`].
    pub restart: RestartPoint,
    /// Executed blocks above the settled head that were stored, parents first. Those that do not fit are left out.
    pub pending: Vec<(Arc<Block>, Executed)>,
    /// Certificates that were stored. Those that do not fit are left out.
    pub certs: Vec<Hcc>,
}

const RESTART_BYTES_MAX: usize = 4 * 1024 * 1024;

impl RestartPoint {
    /// A chain of which only the genesis block is known; or a segment of which only the reset block is, which is to its
    /// validators what genesis is to a chain ([`vigil_primitives::Reset::header`]).
    pub fn genesis(header: &BlockHeader, validators: ValidatorSet) -> Self {
        let hash = header.hash();
        let key = SetKey { index: 0, origin: hash };
        let turns = Schedule::new(&validators, 0).checkpoint();
        let meta = BlockMeta {
            hash,
            parent: header.parent,
            height: header.height,
            epoch: header.epoch,
            timestamp: header.timestamp,
            hcc_hash: hash,
            hcc_set: 0,
            hcc_height: header.height,
            set: key,
            pend: None,
            set_after: None,
        };
        Self { tail: vec![meta], sets: vec![SetSnapshot { key, validators, turns }] }
    }

    /// The settled head.
    pub fn head(&self) -> &BlockMeta {
        self.tail.last().expect("a restart point has a head")
    }

    /// The validator set of the head's own votes.
    pub fn validators(&self) -> &ValidatorSet {
        let set = self.sets.iter().find(|set| set.key == self.head().set);
        &set.expect("the sets of a restart point are complete").validators
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let tail = self.tail.iter().map(WireMeta::from).collect();
        rlp::encode(&WireRestart { tail, sets: self.sets.clone() })
    }

    /// Decodes and checks that it is complete.
    ///
    /// # Errors
    /// [`RlpError`]: not the encoding of a restart point.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RlpError> {
        const WHAT: &str = "restart point";
        let wire: WireRestart = rlp::decode_exact(WHAT, bytes, RESTART_BYTES_MAX)?;
        let broken = |rule| RlpError::Item { what: WHAT, source: alloy_rlp::Error::Custom(rule) };
        let tail: Vec<BlockMeta> = wire.tail.into_iter().map(BlockMeta::from).collect();
        let chained = tail.windows(2).all(|w| w[1].parent == w[0].hash && w[1].height == w[0].height + 1);
        if tail.is_empty() || !chained {
            return Err(broken("the blocks are no chain"));
        }
        if !tail.iter().all(|meta| wire.sets.iter().any(|set| set.key == meta.set)) {
            return Err(broken("a validator set is missing"));
        }
        if wire.sets.iter().any(|set| set.turns.restore(&set.validators).is_none()) {
            return Err(broken("the turns do not fit the set"));
        }
        Ok(Self { tail, sets: wire.sets })
    }
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireRestart {
    tail: Vec<WireMeta>,
    sets: Vec<SetSnapshot>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireMeta {
    hash: Hash,
    parent: Hash,
    height: Height,
    epoch: Epoch,
    timestamp: u64,
    hcc_hash: Hash,
    hcc_set: u64,
    hcc_height: Height,
    set: SetKey,
    /// Zero: none.
    pend: Hash,
    set_after: Executed,
}

impl From<&BlockMeta> for WireMeta {
    fn from(meta: &BlockMeta) -> Self {
        Self {
            hash: meta.hash,
            parent: meta.parent,
            height: meta.height,
            epoch: meta.epoch,
            timestamp: meta.timestamp,
            hcc_hash: meta.hcc_hash,
            hcc_set: meta.hcc_set,
            hcc_height: meta.hcc_height,
            set: meta.set,
            pend: meta.pend.unwrap_or(Hash::ZERO),
            set_after: Executed { set_after: meta.set_after.clone() },
        }
    }
}

impl From<WireMeta> for BlockMeta {
    fn from(wire: WireMeta) -> Self {
        Self {
            hash: wire.hash,
            parent: wire.parent,
            height: wire.height,
            epoch: wire.epoch,
            timestamp: wire.timestamp,
            hcc_hash: wire.hcc_hash,
            hcc_set: wire.hcc_set,
            hcc_height: wire.hcc_height,
            set: wire.set,
            pend: Some(wire.pend).filter(|pend| !pend.is_zero()),
            set_after: wire.set_after.set_after,
        }
    }
}
