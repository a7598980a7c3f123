//! Send: moves coins from many accounts to many (`spec/ledger.md` §2.5).

use super::{Context, check_fee, check_input, count};
use crate::error::{ApplyError, StateError, coins_text};
use crate::rules::send_fee_min;
use crate::view::View;
use std::collections::HashSet;
use vigil_primitives::{Account, Coins, Send, TX_ACCOUNTS_MAX};

pub(super) fn apply(view: &mut View, context: &Context, tx: &Send) -> Result<(), ApplyError> {
    check_shape(tx)?;
    let (mut payers, mut payees) = load(view, tx)?;
    check_no_contract(context, payers.iter().chain(&payees))?;
    for (slot, (account, input)) in payers.iter().zip(&tx.inputs).enumerate() {
        check_input(context, account, input, slot)?;
    }
    check_fee(&tx.fee, send_fee_min(context.params, context.height, tx.inputs.len() + tx.outputs.len()))?;
    check_sums(tx)?;

    for (account, input) in payers.iter_mut().zip(&tx.inputs) {
        let left = account.balance.checked_sub(&input.coins);
        account.balance = left.map_err(|_| ApplyError::generic("Failed to subtract the coins of an input"))?;
        count(account)?;
    }
    for (account, output) in payees.iter_mut().zip(&tx.outputs) {
        let sum = account.balance.checked_add(&output.coins);
        account.balance = sum.map_err(|_| StateError::Overflow("balance after a send"))?;
    }
    payers.into_iter().chain(payees).for_each(|account| view.set_account(account));
    Ok(view.burn(&tx.fee)?)
}

fn check_shape(tx: &Send) -> Result<(), ApplyError> {
    let (inputs, outputs) = (tx.inputs.len(), tx.outputs.len());
    if inputs == 0 || outputs == 0 {
        return Err(ApplyError::generic("Invalid number of inputs or outputs: both must be given"));
    }
    if inputs.saturating_add(outputs) > TX_ACCOUNTS_MAX {
        let affected = inputs.saturating_add(outputs);
        let text = format!("Transaction modifying too many accounts: {affected}, the limit is {TX_ACCOUNTS_MAX}");
        return Err(ApplyError::generic(text));
    }
    Ok(())
}

/// Accounts of the inputs and of the outputs; all addresses must differ.
fn load(view: &mut View, tx: &Send) -> Result<(Vec<Account>, Vec<Account>), ApplyError> {
    let mut seen = HashSet::with_capacity(tx.inputs.len() + tx.outputs.len());
    let mut payers = Vec::with_capacity(tx.inputs.len());
    for input in &tx.inputs {
        if !seen.insert(input.address) {
            return Err(ApplyError::generic(format!("getInputs - Duplicated address: {}", input.address)));
        }
        let account = view.account(&input.address)?;
        let unknown = || ApplyError::generic(format!("getInputs - Unknown address: {}", input.address));
        payers.push(account.ok_or_else(unknown)?);
    }
    let mut payees = Vec::with_capacity(tx.outputs.len());
    for output in &tx.outputs {
        if !seen.insert(output.address) {
            return Err(ApplyError::generic(format!("getOrMakeOutputs - Duplicated address: {}", output.address)));
        }
        payees.push(view.account_or_new(&output.address)?);
    }
    Ok((payers, payees))
}

fn check_no_contract<'a>(context: &Context, mut accounts: impl Iterator<Item = &'a Account>) -> Result<(), ApplyError> {
    if context.height < context.params.forks.smart_contract {
        return Ok(());
    }
    match accounts.find(|account| account.is_contract()) {
        None => Ok(()),
        Some(account) => Err(ApplyError::generic(format!(
            "Sending Theta/TFuel to a smart contract ({}) through a SendTx transaction is not allowed",
            account.address
        ))),
    }
}

fn check_sums(tx: &Send) -> Result<(), ApplyError> {
    let total = |mut coins: Box<dyn Iterator<Item = &Coins> + '_>| {
        coins.try_fold(Coins::ZERO, |sum, c| sum.checked_add(c)).map_err(|e| ApplyError::generic(e.to_string()))
    };
    let paid = total(Box::new(tx.inputs.iter().map(|i| &i.coins)))?;
    let received = total(Box::new(tx.outputs.iter().map(|o| &o.coins).chain([&tx.fee])))?;
    if paid == received {
        return Ok(());
    }
    let (paid, received) = (coins_text(&paid), coins_text(&received));
    Err(ApplyError::generic(format!("Input total ({paid}) != output total + fees ({received})")))
}
