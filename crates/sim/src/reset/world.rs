//! One run, event by event.

use super::committee::Validator;
use super::invariants::Checks;
use super::plan::Plan;
use super::scenario::{AFTER, END, IN_VAIN, INTERVAL, Operators, Scenario};
use super::segment::Segment;
use crate::agenda::{Agenda, Time};
use crate::guardians::SignatureKind;
use crate::guardians::node::{Node, Role, address};
use crate::guardians::signatures::{Real, Signatures, Symbolic};
use crate::invariants::{Verdict, Violation, broken};
use crate::keys::{Notary, Signer};
use crate::ledger::{State, Toy, ToyTx};
use crate::rng::{Rng, Stream};
use crate::trace::Trace;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_consensus::finality::Input;
use vigil_consensus::{BlockFault, Executed, Message, TimerId};
use vigil_primitives::{Block, Epoch, GuardianMember, GuardianSet, Hash, Height, Offences, SignDomain};

/// What came of a seed.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// How often every honest node saw the chain reset: 1, or 0 if too few asked.
    pub resets: u64,
    /// Validators that the evidence names.
    pub named: u64,
    /// Height of the checkpoint that the chain goes on from.
    pub base: Height,
    /// Highest settled block that the reset made void, counted from there.
    pub void: u64,
    /// From the operators' decision until every honest node knew the certificate, in ms.
    pub reset_ms: Time,
    /// Settled height of the slowest honest validator.
    pub settled: Height,
    /// Final height of the slowest honest node.
    pub finalized: Height,
    /// Crashes around journal writes.
    pub crashes: u64,
    /// Votes that hold for nobody, as sent by liars.
    pub forged: u64,
    /// The first broken promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violation: Option<String>,
    /// Fingerprint of all that happened.
    pub trace: String,
}

/// The two sides of the split, and the segment after the reset.
pub const CHAINS: usize = 3;
/// Index of the segment after the reset.
pub const AFTERWARDS: usize = 2;

/// What guardians send each other. Bytes of votes on a checkpoint, or on a reset.
#[derive(Clone)]
pub(super) enum Gossip {
    Votes(Arc<Vec<u8>>),
    Reset(Arc<Vec<u8>>),
}

pub(super) enum Event {
    Message {
        from: usize,
        to: usize,
        message: Arc<Message>,
        link: (u32, u32),
    },
    Timer {
        validator: usize,
        incarnation: u32,
        id: TimerId,
        at: Time,
    },
    Executed {
        validator: usize,
        incarnation: u32,
        block: Arc<Block>,
        result: Result<(Executed, State), BlockFault>,
    },
    Built {
        validator: usize,
        incarnation: u32,
        epoch: Epoch,
        block: Box<Block>,
        executed: Executed,
    },
    Payment,
    Split,
    Heal,
    /// A traitor says again what somebody said once.
    Replay,
    /// The operators agree on what to ask for.
    Decide,
    Ask {
        node: usize,
    },
    /// The validator's node has a certificate: it goes on in the new segment.
    Join {
        validator: usize,
    },
    /// A node looks what is settled on its chain.
    Look {
        node: usize,
    },
    Gossip {
        from: usize,
        to: usize,
        gossip: Gossip,
        link: (u32, u32),
    },
    NodeTimer {
        node: usize,
        incarnation: u32,
    },
    Verified {
        node: usize,
        incarnation: u32,
        input: Box<Input>,
    },
    Restart {
        node: usize,
    },
    Attack {
        node: usize,
    },
}

/// A run.
pub struct World {
    pub(super) scenario: Scenario,
    pub(super) plan: Plan,
    pub(super) agenda: Agenda<Event>,
    pub(super) rng: Rng,
    pub(super) dice: Rng,
    pub(super) trace: Trace,
    pub(super) checks: Checks,
    pub(super) toy: Toy,
    pub(super) domain: SignDomain,
    pub(super) notary: Notary,
    pub(super) signers: Vec<Signer>,
    /// Those of the committee by number, then the twins of traitors.
    pub(super) validators: Vec<Validator>,
    pub(super) healed: bool,
    /// Checkpoints that validators settled on each chain.
    pub(super) settled: [BTreeMap<Height, Hash>; CHAINS],
    pub(super) mempools: [Vec<ToyTx>; CHAINS],
    /// Some of what was said, to be said again.
    pub(super) said: Vec<Arc<Message>>,
    /// Guardians, then the nodes of honest validators.
    pub(super) nodes: Vec<Node>,
    /// The chain that each of them sees.
    pub(super) chain_of: Vec<usize>,
    pub(super) signatures: Arc<dyn Signatures>,
    pub(super) set: Arc<GuardianSet>,
    /// What the operators decided.
    pub(super) decision: Option<(Segment, Offences)>,
    pub(super) decided_at: Time,
    pub(super) reset_ms: Time,
    pub(super) crashes: u64,
    pub(super) forged: u64,
    pub(super) heard: BTreeMap<usize, Gossip>,
}

/// Runs a seed to the end, or to the first broken promise.
pub fn run_seed(scenario: &Scenario, seed: u64) -> Run {
    let mut world = World::new(scenario, seed);
    let mut verdict = world.begin();
    while verdict.is_ok() && !world.is_over() {
        verdict = world.next();
    }
    let violation = verdict.and_then(|()| world.checks.at_the_end()).err();
    world.run(seed, violation)
}

