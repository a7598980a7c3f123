//! Leaves.

use crate::{BatchHasher, codec, nibbles};
use alloy_rlp::Header;
use std::sync::Arc;

/// The rest of a key and its value (never empty), as the RLP of the node: one piece of memory, which a commit hashes as it
/// is.
#[derive(Clone, Debug)]
pub(crate) struct Leaf(Arc<[u8]>);

impl Leaf {
    /// A new leaf. `path`: nibbles.
    pub(crate) fn new(path: &[u8], value: &[u8]) -> Self {
        Self(codec::encode_leaf(path, value).into())
    }

    /// The leaf of these bytes, which the decoder has checked.
    pub(crate) fn from_rlp(rlp: &[u8]) -> Self {
        Self(rlp.into())
    }

    /// The leaf as RLP.
    pub(crate) fn rlp(&self) -> &[u8] {
        &self.0
    }

    /// Has the processor fetch the leaf, or the front of a large one.
    pub(crate) fn fetch(&self, hasher: &dyn BatchHasher) {
        hasher.prefetch(self.0.as_ptr(), self.0.len().min(512));
    }

    /// The path, as nibbles.
    pub(crate) fn path(&self) -> Vec<u8> {
        nibbles::of_compact(self.items().0).collect()
    }

    /// The value.
    pub(crate) fn value(&self) -> &[u8] {
        self.items().1
    }

    /// Whether this is the path.
    pub(crate) fn has_path(&self, path: &[u8]) -> bool {
        nibbles::of_compact(self.items().0).eq(path.iter().copied())
    }

    /// Path in compact form and value.
    fn items(&self) -> (&[u8], &[u8]) {
        let mut items = Header::decode_bytes(&mut &self.0[..], true).expect("a leaf is a list");
        let mut next = || Header::decode_bytes(&mut items, false).expect("of two strings");
        (next(), next())
    }
}
