//! Reserved funds: their release when they have expired.

use crate::error::StateError;
use vigil_primitives::{Account, Coins, Height};

/// Blocks between the end of a reserved fund and its release (`spec/ledger.md` §8).
const FUND_FREEZE_BLOCKS: u64 = 5;

/// Returns what is left of every fund that ended more than [`FUND_FREEZE_BLOCKS`] ago, and its collateral.
pub(crate) fn release_expired_funds(account: &mut Account, parent_height: Height) -> Result<(), StateError> {
    if account.reserved_funds.is_empty() {
        return Ok(());
    }
    let overflow = |_| StateError::Overflow("balance after the release of a reserved fund");
    let mut balance = account.balance;
    let mut kept = Vec::with_capacity(account.reserved_funds.len());
    for fund in account.reserved_funds.drain(..) {
        if fund.end_block_height.saturating_add(FUND_FREEZE_BLOCKS) > parent_height {
            kept.push(fund);
            continue;
        }
        let left = fund.initial_fund.checked_sub(&fund.used_fund).unwrap_or(Coins::ZERO);
        balance = balance.checked_add(&left).and_then(|b| b.checked_add(&fund.collateral)).map_err(overflow)?;
    }
    account.balance = balance;
    account.reserved_funds = kept;
    Ok(())
}
