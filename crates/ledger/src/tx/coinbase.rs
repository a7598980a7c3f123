//! Coinbase: pays the rewards of a checkpoint (`spec/ledger.md` §2.14, `docs/decisions/0003-rewards.md`).

use super::{Context, signature_text};
use crate::error::{ApplyError, StateError};
use crate::view::View;
use std::collections::BTreeMap;
use vigil_primitives::{Address, Coinbase, Coins};

pub(super) fn apply(view: &mut View, context: &Context, tx: &Coinbase) -> Result<(), ApplyError> {
    if view.coinbase_done {
        return Err(ApplyError::generic("Another coinbase transaction has been processed for the current block"));
    }
    let proposer = tx.proposer.address;
    if view.proposer != Some(proposer) {
        return Err(ApplyError::generic(format!(
            "The coinbaseTx proposer is not the proposer of the block: {proposer}"
        )));
    }
    if !context.verified.valid_at(0, context.height) {
        return Err(ApplyError::generic(signature_text(context)));
    }
    let mut outputs = BTreeMap::new();
    for output in &tx.outputs {
        if outputs.insert(output.address, output.coins).is_some() {
            return Err(ApplyError::generic(format!("getOrMakeOutputs - Duplicated address: {}", output.address)));
        }
    }
    if tx.block_height != view.parent_height() {
        let (got, expected) = (tx.block_height, view.parent_height());
        return Err(ApplyError::generic(format!(
            "invalid block height for the coinbase: got {got}, expected {expected}"
        )));
    }
    if tx.proposer.coins != Coins::ZERO || tx.proposer.sequence != 0 {
        return Err(ApplyError::generic("the proposer of a coinbase has zero coins and sequence 0"));
    }
    let Some(expected) = view.rewards_due.clone() else {
        return Err(ApplyError::generic(format!("no rewards are due at height {}", context.height)));
    };
    if outputs != expected {
        return Err(ApplyError::generic(format!(
            "Invalid rewards: {} outputs given, {} expected, or an amount differs",
            outputs.len(),
            expected.len()
        )));
    }
    pay(view, &expected)
}

fn pay(view: &mut View, rewards: &BTreeMap<Address, Coins>) -> Result<(), ApplyError> {
    for (address, coins) in rewards {
        let mut account = view.account_or_new(address)?;
        let sum = account.balance.checked_add(coins);
        account.balance = sum.map_err(|_| StateError::Overflow("balance after a reward"))?;
        view.set_account(account);
        view.mint(coins)?;
    }
    view.coinbase_done = true;
    Ok(())
}
