//! How nodes hang on each other.

use crate::node::Node;
use crate::{Hash, NodeReader, TrieError, codec};
use alloy_primitives::keccak256;
use std::sync::OnceLock;

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
    pub(crate) body: Body,
}

/// The body of a node that is known by hash.
#[derive(Debug)]
pub(crate) enum Body {
    /// In memory from the beginning.
    Known(Node),
    /// Read on first use. (The box keeps a branch small.)
    Lazy(OnceLock<Box<Node>>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Lazy(OnceLock::new())
    }
}

impl Clone for Body {
    fn clone(&self) -> Self {
        self.cached().map_or_else(Self::default, |node| Self::Known(node.clone()))
    }
}

impl Body {
    /// The node if it is in memory.
    pub(crate) fn into_inner(self) -> Option<Node> {
        match self {
            Self::Known(node) => Some(node),
            Self::Lazy(body) => body.into_inner().map(|node| *node),
        }
    }

    /// The node if it is in memory.
    fn cached(&self) -> Option<&Node> {
        match self {
            Self::Known(node) => Some(node),
            Self::Lazy(body) => body.get().map(|node| &**node),
        }
    }

    /// The node, read and kept if need be.
    fn load(&self, hash: &Hash, reader: &dyn NodeReader) -> Result<&Node, TrieError> {
        match self {
            Self::Known(node) => Ok(node),
            Self::Lazy(body) => match body.get() {
                Some(node) => Ok(node),
                None => {
                    let node = fetch(hash, reader)?;
                    // If another thread was faster, both have read the same node.
                    Ok(body.get_or_init(|| Box::new(node)))
                }
            },
        }
    }
}

impl Stored {
    /// A node of which only the hash is known.
    pub(crate) fn unread(hash: Hash) -> Self {
        Self { hash, body: Body::default() }
    }

    /// A node that was just hashed.
    pub(crate) fn with_body(hash: Hash, node: Node) -> Self {
        Self { hash, body: Body::Known(node) }
    }

    /// The body if it is in memory.
    pub(crate) fn cached(&self) -> Option<&Node> {
        self.body.cached()
    }

    /// The body, read if need be and not kept.
    pub(crate) fn peek(&self, reader: &dyn NodeReader) -> Result<Node, TrieError> {
        self.cached().map_or_else(|| fetch(&self.hash, reader), |node| Ok(node.clone()))
    }
}

/// A [`Link`], wherever it stands.
#[derive(Clone, Copy)]
pub(crate) enum LinkRef<'n> {
    Empty,
    Stored(&'n Hash, &'n Body),
    Fresh(&'n Node),
}

impl<'n> LinkRef<'n> {
    /// A copy.
    pub(crate) fn to_link(self) -> Link {
        match self {
            Self::Empty => Link::Empty,
            Self::Stored(hash, body) => Link::Stored(Stored { hash: *hash, body: body.clone() }),
            Self::Fresh(node) => Link::Fresh(node.clone()),
        }
    }

    /// The node behind the link, kept once read; `None` if the link is empty.
    pub(crate) fn load(self, reader: &dyn NodeReader) -> Result<Option<&'n Node>, TrieError> {
        match self {
            Self::Empty => Ok(None),
            Self::Fresh(node) => Ok(Some(node)),
            Self::Stored(hash, body) => body.load(hash, reader).map(Some),
        }
    }
}

impl Link {
    /// The link, to read.
    pub(crate) fn as_ref(&self) -> LinkRef<'_> {
        match self {
            Self::Empty => LinkRef::Empty,
            Self::Stored(stored) => LinkRef::Stored(&stored.hash, &stored.body),
            Self::Fresh(node) => LinkRef::Fresh(node),
        }
    }

    /// True if nothing is there.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The node behind the link for change: read, its hash forgotten; who changes it copies it if it is shared; `None` if
    /// the link is empty.
    pub(crate) fn load_mut(&mut self, reader: &dyn NodeReader) -> Result<Option<&mut Node>, TrieError> {
        if let Self::Stored(stored) = self {
            stored.body.load(&stored.hash, reader)?;
            // The body moves out of the link: unless somebody else holds it, it need not be copied.
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
