//! Four validators on a stage: three machines and a traitor, every delivery by hand. For the counterexamples of
//! `spec/consensus.md` §1.9, which are schedules, not chance.
//!
//! Nothing arrives unless the script says so. Execution is instant. An honest validator builds only when told to
//! (a build that takes too long is a silent turn). Epochs change by `EpochChange`s after everybody's timeout.

mod drive;
mod traitor;

use crate::committee::{Committee, Member};
use crate::keys::{Notary, Signer};
use crate::ledger::Toy;
use crate::liars::knowledge::Knowledge;
use crate::lineage::Lineage;
use crate::scenario::Scenario;
use crate::shell::Shell;
use crate::world::{genesis_block, node_config};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_consensus::{BuildRequest, EpochCert, EpochChange, Input, Message, Proposal, Rules, TimerId};
use vigil_primitives::{Address, Block, Epoch, Hash, Height, SignDomain};

/// Validators on the stage. The proposer of epoch t is number t mod 4.
pub const VALIDATORS: usize = 4;
/// The traitor's number: its turns are epochs 1, 5, 9, ...
pub const TRAITOR: usize = 1;
/// How long the script waits for an honest proposer (its wait of L3): steps of virtual time.
const PATIENCE_STEPS: usize = 200;
const STEP_MS: u64 = 20;

/// The stage.
pub struct Stage {
    shells: Vec<Shell>,
    signers: Vec<Signer>,
    domain: SignDomain,
    toy: Toy,
    lineage: Lineage,
    seen: Knowledge,
    changes: BTreeMap<Address, EpochChange>,
    timers: Vec<BTreeMap<TimerId, u64>>,
    wanted: Vec<Option<BuildRequest>>,
    settled: Vec<Vec<Hash>>,
    own: Option<Hash>,
    now: u64,
    epoch: Epoch,
}

impl Stage {
    /// Three honest validators under `rules`, in epoch 1.
    pub fn new(rules: Rules) -> Self {
        let (_, mut signers) = Notary::with_signers(0, VALIDATORS);
        signers.sort_by_key(Signer::address);
        let member = |(node, signer): (usize, &Signer)| Member { node, address: signer.address(), weight: 1 };
        let committee = Committee::new(signers.iter().enumerate().map(member).collect());
        let toy = Toy { committees: [committee].into() };
        let genesis = genesis_block(&toy);
        let scenario = Scenario { rules, ..Scenario::equal(VALIDATORS, 1) };
        let config = |node: usize| node_config(&scenario, genesis.hash(), signers[node].address());
        let shell = |node: usize| Shell::new(node, config(node), signers[node].clone(), toy.clone(), &genesis, 0);
        let mut stage = Self {
            shells: (0..VALIDATORS).map(shell).collect(),
            domain: config(0).domain,
            lineage: Lineage::new(toy.clone(), genesis),
            toy,
            signers,
            seen: Knowledge::default(),
            changes: BTreeMap::new(),
            timers: vec![BTreeMap::new(); VALIDATORS],
            wanted: vec![None; VALIDATORS],
            settled: vec![Vec::new(); VALIDATORS],
            own: None,
            now: 0,
            epoch: 1,
        };
        for node in honest() {
            let mut effects = Vec::new();
            stage.shells[node].boot(0, &mut effects);
            stage.perform(node, effects);
        }
        stage
    }

    /// Genesis.
    pub fn genesis(&self) -> Hash {
        self.lineage.genesis()
    }

    /// The epoch that everybody is in.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The block of an honest validator in its turn, shown to itself alone. `None`: it does not want to build.
    pub fn honest_block(&mut self, node: usize) -> Option<Hash> {
        for _step in 0..PATIENCE_STEPS {
            if self.wanted[node].is_some() {
                break;
            }
            self.pass_time(STEP_MS);
        }
        let request = self.wanted[node].take()?;
        let (block, executed) = self.shells[node].build(self.now, &request, &[])?;
        self.own = None;
        self.input(node, Input::Built { epoch: request.epoch, block: Box::new(block), executed });
        self.own
    }

