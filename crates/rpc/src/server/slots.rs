//! The places for connections, and who leaves when there are too few.
//!
//! A connection is *at work* while the node computes an answer for it; otherwise it waits: for a request, for the rest of
//! one, for the client to read. When all places are taken, the connection that has waited longest makes room for the
//! next. So a crowd of idle or slow connections keeps nobody out, and where there is room idle ones stay.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Who has waited for less than this is left alone.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// How often a newcomer looks whether somebody can leave by now.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// All places.
pub(super) struct Slots {
    free: Arc<Semaphore>,
    taken: Mutex<Vec<Weak<Place>>>,
    per_address_max: usize,
}

/// The place of a connection; a WebSocket keeps it after its HTTP connection has ended.
#[derive(Clone)]
pub(super) struct Slot(Arc<Place>);

struct Place {
    from: IpAddr,
    /// Requests being answered, and when that number last became zero.
    work: Mutex<(usize, Instant)>,
    leaving: AtomicBool,
    leave: Notify,
    _permit: OwnedSemaphorePermit,
}

/// A request being answered.
pub(super) struct Work(Slot);

impl Slots {
    /// `count` places (at least one), of which one IP address other than loopback gets `per_address_max`.
    pub(super) fn new(count: usize, per_address_max: usize) -> Self {
        let free = Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)));
        Self { free, taken: Mutex::default(), per_address_max }
    }

    /// A place for a connection, as soon as there is one. `None` if its address has all that it gets, and all at work.
    pub(super) async fn admit(&self, from: IpAddr) -> Option<Slot> {
        let from = from.to_canonical();
        if !from.is_loopback() {
            let theirs = self.staying(|place| place.from == from);
            if theirs.len() >= self.per_address_max && !send_away(&theirs) {
                return None;
            }
        }
        let permit = self.permit().await;
        let (work, leaving) = (Mutex::new((0, Instant::now())), AtomicBool::new(false));
        let place = Arc::new(Place { from, work, leaving, leave: Notify::new(), _permit: permit });
        lock(&self.taken).push(Arc::downgrade(&place));
        Some(Slot(place))
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return permit;
            }
            let all = self.staying(|_| true);
            let somebody_leaves = all.len() < lock(&self.taken).len();
            if !somebody_leaves {
                send_away(&all);
            }
            if let Ok(Ok(permit)) = tokio::time::timeout(LOOK_AGAIN, self.free.clone().acquire_owned()).await {
                return permit;
            }
        }
    }

    /// Those that have not been told to leave. Forgets those that have left.
    fn staying(&self, which: impl Fn(&Place) -> bool) -> Vec<Arc<Place>> {
        let mut taken = lock(&self.taken);
        taken.retain(|place| place.strong_count() > 0);
        let places = taken.iter().filter_map(Weak::upgrade);
        places.filter(|place| !place.leaving.load(Ordering::Relaxed) && which(place)).collect()
    }
}

/// Tells the one that has waited longest to leave; false if none has waited long enough.
fn send_away(places: &[Arc<Place>]) -> bool {
    let waiting = places.iter().filter_map(|place| Some((place.waits_since()?, place)));
    let longest = waiting.min_by_key(|(since, _)| *since).filter(|(since, _)| since.elapsed() >= WAIT_MIN);
    if let Some((_, place)) = longest {
        place.leaving.store(true, Ordering::Relaxed);
        place.leave.notify_one();
    }
    longest.is_some()
}

impl Place {
    /// `None`: it is at work.
    fn waits_since(&self) -> Option<Instant> {
        let (at_work, since) = *lock(&self.work);
        (at_work == 0).then_some(since)
    }
}

impl Slot {
    /// Marks the connection as at work until the guard is dropped.
    pub(super) fn work(&self) -> Work {
        lock(&self.0.work).0 += 1;
        Work(self.clone())
    }

    /// The client's IP address.
    pub(super) fn from(&self) -> IpAddr {
        self.0.from
    }

    /// Ready when the place is wanted for somebody else.
    pub(super) async fn wanted(&self) {
        self.0.leave.notified().await;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut work = lock(&self.0.0.work);
        *work = (work.0 - 1, Instant::now());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "203.0.113.7";

    async fn admit(slots: &Slots, from: &str) -> Option<Slot> {
        slots.admit(from.parse().unwrap()).await
    }

    /// Makes it as if the place had waited since long ago.
    fn let_wait(slot: &Slot, seconds: u64) {
        lock(&slot.0.work).1 -= Duration::from_secs(seconds);
    }

    fn leaves(slot: &Slot) -> bool {
        slot.0.leaving.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn who_waited_longest_makes_room_and_who_works_stays() {
        let slots = Slots::new(3, 3);
        let (a, b, c) = (admit(&slots, HERE).await, admit(&slots, HERE).await, admit(&slots, HERE).await);
        let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
        let work = a.work();
        [(&a, 90), (&b, 60), (&c, 30)].into_iter().for_each(|(slot, seconds)| let_wait(slot, seconds));
        let newcomer = admit(&slots, "127.0.0.1");
        let leaver = async {
            b.wanted().await;
            drop(b);
        };
        let (newcomer, ()) = tokio::join!(newcomer, leaver);
        assert!(newcomer.is_some() && !leaves(&a) && !leaves(&c));
        drop(work);
        assert!(a.0.waits_since().unwrap().elapsed() < WAIT_MIN, "it has waited since its answer");
    }

    #[tokio::test]
    async fn nobody_leaves_while_there_is_room() {
        let slots = Slots::new(2, 2);
        let a = admit(&slots, HERE).await.unwrap();
        let_wait(&a, 3_600);
        assert!(admit(&slots, HERE).await.is_some() && !leaves(&a));
    }

    #[tokio::test]
    async fn any_number_of_places_is_a_number_of_places() {
        for count in [0, usize::MAX] {
            assert!(admit(&Slots::new(count, usize::MAX), HERE).await.is_some(), "{count}");
        }
    }

    #[tokio::test]
    async fn one_address_does_not_get_all_places() {
        let slots = Slots::new(100, 2);
        let kept = [admit(&slots, HERE).await.unwrap(), admit(&slots, "::ffff:203.0.113.7").await.unwrap()];
        assert!(admit(&slots, HERE).await.is_none(), "both have just come");
        assert!(admit(&slots, "203.0.113.8").await.is_some());
        let_wait(&kept[0], 60);
        assert!(admit(&slots, HERE).await.is_some() && leaves(&kept[0]));
        let local: Vec<_> = futures::future::join_all((0..50).map(|_| admit(&slots, "::1"))).await;
        assert!(local.iter().all(Option::is_some), "loopback is the operator's own");
    }

    #[tokio::test]
    async fn one_leaves_for_each_newcomer() {
        let slots = Slots::new(2, 2);
        let (a, b) = (admit(&slots, HERE).await.unwrap(), admit(&slots, HERE).await.unwrap());
        [&a, &b].into_iter().for_each(|slot| let_wait(slot, 60));
        let newcomer = tokio::time::timeout(5 * LOOK_AGAIN, admit(&slots, "203.0.113.8")).await;
        assert!(newcomer.is_err(), "nobody has left yet");
        assert_eq!([&a, &b].map(leaves), [true, false]);
    }
}
