//! Threads that run what clients ask to be executed: calls, estimates, traces.
//!
//! They are few and have the lowest priority, so that the making of blocks goes first; what waits for them is bounded, and
//! each execution in time. Whoever stops waiting ends the execution.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thread_priority::unix::NormalThreadSchedulePolicy;
use thread_priority::{ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id};
use tokio::sync::oneshot;

/// Longest execution.
pub const CALL_TIME_MAX: Duration = vigil_rpc::limits::CALL_TIME_MAX;
/// Most executions that wait for a thread.
pub const WAITING_MAX: usize = 1_024;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Calls(SyncSender<Job>);

/// Why an execution gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallRefused {
    /// Too many wait.
    #[error("the node is busy with other calls: try again")]
    Busy,
    /// It took longer than [`CALL_TIME_MAX`].
    #[error("execution aborted (timeout = {} s)", CALL_TIME_MAX.as_secs())]
    Timeout,
    /// It failed in a way that is ours.
    #[error("internal error: the execution failed")]
    Failed,
}

/// Ends an execution when nobody waits for it any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Calls {
    /// Starts so many threads; 0: one for each two cores.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let (jobs, line) = sync_channel::<Job>(WAITING_MAX);
        let line = Arc::new(Mutex::new(line));
        let automatic = || std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        let threads = if threads == 0 { automatic() } else { threads };
        for n in 0..threads {
            let line = Arc::clone(&line);
            std::thread::Builder::new().name(format!("call-{n}")).spawn(move || work(&line))?;
        }
        Ok(Self(jobs))
    }

    /// Runs `job` on one of the threads; it must end soon after its flag is set, which happens when its time is over or the
    /// future is dropped.
    ///
    /// # Errors
    /// [`CallRefused`].
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, CallRefused> {
        let stop = StopOnDrop(Arc::default());
        let flag = Arc::clone(&stop.0);
        let (begin, begun) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let job = move || {
            if !flag.load(Ordering::Relaxed) && begin.send(()).is_ok() {
                let _nobody_waits = answer.send(job(&flag));
            }
        };
        self.0.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) => CallRefused::Busy,
            TrySendError::Disconnected(_) => CallRefused::Failed,
        })?;
        begun.await.map_err(|_| CallRefused::Failed)?;
        match tokio::time::timeout(CALL_TIME_MAX, answered).await {
            Ok(answer) => answer.map_err(|_| CallRefused::Failed),
            Err(_) => Err(CallRefused::Timeout),
        }
    }
}

fn work(line: &Mutex<Receiver<Job>>) {
    // Where the system refuses, the threads are as others.
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy) {
        tracing::debug!("calls of clients run with the priority of other threads: {error:?}");
    }
    loop {
        let job = line.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic ends the call, not the thread.
        let _told_by_the_panic_hook = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[tokio::test]
    async fn answers_come_back_and_panics_stay() {
        let calls = Calls::start(2).expect("threads");
        assert_eq!(calls.run(|_| 7).await, Ok(7));
        for _ in 0..5 {
            assert_eq!(calls.run(|_| -> u8 { panic!("a bug") }).await, Err(CallRefused::Failed));
        }
        assert_eq!(calls.run(|_| 8).await, Ok(8), "the threads are there");
    }

    #[tokio::test]
    async fn who_stops_waiting_ends_the_execution() {
        let calls = Calls::start(1).expect("threads");
        let begun = Arc::new(Barrier::new(2));
        let there = Arc::clone(&begun);
        let endless = calls.run(move |stop| {
            there.wait();
            while !stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
        });
        let wait = tokio::task::spawn_blocking(move || begun.wait());
        tokio::select! {
            _ = endless => panic!("it never ends by itself"),
            _ = wait => {}
        }
        assert_eq!(calls.run(|_| 1).await, Ok(1), "the only thread is free again");
    }

    #[tokio::test]
    async fn the_line_is_bounded() {
        let calls = Calls::start(1).expect("threads");
        let gate = Arc::new(Barrier::new(2));
        let held = Arc::clone(&gate);
        let mut first = Box::pin(calls.run(move |_| held.wait().is_leader()));
        assert!(futures::poll!(&mut first).is_pending());
        let mut waiting = Vec::new();
        let mut busy = 0;
        for _ in 0..WAITING_MAX + 2 {
            let mut next = Box::pin(calls.run(|_| ()));
            match futures::poll!(&mut next) {
                std::task::Poll::Ready(Err(CallRefused::Busy)) => busy += 1,
                _ => waiting.push(next),
            }
        }
        assert!((1..=3).contains(&busy), "{busy}");
        gate.wait();
        assert!(first.await.is_ok());
        for next in waiting {
            assert_eq!(next.await, Ok(()));
        }
    }
}
