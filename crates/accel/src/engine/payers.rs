//! Who signs often: keys by address, and tables of the hot ones.
//!
//! - A key is remembered from its first good signature on, in a list of bounded length: endless new addresses push out
//!   each other, never a table.
//! - On its third good signature ([`ADMIT_AT`]) a key is worth a table. Tables have a budget in bytes; where it is spent,
//!   the newcomer must have been seen more often than the payer that was used longest ago. Counts halve every
//!   [`COUNTS_HALVE_AFTER`] signatures, so that old fame fades.
//! - Building a table costs as much as dozens of signatures, so that builds are paid from credit that signatures earn
//!   ([`BUILD_COST`]): nobody makes the engine build tables all day.
//!
//! A table is only a cache: evicting one is always safe.

use crate::ops::PublicKey;
use lru::LruCache;
use std::collections::HashMap;
use std::hash::RandomState;
use std::num::NonZeroUsize;
use std::sync::Arc;
use vigil_primitives::Address;

/// Keys that are remembered besides those with tables (about 8 MiB).
const SIGHTINGS_MAX: NonZeroUsize = NonZeroUsize::new(32_768).expect("not 0");
/// Good signatures from which a key is worth a table.
const ADMIT_AT: u32 = 3;
/// Good signatures that pay for one table.
const BUILD_COST: usize = 64;
/// Tables that can be saved up for.
const BUILDS_MAX: usize = 64;
/// Good signatures after which all counts are halved.
const COUNTS_HALVE_AFTER: usize = 65_536;

/// What is known of a signer.
#[derive(Debug)]
pub(crate) enum Payer<T> {
    /// Nothing.
    Unknown,
    /// The key.
    Cold(PublicKey),
    /// The key and its tables.
    Hot(PublicKey, Arc<T>),
}

#[derive(Debug)]
struct Sighting {
    count: u32,
    address: Option<Address>,
    /// A table was asked for. It is there soon, or cannot be built; either way it is not asked for again.
    asked: bool,
}

#[derive(Debug)]
struct Hot<T> {
    count: u32,
    address: Option<Address>,
    table: Arc<T>,
    bytes: usize,
}

/// Keys and tables; `T` is the type of a table.
#[derive(Debug)]
pub(crate) struct Payers<T> {
    cold: LruCache<PublicKey, Sighting, RandomState>,
    hot: LruCache<PublicKey, Hot<T>, RandomState>,
    by_address: HashMap<Address, PublicKey>,
    /// Who signed where the key was not told, lately.
    met: LruCache<Address, (), RandomState>,
    bytes: usize,
    budget: usize,
    /// Bytes of the last table that was built: what the next will take.
    table_bytes: usize,
    credit: usize,
    noted: usize,
}

