//! The machine: its state, and the one match over [`Input`].

use super::ballot::Ballot;
use super::chain::Chain;
use super::conflict::Other;
use super::effect::{Effect, Input};
use super::merge::Tally;
use super::own::{Journal, Voter};
use super::peers::Peers;
use super::rounds::Source;
use super::subject::{Subject, Votes};
use super::{Config, SettledCheckpoint};
use crate::{Millis, Peer};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{AggregatedVotes, Checkpoint, FinalityCert, GuardianSet, Height, Reset, ResetCert};

/// What a machine starts with.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// The guardian's signing journal, added up.
    pub journal: Journal,
    /// The highest certificate that was stored.
    pub finalized: Option<FinalityCert>,
    /// Settled checkpoints, ascending: that of the last vote, the last final one with its guardians, and from the lower one
    /// of the two to the head the last [`super::CHECKPOINTS_KEPT`]. Genesis may come first, if nothing else is final: its
    /// guardians vote on a reset from there.
    pub settled: Vec<SettledCheckpoint>,
    /// The certificate of the last reset: `settled` is of the segment that it began.
    pub reset: Option<ResetCert>,
}

/// The finalization machine of one guardian, or of a node without one.
pub struct Machine {
    pub(super) config: Config,
    pub(super) voter: Option<Voter>,
    pub(super) now: Millis,
    /// Effects of the step under way.
    pub(super) out: Vec<Effect>,
    pub(super) chain: Chain,
    /// What we voted for; always equal to the replay of the journal.
    pub(super) journal: Journal,
    pub(super) peers: Peers,
    pub(super) ballot: Option<Ballot>,
    /// What is being verified.
    pub(super) pending: Option<Pending>,
    pub(super) jobs: u64,
    /// Quorums, as their senders say, for what we do not vote on: the latest of each neighbour.
    pub(super) late: BTreeMap<Peer, (Subject, Arc<GuardianSet>, Tally)>,
    /// Votes on other blocks that wait to be judged.
    pub(super) suspects: Vec<(Peer, AggregatedVotes)>,
    /// Those that hold.
    pub(super) others: Vec<Other>,
    /// Another block than ours is final at that height.
    pub(super) forked: Option<Height>,
    /// How often the chain was reset.
    pub(super) resets: u64,
    /// The certificate of the last time.
    pub(super) reset: Option<Arc<ResetCert>>,
    /// The reset that we take part in, and who votes on it.
    pub(super) resetting: Option<(Reset, Arc<GuardianSet>)>,
}

/// A verification under way.
pub(super) struct Pending {
    pub(super) id: u64,
    pub(super) subject: Subject,
    pub(super) set: Arc<GuardianSet>,
    pub(super) purpose: Purpose,
}

/// What the answer is for.
pub(super) enum Purpose {
    /// The sum of a round.
    Round(Vec<Source>),
    /// One aggregate that is a quorum by itself.
    Quorum(Peer),
    /// Votes on another block.
    Conflict(Peer, AggregatedVotes),
}

/// What operators and simulators see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Highest final checkpoint; 0: none.
    pub finalized_height: Height,
    /// How often the chain was reset.
    pub resets: u64,
    /// Number of the reset that we take part in: nothing is final above its checkpoint any more.
    pub resetting: Option<u64>,
    /// The checkpoint under way.
    pub voting: Option<Checkpoint>,
    /// Rounds of the ballot that are over.
    pub round: u32,
    /// Weight of our aggregate, in wei.
    pub weight: u128,
    /// Weight of all guardians, in wei.
    pub total: u128,
    /// Largest entry of our aggregate.
    pub largest_entry: u8,
    /// True if our own vote is in it.
    pub voted: bool,
    /// Neighbours.
    pub peers: usize,
    /// Aggregates that wait for the end of the round.
    pub candidates: usize,
    /// Votes on checkpoints that are not settled here yet.
    pub parked: usize,
}

impl Machine {
    /// A machine that stands where it stopped. Give it [`Input::Start`] first.
    pub fn new(config: Config, voter: Option<Voter>, recovered: Recovered) -> Self {
        let Recovered { journal, finalized, settled, reset } = recovered;
        let base = reset.as_ref().map(|cert| cert.reset.checkpoint);
        let mut machine = Self {
            config,
            voter,
            now: 0,
            out: Vec::new(),
            chain: Chain::new(finalized.map(Arc::new), base),
            journal,
            peers: Peers::new(),
            ballot: None,
            pending: None,
            jobs: 0,
            late: BTreeMap::new(),
            suspects: Vec::new(),
            others: Vec::new(),
            forked: None,
            resets: reset.as_ref().map_or(0, |cert| cert.reset.number),
            reset: reset.map(Arc::new),
            resetting: None,
        };
        settled.iter().for_each(|settled| machine.chain.push(settled, machine.journal.last.map(|last| last.height)));
        machine.resume_reset();
        machine
    }

