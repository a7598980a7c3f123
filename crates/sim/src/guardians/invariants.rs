//! What must hold, over all honest guardians, after every event (`spec/consensus.md` §1.14).

use super::node::{Node, Role};
use super::scenario::{INTERVAL, Liars, Scenario};
use super::world::{World, block};
use crate::invariants::Violation;
use std::collections::{BTreeMap, BTreeSet};
use vigil_consensus::finality::{Effect, Journal, PARKED_PER_PEER_MAX, Record, View};
use vigil_crypto::signer_vectors;
use vigil_primitives::{AggregatedVotes, Checkpoint, Hash, Height};

/// Promises under watch.
pub struct Checks {
    weights: Vec<u128>,
    corrupt: bool,
    /// The first broken promise.
    pub violation: Option<Violation>,
    /// Votes of each guardian, as journalled.
    votes: BTreeMap<usize, BTreeMap<Height, Checkpoint>>,
    /// Final blocks by height: who said so first.
    finals: BTreeMap<Height, BTreeMap<Hash, AggregatedVotes>>,
    /// Guardians that were proven to have voted twice.
    pub accused: BTreeSet<usize>,
    /// Largest entry of a vector that an honest guardian sent.
    pub max_entry: u8,
    /// Vectors that were looked at, by content.
    seen: BTreeSet<[u8; 32]>,
}

impl Checks {
    /// Nothing happened yet.
    pub fn new(scenario: &Scenario, weights: Vec<u128>) -> Self {
        Self {
            weights,
            corrupt: scenario.corrupt,
            violation: None,
            votes: BTreeMap::new(),
            finals: BTreeMap::new(),
            accused: BTreeSet::new(),
            max_entry: 0,
            seen: BTreeSet::new(),
        }
    }

    /// Notes a broken promise; the first counts.
    pub fn fail(&mut self, invariant: &'static str, detail: String) {
        self.violation.get_or_insert(Violation { invariant, detail });
    }

    pub(super) fn after_step(&mut self, node: usize, before: &View, after: &View) {
        if after.finalized_height < before.finalized_height {
            self.fail(
                "I2",
                format!(
                    "guardian {node}: final height went from {} to {}",
                    before.finalized_height, after.finalized_height
                ),
            );
        }
        if after.parked > PARKED_PER_PEER_MAX * after.peers || after.candidates > after.peers {
            self.fail(
                "I17",
                format!(
                    "guardian {node} holds {} parked and {} candidates of {} neighbours",
                    after.parked, after.candidates, after.peers
                ),
            );
        }
    }

    pub(super) fn before_effect(&mut self, nodes: &[Node], node: usize, effect: &Effect) {
        match effect {
            Effect::Journal(Record::Vote(vote)) => self.on_vote(nodes, node, vote),
            Effect::Send { votes, .. } => self.on_send(nodes, node, votes),
            Effect::Finalized(cert) => self.on_final(nodes, node, cert),
            Effect::DoubleVote(pair) => self.on_accusation(nodes, &pair.0, &pair.1),
            Effect::Penalize { peer, reason } if nodes[peer.0 as usize].role == Role::Honest => {
                self.fail("blame", format!("guardian {node} blames the honest {}: {reason}", peer.0));
            }
            _ => {}
        }
    }

    /// I6 and I8: one vote a height, heights ascend, on the voter's own settled chain, above what is final.
    fn on_vote(&mut self, nodes: &[Node], node: usize, vote: &Checkpoint) {
        let voter = &nodes[node];
        let settled = voter.settled.iter().any(|s| s.height == vote.height && s.block_hash == vote.block_hash);
        if !settled {
            self.fail("I6", format!("guardian {node} votes for {vote:?}, which it has not settled"));
        }
        // G1: whatever happened to its chain, all its votes are on one.
        let side = |vote: &Checkpoint| vote.block_hash == block(vote.height / INTERVAL, true);
        if let Some(other) = self.votes.entry(node).or_default().values().find(|other| side(other) != side(vote)) {
            let detail = format!("guardian {node} votes for {vote:?} after {other:?} of another chain");
            self.fail("G1", detail);
        }
        let votes = self.votes.entry(node).or_default();
        if votes.last_key_value().is_some_and(|(last, _)| *last >= vote.height) {
            let last = votes.last_key_value().map(|(last, _)| *last);
            self.fail("I8", format!("guardian {node} votes for height {} after {last:?}", vote.height));
        } else {
            votes.insert(vote.height, *vote);
        }
        let last = Journal::replay(voter.journal.iter().copied()).last;
        if last.is_some_and(|last| last.height >= vote.height) {
            self.fail("I8", format!("guardian {node} journals {} after {last:?}", vote.height));
        }
    }

