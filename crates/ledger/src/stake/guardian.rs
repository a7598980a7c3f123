//! Guardians.

use super::holder;
use crate::error::ApplyError;
use crate::view::View;
use vigil_primitives::{Address, Bytes, Guardian, Height, U256};

/// Adds stake to a guardian, or a new guardian with `key`.
pub(crate) fn deposit_guardian(
    view: &mut View,
    source: Address,
    node: Address,
    amount: U256,
    key: &Bytes,
) -> Result<(), ApplyError> {
    let guardian = view.guardians()?.get(&node).cloned();
    let mut guardian = guardian.unwrap_or_else(|| Guardian { holder: holder::new(node), bls_pubkey: key.clone() });
    holder::deposit(&mut guardian.holder, source, amount)?;
    Ok(view.set_guardian(guardian)?)
}

/// Begins the return of a stake.
pub(crate) fn withdraw_guardian(
    view: &mut View,
    source: Address,
    node: Address,
    return_height: Height,
) -> Result<(), ApplyError> {
    let guardian = view.guardians()?.get(&node).cloned();
    let mut guardian = guardian.ok_or_else(|| holder::unknown(&node))?;
    holder::withdraw(&mut guardian.holder, source, return_height)?;
    Ok(view.set_guardian(guardian)?)
}
