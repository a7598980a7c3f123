//! Who is measured, and on what.

use std::ops::Range;

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
    pub(crate) task: Box<dyn Task + 'a>,
}

impl<'a> Side<'a> {
    /// One of ours.
    pub(crate) fn ours(name: &'static str, task: impl Task + 'a) -> Self {
        Self { name, is_peer: false, window: usize::MAX, task: Box::new(task) }
    }

    /// One to compare with.
    pub(crate) fn peer(name: &'static str, window: usize, task: impl Task + 'a) -> Self {
        Self { name, is_peer: true, window, task: Box::new(task) }
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
    /// Forgets the answers, before each round.
    fn clear(&mut self);
    /// Answers one batch. This is what is timed.
    fn run(&mut self, batch: Range<usize>);
    /// The first of `items` whose answer is wrong or missing; these are the items answered since [`Task::clear`].
    fn wrong(&self, items: Range<usize>) -> Option<usize>;
}

/// A [`Task`] of two functions.
pub(crate) struct Answers<T, W, R, B = fn()> {
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
        Self { answers: Vec::new(), work, right, before_round: || {} }
    }

    /// Calls `before_round` before each round; that is not timed.
    pub(crate) fn before_round<B: FnMut()>(self, before_round: B) -> Answers<T, W, R, B> {
        Answers { answers: self.answers, work: self.work, right: self.right, before_round }
    }
}

impl<T, W, R, B> Task for Answers<T, W, R, B>
where
    B: FnMut(),
    W: FnMut(Range<usize>, &mut Vec<T>),
    R: Fn(usize, &T) -> bool,
{
    fn clear(&mut self) {
        self.answers.clear();
        (self.before_round)();
    }

    fn run(&mut self, batch: Range<usize>) {
        (self.work)(batch, &mut self.answers);
    }

    fn wrong(&self, items: Range<usize>) -> Option<usize> {
        items.clone().find(|item| !self.answers.get(item - items.start).is_some_and(|a| (self.right)(*item, a)))
    }
}
