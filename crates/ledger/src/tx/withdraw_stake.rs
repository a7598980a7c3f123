//! Withdrawals of stake: always the whole stake of a source with a holder (`spec/ledger.md` §2.11).

use super::deposit_stake::purpose;
use super::{Context, charge_fee, check_input, check_plain_fee, count};
use crate::error::{ApplyError, coins_text};
use crate::stake;
use crate::view::View;
use vigil_primitives::{StakePurpose, WithdrawStake};

pub(super) fn apply(view: &mut View, context: &Context, tx: &WithdrawStake) -> Result<(), ApplyError> {
    let source = tx.source.address;
    let account = view.account(&source)?;
    let unknown = || ApplyError::generic(format!("Failed to get the source account: {source}"));
    let mut account = account.ok_or_else(unknown)?;
    check_input(context, &account, &tx.source, 0)?;
    check_plain_fee(context, &tx.fee)?;
    let purpose = purpose(tx.purpose)?;
    if !account.balance.covers(&tx.fee) {
        let (balance, fee) = (coins_text(&account.balance), coins_text(&tx.fee));
        let text = format!("WithdrawStake: Source balance is {balance}, but required minimal balance is {fee}");
        return Err(ApplyError::generic(text));
    }

    charge_fee(view, &mut account, &tx.fee)?;
    let return_height = view.parent_height().saturating_add(context.params.return_locking_period);
    let holder = tx.holder.address;
    match purpose {
        StakePurpose::Validator => stake::withdraw_validator(view, source, holder, return_height)?,
        StakePurpose::Guardian => stake::withdraw_guardian(view, source, holder, return_height)?,
        StakePurpose::EdgeNode => stake::withdraw_edge_node(view, source, holder, return_height)?,
    }
    count(&mut account)?;
    view.set_account(account);
    Ok(())
}
