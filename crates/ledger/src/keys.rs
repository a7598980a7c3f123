//! Keys of the state trie (`spec/ledger.md` §4), raw ASCII.

use vigil_primitives::{Address, Hash, StakePurpose};

/// Before the address of an account.
pub(crate) const ACCOUNT_PREFIX: &[u8] = b"ls/a/";
/// Before the hash of a contract's code; the value is the code as it is.
pub(crate) const CODE_PREFIX: &[u8] = b"ls/ch/";
/// Before the address of an elite edge node.
pub(crate) const EDGE_NODE_PREFIX: &[u8] = b"ls/een/";
/// Before the id of a resource with a split rule.
pub(crate) const SPLIT_RULE_PREFIX: &[u8] = b"ls/ssc/split/";
/// Before the address of a stake holder with a reward distribution.
pub(crate) const REWARD_DISTRIBUTION_PREFIX: &[u8] = b"ls/srdrs/";
/// The pool of validator candidates.
pub(crate) const VALIDATORS: &[u8] = b"ls/vcp";
/// The pool of guardians.
pub(crate) const GUARDIANS: &[u8] = b"ls/gcp";
/// Total active stake of the elite edge nodes, raw big-endian bytes.
pub(crate) const EDGE_NODE_TOTAL: &[u8] = b"ls/eentas";
/// Heights of transactions that changed validator stakes.
pub(crate) const STAKE_HEIGHTS: &[u8] = b"ls/sthl";
/// The rules of the chain (ours).
pub(crate) const PARAMS: &[u8] = b"ls/params";
/// Both coins' supply at genesis (ours); the base of the rewards.
pub(crate) const GENESIS_SUPPLY: &[u8] = b"ls/supply";

/// Checkpoints that no certificate on this branch covers yet (ours).
pub(crate) const CHECKPOINTS: &[u8] = b"ls/gcps";
/// The highest checkpoint with a certificate on this branch (ours).
pub(crate) const FINALIZED: &[u8] = b"ls/final";
/// Number of the last reset and height of its checkpoint; absent before the first (ours).
pub(crate) const RESET: &[u8] = b"ls/reset";
/// Hashes of the guardian sets that are remembered, with the last height of each (ours).
pub(crate) const GUARDIAN_SETS: &[u8] = b"ls/gsets";
/// Before the hash of a remembered guardian set (ours).
pub(crate) const GUARDIAN_SET_PREFIX: &[u8] = b"ls/gset/";

/// An account.
pub(crate) fn account(address: &Address) -> [u8; 25] {
    let mut key = [0u8; 25];
    key[..5].copy_from_slice(ACCOUNT_PREFIX);
    key[5..].copy_from_slice(address.as_slice());
    key
}

/// The code with a hash.
pub(crate) fn code(hash: &Hash) -> Vec<u8> {
    [CODE_PREFIX, hash.as_slice()].concat()
}

/// An elite edge node.
pub(crate) fn edge_node(address: &Address) -> Vec<u8> {
    [EDGE_NODE_PREFIX, address.as_slice()].concat()
}

/// Stakes of elite edge nodes that return when the parent has `height`.
pub(crate) fn edge_node_returns(height: u64) -> Vec<u8> {
    format!("ls/eensrk/{height}").into_bytes()
}

/// The reward distribution of a stake holder.
pub(crate) fn reward_distribution(holder: &Address) -> Vec<u8> {
    [REWARD_DISTRIBUTION_PREFIX, holder.as_slice()].concat()
}

/// The split rule of a resource.
pub(crate) fn split_rule(resource_id: &str) -> Vec<u8> {
    [SPLIT_RULE_PREFIX, resource_id.as_bytes()].concat()
}

/// A guardian set.
pub(crate) fn guardian_set(hash: &Hash) -> Vec<u8> {
    [GUARDIAN_SET_PREFIX, hash.as_slice()].concat()
}

/// Number of resets and height up to which the faults of a node in a role are punished (ours).
pub(crate) fn slashed(role: StakePurpose, node: &Address) -> Vec<u8> {
    let prefix: &[u8] = match role {
        StakePurpose::Validator => b"ls/slash/v/",
        StakePurpose::Guardian => b"ls/slash/g/",
        StakePurpose::EdgeNode => b"ls/slash/e/",
    };
    [prefix, node.as_slice()].concat()
}
