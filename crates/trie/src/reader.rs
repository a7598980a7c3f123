//! The two things a trie asks of the world: stored nodes, and hashes by the batch.

use crate::{Bytes, Hash, TrieError};
use alloy_primitives::keccak256;
use std::collections::{BTreeMap, HashMap};

/// Stored nodes by the Keccak-256 of their RLP.
pub trait NodeReader {
    /// RLP of the node with this hash, `None` if it is not stored. The trie checks the bytes against the hash.
    ///
    /// # Errors
    /// [`TrieError::Reader`] if the store fails.
    fn node(&self, hash: &Hash) -> Result<Option<Bytes>, TrieError>;
}

impl<R: NodeReader + ?Sized> NodeReader for &R {
    fn node(&self, hash: &Hash) -> Result<Option<Bytes>, TrieError> {
        (**self).node(hash)
    }
}

impl<R: NodeReader + ?Sized> NodeReader for std::sync::Arc<R> {
    fn node(&self, hash: &Hash) -> Result<Option<Bytes>, TrieError> {
        (**self).node(hash)
    }
}

impl NodeReader for HashMap<Hash, Bytes> {
    fn node(&self, hash: &Hash) -> Result<Option<Bytes>, TrieError> {
        Ok(self.get(hash).cloned())
    }
}

impl NodeReader for BTreeMap<Hash, Bytes> {
    fn node(&self, hash: &Hash) -> Result<Option<Bytes>, TrieError> {
        Ok(self.get(hash).cloned())
    }
}

/// The reader of a trie that has nothing stored: knows no node.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNodes;

impl NodeReader for NoNodes {
    fn node(&self, _hash: &Hash) -> Result<Option<Bytes>, TrieError> {
        Ok(None)
    }
}

/// Keccak-256 of many messages at once.
pub trait BatchHasher {
    /// One digest a message, in the order of the messages.
    fn keccak256_batch(&self, messages: &[&[u8]]) -> Vec<Hash>;

    /// A hint that so many bytes from an address on (which may be any) are wanted soon: the processor may fetch them into
    /// its nearest cache. Nodes lie all over the memory, and a commit would wait for each.
    fn prefetch(&self, _start: *const u8, _bytes: usize) {}
}

impl<H: BatchHasher + ?Sized> BatchHasher for &H {
    fn keccak256_batch(&self, messages: &[&[u8]]) -> Vec<Hash> {
        (**self).keccak256_batch(messages)
    }

    fn prefetch(&self, start: *const u8, bytes: usize) {
        (**self).prefetch(start, bytes);
    }
}

/// Hashes one message after the other: the oracle, and the choice for small batches.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScalarHasher;

impl BatchHasher for ScalarHasher {
    fn keccak256_batch(&self, messages: &[&[u8]]) -> Vec<Hash> {
        messages.iter().map(keccak256).collect()
    }
}
