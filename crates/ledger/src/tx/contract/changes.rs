//! Writing what a contract changed into the accounts, so that no coin is made.

use crate::error::{ApplyError, StateError};
use crate::keys;
use crate::view::View;
use std::collections::BTreeMap;
use vigil_evm::{Change, Executed};
use vigil_primitives::{Account, Address, BalanceChange, Coins, EMPTY_CODE_HASH, Hash, U256};

/// Coins of accounts before and after a transaction.
#[derive(Default)]
pub(crate) struct Moved(BTreeMap<Address, (Coins, Coins)>);

/// Writes what an execution changed. The stake token first: an account that has some is not removed, and one that gave
/// its last is.
pub(crate) fn write_changes(view: &mut View, executed: &Executed) -> Result<Moved, ApplyError> {
    let mut moved = Moved::default();
    for (address, amount) in &executed.stake_tokens {
        let mut account = view.plain_account(address)?.unwrap_or_else(|| new(*address));
        let before = account.balance;
        account.balance.theta = *amount;
        moved.0.insert(*address, (before, account.balance));
        view.set_account(account);
    }
    for change in &executed.changes {
        let (before, after) = write_account(view, change)?;
        moved.0.entry(change.address).or_insert((before, after)).1 = after;
    }
    Ok(moved)
}

/// An account that contracts make.
fn new(address: Address) -> Account {
    Account::new(address, 0)
}

fn write_account(view: &mut View, change: &Change) -> Result<(Coins, Coins), StateError> {
    let known = view.plain_account(&change.address)?;
    let existed = known.is_some();
    let mut account = known.unwrap_or_else(|| new(change.address));
    let before = account.balance;
    if change.is_destroyed || (change.is_empty() && !change.is_created) {
        account.balance.tfuel = U256::ZERO;
        let after = account.balance;
        if !after.is_zero() || !account.reserved_funds.is_empty() {
            // It has more than contracts see.
            let (storage_root, code_hash) = (Hash::ZERO, EMPTY_CODE_HASH);
            view.set_account(Account { sequence: 0, storage_root, code_hash, ..account });
            view.write_storage(change.address, true, Vec::new());
        } else if existed {
            view.remove_account(change.address);
        }
        return Ok((before, after));
    }
    account.balance.tfuel = change.account.balance;
    account.sequence = change.account.nonce;
    account.code_hash = change.account.code_hash;
    if change.is_created {
        account.storage_root = Hash::ZERO;
    }
    let after = account.balance;
    view.set_account(account);
    if let Some(code) = change.code.as_ref().map(vigil_evm::Code::bytes).filter(|code| !code.is_empty()) {
        view.set_raw(keys::code(&change.account.code_hash), code);
    }
    view.write_storage(change.address, change.is_created, change.storage.clone());
    Ok((before, after))
}

impl Moved {
    /// What left the supply: of the operational token what the accounts lack now and nobody staked. `staked`: what went from
    /// balances into stakes.
    ///
    /// # Errors
    /// [`StateError::Coins`]: more is there than before.
    pub(crate) fn burned(&self, staked: &Coins) -> Result<Coins, StateError> {
        let sum = |side: fn(&(Coins, Coins)) -> &Coins| {
            let sum = self.0.values().map(side).try_fold(Coins::ZERO, |sum, coins| sum.checked_add(coins));
            sum.map_err(|_| StateError::Overflow("balances of a contract transaction"))
        };
        let before = sum(|(before, _)| before)?;
        let after = sum(|(_, after)| after)?;
        let after = after.checked_add(staked).map_err(|_| StateError::Overflow("stakes of a transaction"))?;
        if before.theta != after.theta {
            return Err(StateError::Coins { coin: "stake", before: before.theta, after: after.theta });
        }
        let left = before.tfuel.checked_sub(after.tfuel);
        left.map(Coins::tfuel).ok_or(StateError::Coins {
            coin: "operational",
            before: before.tfuel,
            after: after.tfuel,
        })
    }

    /// What each account got or gave, the fee of `payer` left out.
    pub(crate) fn balance_changes(&self, payer: &Address, fee: U256) -> Vec<BalanceChange> {
        let mut changes = Vec::new();
        for (address, (before, after)) in &self.0 {
            let fee = if address == payer { fee } else { U256::ZERO };
            let tfuel = (before.tfuel, after.tfuel.saturating_add(fee));
            for (token, (before, after)) in [(0, (before.theta, after.theta)), (1, tfuel)] {
                if before != after {
                    let is_negative = after < before;
                    changes.push(BalanceChange {
                        address: *address,
                        token,
                        is_negative,
                        delta: before.abs_diff(after),
                    });
                }
            }
        }
        changes
    }
}
