//! A network in one process: events in virtual time, effects performed in order, every honest act checked.

mod effects;
mod sending;

use crate::agenda::{Agenda, Time};
use crate::invariants::{Invariants, Verdict};
use crate::keys::Notary;
use crate::ledger::{State, Toy, ToyTx};
use crate::liars::Adversary;
use crate::liars::adversary::Shot;
use crate::lineage::Lineage;
use crate::network::Network;
use crate::plan::Plan;
use crate::rng::{Rng, Stream};
use crate::scenario::Scenario;
use crate::shell::{Shell, UNIX_START_MS};
use crate::trace::Trace;
use crate::wire;
use std::sync::Arc;
use vigil_consensus::{BlockFault, Config, Executed, Input, Message, Peer, TimerId};
use vigil_primitives::{Block, BlockHeader, Epoch, Hash, SignDomain};

/// Something that will happen.
pub(crate) enum Event {
    Boot(usize),
    Deliver {
        from: usize,
        to: usize,
        message: Arc<Message>,
    },
    Timer {
        node: usize,
        incarnation: u32,
        id: TimerId,
        at: Time,
    },
    Executed {
        node: usize,
        incarnation: u32,
        block: Arc<Block>,
        hash: Hash,
        result: Result<(Executed, State), BlockFault>,
    },
    Built {
        node: usize,
        incarnation: u32,
        epoch: Epoch,
        block: Box<Block>,
        executed: Executed,
    },
    Arm(usize),
    CrashAnyway {
        node: usize,
        incarnation: u32,
    },
    Restart(usize),
    Submit(ToyTx),
    Shot(Box<Shot>),
    Flood,
    Probe,
}

/// Chain id of simulated networks.
pub const CHAIN_ID: &str = "simnet";

/// The block that every run starts with.
pub fn genesis_block(toy: &Toy) -> Arc<Block> {
    let header = BlockHeader {
        chain_id: CHAIN_ID.into(),
        state_root: toy.genesis().root,
        tx_root: vigil_primitives::EMPTY_TRIE_ROOT,
        timestamp: UNIX_START_MS / 1_000 - 60,
        ..BlockHeader::default()
    };
    Arc::new(Block { header, txs: Vec::new() })
}

/// What a node of a scenario is told.
pub fn node_config(scenario: &Scenario, genesis: Hash, me: vigil_primitives::Address) -> Config {
    Config {
        domain: SignDomain { chain_id: CHAIN_ID.into(), genesis_hash: genesis },
        me: Some(me),
        delta: scenario.delta,
        interval: scenario.interval,
        execution_budget: scenario.execution,
        block_txs_max: 64,
        block_bytes_max: 1 << 20,
        rules: scenario.rules,
    }
}

/// A running network.
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
    frontier: Epoch,
    log: bool,
}

impl World {
    /// The network of a seed, with its first events entered.
    pub fn new(scenario: &Scenario, seed: u64, log: bool) -> Self {
        let plan = Plan::draw(scenario, seed);
        let toy = Toy { committees: plan.committees.clone().into() };
        let genesis = genesis_block(&toy);
        let (_, signers) = Notary::with_signers(seed, plan.nodes + 1);
        let config = |node: usize| node_config(scenario, genesis.hash(), signers[node].address());
        let shell = |node: usize| {
            let offset = plan.clock_offsets[node];
            Shell::new(node, config(node), signers[node].clone(), toy.clone(), &genesis, offset)
        };
        let lineage = Lineage::new(toy.clone(), genesis.clone());
        let real_delta = scenario.delta * scenario.slowness;
        let mut world = Self {
            shells: (0..plan.nodes).map(shell).collect(),
            network: Network::new(plan.weather.clone(), real_delta, plan.nodes, Rng::seeded(seed, Stream::Network)),
            adversary: Adversary::new(scenario, &plan, toy, &signers, config(0).domain, seed),
            checks: Invariants::new(scenario, &plan, lineage),
            agenda: Agenda::default(),
            trace: Trace::default(),
            mempool: Vec::new(),
            rng: Rng::seeded(seed, Stream::Shell),
            frontier: 0,
            log,
            scenario: scenario.clone(),
            plan,
        };
        world.enter_plan();
        world.note(|| {
            let plan = &world.plan;
            let (gst, last_fault, loss) = (plan.weather.gst, plan.last_fault, plan.weather.loss_percent);
            format!("liars {:?}, GST {gst}, last fault {last_fault}, loss {loss} %", plan.liars)
        });
        world
    }

