//! Reads for RPC and consensus at one state.

use crate::error::StateError;
use crate::finality::{self, Finalized, LastReset};
use crate::funds::release_expired_funds;
use crate::keys;
use crate::slashing::Moment;
use crate::stake::{StakeHeights, validator_set};
use crate::state::{State, corrupt, decode};
use crate::view::View;

use vigil_primitives::{
    Account, Address, Bytes, ChainParams, Coins, EdgeNode, GuardianPool, GuardianSet, Hash, Height, RewardDistribution,
    SplitRule, StakePurpose, U256, ValidatorPool,
};

/// An account as a transaction in the block after `height` would find it: expired reserved funds are released.
pub fn account(state: &State, height: Height, address: &Address) -> Result<Option<Account>, StateError> {
    let mut account: Option<Account> = state.decoded(&keys::account(address))?;
    if let Some(account) = &mut account {
        release_expired_funds(account, height)?;
    }
    Ok(account)
}

/// The pool of validator candidates.
pub fn validator_pool(state: &State) -> Result<Option<ValidatorPool>, StateError> {
    state.decoded(keys::VALIDATORS)
}

/// The validators that the state names, with their active stake in wei, by address ascending.
pub fn validators(state: &State, params: &ChainParams) -> Result<Vec<(Address, U256)>, StateError> {
    Ok(validator_pool(state)?.map(|pool| validator_set(&pool, params.validators_max)).unwrap_or_default())
}

/// The pool of guardians; `None` until the first deposit.
pub fn guardian_pool(state: &State) -> Result<Option<GuardianPool>, StateError> {
    state.decoded(keys::GUARDIANS)
}

/// The guardians that a state names: those that vote on its block, if it is a checkpoint.
pub fn guardians(state: &State) -> Result<GuardianSet, StateError> {
    Ok(guardian_pool(state)?.as_ref().map(GuardianSet::of_pool).unwrap_or_default())
}

/// A guardian set of a checkpoint in the evidence window, or of one that has no certificate yet.
pub fn guardian_set(state: &State, hash: &Hash) -> Result<Option<GuardianSet>, StateError> {
    finality::guardian_set_of(state, hash)
}

/// The highest checkpoint whose certificate a header of this branch carries.
pub fn finalized(state: &State) -> Result<Option<Finalized>, StateError> {
    state.decoded(keys::FINALIZED)
}

/// Height at which a node lost its stake in a role last; faults up to it, and before the resets before it, are punished.
pub fn slashed_at(state: &State, role: StakePurpose, node: &Address) -> Result<Option<Height>, StateError> {
    Ok(state.decoded::<Moment>(&keys::slashed(role, node))?.map(|moment| moment.height))
}

/// How often the chain was reset before this state.
pub fn resets(state: &State) -> Result<u64, StateError> {
    Ok(state.decoded::<LastReset>(keys::RESET)?.unwrap_or_default().number)
}

/// One elite edge node.
pub fn edge_node(state: &State, address: &Address) -> Result<Option<EdgeNode>, StateError> {
    state.decoded(&keys::edge_node(address))
}

/// At most `limit` elite edge nodes, by address, from `start` on.
pub fn edge_nodes(state: &State, start: &Address, limit: usize) -> Result<Vec<EdgeNode>, StateError> {
    let entries = state.scan(keys::EDGE_NODE_PREFIX, &keys::edge_node(start)).take(limit);
    entries.map(|entry| entry.map_err(StateError::from).and_then(|(key, value)| decode(&key, &value))).collect()
}

/// The split rule of a resource.
pub fn split_rule(state: &State, resource_id: &str) -> Result<Option<SplitRule>, StateError> {
    state.decoded(&keys::split_rule(resource_id))
}

/// The reward distribution of a stake holder.
pub fn reward_distribution(state: &State, holder: &Address) -> Result<Option<RewardDistribution>, StateError> {
    state.decoded(&keys::reward_distribution(holder))
}

/// At most `limit` reward distributions, by holder, from `start` on.
pub fn reward_distributions(
    state: &State,
    start: &Address,
    limit: usize,
) -> Result<Vec<RewardDistribution>, StateError> {
    let entries = state.scan(keys::REWARD_DISTRIBUTION_PREFIX, &keys::reward_distribution(start)).take(limit);
    entries.map(|entry| entry.map_err(StateError::from).and_then(|(key, value)| decode(&key, &value))).collect()
}

/// Heights of transactions that changed validator stakes.
pub fn stake_heights(state: &State) -> Result<Vec<Height>, StateError> {
    Ok(state.decoded::<StakeHeights>(keys::STAKE_HEIGHTS)?.unwrap_or_default().heights)
}

/// The rules of the chain, as the state commits to them.
pub fn params(state: &State) -> Result<Option<ChainParams>, StateError> {
    state.decoded(keys::PARAMS)
}

/// Both coins' supply at genesis, in wei.
pub fn genesis_supply(state: &State) -> Result<Coins, StateError> {
    state.decoded(keys::GENESIS_SUPPLY)?.ok_or_else(|| corrupt(keys::GENESIS_SUPPLY, "missing"))
}

/// Code of an account; empty if it has none.
pub fn code(state: &State, account: &Account) -> Result<Bytes, StateError> {
    if !account.is_contract() {
        return Ok(Bytes::new());
    }
    let key = keys::code(&account.code_hash);
    state.value(&key)?.ok_or_else(|| corrupt(&key, "an account has this code, and it is missing"))
}

/// A word of an account's storage; zero if nothing was stored.
pub fn storage(state: &State, account: &Account, slot: &Hash) -> Result<U256, StateError> {
    View::new(state.clone(), 0).slot(&account.address, &U256::from_be_bytes(slot.0))
}
