//! Reading and writing single keys.

use crate::leaf::Leaf;
use crate::node::{Branch, Extension, Link, LinkRef, Node, Step, Stored};
use crate::{Bytes, EMPTY_ROOT, Hash, KEY_BYTES_MAX, NodeReader, TrieError, nibbles};
use std::sync::Arc;

/// A Merkle-Patricia trie over raw keys; see the [crate] page.
///
/// Nodes that were read stay in memory for this trie and its clones. To bound that, [`Trie::trim`] now and then, or
/// start again with [`Trie::open`].
#[derive(Clone, Debug, Default)]
pub struct Trie {
    pub(crate) root: Link,
}

impl Trie {
    /// The trie that holds nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The stored trie with this root ([`EMPTY_ROOT`]: the empty one). Nothing is read yet.
    pub fn open(root: Hash) -> Self {
        let root = if root == EMPTY_ROOT { Link::Empty } else { Link::Stored(Stored::unread(root)) };
        Self { root }
    }

    /// The root hash, `None` while changes are not committed.
    pub fn root(&self) -> Option<Hash> {
        match &self.root {
            Link::Empty => Some(EMPTY_ROOT),
            Link::Stored(stored) => Some(stored.hash),
            Link::Fresh(_) => None,
        }
    }

    /// True if no key has a value.
    pub fn is_empty(&self) -> bool {
        matches!(self.root, Link::Empty)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// A node on the way is missing, corrupt or cannot be read.
    pub fn get(&self, reader: &dyn NodeReader, key: &[u8]) -> Result<Option<Bytes>, TrieError> {
        let nibbles = nibbles::from_key(key);
        let (mut link, mut path) = (self.root.as_ref(), &nibbles[..]);
        while let Some(node) = link.load(reader)? {
            match node.step(path) {
                Step::Down(child, rest) => (link, path) = (child, rest),
                Step::Here(value) => return Ok(value.map(Bytes::copy_from_slice)),
            }
        }
        Ok(None)
    }

    /// Sets the value of a key; an empty value removes it.
    ///
    /// # Errors
    /// As [`Trie::get`]; [`TrieError::KeyTooLong`] above [`KEY_BYTES_MAX`].
    pub fn insert(&mut self, reader: &dyn NodeReader, key: &[u8], value: impl Into<Bytes>) -> Result<(), TrieError> {
        let value = value.into();
        if value.is_empty() {
            return self.remove(reader, key).map(|_| ());
        }
        if key.len() > KEY_BYTES_MAX {
            return Err(TrieError::KeyTooLong { got: key.len(), max: KEY_BYTES_MAX });
        }
        insert(&mut self.root, reader, &nibbles::from_key(key), &value)
    }

    /// Removes a key; returns the value that it had.
    ///
    /// # Errors
    /// As [`Trie::get`]. Joining nodes may read the neighbour of the removed one.
    pub fn remove(&mut self, reader: &dyn NodeReader, key: &[u8]) -> Result<Option<Bytes>, TrieError> {
        let had = self.get(reader, key)?; // a key that is not there must leave every hash known
        if had.is_some() {
            remove(&mut self.root, reader, &nibbles::from_key(key))?;
        }
        Ok(had)
    }

    /// Forgets the bodies of unchanged nodes that are `levels` or more below the root; 0 forgets all of them.
    /// They will be read again when needed. At most `16^levels` unchanged nodes stay in memory.
    pub fn trim(&mut self, levels: usize) {
        trim(&mut self.root, levels);
    }
}

/// Sets the value below `link`. Everything that can fail comes before the one change.
fn insert(link: &mut Link, reader: &dyn NodeReader, path: &[u8], value: &[u8]) -> Result<(), TrieError> {
    let Some(node) = link.load_mut(reader)? else {
        *link = Link::Fresh(Node::Leaf(Leaf::new(path, value)));
        return Ok(());
    };
    match node {
        Node::Leaf(leaf) if leaf.has_path(path) => *leaf = Leaf::new(path, value),
        Node::Leaf(leaf) => {
            let own = leaf.path();
            let shared = nibbles::common(&own, path);
            let mut fork = Branch::empty();
            let branch = Branch::own(&mut fork);
            put(branch, &own[shared..], leaf.value());
            put(branch, &path[shared..], value);
            *node = below(&path[..shared], fork);
        }
        Node::Extension(extension) => {
            let Extension { path: own, child } = Arc::make_mut(extension);
            let shared = nibbles::common(own, path);
            if shared == own.len() {
                return insert(child, reader, &path[shared..], value);
            }
            let mut fork = Branch::empty();
            let branch = Branch::own(&mut fork);
            let rest = &own[shared + 1..];
            let child = std::mem::take(child);
            let child = if rest.is_empty() { child } else { Link::Fresh(Node::extension(rest.to_vec(), child)) };
            branch.change(own[shared], |link| *link = child);
            put(branch, &path[shared..], value);
            *node = below(&path[..shared], fork);
        }
        Node::Branch(branch) => {
            let branch = Branch::own(branch);
            match path.split_first() {
                None => branch.value = Some(value.into()),
                Some((&next, rest)) => return branch.change(next, |child| insert(child, reader, rest, value)),
            }
        }
    }
    Ok(())
}

/// Puts a value into a branch slot that is free.
fn put(branch: &mut Branch, path: &[u8], value: &[u8]) {
    match path.split_first() {
        None => branch.value = Some(value.into()),
        Some((&next, rest)) => {
            branch.change(next, |child| *child = Link::Fresh(Node::Leaf(Leaf::new(rest, value))));
        }
    }
}

/// The branch, under an extension if there are nibbles above it.
fn below(path: &[u8], branch: Arc<Branch>) -> Node {
    if path.is_empty() {
        return Node::Branch(branch);
    }
    Node::extension(path.to_vec(), Link::Fresh(Node::Branch(branch)))
}

/// Removes the value at `path`, which is there. A failure leaves the content as it was.
fn remove(link: &mut Link, reader: &dyn NodeReader, path: &[u8]) -> Result<(), TrieError> {
    let Some(node) = link.load_mut(reader)? else { return Ok(()) };
    let left = match node {
        Node::Leaf(_) => None,
        Node::Extension(extension) => {
            let Extension { path: own, child } = Arc::make_mut(extension);
            remove(child, reader, &path[own.len()..])?;
            prepend(std::mem::take(own), std::mem::take(child), reader)?
        }
        Node::Branch(branch) => {
            let branch = Branch::own(branch);
            let next = path.first().copied();
            if branch.taken() == 2 {
                // The branch may dissolve into the other one: read that before anything changes.
                (0..16)
                    .filter(|&slot| next.map(usize::from) != Some(slot))
                    .try_for_each(|slot| branch.child(slot).load(reader).map(drop))?;
            }
            match next {
                None => branch.value = None,
                Some(next) => branch.change(next, |child| remove(child, reader, &path[1..]))?,
            }
            if branch.taken() > 1 {
                return Ok(());
            }
            dissolve(branch, reader)?
        }
    };
    match left {
        Some(left) => *node = left,
        None => *link = Link::Empty,
    }
    Ok(())
}

/// What remains of a branch with at most one of its 17 taken.
fn dissolve(branch: &mut Branch, reader: &dyn NodeReader) -> Result<Option<Node>, TrieError> {
    if let Some(value) = branch.value.take() {
        return Ok(Some(Node::Leaf(Leaf::new(&[], &value))));
    }
    match (0u8..16).find(|&i| !matches!(branch.child(usize::from(i)), LinkRef::Empty)) {
        Some(i) => prepend(vec![i], branch.take(usize::from(i)), reader),
        None => Ok(None),
    }
}

/// The one node that stands for `path` followed by `child`, which is in memory.
fn prepend(mut path: Vec<u8>, child: Link, reader: &dyn NodeReader) -> Result<Option<Node>, TrieError> {
    let Some(node) = child.as_ref().load(reader)? else { return Ok(None) };
    Ok(Some(match node {
        Node::Leaf(leaf) => {
            path.extend(leaf.path());
            Node::Leaf(Leaf::new(&path, leaf.value()))
        }
        Node::Extension(extension) => {
            path.extend(&extension.path);
            Node::extension(path, extension.child.clone())
        }
        Node::Branch(_) => Node::extension(path, child),
    }))
}

fn trim(link: &mut Link, levels: usize) {
    match link {
        Link::Empty => {}
        Link::Fresh(node) => children_mut(node, |child| trim(child, levels.saturating_sub(1))),
        Link::Stored(stored) => {
            let Some(node) = stored.cached() else { return };
            *link = Link::Stored(if levels == 0 {
                Stored::unread(stored.hash)
            } else {
                let mut node = node.clone();
                children_mut(&mut node, |child| trim(child, levels - 1));
                Stored::with_body(stored.hash, node)
            });
        }
    }
}

/// Visits every child of a node, for change.
pub(crate) fn children_mut(node: &mut Node, mut visit: impl FnMut(&mut Link)) {
    match node {
        Node::Leaf(_) => {}
        Node::Extension(extension) => visit(&mut Arc::make_mut(extension).child),
        Node::Branch(branch) => {
            let branch = Branch::own(branch);
            for slot in 0..16 {
                let mut child = branch.lift(slot);
                visit(&mut child);
                branch.put(slot, child);
            }
        }
    }
}
