//! An epoch begins: what the liars and the links do in it is drawn, or chosen by looking ahead.

use super::World;
use crate::agenda::Time;
use crate::liars::Strategy;
use crate::rng::Rng;

/// How many strategies the greedy adversary plays forward at each epoch (`spec/consensus.md` §1.16).
const CANDIDATES: usize = 14;
/// How far it looks ahead, in Δ after the later of the present and GST.
const HORIZON_DELTAS: Time = 60;

/// What comes of a candidate; the later ones are worse for the honest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Future {
    /// Nothing settles before this time.
    Settles(Time),
    /// A promise is broken.
    Breaks,
}

impl World {
    /// The first honest node is in a new epoch.
    ///
    /// If a candidate breaks a promise, all later epochs are drawn from its chance, as they were on the copy: then the run
    /// itself breaks the promise, and its trace and log show how.
    pub(super) fn begin_epoch(&mut self) {
        if self.scenario.strategy == Strategy::Greedy && !self.doomed {
            self.doomed = self.choose() == Future::Breaks;
        }
        self.draw_epoch();
    }

    /// The adversary draws what it does, for the liars and the links.
    fn draw_epoch(&mut self) {
        let (now, epoch) = (self.agenda.now(), self.frontier);
        let weather = self.adversary.epoch_begins(now, epoch, &self.mempool, &mut self.checks.lineage);
        self.checks.turn(now, weather.proposer, &weather.committee);
        self.network.retune(weather.delays, &weather.slow, weather.proposer, weather.next);
        self.note(|| format!("epoch {epoch} begins: turn of {:?}, {:?}", weather.proposer, self.adversary.lies()));
        self.enter_shots(weather.shots);
    }

    /// Plays candidates forward and takes the first of the worst. A candidate is a stream of chance that all lies are
    /// drawn from; one of them is the stream that was taken last time, so that what was foreseen is never given away.
    fn choose(&mut self) -> Future {
        let mut worst = self.foresee(self.adversary.chance().clone());
        for _ in 1..CANDIDATES {
            let chance = self.dice.split();
            let future = self.foresee(chance.clone());
            if future > worst {
                worst = future;
                self.adversary.take_chance(chance);
            }
        }
        self.note(|| format!("the adversary foresees: {worst:?}"));
        worst
    }

    /// Plays a copy, whose adversary lives by `chance`, until something settles after GST. The copy's links draw the same
    /// delays as the real ones will: they are the adversary's choice, so it may know them.
    fn foresee(&self, chance: Rng) -> Future {
        let mut copy = self.clone();
        copy.scenario.strategy = Strategy::Mix;
        copy.log = false;
        copy.adversary.take_chance(chance);
        copy.draw_epoch();
        let from = self.agenda.now().max(self.plan.weather.gst);
        let end = from + HORIZON_DELTAS * self.scenario.delta;
        while copy.agenda.now() < end {
            let (top, _) = copy.checks.highest_settled();
            if copy.step().is_err() {
                return Future::Breaks;
            }
            if copy.agenda.now() >= from && copy.checks.highest_settled().0 > top {
                break;
            }
        }
        Future::Settles(copy.agenda.now().min(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::Verdict;
    use crate::scenario::Scenario;
    use crate::variants;

    fn world(scenario: &Scenario, seed: u64, steps: usize) -> World {
        let mut world = World::new(scenario, seed, false);
        live(&mut world, steps);
        world
    }

    fn live(world: &mut World, steps: usize) {
        for _step in 0..steps {
            world.step().expect("the rules as written");
        }
    }

    #[test]
    fn a_copy_lives_the_same_life_and_leaves_the_original_alone() {
        for scenario in [Scenario::equal(4, 1), Scenario::equal(7, 2).with_set_changes(2)] {
            let mut alone = world(&scenario, 3, 1_000);
            let mut copied = alone.clone();
            for _copy in 0..20 {
                live(&mut copied.clone(), 500);
                live(&mut copied, 100);
            }
            live(&mut alone, 2_000);
            assert_eq!(alone.trace, copied.trace);
        }
    }

    #[test]
    fn what_was_foreseen_is_the_least_that_comes() {
        let scenario = Scenario { storm: false, ..Scenario::equal(4, 1).greedy() };
        for seed in 0..5 {
            let mut world = world(&scenario, seed, 500);
            let (foreseen, (top, _)) = (world.choose(), world.checks.highest_settled());
            world.draw_epoch();
            while world.checks.highest_settled().0 == top {
                live(&mut world, 1);
            }
            assert!(Future::Settles(world.agenda.now()) >= foreseen, "seed {seed}: {foreseen:?}");
        }
    }

    #[test]
    fn a_candidate_that_breaks_a_promise_is_played_until_the_run_breaks_it() {
        let rules = variants::find("no-height-rule").unwrap();
        let scenario = Scenario { rules, tail: 0, blocks_min: 0, ..Scenario::equal(4, 1).greedy() };
        let mut world = World::new(&scenario, 0, false);
        let verdict = (0..1_000_000).map(|_| world.step()).find(Verdict::is_err).expect("votes go back in height");
        assert_eq!(verdict.unwrap_err().invariant, "I5");
        assert!(world.doomed && !world.is_over(), "it was foreseen, and the run may not end before");
    }
}
