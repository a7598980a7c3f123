//! The validators of a run: settlement machines, those of traitors twice.

use super::plan::Plan;
use super::scenario::{INTERVAL, SKEW, Scenario};
use super::segment::Segment;
use super::world::{AFTERWARDS, Event, World};
use crate::agenda::Time;
use crate::committee::{Committee, Member};
use crate::invariants::{Verdict, broken};
use crate::keys::Signer;
use crate::ledger::{State, Toy, ToyTx};
use crate::shell::Shell;
use crate::world::{genesis_block, node_config};
use std::sync::Arc;
use vigil_consensus::{
    BlockFault, Config, Effect, Executed, Input, Lookup, Message, Peer, Penalty, Settled, TimerId, UnknownOwn,
};
use vigil_primitives::{Address, Block, Epoch, SignDomain};

/// A settlement machine at work.
pub struct Validator {
    /// Number of its key.
    pub key: usize,
    /// True for both machines of a traitor.
    pub lies: bool,
    /// The side or segment that it is on.
    pub chain: usize,
    /// Its node.
    pub shell: Shell,
    /// Its finalizing node, if it is honest.
    pub node: Option<usize>,
}

/// The committee at genesis, its rules, and what it signs under.
pub(super) fn found(scenario: &Scenario, plan: &Plan, signers: &[Signer]) -> (Toy, SignDomain, Vec<Validator>) {
    let member = |(node, signer): (usize, &Signer)| Member { node, address: signer.address(), weight: 1 };
    let toy = Toy { committees: [Committee::new(signers.iter().enumerate().map(member).collect())].into() };
    let genesis = genesis_block(&toy);
    let mut followers = scenario.guardians..;
    let validators = signers.iter().enumerate().map(|(key, signer)| {
        let config = config(scenario.validators, genesis.hash(), signer.address());
        let mut shell = Shell::new(key, config, signer.clone(), toy.clone(), &genesis, 0);
        let lies = plan.traitors[key];
        if lies {
            shell.unknown_own = UnknownOwn::Ignore;
        }
        Validator { key, lies, chain: 0, shell, node: if lies { None } else { followers.next() } }
    });
    let validators = validators.collect();
    (toy, config(scenario.validators, genesis.hash(), Address::ZERO).domain, validators)
}

fn config(validators: usize, first: vigil_primitives::Hash, me: Address) -> Config {
    node_config(&crate::scenario::Scenario::equal(validators, 0), first, me)
}

impl World {
    pub(super) fn boot(&mut self, validator: usize) -> Verdict {
        let mut effects = Vec::new();
        let now = self.agenda.now();
        self.validators[validator].shell.boot(now, &mut effects);
        self.act(validator, effects)
    }

    fn input(&mut self, validator: usize, input: Input) -> Verdict {
        let mut effects = Vec::new();
        let now = self.agenda.now();
        self.validators[validator].shell.step(now, input, &mut effects);
        self.act(validator, effects)
    }

    pub(super) fn hear(&mut self, from: usize, to: usize, message: &Message, link: (u32, u32)) -> Verdict {
        if !self.is_linked(from, to) || link != self.link(from, to) {
            return Ok(());
        }
        self.trace.fold(&crate::wire::words(message));
        self.input(to, Input::Received { from: Peer(from as u64), message: message.clone() })
    }

    pub(super) fn ring(&mut self, validator: usize, incarnation: u32, id: TimerId, at: Time) -> Verdict {
        let shell = &self.validators[validator].shell;
        if shell.incarnation == incarnation && shell.is_due(id, at) {
            self.input(validator, Input::Timer(id))
        } else {
            Ok(())
        }
    }

    pub(super) fn executed(
        &mut self,
        validator: usize,
        incarnation: u32,
        block: Arc<Block>,
        result: Result<(Executed, State), BlockFault>,
    ) -> Verdict {
        let shell = &mut self.validators[validator].shell;
        if shell.incarnation != incarnation {
            return Ok(());
        }
        let hash = block.hash();
        let outcome = result.map(|(executed, state)| {
            shell.keep(hash, block, executed.clone(), state);
            executed
        });
        self.input(validator, Input::Executed { block: hash, outcome })
    }

    pub(super) fn built(
        &mut self,
        validator: usize,
        incarnation: u32,
        epoch: Epoch,
        block: Box<Block>,
        executed: Executed,
    ) -> Verdict {
        let shell = &mut self.validators[validator].shell;
        if shell.incarnation != incarnation || shell.building != Some(epoch) {
            return Ok(());
        }
        shell.building = None;
        self.input(validator, Input::Built { epoch, block, executed })
    }

    /// Clients pay, on each chain something else.
    pub(super) fn pay(&mut self) -> Verdict {
        for (chain, mempool) in self.mempools.iter_mut().enumerate() {
            let number = mempool.len() as u32 * 3 + chain as u32;
            mempool.push(ToyTx::Payment(number));
        }
        self.agenda.at(self.agenda.now() + 1_000, Event::Payment);
        Ok(())
    }

    fn act(&mut self, validator: usize, effects: Vec<Effect>) -> Verdict {
        effects.into_iter().try_for_each(|effect| self.effect(validator, effect))
    }

