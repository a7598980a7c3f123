//! The working copy of a state that a block is executed in.

use crate::error::StateError;
use crate::funds::release_expired_funds;
use crate::keys;
use crate::pools::Nodes;
use crate::stake::{EdgeNodeReturn, sorted_pool};
use crate::state::{State, decode};
use alloy_rlp::{Decodable, Encodable};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use vigil_primitives::{
    Account, Address, Bytes, Coins, Guardian, GuardianPool, Height, Receipt, StakeHolder, U256, rlp,
};
use vigil_trie::{BatchHasher, Commit};

mod staked;
mod storage;

pub(crate) use staked::StakesBefore;
use storage::{Storage, Written};

/// An account as the overlay holds it; `None`: there is none.
struct Slot {
    account: Option<Account>,
    dirty: bool,
}

/// Changes of one transaction, or of one block.
#[derive(Default)]
struct Pending {
    values: BTreeMap<Vec<u8>, Option<Bytes>>,
    /// Transactions that changed validator stakes.
    stake_changes: usize,
    /// Slash transactions.
    slashes: usize,
    /// Stakes of edge nodes on their way back, by the height they return at.
    edge_returns: BTreeMap<Height, Vec<EdgeNodeReturn>>,
    burned: Coins,
    minted: Coins,
    /// Of contract transactions, in order.
    receipts: Vec<Receipt>,
}

/// The working copy of a state: reads come from the transaction's changes, then the block's, then the trie.
///
/// A transaction's changes are kept apart until [`Self::keep`], so that a refused one leaves nothing behind
/// ([`Self::discard`]), whatever it had done.
pub(crate) struct View {
    state: State,
    parent_height: Height,
    accounts: HashMap<Address, Slot>,
    tx_accounts: HashMap<Address, Option<Account>>,
    storages: HashMap<Address, Storage>,
    tx_storages: HashMap<Address, Written>,
    candidates: Nodes<StakeHolder>,
    guardians: Nodes<Guardian>,
    /// Who votes with each BLS key; made when the first is asked for.
    guardian_keys: Option<HashMap<Bytes, Address>>,
    /// What each account has staked with validators and guardians; made when somebody asks.
    staked: Option<HashMap<Address, U256>>,
    block: Pending,
    tx: Pending,
    /// Who proposes the block; nobody may make a coinbase without one.
    pub(crate) proposer: Option<Address>,
    /// What a coinbase must pay; `None` where none is due.
    pub(crate) rewards_due: Option<BTreeMap<Address, Coins>>,
    /// True once a coinbase has been applied.
    pub(crate) coinbase_done: bool,
}

impl View {
    /// A working copy for a block on a parent of `parent_height`, whose state is `state`.
    pub(crate) fn new(state: State, parent_height: Height) -> Self {
        Self {
            state,
            parent_height,
            accounts: HashMap::new(),
            tx_accounts: HashMap::new(),
            storages: HashMap::new(),
            tx_storages: HashMap::new(),
            candidates: Nodes::default(),
            guardians: Nodes::default(),
            guardian_keys: None,
            staked: None,
            block: Pending::default(),
            tx: Pending::default(),
            proposer: None,
            rewards_due: None,
            coinbase_done: false,
        }
    }

    /// Height of the parent (`P` of `spec/ledger.md`).
    pub(crate) fn parent_height(&self) -> Height {
        self.parent_height
    }

    /// Height of the block being made (`H`).
    pub(crate) fn height(&self) -> Height {
        self.parent_height.saturating_add(1)
    }

    /// The state it stands on; flushed changes included.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// An account as it is, expired funds included.
    pub(crate) fn plain_account(&mut self, address: &Address) -> Result<Option<Account>, StateError> {
        Ok(self.look_at(address)?.cloned())
    }

    /// [`Self::plain_account`] without its copy, which may be long: an account can have many reserved funds.
    pub(crate) fn look_at(&mut self, address: &Address) -> Result<Option<&Account>, StateError> {
        if self.tx_accounts.contains_key(address) {
            return Ok(self.tx_accounts.get(address).and_then(Option::as_ref));
        }
        if !self.accounts.contains_key(address) {
            let account: Option<Account> = self.state.decoded(&keys::account(address))?;
            self.accounts.insert(*address, Slot { account, dirty: false });
        }
        Ok(self.accounts.get(address).and_then(|slot| slot.account.as_ref()))
    }

