//! Virtual time: what happens when, first in time first, ties in order of entry.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Virtual milliseconds since the start of a run.
pub type Time = u64;

#[derive(Clone)]
struct Entry<E> {
    at: Time,
    order: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}
impl<E> Eq for Entry<E> {}
impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The future of a run.
#[derive(Clone)]
pub struct Agenda<E> {
    now: Time,
    order: u64,
    heap: BinaryHeap<Reverse<Entry<E>>>,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { now: 0, order: 0, heap: BinaryHeap::new() }
    }
}

impl<E> Agenda<E> {
    /// The present.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Enters `event` at `at`; the past means now.
    pub fn at(&mut self, at: Time, event: E) {
        self.order += 1;
        self.heap.push(Reverse(Entry { at: at.max(self.now), order: self.order, event }));
    }

    /// Moves to the next event.
    pub fn pop(&mut self) -> Option<E> {
        let Reverse(entry) = self.heap.pop()?;
        self.now = entry.at;
        Some(entry.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_first_then_order_of_entry() {
        let mut agenda = Agenda::default();
        for (at, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (2, 'b')] {
            agenda.at(at, event);
        }
        let order: String = std::iter::from_fn(|| agenda.pop()).collect();
        assert_eq!((order.as_str(), agenda.now()), ("abcd", 5));
        agenda.at(3, 'e');
        assert_eq!((agenda.pop(), agenda.now()), (Some('e'), 5), "the past is now");
    }
}
