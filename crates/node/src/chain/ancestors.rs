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
        // What is settled is on every branch that is executed.
        let settled =
            self.settled_at(height).map_err(|error| StateError::Ancestor { height, source: Box::new(error) })?;
        Ok(settled.map(|(hash, _)| hash))
    }
}
