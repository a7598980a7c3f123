//! A network in one process: events in virtual time, effects performed in order, every honest act checked.

mod effects;
mod epochs;
mod event;
mod looking;
mod sending;
mod setup;

pub use setup::{CHAIN_ID, genesis_block, node_config};

use crate::agenda::Agenda;
use crate::invariants::{Invariants, Verdict};
use crate::ledger::ToyTx;
use crate::liars::Adversary;
use crate::network::Network;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::shell::Shell;
use crate::trace::Trace;
use crate::wire;
use event::Event;
use vigil_consensus::{Input, Peer};
use vigil_primitives::Epoch;

/// A running network. A copy lives on from the same moment with the same chances, and leaves this one alone.
#[derive(Clone)]
pub struct World {
    pub(crate) scenario: Scenario,
    pub(crate) plan: Plan,
    pub(crate) agenda: Agenda<Event>,
    pub(crate) shells: Vec<Shell>,
    network: Network,
    pub(crate) adversary: Adversary,
    pub(crate) checks: Invariants,
    pub(crate) trace: Trace,
    mempool: Vec<ToyTx>,
    rng: Rng,
    /// Chance of the candidates of the greedy adversary.
    dice: Rng,
    /// The highest epoch that an honest node is in.
    frontier: Epoch,
    /// The greedy adversary has foreseen a broken promise: all it has to do is to let it come.
    pub(crate) doomed: bool,
    log: bool,
}

impl World {
    /// Lets the next event happen and checks what changed.
    ///
    /// # Errors
    /// The first broken invariant.
    pub fn step(&mut self) -> Verdict {
        let Some(event) = self.agenda.pop() else { return Ok(()) };
        self.happen(event)?;
        if self.frontier > self.adversary.epoch() {
            self.begin_epoch();
        }
        self.checks.liveness.tick(self.agenda.now())
    }

    fn happen(&mut self, event: Event) -> Verdict {
        let now = self.agenda.now();
        match event {
            Event::Boot(node) => self.boot(node),
            Event::Deliver { from, to, message } => {
                let [a, b, c, d, e] = wire::words(&message);
                self.trace.fold(&[now, (from as u64) << 32 | to as u64, a, b, c, d, e]);
                self.note(|| format!("{from} -> {to} {}", wire::text(&message)));
                if self.shells[to].machine().is_some() {
                    self.checks.memory.heard(to, &message);
                }
                self.input(to, Input::Received { from: Peer(from as u64), message: message.as_ref().clone() })
            }
            Event::Timer { node, incarnation, id, at } => {
                let shell = &self.shells[node];
                // now and then one that was replaced rings all the same: it must do no harm
                if shell.incarnation != incarnation || !(shell.is_due(id, at) || self.rng.percent(1)) {
                    return Ok(());
                }
                self.trace.fold(&[now, node as u64, 100 + id as u64]);
                self.note(|| format!("{node} timer {id:?}"));
                self.input(node, Input::Timer(id))
            }
            Event::Executed { node, incarnation, block, hash, result } => {
                if self.shells[node].incarnation != incarnation {
                    return Ok(());
                }
                let outcome = result.map(|(executed, state)| {
                    self.shells[node].keep(hash, block, executed.clone(), state);
                    executed
                });
                self.trace.fold(&[now, node as u64, 110, u64::from(outcome.is_ok())]);
                self.input(node, Input::Executed { block: hash, outcome })
            }
            Event::Built { node, incarnation, epoch, block, executed } => {
                let shell = &mut self.shells[node];
                if shell.incarnation != incarnation || shell.building != Some(epoch) {
                    return Ok(());
                }
                shell.building = None;
                self.trace.fold(&[now, node as u64, 111, epoch]);
                self.input(node, Input::Built { epoch, block, executed })
            }
            Event::Arm(i) => self.arm(i),
            Event::CrashAnyway { node, incarnation } => {
                if self.shells[node].incarnation == incarnation && self.shells[node].armed.is_some() {
                    self.crash(node);
                }
                Ok(())
            }
            Event::Restart(node) => {
                self.boot(node)?;
                if let Some(machine) = self.shells[node].machine().filter(|_| !self.plan.is_faulty(node)) {
                    self.checks.liveness.restarted(now, node, machine.view().epoch);
                }
                Ok(())
            }
            Event::Submit(tx) => {
                self.mempool.retain(|old| !self.checks.is_settled(*old));
                if self.scenario.omits != Some(tx.number()) {
                    self.mempool.push(tx);
                }
                self.checks.submitted(now, tx);
                Ok(())
            }
            Event::Shot(shot) => self.shoot(*shot),
            Event::Flood => {
                let shots = self.adversary.flood(now, self.frontier, &mut self.checks.lineage);
                self.enter_shots(shots);
                let after = self.rng.between(1, 4 * self.scenario.delta);
                self.agenda.at(now + after, Event::Flood);
                Ok(())
            }
            Event::Probe => {
                self.agenda.at(now + 4 * self.scenario.delta, Event::Probe);
                self.probe(now)
            }
        }
    }

    fn boot(&mut self, node: usize) -> Verdict {
        if self.shells[node].machine().is_some() {
            return Ok(());
        }
        self.note(|| format!("{node} starts"));
        self.trace.fold(&[self.agenda.now(), node as u64, 120]);
        let mut effects = Vec::new();
        self.shells[node].boot(self.agenda.now(), &mut effects);
        self.perform(node, effects)
    }

    fn input(&mut self, node: usize, input: Input) -> Verdict {
        let Some(shell) = self.shells.get_mut(node) else { return Ok(()) };
        let mut effects = Vec::new();
        shell.step(self.agenda.now(), input, &mut effects);
        self.perform(node, effects)
    }

    fn note(&self, text: impl FnOnce() -> String) {
        if self.log {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{:>7} {}", self.agenda.now(), text());
        }
    }
}
