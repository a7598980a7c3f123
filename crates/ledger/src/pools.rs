//! The stake pools while a block changes them: node by node, so that a transaction costs what its node costs.

use crate::error::StateError;
use std::collections::BTreeMap;
use vigil_primitives::{Address, Guardian, StakeHolder};

/// An entry of a pool.
pub(crate) trait Node: Clone {
    /// The node and its stakes.
    fn holder(&self) -> &StakeHolder;
}

impl Node for StakeHolder {
    fn holder(&self) -> &StakeHolder {
        self
    }
}

impl Node for Guardian {
    fn holder(&self) -> &StakeHolder {
        &self.holder
    }
}

/// The nodes of a pool by address: those of the block, and the transaction's changes apart.
pub(crate) struct Nodes<N> {
    /// `None` until a transaction looks at one; the state's pool holds until then.
    block: Option<BTreeMap<Address, N>>,
    tx: BTreeMap<Address, N>,
    changed: bool,
}

impl<N> Default for Nodes<N> {
    fn default() -> Self {
        Self { block: None, tx: BTreeMap::new(), changed: false }
    }
}

impl<N: Node> Nodes<N> {
    /// Takes over the nodes of the state's pool, the first time.
    pub(crate) fn load(
        &mut self,
        pool: impl FnOnce() -> Result<Option<Vec<N>>, StateError>,
    ) -> Result<&mut Self, StateError> {
        if self.block.is_none() {
            let nodes = pool()?.unwrap_or_default();
            self.block = Some(nodes.into_iter().map(|node| (node.holder().holder, node)).collect());
        }
        Ok(self)
    }

    /// The node at an address.
    pub(crate) fn get(&self, address: &Address) -> Option<&N> {
        self.tx.get(address).or_else(|| self.block.as_ref()?.get(address))
    }

    /// Every node that the block has, by address ascending; without the transaction's changes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &N> {
        self.block.iter().flat_map(BTreeMap::values)
    }

    /// Writes a node; one without stakes leaves the pool.
    pub(crate) fn set(&mut self, node: N) {
        self.tx.insert(node.holder().holder, node);
    }

    /// What the transaction wrote.
    pub(crate) fn written(&self) -> impl Iterator<Item = &N> {
        self.tx.values()
    }

    /// What the transaction wrote of a node.
    pub(crate) fn written_of(&self, address: &Address) -> Option<&N> {
        self.tx.get(address)
    }

    /// Makes the transaction's changes part of the block.
    pub(crate) fn keep(&mut self) {
        // What was never looked at stays unread: nothing was written then.
        let Some(block) = &mut self.block else { return };
        self.changed |= !self.tx.is_empty();
        for (address, node) in std::mem::take(&mut self.tx) {
            if node.holder().stakes.is_empty() {
                block.remove(&address)
            } else {
                block.insert(address, node)
            };
        }
    }

    /// Forgets the transaction's changes. True if there were any.
    pub(crate) fn discard(&mut self) -> bool {
        let any = !self.tx.is_empty();
        self.tx.clear();
        any
    }

    /// Every node, with the transaction's changes.
    pub(crate) fn with_written(&self) -> impl Iterator<Item = &N> {
        self.iter().filter(|node| !self.tx.contains_key(&node.holder().holder)).chain(self.tx.values())
    }

    /// Puts back what the transaction had written of a node.
    pub(crate) fn restore(&mut self, address: Address, written: Option<N>) {
        match written {
            Some(node) => self.tx.insert(address, node),
            None => self.tx.remove(&address),
        };
    }

    /// The nodes if the block changed them since the last call, by address ascending.
    pub(crate) fn take_changed(&mut self) -> Option<Vec<N>> {
        std::mem::take(&mut self.changed).then(|| self.iter().cloned().collect())
    }
}