impl World {
    fn new(scenario: &Scenario, seed: u64) -> Self {
        let plan = Plan::draw(scenario, seed);
        let n = scenario.guardians;
        let (notary, signers) = Notary::with_signers(seed, scenario.validators);
        let signatures: Arc<dyn Signatures> = match scenario.signatures {
            SignatureKind::Symbolic => Arc::new(Symbolic::new(n, seed)),
            SignatureKind::Real(scheme) => Arc::new(Real::new(scheme, n, seed)),
        };
        let member = |i: usize| GuardianMember { address: address(i), key: signatures.key(i), weight: plan.weights[i] };
        let set = Arc::new(GuardianSet::new((0..n).map(member).collect()));
        let (toy, domain, validators) = super::committee::found(scenario, &plan, &signers);
        let role = |node: usize| if node < n && plan.liars[node] { Role::Liar } else { Role::Honest };
        let followers = (0..scenario.validators).filter(|validator| !plan.traitors[*validator]);
        let sides = plan.guardian_side.iter().copied().chain(followers.map(|v| plan.validator_side[v]));
        let chain_of: Vec<usize> = sides.collect();
        Self {
            checks: Checks::new(scenario, &plan, &set).with_honest(seed, &plan.traitors),
            nodes: (0..chain_of.len()).map(|node| Node::new(role(node))).collect(),
            scenario: scenario.clone(),
            agenda: Agenda::default(),
            rng: Rng::seeded(seed, Stream::Network),
            dice: Rng::seeded(seed, Stream::Liars),
            trace: Trace::default(),
            toy,
            domain,
            notary,
            signers,
            validators,
            healed: false,
            settled: Default::default(),
            mempools: Default::default(),
            said: Vec::new(),
            chain_of,
            signatures,
            set,
            decision: None,
            decided_at: 0,
            reset_ms: 0,
            crashes: 0,
            forged: 0,
            heard: BTreeMap::new(),
            plan,
        }
    }

    fn begin(&mut self) -> Verdict {
        self.agenda.at(self.plan.split_at, Event::Split);
        self.agenda.at(0, Event::Payment);
        self.begin_guardians()?;
        (0..self.validators.len()).try_for_each(|validator| self.boot(validator))
    }

    fn next(&mut self) -> Verdict {
        let Some(event) = self.agenda.pop() else { return broken("end", || "nothing happens any more".into()) };
        match event {
            Event::Message { from, to, message, link } => self.hear(from, to, &message, link),
            Event::Timer { validator, incarnation, id, at } => self.ring(validator, incarnation, id, at),
            Event::Executed { validator, incarnation, block, result } => {
                self.executed(validator, incarnation, block, result)
            }
            Event::Built { validator, incarnation, epoch, block, executed } => {
                self.built(validator, incarnation, epoch, block, executed)
            }
            Event::Payment => self.pay(),
            Event::Split => self.split(),
            Event::Heal => self.heal(),
            Event::Replay => self.replay(),
            Event::Decide => self.decide(),
            Event::Ask { node } => self.ask(node),
            Event::Join { validator } => self.join(validator),
            Event::Look { node } => self.look(node),
            Event::Gossip { from, to, gossip, link } => self.deliver(from, to, &gossip, link),
            Event::NodeTimer { node, incarnation } => self.step_if(node, incarnation, Input::Timer),
            Event::Verified { node, incarnation, input } => self.step_if(node, incarnation, *input),
            Event::Restart { node } => self.start(node),
            Event::Attack { node } => self.attack(node),
        }
    }

    /// Honest nodes that finalize.
    pub(super) fn honest(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len()).filter(|node| self.nodes[*node].role == Role::Honest)
    }

    pub(super) fn finalized(&self, node: usize) -> Height {
        self.nodes[node].finalized.as_ref().map_or(0, |cert| cert.checkpoint.height)
    }

    /// The lowest height that all honest nodes know to be final.
    pub(super) fn finalized_min(&self) -> Height {
        self.honest().map(|node| self.finalized(node)).min().unwrap_or(0)
    }

    fn resets_min(&self) -> u64 {
        self.honest().map(|node| self.nodes[node].reset.as_ref().map_or(0, |cert| cert.reset.number)).min().unwrap_or(0)
    }

    fn is_over(&self) -> bool {
        let now = self.agenda.now();
        if now > END {
            return true;
        }
        let Some((segment, _)) = &self.decision else { return false };
        if self.plan.operators == Operators::Few {
            return now > self.decided_at + IN_VAIN;
        }
        // The first checkpoint above the base, and those after it.
        self.resets_min() == 1 && self.finalized_min() >= segment.reset.checkpoint.height + AFTER * INTERVAL
    }

    fn run(&self, seed: u64, violation: Option<Violation>) -> Run {
        let base = self.decision.as_ref().map_or(0, |(segment, _)| segment.reset.checkpoint.height);
        let top = self.settled[..AFTERWARDS].iter().filter_map(|settled| settled.keys().next_back()).max();
        let honest = self.validators.iter().filter(|validator| !validator.lies);
        Run {
            seed,
            resets: self.resets_min(),
            named: self.decision.as_ref().map_or(0, |(_, offences)| offences.evidence().len() as u64),
            base,
            void: top.map_or(0, |top| top.saturating_sub(base)),
            reset_ms: self.reset_ms,
            settled: honest.map(|validator| validator.shell.stored_head().0).min().unwrap_or(0),
            finalized: self.finalized_min(),
            crashes: self.crashes,
            forged: self.forged,
            violation: violation.map(|violation| violation.to_string()),
            trace: self.trace.finish().to_string(),
        }
    }
}
