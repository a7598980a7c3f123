//! Blocks above the settled head, and what is remembered of those just below it.

use crate::limits::{INVALID_MAX, TREE_BLOCKS_MAX};
use crate::{BlockMeta, Millis, Peer};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use vigil_primitives::{Block, Epoch, Hash, Height};

/// A block whose parent is executed.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) block: Arc<Block>,
    pub(crate) meta: BlockMeta,
    /// Executed and valid; else execution is under way.
    pub(crate) valid: bool,
    pub(crate) arrived: Millis,
    pub(crate) from: Option<Peer>,
    children: Vec<Hash>,
}

/// Every node descends from the head; every settled block from the parent of the head's HCC up is in the tail.
#[derive(Clone)]
pub(crate) struct Tree {
    tail: Vec<BlockMeta>,
    head_children: Vec<Hash>,
    head_arrived: Option<Millis>,
    nodes: BTreeMap<Hash, Node>,
    by_epoch: BTreeMap<Epoch, Vec<Hash>>,
    invalid: BTreeSet<Hash>,
    invalid_order: VecDeque<Hash>,
}

/// What settling changed.
pub(crate) struct Cut {
    /// The new settled blocks, ascending.
    pub(crate) settled: Vec<(Hash, Arc<Block>)>,
    /// Blocks of other branches.
    pub(crate) discarded: Vec<Hash>,
}

impl Tree {
    pub(crate) fn new(tail: Vec<BlockMeta>) -> Self {
        Self {
            tail,
            head_children: Vec::new(),
            head_arrived: None,
            nodes: BTreeMap::new(),
            by_epoch: BTreeMap::new(),
            invalid: BTreeSet::new(),
            invalid_order: VecDeque::new(),
        }
    }

    /// The settled head.
    pub(crate) fn head(&self) -> &BlockMeta {
        self.tail.last().expect("the tail holds at least the head")
    }

    pub(crate) fn tail(&self) -> &[BlockMeta] {
        &self.tail
    }

