//! The mind: when it is asked, and what it remembers between two questions.

use super::knowledge::Knowledge;
use super::{EpochLie, Lies, ProposerLie, VoterLie};
use crate::agenda::Time;
use crate::committee::Committee;
use crate::keys::Signer;
use crate::ledger::{Toy, ToyTx, tx_root};
use crate::lineage::Lineage;
use crate::network::{DELAYS, Delays};
use crate::plan::Plan;
use crate::rng::{Rng, Stream};
use crate::scenario::Scenario;
use crate::shell::UNIX_START_MS;
use crate::wire::Target;
use crate::world::CHAIN_ID;
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_consensus::{EpochCert, EpochChange, Message, Proposal};
use vigil_primitives::{Address, Block, BlockHeader, Bytes, Epoch, Hash, SignDomain, Signature, Vote};

/// A message that a liar sends after some time.
#[derive(Clone, Debug)]
pub struct Shot {
    /// How long from now, in ms.
    pub after: Time,
    /// Whose connection.
    pub from: usize,
    /// To whom.
    pub to: Target,
    /// What.
    pub message: Message,
}

/// What the adversary decides when an epoch begins.
pub struct Weather {
    /// Its way of delaying.
    pub delays: Delays,
    /// Who is slow to hear the proposer.
    pub slow: Vec<usize>,
    /// Who votes.
    pub committee: Committee,
    /// Whose turn it is.
    pub proposer: Option<usize>,
    /// Whose turn is next.
    pub next: Option<usize>,
    /// What the liars send.
    pub shots: Vec<Shot>,
}

/// A node whose key the adversary has.
#[derive(Clone)]
pub(super) struct Liar {
    pub node: usize,
    pub signer: Signer,
}

/// The adversary of a run.
#[derive(Clone)]
pub struct Adversary {
    pub(super) rng: Rng,
    pub(super) liars: Vec<Liar>,
    /// Somebody with a key that never was a validator's.
    pub(super) stranger: Liar,
    pub(super) honest: Vec<usize>,
    pub(super) domain: SignDomain,
    pub(super) delta: Time,
    pub(super) toy: Toy,
    pub(super) lies: Lies,
    pub(super) seen: Knowledge,
    pub(super) changes: BTreeMap<Address, EpochChange>,
    pub(super) epoch: Epoch,
    /// Whom [`VoterLie::CompleteForOne`] serves in this epoch.
    pub(super) favourite: usize,
    /// Blocks for which the liars still hold their votes back.
    pub(super) held: Vec<Hash>,
    pub(super) private_tip: Option<Hash>,
    addresses: Vec<Address>,
    fixed_lies: Option<Lies>,
    fixed_delays: Option<Delays>,
    hush_at: Option<Time>,
}

impl Adversary {
    /// The adversary of a plan. Of `signers` it keeps the liars' and the last, the stranger's.
    pub fn new(scenario: &Scenario, plan: &Plan, toy: Toy, signers: &[Signer], domain: SignDomain, seed: u64) -> Self {
        let liar = |node: usize| Liar { node, signer: signers[node].clone() };
        let honest: Vec<usize> = (0..plan.nodes).filter(|node| !plan.lies(*node)).collect();
        Self {
            rng: Rng::seeded(seed, Stream::Liars),
            liars: plan.liars.iter().map(|node| liar(*node)).collect(),
            stranger: liar(plan.nodes),
            favourite: honest[0],
            honest,
            domain,
            delta: scenario.delta,
            toy,
            lies: scenario.lies.unwrap_or(Lies::SILENT),
            seen: Knowledge::default(),
            changes: BTreeMap::new(),
            epoch: 0,
            held: Vec::new(),
            private_tip: None,
            addresses: signers.iter().map(Signer::address).collect(),
            fixed_lies: scenario.lies,
            fixed_delays: scenario.delays,
            hush_at: scenario.hush_after.map(|after| plan.weather.gst + after),
        }
    }

