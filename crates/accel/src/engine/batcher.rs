//! Small requests of many callers made into large batches.
//!
//! Requests wait until there are enough items or until the oldest has waited long enough (an age of 0: not at all). Then
//! one call gets all of them, in the order in which they came. While it works the next batch collects. The line is bounded
//! in requests and in items: who comes to a full line waits for room, or gets his request back.

use super::metrics::record_wait;
use super::plan::Op;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

/// Requests in line.
const REQUESTS_MAX: usize = 4_096;
/// Items in line.
const ITEMS_MAX: usize = 65_536;

/// When a batch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushAt {
    /// So many items are there.
    pub items: usize,
    /// The oldest request has waited for so long.
    pub age: Duration,
}

/// A request in line.
struct Waiting<T> {
    request: T,
    items: usize,
    since: Instant,
    _room: OwnedSemaphorePermit,
}

/// A line of requests and the thread that works on it.
///
/// Dropping it waits until the thread has done what is in line. A request brings its own way back to whoever waits for the
/// answer, such as a `oneshot::Sender`: if the work panics, the requests of its batch are dropped, which tells them, and
/// the next batch is worked on.
#[derive(Debug)]
pub struct Batcher<T> {
    line: Option<mpsc::Sender<Waiting<T>>>,
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Batcher<T> {
    /// Starts a thread called `name` that calls `work` with each batch. How long requests wait is told as that of `op`.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(name: &str, op: Op, at: FlushAt, work: impl FnMut(Vec<T>) + Send + 'static) -> std::io::Result<Self> {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (line, end) = mpsc::channel(REQUESTS_MAX);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&clock, op, at, end, work))?;
        Ok(Self { line: Some(line), room: Arc::new(Semaphore::new(ITEMS_MAX)), thread: Some(thread) })
    }

    /// Puts a request of `items` items in line. Its place is taken when this is first polled, unless the line is full: then
    /// it waits for room.
    pub async fn put(&self, request: T, items: usize) {
        let since = Instant::now();
        let room = Arc::clone(&self.room).acquire_many_owned(permits(items)).await;
        if let (Some(line), Ok(_room)) = (&self.line, room) {
            let _its_thread_is_there = line.send(Waiting { request, items, since, _room }).await;
        }
    }

    /// Puts a request of `items` items in line, if there is room.
    ///
    /// # Errors
    /// The request, if the line is full.
    pub fn offer(&self, request: T, items: usize) -> Result<(), T> {
        let room = Arc::clone(&self.room).try_acquire_many_owned(permits(items));
        let (Some(line), Ok(_room)) = (&self.line, room) else { return Err(request) };
        let waiting = Waiting { request, items, since: Instant::now(), _room };
        line.try_send(waiting).map_err(|full| full.into_inner().request)
    }
}

impl<T> Drop for Batcher<T> {
    fn drop(&mut self) {
        drop(self.line.take());
        if let Some(thread) = self.thread.take() {
            let _it_catches_panics = thread.join();
        }
    }
}

/// Room for a request: at least some, and no more than there ever is.
fn permits(items: usize) -> u32 {
    u32::try_from(items.clamp(1, ITEMS_MAX)).expect("ITEMS_MAX is small")
}

/// Works until nobody can put anything in line. `clock` is a runtime with time.
fn run<T>(clock: &Runtime, op: Op, at: FlushAt, mut line: mpsc::Receiver<Waiting<T>>, mut work: impl FnMut(Vec<T>)) {
    while let Some(batch) = clock.block_on(collect(at, &mut line)) {
        batch.iter().for_each(|waiting| record_wait(op, waiting.since.elapsed()));
        let requests = batch.into_iter().map(|waiting| waiting.request).collect();
        if catch_unwind(AssertUnwindSafe(|| work(requests))).is_err() {
            tracing::error!("a batch panicked and is lost; please report this");
        }
    }
}

/// What comes until the batch must start; `None`: nothing comes any more.
async fn collect<T>(at: FlushAt, line: &mut mpsc::Receiver<Waiting<T>>) -> Option<Vec<Waiting<T>>> {
    let first = line.recv().await?;
    let due = first.since + at.age;
    let mut items = first.items;
    let mut batch = vec![first];
    while items < at.items {
        let next = match line.try_recv() {
            Ok(next) => next,
            Err(_) => match tokio::time::timeout_at(due, line.recv()).await {
                Ok(Some(next)) => next,
                Ok(None) | Err(_) => break,
            },
        };
        items += next.items;
        batch.push(next);
    }
    Some(batch)
}

#[cfg(test)]
mod tests;
