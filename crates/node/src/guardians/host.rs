//! The thread: events in, machines stepped, effects performed in order.

use super::links::{BROUGHT_BY_A_PEER_MAX, LINKS_MAX, OUTGOING, Place, choose};
use super::seat::Seat;
use super::verifier::Verifier;
use super::wire::Told;
use crate::chain::Chain;
use crate::engine::Clock;
use crate::executor::Shared;
use crate::health::{Fault, Health, with_causes};
use crate::reporter::Offence;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use vigil_accel::checkpoint::Aggregate;
use vigil_consensus::finality::{Effect, Input, Penalty, Record, SettledCheckpoint};
use vigil_consensus::{Millis, Peer};
use vigil_net::{NetHandle, points};
use vigil_primitives::{Address, AggregatedVotes, Bytes, FinalityCert};

/// Messages of peers that wait for the thread; more are dropped, as machines repeat themselves.
const WAITING_MAX: usize = 8_192;
/// Longest sleep when no timer is set.
const IDLE: Duration = Duration::from_secs(1);
/// Time between two attempts to write what must be durable.
const RETRY: Duration = Duration::from_millis(500);

/// What the host is told.
pub enum Event {
    /// A peer is there.
    Connected(Peer),
    /// A peer is gone.
    Disconnected(Peer),
    /// A message on the guardian channel.
    Told {
        /// From whom.
        peer: Peer,
        /// Undecoded.
        bytes: Bytes,
    },
    /// Blocks are settled: checkpoints among them, and certificates that they carry.
    Settled {
        /// Ascending.
        checkpoints: Vec<SettledCheckpoint>,
        /// Judged when the blocks were executed.
        proven: Vec<FinalityCert>,
    },
    /// The end.
    Stop,
}

/// The way to the host.
#[derive(Clone)]
pub struct Guardians {
    events: Sender<Event>,
    waiting: Arc<AtomicUsize>,
}

impl Guardians {
    /// A way, and its end for [`Host::run`].
    pub fn new() -> (Self, Receiver<Event>) {
        let (events, out) = mpsc::channel();
        (Self { events, waiting: Arc::default() }, out)
    }

    /// Tells the host. Messages of peers are dropped while too many wait.
    pub fn tell(&self, event: Event) {
        if matches!(event, Event::Told { .. }) {
            if self.waiting.load(Ordering::Relaxed) >= WAITING_MAX {
                metrics::counter!("vigil_guardian_dropped_total").increment(1);
                return;
            }
            self.waiting.fetch_add(1, Ordering::Relaxed);
        }
        let _host_has_ended = self.events.send(event);
    }
}

/// The machines of this process.
pub struct Host {
    /// The way in.
    pub guardians: Guardians,
    /// At least one.
    pub seats: Vec<Seat>,
    /// Votes go through it.
    pub verifier: Arc<Verifier>,
    /// Certificates are stored there.
    pub chain: Arc<Chain>,
    /// Whether the node stops.
    pub shared: Arc<Shared>,
    /// To other processes.
    pub net: NetHandle,
    /// Where faults go.
    pub health: Arc<Health>,
    /// To the reporter.
    pub offences: tokio::sync::mpsc::Sender<Offence>,
    /// Monotonic time.
    pub clock: Clock,
}

/// A host at work.
struct Work {
    host: Host,
    seat_of: HashMap<Address, usize>,
    /// Guardians behind each connection; `None` until it has said.
    peers: BTreeMap<Peer, Option<Vec<Address>>>,
    queue: VecDeque<(usize, Input)>,
    stopping: bool,
}