impl<T> Payers<T> {
    /// Tables for at most `budget` bytes; 0: none are built.
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            cold: LruCache::with_hasher(SIGHTINGS_MAX, RandomState::new()),
            hot: LruCache::unbounded_with_hasher(RandomState::new()),
            by_address: HashMap::new(),
            met: LruCache::with_hasher(SIGHTINGS_MAX, RandomState::new()),
            bytes: 0,
            budget,
            table_bytes: 1,
            credit: BUILD_COST * BUILDS_MAX,
            noted: 0,
        }
    }

    /// What is known of a key.
    pub(crate) fn by_key(&mut self, key: &PublicKey) -> Payer<T> {
        if let Some(hot) = self.hot.get_mut(key) {
            hot.count = hot.count.saturating_add(1);
            return Payer::Hot(*key, Arc::clone(&hot.table));
        }
        if self.cold.contains(key) { Payer::Cold(*key) } else { Payer::Unknown }
    }

    /// The last claim that a key signed was false, so it does not count: who is not a payer cannot make one look busy.
    pub(crate) fn was_forged(&mut self, key: &PublicKey) {
        if let Some(hot) = self.hot.peek_mut(key) {
            hot.count = hot.count.saturating_sub(1);
        }
    }

    /// What is known of an address.
    pub(crate) fn by_address(&mut self, address: &Address) -> Payer<T> {
        self.by_address.get(address).copied().map_or(Payer::Unknown, |key| self.by_key(&key))
    }

    /// Whether nothing of this address is known, and [`Payers::meet`] has not named it lately.
    pub(crate) fn is_stranger(&self, address: &Address) -> bool {
        !self.by_address.contains_key(address) && !self.met.contains(address)
    }

    /// A good signature of an address whose key was not told. It does not count for a table; the next is to tell the key.
    pub(crate) fn meet(&mut self, address: Address) {
        self.met.put(address, ());
    }

    /// A good signature of a key without tables. `address` may be left out where it was not needed. True: the key is
    /// worth a table, and there is credit and room for one: build it now and [`Payers::admit`] it.
    pub(crate) fn note(&mut self, key: &PublicKey, address: Option<Address>) -> bool {
        self.earn();
        if let Some(address) = address {
            self.by_address.insert(address, *key);
        }
        if let Some(hot) = self.hot.get_mut(key) {
            hot.address = hot.address.or(address);
            return false;
        }
        let (count, asked) = match self.cold.get_mut(key) {
            Some(sighting) => {
                sighting.count = sighting.count.saturating_add(1);
                sighting.address = sighting.address.or(address);
                (sighting.count, sighting.asked)
            }
            None => {
                self.insert_cold(*key, Sighting { count: 1, address, asked: false });
                (1, false)
            }
        };
        if count < ADMIT_AT || asked || self.credit < BUILD_COST || !self.has_room_for(count) {
            return false;
        }
        self.credit -= BUILD_COST;
        if let Some(sighting) = self.cold.get_mut(key) {
            sighting.asked = true;
        }
        true
    }

    /// The tables of a key.
    pub(crate) fn admit(&mut self, key: &PublicKey, table: T, bytes: usize) {
        self.table_bytes = bytes.max(1);
        if bytes > self.budget {
            return;
        }
        let Some(Sighting { count, address, .. }) = self.cold.pop(key) else { return };
        while self.bytes + bytes > self.budget {
            let Some((key, out)) = self.hot.pop_lru() else { break };
            self.bytes -= out.bytes;
            self.insert_cold(key, Sighting { count: out.count, address: out.address, asked: false });
        }
        self.bytes += bytes;
        self.hot.put(*key, Hot { count, address, table: Arc::new(table), bytes });
    }

    /// Number of tables and the bytes they take.
    pub(crate) fn tables(&self) -> (usize, usize) {
        (self.hot.len(), self.bytes)
    }

    fn has_room_for(&self, count: u32) -> bool {
        self.budget >= self.table_bytes
            && (self.bytes + self.table_bytes <= self.budget
                || self.hot.peek_lru().is_none_or(|(_, victim)| victim.count < count))
    }

    fn insert_cold(&mut self, key: PublicKey, sighting: Sighting) {
        let out = self.cold.push(key, sighting);
        if let Some((out, Sighting { address: Some(address), .. })) = out
            && out != key
        {
            self.by_address.remove(&address);
        }
    }

    fn earn(&mut self) {
        self.credit = (self.credit + 1).min(BUILD_COST * BUILDS_MAX);
        self.noted += 1;
        if self.noted >= COUNTS_HALVE_AFTER {
            self.noted = 0;
            self.hot.iter_mut().for_each(|(_, hot)| hot.count /= 2);
            self.cold.iter_mut().for_each(|(_, sighting)| sighting.count /= 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: usize = 100;

    fn key(n: usize) -> PublicKey {
        let mut bytes = [0; 64];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        PublicKey(bytes)
    }

    fn address(n: usize) -> Address {
        Address::left_padding_from(&n.to_be_bytes())
    }

    /// One good signature; a table is built when it is asked for.
    fn sign(payers: &mut Payers<usize>, n: usize) {
        if matches!(payers.by_address(&address(n)), Payer::Hot(..)) {
            return;
        }
        if payers.note(&key(n), Some(address(n))) {
            payers.admit(&key(n), n, TABLE);
        }
    }

    fn is_hot(payers: &Payers<usize>, n: usize) -> bool {
        payers.hot.contains(&key(n))
    }

    #[test]
    fn the_third_signature_brings_a_table() {
        let mut payers = Payers::new(10 * TABLE);
        assert!(matches!(payers.by_address(&address(1)), Payer::Unknown));
        sign(&mut payers, 1);
        assert!(matches!(payers.by_address(&address(1)), Payer::Cold(found) if found == key(1)));
        sign(&mut payers, 1);
        assert!(matches!(payers.by_key(&key(1)), Payer::Cold(_)));
        sign(&mut payers, 1);
        assert!(matches!(payers.by_address(&address(1)), Payer::Hot(found, table) if found == key(1) && *table == 1));
        assert_eq!(payers.tables(), (1, TABLE));
    }

    #[test]
    fn strangers_are_met_once() {
        let mut payers = Payers::new(10 * TABLE);
        assert!(payers.is_stranger(&address(1)));
        payers.meet(address(1));
        assert!(!payers.is_stranger(&address(1)) && payers.is_stranger(&address(2)));
        assert!(matches!(payers.by_address(&address(1)), Payer::Unknown), "its key is not known");
        (2..2 + SIGHTINGS_MAX.get()).for_each(|n| payers.meet(address(n)));
        assert!(payers.is_stranger(&address(1)) && payers.met.len() == SIGHTINGS_MAX.get(), "bounded");
        sign(&mut payers, 1);
        assert!(!payers.is_stranger(&address(1)), "its key is known");
    }

    #[test]
    fn the_budget_is_kept_and_whoever_signs_more_stays() {
        let mut payers = Payers::new(3 * TABLE + TABLE / 2);
        for n in [0, 1, 2] {
            (0..6).for_each(|_| sign(&mut payers, n));
        }
        assert_eq!(payers.tables(), (3, 3 * TABLE));
        (0..4).for_each(|_| sign(&mut payers, 7));
        assert!(!is_hot(&payers, 7), "as rare as those that are there");
        (0..4).for_each(|_| sign(&mut payers, 7));
        assert!(is_hot(&payers, 7) && !is_hot(&payers, 0), "the one that was used longest ago has gone");
        assert_eq!(payers.tables(), (3, 3 * TABLE));
        assert!(matches!(payers.by_address(&address(0)), Payer::Cold(_)), "its key is still known");
    }

    #[test]
    fn a_key_that_came_without_address_is_found_by_it_later() {
        let mut payers = Payers::new(10 * TABLE);
        (0..2).for_each(|_| assert!(!payers.note(&key(1), None)));
        assert!(payers.note(&key(1), None));
        payers.admit(&key(1), 1, TABLE);
        assert!(matches!(payers.by_address(&address(1)), Payer::Unknown));
        assert!(!payers.note(&key(1), Some(address(1))));
        assert!(matches!(payers.by_address(&address(1)), Payer::Hot(..)));
    }

    #[test]
    fn no_budget_no_table() {
        let mut none = Payers::<usize>::new(0);
        (0..9).for_each(|_| assert!(!none.note(&key(1), None)));
        let mut small = Payers::new(TABLE - 1);
        (0..9).for_each(|_| sign(&mut small, 1));
        assert_eq!(small.tables(), (0, 0), "a table does not fit");
    }

    #[test]
    fn endless_new_addresses_take_bounded_memory_and_no_tables() {
        let mut payers = Payers::new(10 * TABLE);
        (0..3).for_each(|_| sign(&mut payers, 0));
        for n in 1..3 * SIGHTINGS_MAX.get() {
            sign(&mut payers, n);
        }
        assert!(is_hot(&payers, 0));
        assert_eq!(payers.cold.len(), SIGHTINGS_MAX.get());
        assert_eq!(payers.by_address.len(), SIGHTINGS_MAX.get() + 1);
    }

    #[test]
    fn tables_are_paid_for_by_signatures() {
        let mut payers = Payers::new(usize::MAX);
        let mut built = 0;
        for n in 0..10_000 {
            for _ in 0..ADMIT_AT {
                if payers.note(&key(n), None) {
                    payers.admit(&key(n), n, TABLE);
                    built += 1;
                }
            }
        }
        assert_eq!(built, (10_000 * ADMIT_AT as usize + BUILD_COST * BUILDS_MAX) / BUILD_COST);
    }

    #[test]
    fn a_table_is_asked_for_once() {
        let mut payers = Payers::<usize>::new(usize::MAX);
        assert_eq!([1, 2, 3].map(|_| payers.note(&key(5), None)), [false, false, true]);
        (0..9).for_each(|_| assert!(!payers.note(&key(5), None)));
    }

    #[test]
    fn forgeries_bring_no_fame() {
        let mut payers = Payers::new(TABLE);
        (0..3).for_each(|_| sign(&mut payers, 0));
        for _ in 0..1_000 {
            assert!(matches!(payers.by_address(&address(0)), Payer::Hot(..)));
            payers.was_forged(&key(0));
        }
        (0..4).for_each(|_| sign(&mut payers, 1));
        assert!(is_hot(&payers, 1) && !is_hot(&payers, 0), "three signatures against four");
        payers.was_forged(&key(7));
    }

    #[test]
    fn old_fame_fades() {
        let mut payers = Payers::new(TABLE);
        (0..3).for_each(|_| sign(&mut payers, 0));
        (0..100).for_each(|_| drop(payers.by_key(&key(0))));
        (0..4).for_each(|_| sign(&mut payers, 1));
        assert!(is_hot(&payers, 0) && !is_hot(&payers, 1));
        for n in 0..8 * COUNTS_HALVE_AFTER {
            sign(&mut payers, 1_000 + n);
        }
        (0..4).for_each(|_| sign(&mut payers, 1));
        assert!(is_hot(&payers, 1) && !is_hot(&payers, 0));
    }
}
