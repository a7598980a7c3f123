//! The settings that all seeds of a command share.

use crate::agenda::Time;
use crate::liars::{Lies, Strategy};
use crate::network::Delays;
use vigil_consensus::Rules;

/// A kind of network and its adversary.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Stake of each validator of genesis.
    pub weights: Vec<u64>,
    /// How many of them lie.
    pub byzantine: usize,
    /// How many more have their signing journal rolled back now and then.
    pub forgetful: usize,
    /// Nodes that are no validators at genesis and may become such.
    pub spares: usize,
    /// Whether clients submit pool changes.
    pub set_changes: bool,
    /// Δ, in ms.
    pub delta: Time,
    /// Block interval I, in ms.
    pub interval: Time,
    /// Execution budget x, in ms: half for building, half for executing.
    pub execution: Time,
    /// Loss, partitions, late messages and crashes of honest nodes before GST; without it GST is 0.
    pub storm: bool,
    /// GST of a storm is at most this many Δ, and at least 5.
    pub gst_deltas_max: u64,
    /// Real bound of delays after GST over Δ: 1 keeps the promise.
    pub slowness: u64,
    /// How long after the last fault a run goes on at least, in ms.
    pub tail: Time,
    /// How many blocks every honest node settles at least before a run ends.
    pub blocks_min: u64,
    /// Longest time without settlement after GST, in Δ, before it is a violation.
    pub stall_deltas: u64,
    /// The rules of the honest.
    pub rules: Rules,
    /// How the adversary comes to what it does.
    pub strategy: Strategy,
    /// What the liars do in every epoch; `None`: drawn anew in each.
    pub lies: Option<Lies>,
    /// How the adversary delays in every epoch; `None`: drawn anew in each.
    pub delays: Option<Delays>,
    /// From this time after GST on, the liars are silent.
    pub hush_after: Option<Time>,
    /// A node does not care that it hears of more than its journal holds: a bug that the invariants must see.
    pub ignores_rollback: bool,
    /// Nobody includes the payment of this number: a bug that the invariants must see.
    pub omits: Option<u32>,
    /// The shell sends before it journals: a bug that the invariants must see.
    pub send_before_journal: bool,
}

impl Scenario {
    /// The mix that the specification asks for.
    pub fn mix(weights: Vec<u64>, byzantine: usize) -> Self {
        Self {
            weights,
            byzantine,
            forgetful: 0,
            spares: 0,
            set_changes: false,
            delta: 250,
            interval: 500,
            execution: 100,
            storm: true,
            gst_deltas_max: 105,
            slowness: 1,
            tail: 60_000,
            blocks_min: 20,
            stall_deltas: 120,
            rules: Rules::default(),
            strategy: Strategy::Mix,
            lies: None,
            delays: None,
            hush_after: None,
            ignores_rollback: false,
            omits: None,
            send_before_journal: false,
        }
    }

    /// `count` validators of equal stake.
    pub fn equal(count: usize, byzantine: usize) -> Self {
        Self::mix(vec![1; count], byzantine)
    }

    /// With `count` validators whose signing journal is rolled back now and then.
    pub fn with_rollbacks(self, count: usize) -> Self {
        Self { forgetful: count, ..self }
    }

    /// With validators that join, leave and change their stake.
    pub fn with_set_changes(self, spares: usize) -> Self {
        Self { spares, set_changes: true, ..self }
    }

    /// Under the greedy adversary, as in the table of §1.16: GST within 65 Δ, execution takes no time, and 100 Δ are played
    /// after the last fault.
    pub fn greedy(self) -> Self {
        Self { strategy: Strategy::Greedy, gst_deltas_max: 65, execution: 0, tail: 100 * self.delta, ..self }
    }

    /// Longest time without settlement after GST, in ms.
    pub fn stall_limit(&self) -> Time {
        self.stall_deltas * (self.delta + self.execution / 4)
    }
}
