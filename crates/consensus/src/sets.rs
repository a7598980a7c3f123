//! Validator sets by name.

use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_primitives::Hash;

/// Names a validator set: two branches may each propose a set of the same index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, RlpEncodable, RlpDecodable)]
pub struct SetKey {
    /// How many set changes led to it; genesis: 0.
    pub index: u64,
    /// The block whose post-state it is; genesis: the genesis block.
    pub origin: Hash,
}
