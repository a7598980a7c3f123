//! What a block does to the stake pools.

use super::View;
use crate::error::StateError;
use crate::keys;
use crate::pools::Nodes;
use crate::stake::{EdgeNodeReturn, StakeHeights};
use std::collections::HashMap;
use std::sync::Arc;
use vigil_primitives::{Address, Bytes, Guardian, GuardianPool, Height, StakeHolder, U256, ValidatorPool, rlp};

/// What a stake operation of a contract may change, as the transaction had it before.
pub(crate) enum StakesBefore {
    /// A guardian.
    Guardian(Address, Option<Guardian>),
    /// An elite edge node.
    EdgeNode {
        /// Values of its key, and of the key of the total.
        values: [(Vec<u8>, Option<Option<Bytes>>); 2],
        /// Number of returns noted, by height.
        returns: Vec<(Height, usize)>,
    },
}

impl View {
    /// What the transaction wrote of a guardian until now.
    pub(crate) fn guardian_before(&mut self, holder: &Address) -> Result<StakesBefore, StateError> {
        let guardian = self.load_guardians()?.written_of(holder).cloned();
        Ok(StakesBefore::Guardian(*holder, guardian))
    }

    /// What the transaction wrote of an elite edge node until now.
    pub(crate) fn edge_node_before(&self, holder: &Address) -> StakesBefore {
        let before = |key: Vec<u8>| {
            let value = self.tx.values.get(&key).cloned();
            (key, value)
        };
        let values = [before(keys::edge_node(holder)), before(keys::EDGE_NODE_TOTAL.to_vec())];
        let returns = self.tx.edge_returns.iter().map(|(height, due)| (*height, due.len())).collect();
        StakesBefore::EdgeNode { values, returns }
    }

    /// Puts back what stood before a stake operation.
    pub(crate) fn restore_stakes(&mut self, before: StakesBefore) {
        match before {
            StakesBefore::Guardian(holder, guardian) => {
                count_stakes(&mut self.staked, self.guardians.get(&holder).map(|node| &node.holder), Counted::No);
                self.guardians.restore(holder, guardian);
                count_stakes(&mut self.staked, self.guardians.get(&holder).map(|node| &node.holder), Counted::Yes);
            }
            StakesBefore::EdgeNode { values, returns } => {
                for (key, value) in values {
                    match value {
                        Some(value) => self.tx.values.insert(key, value),
                        None => self.tx.values.remove(&key),
                    };
                }
                self.tx.edge_returns.retain(|height, due| {
                    let length = returns.iter().find(|(known, _)| known == height).map_or(0, |(_, length)| *length);
                    due.truncate(length);
                    length > 0
                });
            }
        }
    }

    /// What an account has staked with validators and guardians and not withdrawn, in wei, the transaction's changes included.
    pub(crate) fn staked_by(&mut self, source: &Address) -> Result<U256, StateError> {
        if self.staked.is_none() {
            self.load_candidates()?;
            self.load_guardians()?;
            let mut sums = Some(HashMap::new());
            let guardians = self.guardians.with_written().map(|guardian| &guardian.holder);
            for node in self.candidates.with_written().chain(guardians) {
                count_stakes(&mut sums, Some(node), Counted::Yes);
            }
            self.staked = sums;
        }
        Ok(self.staked.as_ref().and_then(|sums| sums.get(source)).copied().unwrap_or_default())
    }

    /// The pool of validator candidates in the parent's state; `None` if it has none.
    pub(crate) fn parent_validators(&mut self) -> Result<Option<Arc<ValidatorPool>>, StateError> {
        self.state.validators()
    }

    /// The pool of guardians in the parent's state; `None` if it has none.
    pub(crate) fn parent_guardians(&mut self) -> Result<Option<Arc<GuardianPool>>, StateError> {
        self.state.guardians()
    }

    /// The validator candidates.
    pub(crate) fn candidates(&mut self) -> Result<&Nodes<StakeHolder>, StateError> {
        Ok(self.load_candidates()?)
    }

    /// Writes a validator candidate; one without stakes is removed.
    pub(crate) fn set_candidate(&mut self, node: StakeHolder) -> Result<(), StateError> {
        self.load_candidates()?;
        count_stakes(&mut self.staked, self.candidates.get(&node.holder), Counted::No);
        count_stakes(&mut self.staked, Some(&node), Counted::Yes);
        self.candidates.set(node);
        Ok(())
    }

