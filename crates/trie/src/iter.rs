//! Walking keys in ascending order.

use crate::node::{Branch, Link, Node};
use crate::{Bytes, KEY_BYTES_MAX, NodeReader, Trie, TrieError, nibbles};
use std::sync::Arc;

impl Trie {
    /// Keys that begin with `prefix` and are not below `start` (empty: from the first), ascending, with their values.
    ///
    /// Memory is bounded by the depth: nodes read on the way are not kept. The walk sees the trie as it is now; later
    /// changes do not touch it. After an error the walk ends.
    pub fn iter<'r>(&self, reader: &'r dyn NodeReader, prefix: &[u8], start: &[u8]) -> Iter<'r> {
        let (prefix, start) = (nibbles::from_key(prefix), nibbles::from_key(start));
        Iter { reader, prefix, start, path: Vec::new(), stack: Vec::new(), root: Some(self.root.clone()) }
    }
}

/// The walk made by [`Trie::iter`].
pub struct Iter<'r> {
    reader: &'r dyn NodeReader,
    prefix: Vec<u8>,
    start: Vec<u8>,
    /// Nibbles of the place that the walk is at.
    path: Vec<u8>,
    stack: Vec<Frame>,
    /// Where to begin; taken by the first step.
    root: Option<Link>,
}

/// A branch on the way down: its depth in nibbles and the next of its 17 to visit (0 is its value).
struct Frame {
    branch: Arc<Branch>,
    depth: usize,
    next: usize,
}

type Entry = (Vec<u8>, Bytes);

impl Iterator for Iter<'_> {
    type Item = Result<Entry, TrieError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.advance();
        if entry.is_err() {
            self.stack.clear();
        }
        entry.transpose()
    }
}

impl Iter<'_> {
    fn advance(&mut self) -> Result<Option<Entry>, TrieError> {
        if let Some(root) = self.root.take()
            && let Some(entry) = self.enter(&root)?
        {
            return Ok(Some(entry));
        }
        while let Some(frame) = self.stack.last_mut() {
            self.path.truncate(frame.depth);
            let at = frame.next;
            frame.next += 1;
            let branch = &frame.branch;
            let entry = match at {
                0 => branch.value.clone().map_or(Ok(None), |value| self.emit(&value))?,
                1..=16 => {
                    let child = branch.child(at - 1).to_link();
                    self.path.push((at - 1) as u8);
                    self.enter(&child)?
                }
                _ => {
                    self.stack.pop();
                    None
                }
            };
            if entry.is_some() {
                return Ok(entry);
            }
        }
        Ok(None)
    }

    /// Goes to the node at `self.path`, unless nothing below it is wanted; returns the entry of a leaf.
    fn enter(&mut self, link: &Link) -> Result<Option<Entry>, TrieError> {
        let mut link = link.clone();
        while self.wanted() {
            let node = match &link {
                Link::Empty => return Ok(None),
                Link::Fresh(node) => node.clone(),
                Link::Stored(stored) => stored.peek(self.reader)?,
            };
            match node {
                Node::Leaf(leaf) => {
                    self.path.extend(leaf.path());
                    return self.emit(leaf.value());
                }
                Node::Extension(extension) => {
                    self.path.extend(&extension.path);
                    link = extension.child.clone();
                }
                Node::Branch(branch) => {
                    self.stack.push(Frame { branch, depth: self.path.len(), next: 0 });
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Whether a key at or below `self.path` can be one of those asked for. (A path longer than any key is not: only a
    /// trie that we did not make has one.)
    fn wanted(&self) -> bool {
        let in_prefix = nibbles::common(&self.path, &self.prefix) == self.path.len().min(self.prefix.len());
        let not_before = self.path >= self.start || self.start.starts_with(&self.path);
        in_prefix && not_before && self.path.len() <= 2 * KEY_BYTES_MAX
    }

    fn emit(&self, value: &[u8]) -> Result<Option<Entry>, TrieError> {
        if !self.path.starts_with(&self.prefix) || self.path < self.start {
            return Ok(None);
        }
        // An odd number of nibbles is no key; only a trie that we did not make has one, and nobody can ask for it.
        Ok(nibbles::to_key(&self.path).map(|key| (key, Bytes::copy_from_slice(value))))
    }
}