    pub(crate) fn node(&self, hash: &Hash) -> Option<&Node> {
        self.nodes.get(hash)
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn is_invalid(&self, hash: &Hash) -> bool {
        self.invalid.contains(hash)
    }

    /// Of a pending or a remembered settled block.
    pub(crate) fn meta(&self, hash: &Hash) -> Option<&BlockMeta> {
        match self.nodes.get(hash) {
            Some(node) => Some(&node.meta),
            None => self.tail.iter().rev().find(|meta| meta.hash == *hash),
        }
    }

    /// Like [`Tree::meta`], of an executed block.
    pub(crate) fn valid(&self, hash: &Hash) -> Option<&BlockMeta> {
        match self.nodes.get(hash) {
            Some(node) => node.valid.then_some(&node.meta),
            None => self.meta(hash),
        }
    }

    /// When a block came; `None` for settled ones that were there at the start.
    pub(crate) fn arrived(&self, hash: &Hash) -> Option<Millis> {
        match self.nodes.get(hash) {
            Some(node) => Some(node.arrived),
            None => self.head_arrived.filter(|_| *hash == self.head().hash),
        }
    }

    /// Blocks of an epoch.
    pub(crate) fn of_epoch(&self, epoch: Epoch) -> &[Hash] {
        self.by_epoch.get(&epoch).map_or(&[], Vec::as_slice)
    }

    /// The ancestor (or the block itself) at a height, as far down as the tail reaches.
    pub(crate) fn ancestor_at(&self, hash: &Hash, height: Height) -> Option<&BlockMeta> {
        let mut meta = self.meta(hash)?;
        while meta.height > height {
            meta = self.meta(&meta.parent)?;
        }
        (meta.height == height).then_some(meta)
    }

    /// True if `ancestor` is `hash` or above it in the chain.
    pub(crate) fn descends(&self, hash: &Hash, ancestor: &BlockMeta) -> bool {
        self.ancestor_at(hash, ancestor.height).is_some_and(|meta| meta.hash == ancestor.hash)
    }

    /// Adds a block whose parent is the head or a valid node.
    pub(crate) fn insert(&mut self, block: Arc<Block>, meta: BlockMeta, arrived: Millis, from: Option<Peer>) {
        let hash = meta.hash;
        match self.nodes.get_mut(&meta.parent) {
            Some(parent) => parent.children.push(hash),
            None => self.head_children.push(hash),
        }
        self.by_epoch.entry(meta.epoch).or_default().push(hash);
        self.nodes.insert(hash, Node { block, meta, valid: false, arrived, from, children: Vec::new() });
    }

    /// Marks a block as executed.
    pub(crate) fn set_valid(&mut self, hash: &Hash, set_after: Option<crate::ValidatorSet>) {
        if let Some(node) = self.nodes.get_mut(hash) {
            node.valid = true;
            node.meta.set_after = set_after;
        }
    }

    /// Takes a block without children out.
    pub(crate) fn remove_leaf(&mut self, hash: &Hash) -> Option<Node> {
        let node = self.nodes.remove(hash)?;
        debug_assert!(node.children.is_empty(), "only leaves are taken out");
        let siblings = match self.nodes.get_mut(&node.meta.parent) {
            Some(parent) => &mut parent.children,
            None => &mut self.head_children,
        };
        siblings.retain(|child| child != hash);
        self.unlist(node.meta.epoch, hash);
        Some(node)
    }

    fn unlist(&mut self, epoch: Epoch, hash: &Hash) {
        if let Some(list) = self.by_epoch.get_mut(&epoch) {
            list.retain(|other| other != hash);
            if list.is_empty() {
                self.by_epoch.remove(&epoch);
            }
        }
    }

    /// Remembers an invalid hash; the oldest gives way.
    pub(crate) fn mark_invalid(&mut self, hash: Hash) {
        if self.invalid.insert(hash) {
            self.invalid_order.push_back(hash);
        }
        if self.invalid_order.len() > INVALID_MAX
            && let Some(oldest) = self.invalid_order.pop_front()
        {
            self.invalid.remove(&oldest);
        }
    }

    /// If full, the leaf of the oldest epoch that `keep` does not want.
    pub(crate) fn surplus_leaf(&self, keep: impl Fn(&Hash) -> bool) -> Option<Hash> {
        if self.nodes.len() < TREE_BLOCKS_MAX {
            return None;
        }
        let leaf = |hash: &&Hash| self.nodes[*hash].children.is_empty() && self.nodes[*hash].valid && !keep(hash);
        self.by_epoch.values().flatten().find(leaf).copied()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.nodes.len() >= TREE_BLOCKS_MAX
    }

    /// Makes `target`, a valid node, the head.
    pub(crate) fn settle(&mut self, target: &Hash) -> Cut {
        let mut path = vec![*target];
        while let Some(node) = self.nodes.get(&path[path.len() - 1])
            && self.nodes.contains_key(&node.meta.parent)
        {
            path.push(node.meta.parent);
        }
        let mut settled = Vec::with_capacity(path.len());
        let mut dropped = std::mem::take(&mut self.head_children);
        for hash in path.into_iter().rev() {
            dropped.retain(|child| *child != hash);
            let node = self.nodes.remove(&hash).expect("the path is made of nodes");
            self.unlist(node.meta.epoch, &hash);
            self.head_arrived = Some(node.arrived);
            self.tail.push(node.meta);
            settled.push((hash, node.block));
            dropped.extend(node.children);
        }
        // What the head itself carries stays; `dropped` holds the other children of the path and of the old head.
        let kept: BTreeSet<Hash> = self.children_of_head(&dropped).collect();
        dropped.retain(|hash| !kept.contains(hash));
        self.head_children = kept.into_iter().collect();
        let discarded = self.remove_branches(dropped);
        self.shorten_tail();
        Cut { settled, discarded }
    }

    fn children_of_head<'a>(&'a self, among: &'a [Hash]) -> impl Iterator<Item = Hash> + 'a {
        let head = self.head().hash;
        among.iter().filter(move |hash| self.nodes.get(*hash).is_some_and(|n| n.meta.parent == head)).copied()
    }

    fn remove_branches(&mut self, mut roots: Vec<Hash>) -> Vec<Hash> {
        let mut removed = Vec::new();
        while let Some(hash) = roots.pop() {
            let Some(node) = self.nodes.remove(&hash) else { continue };
            self.unlist(node.meta.epoch, &hash);
            roots.extend(node.children);
            removed.push(hash);
        }
        removed
    }

    /// Rule 12 never reaches below the head's HCC, and §1.12 asks for that block's parent.
    fn shorten_tail(&mut self) {
        let lowest = self.head().hcc_height.saturating_sub(1);
        self.tail.retain(|meta| meta.height >= lowest);
    }
}
