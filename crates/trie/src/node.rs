//! Nodes in memory. Immutable once shared; a changed node is copied only if somebody else holds it.

pub(crate) use crate::link::{Body, Link, LinkRef, Stored};
use crate::{Bytes, Hash};
use std::sync::Arc;

/// One node: a handle to it, cheap to clone. What kind it is can be told without reading it.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Leaf(Arc<Leaf>),
    Extension(Arc<Extension>),
    Branch(Arc<Branch>),
}

/// The rest of a key, as nibbles, and its value (never empty).
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) path: Vec<u8>,
    pub(crate) value: Bytes,
}

/// A run of nibbles (never empty) above a branch.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    pub(crate) path: Vec<u8>,
    pub(crate) child: Link,
}

/// Where a walk along a key goes from a node.
pub(crate) enum Step<'n, 'p> {
    /// Down this link, with the rest of the path.
    Down(LinkRef<'n>, &'p [u8]),
    /// Nowhere: this is the value.
    Here(Option<&'n Bytes>),
}

impl Node {
    /// A new leaf.
    pub(crate) fn leaf(path: Vec<u8>, value: Bytes) -> Self {
        Self::Leaf(Arc::new(Leaf { path, value }))
    }

    /// A new extension.
    pub(crate) fn extension(path: Vec<u8>, child: Link) -> Self {
        Self::Extension(Arc::new(Extension { path, child }))
    }

    /// Follows `path` by one node.
    pub(crate) fn step<'p>(&self, path: &'p [u8]) -> Step<'_, 'p> {
        match self {
            Self::Leaf(leaf) => Step::Here((leaf.path == path).then_some(&leaf.value)),
            Self::Extension(extension) => match path.strip_prefix(&extension.path[..]) {
                Some(rest) => Step::Down(extension.child.as_ref(), rest),
                None => Step::Here(None),
            },
            Self::Branch(branch) => match path.split_first() {
                Some((&next, rest)) => Step::Down(branch.child(usize::from(next)), rest),
                None => Step::Here(branch.value.as_ref()),
            },
        }
    }
}

/// A fork, at least two of the 17 taken: children by next nibble, and the value of the key that ends here. The hashes
/// stand together, as they do in RLP: a commit reads all of them, and of the rest only what has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Branch {
    /// RLP of the children that are known by hash.
    items: [HashItem; 16],
    children: [Slot; 16],
    /// Bit i: there is a child i.
    taken: u16,
    /// Bit i: child i is known by hash.
    hashed: u16,
    /// Bit i: child i may have changed since the last commit. A commit looks at these alone.
    pub(crate) changed: u16,
    pub(crate) value: Option<Bytes>,
}

/// A hash in RLP: a string of 32 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct HashItem([u8; HashItem::LEN]);

impl HashItem {
    /// Bytes of it.
    pub(crate) const LEN: usize = 33;

    pub(crate) fn new(hash: &Hash) -> Self {
        let mut item = Self::default();
        item.0[1..].copy_from_slice(hash.as_slice());
        item
    }

    pub(crate) fn bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    fn hash(&self) -> &Hash {
        let [_, hash @ ..] = &self.0;
        hash.into()
    }
}

impl Default for HashItem {
    fn default() -> Self {
        Self([alloy_rlp::EMPTY_STRING_CODE + 32; Self::LEN])
    }
}

/// A child in a branch: a [`Link`] without its hash.
#[derive(Clone, Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Stored(Body),
    Fresh(Node),
}

impl Branch {
    /// An empty one. Not inlined: a walk down a long key has no room for a branch in each of its stack frames.
    #[inline(never)]
    pub(crate) fn empty() -> Arc<Self> {
        Arc::default()
    }

    /// The branch for change, copied if somebody else holds it. Not inlined, as [`Branch::empty`].
    #[inline(never)]
    pub(crate) fn own(branch: &mut Arc<Self>) -> &mut Self {
        Arc::make_mut(branch)
    }

    /// A child.
    pub(crate) fn child(&self, slot: usize) -> LinkRef<'_> {
        match &self.children[slot] {
            Slot::Empty => LinkRef::Empty,
            Slot::Stored(body) => LinkRef::Stored(self.items[slot].hash(), body),
            Slot::Fresh(node) => LinkRef::Fresh(node),
        }
    }

    /// Takes a child out.
    pub(crate) fn take(&mut self, slot: usize) -> Link {
        self.taken &= !(1 << slot);
        self.hashed &= !(1 << slot);
        match std::mem::take(&mut self.children[slot]) {
            Slot::Empty => Link::Empty,
            Slot::Stored(body) => Link::Stored(Stored { hash: *self.items[slot].hash(), body }),
            Slot::Fresh(node) => Link::Fresh(node),
        }
    }

    /// Takes a child out if it is not known by hash.
    pub(crate) fn take_fresh(&mut self, slot: usize) -> Option<Node> {
        if !matches!(self.children[slot], Slot::Fresh(_)) {
            return None;
        }
        match self.take(slot) {
            Link::Fresh(node) => Some(node),
            _ => None,
        }
    }

    /// Puts a child where none is.
    pub(crate) fn put(&mut self, slot: usize, link: Link) {
        self.taken |= u16::from(!link.is_empty()) << slot;
        self.children[slot] = match link {
            Link::Empty => Slot::Empty,
            Link::Stored(Stored { hash, body }) => {
                self.hashed |= 1 << slot;
                self.items[slot] = HashItem::new(&hash);
                Slot::Stored(body)
            }
            Link::Fresh(node) => Slot::Fresh(node),
        }
    }

    /// Changes a child, and notes that it may have changed.
    pub(crate) fn change<T>(&mut self, nibble: u8, change: impl FnOnce(&mut Link) -> T) -> T {
        self.changed |= 1 << nibble;
        let mut link = self.take(usize::from(nibble));
        let made = change(&mut link);
        self.put(usize::from(nibble), link);
        made
    }

    /// The hashes of the children in RLP, and which of them are meant (bit i: child i); `None` if there is a child that is
    /// not known by hash.
    pub(crate) fn hashes(&self) -> Option<(&[HashItem; 16], u16)> {
        (self.hashed == self.taken).then_some((&self.items, self.hashed))
    }

    /// Reads a byte of every cache line of the hashes and of what else a commit needs: these reads do not wait for each
    /// other. (Every other item: 66 bytes.)
    pub(crate) fn touch(&self) -> usize {
        let lines: usize = self.items.iter().step_by(2).map(|item| usize::from(item.0[1])).sum();
        lines + usize::from(self.items[15].0[32]) + usize::from(self.changed) + usize::from(self.value.is_some())
    }

    /// Reads the children that may have changed.
    pub(crate) fn touch_changed(&self) -> usize {
        let slots = self.children.iter().enumerate().filter(|(slot, _)| self.changed >> slot & 1 != 0);
        slots.filter(|(_, child)| matches!(child, Slot::Fresh(_))).count()
    }

    /// The value, empty if there is none.
    pub(crate) fn value_bytes(&self) -> &[u8] {
        self.value.as_ref().map_or(&[], |value| value)
    }

    /// How many of the 17 are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.count_ones() as usize + usize::from(self.value.is_some())
    }
}
