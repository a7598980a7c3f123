//! Room for those who pay more.
//!
//! When the pool is full, a transaction takes the place of the cheapest that nothing follows; of equal ones the older
//! stays. So an account's sequences never get a gap, and nothing leaves for something that pays less or as much.

use super::{Entry, Mempool};
use crate::{Millis, Refused, Screen};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Address, Hash, U256};

/// Transactions looked at to make room for one, those aside whose group was found too large: it bounds what one that is
/// refused can cost.
pub(crate) const LOOKED_AT_MAX: usize = 16;

impl Entry {
    pub(super) fn tail_key(&self) -> (U256, Reverse<u64>, Hash) {
        (self.price, Reverse(self.arrival), self.tx.hash())
    }
}

impl<S: Screen> Mempool<S> {
    /// What must leave so that `tx` has room: nothing if there is room.
    ///
    /// # Errors
    /// [`Refused::Underbid`] if nothing that could leave is cheaper; [`Refused::Full`] if not enough is.
    pub(super) fn victims(&self, tx: &VerifiedTx, slots: &[(Address, u64)], price: U256) -> Result<Vec<Hash>, Refused> {
        let payers = (self.payers.saturating_add(slots.len()), self.config.count_max);
        let bytes = (self.bytes.saturating_add(tx.raw().len()), self.config.bytes_max);
        let (mut payers_left, mut bytes_left) = (payers.0, bytes.0);
        let mut victims = Vec::new();
        let own: BTreeSet<Address> = slots.iter().map(|(address, _)| *address).collect();
        let (mut tails, mut looked_at, mut stuck) = (self.tails.iter(), 0, BTreeSet::new());
        while payers_left > payers.1 || bytes_left > bytes.1 {
            let (what, (got, max)) = if payers_left > payers.1 { ("transactions", payers) } else { ("bytes", bytes) };
            let Some((floor, _, hash)) = tails.next().filter(|_| looked_at < LOOKED_AT_MAX) else {
                return Err(Refused::Full { what, got, max });
            };
            if *floor >= price {
                return Err(Refused::Underbid { what, got, max, price, floor: *floor });
            }
            let Some(entry) = self.entries.get(hash) else { continue };
            let accounts: BTreeSet<Address> = entry.slots.iter().map(|(address, _)| *address).collect();
            if !accounts.is_disjoint(&stuck) {
                continue;
            }
            looked_at += 1;
            if !accounts.is_disjoint(&own) || self.is_stuck(accounts, &mut stuck) {
                continue;
            }
            payers_left = payers_left.saturating_sub(entry.slots.len());
            bytes_left = bytes_left.saturating_sub(entry.tx.raw().len());
            victims.push(*hash);
        }
        Ok(victims)
    }

    /// True if what leaves one of these accounts makes us judge too many others again; then adds all of their accounts to
    /// `stuck`, so that no group is walked twice.
    fn is_stuck(&self, accounts: BTreeSet<Address>, stuck: &mut BTreeSet<Address>) -> bool {
        let (group, found) = self.group(accounts, usize::MAX);
        let is_stuck = found.len() > self.config.account_max;
        if is_stuck {
            stuck.extend(group);
        }
        is_stuck
    }

    /// Drops these for one that pays `better`, and takes back what they took from their accounts.
    pub(super) fn evict(&mut self, now: Millis, victims: &[Hash], better: U256) {
        let gone = victims.iter().filter_map(|hash| self.abandon(now, hash, Refused::Evicted { better }));
        let accounts: BTreeSet<Address> = gone.flat_map(|entry| entry.slots).map(|(address, _)| address).collect();
        if !accounts.is_empty() {
            self.judge_again(now, accounts);
        }
    }

    /// Notes a new transaction, and that those before it are followed.
    pub(super) fn note_tails(&mut self, hash: &Hash) {
        let Some(entry) = self.entries.get(hash) else { return };
        let before = |(address, sequence): &(Address, u64)| {
            self.accounts.get(address)?.range(..sequence).next_back().map(|(_, before)| *before)
        };
        let followed: Vec<Hash> = entry.slots.iter().filter_map(before).collect();
        followed.iter().chain([hash]).for_each(|hash| self.note_tail(hash));
    }

    /// Notes whether nothing follows a transaction, in any of its accounts.
    pub(super) fn note_tail(&mut self, hash: &Hash) {
        let Some(entry) = self.entries.get(hash) else { return };
        let last = |(address, _): &(Address, u64)| self.accounts.get(address)?.last_key_value().map(|(_, last)| last);
        let is_tail = entry.slots.iter().all(|slot| last(slot) == Some(hash));
        let key = entry.tail_key();
        if is_tail {
            self.tails.insert(key);
        } else {
            self.tails.remove(&key);
        }
    }
}
