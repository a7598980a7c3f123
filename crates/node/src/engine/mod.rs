//! The thread that owns the consensus machine: inputs in, effects performed in order.
//!
//! Several inputs are stepped before their effects are performed, so that one sync of the signing journal covers all
//! that they sign (`spec/consensus.md` §1.13). Nothing signed leaves before the journal is synced. If the journal cannot
//! be written the engine stands still until it can: a validator that cannot remember must not speak.

mod clock;
mod inputs;
mod look_up;
mod signer;

pub use clock::Clock;
pub use inputs::{Inputs, Waiting};
pub use look_up::LookUps;
pub(crate) use signer::mark;
pub use signer::{JournalRefusal, Signer, journal_owner};

use crate::chain::Chain;
use crate::executor::{Job, Shared};
use crate::health::{Fault, Health};
use crate::reporter::Offence;
use crate::stages::stage;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender as TokioSender};
use tokio::sync::watch;
use vigil_consensus::{Effect, HaltReason, Input, Machine, Message, Millis, Peer, Penalty, RolledBack, TimerId, View};
use vigil_net::{NetHandle, points};
use vigil_primitives::{Address, Block, Bytes, Hash};

/// Inputs stepped before their effects are performed.
const BATCH_MAX: usize = 64;
/// Longest sleep when no timer is set.
const IDLE: Duration = Duration::from_secs(1);
/// Time between two attempts to write what must be durable.
const RETRY: Duration = Duration::from_millis(500);

/// What others see of the machine.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The machine's own view.
    pub view: View,
    /// The block a proposal would extend.
    pub tip: Hash,
    /// The committee that counts now.
    pub validators: Vec<Address>,
    /// True if this node signs.
    pub signing: bool,
}

/// Observed state, shared with the RPC.
pub type Observatory = Arc<Mutex<Observed>>;

/// The engine.
pub struct Engine {
    /// Consensus.
    pub machine: Machine,
    /// Inputs from the network and the executor.
    pub inputs: Receiver<Waiting>,
    /// Work for the executor.
    pub jobs: Sender<Job>,
    /// With the executor.
    pub shared: Arc<Shared>,
    /// The chain, for what must be durable there.
    pub chain: Arc<Chain>,
    /// Answers to peers.
    pub look_ups: LookUps,
    /// The network.
    pub net: NetHandle,
    /// The journal; `None`: this node does not sign.
    pub signer: Option<Signer>,
    /// Where faults go.
    pub health: Arc<Health>,
    /// To the reporter.
    pub offences: TokioSender<Offence>,
    /// What others see.
    pub observatory: Observatory,
    /// Becomes true at shutdown.
    pub stopping: watch::Receiver<bool>,
    /// The clocks.
    pub clock: Clock,
}

impl Engine {
    /// What the machine shows at its start.
    pub fn first_look(machine: &Machine, signing: bool) -> Observed {
        let validators = machine.validators().members().iter().map(|v| v.address).collect();
        let view = machine.view();
        Observed { signing: signing && !view.halted, view, tip: machine.tip(), validators }
    }

    /// Runs until `stopping` or until the other parts are gone. Blocks the thread it is on; `runtime` is only waited on.
    pub fn run(mut self, runtime: &tokio::runtime::Handle) {
        let mut timers = BTreeMap::new();
        let mut effects = Vec::new();
        self.machine.step(self.clock.now(), Input::Start, &mut effects);
        let mut told = BTreeSet::new();
        loop {
            self.tell_validators(&mut told);
            self.perform(&mut effects, &mut timers);
            self.observe();
            let Some(inputs) = self.next_inputs(runtime, &mut timers) else { break };
            self.machine.check_ahead(&inputs);
            for input in inputs {
                self.machine.step(self.clock.now(), input, &mut effects);
            }
        }
        let _executor_is_gone = self.jobs.send(Job::Stop);
    }

    /// Waits for inputs or timers. `None`: the end.
    fn next_inputs(
        &mut self,
        runtime: &tokio::runtime::Handle,
        timers: &mut BTreeMap<TimerId, Millis>,
    ) -> Option<Vec<Input>> {
        let now = self.clock.now().mono;
        let wait = timers.values().min().map_or(IDLE, |at| Duration::from_millis(at.saturating_sub(now)));
        let (inputs, stopping) = (&mut self.inputs, &mut self.stopping);
        let first = runtime.block_on(async {
            tokio::select! {
                biased;
                () = crate::node::stopped(stopping) => None,
                input = inputs.recv() => input.map(|waiting| Some(waiting.input)),
                () = tokio::time::sleep(wait) => Some(None),
            }
        })?;
        let mut batch: Vec<Input> = first.into_iter().collect();
        while batch.len() < BATCH_MAX
            && let Ok(waiting) = self.inputs.try_recv()
        {
            batch.push(waiting.input);
        }
        let now = self.clock.now().mono;
        let due: Vec<TimerId> = timers.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        for id in due {
            timers.remove(&id);
            batch.push(Input::Timer(id));
        }
        Some(batch)
    }

