//! Small requests of many callers made into large batches.
//!
//! Requests wait until there are enough items or until the oldest has waited long enough (an age of 0: not at all). Then
//! one call gets all of them, in the order in which they came. While it works the next batch collects. The line has so much
//! room: who comes to a full one waits, or gets his request back.

use super::metrics::record_wait;
use super::plan::Op;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room in line. A request takes one for each item and at least one for each [`ROOM_BYTES`], but not less than [`ROOM_MIN`]:
/// so there are at most 65,536 items, 4,096 requests and 64 MiB, or one request that is larger.
const ROOM: usize = 65_536;
const ROOM_BYTES: usize = 1024;
const ROOM_MIN: usize = 16;

/// When a batch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushAt {
    /// So many items are there.
    pub items: usize,
    /// The oldest request has waited for so long.
    pub age: Duration,
}

/// How large a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// What it adds to a batch.
    pub items: usize,
    /// Memory.
    pub bytes: usize,
}

impl Size {
    /// Room that it takes in line.
    fn room(self) -> u32 {
        let room = self.items.max(self.bytes / ROOM_BYTES).clamp(ROOM_MIN, ROOM);
        u32::try_from(room).expect("ROOM is small")
    }
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
        let (line, end) = mpsc::channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(op, at, &end, work))?;
        Ok(Self { line: Some(line), room: Arc::new(Semaphore::new(ROOM)), thread: Some(thread) })
    }

    /// Puts a request in line. Its place is taken when this is first polled, unless the line is full: then it waits for
    /// room.
    pub async fn put(&self, request: T, size: Size) {
        let since = Instant::now();
        if let Ok(room) = Arc::clone(&self.room).acquire_many_owned(size.room()).await {
            let _its_thread_is_there = self.send(Waiting { request, items: size.items, since, _room: room });
        }
    }

    /// Puts a request in line, if there is room.
    ///
    /// # Errors
    /// The request, if the line is full.
    pub fn offer(&self, request: T, size: Size) -> Result<(), T> {
        match Arc::clone(&self.room).try_acquire_many_owned(size.room()) {
            Ok(_room) => self.send(Waiting { request, items: size.items, since: Instant::now(), _room }),
            Err(_) => Err(request),
        }
    }

    /// Gives the request back if nobody is there to take it.
    fn send(&self, waiting: Waiting<T>) -> Result<(), T> {
        match &self.line {
            Some(line) => line.send(waiting).map_err(|back| back.0.request),
            None => Err(waiting.request),
        }
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

/// Works until nobody can put anything in line.
fn run<T>(op: Op, at: FlushAt, line: &mpsc::Receiver<Waiting<T>>, mut work: impl FnMut(Vec<T>)) {
    while let Some(batch) = collect(at, line) {
        batch.iter().for_each(|waiting| record_wait(op, waiting.since.elapsed()));
        let requests = batch.into_iter().map(|waiting| waiting.request).collect();
        if catch_unwind(AssertUnwindSafe(|| work(requests))).is_err() {
            tracing::error!("a batch panicked and is lost; please report this");
        }
    }
}

/// What comes until the batch must start; `None`: nothing comes any more.
fn collect<T>(at: FlushAt, line: &mpsc::Receiver<Waiting<T>>) -> Option<Vec<Waiting<T>>> {
    let first = line.recv().ok()?;
    let since = first.since;
    let mut items = first.items;
    let mut batch = vec![first];
    while items < at.items {
        // What is there goes along, however late it is.
        let left = at.age.saturating_sub(since.elapsed());
        let Ok(next) = line.try_recv().or_else(|_| line.recv_timeout(left)) else { break };
        items += next.items;
        batch.push(next);
    }
    Some(batch)
}

#[cfg(test)]
mod tests;
