//! A card at work: couriers, each with a lane of its own, take jobs from one queue, so that copies to the card, kernels and
//! copies back of several jobs overlap.
//!
//! Who asks waits with a time limit. A courier whose driver never returns is left behind.

use super::card::{Card, Fault};
use super::desk::{Desk, Resident};
use super::health::Health;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

mod couriers;

pub(crate) use couriers::FAREWELL;
use couriers::{Couriers, Job, start_thread};

/// Lanes of a card, at least, where that is allowed: one copies to it, one works, one copies back. More where there are threads
/// for it, as packing an item and reading its answer takes a thread longer than a large card takes to recover a key.
const COURIERS: RangeInclusive<usize> = 3..=6;
/// Time to set a card up, as its kernels may have to be compiled; and for a job, before any was measured.
pub(crate) const SET_UP: Duration = Duration::from_secs(120);
/// A job may take so many times what the slowest took before, and [`PATIENCE`] more, but not [`LONGEST`].
const SLOWER: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);
/// A job counts as so many items at least: it takes a card's time to answer at all, and that is not the pace of many.
const FEWEST: usize = 4_096;
/// The same of software that plays a card: it has nothing side by side.
const FEWEST_IN_SOFTWARE: usize = 256;

/// What jobs are about, as an item of one takes longer than one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Signatures of whoever.
    Recover,
    /// Signatures of known keys.
    Known,
    /// Tables of keys on their way.
    Tables,
    /// Digests of messages.
    Digests,
    /// Sums of signer vectors.
    Sums,
    /// Sums of points.
    Points,
    /// Programs.
    Program,
    /// What is repeated to be measured.
    Repeated,
}

impl Kind {
    const COUNT: usize = Self::Repeated as usize + 1;
}

/// A card with its couriers.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) card: Arc<dyn Card>,
    pub(crate) health: Health,
    couriers: Couriers,
    /// Time for a job before any was measured.
    first: Duration,
    /// Nanoseconds an item, of the slowest job of each kind so far.
    pace: Arc<[AtomicU64; Kind::COUNT]>,
    /// Items that wait or are worked on, and how long that should take.
    under_way: Arc<AtomicUsize>,
    waiting_ns: Arc<AtomicU64>,
}

/// What a job adds to what is under way, until it is done or nobody waits for it any more.
struct Load {
    items: usize,
    expected_ns: u64,
    under_way: Arc<AtomicUsize>,
    waiting_ns: Arc<AtomicU64>,
    is_off: AtomicBool,
}

impl Load {
    fn is_off(&self) -> bool {
        self.is_off.load(Ordering::Relaxed)
    }

    fn take_off(&self) {
        if !self.is_off.swap(true, Ordering::Relaxed) {
            self.under_way.fetch_sub(self.items, Ordering::Relaxed);
            self.waiting_ns.fetch_sub(self.expected_ns, Ordering::Relaxed);
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.take_off();
    }
}

/// An answer that is on its way.
pub(crate) struct Pending<T> {
    answer: mpsc::Receiver<Result<T, Fault>>,
    deadline: Instant,
    limit: Duration,
    load: Arc<Load>,
}

impl Post {
    /// Sets a card up: what all lanes read is copied, and couriers start. `limit` is the time for that, and for the
    /// first jobs; there are at most `threads` couriers.
    ///
    /// # Errors
    /// The card's; [`Fault::Late`].
    pub(crate) fn open(card: Arc<dyn Card>, limit: Duration, threads: usize) -> Result<Self, Fault> {
        let desks = within(limit, {
            let card = Arc::clone(&card);
            move || set_up(&card, limit, threads)
        })?;
        let couriers = Couriers::start(desks)?;
        let health = Health::new(card.info().name.clone());
        Ok(Self {
            card,
            health,
            couriers,
            first: limit,
            pace: Arc::new(Default::default()),
            under_way: Arc::default(),
            waiting_ns: Arc::default(),
        })
    }

    /// Under a name that no other card of the machine has.
    pub(crate) fn called(mut self, label: String) -> Self {
        self.health = Health::new(label);
        self
    }

