//! Reports faults that this node has seen (`docs/decisions/0011-slashing.md`): evidence becomes a slash transaction of the
//! node's account, which is sent again until the offender is punished or cannot be any more. What is found is stored
//! before anything is done with it, so a restart forgets no fault.

mod cases;
mod stored;

use self::cases::{Case, Cases, Sent, Taken};
use crate::chain::{Chain, ChainError};
use crate::node::stopped;
use crate::pool::{Admission, Pool, Rejected};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use vigil_crypto::{SecretKey, sign_tx};
use vigil_ledger::{Punishable, double_voters, punishable};
use vigil_primitives::{AggregatedVotes, Evidence, Height, Slash, Tx, TxInput};

/// Offenders that wait to be punished, and pairs of guardians' votes that wait to be looked at; more wait, or are forgotten.
pub const CASES_MAX: usize = 256;
/// Blocks after the fault before it is reported: a node that is a little behind would refuse the report as too early and
/// not pass it on. (At most half of the time in which it can be punished.)
const MARGIN: Height = 8;
/// Time between two attempts.
const RETRY: Duration = Duration::from_secs(1);

/// A report that is pending for so long is published again: peers refuse one while they have no time to judge it.
const AGAIN: Duration = Duration::from_secs(60);

/// What the engine has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offence {
    /// One offender's.
    Proven(Box<Evidence>),
    /// Votes of guardians on two blocks of one height, both judged: whoever is in both.
    Guardians(Box<(AggregatedVotes, AggregatedVotes)>),
}

/// Votes of guardians on two blocks of one height.
type Pair = Box<(AggregatedVotes, AggregatedVotes)>;

/// Reports that the engine has evidence for.
pub struct Reporter {
    /// For who is punished already, and for the store.
    chain: Arc<Chain>,
    /// For our sequence and our pending report.
    pool: Arc<Pool>,
    admission: Admission,
    /// Of our account.
    key: SecretKey,
    cases: Cases,
    /// Votes whose guardian sets the settled state does not remember yet.
    votes: Vec<Pair>,
}

impl Reporter {
    /// A reporter that goes on where the last one stopped. `admission` is the way into `pool`; `key` is that of the account
    /// that reports.
    ///
    /// # Errors
    /// The store's.
    pub fn open(chain: Arc<Chain>, pool: Arc<Pool>, admission: Admission, key: SecretKey) -> Result<Self, ChainError> {
        let mut reporter = Self { chain, pool, admission, key, cases: Cases::default(), votes: Vec::new() };
        for offence in stored::load(reporter.chain.store().as_ref())? {
            match offence {
                Offence::Proven(evidence) => drop(reporter.cases.take(*evidence)),
                Offence::Guardians(votes) => reporter.votes.push(votes),
            }
        }
        Ok(reporter)
    }

