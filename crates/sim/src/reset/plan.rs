//! What a seed stands for.

use super::scenario::{AGAIN, Operators, Scenario};
use crate::agenda::Time;
use crate::guardians::graph::{Graph, is_connected, random_graph};
use crate::rng::{Rng, Stream};

/// Everything that is decided before the first event.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Corrupt validators.
    pub traitors: Vec<bool>,
    /// Side of each validator in the split; that of a traitor means nothing.
    pub validator_side: Vec<usize>,
    /// Stakes of guardians.
    pub weights: Vec<u128>,
    /// Guardians that lie.
    pub liars: Vec<bool>,
    /// Side of each guardian.
    pub guardian_side: Vec<usize>,
    /// What the operators do: never [`Operators::Mix`].
    pub operators: Operators,
    /// When the operator of each finalizing node asks, counted from the first one's decision; `None`: never. Guardians
    /// first, then the nodes of honest validators.
    pub asks: Vec<Option<Time>>,
    /// Who knows whom, of the same.
    pub graph: Graph,
    /// When the committee splits.
    pub split_at: Time,
    /// From two conflicting checkpoints to the end of the split.
    pub heals_after: Time,
    /// From there to the operators' decision.
    pub decides_after: Time,
    /// Guardians crash around journal writes: of 100.
    pub crash_percent: u64,
}

impl Plan {
    /// Draws the plan of a seed.
    pub fn draw(scenario: &Scenario, seed: u64) -> Self {
        let mut rng = Rng::seeded(seed, Stream::Plan);
        let (traitors, validator_side) = committee(scenario, &mut rng);
        let followers = traitors.iter().filter(|traitor| !**traitor).count();
        let (weights, liars, guardian_side) = guardians(scenario, &mut rng);
        let operators = match scenario.operators {
            Operators::Mix => *rng.pick(&[Operators::All, Operators::Late, Operators::Late, Operators::Few]),
            fixed => fixed,
        };
        let mut asks = asks(operators, &weights, &liars, &mut rng);
        asks.extend((0..followers).map(|_| rng.percent(50).then(|| rng.between(0, AGAIN))));
        let nodes = scenario.guardians + followers;
        let is_honest = |node: usize| node >= scenario.guardians || !liars[node];
        let graph = loop {
            let graph = random_graph(nodes, scenario.degree, &mut rng);
            // Votes on a reset go through those that take part in it.
            let takes_part = |node: usize| is_honest(node) && asks[node].is_some_and(|at| at <= AGAIN);
            if is_connected(&graph, is_honest) && is_connected(&graph, takes_part) {
                break graph;
            }
        };
        Self {
            traitors,
            validator_side,
            weights,
            liars,
            guardian_side,
            operators,
            asks,
            graph,
            // In a quarter of the seeds before anything is final.
            split_at: if rng.percent(25) { 1 } else { rng.between(10_000, 20_000) },
            heals_after: rng.between(0, 10_000),
            decides_after: rng.between(3_000, 8_000),
            crash_percent: if rng.percent(50) { rng.between(5, 30) } else { 0 },
        }
    }

    /// Weight of guardians.
    pub fn total(&self) -> u128 {
        self.weights.iter().sum()
    }
}

fn committee(scenario: &Scenario, rng: &mut Rng) -> (Vec<bool>, Vec<usize>) {
    let mut order: Vec<usize> = (0..scenario.validators).collect();
    rng.shuffle(&mut order);
    let (mut traitors, mut sides) = (vec![false; scenario.validators], vec![0; scenario.validators]);
    for (i, validator) in order.into_iter().enumerate() {
        traitors[validator] = i < scenario.traitors();
        sides[validator] = i % 2;
    }
    (traitors, sides)
}

/// Stakes, liars and sides, so that the honest of a side and all liars are no quorum: nothing becomes final in the split.
fn guardians(scenario: &Scenario, rng: &mut Rng) -> (Vec<u128>, Vec<bool>, Vec<usize>) {
    let n = scenario.guardians;
    let mut wanted = (scenario.byzantine * n as f64).round() as usize;
    let weighted = rng.percent(50);
    loop {
        let weights: Vec<u128> = (0..n).map(|_| if weighted { u128::from(rng.between(1, 10)) } else { 1 }).collect();
        let mut order: Vec<usize> = (0..n).collect();
        rng.shuffle(&mut order);
        let mut liars = vec![false; n];
        order[..wanted].iter().for_each(|liar| liars[*liar] = true);
        let (mut sides, mut weight) = (vec![0; n], [0, 0]);
        order.sort_by_key(|guardian| std::cmp::Reverse(weights[*guardian]));
        for guardian in order.into_iter().filter(|guardian| !liars[*guardian]) {
            sides[guardian] = usize::from(weight[1] < weight[0]);
            weight[sides[guardian]] += weights[guardian];
        }
        let total: u128 = weights.iter().sum();
        let lying = total - weight[0] - weight[1];
        if 3 * lying < total && weight.iter().all(|side| 3 * (side + lying) <= 2 * total) {
            return (weights, liars, sides);
        }
        wanted = wanted.saturating_sub(usize::from(rng.percent(20)));
    }
}

fn asks(operators: Operators, weights: &[u128], liars: &[bool], rng: &mut Rng) -> Vec<Option<Time>> {
    let total: u128 = weights.iter().sum();
    let lying: u128 = weights.iter().zip(liars).filter(|(_, lies)| **lies).map(|(weight, _)| weight).sum();
    let mut asks: Vec<Option<Time>> = liars.iter().map(|lies| (!lies).then(|| rng.between(0, AGAIN))).collect();
    let mut asking = total - lying;
    let mut order: Vec<usize> = (0..weights.len()).filter(|guardian| !liars[*guardian]).collect();
    rng.shuffle(&mut order);
    for guardian in order {
        let left = asking - weights[guardian];
        match operators {
            Operators::Late if 3 * left > 2 * total => {
                asks[guardian] = rng.percent(50).then(|| rng.between(5_000, 20_000));
                asking = left;
            }
            Operators::Few if 3 * (asking + lying) > 2 * total => {
                asks[guardian] = None;
                asking = left;
            }
            _ => {}
        }
    }
    asks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_settle_and_neither_finalizes() {
        for (validators, traitors) in [(4, 2), (7, 3)] {
            let scenario = Scenario::new(validators);
            assert_eq!(scenario.traitors(), traitors);
            for seed in 0..200 {
                let plan = Plan::draw(&scenario, seed);
                let total = plan.total();
                let weigh = |of: &dyn Fn(usize) -> bool| -> u128 {
                    (0..20).filter(|guardian| of(*guardian)).map(|guardian| plan.weights[guardian]).sum()
                };
                let lying = weigh(&|guardian| plan.liars[guardian]);
                let asking = weigh(&|guardian| plan.asks[guardian].is_some_and(|at| at <= AGAIN));
                for side in 0..2 {
                    let honest = (0..validators).filter(|v| !plan.traitors[*v] && plan.validator_side[*v] == side);
                    assert!(3 * (honest.count() + traitors) > 2 * validators, "a side settles");
                    let honest = weigh(&|guardian| !plan.liars[guardian] && plan.guardian_side[guardian] == side);
                    assert!(3 * (honest + lying) <= 2 * total, "a side does not finalize");
                }
                match plan.operators {
                    Operators::Few => assert!(3 * (asking + lying) <= 2 * total),
                    _ => assert!(3 * asking > 2 * total),
                }
            }
        }
    }
}
