//! How a run begins: who is what, who knows whom, what will happen to them.

use super::{Event, World};
use crate::agenda::{Agenda, Time};
use crate::guardians::graph::{is_connected, random_graph};
use crate::guardians::invariants::Checks;
use crate::guardians::liars::Attackers;
use crate::guardians::node::{Node, Role, address};
use crate::guardians::scenario::{self, Liars, Scenario, SignatureKind};
use crate::guardians::signatures::{Real, Signatures, Symbolic};
use crate::rng::{Rng, Stream};
use crate::trace::Trace;
use std::sync::Arc;
use vigil_primitives::{GuardianMember, GuardianSet};

impl World {
    pub(super) fn new(scenario: &Scenario, seed: u64) -> Self {
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
