//! What can go wrong: the node is not there, is not what its hash says, or the caller asked for the impossible.

use crate::Hash;

/// Failure of a trie operation. The trie is as it was before the call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrieError {
    /// The reader has no node of this hash: the state is incomplete.
    #[error("trie node {hash} is missing from the store")]
    Missing {
        /// The hash asked for.
        hash: Hash,
    },
    /// The reader gave bytes that hash to something else.
    #[error("trie node {hash} is corrupt: its bytes hash to {got}")]
    WrongHash {
        /// The hash asked for.
        hash: Hash,
        /// The hash of the bytes given.
        got: Hash,
    },
    /// The bytes hash as they should and are no node: a state root that no honest node has made.
    #[error("trie node {hash} is no valid node: {what}")]
    Malformed {
        /// The hash of the node.
        hash: Hash,
        /// The rule that is broken.
        what: &'static str,
    },
    /// The store behind the reader failed.
    #[error("reading trie node {hash}")]
    Reader {
        /// The hash asked for.
        hash: Hash,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A key longer than [`KEY_BYTES_MAX`](crate::KEY_BYTES_MAX) was written.
    #[error("trie key has {got} bytes, the limit is {max}")]
    KeyTooLong {
        /// Bytes of the key.
        got: usize,
        /// The limit.
        max: usize,
    },
    /// A proof was asked of a trie with changes that are not hashed yet.
    #[error("the trie has uncommitted changes: commit before proving")]
    Uncommitted,
}

/// A proof that does not prove.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The walk needs a node that the proof does not hold.
    #[error("proof ends after {have} nodes; node {hash} comes next")]
    TooShort {
        /// Nodes in the proof.
        have: usize,
        /// Hash of the node that is missing.
        hash: Hash,
    },
    /// Nodes are left over when the walk is done.
    #[error("proof has {have} nodes, {used} are needed")]
    TooLong {
        /// Nodes in the proof.
        have: usize,
        /// Nodes that the walk used.
        used: usize,
    },
    /// A node hashes to something other than its parent (or the root) says.
    #[error("proof node {index} hashes to {got}, expected {expected}")]
    WrongHash {
        /// Position in the proof, from 0 at the root.
        index: usize,
        /// What the parent says.
        expected: Hash,
        /// What the bytes hash to.
        got: Hash,
    },
    /// A node is not a valid node.
    #[error("proof node {index} is no valid node: {what}")]
    Malformed {
        /// Position in the proof, from 0 at the root.
        index: usize,
        /// The rule that is broken.
        what: &'static str,
    },
}
