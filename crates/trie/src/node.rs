//! Nodes in memory. Immutable once shared; a changed node is copied only if somebody else holds it.

use crate::leaf::Leaf;
pub(crate) use crate::link::{Body, Link, LinkRef, Stored};
use crate::{BatchHasher, Hash};
use std::sync::Arc;

/// One node: a handle to it, cheap to clone. What kind it is can be told without reading it.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Leaf(Leaf),
    Extension(Arc<Extension>),
    Branch(Arc<Branch>),
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
    Here(Option<&'n [u8]>),
}

impl Node {
    /// A new extension.
    pub(crate) fn extension(path: Vec<u8>, child: Link) -> Self {
        Self::Extension(Arc::new(Extension { path, child }))
    }

    /// Follows `path` by one node.
    pub(crate) fn step<'p>(&self, path: &'p [u8]) -> Step<'_, 'p> {
        match self {
            Self::Leaf(leaf) => Step::Here(leaf.has_path(path).then(|| leaf.value())),
            Self::Extension(extension) => match path.strip_prefix(&extension.path[..]) {
                Some(rest) => Step::Down(extension.child.as_ref(), rest),
                None => Step::Here(None),
            },
            Self::Branch(branch) => match path.split_first() {
                Some((&next, rest)) => Step::Down(branch.child(usize::from(next)), rest),
                None => Step::Here(branch.value.as_deref()),
            },
        }
    }
}

/// Bytes before what an [`Arc`] holds: the counts of references.
const COUNTS: usize = 2 * size_of::<usize>();

/// First byte of a hash in RLP: a string of 32 bytes.
pub(crate) const HASH_HEADER: u8 = alloy_rlp::EMPTY_STRING_CODE + 32;

/// Bytes of a hash in RLP.
const HASH_ITEM: usize = 33;

/// A fork, at least two of the 17 taken: children by next nibble, and the value of the key that ends here.
///
/// A commit reads of each changed branch the front, the hashes, which stand together as they do in RLP, and the children
/// that have changed: few lines of the cache, as the rest of the fields comes behind.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Branch {
    /// Bit i: there is a child i (or it was [lifted](Branch::lift)).
    taken: u16,
    /// Bit i: child i is known by hash.
    hashed: u16,
    /// Bit i: child i may have changed since the last commit. A commit looks at these alone.
    pub(crate) changed: u16,
    /// Bytes of the children in RLP if all are known by hash.
    items_len: u16,
    pub(crate) value: Option<Box<[u8]>>,
    /// RLP of the children end to end: one byte if there is none, else [`HASH_ITEM`] bytes, in
    /// which the hash stands if it is known.
    items: [u8; 16 * HASH_ITEM],
    children: [Body; 16],
}

