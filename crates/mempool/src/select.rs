//! What a block is built of.

use crate::pool::Entry;
use crate::{Mempool, Screen};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, btree_map};
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Address, Hash, U256};

impl<S: Screen> Mempool<S> {
    /// Transactions for a block: those that pay most first, each account's in order of sequence. Nothing is removed.
    ///
    /// - `count_max`, `bytes_max`: the selection ends before the first transaction that would pass a limit.
    /// - `excluded`: true for the transactions of blocks below the one to build that are not settled yet.
    pub fn candidates(
        &self,
        count_max: usize,
        bytes_max: usize,
        excluded: impl Fn(&Hash) -> bool,
    ) -> Vec<Arc<VerifiedTx>> {
        let mut picked = Vec::new();
        let mut bytes = 0usize;
        let mut queue = Queue::new(self);
        while let Some((hash, entry)) = queue.pop() {
            if excluded(&hash) {
                continue;
            }
            bytes = bytes.saturating_add(entry.tx.raw().len());
            if picked.len() == count_max || bytes > bytes_max {
                break;
            }
            picked.push(Arc::clone(&entry.tx));
        }
        picked
    }
}

/// The transactions whose predecessors are done, best price first, then first come.
struct Queue<'a> {
    entries: &'a HashMap<Hash, Entry>,
    accounts: HashMap<Address, btree_map::Values<'a, u64, Hash>>,
    ready: BinaryHeap<(U256, Reverse<u64>, Hash)>,
    /// Transactions of several accounts: for how many of them it is next.
    reached: HashMap<Hash, usize>,
}

impl<'a> Queue<'a> {
    fn new<S>(pool: &'a Mempool<S>) -> Self {
        let accounts = pool.accounts.iter().map(|(address, txs)| (*address, txs.values())).collect();
        let ready = BinaryHeap::with_capacity(pool.accounts.len());
        let mut queue = Self { entries: &pool.entries, accounts, ready, reached: HashMap::new() };
        for address in pool.accounts.keys() {
            queue.advance(address);
        }
        queue
    }

    fn pop(&mut self) -> Option<(Hash, &'a Entry)> {
        let (_, _, hash) = self.ready.pop()?;
        let entry = self.entries.get(&hash)?;
        for (address, _) in &entry.slots {
            self.advance(address);
        }
        Some((hash, entry))
    }

    /// Looks at the account's next transaction.
    fn advance(&mut self, address: &Address) {
        let Some(hash) = self.accounts.get_mut(address).and_then(Iterator::next) else { return };
        let Some(entry) = self.entries.get(hash) else { return };
        if entry.slots.len() > 1 {
            let reached = self.reached.entry(*hash).or_insert(0);
            *reached += 1;
            if *reached < entry.slots.len() {
                return;
            }
        }
        self.ready.push((entry.price, Reverse(entry.arrival), *hash));
    }
}
