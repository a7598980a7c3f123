//! The pool.

use crate::recent::Recent;
use crate::{Config, Millis, Refused, Screen};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Address, Hash, Tx, U256};

pub(crate) mod evict;
mod judge;
mod reports;

use reports::Reports;

/// Records of deadlines beyond two a pending transaction, before those of no use are removed.
const DEADLINES_SPARE: usize = 64;

/// What is known of a transaction that is in no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxStatus {
    /// Waiting.
    Pending,
    /// Was waiting; expired, was replaced or became impossible.
    Abandoned,
    /// Never accepted, settled, or forgotten.
    Unknown,
}

/// Pending transactions; see the [crate] page.
pub struct Mempool<S> {
    config: Config,
    screen: S,
    pub(crate) entries: HashMap<Hash, Entry>,
    /// Pending transactions of each account by sequence, without gaps.
    pub(crate) accounts: HashMap<Address, BTreeMap<u64, Hash>>,
    /// Transactions that nothing follows, the first to be evicted first: the cheapest, of those the youngest.
    pub(crate) tails: BTreeSet<(U256, Reverse<u64>, Hash)>,
    bytes: usize,
    /// Slots of all entries.
    payers: usize,
    arrivals: u64,
    pub(crate) deadlines: VecDeque<(Millis, Hash)>,
    /// When to look for expired transactions again.
    sweep_at: Millis,
    seen: Recent,
    abandoned: Recent,
    reports: Reports,
    /// What left without being settled, and why, until [`Self::take_dropped`].
    dropped: Vec<(Hash, Refused)>,
}

/// A pending transaction.
pub(crate) struct Entry {
    pub(crate) tx: Arc<VerifiedTx>,
    /// Every account that pays for it, with the sequence it uses.
    pub(crate) slots: Vec<(Address, u64)>,
    pub(crate) price: U256,
    /// Position in the order of acceptance. A replacement keeps that of what it replaces, so that ascending order is
    /// always an order in which the pool's transactions can be applied.
    pub(crate) arrival: u64,
    deadline: Millis,
}

impl<S: Screen> Mempool<S> {
    /// An empty pool on the state that `screen` stands on.
    pub fn new(config: Config, screen: S) -> Self {
        let (seen, abandoned) = (Recent::new(config.seen_max), Recent::new(config.abandoned_max));
        let reports = Reports::new(&config);
        let (entries, accounts, tails, deadlines, dropped) = Default::default();
        let (bytes, payers, arrivals, sweep_at) = Default::default();
        Self {
            config,
            screen,
            entries,
            accounts,
            tails,
            bytes,
            payers,
            arrivals,
            deadlines,
            sweep_at,
            seen,
            abandoned,
            reports,
            dropped,
        }
    }

    /// Accepts or refuses a transaction.
    ///
    /// # Errors
    /// [`Refused`]; a refused transaction is not remembered as seen, so it may come again when it is good.
    pub fn insert(&mut self, now: Millis, tx: Arc<VerifiedTx>) -> Result<(), Refused> {
        self.expire(now);
        if self.seen.contains(&tx.hash()) {
            return Err(Refused::Seen);
        }
        self.admit(now, tx)
    }

    /// What [`Self::insert`] asks of a slash transaction before its evidence is judged; of others only that they are new.
    ///
    /// # Errors
    /// [`Refused`]: there is no need to look at the evidence.
    pub fn hears(&mut self, now: Millis, tx: &VerifiedTx) -> Result<(), Refused> {
        self.expire(now);
        if self.is_seen(&tx.hash()) { Err(Refused::Seen) } else { self.check_report(tx) }
    }

    /// Takes back the transactions of a discarded block, as far as they are good and not here anyway.
    pub fn reinstate(&mut self, now: Millis, txs: impl IntoIterator<Item = Arc<VerifiedTx>>) {
        self.expire(now);
        for tx in txs {
            // Refusals are expected: coinbases, and what another branch has settled.
            let _refused = self.admit(now, tx);
        }
    }

