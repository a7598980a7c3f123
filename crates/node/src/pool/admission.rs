//! The line through which every transaction enters: verified in batches, then screened in order.

use super::Pool;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use tokio::sync::oneshot;
use vigil_accel::engine::{Batcher, FlushAt, Op, Size};
use vigil_crypto::VerifiedTx;
use vigil_mempool::Refused;
use vigil_net::{GossipId, NetHandle, Verdict};
use vigil_primitives::{Bytes, Hash, RlpError, Tx};

/// Forms in which a pending report is published, one after another: so many times in one message. The gossip layer knows
/// messages by their bytes, and drops one that it knows: for a minute, and then until another one comes. Of three, the
/// first is forgotten when the third comes, at the latest.
const FORMS: usize = 3;

/// Transactions with where they come from.
#[derive(Debug)]
pub struct Submission {
    /// Raw, in order.
    pub txs: Vec<Bytes>,
    /// From where.
    pub origin: Origin,
}

impl Submission {
    fn size(&self) -> Size {
        Size { items: self.txs.len(), bytes: self.txs.iter().map(|tx| tx.len()).sum() }
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

/// The way in. When the last clone is dropped, what is in line is admitted and the thread ends.
#[derive(Clone, Debug)]
pub struct Admission {
    batcher: Arc<Batcher<Submission>>,
    net: NetHandle,
}

impl Admission {
    /// Starts the thread. A batch starts as `at` says, so that the engine gets many signatures at a time.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(pool: Arc<Pool>, net: NetHandle, at: FlushAt) -> std::io::Result<Self> {
        let to = net.clone();
        let batcher = Batcher::start("admission", Op::Recover, at, move |batch| admit_or_ignore(&pool, &to, batch))?;
        Ok(Self { batcher: Arc::new(batcher), net })
    }

    /// Puts a client's transaction in line and waits for the verdict. Its place in line is taken when this is first
    /// polled, unless the line is full: then it waits for room.
    ///
    /// # Errors
    /// [`Rejected`]; `None`: admission failed over its batch, and the verdict is not known.
    pub async fn submit(&self, raw: Bytes) -> Option<Result<Hash, Rejected>> {
        let (reply, answer) = oneshot::channel();
        let submission = Submission { txs: vec![raw], origin: Origin::Client(reply) };
        let size = submission.size();
        self.batcher.put(submission, size).await;
        answer.await.ok()
    }

    /// Publishes a pending report once more, to whoever was too busy to judge it; who has it passes it on. `times`: how
    /// often it was published before. At most once a minute.
    pub fn publish_again(&self, report: &Bytes, times: usize) {
        let _net_is_busy = self.net.publish_txs(vec![report.clone(); times % FORMS + 1]);
    }

    /// Puts a peer's transactions in line, if there is room; otherwise gives them back.
    ///
    /// # Errors
    /// The submission, if the line is full.
    pub fn offer(&self, submission: Submission) -> Result<(), Box<Submission>> {
        let size = submission.size();
        self.batcher.offer(submission, size).map_err(Box::new)
    }
}

/// As [`admit`]; if it panics, the network need not wait for verdicts on the messages of the batch.
fn admit_or_ignore(pool: &Pool, net: &NetHandle, batch: Vec<Submission>) {
    let message = |submission: &Submission| match &submission.origin {
        Origin::Gossip(message) => Some(message.clone()),
        Origin::Client(_) => None,
    };
    let messages: Vec<GossipId> = batch.iter().filter_map(message).collect();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| admit(pool, net, batch))) {
        for message in messages {
            let _net_is_busy = net.report(message, Verdict::Ignore);
        }
        resume_unwind(panic);
    }
}

fn admit(pool: &Pool, net: &NetHandle, batch: Vec<Submission>) {
    let raws: Vec<Bytes> = batch.iter().flat_map(|s| s.txs.iter().cloned()).collect();
    let hashes = pool.hashes_of(&raws);
    // What was seen needs no signature check.
    let (seen, reports): (HashSet<Hash>, HashSet<Hash>) = {
        let mempool = pool.mempool();
        let is_report = |hash: &&Hash| mempool.get(hash).is_some_and(|tx| matches!(tx.tx(), Tx::Slash(_)));
        let seen = hashes.iter().filter(|hash| mempool.is_seen(hash)).copied().collect();
        (seen, hashes.iter().filter(is_report).copied().collect())
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
    answer(net, batch, &hashes, results, &reports);
}

/// Outcome of one transaction: whether it is provably bad, and the answer to who sent it.
struct Judged {
    bad: bool,
    accepted: bool,
    result: Result<(), Rejected>,
}

fn screen(pool: &Pool, judged: Vec<Result<Arc<VerifiedTx>, Rejected>>) -> Vec<Judged> {
    // Without the lock: evidence is dear to judge.
    let judge = |tx: &Result<Arc<VerifiedTx>, _>| tx.as_ref().map_or(Ok(()), |tx| pool.judge_report(tx));
    let reports: Vec<Result<(), Refused>> = judged.iter().map(judge).collect();
    let now = pool.now();
    let mut mempool = pool.mempool();
    let insert = |(tx, report): (Result<Arc<VerifiedTx>, Rejected>, Result<(), Refused>)| match tx {
        Ok(tx) => {
            let (signed, is_report) = (tx.all_valid(), matches!(tx.tx(), Tx::Slash(_)));
            let result = report.and_then(|()| mempool.insert(now, Arc::clone(&tx)));
            if result.is_ok() {
                pool.note_admitted(&tx);
            }
            // Forged evidence is as bad as a forged signature: nobody who checked it passes it on.
            let forged = is_report && result.as_ref().is_err_and(Refused::is_bad_signature);
            let bad = !signed || forged;
            Judged { bad, accepted: result.is_ok(), result: result.map_err(Rejected::Refused) }
        }
        Err(error) => Judged { bad: matches!(error, Rejected::Decode(_)), accepted: false, result: Err(error) },
    };
    judged.into_iter().zip(reports).map(insert).collect()
}

/// `reports`: the slash transactions among them that were pending before.
fn answer(net: &NetHandle, batch: Vec<Submission>, hashes: &[Hash], results: Vec<Judged>, reports: &HashSet<Hash>) {
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
                let (mut bad, mut accepted, mut named) = (false, 0, Vec::with_capacity(count));
                for (judged, hash) in results.by_ref().take(count) {
                    bad |= judged.bad;
                    accepted += u64::from(judged.accepted);
                    named.push(*hash);
                }
                accepted_total += accepted;
                let verdict = match (bad, accepted) {
                    (true, _) => Verdict::Reject,
                    (false, 0) if !is_repetition(&named, reports) => Verdict::Ignore,
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

/// True for a pending report in one of its [`FORMS`], and nothing else: peers of ours may have been too busy to judge it. So
/// nobody can have more than that passed on for nothing.
fn is_repetition(message: &[Hash], reports: &HashSet<Hash>) -> bool {
    let Some(first) = message.first() else { return false };
    message.len() <= FORMS && reports.contains(first) && message.iter().all(|hash| hash == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_report_alone_is_passed_on_and_in_few_forms() {
        let [report, other, payment] = [1, 2, 3].map(Hash::repeat_byte);
        let pending = HashSet::from([report, other]);
        for times in 1..=FORMS {
            assert!(is_repetition(&vec![report; times], &pending));
        }
        for message in [vec![], vec![report; FORMS + 1], vec![payment], vec![report, payment], vec![report, other]] {
            assert!(!is_repetition(&message, &pending), "{message:?}");
        }
    }
}
