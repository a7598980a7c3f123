//! End of block: stakes that are due go back to their sources (`spec/ledger.md` §2.16).

use super::edge_node::EdgeNodeReturn;
use super::holder::{is_due, take_due};
use super::sort_candidates;
use crate::error::StateError;
use crate::keys;
use crate::view::View;
use vigil_primitives::{Account, Address, ChainParams, Coins, EdgeNode, Stake};

/// Returns every stake that is due at the view's parent height. Pools are left as they are if nothing is due: the
/// reference writes them again, which changes no root.
pub(crate) fn return_stakes(view: &mut View, params: &ChainParams) -> Result<(), StateError> {
    return_validator_stakes(view)?;
    return_guardian_stakes(view)?;
    if view.height() >= params.forks.theta3 {
        return_edge_node_stakes(view)?;
    }
    view.keep()
}

fn return_validator_stakes(view: &mut View) -> Result<(), StateError> {
    let (height, Some(pool)) = (view.parent_height(), view.validators()?) else { return Ok(()) };
    if !pool.sorted_candidates.iter().flat_map(|c| &c.stakes).any(|stake| is_due(stake, height)) {
        return Ok(());
    }
    let mut pool = (*pool).clone();
    for candidate in pool.sorted_candidates.iter_mut().rev() {
        for stake in take_due(candidate, height).into_iter().rev() {
            credit(view, &stake.source, &Coins::theta(stake.amount))?;
        }
    }
    pool.sorted_candidates.retain(|c| !c.stakes.is_empty());
    sort_candidates(&mut pool);
    view.set_validators(pool);
    Ok(())
}

fn return_guardian_stakes(view: &mut View) -> Result<(), StateError> {
    let (height, Some(pool)) = (view.parent_height(), view.guardians()?) else { return Ok(()) };
    if !pool.sorted_guardians.iter().flat_map(|g| &g.holder.stakes).any(|stake| is_due(stake, height)) {
        return Ok(());
    }
    let mut pool = (*pool).clone();
    for guardian in pool.sorted_guardians.iter_mut().rev() {
        for stake in take_due(&mut guardian.holder, height).into_iter().rev() {
            credit(view, &stake.source, &Coins::theta(stake.amount))?;
        }
    }
    pool.sorted_guardians.retain(|g| !g.holder.stakes.is_empty());
    view.set_guardians(pool);
    Ok(())
}

fn return_edge_node_stakes(view: &mut View) -> Result<(), StateError> {
    let list_key = keys::edge_node_returns(view.parent_height());
    let Some(list): Option<Vec<EdgeNodeReturn>> = view.get(&list_key)? else { return Ok(()) };
    for EdgeNodeReturn { holder, stake } in &list {
        credit(view, &stake.source, &Coins::tfuel(stake.amount))?;
        remove_edge_node_stake(view, holder, stake)?;
    }
    view.delete(list_key);
    Ok(())
}

fn remove_edge_node_stake(view: &mut View, node: &Address, due: &Stake) -> Result<(), StateError> {
    let key = keys::edge_node(node);
    let Some(mut entry): Option<EdgeNode> = view.get(&key)? else { return Ok(()) };
    entry.holder.stakes.retain(|stake| stake.source != due.source);
    if entry.holder.stakes.is_empty() {
        view.delete(key)
    } else {
        view.set(key, &entry)
    }
    Ok(())
}

/// Plain load: expired reserved funds stay. The source has an account, because it once staked from it.
fn credit(view: &mut View, source: &Address, coins: &Coins) -> Result<(), StateError> {
    let height = view.parent_height();
    let mut account = view.plain_account(source)?.unwrap_or_else(|| Account::new(*source, height));
    account.balance = account.balance.checked_add(coins).map_err(|_| StateError::Overflow("balance after a return"))?;
    view.set_account(account);
    Ok(())
}
