//! What a machine asks for is done here, in order, until a crash cuts it off.

use super::{Event, World};
use crate::invariants::{Verdict, broken};
use crate::plan::CrashPoint;
use crate::wire::Target;
use std::sync::Arc;
use vigil_consensus::{Effect, HaltReason, JournalRecord, Penalty};
use vigil_primitives::Block;

impl World {
    pub(super) fn arm(&mut self, i: usize) -> Verdict {
        let crash = self.plan.crashes[i];
        let shell = &mut self.shells[crash.node];
        if shell.machine().is_none() || shell.armed.is_some() {
            return Ok(());
        }
        shell.armed = Some(crash);
        if crash.point == CrashPoint::Idle {
            self.crash(crash.node);
        } else {
            let incarnation = shell.incarnation;
            let latest = self.agenda.now() + 8 * self.scenario.delta;
            self.agenda.at(latest, Event::CrashAnyway { node: crash.node, incarnation });
        }
        Ok(())
    }

    pub(super) fn crash(&mut self, node: usize) {
        let Some(crash) = self.shells[node].armed else { return };
        let now = self.agenda.now();
        self.note(|| format!("{node} crashes at {:?}, disk {:?}", crash.point, crash.disk));
        self.trace.fold(&[now, node as u64, 121]);
        let forgotten = self.shells[node].crash(crash.disk);
        self.checks.memory.forgot(node, forgotten);
        self.checks.restored(node, self.shells[node].stored_head());
        self.checks.liveness.crashed(node);
        self.agenda.at(now + crash.down_for, Event::Restart(node));
    }

    /// Performs effects in order; an armed crash cuts them off.
    pub(super) fn perform(&mut self, node: usize, mut effects: Vec<Effect>) -> Verdict {
        if self.scenario.send_before_journal {
            effects.sort_by_key(|effect| matches!(effect, Effect::Journal(_)));
        }
        let mut steps_left = None;
        for effect in effects {
            if steps_left == Some(0) {
                self.crash(node);
                return Ok(());
            }
            steps_left = steps_left.map(|left: usize| left - 1);
            if let Effect::Journal(record) = &effect {
                let point = self.shells[node].armed.map(|crash| crash.point);
                if point != Some(CrashPoint::BeforeJournal) {
                    self.shells[node].write_journal(record);
                    self.journalled(node, record)?;
                }
                match point {
                    Some(CrashPoint::BeforeJournal | CrashPoint::AfterJournal) => {
                        self.crash(node);
                        return Ok(());
                    }
                    Some(_) => steps_left = Some(self.rng.below(6)),
                    None => {}
                }
                continue;
            }
            self.effect(node, effect)?;
        }
        if steps_left.is_some() {
            self.crash(node);
        }
        self.look_at(node)
    }

    /// A vote counts from the moment it is durable: it may be sent after a restart.
    pub(super) fn journalled(&mut self, node: usize, record: &JournalRecord) -> Verdict {
        let JournalRecord::Vote { vote, .. } = record else { return Ok(()) };
        if self.plan.is_faulty(node) {
            return Ok(());
        }
        if let Some(block) = self.shells[node].machine().and_then(|machine| machine.block(&vote.block_hash)) {
            self.checks.block_made(vote.block_hash, block);
        }
        self.checks.honest_vote(node, vote, true)
    }

