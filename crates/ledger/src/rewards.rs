//! What a checkpoint block pays (`docs/decisions/0003-rewards.md`, `0010-guardian-rewards.md`; replaces `spec/ledger.md`
//! §6).

mod lottery;
mod payout;

use crate::env::Env;
use crate::error::StateError;
use crate::finality::{Certified, parent_set};
use crate::keys;
use crate::rules::BASIS_POINTS;
use crate::stake::validator_set;
use crate::view::View;
use lottery::Lottery;
use payout::{Earning, Payout, active_stakes};
use std::collections::{BTreeMap, BTreeSet};
use vigil_primitives::{Address, ChainParams, Coins, Height, TX_BYTES_MAX, U256, VALIDATORS_MAX};

/// Most sources of validator stake: the coinbase pays each in one transaction. An output has at most 41 bytes (address,
/// no stake token, an amount below 2^128), and 2 KiB are left for the rest and the beneficiaries of distributions.
pub(crate) const STAKES_MAX: usize = (TX_BYTES_MAX - 2 * 1024) / 41;

/// Most outputs of a coinbase: every validator stake and the beneficiary of each validator's distribution.
pub(crate) const OUTPUTS_MAX: usize = STAKES_MAX + VALIDATORS_MAX;

const _: () = assert!(OUTPUTS_MAX * 41 + 512 <= TX_BYTES_MAX);

/// Milliseconds of a year of 365.25 days.
const YEAR_MS: u64 = 31_557_600_000;

/// True if the block of `height` is a checkpoint: it pays rewards, so it begins with a coinbase, and guardians vote on
/// it.
pub fn is_reward_height(params: &ChainParams, height: Height) -> bool {
    height != 0 && height.checked_rem(params.checkpoint_interval) == Some(0)
}

/// Minted per block, in wei of the operational token, for a supply of `genesis_tfuel` wei at genesis. Truncated.
pub fn minted_per_block(params: &ChainParams, genesis_tfuel: U256) -> Option<U256> {
    let yearly = genesis_tfuel.checked_mul(U256::from(params.inflation_basis_points))?;
    let scaled = yearly.checked_mul(U256::from(params.block_interval_ms))?;
    Some(scaled / (U256::from(BASIS_POINTS) * U256::from(YEAR_MS)))
}

/// Outputs of the coinbase of the view's block: what the checkpoint interval minted, divided between validators and
/// guardians by stake. Guardians draw lots for theirs, if the block carries a certificate of their work.
pub(crate) fn rewards(
    view: &mut View,
    env: &Env,
    certified: Option<&Certified>,
) -> Result<BTreeMap<Address, Coins>, StateError> {
    let genesis: Coins = view.get(keys::GENESIS_SUPPLY)?.unwrap_or_default();
    let per_block = minted_per_block(env.params, genesis.tfuel).ok_or_else(overflow)?;
    let budget = per_block.checked_mul(U256::from(env.params.checkpoint_interval)).ok_or_else(overflow)?;
    let stakes = validator_stakes(view, env.params)?;
    let staked = stakes.iter().try_fold(U256::ZERO, |sum, s| sum.checked_add(s.amount)).ok_or_else(overflow)?;
    let guarding = U256::from(parent_set(view)?.total());
    let all = staked.checked_add(guarding).ok_or_else(overflow)?;
    let part = |stake: U256| {
        budget.checked_mul(stake).ok_or_else(overflow).map(|part| part.checked_div(all).unwrap_or_default())
    };
    let mut payout = Payout::default();
    let of_validators = part(staked)?;
    for stake in &stakes {
        let share = of_validators.checked_mul(stake.amount).ok_or_else(overflow)?;
        payout.pay(view, stake, share.checked_div(staked).unwrap_or_default())?;
    }
    if let Some(certified) = certified {
        pay_guardians(view, env, certified, part(guarding)?, &mut payout)?;
    }
    Ok(payout.outputs)
}

/// Divides the guardians' part among the lottery's slots, and each slot's pot among its winners. What falls to a winner
/// goes to one of its active stakes. Without winners, or without stakes, nothing is minted.
fn pay_guardians(
    view: &mut View,
    env: &Env,
    certified: &Certified,
    budget: U256,
    payout: &mut Payout,
) -> Result<(), StateError> {
    let Some(pool) = view.parent_guardians()? else { return Ok(()) };
    let slots = lottery::slots(env.params);
    let pot = budget / U256::from(slots);
    let mut lottery = Lottery::new(certified, view.height());
    for slot in 0..slots {
        let winners = lottery.draw(env.hasher, slot);
        let prize = pot.checked_div(U256::from(winners.len())).unwrap_or_default();
        for winner in winners {
            let found = pool.sorted_guardians.binary_search_by_key(&winner.guardian, |g| g.holder.holder);
            let Some(guardian) = found.ok().and_then(|at| pool.sorted_guardians.get(at)) else { continue };
            let stakes: Vec<Earning> = active_stakes(&guardian.holder).collect();
            if let Some(stake) = lottery::drawn(&stakes, &winner.digest) {
                payout.pay_if_room(view, stake, prize, OUTPUTS_MAX)?;
            }
        }
    }
    Ok(())
}

/// Active stakes with the validators that the state names.
fn validator_stakes(view: &mut View, params: &ChainParams) -> Result<Vec<Earning>, StateError> {
    let Some(pool) = view.parent_validators()? else { return Ok(Vec::new()) };
    let set = validator_set(&pool, params.validators_max);
    let members: BTreeSet<Address> = set.into_iter().map(|(address, _)| address).collect();
    let in_set = pool.sorted_candidates.iter().filter(|c| members.contains(&c.holder));
    Ok(in_set.flat_map(active_stakes).collect())
}

fn overflow() -> StateError {
    StateError::Overflow("reward")
}