    /// Works until `stopping` or until the engine is gone.
    pub async fn run(mut self, mut offences: mpsc::Receiver<Offence>, mut stopping: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(RETRY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut told = false;
        loop {
            tokio::select! {
                () = stopped(&mut stopping) => break,
                found = offences.recv() => match found {
                    Some(offence) => self.note(offence),
                    None => return,
                },
                _ = tick.tick(), if !(self.cases.is_empty() && self.votes.is_empty()) => {}
            }
            if let Err(why) = self.report(Instant::now()).await {
                if !told {
                    tracing::warn!("cannot report a fault: {why}");
                }
                told = true;
            }
        }
        while let Ok(offence) = offences.try_recv() {
            self.note(offence);
        }
    }

    fn note(&mut self, offence: Offence) {
        match offence {
            Offence::Proven(evidence) => drop(self.take(*evidence)),
            Offence::Guardians(votes) => self.take_votes(votes),
        }
    }

    /// False: there is no room for it now.
    fn take(&mut self, evidence: Evidence) -> bool {
        let (offender, role, height) = (evidence.offender(), evidence.role(), evidence.height());
        match self.cases.take(evidence.clone()) {
            Taken::Known => return true,
            Taken::NoRoom => return false,
            Taken::New => {}
            Taken::InsteadOf(later) => self.unstore(&Offence::Proven(later)),
        }
        tracing::warn!(%offender, ?role, height, "broke the protocol");
        tracing::debug!(%offender, ?evidence);
        metrics::counter!("vigil_faults_seen_total").increment(1);
        self.store(&Offence::Proven(Box::new(evidence)));
        true
    }

    fn take_votes(&mut self, votes: Pair) {
        if self.votes.len() < CASES_MAX && !self.votes.contains(&votes) {
            self.store(&Offence::Guardians(votes.clone()));
            self.votes.push(votes);
        }
    }

    /// What cannot be stored is reported all the same, unless the node stops before.
    fn store(&self, offence: &Offence) {
        if let Err(error) = stored::keep(self.chain.store().as_ref(), offence) {
            tracing::warn!(%error, "evidence of a fault is in memory only");
        }
    }

    fn unstore(&self, offence: &Offence) {
        if let Err(error) = stored::forget(self.chain.store().as_ref(), offence) {
            tracing::warn!(%error, "evidence of a closed fault stays in the store");
        }
    }

    /// Sends the first report that can be sent now: a report must be the next transaction of its account.
    async fn report(&mut self, at: Instant) -> Result<(), String> {
        self.accuse_guardians()?;
        self.forget_done()?;
        let me = self.key.address();
        let margin = MARGIN.min(self.chain.params().return_locking_period / 2);
        let domain = self.chain.sign_domain();
        let head = self.chain.head();
        for case in self.cases.values_mut() {
            let (state, height) = (&head.as_parent.state, head.as_parent.height);
            let now =
                punishable(state, self.chain.params(), &domain, height, &case.evidence).map_err(|e| e.to_string())?;
            let early = case.evidence.height().saturating_add(margin) > height;
            if now != Punishable::Yes || early {
                continue;
            }
            if let Some(sent) = &mut case.sent
                && let Some(pending) = self.pool.pending(&sent.hash)
            {
                if at.saturating_duration_since(sent.at) >= AGAIN {
                    self.admission.publish_again(pending.raw(), sent.times);
                    (sent.at, sent.times) = (at, sent.times + 1);
                }
                return Ok(());
            }
            if let Evidence::GuardianDoubleVote(_, votes) = &case.evidence {
                // Our machines judged them: they need not wait in line with what others may have forged.
                [&votes.0, &votes.1].into_iter().for_each(|votes| self.chain.proofs().note(votes));
            }
            let account = self.pool.account(&me).map_err(|e| e.to_string())?;
            let sequence = account.ok_or_else(|| format!("account {me} does not exist: send it something"))?.sequence;
            let raw = slash(&self.chain.params().chain_id, &self.key, sequence.saturating_add(1), &case.evidence);
            match self.admission.submit(raw.into()).await {
                Some(Ok(hash)) => {
                    tracing::info!(offender = %case.evidence.offender(), %hash, "reported");
                    case.sent = Some(Sent { hash, at, times: 1 });
                    return Ok(());
                }
                // Somebody else has reported it, or something of ours is before it: later.
                Some(Err(Rejected::Refused(why))) => tracing::debug!(%why, "a report has to wait"),
                Some(Err(Rejected::Decode(why))) => return Err(why.to_string()),
                None => return Err("admission failed".to_owned()),
            }
        }
        Ok(())
    }

    /// Makes a case against each guardian that is in both votes of a pair, once the state names the guardians.
    fn accuse_guardians(&mut self) -> Result<(), String> {
        let head = self.chain.head();
        let period = self.chain.params().return_locking_period;
        let mut outcome = Ok(());
        for votes in std::mem::take(&mut self.votes) {
            let old = votes.0.checkpoint.height.saturating_add(period) <= head.as_parent.height;
            match double_voters(&head.as_parent.state, &votes) {
                Ok(None) if old => {}
                Ok(Some(found)) => {
                    if !self.take_all(found)? {
                        self.votes.push(votes);
                        continue;
                    }
                }
                not_now => {
                    outcome = outcome.and(not_now.map(drop).map_err(|e| e.to_string()));
                    self.votes.push(votes);
                    continue;
                }
            }
            self.unstore(&Offence::Guardians(votes));
        }
        outcome
    }

    /// Makes cases as long as there is room. True if nobody is left who can be punished and has none.
    fn take_all(&mut self, found: Vec<Evidence>) -> Result<bool, String> {
        let (head, domain) = (self.chain.head(), self.chain.sign_domain());
        let (state, height) = (&head.as_parent.state, head.as_parent.height);
        for evidence in found {
            let punishable = punishable(state, self.chain.params(), &domain, height, &evidence);
            let is_open = !matches!(punishable.map_err(|e| e.to_string())?, Punishable::Never(_));
            if is_open && !self.take(evidence) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Forgets faults that are punished, or can never be.
    fn forget_done(&mut self) -> Result<(), String> {
        let head = self.chain.head();
        let (state, height) = (&head.as_parent.state, head.as_parent.height);
        let (params, domain) = (self.chain.params(), self.chain.sign_domain());
        let mut done = Vec::new();
        for (key, case) in self.cases.iter() {
            match punishable(state, params, &domain, height, &case.evidence).map_err(|e| e.to_string())? {
                Punishable::Never(why) => {
                    tracing::info!(offender = %key.0, %why, "a fault is closed");
                    done.push(*key);
                }
                Punishable::Yes | Punishable::Later => {}
            }
        }
        for key in done {
            if let Some(Case { evidence, .. }) = self.cases.remove(&key) {
                self.unstore(&Offence::Proven(Box::new(evidence)));
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("cases", &self.cases.len()).finish_non_exhaustive()
    }
}

/// The raw slash transaction of the account of `key` with that sequence.
pub fn slash(chain_id: &str, key: &SecretKey, sequence: u64, evidence: &Evidence) -> Vec<u8> {
    let mut tx = Tx::Slash(Slash {
        proposer: TxInput { address: key.address(), sequence, ..TxInput::default() },
        slashed_address: evidence.offender(),
        reserve_sequence: 0,
        slash_proof: evidence.to_bytes().into(),
    });
    sign_tx(chain_id, &mut tx, 0, key).expect("a slash transaction has a slot 0");
    tx.to_raw()
}

#[cfg(test)]
mod tests;
