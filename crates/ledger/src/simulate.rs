//! Running messages of which nothing is kept: calls, estimates, traces.

use crate::contracts::{Ancestors, Contracts};
use crate::env::{Env, Proofs};
use crate::error::{ApplyError, StateError};
use crate::keys;
use crate::state::State;
use crate::tx::contract::{self, Ledger};
use crate::tx::{self, Context, Runner};
use crate::view::View;
use alloy_primitives::keccak256;
use vigil_crypto::VerifiedTx;
use vigil_evm::{
    AccessList, BlockContext, Executed, Failure, GethDebugTracingOptions, GethTrace, Lenience, Limits, Machine,
    Message, TraceError, TracedTx,
};
use vigil_primitives::{Account, Address, BlockHeader, Bytes, ChainParams, U256};

/// A block that is made up, or made again, on a state. Messages see what went before them in it; no message is kept.
pub struct Simulation<'a> {
    params: &'a ChainParams,
    view: View,
    contracts: Contracts<'a>,
}

/// What of an account is to be other than the state says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountOverride {
    /// Of the operational token, in wei.
    pub balance: Option<U256>,
    /// Transactions that it has made.
    pub nonce: Option<u64>,
    /// Its code.
    pub code: Option<Bytes>,
    /// True if nothing of its storage is left but `slots`.
    pub clears_storage: bool,
    /// Words of its storage.
    pub slots: Vec<(U256, U256)>,
}

impl<'a> Simulation<'a> {
    /// Messages run on `state` as if in the block of `header`.
    pub fn new(params: &'a ChainParams, state: State, header: &BlockHeader, ancestors: &'a dyn Ancestors) -> Self {
        let view = View::new(state, header.height.saturating_sub(1));
        Self { params, view, contracts: Contracts::new(params, header, ancestors) }
    }

    /// What the block tells contracts, to be changed.
    pub fn block(&self) -> BlockContext {
        self.contracts.block
    }

    /// Changes what the block tells contracts.
    pub fn set_block(&mut self, block: BlockContext) {
        let (rules, parent, ancestors) = (self.contracts.rules, self.contracts.parent, self.contracts.ancestors);
        self.contracts = Contracts::with(rules, block, parent, ancestors);
    }

    /// Changes an account.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn set_account(&mut self, address: Address, to: AccountOverride) -> Result<(), StateError> {
        let account = self.view.plain_account(&address)?;
        let mut account = account.unwrap_or_else(|| Account::new(address, self.view.parent_height()));
        account.balance.tfuel = to.balance.unwrap_or(account.balance.tfuel);
        account.sequence = to.nonce.unwrap_or(account.sequence);
        if let Some(code) = to.code {
            account.code_hash = keccak256(&code);
            self.view.set_raw(keys::code(&account.code_hash), code);
        }
        self.view.set_account(account);
        for (slot, _) in &to.slots {
            self.view.slot(&address, slot)?; // the storage must be known before it is written
        }
        self.view.write_storage(address, to.clears_storage, to.slots);
        self.view.keep()
    }

    /// Executes a transaction of the block; what comes after sees it.
    ///
    /// # Errors
    /// [`ApplyError`]: it cannot be in the block.
    pub fn execute(&mut self, proofs: &dyn Proofs, tx: &VerifiedTx) -> Result<(), ApplyError> {
        let context = Context::new(self.params, proofs, tx, self.contracts.block.height);
        tx::apply(&mut self.view, Runner::Block(&self.contracts), &context)
    }

    /// Prepares the block as it is before its transactions.
    ///
    /// # Errors
    /// The state cannot be read, or the block is none that was executed.
    pub fn begin(&mut self, env: &Env, header: &BlockHeader) -> Result<(), StateError> {
        crate::block::begin(&mut self.view, env, header).map_err(|error| match error {
            crate::error::FinalityError::State(error) => error,
            crate::error::FinalityError::Refused(error) => crate::state::corrupt(
                &header.hash().0,
                format!("the certificate of an executed block is refused: {error}"),
            ),
        })
    }

    /// The message of a transaction of the block, with the checks that stand before its execution.
    ///
    /// # Errors
    /// [`ApplyError`]: it cannot be in the block.
    pub fn message(&mut self, proofs: &dyn Proofs, tx: &VerifiedTx) -> Result<Option<Message>, ApplyError> {
        let context = Context::new(self.params, proofs, tx, self.contracts.block.height);
        let Some(call) = tx.tx().contract_call() else { return Ok(None) };
        contract::prepare(&mut self.view, &context, &call).map(Some)
    }

    /// The sequence of an account, and what it has of the operational token, in wei.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn account(&mut self, address: &Address) -> Result<(u64, U256), StateError> {
        let account = self.view.plain_account(address)?;
        Ok(account.map(|account| (account.sequence, account.balance.tfuel)).unwrap_or_default())
    }

    /// Runs a message.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn call(
        &mut self,
        message: Message,
        lenience: Lenience,
        limits: Limits<'_>,
    ) -> Result<Executed, Failure<StateError>> {
        self.with_machine(lenience, |machine, ledger| machine.call(ledger, message, limits))
    }

    /// Runs a message and tells what it touched.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn access_list(
        &mut self,
        message: Message,
        lenience: Lenience,
        limits: Limits<'_>,
    ) -> Result<(Executed, AccessList), Failure<StateError>> {
        self.with_machine(lenience, |machine, ledger| machine.access_list(ledger, message, limits))
    }

    /// Runs a message and traces it.
    ///
    /// # Errors
    /// [`TraceError`].
    pub fn trace(
        &mut self,
        message: Message,
        lenience: Lenience,
        place: TracedTx,
        options: GethDebugTracingOptions,
        limits: Limits<'_>,
    ) -> Result<(Executed, GethTrace), TraceError<StateError>> {
        self.with_machine(lenience, |machine, ledger| machine.trace(ledger, message, place, options, limits))
    }

    fn with_machine<T>(&mut self, lenience: Lenience, work: impl FnOnce(&mut Machine, &mut Ledger<'_>) -> T) -> T {
        let mut machine = Machine::new(self.contracts.rules, &self.contracts.block);
        machine.be_lenient(lenience);
        let mut ledger = Ledger::new(&mut self.view, self.params, &self.contracts);
        let result = work(&mut machine, &mut ledger);
        // What it staked is in the view, and nothing else.
        self.view.discard();
        result
    }
}

impl std::fmt::Debug for Simulation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulation").field("block", &self.contracts.block).finish_non_exhaustive()
    }
}
