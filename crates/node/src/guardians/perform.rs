//! What machines ask for, performed in order.

use super::host::{Host, Work};
use super::neighbours::Place;
use super::seat::Seat;
use super::waiting::Waiting;
use super::wire::{TO_MAX, Told};
use crate::health::{Fault, with_causes};
use crate::reporter::Offence;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use vigil_accel::checkpoint::Aggregate;
use vigil_consensus::Peer;
use vigil_consensus::finality::{Effect, Input, Penalty, Record};
use vigil_net::points;
use vigil_primitives::{Address, AggregatedVotes, FinalityCert};

impl Work {
    /// Performs in order. What was not remembered is not said: then the seat waits.
    pub(super) fn perform_all(&mut self, seat: usize, effects: impl Into<VecDeque<Effect>>) {
        let mut effects = effects.into();
        while let Some(effect) = effects.pop_front() {
            self.perform(seat, effect, &mut effects);
        }
    }

    /// Tries again to write the journal of a seat. If that works, the seat goes on with what it was told meanwhile.
    pub(super) fn resume(&mut self, seat: usize, waiting: Waiting) {
        let Waiting { effects, mut inputs, .. } = waiting;
        self.perform_all(seat, effects);
        if let Some(still) = &mut self.host.seats[seat].waiting {
            still.inputs = inputs;
            return;
        }
        // Before whatever else is in line for it. Its timer may have run out meanwhile.
        inputs.push_back(Input::Timer);
        inputs.into_iter().rev().for_each(|input| self.queue.push_front((seat, input)));
    }

    fn perform(&mut self, seat: usize, effect: Effect, rest: &mut VecDeque<Effect>) {
        match effect {
            Effect::Journal(record) => {
                if !self.remember(seat, record) {
                    rest.push_front(effect);
                    let waiting = Waiting::new(std::mem::take(rest), self.now());
                    self.host.seats[seat].waiting = Some(waiting);
                }
            }
            Effect::Send { to, votes } => {
                // The same for several neighbours: a message for each connection, not for each of them.
                let mut all = vec![to];
                while let Some(Effect::Send { to, .. }) = rest.pop_front_if(|next| is_same(next, &votes)) {
                    all.push(to);
                }
                self.say(seat, &all, &votes);
            }
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
                self.host.silence.begin(id, format!("it does not vote at {height}: {reason}"));
            }
        }
    }

    /// A record is a new vote: the guardian is not silent. False: it may not be said yet.
    fn remember(&mut self, seat: usize, record: Record) -> bool {
        let Host { seats, silence, .. } = &mut self.host;
        let Seat { id, journal: Some(journal), .. } = &mut seats[seat] else { return false };
        match journal.record(record) {
            Ok(()) => {
                silence.end(id);
                true
            }
            Err(error) => {
                silence.begin(*id, format!("cannot write its journal, not voting: {}", with_causes(&error)));
                false
            }
        }
    }

    fn say(&mut self, seat: usize, to: &[Peer], votes: &AggregatedVotes) {
        let from = self.host.seats[seat].id;
        let mut there: BTreeMap<Peer, Vec<Address>> = BTreeMap::new();
        for (place, who) in to.iter().filter_map(|to| self.links.neighbour(seat, *to)) {
            match place {
                Place::There(peer) => there.entry(peer).or_default().push(who),
                Place::Here => {
                    if let Some((other, from)) = self.links.heard(Place::Here, from, who) {
                        self.queue.push_back((other, Input::Received { from, votes: votes.clone() }));
                    }
                }
            }
        }
        for (peer, to) in there {
            for to in to.chunks(TO_MAX) {
                self.send(peer, Told::Votes { from, to: to.to_vec(), votes: Box::new(votes.clone()) });
            }
        }
    }

    pub(super) fn send(&self, peer: Peer, told: Told) {
        metrics::counter!("vigil_guardian_sent_total").increment(1);
        if let Err(error) = self.host.net.send_guardian(peer, told.encode()) {
            tracing::debug!(%error, "guardian message dropped");
        }
    }

    /// The first machine that learns it tells the others of the process: it was judged here.
    fn on_final(&mut self, seat: usize, cert: &Arc<FinalityCert>) {
        let height = cert.checkpoint.height;
        if self.host.chain.final_height() >= height {
            return;
        }
        tracing::info!(height, hash = %cert.checkpoint.block_hash, "checkpoint is final");
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
        let Some((place, who)) = self.links.neighbour(seat, peer) else { return };
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

    pub(super) fn penalize(&self, peer: Peer, points: u32, reason: &str) {
        metrics::counter!("vigil_peer_penalties_total", "reason" => "Guardian").increment(1);
        let _net_is_busy = self.host.net.penalize(peer, points, reason);
    }
}

/// Whether an effect says these votes, too.
fn is_same(effect: &Effect, votes: &Arc<AggregatedVotes>) -> bool {
    matches!(effect, Effect::Send { votes: others, .. } if Arc::ptr_eq(others, votes))
}
