//! What machines say of themselves: after every input, and now and then.

use super::World;
use crate::agenda::Time;
use crate::invariants::Verdict;
use vigil_primitives::{Epoch, Hash};

impl World {
    /// What a machine says of itself, after every input.
    pub(super) fn look_at(&mut self, node: usize) -> Verdict {
        let now = self.agenda.now();
        if self.plan.is_faulty(node) {
            return Ok(());
        }
        let Some(machine) = self.shells[node].machine() else { return Ok(()) };
        let view = machine.view();
        // a follower enters epochs like the others, but only members pass certificates on
        let member = machine.validators().contains(&self.adversary.address(node));
        if self.checks.liveness.epoch(now, node, view.epoch, machine.set_key().index, member)
            && self.scenario.set_changes
        {
            self.excuse_ignorant(&view.high_cert.2, view.epoch);
        }
        let Some(machine) = self.shells[node].machine() else { return Ok(()) };
        self.checks.view(node, &view)?;
        if view.epoch > self.frontier {
            self.note(|| format!("{node} is first, set {}", machine.set_key().index));
            self.frontier = view.epoch;
        }
        Ok(())
    }

    /// Committees follow from blocks: who lacks the one that the newest certificate builds on cannot judge it at once.
    /// That is the HCC of the block whose certificate led to the epoch, or `high` if `EpochChange`s did.
    fn excuse_ignorant(&mut self, high: &Hash, epoch: Epoch) {
        let lineage = &self.checks.lineage;
        let leading = self.adversary.certified_in(epoch.saturating_sub(1), lineage);
        let needed = leading.and_then(|block| lineage.get(&block)).map_or(*high, |kin| kin.block.header.hcc.block_hash);
        for node in (0..self.plan.nodes).filter(|node| !self.shells[*node].has_executed(&needed)) {
            self.checks.liveness.excuse(node);
        }
    }

    pub(super) fn probe(&mut self, now: Time) -> Verdict {
        self.checks.probe(now)?;
        for node in (0..self.plan.nodes).filter(|node| !self.plan.lies(*node)) {
            if let Some(machine) = self.shells[node].machine() {
                self.checks.buffers(node, &machine.view().buffered)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn every_buffer_that_is_bounded_is_used() {
        let mut most = [0; 6];
        for seed in 0..4 {
            let mut world = World::new(&Scenario::equal(4, 1), seed, false);
            for _step in 0..6_000 {
                world.step().expect("the rules as written");
                let machines = world.shells.iter().filter_map(|shell| shell.machine());
                for held in machines.map(|machine| machine.view().buffered) {
                    let held = [held.blocks, held.parked, held.votes, held.ecs, held.certs, held.fetching];
                    most.iter_mut().zip(held).for_each(|(most, held)| *most = held.max(*most));
                }
            }
        }
        assert!(most.iter().all(|most| *most > 0), "{most:?}");
    }
}
