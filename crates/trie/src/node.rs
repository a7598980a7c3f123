//! Nodes in memory. Immutable once shared; a changed node is copied only if somebody else holds it.

use crate::{Bytes, Hash, NodeReader, TrieError, codec};
use alloy_primitives::keccak256;
use std::sync::{Arc, OnceLock};

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
    Down(&'n Link, &'p [u8]),
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
                Some(rest) => Step::Down(&extension.child, rest),
                None => Step::Here(None),
            },
            Self::Branch(branch) => match path.split_first() {
                Some((&next, rest)) => Step::Down(&branch.children[usize::from(next)], rest),
                None => Step::Here(branch.value.as_ref()),
            },
        }
    }
}

/// A fork, at least two of the 17 taken: children by next nibble, and the value of the key that ends here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Branch {
    pub(crate) children: [Link; 16],
    /// Bit i: child i may have changed since the last commit. A commit looks at these alone.
    pub(crate) changed: u16,
    pub(crate) value: Option<Bytes>,
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

    /// A child, for change.
    pub(crate) fn child_mut(&mut self, nibble: u8) -> &mut Link {
        self.changed |= 1 << nibble;
        &mut self.children[usize::from(nibble)]
    }

    /// The value, empty if there is none.
    pub(crate) fn value_bytes(&self) -> &[u8] {
        self.value.as_ref().map_or(&[], |value| value)
    }

    /// How many of the 17 are taken.
    pub(crate) fn taken(&self) -> usize {
        let children: usize = self.children.iter().map(|link| usize::from(!link.is_empty())).sum();
        children + usize::from(self.value.is_some())
    }
}

/// How a node is held by its parent.
#[derive(Clone, Debug, Default)]
pub(crate) enum Link {
    /// Nothing.
    #[default]
    Empty,
    /// Hashed and unchanged since; the body may or may not be in memory.
    Stored(Stored),
    /// In memory and not hashed by itself: changed since the last commit, or small enough to stand in its parent.
    Fresh(Node),
}

/// A node known by hash, its body read on first use and then kept. It stands in its parent without an allocation of its
/// own: most children of a branch are never read. A copy made before the body was read reads for itself.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) hash: Hash,
    body: Body,
}

/// The body of a node that is known by hash.
#[derive(Clone, Debug)]
enum Body {
    /// In memory from the beginning.
    Known(Node),
    /// Read on first use.
    Lazy(OnceLock<Node>),
}

impl Body {
    fn into_inner(self) -> Option<Node> {
        match self {
            Self::Known(node) => Some(node),
            Self::Lazy(body) => body.into_inner(),
        }
    }
}

impl Stored {
    /// A node of which only the hash is known.
    pub(crate) fn unread(hash: Hash) -> Self {
        Self { hash, body: Body::Lazy(OnceLock::new()) }
    }

    /// A node that was just hashed.
    pub(crate) fn with_body(hash: Hash, node: Node) -> Self {
        Self { hash, body: Body::Known(node) }
    }

    /// The body if it is in memory.
    pub(crate) fn cached(&self) -> Option<&Node> {
        match &self.body {
            Body::Known(node) => Some(node),
            Body::Lazy(body) => body.get(),
        }
    }

    /// The body, read and kept if need be.
    pub(crate) fn load(&self, reader: &dyn NodeReader) -> Result<&Node, TrieError> {
        match &self.body {
            Body::Known(node) => Ok(node),
            Body::Lazy(body) => match body.get() {
                Some(node) => Ok(node),
                None => {
                    let node = fetch(&self.hash, reader)?;
                    // If another thread was faster, both have read the same node.
                    Ok(body.get_or_init(|| node))
                }
            },
        }
    }

    /// The body, read if need be and not kept.
    pub(crate) fn peek(&self, reader: &dyn NodeReader) -> Result<Node, TrieError> {
        self.cached().map_or_else(|| fetch(&self.hash, reader), |node| Ok(node.clone()))
    }
}

impl Link {
    /// True if nothing is there.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The node behind the link, kept once read; `None` if the link is empty.
    pub(crate) fn load(&self, reader: &dyn NodeReader) -> Result<Option<&Node>, TrieError> {
        match self {
            Self::Empty => Ok(None),
            Self::Fresh(node) => Ok(Some(node)),
            Self::Stored(stored) => stored.load(reader).map(Some),
        }
    }

    /// The node behind the link for change: read, its hash forgotten; who changes it copies it if it is shared; `None` if the link is empty.
    pub(crate) fn load_mut(&mut self, reader: &dyn NodeReader) -> Result<Option<&mut Node>, TrieError> {
        if let Self::Stored(stored) = self {
            stored.load(reader)?;
            // The body moves out of the link: unless somebody else holds it, it need not be copied below.
            if let Self::Stored(Stored { body, .. }) = std::mem::take(self) {
                *self = body.into_inner().map_or(Self::Empty, Self::Fresh);
            }
        }
        match self {
            Self::Fresh(node) => Ok(Some(node)),
            _ => Ok(None),
        }
    }
}

/// Reads, checks and decodes one node.
fn fetch(hash: &Hash, reader: &dyn NodeReader) -> Result<Node, TrieError> {
    let raw = reader.node(hash)?.ok_or(TrieError::Missing { hash: *hash })?;
    let got = keccak256(&raw);
    if got != *hash {
        return Err(TrieError::WrongHash { hash: *hash, got });
    }
    codec::decode(&raw).map_err(|what| TrieError::Malformed { hash: *hash, what })
}
