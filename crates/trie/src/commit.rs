//! Hashing what changed, from below, some hundred nodes of a level at a time.

use crate::codec::{self, INLINE_BELOW};
use crate::node::{Branch, Extension, Link, Node, Stored};
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

/// Is shown hashes and, for each, the node as RLP.
pub type PutNodes<'p> = dyn FnMut(&[Hash], &[&[u8]]) + 'p;

/// A changed node in its parent.
struct Dirty<'n> {
    node: &'n mut Node,
    /// Where its hash goes, if the parent is a branch.
    room: Option<&'n mut [u8; 32]>,
    place: Place,
}

/// Where a node hangs: its parent's index among those that are handled with it, and the slot there.
#[derive(Clone, Copy, Default)]
struct Place {
    parent: usize,
    slot: usize,
    /// Where the hash goes in the parent's RLP, if that is made already.
    at: Option<usize>,
}

/// What became of some nodes.
struct Settled {
    /// A hash each.
    hashes: Vec<Hash>,
    /// Those that stand in their parents instead, ascending: their hashes mean nothing.
    inline: Vec<usize>,
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
    /// not shown. One call of `hasher`, and then one of `put`, for up to 511 nodes of a level.
    ///
    /// # Panics
    /// If `hasher` does not return one digest a message. If `hasher` or `put` panics, the trie is empty afterwards; its
    /// clones are as they were.
    pub fn commit_to(&mut self, hasher: &dyn BatchHasher, put: &mut PutNodes<'_>) -> Hash {
        if let Link::Fresh(_) = self.root
            && let Link::Fresh(mut node) = std::mem::take(&mut self.root)
        {
            let mut work = Work { hasher, put, encoded: Vec::new() };
            let mut level = [Dirty { node: &mut node, room: None, place: Place::default() }];
            let hash = work.settle(&mut level, 0).hashes[0];
            self.root = Link::Stored(Stored::with_body(hash, node));
        }
        self.root().unwrap_or(EMPTY_ROOT)
    }
}

/// A commit in progress.
struct Work<'w> {
    hasher: &'w dyn BatchHasher,
    put: &'w mut PutNodes<'w>,
    /// RLP of the nodes that are at work, those of a level behind those of their parents.
    encoded: Vec<u8>,
}

/// What is left to do for a parent when its children are done.
struct Rest {
    parent: usize,
    /// A child that is no part of the parent's RLP yet: its slot, and its hash if it has one.
    child: Option<(usize, Option<Hash>)>,
}

impl Work<'_> {
    /// Hashes these nodes, those of `inline_below` bytes or more, and before them what changed below them. The
    /// recursion is as deep as the trie.
    fn settle(&mut self, level: &mut [Dirty<'_>], inline_below: usize) -> Settled {
        let start = self.encoded.len();
        let (mut ranges, mut rest) = (Vec::with_capacity(level.len()), Vec::new());
        let mut below = open(self.hasher, level, &mut self.encoded, &mut ranges, &mut rest).into_iter();
        let part = below.len().div_ceil((below.len() / TOGETHER).max(1)); // equal parts: no small one is left
        while below.len() > 0 {
            let mut together: Vec<_> = below.by_ref().take(part).collect();
            let settled = self.settle(&mut together, INLINE_BELOW);
            hang(together, &settled, &mut self.encoded, &mut rest);
        }
        drop(below);
        finish(level, &mut self.encoded, &mut ranges, rest);
        let settled = self.hash(&ranges, inline_below);
        self.encoded.truncate(start);
        settled
    }

    #[inline(never)]
    fn hash(&mut self, ranges: &[Range<usize>], inline_below: usize) -> Settled {
        let (mut messages, mut inline) = (Vec::with_capacity(ranges.len()), Vec::new());
        for (at, range) in ranges.iter().enumerate() {
            if range.len() < inline_below {
                inline.push(at);
            } else {
                messages.push(&self.encoded[range.clone()]);
            }
        }
        let mut hashes = if messages.is_empty() { Vec::new() } else { self.hasher.keccak256_batch(&messages) };
        assert_eq!(hashes.len(), messages.len(), "the hasher must return one digest a message");
        (self.put)(&hashes, &messages);
        if !inline.is_empty() {
            let mut hashed = hashes.into_iter();
            let is_inline = |at| inline.binary_search(&at).is_ok();
            let hash = |at| if is_inline(at) { None } else { hashed.next() };
            hashes = (0..ranges.len()).map(hash).map(Option::unwrap_or_default).collect();
        }
        Settled { hashes, inline }
    }
}

