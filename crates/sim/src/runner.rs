//! One seed from beginning to end.

use crate::agenda::Time;
use crate::invariants::Violation;
use crate::scenario::Scenario;
use crate::world::World;
use vigil_primitives::Hash;

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first broken promise.
    pub violation: Option<Violation>,
    /// Settled height of the slowest honest node.
    pub settled_min: u64,
    /// From GST to the first settlement, in ms.
    pub first_settlement_ms: Time,
    /// Longest time without settlement after GST, in ms.
    pub gap_max_ms: Time,
    /// Set changes that were settled.
    pub set_changes: u64,
    /// Most rotations that a transaction waited for (I18).
    pub rotations_max: u64,
    /// Rolled back journals that their nodes noticed.
    pub rollbacks_noticed: u64,
    /// Virtual time at the end, in ms.
    pub ended_at_ms: Time,
    /// Fingerprint of all that happened.
    pub trace: Hash,
}

/// Runs a seed until [`Scenario::tail`] after its last fault and at least [`Scenario::blocks_min`] settled blocks, or
/// until the first violation.
pub fn run_seed(scenario: &Scenario, seed: u64, log: bool) -> Outcome {
    let mut world = World::new(scenario, seed, log);
    let mut violation = None;
    while violation.is_none() && !world.is_over() {
        violation = world.step().err();
    }
    world.outcome(violation)
}

impl World {
    fn honest(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.plan.nodes).filter(|node| !self.plan.is_faulty(*node))
    }

    /// Settled height of the slowest honest node.
    pub fn settled_min(&self) -> u64 {
        self.honest().map(|node| self.checks.settled_height(node)).min().unwrap_or(0)
    }

    pub(crate) fn is_over(&self) -> bool {
        let tail_played = self.agenda.now() >= self.plan.last_fault + self.scenario.tail;
        tail_played && self.settled_min() >= self.scenario.blocks_min && !self.doomed
    }

    fn outcome(&self, violation: Option<Violation>) -> Outcome {
        Outcome {
            violation,
            settled_min: self.settled_min(),
            first_settlement_ms: self.checks.liveness.first_settlement(),
            gap_max_ms: self.checks.liveness.gap_max(),
            set_changes: self.checks.liveness.changes_settled(),
            rotations_max: self.checks.rotations_max(),
            rollbacks_noticed: self.checks.memory.noticed(),
            ended_at_ms: self.agenda.now(),
            trace: self.trace.finish(),
        }
    }
}
