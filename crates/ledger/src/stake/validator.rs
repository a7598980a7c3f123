//! The pool of validator candidates and the set chosen from it.

use super::holder;
use crate::error::ApplyError;
use crate::view::View;
use std::cmp::Reverse;
use vigil_primitives::{Address, Height, StakeHolder, U256, ValidatorPool};

/// Adds stake to a candidate, making it one if need be.
pub(crate) fn deposit_validator(
    view: &mut View,
    source: Address,
    node: Address,
    amount: U256,
) -> Result<(), ApplyError> {
    let mut candidate = view.candidates()?.get(&node).cloned().unwrap_or_else(|| holder::new(node));
    holder::deposit(&mut candidate, source, amount)?;
    view.note_stake_change();
    Ok(view.set_candidate(candidate)?)
}

/// Begins the return of a stake.
pub(crate) fn withdraw_validator(
    view: &mut View,
    source: Address,
    node: Address,
    return_height: Height,
) -> Result<(), ApplyError> {
    let mut candidate = view.candidates()?.get(&node).cloned().ok_or_else(|| holder::unknown(&node))?;
    holder::withdraw(&mut candidate, source, return_height)?;
    view.note_stake_change();
    Ok(view.set_candidate(candidate)?)
}

/// The pool of these candidates: largest total stake first; ties by the EIP-55 text of the address, descending, where
/// letter case counts.
pub(crate) fn sorted_pool(mut candidates: Vec<StakeHolder>) -> ValidatorPool {
    candidates.sort_by_cached_key(|c| Reverse((total(c), c.holder.to_checksum(None))));
    ValidatorPool { sorted_candidates: candidates }
}

/// The validators that a state names: the first `validators_max` candidates that have active stake, with that stake in
/// wei, by address ascending (`spec/ledger.md` §3.7).
pub fn validator_set(pool: &ValidatorPool, validators_max: u64) -> Vec<(Address, U256)> {
    let staked = pool.sorted_candidates.iter().map(|c| (c.holder, total(c))).filter(|(_, stake)| !stake.is_zero());
    let mut set: Vec<_> = staked.take(usize::try_from(validators_max).unwrap_or(usize::MAX)).collect();
    set.sort_unstable_by_key(|(address, _)| *address);
    set
}

/// Active stake in wei. Deposits keep the sum below 2^256 ([`holder::deposit`]), so it never saturates.
fn total(candidate: &StakeHolder) -> U256 {
    candidate.total_stake().unwrap_or(U256::MAX)
}
