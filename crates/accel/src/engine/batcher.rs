//! Small requests of many callers made into large batches.
//!
//! Requests wait until there are enough items, until the oldest has waited long enough, or until one comes that may not
//! wait. Then all go through the operations as one batch each, and every caller gets his own answers. While a batch runs
//! the next one collects. The line is bounded in requests and in items: callers wait for room before they wait for answers.

use super::Work;
use super::metrics::record_wait;
use super::plan::Op;
use crate::ops::{Claim, Recovered, Signed, Verdict};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use vigil_crypto::Check;
use vigil_primitives::{Bytes, Hash};

/// Requests in line.
const REQUESTS_MAX: usize = 4_096;
/// Items in line and at work; a message to hash counts one for each [`MESSAGE_BYTES`] begun.
const ITEMS_MAX: usize = 65_536;
/// Bytes of a message that count as one item.
const MESSAGE_BYTES: usize = 128;

/// Whether a request may wait for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// It may, for the batcher's age.
    WithOthers,
    /// It may not: a batch starts now, with what is there.
    Now,
}

/// When a batch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushAt {
    /// So many items are there.
    pub items: usize,
    /// The oldest request has waited for so long.
    pub age: Duration,
}

/// The engine has ended, or its backend failed at this batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped")]
pub struct Stopped;

/// Items of one caller with the way back to him.
pub(super) struct Asked<I, O> {
    items: Vec<I>,
    reply: oneshot::Sender<Vec<O>>,
}

impl<I, O> Asked<I, O> {
    pub(super) fn new(items: Vec<I>, reply: oneshot::Sender<Vec<O>>) -> Self {
        Self { items, reply }
    }
}

pub(super) enum Question {
    Recover(Asked<Signed, Recovered>),
    Known(Asked<Claim, Verdict>),
    Signers(Asked<Check, bool>),
    Hash(Asked<Bytes, Hash>),
}

struct Request {
    question: Question,
    flush: Flush,
    since: Instant,
    items: usize,
    _room: OwnedSemaphorePermit,
}

/// The line and the thread that works on it; dropping it ends the thread after what is in line.
pub(super) struct Batcher {
    line: Option<mpsc::Sender<Request>>,
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Batcher {
    pub(super) fn start(work: Arc<Work>, at: FlushAt) -> std::io::Result<Self> {
        let (line, end) = mpsc::channel(REQUESTS_MAX);
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let run = move || clock.block_on(run(&work, at, end));
        let thread = std::thread::Builder::new().name("accel-batcher".to_owned()).spawn(run)?;
        Ok(Self { line: Some(line), room: Arc::new(Semaphore::new(ITEMS_MAX)), thread: Some(thread) })
    }

    /// Puts items in line and waits for their answers. `wrap` says which operation they are for.
    pub(super) async fn ask<I, O>(
        &self,
        items: Vec<I>,
        weight: usize,
        flush: Flush,
        wrap: impl FnOnce(Asked<I, O>) -> Question,
    ) -> Result<Vec<O>, Stopped> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let permits = u32::try_from(weight.min(ITEMS_MAX)).expect("ITEMS_MAX is small");
        let room = Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| Stopped)?;
        let (reply, answer) = oneshot::channel();
        let question = wrap(Asked::new(items, reply));
        let request = Request { question, flush, since: Instant::now(), items: weight, _room: room };
        self.line.as_ref().ok_or(Stopped)?.send(request).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        drop(self.line.take());
        if let Some(thread) = self.thread.take() {
            let _it_catches_panics = thread.join();
        }
    }
}

/// Room that messages take in line.
pub(super) fn weight(messages: &[Bytes]) -> usize {
    messages.iter().map(|message| 1 + message.len() / MESSAGE_BYTES).sum()
}

async fn run(work: &Work, at: FlushAt, mut line: mpsc::Receiver<Request>) {
    while let Some(first) = line.recv().await {
        let requests = collect(first, at, &mut line).await;
        answer_all(work, requests);
    }
}

/// `first` and what comes until the batch must start.
async fn collect(first: Request, at: FlushAt, line: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let due = first.since + at.age;
    let (mut items, mut urgent) = (first.items, first.flush == Flush::Now);
    let mut requests = vec![first];
    while items < at.items {
        let next = match line.try_recv() {
            Ok(next) => next,
            Err(_) if urgent => break,
            Err(_) => match tokio::time::timeout_at(due, line.recv()).await {
                Ok(Some(next)) => next,
                Ok(None) | Err(_) => break,
            },
        };
        items += next.items;
        urgent |= next.flush == Flush::Now;
        requests.push(next);
    }
    requests
}

fn answer_all(work: &Work, requests: Vec<Request>) {
    let (mut recover, mut known, mut signers, mut hash) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut rooms = Vec::with_capacity(requests.len());
    for Request { question, since, _room, .. } in requests {
        record_wait(question.op(), since.elapsed());
        rooms.push(_room);
        match question {
            Question::Recover(asked) => recover.push(asked),
            Question::Known(asked) => known.push(asked),
            Question::Signers(asked) => signers.push(asked),
            Question::Hash(asked) => hash.push(asked),
        }
    }
    answer(recover, |items| work.recover(items));
    answer(known, |claims| work.verify_known(claims));
    answer(signers, |checks| work.verify_signers(checks));
    answer(hash, |messages| {
        let messages: Vec<&[u8]> = messages.iter().map(AsRef::as_ref).collect();
        work.keccak256(&messages)
    });
}

/// One batch. Callers who have gone are left out; if the work panics the others are told by their dropped replies.
pub(super) fn answer<I, O>(asked: Vec<Asked<I, O>>, work: impl FnOnce(&[I]) -> Vec<O>) {
    let mut items = Vec::new();
    let mut replies = Vec::with_capacity(asked.len());
    for Asked { items: own, reply } in asked.into_iter().filter(|asked| !asked.reply.is_closed()) {
        replies.push((own.len(), reply));
        items.extend(own);
    }
    if items.is_empty() {
        return;
    }
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&items)));
    let Ok(answers) = done else { return };
    let mut answers = answers.into_iter();
    for (count, reply) in replies {
        let _he_has_gone = reply.send(answers.by_ref().take(count).collect());
    }
}

impl Question {
    fn op(&self) -> Op {
        match self {
            Self::Recover(_) | Self::Signers(_) => Op::Recover,
            Self::Known(_) => Op::VerifyCold,
            Self::Hash(_) => Op::Keccak256,
        }
    }
}