impl Host {
    /// Works until [`Event::Stop`], or until nobody can tell it anything.
    pub fn run(self, events: &Receiver<Event>) {
        let seat_of = self.seats.iter().enumerate().map(|(i, seat)| (seat.id, i)).collect();
        let queue = (0..self.seats.len()).map(|seat| (seat, Input::Start)).collect();
        let mut work = Work { host: self, seat_of, peers: BTreeMap::new(), queue, stopping: false };
        work.look_for_neighbours();
        while !work.stopping {
            work.drain();
            match events.recv_timeout(work.sleep()) {
                Ok(event) => work.on_event(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            work.on_timers();
        }
    }
}

impl Work {
    fn now(&self) -> Millis {
        self.host.clock.mono_ms()
    }

    fn sleep(&self) -> Duration {
        let next = self.host.seats.iter().filter_map(|seat| seat.timer).min();
        next.map_or(IDLE, |at| Duration::from_millis(at.saturating_sub(self.now())).min(IDLE))
    }

    fn on_timers(&mut self) {
        let now = self.now();
        for (i, seat) in self.host.seats.iter_mut().enumerate() {
            if seat.timer.take_if(|at| *at <= now).is_some() {
                self.queue.push_back((i, Input::Timer));
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected(peer) => {
                self.peers.insert(peer, None);
                self.send(peer, Told::Here(self.host.seats.iter().map(|seat| seat.id).collect()));
            }
            Event::Disconnected(peer) => {
                self.peers.remove(&peer);
                for (i, seat) in self.host.seats.iter_mut().enumerate() {
                    let gone = seat.let_go(Place::There(peer));
                    self.queue.extend(gone.into_iter().map(|peer| (i, Input::Disconnected(peer))));
                }
                self.look_for_neighbours();
            }
            Event::Told { peer, bytes } => {
                self.host.guardians.waiting.fetch_sub(1, Ordering::Relaxed);
                match Told::decode(&bytes) {
                    Ok(told) => self.on_told(peer, told),
                    Err(error) => self.penalize(peer, points::MALFORMED, &error.to_string()),
                }
            }
            Event::Settled { checkpoints, proven } => {
                for i in 0..self.host.seats.len() {
                    if !checkpoints.is_empty() {
                        self.queue.push_back((i, Input::Settled(checkpoints.clone())));
                    }
                    let certs = proven.iter().map(|cert| (i, Input::Proven(Arc::new(cert.clone()))));
                    self.queue.extend(certs);
                }
            }
            Event::Stop => self.stopping = true,
        }
    }

    fn on_told(&mut self, peer: Peer, told: Told) {
        let Some(hosted) = self.peers.get_mut(&peer) else { return };
        match told {
            Told::Here(guardians) => {
                if hosted.is_some() {
                    return self.penalize(peer, points::UNSOLICITED, "it said twice whom it hosts");
                }
                *hosted = Some(guardians);
                self.look_for_neighbours();
            }
            Told::Link { from, to } => {
                let is_there = hosted.as_ref().is_some_and(|hosted| hosted.contains(&from));
                if is_there && let Some(seat) = self.seat_of.get(&to).copied() {
                    self.link(seat, Place::There(peer), from, false);
                }
            }
            Told::Votes { from, to, votes } => {
                let Some(seat) = self.seat_of.get(&to).copied() else { return };
                // Nobody is heard that is no neighbour.
                if let Some(from) = self.host.seats[seat].number_of(Place::There(peer), from) {
                    self.queue.push_back((seat, Input::Received { from, votes: *votes }));
                }
            }
        }
    }

    /// Each machine looks for neighbours until it has found enough itself.
    fn look_for_neighbours(&mut self) {
        let hosted = self.peers.iter().filter_map(|(peer, who)| Some((Place::There(*peer), who.clone()?)));
        let mut known: BTreeMap<Place, Vec<Address>> = hosted.collect();
        known.insert(Place::Here, self.host.seats.iter().map(|seat| seat.id).collect());
        for seat in 0..self.host.seats.len() {
            let ours = &self.host.seats[seat];
            let wanted = OUTGOING.saturating_sub(ours.outgoing());
            if wanted == 0 {
                continue;
            }
            let have: BTreeSet<(Place, Address)> = ours.neighbours().collect();
            let id = ours.id;
            let open = known.iter().map(|(place, who)| {
                let is_open = |who: &&Address| **who != id && !have.contains(&(*place, **who));
                (*place, who.iter().filter(is_open).copied().collect())
            });
            let own = have.iter().filter(|(place, _)| *place == Place::Here).count();
            for (place, who) in choose(&open.collect(), wanted, own, &mut rand::rng()) {
                if !self.link(seat, place, who, true) {
                    continue;
                }
                match place {
                    Place::There(peer) => self.send(peer, Told::Link { from: id, to: who }),
                    Place::Here => {
                        let other = self.seat_of[&who];
                        self.link(other, Place::Here, id, false);
                    }
                }
            }
        }
    }

    /// Makes somebody a neighbour. False: it is one already, or there is no room.
    fn link(&mut self, seat: usize, place: Place, who: Address, outgoing: bool) -> bool {
        let ours = &mut self.host.seats[seat];
        let brought = ours.neighbours().filter(|(at, _)| *at == place).count();
        let has_room = ours.neighbour_count() < LINKS_MAX && (place == Place::Here || brought < BROUGHT_BY_A_PEER_MAX);
        if !outgoing && !has_room {
            return false;
        }
        let Some(number) = ours.take(place, who, outgoing) else { return false };
        self.queue.push_back((seat, Input::Connected(number)));
        true
    }

    fn drain(&mut self) {
        let mut effects = Vec::new();
        while !self.stopping
            && let Some((seat, input)) = self.queue.pop_front()
        {
            let now = self.now();
            self.host.seats[seat].machine.step(now, input, &mut effects);
            let mut todo: VecDeque<Effect> = effects.drain(..).collect();
            while let Some(effect) = todo.pop_front() {
                if !self.perform(seat, effect) {
                    break; // what was not remembered is not said
                }
            }
        }
    }

    /// False: nothing that follows may be performed.
    fn perform(&mut self, seat: usize, effect: Effect) -> bool {
        match effect {
            Effect::Journal(record) => return self.remember(seat, record),
            Effect::Send { to, votes } => self.say(seat, to, &votes),
            Effect::Verify(job) => {
                let parts: Vec<Aggregate> = job.parts.iter().map(|part| part.as_ref().clone()).collect();
                let merged = self.host.verifier.merge(&job.set, &job.message, &parts);
                metrics::counter!("vigil_guardian_votes_merged_total").increment(parts.len() as u64);
                self.queue.push_front((seat, Input::Verified { id: job.id, merged }));
            }
            Effect::SetTimer(at) => self.host.seats[seat].timer = Some(at),
            // Nobody can ask a node for a reset yet, only the simulator (docs/decisions/0012-reset.md).
            Effect::SendReset { .. } | Effect::Reset(_) => {}
            Effect::Finalized(cert) => self.on_final(seat, &cert),
            Effect::DoubleVote(pair) => self.accuse(pair),
            Effect::Penalize { peer, reason } => self.blame(seat, peer, reason),
            Effect::Abstain { height, reason } => {
                let id = self.host.seats[seat].id;
                self.host.health.raise(Fault::NotSigning, format!("guardian {id} does not vote at {height}: {reason}"));
            }
        }
        true
    }

    /// Waits and tries again while the journal cannot be written.
    fn remember(&mut self, seat: usize, record: Record) -> bool {
        let Some(journal) = &mut self.host.seats[seat].journal else { return false };
        let mut failed = false;
        loop {
            match journal.record(record) {
                Ok(()) => {
                    if failed {
                        self.host.health.clear(Fault::NotSigning);
                    }
                    return true;
                }
                Err(error) => {
                    let why = format!("cannot write a guardian's journal, not voting: {}", with_causes(&error));
                    self.host.health.raise(Fault::NotSigning, why);
                    failed = true;
                }
            }
            if self.host.shared.stopping.load(Ordering::Relaxed) {
                self.stopping = true;
                return false;
            }
            std::thread::sleep(RETRY);
        }
    }

    fn say(&mut self, seat: usize, to: Peer, votes: &AggregatedVotes) {
        let Some((place, who)) = self.host.seats[seat].neighbour(to) else { return };
        let from = self.host.seats[seat].id;
        match place {
            Place::There(peer) => self.send(peer, Told::Votes { from, to: who, votes: Box::new(votes.clone()) }),
            Place::Here => {
                let other = self.seat_of[&who];
                if let Some(from) = self.host.seats[other].number_of(Place::Here, from) {
                    self.queue.push_back((other, Input::Received { from, votes: votes.clone() }));
                }
            }
        }
    }

    fn send(&self, peer: Peer, told: Told) {
        metrics::counter!("vigil_guardian_sent_total").increment(1);
        if let Err(error) = self.host.net.send_guardian(peer, told.encode()) {
            tracing::debug!(%error, "guardian message dropped");
        }
    }

    /// The first machine that learns it tells the others of the process: it was judged here.
    fn on_final(&mut self, seat: usize, cert: &Arc<FinalityCert>) {
        let height = cert.checkpoint.height;
        if self.host.chain.final_cert().is_some_and(|known| known.checkpoint.height >= height) {
            return;
        }
        tracing::info!(height, hash = %cert.checkpoint.block_hash, "checkpoint is final");
        metrics::gauge!("vigil_finalized_height").set(height as f64);
        if let Err(error) = self.host.chain.store_final(cert) {
            self.host.health.raise(Fault::Store, format!("storage failed: {}", with_causes(&error)));
        }
        let others = (0..self.host.seats.len()).filter(|other| *other != seat);
        self.queue.extend(others.map(|other| (other, Input::Proven(Arc::clone(cert)))));
    }

    /// A full queue loses evidence: the reporter has its fill then anyway.
    fn accuse(&self, pair: Box<(AggregatedVotes, AggregatedVotes)>) {
        if self.host.offences.try_send(Offence::Guardians(pair)).is_err() {
            tracing::warn!("evidence of a fault is lost: too much of it");
        }
    }

    fn blame(&self, seat: usize, peer: Peer, reason: Penalty) {
        let Some((place, who)) = self.host.seats[seat].neighbour(peer) else { return };
        let Place::There(peer) = place else {
            return tracing::error!(guardian = %who, %reason, "a machine of this process broke a rule");
        };
        let points = match reason {
            Penalty::Votes(_) => points::INVALID,
            Penalty::Flood => points::UNSOLICITED,
            _ => points::MALFORMED,
        };
        self.penalize(peer, points, &format!("guardian {who}: {reason}"));
    }

    fn penalize(&self, peer: Peer, points: u32, reason: &str) {
        metrics::counter!("vigil_peer_penalties_total", "reason" => "Guardian").increment(1);
        let _net_is_busy = self.host.net.penalize(peer, points, reason);
    }
}
