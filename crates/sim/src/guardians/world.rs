//! One run, event by event.

mod effects;
mod links;
mod setup;

use super::graph::Graph;
use super::invariants::Checks;
use super::liars::Attackers;
use super::node::{Node, Role, config};
use super::scenario::{self, INTERVAL, Scenario};
use super::signatures::Signatures;
use crate::agenda::Agenda;
use crate::invariants::Violation;
use crate::rng::Rng;
use crate::trace::Trace;
use serde::Serialize;
use std::sync::Arc;
use vigil_consensus::Peer;
use vigil_consensus::finality::{Input, SettledCheckpoint};
use vigil_primitives::{AggregatedVotes, GuardianSet, Hash, keccak256};

/// What came of a seed: the columns of the paper's tables.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// Checkpoints that every honest guardian knows to be final.
    pub finalized: u64,
    /// Rounds of the first checkpoint until every honest guardian held a quorum; 0: not all do.
    pub rounds: u32,
    /// Largest entry of a vector that an honest guardian sent.
    pub max_entry: u8,
    /// Bytes that an honest guardian sent, on average, a checkpoint.
    pub bytes_per_node: u64,
    /// Messages likewise.
    pub messages_per_node: u64,
    /// Votes that hold for nobody, as sent by liars.
    pub forged: u64,
    /// Guardians that were proven to have voted twice.
    pub accused: u64,
    /// Heights at which two blocks are final; only validators and guardians that are corrupt together bring that about.
    pub conflicts: u64,
    /// The first broken promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violation: Option<String>,
    /// Fingerprint of all that happened.
    pub trace: String,
}

pub(super) enum Event {
    /// A node settles checkpoint `number` (from 1 on).
    Settle {
        node: usize,
        number: u64,
    },
    Deliver {
        from: usize,
        to: usize,
        bytes: Arc<Vec<u8>>,
        link: (u32, u32),
    },
    Timer {
        node: usize,
        incarnation: u32,
    },
    Verified {
        node: usize,
        incarnation: u32,
        input: Box<Input>,
    },
    /// A liar's turn.
    Attack {
        node: usize,
    },
    Crash {
        node: usize,
    },
    Restart {
        node: usize,
    },
    /// A node loses its chain and syncs to the other one; its journal is kept.
    Resync {
        node: usize,
    },
    /// Links between the two sides go down, or come back.
    Partition {
        number: u64,
        heals: bool,
    },
}

/// A run.
pub struct World {
    pub(super) scenario: Scenario,
    pub(super) signatures: Arc<dyn Signatures>,
    pub(super) graph: Graph,
    pub(super) nodes: Vec<Node>,
    pub(super) set: Arc<GuardianSet>,
    pub(super) agenda: Agenda<Event>,
    pub(super) rng: Rng,
    pub(super) attackers: Attackers,
    pub(super) checks: Checks,
    /// Which side of the running partition each node is on.
    side: Option<Vec<bool>>,
    /// Guardians that see the other chain settled, if the validators are corrupt.
    pub(super) deceived: Vec<bool>,
    order: Vec<usize>,
    trace: Trace,
    bytes: u64,
    messages: u64,
}

/// Runs a seed to the end, or to the first broken promise.
pub fn run_seed(scenario: &Scenario, seed: u64) -> Run {
    let mut world = World::new(scenario, seed);
    let mut violation = None;
    while violation.is_none() {
        let Some(event) = world.agenda.pop() else { break };
        if world.agenda.now() > scenario::end(scenario) {
            break;
        }
        world.handle(event);
        violation = world.checks.violation.take();
    }
    let violation = violation.or_else(|| world.checks.at_the_end(&world));
    world.run(seed, violation)
}

impl World {
    fn handle(&mut self, event: Event) {
        match event {
            Event::Settle { node, number } => self.settle(node, number),
            Event::Deliver { from, to, bytes, link } => self.deliver(from, to, &bytes, link),
            Event::Timer { node, incarnation } => self.step_if(node, incarnation, Input::Timer),
            Event::Verified { node, incarnation, input } => self.step_if(node, incarnation, *input),
            Event::Attack { node } => self.attack(node),
            Event::Crash { node } => self.crash(node),
            Event::Restart { node } => {
                if self.nodes[node].machine.is_none() {
                    self.start(node);
                }
            }
            Event::Resync { node } => self.resync(node),
            Event::Partition { number, heals } => self.partition(number, heals),
        }
    }

    /// What a node sees settled as checkpoint `number`.
    fn settled_as(&self, node: usize, number: u64) -> SettledCheckpoint {
        let block_hash = block(number, self.deceived[node]);
        SettledCheckpoint { height: number * INTERVAL, block_hash, set: Arc::clone(&self.set) }
    }

    fn settle(&mut self, node: usize, number: u64) {
        let settled = self.settled_as(node, number);
        self.nodes[node].settled.push(settled.clone());
        self.step(node, Input::Settled(vec![settled]));
    }

    fn deliver(&mut self, from: usize, to: usize, bytes: &[u8], link: (u32, u32)) {
        let is_up = self.nodes[to].connected.contains(&from);
        if !is_up || link != (self.nodes[from].incarnation, self.nodes[to].incarnation) {
            return;
        }
        let decoded = AggregatedVotes::from_rlp(bytes);
        match (self.nodes[to].role, decoded) {
            (Role::Honest, Ok(votes)) => self.step(to, Input::Received { from: Peer(from as u64), votes }),
            (Role::Liar, Ok(votes)) => self.attackers.hear(to, votes),
            (_, Ok(_)) => {}
            (_, Err(_)) if self.nodes[from].role == Role::Honest => {
                self.checks.fail("wire", format!("an honest guardian sent {} bytes that are no votes", bytes.len()));
            }
            (_, Err(_)) => {}
        }
    }

    /// The honest.
    pub(super) fn honest(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.role == Role::Honest)
    }

    fn run(&self, seed: u64, violation: Option<Violation>) -> Run {
        let honest = self.honest().count() as u64;
        let lowest = self.honest().map(|node| node.finalized.as_ref().map_or(0, |cert| cert.checkpoint.height)).min();
        let rounds = self.honest().map(|node| node.quorum_round).max().flatten().unwrap_or(0);
        let all_hold = self.honest().all(|node| node.quorum_round.is_some());
        let per_node = |count: u64| count / (honest * self.scenario.checkpoints).max(1);
        Run {
            seed,
            finalized: lowest.unwrap_or(0) / INTERVAL,
            rounds: if all_hold { rounds } else { 0 },
            max_entry: self.checks.max_entry,
            bytes_per_node: per_node(self.bytes),
            messages_per_node: per_node(self.messages),
            forged: self.attackers.forged,
            accused: self.checks.accused.len() as u64,
            conflicts: self.checks.conflicts() as u64,
            violation: violation.map(|violation| violation.to_string()),
            trace: self.trace.finish().to_string(),
        }
    }
}

/// The block of a checkpoint, on the chain or on the other one.
pub(super) fn block(number: u64, other: bool) -> Hash {
    keccak256([number, u64::from(other)].map(u64::to_be_bytes).concat())
}

/// What every signature covers.
pub(super) fn domain() -> vigil_primitives::SignDomain {
    config().domain
}
