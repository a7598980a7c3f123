//! Hashing what changed, level by level.

use crate::codec::{self, INLINE_BELOW};
use crate::node::{Link, Node, Stored};
use crate::trie::children_mut;
use crate::{BatchHasher, Bytes, EMPTY_ROOT, Hash, Trie};
use std::ops::Range;
use std::sync::Arc;

/// What a commit made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Root of the trie as it is now.
    pub root: Hash,
    /// New nodes by hash, as RLP; children come before their parents, the root is last. Nodes inside their parents are
    /// not listed. A node may be listed that is already stored. The nodes of a level share one piece of memory, which
    /// lives as long as one of them: copy what is to be kept alone.
    pub nodes: Vec<(Hash, Bytes)>,
}

/// A changed node, taken out of its parent: the parent's place in the level above, and the slot there.
struct Dirty {
    node: Arc<Node>,
    parent: usize,
    slot: usize,
}

impl Trie {
    /// Hashes every changed node and returns them for storage; the trie keeps them in memory as unchanged ones.
    /// One call of `hasher` a level, the deepest level first. Without changes, `nodes` is empty.
    ///
    /// # Panics
    /// If `hasher` does not return one digest a message.
    pub fn commit(&mut self, hasher: &dyn BatchHasher) -> Commit {
        let root = match std::mem::take(&mut self.root) {
            Link::Empty => return Commit { root: EMPTY_ROOT, nodes: Vec::new() },
            link @ Link::Stored(_) => {
                self.root = link;
                return Commit { root: self.root().unwrap_or(EMPTY_ROOT), nodes: Vec::new() };
            }
            Link::Fresh(node) => node,
        };
        let mut levels = take_levels(root);
        let mut nodes = Vec::with_capacity(levels.iter().map(Vec::len).sum());
        while let Some(level) = levels.pop() {
            let Some(above) = levels.last_mut() else {
                let hashed = hash_level(level, 0, hasher, &mut nodes);
                self.root = hashed.into_iter().next().map(|(_, _, link)| link).unwrap_or_default();
                break;
            };
            for (parent, slot, link) in hash_level(level, INLINE_BELOW, hasher, &mut nodes) {
                *slot_mut(Arc::make_mut(&mut above[parent].node), slot) = link;
            }
        }
        Commit { root: self.root().unwrap_or(EMPTY_ROOT), nodes }
    }
}

/// Takes the changed nodes out of each other; `[0]` is the root alone. Afterwards each is held once.
fn take_levels(root: Arc<Node>) -> Vec<Vec<Dirty>> {
    let mut levels = Vec::new();
    let mut level = vec![Dirty { node: root, parent: 0, slot: 0 }];
    while !level.is_empty() {
        let mut next = Vec::new();
        for (parent, dirty) in level.iter_mut().enumerate() {
            let mut slot = 0;
            children_mut(Arc::make_mut(&mut dirty.node), |child| {
                if let Link::Fresh(_) = child
                    && let Link::Fresh(node) = std::mem::take(child)
                {
                    next.push(Dirty { node, parent, slot });
                }
                slot += 1;
            });
        }
        levels.push(level);
        level = next;
    }
    levels
}

/// Encodes one level and hashes those of `inline_below` bytes or more. Returns parent, slot and link of each.
fn hash_level(
    level: Vec<Dirty>,
    inline_below: usize,
    hasher: &dyn BatchHasher,
    nodes: &mut Vec<(Hash, Bytes)>,
) -> Vec<(usize, usize, Link)> {
    // The level is one piece of memory, which its nodes share: thousands of small ones would cost as much as hashing.
    let mut raw = Vec::with_capacity(level.iter().map(|dirty| codec::encoded_len(&dirty.node)).sum());
    let encode = |dirty: &Dirty| {
        let start = raw.len();
        codec::push_encoded(&dirty.node, &mut raw);
        start..raw.len()
    };
    let places: Vec<Range<usize>> = level.iter().map(encode).collect();
    let hashed = places.iter().filter(|place| place.len() >= inline_below);
    let messages: Vec<&[u8]> = hashed.map(|place| &raw[place.clone()]).collect();
    let hashes = if messages.is_empty() { Vec::new() } else { hasher.keccak256_batch(&messages) };
    assert_eq!(hashes.len(), messages.len(), "the hasher must return one digest a message");
    let (raw, mut hashes) = (Bytes::from(raw), hashes.into_iter());
    let finish = |(Dirty { node, parent, slot }, place): (Dirty, Range<usize>)| {
        if place.len() < inline_below {
            return (parent, slot, Link::Fresh(node));
        }
        let hash = hashes.next().expect("counted above");
        nodes.push((hash, raw.slice(place)));
        (parent, slot, Link::Stored(Stored::with_body(hash, node)))
    };
    level.into_iter().zip(places).map(finish).collect()
}

fn slot_mut(node: &mut Node, slot: usize) -> &mut Link {
    match node {
        Node::Branch(branch) => &mut branch.children[slot],
        Node::Extension { child, .. } => child,
        Node::Leaf { .. } => unreachable!("a leaf has no child"),
    }
}