    /// Takes one input and appends what is to be done, in order.
    pub fn step(&mut self, now: Millis, input: Input, effects: &mut Vec<Effect>) {
        self.now = now;
        match input {
            Input::Start => self.begin_if_open(),
            Input::Settled(settled) => self.on_settled(&settled),
            Input::Received { from, votes } => self.on_votes(from, votes),
            Input::ReceivedReset { from, votes } => self.on_reset_votes(from, &votes),
            Input::Reset { reset, set } => self.on_reset(reset, set),
            Input::Proven(cert) => self.on_proven(&cert),
            Input::Verified { id, merged } => self.on_verified(id, merged),
            Input::Connected(peer) => self.on_connected(peer),
            Input::Disconnected(peer) => self.on_disconnected(peer),
            Input::Timer => {}
        }
        self.drive();
        effects.append(&mut self.out);
    }

    /// What is going on.
    pub fn view(&self) -> View {
        let ballot = self.ballot.as_ref();
        let current = ballot.and_then(|ballot| ballot.current.as_ref());
        View {
            finalized_height: self.chain.finalized_height(),
            resets: self.resets,
            resetting: self.leaving().map(|reset| reset.number),
            voting: ballot.and_then(|ballot| ballot.checkpoint().copied()),
            round: ballot.map_or(0, |ballot| ballot.round),
            weight: current.map_or(0, |current| current.weight),
            total: ballot.map_or(0, |ballot| ballot.set.total()),
            largest_entry: current.and_then(|current| current.votes.signers.iter().max().copied()).unwrap_or(0),
            voted: ballot.is_some_and(|ballot| ballot.share.is_some()),
            peers: self.peers.len(),
            candidates: ballot.map_or(0, |ballot| ballot.candidates.len()),
            parked: self.peers.values().map(|peer| peer.parked()).sum(),
        }
    }

    /// The highest certificate.
    pub fn finalized(&self) -> Option<&Arc<FinalityCert>> {
        self.chain.finalized()
    }

    /// The certificate of the last reset.
    pub fn reset(&self) -> Option<&Arc<ResetCert>> {
        self.reset.as_ref()
    }

    fn on_settled(&mut self, settled: &[SettledCheckpoint]) {
        let voted = self.journal.last.map(|last| last.height);
        let new = settled.iter().filter(|settled| settled.height > self.chain.top()).collect::<Vec<_>>();
        new.iter().for_each(|settled| self.chain.push(settled, voted));
        if !new.is_empty() {
            self.begin_if_open();
        }
    }

    /// Votes on the reset that we take part in, else on the highest settled checkpoint, if it is not final.
    pub(super) fn begin_if_open(&mut self) {
        if self.begin_reset() {
            return;
        }
        let top = self.chain.top();
        if top > self.chain.finalized_height()
            && let Some(set) = self.chain.set_at(top).cloned()
            && let Some(block_hash) = self.chain.block_at(top)
        {
            let checkpoint = Checkpoint { resets: self.resets, height: top, block_hash, set_hash: set.hash() };
            self.begin(Subject::Checkpoint(checkpoint), set);
        }
        self.unpark(top);
    }

    fn on_proven(&mut self, cert: &Arc<FinalityCert>) {
        let is_ours = self.chain.block_at(cert.checkpoint.height) == Some(cert.checkpoint.block_hash);
        if is_ours && self.is_open(&cert.checkpoint) {
            self.note_final(cert);
        }
    }

    /// What it said goes with it: else whoever comes and goes could fill the memory.
    fn on_disconnected(&mut self, peer: Peer) {
        self.peers.remove(&peer);
        self.late.remove(&peer);
        if let Some(ballot) = &mut self.ballot {
            ballot.candidates.remove(&peer);
        }
    }

    fn on_connected(&mut self, peer: Peer) {
        let known = self.peers.entry(peer).or_default();
        *known = Default::default();
        let reset = self.reset.clone().map(|cert| Votes::Reset(cert).send(peer));
        self.out.extend(reset);
        if let Some(ballot) = &self.ballot {
            known.turn_to(ballot.subject.topic());
            self.say();
        } else if let Some(cert) = self.chain.finalized() {
            self.out.push(Effect::Send { to: peer, votes: Arc::clone(cert) });
        }
    }
}