    /// Address of a node.
    pub fn address(&self, node: usize) -> Address {
        self.addresses[node]
    }

    /// The epoch that began last.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The block of an epoch that has a certificate.
    pub fn certified_in(&self, epoch: Epoch, lineage: &Lineage) -> Option<Hash> {
        let of_epoch = |hash: &&Hash| lineage.get(hash).is_some_and(|kin| kin.epoch() == epoch);
        self.seen.certified.iter().rev().find(of_epoch).copied()
    }

    /// The chance that it lives by.
    pub fn chance(&self) -> &Rng {
        &self.rng
    }

    /// From now on it lives by another chance.
    pub fn take_chance(&mut self, chance: Rng) {
        self.rng = chance;
    }

    /// What the liars are up to.
    pub fn lies(&self) -> Lies {
        self.lies
    }

    /// The first honest node is in `epoch`: everything is drawn anew.
    pub fn epoch_begins(&mut self, now: Time, epoch: Epoch, mempool: &[ToyTx], lineage: &mut Lineage) -> Weather {
        self.epoch = epoch;
        self.lies = match self.fixed_lies {
            Some(lies) => lies,
            None => Lies::draw(&mut self.rng),
        };
        if self.hush_at.is_some_and(|at| now >= at) {
            self.lies = Lies::SILENT;
        }
        self.favourite = *self.rng.pick(&self.honest);
        let best = self.seen.highest_certified(lineage);
        let set = lineage.set_of_child(&best, &best).expect("it is certified").0;
        let proposer = lineage.turn(&set, epoch);
        let next = lineage.turn(&set, epoch + 1);
        let mut slow = self.honest.clone();
        self.rng.shuffle(&mut slow);
        slow.truncate(self.liars.len().max(1));
        let mut shots = self.change_epoch(now, epoch, lineage);
        if let Some(at) = self.liars.iter().position(|liar| Some(liar.node) == proposer) {
            shots.extend(self.take_turn(now, at, mempool, lineage));
        }
        let delays = self.fixed_delays.unwrap_or_else(|| *self.rng.pick(&DELAYS));
        let committee = lineage.committee(&set).clone();
        Weather { delays, slow, committee, proposer, next, shots }
    }

    /// True if a message of a liar's own machine fits the lie of the epoch and may leave.
    pub fn passes(&self, node: usize, message: &Message) -> bool {
        let own = self.addresses[node];
        match message {
            // the adversary casts votes itself
            Message::Vote(vote) => vote.voter != own,
            Message::EpochChange(change) => change.voter != own || self.lies.epoch == EpochLie::Early,
            Message::Proposal(proposal) => {
                proposal.block.header.proposer != own || self.lies.proposer == ProposerLie::Honest
            }
            Message::EpochCert(_) | Message::Certificate(_) => self.lies.epoch != EpochLie::Silent,
            Message::CertReq(_) | Message::BlockReq(_) | Message::Block(_) => true,
        }
    }

    /// Any message that leaves a node is seen at once.
    pub fn overhear(&mut self, node: usize, message: &Message, lineage: &Lineage) -> Vec<Shot> {
        match message {
            Message::Vote(vote) if self.seen.vote(node, vote, lineage) => return self.vote_was_cast(vote, lineage),
            Message::EpochChange(change) => {
                let known = self.changes.get(&change.voter).is_some_and(|old| old.target_epoch >= change.target_epoch);
                if !known {
                    self.changes.insert(change.voter, change.clone());
                }
            }
            Message::Proposal(proposal) => return self.block_was_proposed(proposal.block.hash(), lineage),
            _ => {}
        }
        Vec::new()
    }

