//! A block was executed, or built.

use crate::machine::Machine;
use crate::{BlockFault, Executed, Penalty};
use vigil_primitives::Hash;

impl Machine {
    pub(crate) fn on_executed(&mut self, hash: Hash, outcome: Result<Executed, BlockFault>) {
        let Some(node) = self.tree.node(&hash).filter(|node| !node.valid) else { return };
        let (from, height) = (node.from, node.meta.height);
        match outcome {
            Ok(executed) => self.mark_executed(&hash, executed),
            Err(BlockFault::Body) => {
                self.tree.remove_leaf(&hash);
                self.penalize(from, Penalty::BadBlock);
                if self.certs.contains_key(&hash) {
                    self.want_certified(hash, height, None);
                }
            }
            Err(BlockFault::Stateless(_)) => {
                self.penalize(from, Penalty::BadBlock);
                self.drop_invalid(&hash);
            }
            Err(BlockFault::Invalid(_)) => self.drop_invalid(&hash),
        }
    }

    /// A valid block. One that changes the pool while a change is in flight is not (§1.12).
    pub(crate) fn mark_executed(&mut self, hash: &Hash, executed: Executed) {
        let Some(node) = self.tree.node(hash) else { return };
        if node.meta.pend.is_some() && executed.set_after.is_some() {
            return self.drop_invalid(hash);
        }
        self.tree.set_valid(hash, executed.set_after);
        if let Some(meta) = self.tree.valid(hash).cloned() {
            self.sets.add_successor(&meta);
        }
        self.unpark = true;
        self.refresh_high();
        self.recount(|vote| vote.source_hash == *hash);
    }

    fn drop_invalid(&mut self, hash: &Hash) {
        self.tree.remove_leaf(hash);
        self.reject(*hash);
        self.refresh_high();
    }
}
