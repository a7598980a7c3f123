//! The root of a list.

use crate::{BatchHasher, Bytes, Hash, NoNodes, ScalarHasher, Trie};

/// Root of the trie that maps `rlp(index)` to each item, from index 0 (transaction root of a block, `spec/ledger.md`
/// §5.1). An empty item is as good as absent, as writing an empty value deletes.
pub fn ordered_root<I>(items: I) -> Hash
where
    I: IntoIterator<Item: AsRef<[u8]>>,
{
    ordered_root_with(&ScalarHasher, items)
}

/// [`ordered_root`] with a hasher of the caller's choice.
pub fn ordered_root_with<I>(hasher: &dyn BatchHasher, items: I) -> Hash
where
    I: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut trie = Trie::empty();
    for (index, item) in items.into_iter().enumerate() {
        let item = Bytes::copy_from_slice(item.as_ref());
        // Nothing is stored, so nothing is read, and the key has at most 9 bytes.
        trie.insert(&NoNodes, &alloy_rlp::encode(index), item).expect("a trie in memory does not fail");
    }
    trie.commit(hasher).root
}
