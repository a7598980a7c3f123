//! One run, event by event.

use super::graph::{Graph, is_connected, random_graph};
use super::invariants::Checks;
use super::liars::Attackers;
use super::node::{Node, Role, address, config};
use super::scenario::{self, DELAY, INTERVAL, Liars, Scenario, SignatureKind};
use super::signatures::{Real, Signatures, Symbolic};
use crate::agenda::{Agenda, Time};
use crate::invariants::Violation;
use crate::rng::{Rng, Stream};
use crate::trace::Trace;
use serde::Serialize;
use std::sync::Arc;
use vigil_consensus::Peer;
use vigil_consensus::finality::{Effect, Input, SettledCheckpoint};
use vigil_primitives::{AggregatedVotes, GuardianMember, GuardianSet, Hash, keccak256, rlp};

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
    fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut plan = Rng::seeded(seed, Stream::Plan);
        let n = scenario.nodes;
        let signatures: Arc<dyn Signatures> = match scenario.signatures {
            SignatureKind::Symbolic => Arc::new(Symbolic::new(n, seed)),
            SignatureKind::Real(scheme) => Arc::new(Real::new(scheme, n, seed)),
        };
        let weights: Vec<u128> =
            (0..n).map(|_| if scenario.weighted { u128::from(plan.between(1, 10)) } else { 1 }).collect();
        let member = |i: usize| GuardianMember { address: address(i), key: signatures.key(i), weight: weights[i] };
        let set = Arc::new(GuardianSet::new((0..n).map(member).collect()));
        let roles = roles(scenario, &weights, &mut plan);
        // The promises are to honest guardians that can reach each other.
        let graph = loop {
            let graph = random_graph(n, scenario.degree, &mut plan);
            if is_connected(&graph, |node| roles[node] == Role::Honest) {
                break graph;
            }
        };
        let deceived = (0..n).map(|_| scenario.corrupt && plan.percent(50)).collect();
        let nodes = roles.iter().map(|role| Node::new(*role)).collect();
        let mut world = Self {
            attackers: Attackers::new(seed, signatures.as_ref()),
            checks: Checks::new(scenario, weights),
            rng: Rng::seeded(seed, Stream::Network),
            order: (0..n).collect(),
            scenario: scenario.clone(),
            side: None,
            agenda: Agenda::default(),
            trace: Trace::default(),
            bytes: 0,
            messages: 0,
            signatures,
            graph,
            nodes,
            set,
            deceived,
        };
        world.begin(&mut plan);
        world
    }

    fn begin(&mut self, plan: &mut Rng) {
        for node in 0..self.nodes.len() {
            if self.nodes[node].role == Role::Honest {
                self.start(node);
            } else {
                let neighbours = self.graph[node].iter().copied().collect();
                self.nodes[node].connected = neighbours;
            }
        }
        let period = scenario::checkpoint_time(&self.scenario);
        for number in 1..=self.scenario.checkpoints {
            for node in 0..self.nodes.len() {
                let at = period * (number - 1) + plan.between(0, scenario::SKEW);
                self.agenda.at(at, Event::Settle { node, number });
            }
            for round in 0..u64::from(self.scenario.rounds_max()) {
                for node in (0..self.nodes.len()).filter(|node| self.nodes[*node].role == Role::Liar) {
                    let at = period * (number - 1) + round * scenario::ROUND + plan.between(0, scenario::ROUND);
                    self.agenda.at(at, Event::Attack { node });
                }
            }
        }
        if self.scenario.faults {
            self.plan_faults(plan, period);
        }
        if self.scenario.corrupt {
            for node in 0..self.nodes.len() {
                if plan.percent(20) {
                    self.agenda.at(plan.between(0, period * self.scenario.checkpoints), Event::Resync { node });
                }
            }
        }
    }

    /// Faults end two checkpoints before the last.
    fn plan_faults(&mut self, plan: &mut Rng, period: Time) {
        for number in 1..self.scenario.checkpoints.saturating_sub(1) {
            let start = period * (number - 1);
            for node in 0..self.nodes.len() {
                if self.nodes[node].role == Role::Honest && plan.percent(25) {
                    let crash = start + plan.between(0, period / 2);
                    self.agenda.at(crash, Event::Crash { node });
                    self.agenda.at(crash + plan.between(1, period), Event::Restart { node });
                }
            }
            if plan.percent(50) {
                let from = start + plan.between(0, 2 * scenario::ROUND);
                self.agenda.at(from, Event::Partition { number, heals: false });
                self.agenda.at(from + plan.between(period / 2, period), Event::Partition { number, heals: true });
            }
        }
    }

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

    fn start(&mut self, node: usize) {
        let signatures = Arc::clone(&self.signatures);
        self.nodes[node].start(node, &signatures);
        self.step(node, Input::Start);
        for other in self.graph[node].clone() {
            self.connect(node, other);
        }
    }

    /// A connection comes up if both ends run and no partition is between them.
    fn connect(&mut self, a: usize, b: usize) {
        let runs = |node: usize| self.nodes[node].role != Role::Honest || self.nodes[node].machine.is_some();
        let apart = self.side.as_ref().is_some_and(|side| side[a] != side[b]);
        if !runs(a) || !runs(b) || apart || !self.nodes[a].connected.insert(b) {
            return;
        }
        self.nodes[b].connected.insert(a);
        self.step(a, Input::Connected(Peer(b as u64)));
        self.step(b, Input::Connected(Peer(a as u64)));
    }

    fn disconnect(&mut self, a: usize, b: usize) {
        if self.nodes[a].connected.remove(&b) {
            self.nodes[b].connected.remove(&a);
            self.step(a, Input::Disconnected(Peer(b as u64)));
            self.step(b, Input::Disconnected(Peer(a as u64)));
        }
    }

    fn crash(&mut self, node: usize) {
        if self.nodes[node].machine.take().is_some() {
            for other in self.graph[node].clone() {
                self.disconnect(node, other);
            }
        }
    }

    fn resync(&mut self, node: usize) {
        if self.nodes[node].role != Role::Honest {
            return;
        }
        self.crash(node);
        self.deceived[node] = !self.deceived[node];
        let heights = 1..=self.nodes[node].settled.len() as u64;
        let settled = heights.map(|number| self.settled_as(node, number)).collect();
        self.nodes[node].finalized = None;
        self.nodes[node].settled = settled;
        self.start(node);
    }

    /// Half of the nodes are cut off from the other half.
    fn partition(&mut self, number: u64, heals: bool) {
        let sides = (0..self.nodes.len())
            .map(|node| keccak256([node.to_be_bytes(), number.to_be_bytes()].concat())[0] & 1 == 1);
        self.side = (!heals).then(|| sides.collect());
        for a in 0..self.nodes.len() {
            for b in self.graph[a].clone() {
                match &self.side {
                    Some(side) if side[a] != side[b] => self.disconnect(a, b),
                    _ => self.connect(a, b),
                }
            }
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

    fn step_if(&mut self, node: usize, incarnation: u32, input: Input) {
        if self.nodes[node].incarnation == incarnation {
            self.step(node, input);
        }
    }

    fn step(&mut self, node: usize, input: Input) {
        let now = self.agenda.now();
        let Some(machine) = &mut self.nodes[node].machine else { return };
        let before = machine.view();
        let mut effects = Vec::new();
        machine.step(now, input, &mut effects);
        let after = machine.view();
        self.trace.fold(&[now, node as u64, effects.len() as u64, after.weight as u64]);
        self.checks.after_step(node, &before, &after);
        for effect in effects {
            self.perform(node, before.round, effect);
        }
    }

    fn perform(&mut self, node: usize, round: u32, effect: Effect) {
        self.checks.before_effect(&self.nodes, node, &effect);
        let incarnation = self.nodes[node].incarnation;
        match effect {
            Effect::Journal(record) => self.nodes[node].journal.push(record),
            Effect::Send { to, votes } => {
                let bytes = Arc::new(rlp::encode(votes.as_ref()));
                self.bytes += bytes.len() as u64;
                self.messages += 1;
                self.send(node, to.0 as usize, bytes);
            }
            Effect::Verify(job) => {
                let merged = self.signatures.merge(&job, &self.order);
                let input = Box::new(Input::Verified { id: job.id, merged });
                self.agenda.at(self.agenda.now() + scenario::VERIFY, Event::Verified { node, incarnation, input });
            }
            Effect::SetTimer(at) => self.agenda.at(at, Event::Timer { node, incarnation }),
            Effect::Finalized(cert) => {
                if cert.checkpoint.height == INTERVAL {
                    self.nodes[node].quorum_round.get_or_insert(round + 1);
                }
                self.nodes[node].finalized = Some(cert);
            }
            Effect::DoubleVote(_) | Effect::Penalize { .. } | Effect::Abstain { .. } => {}
        }
    }

    /// Puts a message on its way.
    pub(super) fn send(&mut self, from: usize, to: usize, bytes: Arc<Vec<u8>>) {
        let delay = self.rng.between(DELAY / 5, DELAY);
        let link = (self.nodes[from].incarnation, self.nodes[to].incarnation);
        self.agenda.at(self.agenda.now() + delay, Event::Deliver { from, to, bytes, link });
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

/// Liars as many as asked for while they weigh less than a third; in a corrupt run they are more than two fifths.
fn roles(scenario: &Scenario, weights: &[u128], plan: &mut Rng) -> Vec<Role> {
    let n = weights.len();
    let total: u128 = weights.iter().sum();
    let mut order: Vec<usize> = (0..n).collect();
    plan.shuffle(&mut order);
    let wanted = (scenario.byzantine * n as f64).round() as usize;
    let mut roles = vec![Role::Honest; n];
    let (mut weight, mut count) = (0, 0);
    for node in order {
        let enough = if scenario.corrupt { 5 * weight > 2 * total } else { count >= wanted };
        if enough || (!scenario.corrupt && 3 * (weight + weights[node]) >= total) {
            continue;
        }
        weight += weights[node];
        roles[node] = match scenario.liars {
            Liars::Silent => Role::Silent,
            Liars::Paper if count % 2 == 0 => Role::Silent,
            Liars::Paper | Liars::Attack => Role::Liar,
        };
        count += 1;
    }
    roles
}

/// What every signature covers.
pub(super) fn domain() -> vigil_primitives::SignDomain {
    config().domain
}
