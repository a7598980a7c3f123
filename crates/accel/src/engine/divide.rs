//! A batch divided between the worker threads and graphics cards, so that all are done soonest.

use super::plan::{Op, Shares};
use super::work::Work;
use crate::gpu::Gpu;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Builder;

/// Where a part of a batch is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// The CPU, on the thread that calls.
    ThisThread,
    /// This card, which is to be done in so many nanoseconds; what it does not do, the worker threads do.
    Card { card: usize, ns: u64 },
}

/// A part of the backlog, also if the work panics.
struct Waiting<'a> {
    backlog_ns: &'a AtomicU64,
    cost: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.backlog_ns.fetch_sub(self.cost, Ordering::Relaxed);
    }
}

impl Work {
    /// `work` on all items: the first for cards, the rest in pieces on the worker threads; the answers in order.
    pub(super) fn divided<T: Sync, R: Send>(
        &self,
        op: Op,
        items: &[T],
        work: impl Fn(&[T], On) -> Vec<R> + Sync,
    ) -> Vec<R> {
        let shares = self.shares(op, items.len());
        if shares.of_cards.is_empty() {
            return self.on_workers(op, items, |piece| work(piece, On::ThisThread));
        }
        let (mut rest, work) = (items, &work);
        std::thread::scope(|scope| {
            let mut parts = Vec::with_capacity(shares.of_cards.len());
            let ns = shares.ns;
            for (card, count) in shares.of_cards {
                let (part, others) = rest.split_at(count);
                rest = others;
                // There may be no thread to be had.
                let courier = Builder::new().name("to-card".to_owned());
                parts.push(courier.spawn_scoped(scope, move || work(part, On::Card { card, ns })).map_err(|_| part));
            }
            let on_workers = |items| self.on_workers(op, items, |piece| work(piece, On::ThisThread));
            let on_cpu = on_workers(rest);
            let mut answers = Vec::with_capacity(items.len());
            for part in parts {
                answers.append(&mut match part {
                    Ok(courier) => courier.join().unwrap_or_else(|panic| resume_unwind(panic)),
                    Err(part) => on_workers(part),
                });
            }
            answers.extend(on_cpu);
            answers
        })
    }

    /// The cards' shares of a batch. A card that rests gets none; nor does any from inside a caller's work, whose other pieces
    /// keep the other workers busy: a card is for large batches, and no worker waits for one.
    pub(super) fn shares(&self, op: Op, items: usize) -> Shares {
        if self.workers.is_inside() {
            return Shares::default();
        }
        let under_way = |card: usize| match self.cards[card].is_ready() {
            true => self.cards[card].under_way(),
            false => usize::MAX,
        };
        self.plan.shares(op, items, self.workers.count(), under_way)
    }

    /// `work` in pieces on the worker threads; or all of it on this thread, if it is done there before they would begin.
    pub(super) fn on_workers<T: Sync, R: Send>(
        &self,
        op: Op,
        items: &[T],
        work: impl Fn(&[T]) -> Vec<R> + Sync,
    ) -> Vec<R> {
        let cost = self.plan.ns(op, items.len()) as u64;
        let before = self.backlog_ns.fetch_add(cost, Ordering::Relaxed) / self.workers.count().max(1) as u64;
        let _until_it_is_done = Waiting { backlog_ns: &self.backlog_ns, cost };
        match cost > 0 && cost <= before {
            true => work(items),
            false => self.workers.spread(items, op.piece_min(), work),
        }
    }

    /// A part by a card, if it has been given to one that does it in time, else by the CPU.
    pub(super) fn on<T: Sync, R: Send>(
        &self,
        op: Op,
        items: &[T],
        on: On,
        on_cpu: impl Fn(&[T]) -> Vec<R> + Sync,
        on_card: impl Fn(&Gpu, &dyn Fn(&[T]) -> Vec<R>) -> Vec<R>,
    ) -> Vec<R> {
        let On::Card { card, ns } = on else { return on_cpu(items) };
        let by_cpu = |items: &[T]| self.on_workers(op, items, &on_cpu);
        if self.plan.is_in_time(op, card, items.len(), ns) { on_card(self.cards[card], &by_cpu) } else { by_cpu(items) }
    }
}
