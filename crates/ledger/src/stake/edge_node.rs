//! Elite edge nodes: one entry each, their total, and a list of returns per height (`spec/ledger.md` §4).

use super::holder;
use crate::error::{ApplyError, StateError};
use crate::keys;
use crate::view::View;
use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_primitives::{Address, Bytes, EdgeNode, Height, Stake, U256};

/// A stake that returns at the height of the list it is in.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct EdgeNodeReturn {
    pub(super) holder: Address,
    pub(super) stake: Stake,
}

/// Active stake with a node, in wei of the operational token; `None` if there is no such node.
pub(crate) fn edge_node_stake(view: &View, node: &Address) -> Result<Option<U256>, StateError> {
    let entry: Option<EdgeNode> = view.get(&keys::edge_node(node))?;
    entry.map(|e| e.holder.total_stake().ok_or(StateError::Overflow("stake of an edge node"))).transpose()
}

/// Adds stake to a node, or a new node with `key`.
pub(crate) fn deposit_edge_node(
    view: &mut View,
    source: Address,
    node: Address,
    amount: U256,
    key: &Bytes,
) -> Result<(), ApplyError> {
    let entry_key = keys::edge_node(&node);
    let entry: Option<EdgeNode> = view.get(&entry_key)?;
    let mut entry = entry.unwrap_or_else(|| EdgeNode { holder: holder::new(node), bls_pubkey: key.clone() });
    holder::deposit(&mut entry.holder, source, amount)?;
    view.set(entry_key, &entry);
    let total = total_active(view)?.checked_add(amount).ok_or(StateError::Overflow("stake of all edge nodes"))?;
    set_total_active(view, total);
    Ok(())
}

/// Begins the return of a stake.
pub(crate) fn withdraw_edge_node(
    view: &mut View,
    source: Address,
    node: Address,
    return_height: Height,
) -> Result<(), ApplyError> {
    let entry_key = keys::edge_node(&node);
    let entry: Option<EdgeNode> = view.get(&entry_key)?;
    let mut entry = entry.ok_or_else(|| holder::unknown(&node))?;
    let stake = holder::withdraw(&mut entry.holder, source, return_height)?.clone();
    view.set(entry_key, &entry);
    let total = total_active(view)?.checked_sub(stake.amount).ok_or(StateError::Overflow("stake of all edge nodes"))?;
    set_total_active(view, total);
    view.note_edge_return(return_height, EdgeNodeReturn { holder: node, stake });
    Ok(())
}

fn total_active(view: &View) -> Result<U256, StateError> {
    let bytes = view.get_raw(keys::EDGE_NODE_TOTAL)?.unwrap_or_default();
    U256::try_from_be_slice(&bytes).ok_or(StateError::Overflow("stake of all edge nodes"))
}

fn set_total_active(view: &mut View, total: U256) {
    view.set_raw(keys::EDGE_NODE_TOTAL.to_vec(), total.to_be_bytes_trimmed_vec().into());
}
