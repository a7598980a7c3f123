//! Contracts' storage while a block changes it.

use super::View;
use crate::error::StateError;
use crate::state::corrupt;
use crate::warm::Lent;
use std::collections::HashMap;
use std::sync::Arc;
use vigil_primitives::{Address, Bytes, Hash, U256, rlp};
use vigil_trie::{BatchHasher, EMPTY_ROOT};

/// The storage of an account in the block.
pub(super) struct Storage {
    /// As it was before the block, or when the account began anew.
    lent: Lent,
    slots: HashMap<U256, Word>,
}

impl Storage {
    fn of(lent: Lent) -> Self {
        Self { lent, slots: HashMap::new() }
    }
}

/// A word of storage.
#[derive(Clone, Copy)]
struct Word {
    value: U256,
    dirty: bool,
}

/// What a transaction wrote to an account's storage.
pub(super) struct Written {
    /// Nothing from before is left.
    is_anew: bool,
    slots: Vec<(U256, U256)>,
}

impl Written {
    /// Nothing is left, nothing is written.
    pub(super) fn anew() -> Self {
        Self { is_anew: true, slots: Vec::new() }
    }
}

impl View {
    /// A word of an account's storage after the transactions kept so far; zero if nothing was stored.
    pub(crate) fn slot(&mut self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        if !self.storages.contains_key(address) {
            let Some(root) = self.storage_root(address)? else { return Ok(U256::ZERO) };
            let lent = self.state.warm.storage(&root);
            self.storages.insert(*address, Storage::of(lent));
        }
        let Some(storage) = self.storages.get_mut(address) else { return Ok(U256::ZERO) };
        if let Some(word) = storage.slots.get(slot) {
            return Ok(word.value);
        }
        let value = storage.lent.trie.get(&*self.state.reader, &slot.to_be_bytes::<32>())?;
        self.state.warm.count_words(1);
        let value = value.map_or(Ok(U256::ZERO), |bytes| decode_word(slot, &bytes))?;
        storage.slots.insert(*slot, Word { value, dirty: false });
        Ok(value)
    }

    /// Root of an account's storage before the block; `None` if it has none.
    fn storage_root(&mut self, address: &Address) -> Result<Option<Hash>, StateError> {
        let root = self.plain_account(address)?.map(|account| account.storage_root);
        Ok(root.filter(|root| !root.is_zero() && *root != EMPTY_ROOT))
    }

    /// Writes words of an account's storage; `is_anew`: nothing from before is left.
    pub(crate) fn write_storage(&mut self, address: Address, is_anew: bool, slots: Vec<(U256, U256)>) {
        if is_anew || !slots.is_empty() {
            self.tx_storages.insert(address, Written { is_anew, slots });
        }
    }

    /// Makes the transaction's words part of the block.
    pub(super) fn keep_storages(&mut self) {
        let warm = &self.state.warm;
        for (address, Written { is_anew, slots }) in self.tx_storages.drain() {
            if is_anew {
                self.storages.insert(address, Storage::of(warm.no_storage()));
            }
            // Words are read before they are written, but for those of an account that never had storage.
            let storage = self.storages.entry(address).or_insert_with(|| Storage::of(warm.no_storage()));
            storage.slots.extend(slots.into_iter().map(|(slot, value)| (slot, Word { value, dirty: true })));
        }
    }

    /// Writes changed words into their tries and the roots into the accounts. New nodes, children before parents.
    pub(super) fn flush_storages(&mut self, hasher: &dyn BatchHasher) -> Result<Vec<(Hash, Bytes)>, StateError> {
        let reader = Arc::clone(&self.state.reader);
        let mut nodes = Vec::new();
        for (address, storage) in &mut self.storages {
            let Some(account) = self.accounts.get_mut(address).and_then(|slot| slot.account.as_mut()) else { continue };
            let mut dirty: Vec<_> = storage.slots.iter_mut().filter(|(_, word)| word.dirty).collect();
            if dirty.is_empty() {
                continue;
            }
            dirty.sort_unstable_by_key(|(slot, _)| **slot);
            self.state.warm.count_words(dirty.len());
            for (slot, word) in dirty {
                word.dirty = false;
                let key = slot.to_be_bytes::<32>();
                // An empty value removes.
                let value = if word.value.is_zero() { Vec::new() } else { rlp::encode(&word.value) };
                storage.lent.trie.insert(&*reader, &key, value)?;
            }
            let mut commit = storage.lent.trie.commit(hasher);
            nodes.append(&mut commit.nodes);
            account.storage_root = commit.root;
            self.state.warm.put_storage(commit.root, &storage.lent);
        }
        Ok(nodes)
    }
}

fn decode_word(slot: &U256, bytes: &[u8]) -> Result<U256, StateError> {
    let key = slot.to_be_bytes::<32>();
    rlp::decode_exact("word of storage", bytes, 33).map_err(|error| corrupt(&key, error.to_string()))
}