    /// Goes on to a newer settled state. `txs`: hashes of the transactions settled since the last call; `touched`: the
    /// accounts that the settled blocks wrote. What became impossible is dropped.
    pub fn on_settled(&mut self, now: Millis, base: S::Base, txs: &[Hash], touched: &[Address]) {
        self.screen.settle(base);
        let mut affected: BTreeSet<Address> = touched.iter().copied().chain(self.reporters()).collect();
        for hash in txs {
            if let Some(entry) = self.remove(hash) {
                affected.extend(entry.slots.iter().map(|(address, _)| *address));
            }
        }
        self.judge_again(now, affected);
        self.expire(now);
    }

    /// Judges again the accounts of transactions that failed while a block was built, and drops those of their
    /// transactions that are impossible. One that failed only because of that block's branch stays.
    pub fn recheck(&mut self, now: Millis, failed: &[Hash]) {
        let entries = failed.iter().filter_map(|hash| self.entries.get(hash));
        let accounts = entries.flat_map(|entry| entry.slots.iter().map(|(address, _)| *address)).collect();
        self.judge_again(now, accounts);
    }

    /// What was dropped since the last call and has not come back, and why: for whoever waits for it. To be called after
    /// every other call that changes the pool.
    pub fn take_dropped(&mut self) -> Vec<(Hash, Refused)> {
        let mut dropped = std::mem::take(&mut self.dropped);
        dropped.retain(|(hash, _)| !self.entries.contains_key(hash));
        dropped
    }

    /// Drops what has waited too long, and forgets old hashes. What expires in the same [`Config::sweep_ms`] leaves
    /// together, so that each account is judged again once and not for each of its transactions.
    pub fn expire(&mut self, now: Millis) {
        self.seen.expire(now);
        self.abandoned.expire(now);
        self.reports.expire(now);
        if now < self.sweep_at {
            return;
        }
        self.sweep_at = now.saturating_add(self.config.sweep_ms);
        let mut affected = BTreeSet::new();
        while let Some((deadline, hash)) = self.deadlines.front().copied() {
            // Records of transactions that are gone leave with the first that is not, so that the queue stays short.
            let pending = self.entries.get(&hash).is_some_and(|entry| entry.deadline == deadline);
            if pending && deadline > now {
                break;
            }
            self.deadlines.pop_front();
            let reason = Refused::Expired { seconds: self.config.expiry_ms / 1_000 };
            if pending && let Some(entry) = self.abandon(now, &hash, reason) {
                affected.extend(entry.slots.iter().map(|(address, _)| *address));
            }
        }
        if !affected.is_empty() {
            self.judge_again(now, affected);
        }
    }

    /// What is known of a transaction.
    pub fn status(&self, hash: &Hash) -> TxStatus {
        if self.entries.contains_key(hash) {
            TxStatus::Pending
        } else if self.abandoned.contains(hash) {
            TxStatus::Abandoned
        } else {
            TxStatus::Unknown
        }
    }

    /// True if [`Self::insert`] would answer [`Refused::Seen`]: there is no need to verify it.
    pub fn is_seen(&self, hash: &Hash) -> bool {
        self.seen.contains(hash) || self.entries.contains_key(hash)
    }

    /// A pending transaction.
    pub fn get(&self, hash: &Hash) -> Option<&Arc<VerifiedTx>> {
        self.entries.get(hash).map(|entry| &entry.tx)
    }

    /// Number of pending transactions.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of the pending transactions.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Hashes of the pending transactions, in no order.
    pub fn hashes(&self) -> impl Iterator<Item = &Hash> {
        self.entries.keys()
    }

    /// The screen, for reads.
    pub fn screen_mut(&mut self) -> &mut S {
        &mut self.screen
    }