    fn enter_plan(&mut self) {
        for node in 0..self.plan.nodes {
            let at = self.rng.between(0, self.scenario.delta);
            self.agenda.at(at, Event::Boot(node));
        }
        for (i, crash) in self.plan.crashes.iter().enumerate() {
            self.agenda.at(crash.at, Event::Arm(i));
        }
        for (at, tx) in &self.plan.txs {
            self.agenda.at(*at, Event::Submit(*tx));
        }
        self.agenda.at(self.scenario.delta, Event::Flood);
        self.agenda.at(0, Event::Probe);
    }

    /// Lets the next event happen and checks what changed.
    ///
    /// # Errors
    /// The first broken invariant.
    pub fn step(&mut self) -> Verdict {
        let Some(event) = self.agenda.pop() else { return Ok(()) };
        self.happen(event)?;
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
                self.input(node, Input::Built { epoch, block: *block, executed })
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
                if let Some(machine) = self.shells[node].machine() {
                    self.checks.liveness.restarted(now, node, machine.view().epoch);
                }
                Ok(())
            }
            Event::Submit(tx) => {
                self.mempool.retain(|old| !self.checks.liveness.is_settled(*old));
                self.mempool.push(tx);
                self.checks.liveness.submitted(now, tx);
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

    fn probe(&mut self, now: Time) -> Verdict {
        self.checks.liveness.probe(now)?;
        for node in (0..self.plan.nodes).filter(|node| !self.plan.lies(*node)) {
            if let Some(machine) = self.shells[node].machine() {
                let held = machine.view().buffered;
                let sum = held.blocks + held.parked + held.votes + held.ecs + held.certs + held.fetching;
                self.checks.liveness.buffers(node, sum)?;
            }
        }
        Ok(())
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

    /// What a machine says of itself, after every input.
    fn look_at(&mut self, node: usize) -> Verdict {
        let now = self.agenda.now();
        if self.plan.lies(node) {
            return Ok(());
        }
        let Some(machine) = self.shells[node].machine() else { return Ok(()) };
        let view = machine.view();
        // a follower enters epochs like the others, but only members pass certificates on
        let member = machine.validators().contains(&self.adversary.address(node));
        if self.checks.liveness.epoch(now, node, view.epoch, machine.set_key().index, member)
            && self.scenario.set_changes
        {
            self.excuse_ignorant(&view.high_cert.2, view.epoch);
        }
        let Some(machine) = self.shells[node].machine() else { return Ok(()) };
        self.checks.view(node, &view)?;
        if view.epoch > self.frontier {
            self.note(|| format!("{node} is first, set {}", machine.set_key().index));
            self.frontier = view.epoch;
            self.epoch_begins(view.epoch);
        }
        Ok(())
    }

    /// Committees follow from blocks: who lacks the one that the newest certificate builds on cannot judge it at once.
    /// That is the HCC of `high`, unless a certificate above `high` has led to the epoch, which then builds on `high`.
    fn excuse_ignorant(&mut self, high: &Hash, epoch: Epoch) {
        let Some(kin) = self.checks.lineage.get(high) else { return };
        let needed = if kin.epoch() + 1 == epoch { kin.block.header.hcc.block_hash } else { *high };
        for node in (0..self.plan.nodes).filter(|node| !self.shells[*node].has_executed(&needed)) {
            self.checks.liveness.excuse(node);
        }
    }

    fn epoch_begins(&mut self, epoch: Epoch) {
        let now = self.agenda.now();
        let weather = self.adversary.epoch_begins(now, epoch, &self.mempool, &mut self.checks.lineage);
        self.network.retune(weather.delays, &weather.slow, weather.proposer, weather.next);
        self.note(|| format!("epoch {epoch} begins: turn of {:?}, {:?}", weather.proposer, self.adversary.lies()));
        self.enter_shots(weather.shots);
    }

    fn note(&self, text: impl FnOnce() -> String) {
        if self.log {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{:>7} {}", self.agenda.now(), text());
        }
    }
}
