//! The thread through which every transaction enters: verified in batches, then screened in order.

use super::Pool;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use vigil_accel::engine::{FlushAt, Op, record_wait};
use vigil_crypto::VerifiedTx;
use vigil_mempool::Refused;
use vigil_net::{GossipId, NetHandle, Verdict};
use vigil_primitives::{Bytes, Hash, RlpError};

/// Submissions that may wait in line.
const QUEUE_MAX: usize = 4_096;

/// Transactions with where they come from.
#[derive(Debug)]
pub struct Submission {
    /// Raw, in order.
    pub txs: Vec<Bytes>,
    /// From where.
    pub origin: Origin,
    since: Instant,
}

impl Submission {
    /// Comes now.
    pub fn new(txs: Vec<Bytes>, origin: Origin) -> Self {
        Self { txs, origin, since: Instant::now() }
    }
}

/// Where transactions come from and who waits for the answer.
#[derive(Debug)]
pub enum Origin {
    /// One transaction from a client.
    Client(oneshot::Sender<Result<Hash, Rejected>>),
    /// From a peer; the network waits for a verdict on the message.
    Gossip(GossipId),
}

/// Why a transaction does not enter.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Rejected {
    /// It is none.
    #[error("Error decoding tx: {0}")]
    Decode(RlpError),
    /// The mempool refuses it.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The way in.
#[derive(Clone, Debug)]
pub struct Admission {
    queue: mpsc::Sender<Submission>,
}

impl Admission {
    /// The line, and its end for [`run`].
    pub fn new() -> (Self, mpsc::Receiver<Submission>) {
        let (queue, end) = mpsc::channel(QUEUE_MAX);
        (Self { queue }, end)
    }

    /// Puts a client's transaction in line and waits for the verdict. Its place in line is taken when this is first
    /// polled, unless the line is full: then it waits for room.
    ///
    /// # Errors
    /// [`Rejected`]; `None`: the node is stopping.
    pub async fn submit(&self, raw: Bytes) -> Option<Result<Hash, Rejected>> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Submission::new(vec![raw], Origin::Client(reply))).await.ok()?;
        answer.await.ok()
    }

    /// Puts a peer's transactions in line, if there is room; otherwise gives them back.
    ///
    /// # Errors
    /// The submission, if the line is full.
    pub fn offer(&self, submission: Submission) -> Result<(), Box<Submission>> {
        self.queue.try_send(submission).map_err(|e| match e {
            mpsc::error::TrySendError::Full(s) | mpsc::error::TrySendError::Closed(s) => Box::new(s),
        })
    }
}

/// Works until every [`Admission`] is gone. A batch starts as `at` says, so that the engine gets many signatures at a time;
/// `clock` is a runtime with time. Blocks the thread.
pub fn run(pool: &Pool, net: &NetHandle, at: FlushAt, clock: &Runtime, mut line: mpsc::Receiver<Submission>) {
    while let Some(batch) = clock.block_on(collect(at, &mut line)) {
        batch.iter().for_each(|submission| record_wait(Op::Recover, submission.since.elapsed()));
        admit(pool, net, batch);
    }
}

/// What comes until there is enough or the oldest has waited for long enough; `None`: nothing comes any more.
async fn collect(at: FlushAt, line: &mut mpsc::Receiver<Submission>) -> Option<Vec<Submission>> {
    let first = line.recv().await?;
    let due = first.since + at.age;
    let mut count = first.txs.len();
    let mut batch = vec![first];
    while count < at.items {
        let next = match line.try_recv() {
            Ok(next) => next,
            Err(_) => match tokio::time::timeout_at(due, line.recv()).await {
                Ok(Some(next)) => next,
                Ok(None) | Err(_) => break,
            },
        };
        count += next.txs.len();
        batch.push(next);
    }
    Some(batch)
}

fn admit(pool: &Pool, net: &NetHandle, batch: Vec<Submission>) {
    let raws: Vec<Bytes> = batch.iter().flat_map(|s| s.txs.iter().cloned()).collect();
    let hashes = pool.hashes_of(&raws);
    // What was seen needs no signature check.
    let seen: HashSet<Hash> = {
        let mempool = pool.mempool();
        hashes.iter().filter(|hash| mempool.is_seen(hash)).copied().collect()
    };
    let fresh = raws.into_iter().zip(&hashes).filter(|(_, hash)| !seen.contains(*hash));
    let (fresh, fresh_hashes): (Vec<Bytes>, Vec<Hash>) = fresh.unzip();
    let mut verified =
        crate::stages::stage("admit_verify", || pool.complete(&fresh, &fresh_hashes, pool.known(&fresh_hashes)))
            .into_iter();
    let judged: Vec<Result<Arc<VerifiedTx>, Rejected>> = hashes
        .iter()
        .map(|hash| match seen.contains(hash) {
            true => Err(Refused::Seen.into()),
            false => verified.next().expect("one for each fresh transaction").map_err(Rejected::Decode),
        })
        .collect();
    let results = crate::stages::stage("admit_screen", || screen(pool, judged));
    pool.tell_dropped();
    answer(net, batch, &hashes, results);
}

