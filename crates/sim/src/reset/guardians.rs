//! The finalizing nodes of a run: guardians, and the nodes of honest validators, which have no key.

use super::scenario::{GOSSIP, INTERVAL, ROUND, VERIFY};
use super::world::{AFTERWARDS, Event, Gossip, World};
use crate::guardians::node::{Role, voter};
use crate::invariants::{Verdict, broken};
use std::sync::Arc;
use vigil_consensus::Peer;
use vigil_consensus::finality::{Config, Effect, Input, Record, SettledCheckpoint};
use vigil_primitives::{AggregatedVotes, ResetCert, ResetVotes, rlp};

impl World {
    pub(super) fn begin_guardians(&mut self) -> Verdict {
        let (block_hash, set) = (self.domain.genesis_hash, Arc::clone(&self.set));
        let genesis = SettledCheckpoint { height: 0, block_hash, set };
        for node in 0..self.nodes.len() {
            self.nodes[node].settled.push(genesis.clone());
            match self.nodes[node].role {
                Role::Honest => self.start(node)?,
                _ => {
                    self.nodes[node].connected = self.plan.graph[node].iter().copied().collect();
                    self.agenda.at(self.dice.between(0, ROUND), Event::Attack { node });
                }
            }
        }
        Ok(())
    }

    pub(super) fn start(&mut self, node: usize) -> Verdict {
        // Guardians sign under the domain of genesis in every segment.
        let config = Config { domain: self.domain.clone(), interval: INTERVAL, round: ROUND };
        let voter = (node < self.scenario.guardians).then(|| voter(node, &self.signatures));
        if self.scenario.forgets_resets {
            self.nodes[node].journal.retain(|record| matches!(record, Record::Vote(_)));
        }
        self.nodes[node].start(config, voter);
        self.step(node, Input::Start)?;
        for other in self.plan.graph[node].clone() {
            // Either may crash over what it does at once.
            if self.runs(node) && self.runs(other) && self.nodes[node].connected.insert(other) {
                self.nodes[other].connected.insert(node);
                self.step(node, Input::Connected(Peer(other as u64)))?;
                self.step(other, Input::Connected(Peer(node as u64)))?;
            }
        }
        Ok(())
    }

    fn runs(&self, node: usize) -> bool {
        self.nodes[node].role != Role::Honest || self.nodes[node].machine.is_some()
    }

    fn crash(&mut self, node: usize) -> Verdict {
        self.crashes += 1;
        self.nodes[node].machine = None;
        self.trace.fold(&[self.agenda.now(), node as u64, 121]);
        for other in std::mem::take(&mut self.nodes[node].connected) {
            self.nodes[other].connected.remove(&node);
            self.step(other, Input::Disconnected(Peer(node as u64)))?;
        }
        let after = self.rng.between(100, 3_000);
        self.agenda.at(self.agenda.now() + after, Event::Restart { node });
        Ok(())
    }

    /// A node looks what is settled on its chain above what it knows.
    pub(super) fn look(&mut self, node: usize) -> Verdict {
        let last = self.nodes[node].settled.last().map_or(0, |settled| settled.height);
        let news: Vec<SettledCheckpoint> = self.settled[self.chain_of[node]]
            .range(last + 1..)
            .map(|(height, block_hash)| SettledCheckpoint {
                height: *height,
                block_hash: *block_hash,
                set: Arc::clone(&self.set),
            })
            .collect();
        self.nodes[node].settled.extend(news.iter().cloned());
        if news.is_empty() { Ok(()) } else { self.step(node, Input::Settled(news)) }
    }

    pub(super) fn deliver(&mut self, from: usize, to: usize, gossip: &Gossip, link: (u32, u32)) -> Verdict {
        let is_up = self.nodes[to].connected.contains(&from);
        if !is_up || link != (self.nodes[from].incarnation, self.nodes[to].incarnation) {
            return Ok(());
        }
        if self.nodes[to].role != Role::Honest {
            self.heard.insert(to, gossip.clone());
            return Ok(());
        }
        let peer = Peer(from as u64);
        let input = match gossip {
            Gossip::Votes(bytes) => AggregatedVotes::from_rlp(bytes).map(|votes| Input::Received { from: peer, votes }),
            Gossip::Reset(bytes) => ResetVotes::from_rlp(bytes).map(|votes| Input::ReceivedReset { from: peer, votes }),
        };
        match input {
            Ok(input) => self.step(to, input),
            Err(error) if self.nodes[from].role == Role::Honest => broken("wire", || format!("node {from}: {error}")),
            Err(_) => Ok(()),
        }
    }

