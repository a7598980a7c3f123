//! Hashes of blocks, for contracts that ask for them.

use super::Chain;
use vigil_ledger::{Ancestors, StateError};
use vigil_primitives::{Hash, Height};

impl Ancestors for Chain {
    fn hash_at(&self, parent: &Hash, height: Height) -> Result<Option<Hash>, StateError> {
        {
            let tip = self.tip();
            let above = tip.branch(parent);
            if let Some(block) = above.iter().find(|block| block.as_parent.height == height) {
                return Ok(Some(block.hash));
            }
        }
        self.settled_hash_at(height)
    }
}

impl Chain {
    /// Hash of the settled block at a height: it is on every branch that is executed.
    pub(crate) fn settled_hash_at(&self, height: Height) -> Result<Option<Hash>, StateError> {
        let settled = self.settled_at(height);
        let settled = settled.map_err(|error| StateError::Ancestor { height, source: Box::new(error) })?;
        Ok(settled.map(|(hash, _)| hash))
    }
}
