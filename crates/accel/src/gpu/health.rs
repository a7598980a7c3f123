//! Whether a card is to be trusted with work.

use super::card::Fault;
use crate::engine::metrics::record_card;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a card that lied is left alone; twice as long after each further time.
const FIRST_REST: Duration = Duration::from_secs(60);
/// At most.
const LONGEST_REST: Duration = Duration::from_secs(3_600);
/// How long a test may take before another is made.
const TEST: Duration = Duration::from_secs(300);
/// After so long without a fault, those before do not count.
const FORGIVEN: Duration = Duration::from_secs(24 * 3_600);

/// A card's standing.
#[derive(Debug)]
pub(crate) struct Health {
    label: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// All of them, and those that count.
    faults: u32,
    lately: u32,
    last: Option<Instant>,
    last_late: Option<Instant>,
    /// The test that is made now.
    test: Option<Test>,
    tests: u64,
    rest: Option<Rest>,
    why: Option<Fault>,
}

/// A test, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Test(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Until(Instant),
    ForGood,
}

/// What may be asked of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Work.
    Good,
    /// A self-test: it has rested after a fault.
    ToBeTested(Test),
    /// Nothing.
    Resting,
}

impl Health {
    pub(crate) fn new(label: String) -> Self {
        Self { label, state: Mutex::default() }
    }

    /// What the card is called.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// What may be asked now. Who is told to test it is the only one for a while, and is to say how it went.
    pub(crate) fn standing(&self, now: Instant) -> Standing {
        let mut state = self.lock();
        match state.rest {
            None => Standing::Good,
            Some(Rest::Until(until)) if until <= now => Standing::ToBeTested(state.begin_test(now)),
            Some(_) => Standing::Resting,
        }
    }

    /// A test without a rest before.
    #[cfg(all(test, feature = "host-twin", target_arch = "x86_64"))]
    pub(crate) fn begin_test(&self) -> Test {
        self.lock().begin_test(Instant::now())
    }

    /// It failed. After lies and want of memory, and when it did not answer for the first time (the machine may have slept), it
    /// may be tested again; a driver that failed, or does not answer again within a day, will not be asked again by this process.
    pub(crate) fn failed(&self, fault: &Fault, now: Instant) {
        let mut state = self.lock();
        // What was under way fails with the first of them; a test does not pass then.
        let is_known = state.test.take().is_none() && matches!(state.rest, Some(Rest::Until(until)) if now < until);
        let is_forgiven = |at: Option<Instant>| at.is_none_or(|at| now.saturating_duration_since(at) > FORGIVEN);
        let for_good = match fault {
            Fault::Lies(_) | Fault::OutOfMemory { .. } => false,
            Fault::Late(_) => !is_known && !is_forgiven(state.last_late),
            Fault::Missing(_) | Fault::Build { .. } | Fault::Driver(_) => true,
        };
        if state.rest == Some(Rest::ForGood) || is_known && !for_good {
            return;
        }
        if matches!(fault, Fault::Late(_)) {
            state.last_late = Some(now);
        }
        if !is_known {
            let before = if is_forgiven(state.last) { 0 } else { state.lately };
            (state.last, state.lately) = (Some(now), before.saturating_add(1));
            state.faults = state.faults.saturating_add(1);
        }
        let rest = FIRST_REST.saturating_mul(1 << state.lately.saturating_sub(1).min(10)).min(LONGEST_REST);
        state.rest = Some(if for_good { Rest::ForGood } else { Rest::Until(now + rest) });
        state.why = Some(fault.clone());
        drop(state);
        let again = if for_good { "until the next start" } else { "until it has passed a test" };
        tracing::error!("the graphics card {} is not used {again}: {fault}; its work is done by the CPU", self.label);
        self.tell();
    }

    /// It passed a test, unless it has failed meanwhile.
    pub(crate) fn passed(&self, test: Test) {
        let mut state = self.lock();
        if state.test == Some(test) {
            (state.test, state.rest) = (None, None);
        }
        drop(state);
        self.tell();
    }

    /// Why it is not used; `None` while it is.
    pub(crate) fn why_not(&self) -> Option<Fault> {
        let state = self.lock();
        state.rest.and(state.why.clone())
    }