    pub(super) fn step_if(&mut self, node: usize, incarnation: u32, input: Input) -> Verdict {
        if self.nodes[node].incarnation == incarnation { self.step(node, input) } else { Ok(()) }
    }

    pub(super) fn step(&mut self, node: usize, input: Input) -> Verdict {
        let now = self.agenda.now();
        let Some(machine) = &mut self.nodes[node].machine else { return Ok(()) };
        let before = machine.view();
        let mut effects = Vec::new();
        machine.step(now, input, &mut effects);
        let after = machine.view();
        self.trace.fold(&[now, node as u64, effects.len() as u64, after.weight as u64]);
        self.checks.after_step(node, &before, &after)?;
        for effect in effects {
            if let Effect::Journal(record) = effect {
                if self.crashes_here() {
                    return self.crash(node);
                }
                self.checks.on_record(node, self.chain_of[node], &record)?;
                self.nodes[node].journal.push(record);
                if self.crashes_here() {
                    return self.crash(node);
                }
            } else {
                self.perform(node, effect)?;
            }
        }
        Ok(())
    }

    /// Before or after a record is durable, none of what follows being done.
    fn crashes_here(&mut self) -> bool {
        self.rng.percent(self.plan.crash_percent / 2)
    }

    fn perform(&mut self, node: usize, effect: Effect) -> Verdict {
        let incarnation = self.nodes[node].incarnation;
        match effect {
            Effect::Journal(_) | Effect::DoubleVote(_) => {}
            Effect::Send { to, votes } => {
                self.checks.on_votes_sent(node, &votes)?;
                self.gossip(node, to.0 as usize, Gossip::Votes(Arc::new(rlp::encode(votes.as_ref()))));
            }
            Effect::SendReset { to, votes } => {
                self.checks.on_reset_sent(node, &votes)?;
                self.gossip(node, to.0 as usize, Gossip::Reset(Arc::new(rlp::encode(votes.as_ref()))));
            }
            Effect::Verify(job) => {
                let order: Vec<usize> = (0..self.scenario.guardians).collect();
                let merged = self.signatures.merge(&job, &order);
                let input = Box::new(Input::Verified { id: job.id, merged });
                self.agenda.at(self.agenda.now() + VERIFY, Event::Verified { node, incarnation, input });
            }
            Effect::SetTimer(at) => self.agenda.at(at, Event::NodeTimer { node, incarnation }),
            Effect::Finalized(cert) => {
                self.checks.on_final(node, &self.nodes[node].settled, &cert)?;
                self.nodes[node].finalized = Some(cert);
            }
            Effect::Reset(cert) => return self.on_reset(node, cert),
            Effect::Penalize { peer, reason } => {
                if self.nodes[peer.0 as usize].role == Role::Honest {
                    return broken("blame", || format!("node {node} blames the honest {}: {reason}", peer.0));
                }
            }
            Effect::Abstain { height, .. } => self.trace.fold(&[node as u64, height, 122]),
        }
        Ok(())
    }

    /// What is settled above the checkpoint is void; the node looks for the new segment, and if it is a validator's, that
    /// begins to work in it.
    fn on_reset(&mut self, node: usize, cert: Arc<ResetCert>) -> Verdict {
        let decided = self.decision.as_ref().map(|(segment, _)| segment.reset);
        self.checks.on_reset(node, &cert, decided)?;
        self.reset_ms = self.agenda.now() - self.decided_at;
        let base = cert.reset.checkpoint.height;
        self.nodes[node].settled.retain(|settled| settled.height <= base);
        self.nodes[node].reset = Some(cert);
        self.chain_of[node] = AFTERWARDS;
        let now = self.agenda.now();
        let after = self.rng.between(1, 500);
        self.agenda.at(now + after, Event::Look { node });
        if let Some(validator) = self.validators.iter().position(|validator| validator.node == Some(node)) {
            self.agenda.at(now + after, Event::Join { validator });
        }
        Ok(())
    }

    /// Puts a message on its way.
    pub(super) fn gossip(&mut self, from: usize, to: usize, gossip: Gossip) {
        let at = self.agenda.now() + self.rng.between(GOSSIP / 5, GOSSIP);
        let link = (self.nodes[from].incarnation, self.nodes[to].incarnation);
        self.agenda.at(at, Event::Gossip { from, to, gossip, link });
    }
}
