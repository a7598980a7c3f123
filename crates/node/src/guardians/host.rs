//! The thread: events in, machines stepped.

use super::inbox::Guardians;
use super::links::{Act, Links};
use super::proofs::{Proofs, introduction};
use super::seat::Seat;
use super::silence::Silence;
use super::verifier::Verifier;
use super::wire::Told;
use crate::chain::Chain;
use crate::engine::Clock;
use crate::health::Health;
use crate::reporter::Offence;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use vigil_consensus::finality::{Input, SettledCheckpoint};
use vigil_consensus::{Millis, Peer};
use vigil_net::{NetHandle, PeerId, points};
use vigil_primitives::{Bytes, FinalityCert, GuardianSet};

/// Least time, in milliseconds, before peers are told again whom we host though nothing changed: it may have been lost.
const AGAIN: Millis = 10_000;
/// Longest sleep when no timer is set.
const IDLE: Duration = Duration::from_secs(1);

/// What the host is told.
pub enum Event {
    /// A peer is there, with the network identity that it has proven.
    Connected(Peer, PeerId),
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

/// The machines of this process.
pub struct Host {
    /// The way in.
    pub guardians: Guardians,
    /// At least one.
    pub seats: Vec<Seat>,
    /// The newest that is known.
    pub set: Arc<GuardianSet>,
    /// Votes go through it.
    pub verifier: Arc<Verifier>,
    /// Certificates are stored there.
    pub chain: Arc<Chain>,
    /// To other processes.
    pub net: NetHandle,
    /// Where faults go.
    pub health: Arc<Health>,
    /// Guardians that do not vote.
    pub silence: Silence,
    /// To the reporter.
    pub offences: tokio::sync::mpsc::Sender<Offence>,
    /// Monotonic time.
    pub clock: Clock,
}

/// A host at work.
pub(super) struct Work {
    pub(super) host: Host,
    pub(super) links: Links,
    pub(super) proofs: Proofs,
    /// When peers were told last whom we host, whether that was new or not.
    pub(super) told_again: Millis,
    pub(super) queue: VecDeque<(usize, Input)>,
    pub(super) stopping: bool,
}

impl Host {
    /// Works until [`Event::Stop`], or until nobody can tell it anything.
    pub fn run(self, events: &Receiver<Event>) {
        let mut work = self.at_work();
        work.relink();
        while !work.stopping {
            work.drain();
            match events.recv_timeout(work.sleep()) {
                Ok(event) => work.on_event(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            work.on_timers();
            work.relink();
        }
    }

    /// With its machines about to start.
    pub(super) fn at_work(self) -> Work {
        let mut links = Links::new(self.seats.iter().map(|seat| seat.id).collect(), &mut rand::rng());
        links.introduce(introduction(&self.seats, &self.set), false);
        let proofs = Proofs::new(self.chain.sign_domain(), Arc::clone(&self.verifier), Arc::clone(&self.set));
        let queue = (0..self.seats.len()).map(|seat| (seat, Input::Start)).collect();
        Work { host: self, links, proofs, told_again: 0, queue, stopping: false }
    }
}

impl Work {
    pub(super) fn now(&self) -> Millis {
        self.host.clock.mono_ms()
    }

    fn sleep(&self) -> Duration {
        let times = |seat: &Seat| [seat.timer, seat.waiting.as_ref().map(|waiting| waiting.at)];
        let next = self.host.seats.iter().flat_map(times).flatten().min();
        next.map_or(IDLE, |at| Duration::from_millis(at.saturating_sub(self.now())).min(IDLE))
    }

    pub(super) fn on_timers(&mut self) {
        let now = self.now();
        for i in 0..self.host.seats.len() {
            let seat = &mut self.host.seats[i];
            if seat.timer.take_if(|at| *at <= now).is_some() {
                self.queue.push_back((i, Input::Timer));
            }
            if let Some(waiting) = seat.waiting.take_if(|waiting| waiting.at <= now) {
                self.resume(i, waiting);
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected(peer, id) => {
                self.proofs.connected(peer, &id);
                self.links.connected(peer);
            }
            Event::Disconnected(peer) => {
                self.proofs.disconnected(peer);
                self.links.disconnected(peer, &mut rand::rng());
            }
            Event::Told { peer, bytes } => {
                self.host.guardians.taken(peer, bytes.len());
                match Told::decode(&bytes) {
                    Ok(told) => self.on_told(peer, told),
                    Err(error) => self.penalize(peer, points::MALFORMED, &error.to_string()),
                }
            }
            Event::Settled { checkpoints, proven } => {
                if let Some(newest) = checkpoints.last() {
                    self.on_checkpoint(&newest.set);
                    self.host.silence.expect(&newest.set);
                }
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

    /// Who is proven to be where may change with the set, for us and for peers. What was lost is said again.
    fn on_checkpoint(&mut self, set: &Arc<GuardianSet>) {
        self.links.settled(&mut rand::rng());
        self.proofs.settled(Arc::clone(set));
        let now = self.now();
        let again = now >= self.told_again + AGAIN;
        self.links.introduce(introduction(&self.host.seats, set), again);
        if again {
            self.told_again = now;
        }
    }

    fn on_told(&mut self, peer: Peer, told: Told) {
        match told {
            Told::Here(here) => self.proofs.heard(peer, here),
            Told::Link(pairs) => self.links.link(peer, &pairs),
            Told::Apart(pairs) => self.links.apart(peer, &pairs, &mut rand::rng()),
            Told::Votes { from, to, votes } => {
                // Nobody is heard that is no neighbour.
                for to in to {
                    if let Some((seat, from)) = self.links.heard_from(peer, from, to) {
                        self.queue.push_back((seat, Input::Received { from, votes: (*votes).clone() }));
                    }
                }
            }
        }
    }

    /// Does what follows from hosts that were judged, and from neighbours that came or went.
    fn relink(&mut self) {
        for (peer, judged) in self.proofs.take_judged(self.now()) {
            match judged {
                Ok(hosted) => self.links.here(peer, hosted, &mut rand::rng()),
                Err(wrong) => self.penalize(peer, wrong.points(), &wrong.to_string()),
            }
        }
        for act in self.links.take_acts() {
            match act {
                Act::Tell(peer, told) => self.send(peer, told),
                Act::Connected(seat, number) => self.queue.push_back((seat, Input::Connected(number))),
                Act::Disconnected(seat, number) => self.queue.push_back((seat, Input::Disconnected(number))),
                Act::Blame(peer, why) => self.penalize(peer, points::FLOOD, why),
            }
        }
    }

    pub(super) fn drain(&mut self) {
        let mut effects = Vec::new();
        while !self.stopping
            && let Some((seat, input)) = self.queue.pop_front()
        {
            if let Some(waiting) = &mut self.host.seats[seat].waiting {
                waiting.hold(input);
                continue;
            }
            let now = self.now();
            self.host.seats[seat].machine.step(now, input, &mut effects);
            self.perform_all(seat, std::mem::take(&mut effects));
        }
    }
}
