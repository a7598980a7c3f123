//! What a seed stands for: who lies, who joins and leaves, when the storm ends, who crashes when.

mod crashes;

pub use crashes::{Crash, CrashPoint, Disk};

use crate::agenda::Time;
use crate::committee::{Committee, Member};
use crate::keys::address_of;
use crate::ledger::ToyTx;
use crate::network::{Partition, Weather};
use crate::rng::{Rng, Stream};
use crate::scenario::Scenario;
use crashes::{bound_losses, early_crashes, late_crashes, rollbacks};

/// Everything that is decided before the first event.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Nodes, members or not.
    pub nodes: usize,
    /// Those whose keys the adversary has.
    pub liars: Vec<usize>,
    /// Those whose signing journal is rolled back: they count among the faulty, and follow the rules as they know them.
    pub forgetful: Vec<usize>,
    /// Committees that changes may install; the first is that of genesis.
    pub committees: Vec<Committee>,
    /// Unix clock of each node minus the true one, in ms.
    pub clock_offsets: Vec<i64>,
    /// Storm.
    pub weather: Weather,
    /// Crashes before the last fault.
    pub crashes: Vec<Crash>,
    /// End of all faults that are not lies.
    pub last_fault: Time,
    /// What clients submit to every mempool, when.
    pub txs: Vec<(Time, ToyTx)>,
}

impl Plan {
    /// Draws the plan of a seed.
    pub fn draw(scenario: &Scenario, seed: u64) -> Self {
        let mut rng = Rng::seeded(seed, Stream::Plan);
        let delta = scenario.delta;
        let nodes = scenario.weights.len() + scenario.spares;
        let base = committee(seed, scenario.weights.iter().copied().enumerate());
        let liars = draw_liars(scenario, &base, &mut rng);
        let gst = if scenario.storm { rng.between(5, scenario.gst_deltas_max) * delta } else { 0 };
        let mut weather = Weather {
            gst,
            loss_percent: if rng.percent(40) { rng.between(0, 10) } else { rng.between(0, 90) },
            delay_deltas: rng.between(1, 6),
            duplicate_percent: rng.between(0, 10),
            partitions: Vec::new(),
        };
        if scenario.storm && rng.percent(70) {
            weather.partitions = draw_partitions(nodes, gst, delta, &mut rng);
        }
        let mut crashes = if scenario.storm { early_crashes(nodes, &liars, gst, delta, &mut rng) } else { Vec::new() };
        let committees = draw_committees(scenario, seed, &base, &liars, &mut rng);
        let forgetful = draw_forgetful(scenario, &base, &liars, &mut rng);
        let faulty = [liars.as_slice(), &forgetful].concat();
        let mut late = late_crashes(scenario, &committees, &faulty, gst, &mut rng);
        late.extend(forgetful.iter().flat_map(|node| rollbacks(*node, gst, delta, &mut rng)));
        let last_fault = late.iter().map(|crash| crash.at + crash.down_for + 2 * delta).max().unwrap_or(gst);
        crashes.extend(late);
        bound_losses(&mut crashes, &committees, &faulty);
        let clock_offsets = (0..nodes).map(|_| rng.between(0, 6_000) as i64 - 3_000).collect();
        let txs = draw_txs(scenario, committees.len(), last_fault, &mut rng);
        Self { nodes, liars, forgetful, committees, clock_offsets, weather, crashes, last_fault, txs }
    }

    /// True if the adversary has the key of the node.
    pub fn lies(&self, node: usize) -> bool {
        self.liars.contains(&node)
    }

    /// True if the node's journal is rolled back some time.
    pub fn forgets(&self, node: usize) -> bool {
        self.forgetful.contains(&node)
    }

    /// True if nothing is promised of the node: it lies or forgets.
    pub fn is_faulty(&self, node: usize) -> bool {
        self.lies(node) || self.forgets(node)
    }