/// Outcome of one transaction: whether it is provably bad, and the answer to who sent it.
struct Judged {
    bad: bool,
    accepted: bool,
    result: Result<(), Rejected>,
}

fn screen(pool: &Pool, judged: Vec<Result<Arc<VerifiedTx>, Rejected>>) -> Vec<Judged> {
    let now = pool.now();
    let mut mempool = pool.mempool();
    let insert = |tx: Result<Arc<VerifiedTx>, Rejected>| match tx {
        Ok(tx) => {
            let bad = !tx.all_valid();
            let result = mempool.insert(now, tx);
            Judged { bad, accepted: result.is_ok(), result: result.map_err(Rejected::Refused) }
        }
        Err(error) => Judged { bad: matches!(error, Rejected::Decode(_)), accepted: false, result: Err(error) },
    };
    judged.into_iter().map(insert).collect()
}

fn answer(net: &NetHandle, batch: Vec<Submission>, hashes: &[Hash], results: Vec<Judged>) {
    let mut results = results.into_iter().zip(hashes);
    let mut publish = Vec::new();
    let mut accepted_total = 0;
    for submission in batch {
        let count = submission.txs.len();
        match submission.origin {
            Origin::Client(reply) => {
                let Some((judged, hash)) = results.next() else { continue };
                if judged.accepted {
                    accepted_total += 1;
                    publish.extend(submission.txs);
                }
                let _client_is_gone = reply.send(judged.result.map(|()| *hash));
            }
            Origin::Gossip(message) => {
                let (mut bad, mut accepted) = (false, 0);
                for (judged, _) in results.by_ref().take(count) {
                    bad |= judged.bad;
                    accepted += u64::from(judged.accepted);
                }
                accepted_total += accepted;
                let verdict = match (bad, accepted) {
                    (true, _) => Verdict::Reject,
                    (false, 0) => Verdict::Ignore,
                    (false, _) => Verdict::Accept,
                };
                let _net_is_busy = net.report(message, verdict);
            }
        }
    }
    metrics::counter!("vigil_mempool_admitted_total").increment(accepted_total);
    if !publish.is_empty() {
        let _net_is_busy = net.publish_txs(publish);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NEVER: Duration = Duration::from_secs(86_400);

    fn submission(count: usize) -> Submission {
        Submission::new(vec![Bytes::new(); count], Origin::Client(oneshot::channel().0))
    }

    fn line(counts: &[usize]) -> (Admission, mpsc::Receiver<Submission>) {
        let (admission, line) = Admission::new();
        counts.iter().for_each(|count| admission.offer(submission(*count)).expect("room"));
        (admission, line)
    }

    fn counts(batch: Option<Vec<Submission>>) -> Vec<usize> {
        batch.expect("a batch").iter().map(|submission| submission.txs.len()).collect()
    }

    #[tokio::test]
    async fn a_batch_starts_when_there_is_enough() {
        let (_admission, mut line) = line(&[1, 2, 3, 4]);
        let at = FlushAt { items: 5, age: NEVER };
        assert_eq!(counts(collect(at, &mut line).await), [1, 2, 3]);
        assert_eq!(line.len(), 1, "the last one waits for others");
    }

    #[tokio::test]
    async fn a_batch_starts_when_the_oldest_has_waited_long_enough() {
        let (admission, mut line) = line(&[1, 2]);
        for age in [Duration::ZERO, Duration::from_millis(1)] {
            assert_eq!(counts(collect(FlushAt { items: 9, age }, &mut line).await), [1, 2], "all that is there");
            [1, 2].into_iter().for_each(|count| admission.offer(submission(count)).expect("room"));
        }
        // While it waits others come, until there is enough.
        let others = async {
            for _ in 0..6 {
                tokio::task::yield_now().await;
                admission.offer(submission(1)).expect("room");
            }
        };
        let (batch, ()) = tokio::join!(collect(FlushAt { items: 9, age: NEVER }, &mut line), others);
        assert_eq!(counts(batch), [1, 2, 1, 1, 1, 1, 1, 1]);
    }

    #[tokio::test]
    async fn what_is_in_line_at_the_end_is_worked_on() {
        let (admission, mut line) = line(&[1, 1]);
        drop(admission);
        let at = FlushAt { items: 9, age: NEVER };
        assert_eq!(counts(collect(at, &mut line).await), [1, 1]);
        assert!(collect(at, &mut line).await.is_none());
    }
}
