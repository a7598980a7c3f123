//! What must hold after every event (`spec/consensus.md` §1.14), over the honest nodes.
//!
//! Each check is made where the fact it speaks of changes, so that a run pays for what happens and not for what stays.
//! Facts come from what nodes *do* (messages sent, blocks settled, records journalled) and from [`Lineage`], the
//! simulator's own reading of the chain; the machines' opinions of themselves are only compared with these.
//!
//! I3 and I20 speak of guardians, who are not simulated here.

mod agreement;
mod buffers;
mod inclusion;
mod liveness;
mod memory;
mod voting;

use crate::agenda::Time;
use crate::committee::Committee;
use crate::ledger::ToyTx;
use crate::lineage::Lineage;
use crate::plan::Plan;
use crate::scenario::Scenario;
use agreement::Agreement;
use inclusion::Inclusion;
use liveness::Liveness;
use memory::Memory;
use std::fmt;
use vigil_consensus::{Buffered, View};
use vigil_primitives::{Block, Hash, Height, Vote};
use voting::Voting;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `I1` ... `I19`, `blame` (an honest node was blamed), `halt` (an honest node stopped) or `rollback` (a node whose
    /// journal was rolled back signed against what it was told again).
    pub invariant: &'static str,
    /// Who and what.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken: {}", self.invariant, self.detail)
    }
}

/// What a check says.
pub type Verdict = Result<(), Violation>;

/// Fails with a text.
pub(crate) fn broken(invariant: &'static str, detail: impl FnOnce() -> String) -> Verdict {
    Err(Violation { invariant, detail: detail() })
}

/// All checks of a run.
#[derive(Clone)]
pub struct Invariants {
    /// Every block anybody made.
    pub lineage: Lineage,
    agreement: Agreement,
    voting: Voting,
    /// Time and settlement.
    pub liveness: Liveness,
    /// What nodes forget and are told again.
    pub memory: Memory,
    inclusion: Inclusion,
    buffered_most: Buffered,
    faulty: Vec<usize>,
    seen_locks: Vec<Hash>,
    seen_certs: Vec<Hash>,
}

impl Invariants {
    /// Checks for a run.
    pub fn new(scenario: &Scenario, plan: &Plan, lineage: Lineage) -> Self {
        let genesis = lineage.genesis();
        Self {
            lineage,
            agreement: Agreement::new(genesis, plan.nodes),
            voting: Voting::new(plan.nodes),
            liveness: Liveness::new(scenario, plan),
            memory: Memory::new(plan),
            inclusion: Inclusion::new(scenario, plan),
            // every node may be a validator some time; its peers are the others and a stranger
            buffered_most: Buffered::most(plan.nodes, plan.nodes),
            faulty: plan.faulty(),
            seen_locks: vec![genesis; plan.nodes],
            seen_certs: vec![genesis; plan.nodes],
        }
    }

    /// A block was made by anybody.
    pub fn block_made(&mut self, hash: Hash, block: &std::sync::Arc<Block>) {
        self.lineage.enter(hash, block);
    }

    /// An honest node sends a vote; `durable`: its journal holds it.
    ///
    /// # Errors
    /// I4 to I8, I10, I11.
    pub fn honest_vote(&mut self, node: usize, vote: &Vote, durable: bool) -> Verdict {
        let settled = self.agreement.head(node);
        if self.voting.vote(node, vote, durable, settled, &self.lineage)? {
            self.agreement.tally(node, vote, &self.lineage, &self.faulty)?;
        }
        Ok(())
    }

    /// An honest node sends a proposal of its own.
    ///
    /// # Errors
    /// I8, I12.
    pub fn honest_proposal(&mut self, node: usize, hash: Hash, block: &Block, durable: bool) -> Verdict {
        self.voting.proposal(node, hash, block.header.epoch, durable)
    }

    /// An honest node sends an `EpochChange`.
    ///
    /// # Errors
    /// I8.
    pub fn honest_epoch_change(&mut self, node: usize, target: u64, durable: bool) -> Verdict {
        if durable { Ok(()) } else { broken("I8", || format!("node {node} sent EC({target}) before journalling it")) }
    }

    /// An honest node settles a block.
    ///
    /// # Errors
    /// I1, I2, I9, I10, I11.
    pub fn settled(&mut self, now: Time, node: usize, hash: Hash, executed: bool) -> Verdict {
        self.agreement.settle(node, hash, executed, &self.lineage)?;
        let kin = self.lineage.get(&hash).expect("agreement has looked it up");
        self.liveness.settled(now, node, kin);
        for tx in kin.block.txs.iter().filter_map(|raw| ToyTx::from_raw(raw)) {
            self.inclusion.settled(tx);
        }
        Ok(())
    }

    /// A node's chain database is of this settled head after a crash.
    pub fn restored(&mut self, node: usize, head: (Height, Hash)) {
        self.agreement.restored(node, head);
        self.liveness.restored(node, head.0);
    }

    /// A client gave a transaction to all mempools.
    pub fn submitted(&mut self, now: Time, tx: ToyTx) {
        self.inclusion.submitted(now, tx);
    }

    /// True if an honest node settled it.
    pub fn is_settled(&self, tx: ToyTx) -> bool {
        self.inclusion.is_settled(tx)
    }

    /// An epoch begins: it is the turn of `proposer`, of `committee`.
    pub fn turn(&mut self, now: Time, proposer: Option<usize>, committee: &Committee) {
        self.inclusion.turn(now, proposer, committee);
    }

    /// Most rotations that a transaction waited for.
    pub fn rotations_max(&self) -> u64 {
        self.inclusion.longest()
    }

    /// What is looked at now and then.
    ///
    /// # Errors
    /// I16, I18.
    pub fn probe(&self, now: Time) -> Verdict {
        self.liveness.probe(now)?;
        self.inclusion.check(now)
    }

    /// What a machine holds.
    ///
    /// # Errors
    /// I17.
    pub fn buffers(&self, node: usize, held: &Buffered) -> Verdict {
        buffers::check(node, held, &self.buffered_most)
    }

    /// The last settled height of a node.
    pub fn settled_height(&self, node: usize) -> u64 {
        self.agreement.head(node).0
    }

    /// The highest block that any honest node settled.
    pub fn highest_settled(&self) -> (u64, Hash) {
        self.agreement.top()
    }

    /// What a machine says of itself, against what it did.
    ///
    /// # Errors
    /// I7, I11.
    pub fn view(&mut self, node: usize, view: &View) -> Verdict {
        if self.seen_locks[node] != view.lock.2 {
            self.seen_locks[node] = view.lock.2;
            self.voting.lock(node, view.lock, &self.lineage)?;
        }
        let (set_index, height, hash) = view.high_cert;
        if self.seen_certs[node] != hash {
            self.seen_certs[node] = hash;
            if self.lineage.rank(&hash) != Some((set_index, height)) {
                let rank = self.lineage.rank(&hash);
                return broken("I11", || format!("node {node} ranks {hash} {:?}, it is {rank:?}", (set_index, height)));
            }
        }
        Ok(())
    }
}