    /// What an honest guardian says holds: whoever is in it signed it (honest ones as their journals say).
    fn on_send(&mut self, nodes: &[Node], node: usize, votes: &AggregatedVotes) {
        let content = vigil_primitives::keccak256([votes.signature.as_slice(), &votes.signers].concat()).0;
        if !self.seen.insert(content) {
            return;
        }
        let Ok(vector) = signer_vectors::unpack(nodes.len(), &votes.signers) else {
            return self.fail("wire", format!("guardian {node} sends a vector that does not unpack"));
        };
        self.max_entry = self.max_entry.max(vector.iter().max().copied().unwrap_or(0));
        let signed =
            |i: usize| self.votes.get(&i).and_then(|v| v.get(&votes.checkpoint.height)) == Some(&votes.checkpoint);
        let forged = (0..nodes.len()).find(|i| vector[*i] > 0 && nodes[*i].role == Role::Honest && !signed(*i));
        if let Some(forged) = forged {
            self.fail(
                "forged",
                format!("guardian {node} sends a vote of {forged}, which never gave it: {:?}", votes.checkpoint),
            );
        }
    }

    /// I3, and agreement: two final blocks of one height only if more than a third is corrupt (I14 then).
    fn on_final(&mut self, nodes: &[Node], node: usize, cert: &AggregatedVotes) {
        self.on_send(nodes, node, cert);
        let Checkpoint { height, block_hash, .. } = cert.checkpoint;
        if !nodes[node].settled.iter().any(|s| (s.height, s.block_hash) == (height, block_hash)) {
            self.fail("I3", format!("guardian {node} finalizes {block_hash} at {height}, which it has not settled"));
        }
        let weight = signer_vectors::unpack(nodes.len(), &cert.signers).map_or(0, |vector| self.weight(&vector));
        if 3 * weight <= 2 * self.weights.iter().sum::<u128>() {
            self.fail("quorum", format!("guardian {node} finalizes height {height} with a weight of {weight}"));
        }
        self.finals.entry(height).or_default().entry(block_hash).or_insert_with(|| cert.clone());
        if self.finals[&height].len() > 1 && !self.corrupt {
            self.fail("agreement", format!("two blocks are final at height {height}"));
        }
    }

    /// I13: nobody honest is in two judged aggregates of one height.
    fn on_accusation(&mut self, nodes: &[Node], a: &AggregatedVotes, b: &AggregatedVotes) {
        if a.checkpoint.height != b.checkpoint.height || a.checkpoint.block_hash == b.checkpoint.block_hash {
            return self.fail("I13", "evidence that proves nothing".into());
        }
        let both = self.in_both(a, b);
        if both.is_empty() {
            self.fail("I13", "evidence against nobody".into());
        }
        if let Some(honest) = both.iter().find(|i| nodes[**i].role == Role::Honest) {
            self.fail("I13", format!("evidence against the honest guardian {honest}"));
        }
        self.accused.extend(both);
    }

    fn in_both(&self, a: &AggregatedVotes, b: &AggregatedVotes) -> BTreeSet<usize> {
        let n = self.weights.len();
        let unpack = |votes: &AggregatedVotes| signer_vectors::unpack(n, &votes.signers).unwrap_or_default();
        let (a, b) = (unpack(a), unpack(b));
        (0..n).filter(|i| a.get(*i).is_some_and(|e| *e > 0) && b.get(*i).is_some_and(|e| *e > 0)).collect()
    }

    fn weight(&self, vector: &[u8]) -> u128 {
        vector.iter().zip(&self.weights).filter(|(entry, _)| **entry > 0).map(|(_, weight)| *weight).sum()
    }

    /// Heights at which two blocks are final.
    pub(super) fn conflicts(&self) -> usize {
        self.finals.values().filter(|finals| finals.len() > 1).count()
    }

    /// I14: both by the certificates, and by what the honest found out themselves.
    fn accountable(&self) -> Option<Violation> {
        let total: u128 = self.weights.iter().sum();
        let weigh = |guardians: &BTreeSet<usize>| guardians.iter().map(|i| self.weights[*i]).sum::<u128>();
        for (height, finals) in self.finals.iter().filter(|(_, finals)| finals.len() > 1) {
            let certs: Vec<&AggregatedVotes> = finals.values().collect();
            let (both, accused) = (weigh(&self.in_both(certs[0], certs[1])), weigh(&self.accused));
            if 3 * both.min(accused) < total {
                let detail = format!(
                    "two blocks are final at height {height}; {both} of {total} are in both, {accused} were accused"
                );
                return Some(Violation { invariant: "I14", detail });
            }
        }
        None
    }

    /// I14, and I20: the last checkpoint, settled after all faults, is final everywhere in time; so is what is below.
    pub(super) fn at_the_end(&self, world: &World) -> Option<Violation> {
        if world.scenario.corrupt {
            return self.accountable();
        }
        let last = world.scenario.checkpoints * INTERVAL;
        let late = (0..world.nodes.len())
            .filter(|node| world.nodes[*node].role == Role::Honest)
            .find(|node| world.nodes[*node].finalized.as_ref().is_none_or(|cert| cert.checkpoint.height < last));
        if let Some(node) = late {
            return Some(Violation {
                invariant: "I20",
                detail: format!("guardian {node} does not know {last} to be final"),
            });
        }
        let rounds = world.honest().map(|node| node.quorum_round.unwrap_or(0)).max().unwrap_or(0);
        let slack = if world.scenario.liars == Liars::Attack { 2 } else { 0 };
        if !world.scenario.faults && rounds > world.scenario.rounds_max() + slack {
            let detail = format!("{rounds} rounds, at most {}", world.scenario.rounds_max() + slack);
            return Some(Violation { invariant: "I20", detail });
        }
        None
    }
}
