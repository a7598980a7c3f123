//! Merkle-Patricia trie with proofs and level-wise batch hashing.
//!
//! Ethereum's trie over **raw** keys (`spec/ledger.md` §4): keys are byte strings of any length up to
//! [`KEY_BYTES_MAX`], are not hashed, and one may be a prefix of another. A node whose RLP is shorter than 32 bytes
//! stands inside its parent; the root is always hashed. Writing an empty value deletes.
//!
//! [`Trie`] holds what was touched in memory and reads the rest on demand through a [`NodeReader`]. A clone costs one
//! reference count; the copies share what is unchanged, and what one of them reads there the others find in memory (of a
//! trie that was just opened, once its root was read).
//! [`Trie::commit`] hashes what changed, from below, with one [`BatchHasher`] call for up to 511 nodes.
//!
//! Disks lie: every node read is hashed and compared with the hash it was asked by (about 0.3 to 1 µs; nodes held in
//! memory are not checked again), and decoded strictly. The decoder accepts only the one encoding of a node.
//!
//! What is deliberately not here: no storage, no thread, no pruning, no meaning of keys or values.
#![forbid(unsafe_code)]

mod codec;
mod commit;
mod error;
mod iter;
mod leaf;
mod link;
mod nibbles;
mod node;
mod ordered;
mod proof;
mod reader;
mod trie;

pub use alloy_primitives::{B256 as Hash, Bytes};
pub use commit::{Commit, PutNodes};
pub use error::{ProofError, TrieError};
pub use iter::Iter;
pub use ordered::{ordered_root, ordered_root_with};
pub use proof::verify_proof;
pub use reader::{BatchHasher, NoNodes, NodeReader, ScalarHasher};
pub use trie::Trie;

/// Root of the trie that holds nothing: `keccak256(0x80)`.
pub const EMPTY_ROOT: Hash =
    alloy_primitives::b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/// Longest key, in bytes: the longest key of the ledger (a resource id of 1,024 bytes and its prefix) and some room.
/// It bounds the depth of a trie, and with it the stack that a walk needs.
pub const KEY_BYTES_MAX: usize = 1_088;

#[cfg(test)]
mod tests;
