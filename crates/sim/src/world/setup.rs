//! How a network begins: block 0, what each node is told, the first events.

use super::{Event, World};
use crate::agenda::Agenda;
use crate::invariants::Invariants;
use crate::keys::Notary;
use crate::ledger::Toy;
use crate::liars::Adversary;
use crate::lineage::Lineage;
use crate::network::Network;
use crate::plan::Plan;
use crate::rng::{Rng, Stream};
use crate::scenario::Scenario;
use crate::shell::{Shell, UNIX_START_MS};
use crate::trace::Trace;
use std::sync::Arc;
use vigil_consensus::{Config, UnknownOwn};
use vigil_primitives::{Address, Block, BlockHeader, Hash, SignDomain};

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
pub fn node_config(scenario: &Scenario, genesis: Hash, me: Address) -> Config {
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
            let mut shell = Shell::new(node, config(node), signers[node].clone(), toy.clone(), &genesis, offset);
            if plan.lies(node) || scenario.ignores_rollback {
                shell.unknown_own = UnknownOwn::Ignore;
            }
            shell
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
            dice: Rng::seeded(seed, Stream::Candidates),
            frontier: 0,
            doomed: false,
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

    /// What the plan has in store.
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
}