    /// An account with its expired reserved funds released (`spec/ledger.md` §2.4, §3.3); that lasts if it is written.
    pub(crate) fn account(&mut self, address: &Address) -> Result<Option<Account>, StateError> {
        let mut account = self.plain_account(address)?;
        if let Some(account) = &mut account {
            release_expired_funds(account, self.parent_height)?;
        }
        Ok(account)
    }

    /// [`Self::account`], or a new one.
    pub(crate) fn account_or_new(&mut self, address: &Address) -> Result<Account, StateError> {
        Ok(self.account(address)?.unwrap_or_else(|| Account::new(*address, self.parent_height)))
    }

    /// Writes an account.
    pub(crate) fn set_account(&mut self, account: Account) {
        self.tx_accounts.insert(account.address, Some(account));
    }

    /// Removes an account and its storage.
    pub(crate) fn remove_account(&mut self, address: Address) {
        self.tx_accounts.insert(address, None);
        self.tx_storages.insert(address, Written::anew());
    }

    /// The decoded value of a key that is neither an account nor a pool.
    pub(crate) fn get<T: Decodable>(&self, key: &[u8]) -> Result<Option<T>, StateError> {
        self.get_raw(key)?.map(|bytes| decode(key, &bytes)).transpose()
    }

    /// The value of a key that is neither an account nor a pool.
    pub(crate) fn get_raw(&self, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        match self.tx.values.get(key).or_else(|| self.block.values.get(key)) {
            Some(value) => Ok(value.clone()),
            None => self.state.value(key),
        }
    }

    /// Writes the encoding of a value.
    pub(crate) fn set<T: Encodable>(&mut self, key: Vec<u8>, value: &T) {
        self.set_raw(key, rlp::encode(value).into());
    }

    /// Writes a value; the empty value deletes.
    pub(crate) fn set_raw(&mut self, key: Vec<u8>, value: Bytes) {
        self.tx.values.insert(key, Some(value).filter(|v| !v.is_empty()));
    }

    /// Deletes a key.
    pub(crate) fn delete(&mut self, key: Vec<u8>) {
        self.tx.values.insert(key, None);
    }

    /// Counts coins that left the supply.
    pub(crate) fn burn(&mut self, coins: &Coins) -> Result<(), StateError> {
        self.tx.burned = self.tx.burned.checked_add(coins).map_err(|_| StateError::Overflow("burned"))?;
        Ok(())
    }

    /// Counts coins that entered the supply.
    pub(crate) fn mint(&mut self, coins: &Coins) -> Result<(), StateError> {
        self.tx.minted = self.tx.minted.checked_add(coins).map_err(|_| StateError::Overflow("minted"))?;
        Ok(())
    }

    /// Minted and burned by the transactions kept so far.
    pub(crate) fn minted_and_burned(&self) -> (Coins, Coins) {
        (self.block.minted, self.block.burned)
    }

    /// Remembers what came of a contract transaction.
    pub(crate) fn note_receipt(&mut self, receipt: Receipt) {
        self.tx.receipts.push(receipt);
    }

