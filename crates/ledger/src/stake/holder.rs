//! One node and the stakes on it.

use crate::error::TxError;
use vigil_primitives::{ACTIVE_RETURN_HEIGHT, Address, Height, Stake, StakeHolder, U256};

/// Adds `amount` to the stake of `source`, or a new stake.
///
/// # Errors
/// The reference's words, if the stake is on its way back or the sum passes 256 bits.
pub(crate) fn deposit(node: &mut StakeHolder, source: Address, amount: U256) -> Result<(), TxError> {
    let failed = |reason: String| TxError::generic(format!("Failed to deposit stake, err: {reason}"));
    let overflow = || failed(format!("stake with {} overflows 256 bits", node.holder));
    node.total_stake().and_then(|total| total.checked_add(amount)).ok_or_else(overflow)?;
    match node.stakes.iter_mut().find(|stake| stake.source == source) {
        Some(stake) if stake.withdrawn => {
            return Err(failed(format!("Cannot deposit during the withdrawal locking period for: {source}")));
        }
        // It is part of the total, so it cannot overflow either.
        Some(stake) => stake.amount = stake.amount.saturating_add(amount),
        None => node.stakes.push(Stake { source, amount, withdrawn: false, return_height: ACTIVE_RETURN_HEIGHT }),
    }
    Ok(())
}

/// Begins the return of the whole stake of `source`, and answers it.
///
/// # Errors
/// The reference's words, if there is no such stake or it is on its way back.
pub(super) fn withdraw(node: &mut StakeHolder, source: Address, return_height: Height) -> Result<&Stake, TxError> {
    let failed = |reason: String| TxError::generic(format!("Failed to withdraw stake, err: {reason}"));
    let stake = node.stakes.iter_mut().find(|stake| stake.source == source);
    let stake =
        stake.ok_or_else(|| failed(format!("Cannot withdraw, no matched stake source address found: {source}")))?;
    if stake.withdrawn {
        return Err(failed(format!("Already withdrawn, cannot withdraw again for source: {source}")));
    }
    stake.withdrawn = true;
    stake.return_height = return_height;
    Ok(stake)
}

/// The answer to a withdrawal from a node that does not exist.
pub(super) fn unknown(node: &Address) -> TxError {
    TxError::generic(format!("Failed to withdraw stake, err: No matched stake holder address found: {node}"))
}

/// A node without stakes.
pub(super) fn new(holder: Address) -> StakeHolder {
    StakeHolder { holder, stakes: Vec::new() }
}

/// Takes out the stakes that are due when the parent has `parent_height`.
pub(super) fn take_due(node: &mut StakeHolder, parent_height: Height) -> Vec<Stake> {
    node.stakes.extract_if(.., |stake| is_due(stake, parent_height)).collect()
}

/// True if the stake returns in a block whose parent has `parent_height`.
pub(super) fn is_due(stake: &Stake, parent_height: Height) -> bool {
    stake.withdrawn && stake.return_height <= parent_height
}