    /// Puts work on `items` items into the queue.
    pub(crate) fn send<T: Send + 'static>(
        &self,
        kind: Kind,
        items: usize,
        work: impl FnOnce(&mut Desk, Duration) -> Result<T, Fault> + Send + 'static,
    ) -> Pending<T> {
        let limit = self.limit(kind, items);
        let load = self.put_on(kind, items);
        let fewest = if self.card.info().software { FEWEST_IN_SOFTWARE } else { FEWEST };
        let (reply, answer) = mpsc::sync_channel(1);
        let (pace, of_job) = (Arc::clone(&self.pace), Arc::clone(&load));
        let job: Job = Box::new(move |desk| {
            if of_job.is_off() {
                return true; // nobody waits for it any more
            }
            let started = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| work(desk, limit)));
            let result = result.unwrap_or_else(|_| Err(Fault::Driver("a call to the driver panicked".to_owned())));
            if result.is_ok() {
                let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
                pace[kind as usize].fetch_max((took / items.max(fewest) as u64).max(1), Ordering::Relaxed);
            }
            of_job.take_off();
            let is_free = !matches!(result, Err(Fault::Late(_)));
            let _who_asked_may_have_given_up = reply.send(result);
            is_free
        });
        self.couriers.take(job);
        Pending { answer, deadline: Instant::now() + limit, limit, load }
    }

    fn put_on(&self, kind: Kind, items: usize) -> Arc<Load> {
        let expected_ns = self.expected_ns(kind, items);
        self.waiting_ns.fetch_add(expected_ns, Ordering::Relaxed);
        self.under_way.fetch_add(items, Ordering::Relaxed);
        let (under_way, waiting_ns) = (Arc::clone(&self.under_way), Arc::clone(&self.waiting_ns));
        Arc::new(Load { items, expected_ns, under_way, waiting_ns, is_off: AtomicBool::new(false) })
    }

    /// As if no job had been done.
    pub(crate) fn forget_paces(&self) {
        self.pace.iter().for_each(|pace| pace.store(0, Ordering::Relaxed));
    }

    /// Items that wait or are worked on.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Time for a job behind all that is under way; plenty, before one of its kind was measured.
    pub(crate) fn limit(&self, kind: Kind, items: usize) -> Duration {
        // What is repeated is of all kinds.
        if kind == Kind::Repeated || self.pace[kind as usize].load(Ordering::Relaxed) == 0 {
            return self.first;
        }
        let waiting = self.waiting_ns.load(Ordering::Relaxed).saturating_add(self.expected_ns(kind, items));
        PATIENCE.saturating_add(Duration::from_nanos(waiting.saturating_mul(SLOWER))).min(LONGEST)
    }

    /// How long so many items took at the slowest; what was not measured is given [`LONGEST`].
    fn expected_ns(&self, kind: Kind, items: usize) -> u64 {
        let longest = LONGEST.as_nanos() as u64;
        match self.pace[kind as usize].load(Ordering::Relaxed) {
            0 => longest / SLOWER,
            pace => pace.saturating_mul(items as u64).min(longest),
        }
    }
}

impl<T> Pending<T> {
    /// The answer, if it is there.
    ///
    /// # Errors
    /// As [`Pending::wait`].
    pub(crate) fn poll(&self) -> Result<Option<T>, Fault> {
        match self.answer.try_recv() {
            Ok(answer) => answer.map(Some),
            Err(mpsc::TryRecvError::Empty) if Instant::now() < self.deadline => Ok(None),
            Err(mpsc::TryRecvError::Empty) => Err(Fault::Late(self.limit)),
            Err(mpsc::TryRecvError::Disconnected) => Err(Fault::Driver("its threads have ended".to_owned())),
        }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// The card's; [`Fault::Late`].
    pub(crate) fn wait(self) -> Result<T, Fault> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.answer.recv_timeout(left) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(Fault::Late(self.limit)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(Fault::Driver("its threads have ended".to_owned())),
        }
    }
}

/// Nobody waits any more: a courier that never comes back keeps no one out.
impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.load.take_off();
    }
}

fn set_up(card: &Arc<dyn Card>, limit: Duration, threads: usize) -> Result<Vec<Desk>, Fault> {
    let mut lane = Arc::clone(card).lane()?;
    let resident = Arc::new(Resident::new(card, &mut *lane, limit)?);
    let mut lanes = vec![lane];
    let there_are = std::thread::available_parallelism().map_or(1, NonZero::get);
    for _ in 1..(there_are / 2).clamp(*COURIERS.start(), *COURIERS.end()).min(threads) {
        lanes.push(Arc::clone(card).lane()?);
    }
    Ok(lanes.into_iter().map(|lane| Desk::new(Arc::clone(card), lane, Arc::clone(&resident))).collect())
}

/// What `work` gives on a thread of its own, which is left behind if it takes longer.
///
/// # Errors
/// Its own; [`Fault::Late`].
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (reply, answer) = mpsc::sync_channel(1);
    start_thread("gpu-open", move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        let panicked = || Err(Fault::Driver("a call to the driver panicked".to_owned()));
        let _who_asked_may_have_given_up = reply.send(result.unwrap_or_else(|_| panicked()));
    })?;
    answer.recv_timeout(limit).unwrap_or(Err(Fault::Late(limit)))
}