    /// Gas of the contract transactions kept so far.
    pub(crate) fn gas_used(&self) -> u64 {
        self.block.receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used)
    }

    /// The receipts of the transactions kept so far; they are not kept any more.
    pub(crate) fn take_receipts(&mut self) -> Vec<Receipt> {
        std::mem::take(&mut self.block.receipts)
    }

    /// Makes the transaction's changes part of the block.
    pub(crate) fn keep(&mut self) -> Result<(), StateError> {
        let tx = std::mem::take(&mut self.tx);
        let add = |a: &Coins, b: &Coins| a.checked_add(b).map_err(|_| StateError::Overflow("minted or burned"));
        self.block.minted = add(&self.block.minted, &tx.minted)?;
        self.block.burned = add(&self.block.burned, &tx.burned)?;
        for (address, account) in self.tx_accounts.drain() {
            self.accounts.insert(address, Slot { account, dirty: true });
        }
        self.keep_storages();
        self.block.receipts.extend(tx.receipts);
        self.block.values.extend(tx.values);
        self.block.stake_changes += tx.stake_changes;
        self.block.slashes += tx.slashes;
        for (height, due) in tx.edge_returns {
            self.block.edge_returns.entry(height).or_default().extend(due);
        }
        if let Some(keys) = &mut self.guardian_keys {
            for guardian in self.guardians.written() {
                match guardian.holder.stakes.is_empty() {
                    true => keys.remove(&guardian.bls_pubkey),
                    false => keys.insert(guardian.bls_pubkey.clone(), guardian.holder.holder),
                };
            }
        }
        self.candidates.keep();
        self.guardians.keep();
        Ok(())
    }

    /// Forgets the transaction's changes.
    pub(crate) fn discard(&mut self) {
        self.tx = Pending::default();
        self.tx_accounts.clear();
        self.tx_storages.clear();
        if self.candidates.discard() | self.guardians.discard() {
            self.staked = None;
        }
    }

    /// Forgets the transaction's changes but those of the accounts in `addresses` (the mempool's view).
    pub(crate) fn keep_only(&mut self, addresses: &[Address]) {
        for address in addresses {
            if let Some(account) = self.tx_accounts.remove(address) {
                self.accounts.insert(*address, Slot { account, dirty: true });
            }
        }
        self.discard();
    }

    /// Forgets what it knows of an account, so that it is read from the trie again.
    pub(crate) fn forget(&mut self, address: &Address) {
        self.accounts.remove(address);
    }

    /// Number of accounts in memory.
    pub(crate) fn cached_accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Forgets the accounts that were only read.
    pub(crate) fn forget_clean(&mut self) {
        self.accounts.retain(|_, slot| slot.dirty);
    }

    /// Puts another state below the kept changes. Accounts only read are forgotten, written ones stay.
    pub(crate) fn rebase(&mut self, state: State, parent_height: Height) {
        self.state = state;
        self.parent_height = parent_height;
        (self.candidates, self.guardians, self.guardian_keys, self.staked) = Default::default();
        self.storages.clear();
        self.forget_clean();
    }

    /// Addresses of the accounts written so far, ascending.
    pub(crate) fn written_accounts(&self) -> Vec<Address> {
        let mut written: Vec<_> = self.accounts.iter().filter(|(_, slot)| slot.dirty).map(|(a, _)| *a).collect();
        written.sort_unstable();
        written
    }

    /// Writes the block's changes into the trie.
    pub(crate) fn commit(mut self, hasher: &dyn BatchHasher) -> Result<(State, Commit), StateError> {
        let commit = self.flush(hasher)?;
        Ok((self.state, commit))
    }

    /// [`Self::commit`], to go on with the view afterwards.
    pub(crate) fn flush(&mut self, hasher: &dyn BatchHasher) -> Result<Commit, StateError> {
        self.write_stake_lists()?;
        let mut nodes = self.flush_storages(hasher)?;
        let reader = Arc::clone(&self.state.reader);
        let trie = &mut self.state.trie;
        let mut dirty: Vec<_> = self.accounts.iter_mut().filter(|(_, slot)| slot.dirty).collect();
        dirty.sort_unstable_by_key(|(address, _)| **address);
        for (address, slot) in dirty {
            slot.dirty = false;
            let key = keys::account(address);
            match &slot.account {
                Some(account) => trie.insert(&*reader, &key, rlp::encode(account))?,
                None => trie.remove(&*reader, &key).map(drop)?,
            }
        }
        for (key, value) in std::mem::take(&mut self.block.values) {
            match value {
                Some(value) => trie.insert(&*reader, &key, value)?,
                None => trie.remove(&*reader, &key).map(|_| ())?,
            }
        }
        if let Some(nodes) = self.candidates.take_changed() {
            let pool = sorted_pool(nodes);
            trie.insert(&*reader, keys::VALIDATORS, rlp::encode(&pool))?;
            self.state.validators = Some(Some(Arc::new(pool)));
        }
        if let Some(sorted_guardians) = self.guardians.take_changed() {
            let pool = GuardianPool { sorted_guardians };
            trie.insert(&*reader, keys::GUARDIANS, rlp::encode(&pool))?;
            self.state.guardians = Some(Some(Arc::new(pool)));
        }
        let mut commit = trie.commit(hasher);
        self.state.root = commit.root;
        nodes.append(&mut commit.nodes);
        Ok(Commit { nodes, ..commit })
    }
}
