//! What is kept of contracts from block to block, so that it is not read and analysed again.

use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use vigil_evm::Code;
use vigil_primitives::Hash;
use vigil_trie::Trie;

/// Most codes kept: with their jump tables up to 14 MiB.
const CODES_MAX: NonZeroUsize = NonZeroUsize::new(512).unwrap();
/// Most storage tries kept.
const STORAGES_MAX: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();
/// Words read or written after which all tries are forgotten: each keeps the nodes on the way to its words.
const WORDS_MAX: usize = 500_000;

/// Codes by their hash, storage tries by their root. Both are named by their content, so that states of any branch can
/// share them.
pub(crate) struct Warm {
    codes: Mutex<LruCache<Hash, Code>>,
    storages: Mutex<Storages>,
    /// Looked at since all tries were forgotten.
    words: AtomicUsize,
}

struct Storages {
    tries: LruCache<Hash, Trie>,
    /// How often all were forgotten.
    age: u64,
}

/// A storage trie that is read, which keeps what was read.
pub(crate) struct Lent {
    pub(crate) trie: Trie,
    age: u64,
}

impl Default for Warm {
    fn default() -> Self {
        Self::of(LruCache::new(CODES_MAX))
    }
}

impl Warm {
    fn of(codes: LruCache<Hash, Code>) -> Self {
        let storages = Storages { tries: LruCache::new(STORAGES_MAX), age: 0 };
        Self { codes: Mutex::new(codes), storages: Mutex::new(storages), words: AtomicUsize::new(0) }
    }

    /// The same without storage.
    pub(crate) fn with_code_only(&self) -> Self {
        Self::of(lock(&self.codes).clone())
    }

    /// A code, made by `make` if it is not known.
    pub(crate) fn code<E>(&self, hash: &Hash, make: impl FnOnce() -> Result<Code, E>) -> Result<Code, E> {
        if let Some(code) = lock(&self.codes).get(hash) {
            return Ok(code.clone());
        }
        let code = make()?;
        lock(&self.codes).put(*hash, code.clone());
        Ok(code)
    }

    /// The storage trie with a root; what of it was read before is in memory.
    pub(crate) fn storage(&self, root: &Hash) -> Lent {
        let mut storages = lock(&self.storages);
        let trie = storages.tries.get(root).cloned().unwrap_or_else(|| Trie::open(*root));
        Lent { trie, age: storages.age }
    }

    /// A storage trie that holds nothing.
    pub(crate) fn no_storage(&self) -> Lent {
        Lent { trie: Trie::empty(), age: lock(&self.storages).age }
    }

    /// Counts words that are in memory from now on: read through a trie that was lent (all that share it find them there),
    /// or new. With too many all tries are forgotten.
    pub(crate) fn count_words(&self, count: usize) {
        let words = self.words.fetch_add(count, Ordering::Relaxed).saturating_add(count);
        if words > WORDS_MAX {
            let mut storages = lock(&self.storages);
            storages.tries.clear();
            storages.age += 1;
            self.words.store(0, Ordering::Relaxed);
        }
    }

    /// Keeps a storage trie whose nodes will be in the store, unless all were forgotten since it was lent: what it has
    /// read is not counted any more.
    pub(crate) fn put_storage(&self, root: Hash, lent: &Lent) {
        let mut storages = lock(&self.storages);
        if lent.age == storages.age {
            storages.tries.put(root, lent.trie.clone());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(warm: &Warm, root: Hash) -> bool {
        lock(&warm.storages).tries.contains(&root)
    }

    #[test]
    fn too_many_words_and_all_is_forgotten() {
        let (warm, old, new) = (Warm::default(), Hash::repeat_byte(1), Hash::repeat_byte(2));
        let before = warm.storage(&old);
        warm.put_storage(old, &before);
        warm.count_words(WORDS_MAX - 1);
        warm.count_words(1);
        assert!(has(&warm, old), "at the limit");
        warm.count_words(1);
        assert!(!has(&warm, old), "above");
        warm.put_storage(new, &before);
        assert!(!has(&warm, new), "what it has read is not counted any more");
        warm.put_storage(new, &warm.storage(&new));
        warm.count_words(WORDS_MAX);
        assert!(has(&warm, new), "the count began anew");
    }

    #[test]
    fn the_number_of_tries_is_bounded() {
        let warm = Warm::default();
        for n in 0..=STORAGES_MAX.get() {
            warm.put_storage(Hash::left_padding_from(&n.to_be_bytes()), &warm.no_storage());
        }
        assert!(!has(&warm, Hash::ZERO) && has(&warm, Hash::left_padding_from(&STORAGES_MAX.get().to_be_bytes())));
    }
}
