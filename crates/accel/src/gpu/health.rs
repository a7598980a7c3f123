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
    was_late: bool,
    last: Option<Instant>,
    /// Somebody tests it.
    is_tested: bool,
    rest: Option<Rest>,
    why: Option<Fault>,
}

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
    ToBeTested,
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
            Some(Rest::Until(until)) if until <= now => {
                state.rest = Some(Rest::Until(now + TEST));
                state.is_tested = true;
                Standing::ToBeTested
            }
            Some(_) => Standing::Resting,
        }
    }

    /// It failed. After lies and want of memory, and when it did not answer for the first time (the machine may have slept), it
    /// may be tested again; a driver that failed, or does not answer again within a day, will not be asked again by this process.
    pub(crate) fn failed(&self, fault: &Fault, now: Instant) {
        let mut state = self.lock();
        if state.rest == Some(Rest::ForGood) {
            return;
        }
        if state.last.is_some_and(|last| now.saturating_duration_since(last) > FORGIVEN) {
            (state.lately, state.was_late) = (0, false);
        }
        state.last = Some(now);
        // Batches that were under way fail with the first of them.
        if std::mem::take(&mut state.is_tested) || !matches!(state.rest, Some(Rest::Until(until)) if now < until) {
            state.faults = state.faults.saturating_add(1);
            state.lately = state.lately.saturating_add(1);
        }
        let is_late = matches!(fault, Fault::Late(_));
        let was_late = state.was_late;
        state.was_late |= is_late;
        let rest = FIRST_REST.saturating_mul(1 << state.lately.saturating_sub(1).min(10)).min(LONGEST_REST);
        let rest = match fault {
            Fault::Lies(_) | Fault::OutOfMemory { .. } => Rest::Until(now + rest),
            Fault::Late(_) if !was_late => Rest::Until(now + rest),
            Fault::Missing(_) | Fault::Build { .. } | Fault::Late(_) | Fault::Driver(_) => Rest::ForGood,
        };
        state.rest = Some(rest);
        state.why = Some(fault.clone());
        drop(state);
        let again = if rest == Rest::ForGood { "until the next start" } else { "until it has passed a test" };
        tracing::error!("the graphics card {} is not used {again}: {fault}; its work is done by the CPU", self.label);
        self.tell();
    }

    /// It passed a test.
    pub(crate) fn passed(&self) {
        let mut state = self.lock();
        state.is_tested = false;
        if state.rest != Some(Rest::ForGood) {
            state.rest = None;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_lied_rests_longer_each_time_and_is_tested() {
        let (health, mut now) = (Health::new("a card".to_owned()), Instant::now());
        assert_eq!(health.standing(now), Standing::Good);
        let lie = Fault::Lies("a canary".to_owned());
        for rest in [60, 120, 240] {
            health.failed(&lie, now);
            assert_eq!(health.why_not(), Some(lie.clone()));
            let almost = now + Duration::from_secs(rest) - Duration::from_nanos(1);
            assert_eq!(health.standing(almost), Standing::Resting);
            now += Duration::from_secs(rest);
            assert_eq!(health.standing(now), Standing::ToBeTested);
            health.passed();
            assert_eq!((health.standing(now), health.why_not()), (Standing::Good, None));
        }
        (0..40).for_each(|_| health.failed(&lie, now));
        let rest = Duration::from_secs(480);
        assert_eq!(health.standing(now + rest - Duration::from_nanos(1)), Standing::Resting);
        assert_eq!(health.faults(), 4, "what was under way fails with the first");
        let now = now + rest;
        assert_eq!([0; 2].map(|_| health.standing(now)), [Standing::ToBeTested, Standing::Resting], "by one of them");
        health.failed(&lie, now);
        assert_eq!(health.faults(), 5, "it failed the test");
        assert_eq!(health.standing(now + rest), Standing::Resting);
        assert_eq!(health.standing(now + 2 * rest), Standing::ToBeTested);
    }

    #[test]
    fn a_good_day_makes_up_for_all_before() {
        let (health, mut now) = (Health::new("a card".to_owned()), Instant::now());
        for fault in [Fault::Lies(String::new()), Fault::Late(FIRST_REST), Fault::Lies(String::new())] {
            health.failed(&fault, now);
            now += LONGEST_REST;
            health.passed();
        }
        now += FORGIVEN;
        health.failed(&Fault::Late(FIRST_REST), now);
        assert_eq!(health.standing(now + FIRST_REST - Duration::from_nanos(1)), Standing::Resting);
        assert_eq!(health.standing(now + FIRST_REST), Standing::ToBeTested);
        assert_eq!(health.faults(), 4, "all are told of");
    }

    #[test]
    fn a_card_that_hangs_is_not_asked_again() {
        let (health, now) = (Health::new("a card".to_owned()), Instant::now());
        health.failed(&Fault::Late(Duration::from_secs(1)), now);
        assert_eq!(health.standing(now + FIRST_REST), Standing::ToBeTested, "this machine may have slept");
        health.failed(&Fault::Late(Duration::from_secs(1)), now + FIRST_REST);
        health.failed(&Fault::Lies(String::new()), now + FIRST_REST);
        assert_eq!(health.why_not(), Some(Fault::Late(Duration::from_secs(1))));
        health.passed();
        assert_eq!(health.standing(now + 100 * LONGEST_REST), Standing::Resting);
    }
}
