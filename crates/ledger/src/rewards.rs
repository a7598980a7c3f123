//! What a checkpoint block pays (`docs/decisions/0003-rewards.md`; replaces `spec/ledger.md` §6).

use crate::error::StateError;
use crate::keys;
use crate::rules::BASIS_POINTS;
use crate::stake::validator_set;
use crate::view::View;
use std::collections::{BTreeMap, BTreeSet};
use vigil_primitives::{Address, ChainParams, Coins, Height, RewardDistribution, StakeHolder, U256};

/// Milliseconds of a year of 365.25 days.
const YEAR_MS: u64 = 31_557_600_000;

/// True if the block of `height` pays rewards and so begins with a coinbase.
pub fn is_reward_height(params: &ChainParams, height: Height) -> bool {
    height != 0 && height.checked_rem(params.checkpoint_interval) == Some(0)
}

/// Minted per block, in wei of the operational token, for a supply of `genesis_tfuel` wei at genesis. Truncated.
pub fn minted_per_block(params: &ChainParams, genesis_tfuel: U256) -> Option<U256> {
    let yearly = genesis_tfuel.checked_mul(U256::from(params.inflation_basis_points))?;
    let scaled = yearly.checked_mul(U256::from(params.block_interval_ms))?;
    Some(scaled / (U256::from(BASIS_POINTS) * U256::from(YEAR_MS)))
}

/// Outputs of the coinbase of the view's block: what the checkpoint interval minted, to the sources of stake pro rata.
pub(crate) fn rewards(view: &mut View, params: &ChainParams) -> Result<BTreeMap<Address, Coins>, StateError> {
    let overflow = || StateError::Overflow("reward");
    let genesis: Coins = view.get(keys::GENESIS_SUPPLY)?.unwrap_or_default();
    let per_block = minted_per_block(params, genesis.tfuel).ok_or_else(overflow)?;
    let budget = per_block.checked_mul(U256::from(params.checkpoint_interval)).ok_or_else(overflow)?;
    let stakes = validator_stakes(view, params)?;
    share(view, budget, &stakes)
}

/// A stake that earns: the node, whose money, how much in wei.
struct Earning {
    holder: Address,
    source: Address,
    amount: U256,
}

/// Active stakes with the validators that the state names.
fn validator_stakes(view: &mut View, params: &ChainParams) -> Result<Vec<Earning>, StateError> {
    let Some(pool) = view.parent_validators()? else { return Ok(Vec::new()) };
    let set = validator_set(&pool, params.validators_max);
    let members: BTreeSet<Address> = set.into_iter().map(|(address, _)| address).collect();
    let in_set = pool.sorted_candidates.iter().filter(|c| members.contains(&c.holder));
    Ok(in_set.flat_map(active_stakes).collect())
}

fn active_stakes(node: &StakeHolder) -> impl Iterator<Item = Earning> {
    let active = node.stakes.iter().filter(|stake| !stake.withdrawn);
    active.map(|s| Earning { holder: node.holder, source: s.source, amount: s.amount })
}

/// Divides `budget` by stake. Each share is truncated and then divided as the holder's reward distribution says.
fn share(view: &View, budget: U256, stakes: &[Earning]) -> Result<BTreeMap<Address, Coins>, StateError> {
    let overflow = || StateError::Overflow("reward");
    let total = stakes.iter().try_fold(U256::ZERO, |sum, s| sum.checked_add(s.amount)).ok_or_else(overflow)?;
    let mut outputs = BTreeMap::new();
    let mut rules: BTreeMap<Address, Option<RewardDistribution>> = BTreeMap::new();
    for Earning { holder, source, amount } in stakes {
        let reward = budget.checked_mul(*amount).ok_or_else(overflow)?.checked_div(total).unwrap_or_default();
        if !rules.contains_key(holder) {
            rules.insert(*holder, view.get(&keys::reward_distribution(holder))?);
        }
        let rule = rules.get(holder).and_then(Option::as_ref);
        let points = rule.map_or(U256::ZERO, |rule| U256::from(rule.split_basis_point));
        let given = reward.checked_mul(points).ok_or_else(overflow)? / U256::from(BASIS_POINTS);
        let kept = reward.checked_sub(given).ok_or_else(overflow)?;
        let beneficiary = rule.map_or(*source, |rule| rule.beneficiary);
        for (address, wei) in [(*source, kept), (beneficiary, given)] {
            if !wei.is_zero() {
                let output: &mut Coins = outputs.entry(address).or_default();
                output.tfuel = output.tfuel.checked_add(wei).ok_or_else(overflow)?;
            }
        }
    }
    Ok(outputs)
}
