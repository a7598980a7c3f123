//! What running contracts needs besides the state: the block, and its ancestors.

use crate::error::StateError;
use crate::rules::{gas_price_min, tx_gas_max};
use std::cell::RefCell;
use vigil_evm::{BlockContext, Fees, Fork, Machine, Rules};
use vigil_primitives::{BlockHeader, ChainParams, Hash, Height, chain_id_number};

/// Tells hashes of blocks on the branch that a block stands on.
pub trait Ancestors: Send + Sync {
    /// Hash of the block at `height`, below or at `parent`; `None` if it is not known, which ends the
    /// execution. Every node must know the last 256.
    ///
    /// # Errors
    /// The store's.
    fn hash_at(&self, parent: &Hash, height: Height) -> Result<Option<Hash>, StateError>;
}

/// Knows no block: where contracts are not asked about the past.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAncestors;

impl Ancestors for NoAncestors {
    fn hash_at(&self, _parent: &Hash, _height: Height) -> Result<Option<Hash>, StateError> {
        Ok(None)
    }
}

/// The rules that contracts run under in a block of `height`.
///
/// # Panics
/// If the rules name no fork; those of a valid genesis do.
pub(crate) fn evm_rules(params: &ChainParams, height: Height) -> Rules {
    Rules {
        fork: Fork::from_name(&params.evm_fork).expect("a valid genesis names a fork"),
        chain_number: chain_id_number(&params.chain_id, height, &params.forks),
        tx_gas_max: tx_gas_max(params, height),
        fees: Fees::Burned,
        stake_token: true,
    }
}

/// What a block tells contracts.
pub(crate) fn block_context(params: &ChainParams, header: &BlockHeader) -> BlockContext {
    BlockContext {
        height: header.height,
        timestamp: header.timestamp,
        proposer: header.proposer,
        gas_max: params.block_gas_max,
        base_fee: gas_price_min(params, header.height).saturating_to(),
        randomness: header.parent,
        ..BlockContext::default()
    }
}

/// Runs the contracts of one block. What they run in is made for the first of them.
pub(crate) struct Contracts<'a> {
    pub(crate) rules: Rules,
    pub(crate) block: BlockContext,
    pub(crate) parent: Hash,
    pub(crate) ancestors: &'a dyn Ancestors,
    machine: RefCell<Option<Machine>>,
}

impl<'a> Contracts<'a> {
    pub(crate) fn new(params: &ChainParams, header: &BlockHeader, ancestors: &'a dyn Ancestors) -> Self {
        let (rules, block) = (evm_rules(params, header.height), block_context(params, header));
        Self::with(rules, block, header.parent, ancestors)
    }

    pub(crate) fn with(rules: Rules, block: BlockContext, parent: Hash, ancestors: &'a dyn Ancestors) -> Self {
        Self { rules, block, parent, ancestors, machine: RefCell::new(None) }
    }

    /// Lends the machine.
    pub(crate) fn machine<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machine = self.machine.borrow_mut();
        work(machine.get_or_insert_with(|| Machine::new(self.rules, &self.block)))
    }
}
