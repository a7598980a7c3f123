//! I18: what was submitted to all mempools is settled within so many rotations.

use super::{Verdict, broken};
use crate::agenda::Time;
use crate::committee::Committee;
use crate::ledger::ToyTx;
use crate::plan::Plan;
use crate::scenario::Scenario;
use std::collections::{BTreeMap, HashSet};

/// k of I18: rotations in which a transaction must be settled, the one that it is submitted in not counted.
///
/// By I16 something settles within two rotations, and as much again is left for a block that an honest proposer filled.
/// Measured: a transaction saw the end of at most 3 rotations, the first of them a part of one, in 200 seeds each of five
/// kinds of network.
const ROTATIONS_MAX: u64 = 4;

/// A transaction that is not settled.
#[derive(Clone, Copy)]
struct Waiting {
    /// [`Inclusion::rotations`] when it came.
    rotations: u64,
    since: Time,
}

/// Transactions that wait, and turns that pass.
///
/// A rotation is over when every honest member of the committee has had an epoch of its own. Only those after the last
/// fault count. With unequal stakes a rotation outlasts many a run: so there is a limit in time besides.
#[derive(Clone)]
pub(super) struct Inclusion {
    last_fault: Time,
    patience: Time,
    faulty: Vec<usize>,
    had_turn: HashSet<usize>,
    rotations: u64,
    /// By number.
    waiting: BTreeMap<u32, Waiting>,
    settled: HashSet<u32>,
    longest: u64,
}

impl Inclusion {
    pub(super) fn new(scenario: &Scenario, plan: &Plan) -> Self {
        Self {
            last_fault: plan.last_fault,
            patience: 2 * scenario.stall_limit(),
            faulty: plan.faulty(),
            had_turn: HashSet::new(),
            rotations: 0,
            waiting: BTreeMap::new(),
            settled: HashSet::new(),
            longest: 0,
        }
    }

    /// A client gave a transaction to all mempools.
    pub(super) fn submitted(&mut self, now: Time, tx: ToyTx) {
        if !self.is_settled(tx) {
            self.waiting.insert(tx.number(), Waiting { rotations: self.rotations, since: now });
        }
    }

    /// It is in a settled block.
    pub(super) fn settled(&mut self, tx: ToyTx) {
        self.settled.insert(tx.number());
        if let Some(waiting) = self.waiting.remove(&tx.number()) {
            self.longest = self.longest.max(self.rotations - waiting.rotations);
        }
    }

    pub(super) fn is_settled(&self, tx: ToyTx) -> bool {
        self.settled.contains(&tx.number())
    }

    /// An epoch begins: it is the turn of `proposer`.
    pub(super) fn turn(&mut self, now: Time, proposer: Option<usize>, committee: &Committee) {
        if now < self.last_fault {
            return;
        }
        self.had_turn.extend(proposer);
        let mut honest = committee.members().iter().filter(|member| !self.faulty.contains(&member.node));
        if honest.all(|member| self.had_turn.contains(&member.node)) {
            self.rotations += 1;
            self.had_turn.clear();
        }
    }

    /// I18.
    pub(super) fn check(&self, now: Time) -> Verdict {
        let overdue = |waiting: &Waiting| {
            self.rotations > waiting.rotations + ROTATIONS_MAX + 1 // one of them may be a part of one
                || now > waiting.since.max(self.last_fault) + self.patience
        };
        match self.waiting.iter().find(|(_, waiting)| overdue(waiting)) {
            Some((number, waiting)) => broken("I18", || {
                let (came, rotations) = (waiting.since, self.rotations - waiting.rotations);
                format!("transaction {number} of {came} ms is not settled at {now} ms, {rotations} rotations later")
            }),
            None => Ok(()),
        }
    }

    /// Most rotations that a transaction saw the end of while it waited.
    pub(super) fn longest(&self) -> u64 {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four nodes without a liar, after the last fault, one transaction waiting.
    fn inclusion() -> (Inclusion, Committee, Time) {
        let scenario = Scenario { storm: false, ..Scenario::equal(4, 0) };
        let plan = Plan::draw(&scenario, 1);
        let mut inclusion = Inclusion::new(&scenario, &plan);
        inclusion.submitted(plan.last_fault, ToyTx::Payment(7));
        (inclusion, plan.committees[0].clone(), plan.last_fault)
    }

    #[test]
    fn rotations_are_counted_by_the_turns_of_all() {
        let (mut inclusion, committee, now) = inclusion();
        for rotation in 0..ROTATIONS_MAX + 2 {
            assert_eq!((inclusion.rotations, inclusion.check(now)), (rotation, Ok(())));
            // some have more turns than others, and some epochs are nobody's
            for proposer in [Some(0), Some(1), Some(0), None, Some(2), Some(3)] {
                inclusion.turn(now, proposer, &committee);
            }
        }
        assert!(inclusion.check(now).unwrap_err().detail.contains("transaction 7"));
        inclusion.settled(ToyTx::Payment(7));
        assert_eq!((inclusion.check(now), inclusion.longest()), (Ok(()), ROTATIONS_MAX + 2));
        inclusion.submitted(now, ToyTx::Payment(7));
        assert_eq!(inclusion.check(Time::MAX), Ok(()), "it is settled already");
    }

    #[test]
    fn without_rotations_time_runs_out() {
        let (inclusion, _, now) = inclusion();
        assert_eq!(inclusion.check(now + inclusion.patience), Ok(()));
        assert_eq!(inclusion.check(now + inclusion.patience + 1).unwrap_err().invariant, "I18");
    }
}
