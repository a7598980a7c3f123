//! What must hold after every event (`spec/consensus.md` §1.14), over the honest nodes.
//!
//! Each check is made where the fact it speaks of changes, so that a run pays for what happens and not for what stays.
//! Facts come from what nodes *do* (messages sent, blocks settled, records journalled) and from [`Lineage`], the
//! simulator's own reading of the chain; the machines' opinions of themselves are only compared with these.
//!
//! I3 and I20 speak of guardians, who are not simulated here.

mod agreement;
mod liveness;
mod voting;

use crate::agenda::Time;
use crate::lineage::Lineage;
use crate::plan::Plan;
use crate::scenario::Scenario;
use agreement::Agreement;
use liveness::Liveness;
use std::fmt;
use vigil_consensus::View;
use vigil_primitives::{Block, Hash, Vote};
use voting::Voting;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `I1` ... `I19`, `blame` (an honest node was blamed) or `halt` (an honest node stopped).
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
    /// Time, settlement, buffers.
    pub liveness: Liveness,
    liars: Vec<usize>,
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
            liars: plan.liars.clone(),
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
            self.agreement.tally(node, vote, &self.lineage, &self.liars)?;
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
        Ok(())
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
