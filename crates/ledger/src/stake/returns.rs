//! End of block: stakes that are due go back to their sources (`spec/ledger.md` §2.16).

use super::edge_node::EdgeNodeReturn;
use super::holder::{is_due, take_due};
use crate::error::StateError;
use crate::keys;
use crate::view::View;
use vigil_primitives::{Account, Address, ChainParams, Coins, EdgeNode, Height, Stake, StakeHolder};

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
    let height = view.parent_height();
    // What this block withdrew returns later, so the parent's pool names all that is due.
    let Some(pool) = view.parent_validators()? else { return Ok(()) };
    for node in pool.sorted_candidates.iter().filter(|node| has_due(node, height)) {
        let Some(mut candidate) = view.candidates()?.get(&node.holder).cloned() else { continue };
        credit_due(view, &mut candidate)?;
        view.set_candidate(candidate)?;
    }
    Ok(())
}

fn return_guardian_stakes(view: &mut View) -> Result<(), StateError> {
    let height = view.parent_height();
    let Some(pool) = view.parent_guardians()? else { return Ok(()) };
    for node in pool.sorted_guardians.iter().filter(|node| has_due(&node.holder, height)) {
        let Some(mut guardian) = view.guardians()?.get(&node.holder.holder).cloned() else { continue };
        credit_due(view, &mut guardian.holder)?;
        view.set_guardian(guardian)?;
    }
    Ok(())
}

fn has_due(node: &StakeHolder, parent_height: Height) -> bool {
    node.stakes.iter().any(|stake| is_due(stake, parent_height))
}

/// Takes the stakes that are due out of the node and credits them. The order is free, as credits only add.
fn credit_due(view: &mut View, node: &mut StakeHolder) -> Result<(), StateError> {
    for stake in take_due(node, view.parent_height()) {
        credit(view, &stake.source, &Coins::theta(stake.amount))?;
    }
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
