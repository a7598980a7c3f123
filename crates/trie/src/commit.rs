//! Hashing what changed, level by level.

use crate::codec::{self, INLINE_BELOW};
use crate::node::{Link, Node, Stored};
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

/// A changed node, taken out of its parent.
struct Dirty {
    node: Arc<Node>,
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
    /// One call of `hasher` for up to 256 nodes that have as many above them. Without changes, `nodes` is empty.
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
        let mut work = Work { hasher, nodes: Vec::new() };
        let mut level = vec![Dirty { node: root, place: Place { parent: 0, slot: 0 } }];
        work.settle_below(&mut level);
        let root = work.hash(level, 0).pop();
        self.root = root.map(|(_, link)| link).unwrap_or_default();
        Commit { root: self.root().unwrap_or(EMPTY_ROOT), nodes: work.nodes }
    }
}

/// A commit in progress.
struct Work<'h> {
    hasher: &'h dyn BatchHasher,
    nodes: Vec<(Hash, Bytes)>,
}

impl Work<'_> {
    /// Hashes what changed below these nodes. The recursion is as deep as the trie.
    fn settle_below(&mut self, level: &mut [Dirty]) {
        let mut below = take_children(level).into_iter();
        while below.len() > 0 {
            let mut together: Vec<_> = below.by_ref().take(TOGETHER).collect();
            self.settle_below(&mut together);
            for (Place { parent, slot }, link) in self.hash(together, INLINE_BELOW) {
                *slot_mut(Node::own(&mut level[parent].node), slot) = link;
            }
        }
    }

    /// Encodes nodes below which all is hashed, and hashes those of `inline_below` bytes or more. Returns the links.
    #[inline(never)]
    fn hash(&mut self, level: Vec<Dirty>, inline_below: usize) -> Vec<(Place, Link)> {
        // One piece of memory, which the nodes share: thousands of small ones would cost as much as hashing.
        let mut raw = Vec::with_capacity(level.iter().map(|dirty| codec::encoded_max(&dirty.node)).sum());
        let places: Vec<_> = level.iter().map(|dirty| codec::push_encoded(&dirty.node, &mut raw)).collect();
        let hashed = places.iter().filter(|place| place.len() >= inline_below);
        let messages: Vec<&[u8]> = hashed.map(|place| &raw[place.clone()]).collect();
        let hashes = if messages.is_empty() { Vec::new() } else { self.hasher.keccak256_batch(&messages) };
        assert_eq!(hashes.len(), messages.len(), "the hasher must return one digest a message");
        let (raw, mut hashes) = (Bytes::from(raw), hashes.into_iter());
        let finish = |(Dirty { node, place }, range): (Dirty, Range<usize>)| {
            if range.len() < inline_below {
                return (place, Link::Fresh(node));
            }
            let hash = hashes.next().expect("counted above");
            self.nodes.push((hash, raw.slice(range)));
            (place, Link::Stored(Stored::with_body(hash, node)))
        };
        level.into_iter().zip(places).map(finish).collect()
    }
}

/// Takes the changed children out of the nodes, which are then held once.
#[inline(never)]
fn take_children(level: &mut [Dirty]) -> Vec<Dirty> {
    let mut children = Vec::new();
    for parent in 0..level.len() {
        if parent % AHEAD == 0 {
            touch(&level[parent..level.len().min(parent + AHEAD)]);
        }
        let mut take = |slot, child: &mut Link| {
            if let Link::Fresh(_) = child
                && let Link::Fresh(node) = std::mem::take(child)
            {
                children.push(Dirty { node, place: Place { parent, slot } });
            }
        };
        match Node::own(&mut level[parent].node) {
            Node::Leaf { .. } => {}
            Node::Extension { child, .. } => take(0, child),
            Node::Branch(branch) => {
                let mut changed = std::mem::take(&mut branch.changed);
                while changed != 0 {
                    let slot = changed.trailing_zeros() as usize;
                    take(slot, &mut branch.children[slot]);
                    changed &= changed - 1;
                }
            }
        }
    }
    children
}

/// Reads from each node what a commit needs. Nodes lie all over the memory; these reads do not wait for each other, as
/// those of the steps do.
fn touch(nodes: &[Dirty]) {
    let near = |dirty: &Dirty| match &*dirty.node {
        Node::Leaf { path, value } => usize::from(path.first() == value.first()),
        Node::Extension { path, .. } => path.len(),
        Node::Branch(branch) => branch.taken(),
    };
    black_box(nodes.iter().map(near).sum::<usize>());
}

fn slot_mut(node: &mut Node, slot: usize) -> &mut Link {
    match node {
        Node::Branch(branch) => &mut branch.children[slot],
        Node::Extension { child, .. } => child,
        Node::Leaf { .. } => unreachable!("a leaf has no child"),
    }
}
