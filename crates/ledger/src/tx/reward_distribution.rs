//! Stake reward distribution: who gets a share of a holder's rewards (`spec/ledger.md` §2.12).

use super::{Context, charge_fee, check_input, check_plain_fee, count};
use crate::error::{ApplyError, coins_text};
use crate::keys;
use crate::rules::SPLIT_BASIS_POINTS_MAX;
use crate::view::View;
use vigil_primitives::{RewardDistribution, StakeRewardDistribution};

pub(super) fn apply(view: &mut View, context: &Context, tx: &StakeRewardDistribution) -> Result<(), ApplyError> {
    let holder = tx.holder.address;
    let account = view.account(&holder)?;
    let unknown = || ApplyError::generic(format!("Failed to get the stake holder account: {holder}"));
    let mut account = account.ok_or_else(unknown)?;
    check_input(context, &account, &tx.holder, 0)?;
    if tx.split_basis_point > SPLIT_BASIS_POINTS_MAX {
        let (got, max) = (tx.split_basis_point, SPLIT_BASIS_POINTS_MAX);
        return Err(ApplyError::generic(format!("SplitBasisPoint is {got}, at most {max} are allowed")));
    }
    check_plain_fee(context, &tx.fee)?;
    if !account.balance.covers(&tx.fee) {
        let (balance, fee) = (coins_text(&account.balance), coins_text(&tx.fee));
        let text =
            format!("StakeRewardDistribution: Source balance is {balance}, but required minimal balance is {fee}");
        return Err(ApplyError::generic(text));
    }

    charge_fee(view, &mut account, &tx.fee)?;
    let key = keys::reward_distribution(&holder);
    if tx.split_basis_point == 0 {
        view.delete(key);
    } else {
        let (beneficiary, split_basis_point) = (tx.beneficiary.address, tx.split_basis_point);
        view.set(key, &RewardDistribution { stake_holder: holder, beneficiary, split_basis_point });
    }
    count(&mut account)?;
    view.set_account(account);
    Ok(())
}
