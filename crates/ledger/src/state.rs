//! A state: the trie at one block.

use crate::error::StateError;
use crate::keys;
use crate::warm::Warm;
use alloy_rlp::Decodable;
use std::sync::Arc;
use vigil_primitives::{Bytes, GuardianPool, Hash, ValidatorPool, rlp};
use vigil_trie::{NodeReader, Trie};

/// Where a state's nodes come from; shared by the states of a node.
pub type Reader = Arc<dyn NodeReader + Send + Sync>;

/// The state after one block. Cheap to clone; keeps the nodes it has read, so that executing the child of a recent
/// block touches the store little.
#[derive(Clone)]
pub struct State {
    pub(crate) root: Hash,
    pub(crate) trie: Trie,
    pub(crate) reader: Reader,
    pub(crate) validators: Cached<ValidatorPool>,
    pub(crate) guardians: Cached<GuardianPool>,
    /// Contracts that were looked at lately, by this state and its clones.
    pub(crate) warm: Arc<Warm>,
}

/// A decoded pool; the outer `None` means "not read yet".
pub(crate) type Cached<T> = Option<Option<Arc<T>>>;

impl State {
    /// The state with `root`, nothing read yet.
    pub fn open(root: Hash, reader: Reader) -> Self {
        Self { root, trie: Trie::open(root), reader, validators: None, guardians: None, warm: Arc::default() }
    }

    /// Its root.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// Forgets the nodes that are `levels` or more below the root, to bound memory. The store must have them.
    pub fn trim(&mut self, levels: usize) {
        self.trie.trim(levels);
    }

    /// The same state with nothing read but code. The store must have its nodes.
    pub fn cold(&self) -> Self {
        Self { warm: Arc::new(self.warm.with_code_only()), ..Self::open(self.root, Arc::clone(&self.reader)) }
    }

    /// The state with `root`, which shares what was read of contracts with this one.
    pub fn sibling(&self, root: Hash) -> Self {
        Self { warm: Arc::clone(&self.warm), ..Self::open(root, Arc::clone(&self.reader)) }
    }

    /// The raw value of a key.
    pub(crate) fn value(&self, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        Ok(self.trie.get(&*self.reader, key)?)
    }

    /// The decoded value of a key.
    pub(crate) fn decoded<T: Decodable>(&self, key: &[u8]) -> Result<Option<T>, StateError> {
        self.value(key)?.map(|bytes| decode(key, &bytes)).transpose()
    }

    /// Keys below `prefix`, not below `start`, ascending, with their values.
    pub(crate) fn scan(&self, prefix: &[u8], start: &[u8]) -> vigil_trie::Iter<'_> {
        self.trie.iter(&*self.reader, prefix, start)
    }

    /// The pool of validator candidates, decoded once.
    pub(crate) fn validators(&mut self) -> Result<Option<Arc<ValidatorPool>>, StateError> {
        if self.validators.is_none() {
            self.validators = Some(self.decoded(keys::VALIDATORS)?.map(Arc::new));
        }
        Ok(self.validators.clone().flatten())
    }

    /// The pool of guardians, decoded once.
    pub(crate) fn guardians(&mut self) -> Result<Option<Arc<GuardianPool>>, StateError> {
        if self.guardians.is_none() {
            self.guardians = Some(self.decoded(keys::GUARDIANS)?.map(Arc::new));
        }
        Ok(self.guardians.clone().flatten())
    }

    /// The trie and its nodes' source, for proofs.
    pub fn trie(&self) -> (&Trie, &Reader) {
        (&self.trie, &self.reader)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("root", &self.root()).finish_non_exhaustive()
    }
}

/// Decodes a value of the state.
pub(crate) fn decode<T: Decodable>(key: &[u8], bytes: &[u8]) -> Result<T, StateError> {
    rlp::decode_exact("state value", bytes, usize::MAX).map_err(|e| corrupt(key, e.to_string()))
}

/// The value of `key` is nothing that a block could have written.
pub(crate) fn corrupt(key: &[u8], reason: impl Into<String>) -> StateError {
    StateError::Corrupt { key: alloy_primitives::hex::encode(key), reason: reason.into() }
}
