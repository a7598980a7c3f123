//! The pool of guardians, by raw address ascending.

use super::holder;
use vigil_primitives::{Address, Bytes, Guardian, GuardianPool, Height, StakeHolder, U256};

/// The guardian at an address.
pub(crate) fn find_guardian<'a>(pool: &'a GuardianPool, node: &Address) -> Option<&'a Guardian> {
    let index = position(pool, node).ok()?;
    pool.sorted_guardians.get(index)
}

/// The guardian other than `node` that already votes with `key`. Keys are unique (DESIGN §4): two holders of one key
/// could not be told apart in an aggregate.
pub(crate) fn guardian_key_in_use(pool: &GuardianPool, node: &Address, key: &Bytes) -> Option<Address> {
    let other = pool.sorted_guardians.iter().find(|g| g.bls_pubkey == *key && g.holder.holder != *node);
    other.map(|g| g.holder.holder)
}

/// Adds stake to a guardian, or a new guardian with `key`.
pub(crate) fn deposit_guardian(
    pool: &mut GuardianPool,
    source: Address,
    node: Address,
    amount: U256,
    key: &Bytes,
) -> Result<(), String> {
    let index = match position(pool, &node) {
        Ok(index) => index,
        Err(index) => {
            let holder = StakeHolder { holder: node, stakes: Vec::new() };
            pool.sorted_guardians.insert(index, Guardian { holder, bls_pubkey: key.clone() });
            index
        }
    };
    holder::deposit(&mut pool.sorted_guardians[index].holder, source, amount)
}

/// Begins the return of a stake.
pub(crate) fn withdraw_guardian(
    pool: &mut GuardianPool,
    source: Address,
    node: Address,
    return_height: Height,
) -> Result<(), String> {
    let index = position(pool, &node).map_err(|_| format!("No matched stake holder address found: {node}"))?;
    holder::withdraw(&mut pool.sorted_guardians[index].holder, source, return_height)?;
    Ok(())
}

fn position(pool: &GuardianPool, node: &Address) -> Result<usize, usize> {
    pool.sorted_guardians.binary_search_by_key(node, |g| g.holder.holder)
}