    fn effect(&mut self, validator: usize, effect: Effect) -> Verdict {
        let now = self.agenda.now();
        let Validator { lies, chain, shell, .. } = &mut self.validators[validator];
        let (lies, chain, incarnation) = (*lies, *chain, shell.incarnation);
        match effect {
            Effect::Journal(record) => shell.write_journal(&record),
            Effect::Send { to, message } => return self.say(validator, Some(to.0 as usize), message),
            Effect::Broadcast(message) => return self.say(validator, None, message),
            Effect::SetTimer { id, at } => {
                let at = shell.set_timer(id, at);
                self.agenda.at(at, Event::Timer { validator, incarnation, id, at });
            }
            Effect::Execute(block) => {
                let Some(result) = shell.execute(&block) else {
                    return broken("I9", || format!("validator {validator} executes a block before its parent"));
                };
                self.agenda.at(now + 1, Event::Executed { validator, incarnation, block, result });
            }
            Effect::Build(request) => {
                shell.building = Some(request.epoch);
                let Some((block, executed)) = shell.build(now, &request, &self.mempools[chain]) else {
                    return broken("I9", || format!("validator {validator} builds on what it never executed"));
                };
                let (epoch, block) = (request.epoch, Box::new(block));
                self.agenda.at(now + 1, Event::Built { validator, incarnation, epoch, block, executed });
            }
            Effect::StoreOwn(block) => {
                let Some(Ok((executed, state))) = shell.execute(&block) else {
                    return broken("I9", || format!("validator {validator} cannot execute its own block"));
                };
                shell.keep(block.hash(), block, executed, state);
            }
            Effect::Settled(settled) => return self.on_settled(validator, &settled),
            Effect::Discarded(hashes) => shell.discard(&hashes),
            Effect::StoreCert(hcc) => shell.keep_cert(hcc),
            Effect::Lookup { to, lookup } => return self.answer(validator, to, lookup),
            Effect::Evidence(evidence) => return self.checks.on_evidence(chain, &evidence),
            Effect::Penalize { peer, reason } => {
                let peer = &self.validators[peer.0 as usize];
                let grave = matches!(reason, Penalty::BadSignature | Penalty::BadCertificate | Penalty::BadBlock);
                if grave && !lies && !peer.lies {
                    return broken("blame", || format!("validator {validator} blames {}: {reason:?}", peer.key));
                }
            }
            Effect::Halted(reason) => return self.checks.on_halt(validator, lies, chain, &reason),
        }
        Ok(())
    }

    fn answer(&mut self, validator: usize, to: Peer, lookup: Lookup) -> Verdict {
        match self.validators[validator].shell.lookup(lookup) {
            Some(message) => self.say(validator, Some(to.0 as usize), message),
            None => Ok(()),
        }
    }

    fn on_settled(&mut self, validator: usize, settled: &Settled) -> Verdict {
        let Validator { lies, chain, shell, node, .. } = &mut self.validators[validator];
        let (lies, chain, node) = (*lies, *chain, *node);
        shell.settle(settled);
        if lies {
            return Ok(());
        }
        for block in &settled.blocks {
            let (height, hash) = (block.block.header.height, block.hash);
            self.checks.on_settled(validator, chain, self.healed, height, block.block.header.parent, hash)?;
            self.trace.fold_hash(&hash);
            if height.is_multiple_of(INTERVAL) {
                self.publish(chain, height, hash);
            }
        }
        node.map_or(Ok(()), |node| self.look(node))
    }

    /// Guardians of the chain will see a checkpoint settled; before the split those of both sides.
    fn publish(&mut self, chain: usize, height: u64, hash: vigil_primitives::Hash) {
        let is_one = self.agenda.now() < self.plan.split_at;
        let chains = if is_one { vec![0, 1] } else { vec![chain] };
        for chain in chains {
            if self.settled[chain].insert(height, hash).is_some() {
                continue;
            }
            for node in (0..self.scenario.guardians).filter(|node| self.chain_of[*node] == chain).collect::<Vec<_>>() {
                let after = self.rng.between(0, SKEW);
                self.agenda.at(self.agenda.now() + after, Event::Look { node });
            }
        }
        let differs = |(height, hash): (&u64, &vigil_primitives::Hash)| {
            self.settled[1].get(height).is_some_and(|other| other != hash)
        };
        if self.plan.heals_after < Time::MAX && self.settled[0].iter().any(differs) {
            self.agenda.at(self.agenda.now() + self.plan.heals_after, Event::Heal);
            self.plan.heals_after = Time::MAX;
        }
    }

    /// A validator's node has seen the chain reset: it makes the segment itself, compares, and begins with a journal of its
    /// own.
    pub(super) fn join(&mut self, validator: usize) -> Verdict {
        let (segment, offences) = self.decision.clone().expect("there is a certificate, so somebody decided");
        let cert = self.validators[validator].node.and_then(|node| self.nodes[node].reset.clone());
        let cert = cert.expect("its node has a certificate");
        let Validator { key, shell, chain, .. } = &mut self.validators[validator];
        let base = cert.reset.checkpoint;
        let Some((block, state)) = shell.stored(&base.block_hash) else {
            return broken("reset", || format!("validator {key} never settled the final block {}", base.block_hash));
        };
        let made = Segment::make((&self.toy, &self.domain), (&block, &state), cert.reset.number, base, &offences)
            .expect("somebody");
        if made.reset != cert.reset || made.hash() != segment.hash() {
            return broken("reset", || format!("validator {key} makes {:?} of {:?}", made.reset, cert.reset));
        }
        let signer = self.signers[*key].clone();
        let config = config(self.scenario.validators, made.hash(), signer.address());
        let incarnation = shell.incarnation + 1;
        *shell = Shell::from_block(*key, config, signer, made.toy.clone(), (&made.block, made.state.clone()), 0);
        shell.incarnation = incarnation;
        *chain = AFTERWARDS;
        self.checks.begins_anew(validator, made.block.header.height, made.hash());
        self.boot(validator)
    }
}
