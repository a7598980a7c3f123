//! alloy-trie's `HashBuilder` on a trie of which a part has changed.

use super::{Changes, Nodes};
use alloy_rlp::Decodable;
use alloy_trie::nodes::{RlpNode, TrieNode};
use alloy_trie::{HashBuilder, Nibbles};
use vigil_trie::{Bytes, Hash};

/// What a `HashBuilder` is given.
pub(super) enum Item {
    Leaf(Nibbles, Bytes),
    Unchanged(Nibbles, Hash),
}

/// The changed leaves, and the topmost nodes under which nothing has changed, in ascending order.
pub(super) fn items(nodes: &Nodes, root: Hash, changes: &Changes) -> Vec<Item> {
    let mut items = Vec::new();
    visit(nodes, root, Nibbles::new(), changes, &mut items);
    items
}

fn visit(nodes: &Nodes, hash: Hash, path: Nibbles, changes: &Changes, items: &mut Vec<Item>) {
    let changed = changes.range(path..).next().is_some_and(|(key, _)| key.starts_with(&path));
    if !changed {
        return items.push(Item::Unchanged(path, hash));
    }
    let child = |node: &RlpNode| node.as_hash().expect("accounts are too large to stand in their parents");
    match TrieNode::decode(&mut &nodes[&hash][..]).expect("our own node") {
        TrieNode::EmptyRoot => {}
        TrieNode::Leaf(leaf) => {
            let key = path.join(&leaf.key);
            items.push(Item::Leaf(key, changes[&key].1.clone()));
        }
        TrieNode::Extension(extension) => {
            visit(nodes, child(&extension.child), path.join(&extension.key), changes, items);
        }
        TrieNode::Branch(branch) => {
            for (nibble, node) in branch.as_ref().children() {
                let Some(node) = node else { continue };
                let mut path = path;
                path.push(nibble);
                visit(nodes, child(node), path, changes, items);
            }
        }
    }
}

/// The root.
pub(super) fn build(items: &[Item]) -> Hash {
    let mut builder = HashBuilder::default();
    for item in items {
        match item {
            Item::Leaf(key, value) => builder.add_leaf_unchecked(*key, value),
            Item::Unchanged(path, hash) => builder.add_branch(*path, *hash, false),
        }
    }
    builder.root()
}
