//! Hashing what changed, from below, up to 256 nodes of a level at a time.

use crate::codec::{self, INLINE_BELOW};
use crate::node::{Branch, Extension, Link, Node, Stored};
use crate::{BatchHasher, Bytes, EMPTY_ROOT, Hash, Trie};
use std::hint::black_box;
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

/// Is shown hashes and, for each, the node as RLP.
pub type PutNodes<'p> = dyn FnMut(&[Hash], &[&[u8]]) + 'p;

/// A changed node, taken out of its parent.
struct Dirty {
    node: Node,
    place: Place,
}

/// Where a node hangs: its parent's index among those that were handled with it, and the slot there.
struct Place {
    parent: usize,
    slot: usize,
}

/// So many nodes of a level are handled together: enough to fill vectors, few enough to stay in the cache of a core from
/// their first reading to the writing of their hashes.
const TOGETHER: usize = 256;

/// So many nodes are brought into the cache at once.
const AHEAD: usize = 16;

impl Trie {
    /// Hashes every changed node and returns them for storage; the trie keeps them in memory as unchanged ones.
    /// Without changes, `nodes` is empty. See [`Trie::commit_to`].
    ///
    /// # Panics
    /// If `hasher` does not return one digest a message.
    pub fn commit(&mut self, hasher: &dyn BatchHasher) -> Commit {
        let mut nodes = Vec::new();
        let root = self.commit_to(hasher, &mut |hashes, encoded| {
            // One piece of memory, which the nodes share: thousands of small ones would cost as much as hashing.
            let all = Bytes::from(encoded.concat());
            let mut start = 0;
            for (hash, node) in hashes.iter().zip(encoded) {
                nodes.push((*hash, all.slice(start..start + node.len())));
                start += node.len();
            }
        });
        Commit { root, nodes }
    }

    /// Hashes every changed node, shows each with its hash to `put`, and returns the root; the trie keeps the nodes in
    /// memory as unchanged ones. Children come before their parents, the root is last; nodes inside their parents are
    /// not shown. One call of `hasher`, and then one of `put`, for up to 256 nodes of a level.
    ///
    /// # Panics
    /// If `hasher` does not return one digest a message.
    pub fn commit_to(&mut self, hasher: &dyn BatchHasher, put: &mut PutNodes<'_>) -> Hash {
        if let Link::Fresh(_) = self.root
            && let Link::Fresh(node) = std::mem::take(&mut self.root)
        {
            let mut work = Work { hasher, put, encoded: Vec::new() };
            let mut level = vec![Dirty { node, place: Place { parent: 0, slot: 0 } }];
            work.settle_below(&mut level);
            let root = work.hash(level, 0).pop();
            self.root = root.map(|(_, link)| link).unwrap_or_default();
        }
        self.root().unwrap_or(EMPTY_ROOT)
    }
}

/// A commit in progress.
struct Work<'w> {
    hasher: &'w dyn BatchHasher,
    put: &'w mut PutNodes<'w>,
    /// Room for encoded nodes, used again and again: new memory costs as much as hashing.
    encoded: Vec<u8>,
}