    pub(super) fn effect(&mut self, node: usize, effect: Effect) -> Verdict {
        let now = self.agenda.now();
        match effect {
            Effect::Journal(_) => Ok(()),
            Effect::Send { to, message } => self.send(node, Target::One(to.0 as usize), message),
            Effect::Broadcast(message) => self.send(node, Target::All, message),
            Effect::SetTimer { id, at } => {
                let incarnation = self.shells[node].incarnation;
                let at = self.shells[node].set_timer(id, at);
                self.agenda.at(at, Event::Timer { node, incarnation, id, at });
                Ok(())
            }
            Effect::Execute(block) => self.execute(node, block),
            Effect::Build(request) => {
                let shell = &mut self.shells[node];
                shell.building = Some(request.epoch);
                let Some((block, executed)) = shell.build(now, &request, &self.mempool) else {
                    return broken("I9", || {
                        format!("node {node} builds on {}, which it never executed", request.parent)
                    });
                };
                let (incarnation, epoch, block) = (shell.incarnation, request.epoch, Box::new(block));
                let at = now + self.rng.between(0, self.scenario.execution / 2);
                self.agenda.at(at, Event::Built { node, incarnation, epoch, block, executed });
                Ok(())
            }
            Effect::StoreOwn(block) => {
                let result = self.shells[node].execute(&block);
                let Some(Ok((executed, state))) = result else {
                    return broken("I9", || format!("node {node} built a block it cannot execute: {result:?}"));
                };
                self.shells[node].keep(block.hash(), block, executed, state);
                Ok(())
            }
            Effect::Settled(settled) => {
                if !self.plan.lies(node) {
                    for block in &settled.blocks {
                        let executed = self.shells[node].has_executed(&block.hash);
                        self.checks.settled(now, node, block.hash, executed)?;
                        self.trace.fold_hash(&block.hash);
                        self.note(|| format!("{node} settles {} at height {}", block.hash, block.block.header.height));
                    }
                }
                self.shells[node].settle(&settled);
                Ok(())
            }
            Effect::Discarded(hashes) => {
                self.shells[node].discard(&hashes);
                Ok(())
            }
            Effect::StoreCert(hcc) => {
                self.shells[node].keep_cert(hcc);
                Ok(())
            }
            Effect::Lookup { to, lookup } => match self.shells[node].lookup(lookup) {
                Some(message) => self.send(node, Target::One(to.0 as usize), message),
                None => Ok(()),
            },
            Effect::Evidence(evidence) => {
                let offender = evidence.offender();
                let honest = (0..self.plan.nodes)
                    .find(|other| !self.plan.is_faulty(*other) && self.adversary.address(*other) == offender);
                match honest {
                    Some(other) => broken("I13", || format!("node {node} has evidence against honest node {other}")),
                    None => Ok(()),
                }
            }
            Effect::Penalize { peer, reason } => self.blame(node, peer.0 as usize, reason),
            Effect::Halted(HaltReason::RolledBack(_)) if self.plan.forgets(node) => {
                self.checks.memory.halted(node);
                Ok(())
            }
            Effect::Halted(reason) if !self.plan.lies(node) => broken("halt", || format!("node {node}: {reason:?}")),
            Effect::Halted(_) => Ok(()),
        }
    }

    pub(super) fn blame(&mut self, node: usize, peer: usize, reason: Penalty) -> Verdict {
        self.trace.fold(&[self.agenda.now(), node as u64, 130, peer as u64]);
        self.note(|| format!("{node} blames {peer}: {reason:?}"));
        let grave = matches!(reason, Penalty::BadSignature | Penalty::BadCertificate | Penalty::BadBlock);
        if grave && peer < self.plan.nodes && !self.plan.lies(node) && !self.plan.lies(peer) {
            return broken("blame", || format!("node {node} blames honest node {peer}: {reason:?}"));
        }
        Ok(())
    }

    pub(super) fn execute(&mut self, node: usize, block: Arc<Block>) -> Verdict {
        let shell = &mut self.shells[node];
        let Some(result) = shell.execute(&block) else {
            let parent = block.header.parent;
            return broken("I9", || format!("node {node} executes a block before its parent {parent}"));
        };
        let time = self.rng.between(0, self.scenario.execution / 2);
        let at = self.agenda.now().max(shell.busy_until) + time;
        shell.busy_until = at;
        let (incarnation, hash) = (shell.incarnation, block.hash());
        self.agenda.at(at, Event::Executed { node, incarnation, block, hash, result });
        Ok(())
    }
}
