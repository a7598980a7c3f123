//! The pool of validator candidates and the set chosen from it.

use super::holder;
use vigil_primitives::{Address, Height, StakeHolder, U256, ValidatorPool};

/// Adds stake to a candidate, making it one if need be, and sorts the pool.
pub(crate) fn deposit_validator(
    pool: &mut ValidatorPool,
    source: Address,
    node: Address,
    amount: U256,
) -> Result<(), String> {
    let candidates = &mut pool.sorted_candidates;
    let index = candidates.iter().position(|c| c.holder == node).unwrap_or_else(|| {
        candidates.push(StakeHolder { holder: node, stakes: Vec::new() });
        candidates.len() - 1
    });
    holder::deposit(&mut candidates[index], source, amount)?;
    sort_candidates(pool);
    Ok(())
}

/// Begins the return of a stake and sorts the pool.
pub(crate) fn withdraw_validator(
    pool: &mut ValidatorPool,
    source: Address,
    node: Address,
    return_height: Height,
) -> Result<(), String> {
    let candidate = pool.sorted_candidates.iter_mut().find(|c| c.holder == node);
    let candidate = candidate.ok_or_else(|| format!("No matched stake holder address found: {node}"))?;
    holder::withdraw(candidate, source, return_height)?;
    sort_candidates(pool);
    Ok(())
}

/// Largest total stake first; ties by the EIP-55 text of the address, descending, where letter case counts.
pub(crate) fn sort_candidates(pool: &mut ValidatorPool) {
    pool.sorted_candidates.sort_by(|a, b| {
        total(b).cmp(&total(a)).then_with(|| b.holder.to_checksum(None).cmp(&a.holder.to_checksum(None)))
    });
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