    /// Faults so far.
    pub(crate) fn faults(&self) -> u32 {
        self.lock().faults
    }

    /// Tells the recorder of metrics whether it is used, and its faults.
    pub(crate) fn tell(&self) {
        let (up, faults) = {
            let state = self.lock();
            (state.rest.is_none(), state.faults)
        };
        record_card(&self.label, up, faults);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin_test(&mut self, now: Instant) -> Test {
        self.tests += 1;
        let test = Test(self.tests);
        self.test = Some(test);
        if self.rest != Some(Rest::ForGood) {
            self.rest = Some(Rest::Until(now + TEST));
        }
        test
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_of(standing: Standing) -> Test {
        let Standing::ToBeTested(test) = standing else { panic!("{standing:?}") };
        test
    }

    #[test]
    fn a_card_that_lied_rests_longer_each_time_and_is_tested() {
        let (health, mut now) = (Health::new("a card".to_owned()), Instant::now());
        assert_eq!(health.standing(now), Standing::Good);
        let lie = Fault::Lies("a canary".to_owned());
        for rest in [60, 120, 240] {
            (0..40).for_each(|_| health.failed(&lie, now));
            assert_eq!(health.why_not(), Some(lie.clone()));
            let almost = now + Duration::from_secs(rest) - Duration::from_nanos(1);
            assert_eq!(health.standing(almost), Standing::Resting);
            now += Duration::from_secs(rest);
            let test = test_of(health.standing(now));
            assert_eq!(health.standing(now), Standing::Resting, "one tests it");
            health.passed(test);
            assert_eq!((health.standing(now), health.why_not()), (Standing::Good, None));
        }
        assert_eq!(health.faults(), 3, "what was under way fails with the first");
        health.failed(&lie, now);
        now += Duration::from_secs(480);
        let test = test_of(health.standing(now));
        health.failed(&lie, now);
        health.passed(test);
        assert_eq!(health.faults(), 5, "it failed the test");
        assert_eq!(health.standing(now + Duration::from_secs(959)), Standing::Resting);
        test_of(health.standing(now + Duration::from_secs(960)));
    }

    #[test]
    fn a_good_day_makes_up_for_all_before() {
        let (health, mut now) = (Health::new("a card".to_owned()), Instant::now());
        for fault in [Fault::Late(FIRST_REST), Fault::Lies(String::new()), Fault::Lies(String::new())] {
            health.failed(&fault, now);
            now += FORGIVEN / 2;
            health.passed(test_of(health.standing(now)));
        }
        // A day since it was late, half a day since it lied.
        health.failed(&Fault::Late(FIRST_REST), now);
        now += 8 * FIRST_REST;
        health.passed(test_of(health.standing(now)));
        now += FORGIVEN;
        health.failed(&Fault::Lies(String::new()), now);
        assert_eq!(health.standing(now + FIRST_REST - Duration::from_nanos(1)), Standing::Resting);
        test_of(health.standing(now + FIRST_REST));
        assert_eq!(health.faults(), 5, "all are told of");
    }

    #[test]
    fn a_card_that_hangs_is_not_asked_again() {
        let (health, now) = (Health::new("a card".to_owned()), Instant::now());
        let late = Fault::Late(Duration::from_secs(1));
        (0..3).for_each(|_| health.failed(&late, now));
        let test = test_of(health.standing(now + FIRST_REST));
        health.failed(&late, now + FIRST_REST);
        health.failed(&Fault::Lies(String::new()), now + FIRST_REST);
        assert_eq!(health.why_not(), Some(late));
        health.passed(test);
        assert_eq!(health.standing(now + 100 * LONGEST_REST), Standing::Resting);
    }

    #[test]
    fn a_driver_that_fails_while_the_card_rests_is_not_asked_again() {
        let (health, now) = (Health::new("a card".to_owned()), Instant::now());
        health.failed(&Fault::Lies(String::new()), now);
        health.failed(&Fault::Driver("gone".to_owned()), now);
        assert_eq!(health.standing(now + 100 * LONGEST_REST), Standing::Resting);
        assert_eq!(health.faults(), 1);
    }
}
