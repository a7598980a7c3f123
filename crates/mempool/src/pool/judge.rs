//! Replacing, and judging again.

use super::Mempool;
use crate::{Millis, Refused, Screen};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Address, Hash, U256};

impl<S: Screen> Mempool<S> {
    /// The pending transaction that uses the same account and sequence. Only transactions of one account replace each
    /// other; among several accounts the sequence error stands.
    pub(super) fn rival(&self, slots: &[(Address, u64)]) -> Option<Hash> {
        let [(address, sequence)] = slots else { return None };
        let hash = self.accounts.get(address)?.get(sequence)?;
        self.entries.get(hash).filter(|entry| entry.slots.len() == 1).map(|_| *hash)
    }

    pub(super) fn replace(
        &mut self,
        now: Millis,
        tx: Arc<VerifiedTx>,
        slots: Vec<(Address, u64)>,
        offered: U256,
        pending: Hash,
    ) -> Result<(), Refused> {
        let percent = self.config.replacement_percent;
        let price = self.entries.get(&pending).map_or(U256::ZERO, |entry| entry.price);
        let needed = price.saturating_mul(U256::from(percent));
        if offered.saturating_mul(U256::from(100)) < needed || offered <= price {
            return Err(Refused::Underpriced { pending, got: offered, price, percent });
        }
        let Some(entry) = self.entries.get(&pending) else { return Err(Refused::Seen) };
        let arrival = entry.arrival;
        let bytes = self.bytes.saturating_sub(entry.tx.raw().len()).saturating_add(tx.raw().len());
        if bytes > self.config.bytes_max {
            return Err(Refused::Full { what: "bytes", got: bytes, max: self.config.bytes_max });
        }
        let accounts: BTreeSet<_> = slots.iter().map(|(address, _)| *address).collect();
        let max = self.config.replacement_group_max;
        let got = self.group(accounts.clone(), max).1.len();
        if got > max {
            return Err(Refused::Full { what: "transactions judged again for a replacement", got, max });
        }
        let judged = self.judge_at(arrival, &accounts, &tx);
        if judged.is_ok() {
            self.abandon(now, &pending, Refused::Replaced { by: tx.hash() });
            self.add(now, tx, slots, offered, arrival);
        }
        self.judge_again(now, accounts);
        judged
    }

    /// Judges a transaction that replaces none, and returns what must leave for it. To look for room is dear, so a bad one is
    /// refused before; but what was applied and finds no room must be taken back, which is cheap only if nothing of its
    /// accounts is pending.
    pub(super) fn judge_new(
        &mut self,
        now: Millis,
        tx: &VerifiedTx,
        slots: &[(Address, u64)],
        price: U256,
    ) -> Result<Vec<Hash>, Refused> {
        if tx.all_valid() && self.follows(slots) {
            let victims = self.victims(tx, slots, price)?;
            return self.screen.check_and_apply(tx).map(|()| victims);
        }
        self.screen.check_and_apply(tx)?;
        let victims = self.victims(tx, slots, price);
        if victims.is_err() {
            self.judge_again(now, slots.iter().map(|(address, _)| *address).collect());
        }
        victims
    }

    /// True if something of these accounts is pending, and each sequence is the next one.
    fn follows(&self, slots: &[(Address, u64)]) -> bool {
        let is_next = |(address, sequence): &(Address, u64)| {
            let last = self.accounts.get(address).and_then(BTreeMap::last_key_value);
            last.is_none_or(|(last, _)| last.checked_add(1) == Some(*sequence))
        };
        slots.iter().any(|(address, _)| self.accounts.contains_key(address)) && slots.iter().all(is_next)
    }

    /// Judges a transaction in the place of the pending one with that arrival. The debits of `accounts` are left in
    /// disorder: [`Self::judge_again`] must follow.
    fn judge_at(&mut self, arrival: u64, accounts: &BTreeSet<Address>, tx: &VerifiedTx) -> Result<(), Refused> {
        for (_, earlier) in self.forget(accounts.clone()).into_iter().take_while(|(other, _)| *other < arrival) {
            if let Some(entry) = self.entries.get(&earlier) {
                self.screen.check_and_apply(&entry.tx)?;
            }
        }
        self.screen.check_and_apply(tx)
    }

    /// Judges every pending transaction of these accounts again, in order of acceptance; drops the impossible ones.
    pub(super) fn judge_again(&mut self, now: Millis, accounts: BTreeSet<Address>) {
        for (_, hash) in self.forget(accounts) {
            let Some(entry) = self.entries.get(&hash) else { continue };
            if let Err(refused) = self.screen.check_and_apply(&entry.tx) {
                self.abandon(now, &hash, refused);
            }
        }
    }

    /// Makes the screen forget the debits of these accounts, and of all that share a transaction with them. Returns
    /// arrival and hash of their pending transactions, ascending.
    fn forget(&mut self, accounts: BTreeSet<Address>) -> Vec<(u64, Hash)> {
        let (group, found) = self.group(accounts, usize::MAX);
        group.iter().for_each(|address| self.screen.forget(address));
        found.into_iter().collect()
    }

    /// These accounts and all that share a transaction with them, and their pending transactions by arrival. Stops
    /// looking once there are more than `max`.
    pub(super) fn group(&self, accounts: BTreeSet<Address>, max: usize) -> (BTreeSet<Address>, BTreeSet<(u64, Hash)>) {
        let mut group = accounts.clone();
        let mut todo: Vec<Address> = accounts.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(address) = todo.pop().filter(|_| found.len() <= max) {
            for hash in self.accounts.get(&address).into_iter().flat_map(BTreeMap::values) {
                let Some(entry) = self.entries.get(hash) else { continue };
                found.insert((entry.arrival, *hash));
                todo.extend(entry.slots.iter().map(|(other, _)| *other).filter(|other| group.insert(*other)));
            }
        }
        (group, found)
    }
}