    fn admit(&mut self, now: Millis, tx: Arc<VerifiedTx>) -> Result<(), Refused> {
        if self.entries.contains_key(&tx.hash()) {
            return Err(Refused::Seen);
        }
        self.check_report(&tx)?;
        let verdict = self.judge_and_add(now, &tx);
        self.note_verdict(now, &tx, &verdict);
        verdict
    }

    fn judge_and_add(&mut self, now: Millis, tx: &Arc<VerifiedTx>) -> Result<(), Refused> {
        let slots = slots(tx.tx());
        let price = self.screen.price(tx.tx());
        if let Some(pending) = self.rival(&slots)
            && tx.all_valid()
        {
            return self.replace(now, Arc::clone(tx), slots, price, pending);
        }
        self.check_accounts(&slots)?;
        let victims = self.judge_new(now, tx, &slots, price)?;
        self.arrivals += 1;
        self.add(now, Arc::clone(tx), slots, price, self.arrivals);
        self.evict(now, &victims, price);
        Ok(())
    }

    fn check_accounts(&self, slots: &[(Address, u64)]) -> Result<(), Refused> {
        let pending = |address| self.accounts.get(address).map_or(0, BTreeMap::len);
        let most = slots.iter().map(|(address, _)| pending(address) + 1).max().unwrap_or(0);
        let (what, max) = ("transactions of the account", self.config.account_max);
        if most > max { Err(Refused::Full { what, got: most, max }) } else { Ok(()) }
    }

    fn add(&mut self, now: Millis, tx: Arc<VerifiedTx>, slots: Vec<(Address, u64)>, price: U256, arrival: u64) {
        let (hash, deadline) = (tx.hash(), now.saturating_add(self.config.expiry_ms));
        for (address, sequence) in &slots {
            self.accounts.entry(*address).or_default().insert(*sequence, hash);
        }
        self.bytes = self.bytes.saturating_add(tx.raw().len());
        self.payers = self.payers.saturating_add(slots.len());
        self.deadlines.push_back((deadline, hash));
        self.seen.add(hash, now.saturating_add(self.config.seen_ms));
        self.abandoned.remove(&hash);
        self.reports.add(&tx);
        self.entries.insert(hash, Entry { tx, slots, price, arrival, deadline });
        self.note_tails(&hash);
        // One that waits long must not keep the records of all that have come and gone since.
        if self.deadlines.len() > self.entries.len().saturating_mul(2).saturating_add(DEADLINES_SPARE) {
            let entries = &self.entries;
            self.deadlines.retain(|(at, hash)| entries.get(hash).is_some_and(|entry| entry.deadline == *at));
        }
    }

    fn remove(&mut self, hash: &Hash) -> Option<Entry> {
        let entry = self.entries.remove(hash)?;
        self.tails.remove(&entry.tail_key());
        self.reports.remove(&entry.tx);
        self.bytes = self.bytes.saturating_sub(entry.tx.raw().len());
        self.payers = self.payers.saturating_sub(entry.slots.len());
        for (address, sequence) in &entry.slots {
            if let Some(account) = self.accounts.get_mut(address) {
                account.remove(sequence);
                match account.last_key_value().map(|(_, last)| *last) {
                    Some(last) => self.note_tail(&last),
                    None => drop(self.accounts.remove(address)),
                }
            }
        }
        Some(entry)
    }

    /// Removes a transaction for good; it may be sent again at once.
    fn abandon(&mut self, now: Millis, hash: &Hash, reason: Refused) -> Option<Entry> {
        self.dropped.push((*hash, reason));
        self.seen.remove(hash);
        self.abandoned.add(*hash, now.saturating_add(self.config.expiry_ms));
        self.remove(hash)
    }
}

/// Every account that pays for a transaction, with the sequence that it uses.
fn slots(tx: &Tx) -> Vec<(Address, u64)> {
    match tx {
        Tx::Send(t) => t.inputs.iter().map(|input| (input.address, input.sequence)).collect(),
        other => other.sender().into_iter().collect(),
    }
}