    /// Performs effects in order; journal records first, which is earlier than required.
    fn perform(&mut self, effects: &mut Vec<Effect>, timers: &mut BTreeMap<TimerId, Millis>) {
        let records: Vec<_> = effects
            .iter()
            .filter_map(|effect| if let Effect::Journal(record) = effect { Some(record.clone()) } else { None })
            .collect();
        if !records.is_empty()
            && let Some(signer) = &mut self.signer
        {
            let stopping = &self.stopping;
            let durable = stage("journal", || signer.record(&records, &self.health, || *stopping.borrow()));
            if !durable {
                effects.clear(); // stopping: what was not remembered is not said
                return;
            }
            self.chain.note_signed(signer.address(), signer.signed());
        }
        for effect in effects.drain(..) {
            match effect {
                Effect::Journal(_) => {}
                Effect::Send { to, message } => self.send(Some(to), &message),
                Effect::Broadcast(message) => self.send(None, &message),
                Effect::SetTimer { id, at } => drop(timers.insert(id, at)),
                Effect::Execute(block) => self.job(Job::Execute(block)),
                Effect::Build(request) => {
                    self.shared.newest_build.fetch_max(request.epoch, Ordering::Relaxed);
                    self.job(Job::Build(request));
                }
                Effect::StoreOwn(block) => {
                    if !store_own(&self.shared, &self.chain, &self.health, &self.stopping, &block) {
                        return; // what follows would speak of a block that is not stored
                    }
                }
                Effect::Settled(settled) => self.job(Job::Settle(settled)),
                Effect::Discarded(hashes) => self.job(Job::Discard(hashes)),
                Effect::StoreCert(cert) => self.job(Job::StoreCert(cert)),
                Effect::Lookup { to, lookup } => self.look_ups.answer(to, lookup),
                Effect::Evidence(evidence) => self.report(Offence::Proven(evidence)),
                Effect::Penalize { peer, reason } => self.penalize(peer, reason),
                Effect::Halted(reason) => self.halted(&reason),
            }
        }
    }

    /// A full queue loses evidence: the reporter has its fill then anyway.
    fn report(&self, offence: Offence) {
        if self.offences.try_send(offence).is_err() {
            tracing::warn!("evidence of a fault is lost: too much of it");
        }
    }

    fn halted(&self, reason: &HaltReason) {
        let (HaltReason::RolledBack(found), Some(signer)) = (reason, &self.signer) else {
            let why = format!("consensus halted, more than a third of the stake is faulty: {reason:?}");
            return self.health.raise(Fault::Halted, why);
        };
        let (me, path, RolledBack { signed, known }) = (signer.address(), signer.path().display(), found);
        let why = format!(
            "journal rolled back: not signing. Peers hold what key {me} has signed for epoch {signed}; journal {path}, \
             which reached epoch {known}, does not. It is an older copy, or another node signs with this key. Stop the \
             other node; restore the newest copy; if it is lost for good, move this one away and start once with \
             --fresh-journal"
        );
        self.health.raise(Fault::NotSigning, why);
    }

    fn job(&self, job: Job) {
        let _executor_is_gone = self.jobs.send(job);
    }

    fn send(&mut self, to: Option<Peer>, message: &Message) {
        if let Some(signer) = &mut self.signer {
            signer.note_sent(message);
        }
        metrics::counter!("vigil_consensus_sent_total", "kind" => message.kind()).increment(1);
        let bytes = Bytes::from(message.encode());
        // A full queue drops the message: the protocol's timers send again.
        let sent = match to {
            Some(peer) => self.net.send_consensus(peer, bytes),
            None => self.net.broadcast_consensus(bytes),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, kind = message.kind(), "message dropped");
        }
    }

    fn penalize(&self, peer: Peer, reason: Penalty) {
        let cost = match reason {
            Penalty::BadSignature | Penalty::BadCertificate | Penalty::BadBlock => points::INVALID,
            Penalty::NotAMember => points::UNSOLICITED,
            Penalty::Timeout => points::TIMEOUT,
        };
        metrics::counter!("vigil_peer_penalties_total", "reason" => format!("{reason:?}")).increment(1);
        let _net_is_busy = self.net.penalize(peer, cost, format!("{reason:?}"));
    }

    /// Says to the network who validates, and while a set change is under way who will.
    fn tell_validators(&self, told: &mut BTreeSet<Address>) {
        let tip = self.machine.meta(&self.machine.tip());
        let flagged = tip.and_then(|tip| match tip.pend {
            None => Some(tip),
            Some(flagged) => self.machine.meta(&flagged),
        });
        let next = flagged.and_then(|flagged| flagged.set_after.as_ref());
        let sets = [Some(self.machine.validators()), next].into_iter().flatten();
        let validators: BTreeSet<_> = sets.flat_map(|set| set.members()).map(|member| member.address).collect();
        if validators != *told && self.net.set_validators(validators.iter().copied().collect()).is_ok() {
            *told = validators;
        }
    }

    fn observe(&self) {
        let seen = Self::first_look(&self.machine, self.signer.is_some());
        *self.observatory.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }
}

/// Stores our own block; while the disk is full, tries again. False: it cannot be stored, or we are stopping.
fn store_own(
    shared: &Shared,
    chain: &Chain,
    health: &Health,
    stopping: &watch::Receiver<bool>,
    block: &Arc<Block>,
) -> bool {
    loop {
        match stage("store", || shared.store_own(chain, block)) {
            Ok(true) => {
                health.clear(Fault::DiskFull);
                return true;
            }
            Ok(false) => {
                tracing::error!(hash = %block.hash(), "a block was signed that was not built last");
                return false;
            }
            Err(error) if error.is_disk_full() && !*stopping.borrow() => {
                health.raise(Fault::DiskFull, format!("{error}; not voting until then"));
                std::thread::sleep(RETRY);
            }
            Err(error) => {
                health.raise(Fault::Store, format!("storage failed: {error}"));
                return false;
            }
        }
    }
}