impl Default for Branch {
    fn default() -> Self {
        let items = [alloy_rlp::EMPTY_STRING_CODE; _];
        Self { taken: 0, hashed: 0, changed: 0, items_len: 16, value: None, items, children: Default::default() }
    }
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
            body if self.hashed >> slot & 1 != 0 => LinkRef::Stored(self.hash(slot), body),
            Body::Known(node) => LinkRef::Fresh(node),
            Body::Lazy(_) => LinkRef::Empty,
        }
    }

    /// Takes a child out.
    pub(crate) fn take(&mut self, slot: usize) -> Link {
        let link = self.lift(slot);
        self.put(slot, Link::Empty);
        link
    }

    /// Takes a child out to [put](Branch::put) another there: its room among the items stays.
    pub(crate) fn lift(&mut self, slot: usize) -> Link {
        let link = match std::mem::take(&mut self.children[slot]) {
            body if self.hashed >> slot & 1 != 0 => Link::Stored(Stored { hash: *self.hash(slot), body }),
            Body::Known(node) => Link::Fresh(node),
            Body::Lazy(_) => Link::Empty,
        };
        self.hashed &= !(1 << slot);
        link
    }

    /// The children that may have changed and are not known by hash (bit i: child i), which from now on are: their hashes
    /// are yet to be [written](Branch::each).
    pub(crate) fn take_changed(&mut self) -> u16 {
        let fresh = std::mem::take(&mut self.changed) & self.taken & !self.hashed;
        self.hashed |= fresh;
        fresh
    }

    /// Shows some children, which are in memory: slot, node, place of the hash, and where that stands among the items.
    pub(crate) fn each<'b>(
        &'b mut self,
        slots: u16,
        mut show: impl FnMut(usize, &'b mut Node, &'b mut [u8; 32], usize),
    ) {
        let taken = self.taken;
        let (mut items, mut bodies) = (&mut self.items[..], &mut self.children[..]);
        let (mut before, mut slots) = (0, slots);
        while slots != 0 {
            let slot = slots.trailing_zeros() as usize;
            slots &= slots - 1;
            let at = item_at(taken, slot) + 1;
            let skipped = bodies.len() + slot - 16;
            let (first, rest) = bodies[skipped..].split_first_mut().expect("there are 16");
            bodies = rest;
            let (room, rest) = items[at - before..].split_first_chunk_mut().expect("room for a hash");
            items = rest;
            before = at + 32;
            if let Body::Known(node) = first {
                show(slot, node, room, at);
            }
        }
    }

    /// Forgets the hash of a child in memory.
    pub(crate) fn unhash(&mut self, slot: usize) {
        self.hashed &= !(1 << slot);
    }

    /// Puts a child where none is.
    pub(crate) fn put(&mut self, slot: usize, link: Link) {
        self.make_room(slot, !link.is_empty());
        match link {
            Link::Empty => {}
            Link::Stored(Stored { hash, body }) => {
                self.hashed |= 1 << slot;
                let at = self.item_at(slot) + 1;
                self.items[at..at + 32].copy_from_slice(hash.as_slice());
                self.children[slot] = body;
            }
            Link::Fresh(node) => self.children[slot] = Body::Known(node),
        }
    }

    /// Changes a child, and notes that it may have changed.
    pub(crate) fn change<T>(&mut self, nibble: u8, change: impl FnOnce(&mut Link) -> T) -> T {
        self.changed |= 1 << nibble;
        let mut link = self.lift(usize::from(nibble));
        let made = change(&mut link);
        self.put(usize::from(nibble), link);
        made
    }

    /// RLP of the children; `None` if there is a child that is not known by hash, or a value.
    pub(crate) fn hashes(&self) -> Option<&[u8]> {
        (self.hashed == self.taken && self.value.is_none()).then(|| &self.items[..self.items_len()])
    }

    /// Has the processor fetch what a commit reads first: the counts of references, the masks and the first hashes.
    pub(crate) fn fetch_front(branch: &Arc<Self>, hasher: &dyn BatchHasher) {
        hasher.prefetch(Arc::as_ptr(branch).cast::<u8>().wrapping_sub(COUNTS), COUNTS + 64);
    }

    /// Has the processor fetch the hashes, and the first and the last child that may have changed.
    pub(crate) fn fetch_rest(&self, hasher: &dyn BatchHasher) {
        hasher.prefetch(self.items.as_ptr(), self.items_len());
        for slot in [self.changed.trailing_zeros(), !self.changed.leading_zeros()] {
            let child = &raw const self.children[slot as usize & 15];
            hasher.prefetch(child.cast(), size_of::<Body>());
        }
    }

    /// The value, empty if there is none.
    pub(crate) fn value_bytes(&self) -> &[u8] {
        self.value.as_deref().unwrap_or_default()
    }

    /// How many of the 17 are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.count_ones() as usize + usize::from(self.value.is_some())
    }

    fn hash(&self, slot: usize) -> &Hash {
        let at = self.item_at(slot) + 1;
        let hash: &[u8; 32] = self.items[at..].first_chunk().expect("room for a hash");
        hash.into()
    }

    fn item_at(&self, slot: usize) -> usize {
        item_at(self.taken, slot)
    }

    /// Bytes of the children in RLP if all are known by hash.
    pub(crate) fn items_len(&self) -> usize {
        self.items_len.into()
    }

    /// Makes or closes the room of a child among the items.
    fn make_room(&mut self, slot: usize, take: bool) {
        if take == (self.taken >> slot & 1 != 0) {
            return;
        }
        let (at, end) = (self.item_at(slot), self.items_len());
        if take {
            self.items.copy_within(at + 1..end, at + HASH_ITEM);
            self.items[at] = HASH_HEADER;
            self.items_len += HASH_ITEM as u16 - 1;
        } else {
            self.items.copy_within(at + HASH_ITEM..end, at + 1);
            self.items[at] = alloy_rlp::EMPTY_STRING_CODE;
            self.items_len -= HASH_ITEM as u16 - 1;
        }
        self.taken ^= 1 << slot;
    }
}

/// Where the item of a child begins.
fn item_at(taken: u16, slot: usize) -> usize {
    slot + (HASH_ITEM - 1) * (taken & ((1 << slot) - 1)).count_ones() as usize
}