    /// A liar's vote, whatever it voted before.
    pub(super) fn cast(&mut self, liar: usize, block: &Hash, lineage: &Lineage) -> Option<Vote> {
        let header = &lineage.get(block)?.block.header;
        let source = header.hcc.block_hash;
        let (source_set, source_height) = lineage.rank(&source)?;
        let mut vote = Vote {
            height: header.height,
            block_hash: *block,
            block_epoch: header.epoch,
            source_set,
            source_height,
            source_hash: source,
            voter: self.liars[liar].signer.address(),
            signature: Signature::none(),
        };
        vote.signature = self.liars[liar].signer.sign(&vote.digest(&self.domain));
        let node = self.liars[liar].node;
        self.seen.vote(node, &vote, lineage);
        Some(vote)
    }

    /// A block on `parent` with the certificate of `hcc`, signed by a liar. `None`: the parts do not fit.
    pub(super) fn forge(&mut self, now: Time, liar: usize, parts: &Parts, lineage: &Lineage) -> Option<Arc<Block>> {
        let parent = lineage.get(&parts.parent)?;
        let before = parent.state.as_ref().ok()?;
        let hcc = self.seen.cert(&parts.hcc, lineage)?;
        if parent.epoch() >= parts.epoch {
            return None;
        }
        let height = parent.height() + 1;
        let state = self.toy.apply(before, height, parts.epoch, &parts.txs).ok()?;
        let mut header = BlockHeader {
            chain_id: CHAIN_ID.into(),
            epoch: parts.epoch,
            height,
            parent: parts.parent,
            hcc: hcc.as_ref().clone(),
            tx_root: tx_root(&parts.txs),
            state_root: if parts.wrong_root { Hash::repeat_byte(7) } else { state.root },
            timestamp: parent.block.header.timestamp.max((UNIX_START_MS + now) / 1_000) + parts.salt,
            proposer: self.liars[liar].signer.address(),
            ..BlockHeader::default()
        };
        header.signature = self.liars[liar].signer.sign(&header.sign_digest());
        Some(Arc::new(Block { header, txs: parts.txs.clone() }))
    }

    /// The proposal of a forged block, with the epoch certificate if one is needed and known.
    pub(super) fn proposal(&self, block: &Arc<Block>, lineage: &Lineage) -> Message {
        let header = &block.header;
        let direct = lineage.get(&header.hcc.block_hash).is_some_and(|kin| kin.epoch() + 1 == header.epoch);
        let epoch_cert = if direct { None } else { self.epoch_certificate(header.epoch, lineage) };
        Message::Proposal(Proposal { block: block.clone(), epoch_cert })
    }

    /// A quorum of `EpochChange`s to `epoch` or above, if so many were seen.
    fn epoch_certificate(&self, epoch: Epoch, lineage: &Lineage) -> Option<EpochCert> {
        let best = self.seen.highest_certified(lineage);
        let (set, _) = lineage.set_of_child(&best, &best)?;
        let committee = lineage.committee(&set);
        let member = |change: &&EpochChange| change.target_epoch >= epoch && committee.weight_of(&change.voter) > 0;
        let changes: Vec<EpochChange> = self.changes.values().filter(member).cloned().collect();
        let weight = changes.iter().map(|change| committee.weight_of(&change.voter)).sum();
        committee.is_quorum(weight).then_some(EpochCert::Changes(changes))
    }

    /// A shot to everybody or some at once.
    pub(super) fn shot(&self, after: Time, liar: usize, to: Target, message: Message) -> Shot {
        Shot { after, from: self.liars[liar].node, to, message }
    }

    /// True if the liars are to hold their votes back now.
    pub(super) fn completes(&self) -> bool {
        matches!(self.lies.voter, VoterLie::CompleteForOne | VoterLie::CompleteForRandom)
    }
}

/// What a forged block is made of.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub parent: Hash,
    pub hcc: Hash,
    pub epoch: Epoch,
    pub txs: Vec<Bytes>,
    /// Seconds added to the timestamp, to tell twins apart.
    pub salt: u64,
    pub wrong_root: bool,
}