    /// All of whom nothing is promised.
    pub fn faulty(&self) -> Vec<usize> {
        (0..self.nodes).filter(|node| self.is_faulty(*node)).collect()
    }
}

fn committee(seed: u64, weights: impl Iterator<Item = (usize, u64)>) -> Committee {
    Committee::new(weights.map(|(node, weight)| Member { node, address: address_of(seed, node), weight }).collect())
}

/// As many liars as asked for, of less than a third of the weight.
fn draw_liars(scenario: &Scenario, base: &Committee, rng: &mut Rng) -> Vec<usize> {
    let mut nodes: Vec<usize> = (0..scenario.weights.len()).collect();
    loop {
        rng.shuffle(&mut nodes);
        let mut liars = nodes[..scenario.byzantine].to_vec();
        if base.tolerates(&liars) {
            liars.sort_unstable();
            return liars;
        }
    }
}

/// As many as asked for who may forget, so that they and the liars have less than a third of the weight.
fn draw_forgetful(scenario: &Scenario, base: &Committee, liars: &[usize], rng: &mut Rng) -> Vec<usize> {
    let mut nodes: Vec<usize> = (0..scenario.weights.len()).filter(|node| !liars.contains(node)).collect();
    rng.shuffle(&mut nodes);
    let mut faulty = liars.to_vec();
    for node in nodes {
        let more = [faulty.as_slice(), &[node]].concat();
        if faulty.len() < liars.len() + scenario.forgetful && base.tolerates(&more) {
            faulty = more;
        }
    }
    faulty.split_off(liars.len())
}

/// Three-way partitions, redrawn from time to time.
fn draw_partitions(nodes: usize, gst: Time, delta: Time, rng: &mut Rng) -> Vec<Partition> {
    let mut partitions = Vec::new();
    let mut from = rng.between(0, 10 * delta);
    while from < gst {
        let until = (from + rng.between(2 * delta, 25 * delta)).min(gst);
        let ways = rng.between(2, 3) as usize;
        partitions.push(Partition { from, until, groups: (0..nodes).map(|_| rng.below(ways) as u8).collect() });
        from = until + rng.between(0, 8 * delta);
    }
    partitions
}

/// Committees with members swapped for spares and stakes changed, each with less than a third of liars.
fn draw_committees(s: &Scenario, seed: u64, base: &Committee, liars: &[usize], rng: &mut Rng) -> Vec<Committee> {
    let mut committees = vec![base.clone()];
    if !s.set_changes {
        return committees;
    }
    let nodes = s.weights.len() + s.spares;
    while committees.len() < 6 {
        let mut order: Vec<usize> = (0..nodes).collect();
        rng.shuffle(&mut order);
        let size = rng.between(s.weights.len() as u64, nodes as u64) as usize;
        let weight = |rng: &mut Rng, node: usize| {
            let own = s.weights.get(node).copied().unwrap_or(s.weights[0]);
            if rng.percent(70) { own } else { rng.between(1, 2 * own) }
        };
        let next = committee(seed, order[..size].iter().map(|node| (*node, weight(rng, *node))));
        if next.tolerates(liars) && committees.last() != Some(&next) {
            committees.push(next);
        }
    }
    committees
}

/// Payments all the time; in runs with set changes, a change now and then.
fn draw_txs(scenario: &Scenario, committees: usize, last_fault: Time, rng: &mut Rng) -> Vec<(Time, ToyTx)> {
    let end = last_fault + scenario.tail / 2;
    let every = scenario.delta * if scenario.set_changes { rng.between(10, 40) } else { 1 };
    let mut txs = Vec::new();
    let (mut number, mut at, mut change_at) = (0, 0, every);
    while at < end {
        txs.push((at, ToyTx::Payment(number)));
        number += 1;
        at += rng.between(1, 16 * scenario.delta);
        if committees > 1 && at >= change_at {
            txs.push((at, ToyTx::Change(number, rng.below(committees) as u8)));
            number += 1;
            change_at = at + every;
        }
    }
    txs
}