    fn load_candidates(&mut self) -> Result<&mut Nodes<StakeHolder>, StateError> {
        let (nodes, state) = (&mut self.candidates, &mut self.state);
        nodes.load(|| Ok(state.validators()?.map(|pool| pool.sorted_candidates.clone())))
    }

    /// True if the transaction being applied wrote the pool of validator candidates.
    pub(crate) fn tx_writes_validators(&self) -> bool {
        self.candidates.written().next().is_some()
    }

    /// Counts one transaction that changed validator stakes; the block's height is noted for each.
    pub(crate) fn note_stake_change(&mut self) {
        self.tx.stake_changes += 1;
    }

    /// Counts a slash transaction.
    pub(crate) fn note_slash(&mut self) {
        self.tx.slashes += 1;
    }

    /// Slash transactions kept so far.
    pub(crate) fn slashes(&self) -> usize {
        self.block.slashes
    }

    /// The guardians.
    pub(crate) fn guardians(&mut self) -> Result<&Nodes<Guardian>, StateError> {
        Ok(self.load_guardians()?)
    }

    /// Writes a guardian; one without stakes is removed.
    pub(crate) fn set_guardian(&mut self, node: Guardian) -> Result<(), StateError> {
        self.load_guardians()?;
        let before = self.guardians.get(&node.holder.holder).map(|node| &node.holder);
        count_stakes(&mut self.staked, before, Counted::No);
        count_stakes(&mut self.staked, Some(&node.holder), Counted::Yes);
        self.guardians.set(node);
        Ok(())
    }

    fn load_guardians(&mut self) -> Result<&mut Nodes<Guardian>, StateError> {
        let (nodes, state) = (&mut self.guardians, &mut self.state);
        nodes.load(|| Ok(state.guardians()?.map(|pool| pool.sorted_guardians.clone())))
    }

    /// Who votes with a BLS key, after the transactions kept so far.
    pub(crate) fn guardian_of_key(&mut self, key: &Bytes) -> Result<Option<Address>, StateError> {
        self.load_guardians()?;
        let index = || self.guardians.iter().map(|g| (g.bls_pubkey.clone(), g.holder.holder)).collect();
        Ok(self.guardian_keys.get_or_insert_with(index).get(key).copied())
    }

    /// Notes that a stake with an edge node returns when the parent has `height`, which is above this block's.
    pub(crate) fn note_edge_return(&mut self, height: Height, due: EdgeNodeReturn) {
        self.tx.edge_returns.entry(height).or_default().push(due);
    }

    /// Appends to the lists that grow by an entry a transaction, once a block.
    pub(super) fn write_stake_lists(&mut self) -> Result<(), StateError> {
        let changes = std::mem::take(&mut self.block.stake_changes);
        if changes > 0 {
            let mut list: StakeHeights = self.get(keys::STAKE_HEIGHTS)?.unwrap_or_default();
            list.heights.extend(std::iter::repeat_n(self.height(), changes));
            self.block.values.insert(keys::STAKE_HEIGHTS.to_vec(), Some(rlp::encode(&list).into()));
        }
        for (height, due) in std::mem::take(&mut self.block.edge_returns) {
            let key = keys::edge_node_returns(height);
            let mut list: Vec<EdgeNodeReturn> = self.get(&key)?.unwrap_or_default();
            list.extend(due);
            self.block.values.insert(key, Some(rlp::encode(&list).into()));
        }
        Ok(())
    }
}

/// Whether the stakes of a node are part of the sums from now on.
enum Counted {
    Yes,
    No,
}

/// Adds the active stakes of a node to the sums of their sources, or takes them out, so that a change costs what its node
/// costs. Sums that nobody has asked for are not made here.
fn count_stakes(sums: &mut Option<HashMap<Address, U256>>, node: Option<&StakeHolder>, counted: Counted) {
    let (Some(sums), Some(node)) = (sums, node) else { return };
    for stake in node.stakes.iter().filter(|stake| !stake.withdrawn) {
        let sum = sums.entry(stake.source).or_default();
        // Neither saturates: the supply is bounded far below 256 bits, and what is taken out was added.
        *sum = match counted {
            Counted::Yes => sum.saturating_add(stake.amount),
            Counted::No => sum.saturating_sub(stake.amount),
        };
    }
}