/// Makes these nodes ours, encodes them with room for the hashes of their changed children, and returns those.
#[inline(never)]
fn open<'l>(
    hasher: &dyn BatchHasher,
    level: &'l mut [Dirty<'_>],
    encoded: &mut Vec<u8>,
    ranges: &mut Vec<Range<usize>>,
    rest: &mut Vec<Rest>,
) -> Vec<Dirty<'l>> {
    let mut children = Vec::with_capacity(2 * level.len());
    fetch_front(hasher, &level[..level.len().min(2 * AHEAD)]);
    fetch_rest(hasher, &level[..level.len().min(AHEAD)]);
    let mut later = level;
    while !later.is_empty() {
        let (together, next) = later.split_at_mut(later.len().min(AHEAD));
        let soon = next.len().min(AHEAD);
        fetch_front(hasher, &next[soon..next.len().min(2 * AHEAD)]);
        fetch_rest(hasher, &next[..soon]);
        later = next;
        for dirty in together {
            let parent = ranges.len();
            let child = |slot, node, room, at| Dirty { node, room, place: Place { parent, slot, at } };
            let range = match dirty.node {
                Node::Leaf(leaf) => codec::push_leaf(leaf, encoded),
                Node::Extension(extension) => {
                    if let Link::Fresh(node) = &mut Arc::make_mut(extension).child {
                        children.push(child(0, node, None, None));
                    }
                    0..0
                }
                Node::Branch(branch) => {
                    let branch = Branch::own(branch);
                    let changed = branch.take_changed();
                    let range = codec::push_branch(branch, encoded);
                    let start = (!range.is_empty()).then(|| range.end - branch.items_len() - 1);
                    branch.each(changed, |slot, node, room, at| {
                        children.push(child(slot, node, Some(room), start.map(|start| start + at)));
                    });
                    range
                }
            };
            if range.is_empty() {
                rest.push(Rest { parent, child: None });
            }
            ranges.push(range);
        }
    }
    children
}

/// Puts the hashes of nodes into their parents.
#[inline(never)]
fn hang(nodes: Vec<Dirty<'_>>, settled: &Settled, encoded: &mut [u8], rest: &mut Vec<Rest>) {
    let mut inline = settled.inline.iter().peekable();
    for (i, (node, hash)) in nodes.into_iter().zip(&settled.hashes).enumerate() {
        let Dirty { room, place: Place { parent, slot, at }, .. } = node;
        let hash = if inline.next_if_eq(&&i).is_some() { None } else { Some(*hash) };
        match (room, hash) {
            (Some(room), Some(hash)) => {
                *room = hash.0;
                if let Some(at) = at {
                    encoded[at..at + 32].copy_from_slice(hash.as_slice());
                }
            }
            _ => rest.push(Rest { parent, child: Some((slot, hash)) }),
        }
    }
}

/// Encodes the nodes that could not be on the way down.
#[inline(never)]
fn finish(level: &mut [Dirty<'_>], encoded: &mut Vec<u8>, ranges: &mut [Range<usize>], rest: Vec<Rest>) {
    for Rest { parent, child } in &rest {
        ranges[*parent] = 0..0;
        if let Some((slot, hash)) = child {
            match level[*parent].node {
                Node::Branch(branch) => Branch::own(branch).unhash(*slot),
                Node::Extension(extension) => {
                    let child = &mut Arc::make_mut(extension).child;
                    if let (Link::Fresh(_), Some(hash)) = (&child, hash)
                        && let Link::Fresh(node) = std::mem::take(child)
                    {
                        *child = Link::Stored(Stored::with_body(*hash, node));
                    }
                }
                Node::Leaf(_) => unreachable!("a leaf has no child"),
            }
        }
    }
    // A parent stands here once for each child: it is encoded once.
    for Rest { parent, .. } in rest {
        if ranges[parent].is_empty() {
            ranges[parent] = codec::push_encoded(level[parent].node, encoded);
        }
    }
}

/// Has the processor fetch what a commit reads first of each node.
fn fetch_front(hasher: &dyn BatchHasher, nodes: &[Dirty<'_>]) {
    for Dirty { node, .. } in nodes {
        match node {
            Node::Leaf(leaf) => leaf.fetch(hasher),
            Node::Extension(extension) => hasher.prefetch(Arc::as_ptr(extension).cast(), size_of::<Extension>()),
            Node::Branch(branch) => Branch::fetch_front(branch, hasher),
        }
    }
}

/// Has the processor fetch what else a commit reads.
fn fetch_rest(hasher: &dyn BatchHasher, nodes: &[Dirty<'_>]) {
    for Dirty { node, .. } in nodes {
        if let Node::Branch(branch) = node {
            branch.fetch_rest(hasher);
        }
    }
}
