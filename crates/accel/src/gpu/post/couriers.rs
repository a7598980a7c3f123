//! The threads of a card.

use super::LONGEST;
use crate::gpu::card::Fault;
use crate::gpu::desk::Desk;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// Time for couriers to end when the card is dropped, and for its driver.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// Says whether the desk's lane is free then.
pub(super) type Job = Box<dyn FnOnce(&mut Desk) -> bool + Send>;

/// The threads that take jobs. They end when this is dropped, and are waited for: a process that ends while they take a
/// driver down may crash in it. One whose driver never returns is left behind.
#[derive(Debug)]
pub(super) struct Couriers {
    /// `None` while they end.
    queue: Option<mpsc::Sender<Job>>,
    /// Hung up by the last one.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Couriers {
    /// One for each desk.
    ///
    /// # Errors
    /// [`Fault::Driver`]: no thread.
    pub(super) fn start(desks: Vec<Desk>) -> Result<Self, Fault> {
        let (queue, jobs) = mpsc::channel::<Job>();
        let (ends, ended) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for (number, desk) in desks.into_iter().enumerate() {
            let (jobs, ends) = (Arc::clone(&jobs), ends.clone());
            start_thread(&format!("gpu-{number}"), move || {
                serve(&jobs, desk);
                drop(ends);
            })?;
        }
        Ok(Self { queue: Some(queue), ended: Mutex::new(ended) })
    }

    /// Puts a job into the queue. Where no courier is left it is dropped, and with it the sender of its reply.
    pub(super) fn take(&self, job: Job) {
        let _no_courier_is_left = self.queue.as_ref().map(|queue| queue.send(job));
    }
}

impl Drop for Couriers {
    fn drop(&mut self) {
        drop(self.queue.take());
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _hung_up_or_late = ended.recv_timeout(FAREWELL);
    }
}

/// Until the post is dropped. After a job that took too long the lane still has work under way: the next one waits for that,
/// as for a machine that slept. A lane that is not free in the end stays as it is, with all that it uses, and its thread ends.
fn serve(jobs: &Mutex<mpsc::Receiver<Job>>, mut desk: Desk) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let is_free = match next {
            Ok(job) => job(&mut desk),
            Err(mpsc::RecvError) => return,
        };
        if !is_free && !catch_unwind(AssertUnwindSafe(|| desk.is_free_within(LONGEST))).unwrap_or(false) {
            std::mem::forget(desk);
            return;
        }
    }
}

/// Starts a thread that nobody joins.
pub(super) fn start_thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map(drop).map_err(|error| Fault::Driver(format!("no thread for the card: {error}")))
}
