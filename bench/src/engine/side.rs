//! Who is measured, and on what.

use super::plan::Plan;
use std::ops::Range;
use vigil_accel::Engine;

/// Most items a round that a peer is given: peers work item by item, so that more of them tell nothing new. The window
/// moves from round to round until every item had its turn.
pub(crate) const PEER_WINDOW: usize = 2048;
/// The same for a peer that needs hundreds of microseconds an item.
pub(crate) const SLOW_PEER_WINDOW: usize = 256;

/// A backend or a peer at work on a workload.
pub(crate) struct Side<'a> {
    /// As in the rows.
    pub(crate) name: &'static str,
    /// Not ours.
    pub(crate) is_peer: bool,
    /// Most items a round.
    pub(crate) window: usize,
    /// How many times what it does makes an item, where a whole one would take too long.
    pub(crate) times: f64,
    pub(crate) task: Box<dyn Task + 'a>,
}

impl<'a> Side<'a> {
    /// One of ours.
    pub(crate) fn ours(name: &'static str, task: impl Task + 'a) -> Self {
        Self { name, is_peer: false, window: usize::MAX, times: 1.0, task: Box::new(task) }
    }

    /// One to compare with.
    pub(crate) fn peer(name: &'static str, window: usize, task: impl Task + 'a) -> Self {
        Self { name, is_peer: true, window, times: 1.0, task: Box::new(task) }
    }
}

/// Who does a peer's work: the calling thread, or the workers of an engine of its own.
pub(crate) struct Hands(Option<Engine>);

/// So few items are not worth another thread.
const SHARE_MIN: usize = 16;

impl Hands {
    /// As many as the engine has.
    pub(crate) fn of(plan: &Plan) -> Self {
        Self(plan.engine().filter(|_| plan.pool))
    }

    /// `one` of each item.
    pub(crate) fn each<T: Send>(&self, batch: Range<usize>, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
        match &self.0 {
            None => batch.map(one).collect(),
            Some(engine) => {
                let items: Vec<usize> = batch.collect();
                engine.spread(&items, SHARE_MIN, |share| share.iter().map(|item| one(*item)).collect())
            }
        }
    }

    /// Most items a round, of which a single thread gets `window`.
    pub(crate) fn window(&self, window: usize) -> usize {
        window * self.0.as_ref().map_or(1, Engine::threads)
    }
}

/// The same items for every side.
pub(crate) struct Workload<'a> {
    /// As in the rows.
    pub(crate) case: &'static str,
    /// Number of items a round if the batches are smaller.
    pub(crate) round_items: usize,
    pub(crate) sides: Vec<Side<'a>>,
}

/// Work on ranges of a workload's items.
pub(crate) trait Task {
    /// Forgets the answers, before each round; the items of the round that comes.
    fn clear(&mut self, items: Range<usize>);
    /// Answers one batch. This is what is timed.
    fn run(&mut self, batch: Range<usize>);
    /// The first of `items` whose answer is wrong or missing; these are the items answered since [`Task::clear`].
    fn wrong(&self, items: Range<usize>) -> Option<usize>;
}

/// A [`Task`] of two functions.
pub(crate) struct Answers<T, W, R, B = fn(Range<usize>)> {
    answers: Vec<T>,
    work: W,
    right: R,
    before_round: B,
}

impl<T, W, R> Answers<T, W, R>
where
    W: FnMut(Range<usize>, &mut Vec<T>),
    R: Fn(usize, &T) -> bool,
{
    /// - `work` appends one answer for each item of a range.
    /// - `right` judges an item's answer.
    pub(crate) fn new(work: W, right: R) -> Self {
        Self { answers: Vec::new(), work, right, before_round: |_| {} }
    }

    /// Calls `before_round` before each round with the items that come; that is not timed.
    pub(crate) fn before_round<B: FnMut(Range<usize>)>(self, before_round: B) -> Answers<T, W, R, B> {
        Answers { answers: self.answers, work: self.work, right: self.right, before_round }
    }
}

impl<T, W, R, B> Task for Answers<T, W, R, B>
where
    B: FnMut(Range<usize>),
    W: FnMut(Range<usize>, &mut Vec<T>),
    R: Fn(usize, &T) -> bool,
{
    fn clear(&mut self, items: Range<usize>) {
        self.answers.clear();
        (self.before_round)(items);
    }

    fn run(&mut self, batch: Range<usize>) {
        (self.work)(batch, &mut self.answers);
    }

    fn wrong(&self, items: Range<usize>) -> Option<usize> {
        items.clone().find(|item| !self.answers.get(item - items.start).is_some_and(|a| (self.right)(*item, a)))
    }
}
