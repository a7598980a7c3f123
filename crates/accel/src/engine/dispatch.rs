//! Who does a piece: the backend that the plan names, the next one if that has failed, the oracle in the end.

use super::metrics::{ORACLE, record_batch, record_fallback};
use super::plan::Op;
use super::work::Work;
use crate::backend::{Backend, BackendName};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A backend until it fails.
#[derive(Debug)]
pub(super) struct Usable {
    backend: &'static dyn Backend,
    broken: AtomicBool,
}

impl From<&'static dyn Backend> for Usable {
    fn from(backend: &'static dyn Backend) -> Self {
        Self { backend, broken: AtomicBool::new(false) }
    }
}

impl Work {
    /// One call of a backend: of the one that the plan names, or of the next that is healthy, or of the oracle.
    pub(super) fn run<R>(
        &self,
        op: Op,
        items: usize,
        batch: impl Fn(&dyn Backend) -> Vec<R>,
        one_by_one: impl FnOnce() -> Vec<R>,
    ) -> Vec<R> {
        self.attempt(op, items, |backend| Some(batch(backend)).filter(|answers| answers.len() == items), one_by_one)
    }

    /// [`Work::run`] of a call that gives anything; `None` from a backend: it has failed.
    pub(super) fn attempt<R>(
        &self,
        op: Op,
        items: usize,
        call: impl Fn(&dyn Backend) -> Option<R>,
        by_oracle: impl FnOnce() -> R,
    ) -> R {
        let chosen = self.plan.choose(op, items).map(BackendName::as_str);
        let record = |by: &'static str, started: Instant| {
            if let Some(failed) = chosen.filter(|chosen| *chosen != by) {
                record_fallback(op, failed, by, items);
            }
            record_batch(op, by, items, started.elapsed());
        };
        for usable in self.healthy(op, items) {
            let started = Instant::now();
            if let Some(answers) = usable.guarded(&call) {
                record(usable.backend.name().as_str(), started);
                return answers;
            }
        }
        let started = Instant::now();
        let answers = by_oracle();
        record(ORACLE, started);
        answers
    }

    /// Builds what the first calls of the backends that do something would build.
    pub(super) fn warm_up(&self) {
        for usable in self.backends.iter().filter(|usable| self.plan.uses(usable.backend.name())) {
            let _it_is_left_out_then = usable.guarded(|backend| {
                backend.warm_up();
                Some(())
            });
        }
    }

    /// Backends for so many items, in the order in which they are asked.
    pub(super) fn healthy(&self, op: Op, items: usize) -> impl Iterator<Item = &Usable> {
        let named = |name| self.backends.iter().find(move |usable| usable.backend.name() == name);
        self.plan.order(op, items).filter_map(named).filter(|usable| !usable.broken.load(Ordering::Relaxed))
    }
}

impl Usable {
    /// A backend that panics, or answers something else than it is asked, has a bug: it is not asked again.
    pub(super) fn guarded<R>(&self, call: impl Fn(&dyn Backend) -> Option<R>) -> Option<R> {
        let answers = catch_unwind(AssertUnwindSafe(|| call(self.backend))).ok().flatten();
        if answers.is_none() && !self.broken.swap(true, Ordering::Relaxed) {
            let name = self.backend.name();
            tracing::error!("backend {name} failed: it is not used until the next start; please report this");
        }
        answers
    }
}
