//! What follows from a reset: the simulator's twin of `vigil_ledger::make_reset`, over the toy ledger.

use crate::ledger::{State, Toy};
use crate::shell::validator_set;
use std::sync::Arc;
use vigil_primitives::{Block, Checkpoint, Hash, Offences, Reset, SignDomain, StakePurpose};

/// A segment of the chain: how it begins, and under which rules.
#[derive(Clone)]
pub struct Segment {
    /// The reset that it begins with.
    pub reset: Reset,
    /// The reset block.
    pub block: Arc<Block>,
    /// The state after it.
    pub state: State,
    /// The rules: the committee is the last one of them.
    pub toy: Toy,
    /// What its validators sign under.
    pub domain: SignDomain,
}

impl Segment {
    /// Makes the reset of that number from the checkpoint's block. `None`: nobody would be left to settle.
    pub fn make(
        (toy, genesis): (&Toy, &SignDomain),
        (base, state): (&Block, &State),
        number: u64,
        checkpoint: Checkpoint,
        offences: &Offences,
    ) -> Option<Self> {
        let (toy, state) = toy.without(state, number, &offences.offenders(StakePurpose::Validator))?;
        let committee = validator_set(&toy, state.committee).hash();
        let reset = Reset { number, checkpoint, offences: offences.root(), committee };
        let block = Arc::new(Block { header: reset.header(&base.header, state.root), txs: Vec::new() });
        let domain = genesis.after_reset(block.hash());
        Some(Self { reset, block, state, toy, domain })
    }

    /// Its first block.
    pub fn hash(&self) -> Hash {
        self.domain.genesis_hash
    }
}