    /// Shows a block, and first those of its ancestors that may be missing, to some.
    pub fn show(&mut self, block: Hash, to: &[usize]) {
        let mut path = Vec::new();
        let mut at = block;
        while at != self.genesis() {
            let kin = self.lineage.get(&at).expect("a known block");
            path.push(kin.block.clone());
            at = kin.block.header.parent;
        }
        let proposal = self.proposal(path.remove(0));
        for node in to.iter().copied().filter(|node| *node != TRAITOR) {
            for ancestor in path.iter().rev() {
                self.deliver(node, Message::Block(ancestor.clone()));
            }
            self.deliver(node, proposal.clone());
        }
    }

    fn proposal(&self, block: Arc<Block>) -> Message {
        let changes: Vec<_> =
            self.changes.values().filter(|change| change.target_epoch >= block.header.epoch).cloned().collect();
        let epoch_cert = (changes.len() >= 3).then_some(EpochCert::Changes(changes));
        Message::Proposal(Proposal { block, epoch_cert })
    }

    /// Who voted for a block, by number.
    pub fn voters(&self, block: Hash) -> Vec<usize> {
        let votes: Vec<Address> = self.seen.votes(&block).map(|vote| vote.voter).collect();
        (0..VALIDATORS).filter(|node| votes.contains(&self.signers[*node].address())).collect()
    }

    /// True if there are votes enough.
    pub fn is_certified(&self, block: Hash) -> bool {
        self.seen.cert(&block, &self.lineage).is_some()
    }

    /// Tells some the certificate of a block. False: there is none.
    pub fn tell_cert(&mut self, block: Hash, to: &[usize]) -> bool {
        let Some(cert) = self.seen.cert(&block, &self.lineage) else { return false };
        for node in to {
            self.deliver(*node, Message::Certificate(cert.clone()));
        }
        true
    }

    /// The parent of a block.
    pub fn parent(&self, block: Hash) -> Hash {
        self.lineage.get(&block).expect("a known block").block.header.parent
    }

    /// Everybody times out and enters the next epoch by `EpochChange`s of all.
    ///
    /// # Panics
    /// If an honest validator does not follow.
    pub fn next_epoch(&mut self) {
        self.next_epoch_with(&[]);
    }

    /// The same, but some validators are told a certificate at the last moment, and enter by that.
    ///
    /// # Panics
    /// If an honest validator does not follow, or there is no such certificate.
    pub fn next_epoch_with(&mut self, certs: &[(Hash, usize)]) {
        self.pass_time(250 * 8 * 8);
        for (block, node) in certs {
            assert!(self.tell_cert(*block, &[*node]), "no certificate");
        }
        self.traitor_changes_epoch();
        self.epoch += 1;
        let changes: Vec<EpochChange> = self.changes.values().cloned().collect();
        for node in honest() {
            let me = self.signers[node].address();
            for change in changes.iter().filter(|change| change.voter != me) {
                self.deliver(node, Message::EpochChange(change.clone()));
            }
            let epoch = self.shells[node].machine().map_or(0, |machine| machine.view().epoch);
            assert_eq!(epoch, self.epoch, "validator {node} is in epoch {epoch}");
        }
    }

    /// Goes through silent epochs to the traitor's next turn.
    pub fn to_traitors_turn(&mut self) {
        self.next_epoch();
        while self.epoch as usize % VALIDATORS != TRAITOR {
            self.next_epoch();
        }
    }

    /// The settled chain of a validator, from height 1.
    pub fn settled(&self, node: usize) -> &[Hash] {
        &self.settled[node]
    }

    /// The first height at which two validators settled different blocks.
    pub fn conflict(&self) -> Option<Height> {
        let longest = self.settled.iter().map(Vec::len).max().unwrap_or(0);
        let at = |height: usize| self.settled.iter().filter_map(move |chain| chain.get(height));
        (0..longest).find(|height| at(*height).any(|hash| Some(hash) != at(*height).next())).map(|h| h as Height + 1)
    }
}

/// The numbers of the honest.
pub fn honest() -> impl Iterator<Item = usize> {
    (0..VALIDATORS).filter(|node| *node != TRAITOR)
}