impl Work<'_> {
    /// Hashes what changed below these nodes. The recursion is as deep as the trie.
    fn settle_below(&mut self, level: &mut [Dirty]) {
        let (mut parents, children) = take_children(level);
        let mut below = children.into_iter();
        while below.len() > 0 {
            let mut together: Vec<_> = below.by_ref().take(TOGETHER).collect();
            self.settle_below(&mut together);
            for (Place { parent, slot }, link) in self.hash(together, INLINE_BELOW) {
                parents[parent].hang(slot, link);
            }
        }
    }

    /// Encodes nodes below which all is hashed, and hashes those of `inline_below` bytes or more. Returns the links.
    #[inline(never)]
    fn hash(&mut self, level: Vec<Dirty>, inline_below: usize) -> Vec<(Place, Link)> {
        let buffer = &mut self.encoded;
        buffer.clear();
        let mut ranges = Vec::with_capacity(level.len());
        for together in level.chunks(AHEAD) {
            touch(together); // they may have left the nearest caches since
            ranges.extend(together.iter().map(|dirty| codec::push_encoded(&dirty.node, buffer)));
        }
        let hashed = ranges.iter().filter(|range| range.len() >= inline_below);
        let messages: Vec<&[u8]> = hashed.map(|range| &buffer[range.clone()]).collect();
        let hashes = if messages.is_empty() { Vec::new() } else { self.hasher.keccak256_batch(&messages) };
        assert_eq!(hashes.len(), messages.len(), "the hasher must return one digest a message");
        (self.put)(&hashes, &messages);
        let mut hashes = hashes.into_iter();
        let link = |(Dirty { node, place }, range): (Dirty, Range<usize>)| {
            if range.len() < inline_below {
                return (place, Link::Fresh(node));
            }
            let hash = hashes.next().expect("counted above");
            (place, Link::Stored(Stored::with_body(hash, node)))
        };
        level.into_iter().zip(ranges).map(link).collect()
    }
}

/// A node for change.
enum Parent<'n> {
    Leaf,
    Extension(&'n mut Extension),
    Branch(&'n mut Branch),
}

impl<'n> Parent<'n> {
    /// The node, copied if somebody else holds it.
    fn own(node: &'n mut Node) -> Self {
        match node {
            Node::Leaf(_) => Self::Leaf,
            Node::Extension(extension) => Self::Extension(Arc::make_mut(extension)),
            Node::Branch(branch) => Self::Branch(Branch::own(branch)),
        }
    }

    /// Takes the changed children out and shows them with their slots.
    fn take_changed(&mut self, mut found: impl FnMut(usize, Node)) {
        match self {
            Self::Leaf => {}
            Self::Extension(extension) => match std::mem::take(&mut extension.child) {
                Link::Fresh(node) => found(0, node),
                unchanged => extension.child = unchanged,
            },
            Self::Branch(branch) => {
                let mut changed = std::mem::take(&mut branch.changed);
                while changed != 0 {
                    let slot = changed.trailing_zeros() as usize;
                    if let Some(node) = branch.lift_fresh(slot) {
                        found(slot, node);
                    }
                    changed &= changed - 1;
                }
            }
        }
    }

    /// Hangs a child where one was taken.
    fn hang(&mut self, slot: usize, link: Link) {
        match self {
            Self::Branch(branch) => branch.put(slot, link),
            Self::Extension(extension) => extension.child = link,
            Self::Leaf => unreachable!("a leaf has no child"),
        }
    }
}

/// Takes the changed children out of the nodes, which are then held once.
#[inline(never)]
fn take_children(level: &mut [Dirty]) -> (Vec<Parent<'_>>, Vec<Dirty>) {
    let mut parents = Vec::with_capacity(level.len());
    let mut children = Vec::with_capacity(2 * level.len());
    for together in level.chunks_mut(AHEAD) {
        touch(together);
        for dirty in together {
            let mut parent = Parent::own(&mut dirty.node);
            let index = parents.len();
            parent.take_changed(|slot, node| children.push(Dirty { node, place: Place { parent: index, slot } }));
            parents.push(parent);
        }
    }
    (parents, children)
}

/// Reads from each node what a commit needs. Nodes lie all over the memory; these reads do not wait for each other, as
/// those of the steps do.
fn touch(nodes: &[Dirty]) {
    // First what depends on nothing; then what that leads to, whose number the processor would guess wrongly while it
    // waits.
    let first = |dirty: &Dirty| match &dirty.node {
        Node::Leaf(leaf) => leaf.touch(),
        Node::Extension(extension) => extension.path.len(),
        Node::Branch(branch) => branch.touch(),
    };
    let then = |dirty: &Dirty| match &dirty.node {
        Node::Leaf(_) => 0,
        Node::Extension(extension) => usize::from(extension.path[0]),
        Node::Branch(branch) => branch.touch_changed(),
    };
    black_box(nodes.iter().map(first).sum::<usize>());
    black_box(nodes.iter().map(then).sum::<usize>());
}
