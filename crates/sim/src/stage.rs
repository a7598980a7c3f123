//! Four validators on a stage: three machines and a traitor, every delivery by hand. For the counterexamples of
//! `spec/consensus.md` §1.9, which are schedules, not chance.
//!
//! Nothing arrives unless the script says so. Execution is instant. An honest validator builds only when told to
//! (a build that takes too long is a silent turn). Epochs change by `EpochChange`s after everybody's timeout.

use crate::committee::{Committee, Member};
use crate::keys::{Notary, Signer};
use crate::ledger::{Toy, tx_root};
use crate::liars::knowledge::Knowledge;
use crate::lineage::Lineage;
use crate::scenario::Scenario;
use crate::shell::{Shell, UNIX_START_MS};
use crate::world::{CHAIN_ID, genesis_block, node_config};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_consensus::{BuildRequest, Effect, EpochCert, EpochChange, Input, Message, Peer, Proposal, Rules, TimerId};
use vigil_primitives::{Address, Block, BlockHeader, Epoch, Hash, Height, SignDomain, Signature, Vote};

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

    /// The traitor's block in its turn, shown to some. The traitor votes for it.
    ///
    /// # Panics
    /// If it is not its turn, or there is no certificate for `hcc`.
    pub fn traitor_block(&mut self, parent: Hash, hcc: Hash, twin: u64, to: &[usize]) -> Hash {
        assert_eq!(self.epoch as usize % VALIDATORS, TRAITOR, "not the traitor's turn");
        let above = self.lineage.get(&parent).expect("a known parent");
        let before = above.state.as_ref().expect("a valid parent");
        let (height, timestamp) = (above.height() + 1, above.block.header.timestamp.max(UNIX_START_MS / 1_000) + twin);
        let state = self.toy.apply(before, height, self.epoch, &[]).expect("nothing to fail");
        let mut header = BlockHeader {
            chain_id: CHAIN_ID.into(),
            epoch: self.epoch,
            height,
            parent,
            hcc: self.seen.cert(&hcc, &self.lineage).expect("a certified block").as_ref().clone(),
            tx_root: tx_root(&[]),
            state_root: state.root,
            timestamp,
            proposer: self.signers[TRAITOR].address(),
            signature: Signature::none(),
        };
        header.signature = self.signers[TRAITOR].sign(&header.sign_digest());
        let block = Arc::new(Block { header, txs: Vec::new() });
        let hash = block.hash();
        self.lineage.enter(hash, &block);
        self.show(hash, to);
        self.traitor_votes(hash);
        hash
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
        self.input(node, Input::Built { epoch: request.epoch, block, executed });
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

    /// The traitor votes, whatever it voted before. Nobody is told.
    pub fn traitor_votes(&mut self, block: Hash) {
        let header = &self.lineage.get(&block).expect("a known block").block.header;
        let source = self.lineage.get(&header.hcc.block_hash).expect("a known source");
        let mut vote = Vote {
            height: header.height,
            block_hash: block,
            block_epoch: header.epoch,
            source_height: source.height(),
            source_hash: header.hcc.block_hash,
            voter: self.signers[TRAITOR].address(),
            signature: Signature::none(),
        };
        vote.signature = self.signers[TRAITOR].sign(&vote.digest(&self.domain));
        self.seen.vote(TRAITOR, &vote, &self.lineage);
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
        let genesis = self.genesis();
        let mut own = EpochChange {
            target_epoch: self.epoch + 1,
            lock_height: 0,
            lock_hash: genesis,
            last_vote_height: 0,
            last_vote_hash: genesis,
            voter: self.signers[TRAITOR].address(),
            signature: Signature::none(),
            lock_cc: None,
        };
        own.signature = self.signers[TRAITOR].sign(&own.digest(&self.domain));
        self.changes.insert(own.voter, own);
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

    fn pass_time(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some((at, node, id)) = self.next_timer(end) {
            self.now = self.now.max(at);
            self.timers[node].remove(&id);
            self.input(node, Input::Timer(id));
        }
        self.now = end;
    }

    fn next_timer(&self, end: u64) -> Option<(u64, usize, TimerId)> {
        let all = honest().flat_map(|node| self.timers[node].iter().map(move |(id, at)| (*at, node, *id)));
        all.filter(|(at, ..)| *at <= end).min()
    }

    fn deliver(&mut self, node: usize, message: Message) {
        self.input(node, Input::Received { from: Peer(TRAITOR as u64), message });
    }

    fn input(&mut self, node: usize, input: Input) {
        let mut effects = Vec::new();
        self.shells[node].step(self.now, input, &mut effects);
        self.perform(node, effects);
    }

    fn perform(&mut self, node: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Journal(record) => self.shells[node].write_journal(&record),
                Effect::Send { message, .. } | Effect::Broadcast(message) => self.overhear(node, &message),
                Effect::SetTimer { id, at } => {
                    let at = self.shells[node].set_timer(id, at);
                    self.timers[node].insert(id, at);
                }
                Effect::Execute(block) => {
                    let hash = block.hash();
                    let result = self.shells[node].execute(&block).expect("parents come first");
                    let outcome = result.map(|(executed, state)| {
                        self.shells[node].keep(hash, block, executed.clone(), state);
                        executed
                    });
                    self.input(node, Input::Executed { block: hash, outcome });
                }
                Effect::Build(request) => self.wanted[node] = Some(*request),
                Effect::StoreOwn(block) => {
                    let (executed, state) = self.shells[node].execute(&block).expect("its parent").expect("valid");
                    self.own = Some(block.hash());
                    self.shells[node].keep(block.hash(), block, executed, state);
                }
                Effect::Settled(settled) => {
                    self.settled[node].extend(settled.blocks.iter().map(|block| block.hash));
                    self.shells[node].settle(&settled);
                }
                Effect::Discarded(hashes) => self.shells[node].discard(&hashes),
                Effect::StoreCert(hcc) => self.shells[node].keep_cert(hcc),
                Effect::Lookup { .. } | Effect::Evidence(_) | Effect::Penalize { .. } | Effect::Halted(_) => {}
            }
        }
    }

    fn overhear(&mut self, node: usize, message: &Message) {
        match message {
            Message::Vote(vote) if vote.voter == self.signers[node].address() => {
                self.seen.vote(node, vote, &self.lineage);
            }
            Message::EpochChange(change) => {
                self.changes.insert(change.voter, change.clone());
            }
            Message::Proposal(proposal) => self.lineage.enter(proposal.block.hash(), &proposal.block),
            _ => {}
        }
    }
}

/// The numbers of the honest.
pub fn honest() -> impl Iterator<Item = usize> {
    (0..VALIDATORS).filter(|node| *node != TRAITOR)
}
