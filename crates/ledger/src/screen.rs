//! The mempool's view: the settled state with the debits of pending transactions.

use crate::env::Proofs;
use crate::error::{ApplyError, StateError, TxError, code};
use crate::rules::{gas_price_min, gas_regular};
use crate::state::State;
use crate::tx::{self, Context, Runner};
use crate::view::View;
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Account, Address, ChainParams, Coins, Height, Tx, TxInput, U256};

/// Most accounts kept in memory that were only read.
const CLEAN_ACCOUNTS_MAX: usize = 100_000;

/// Judges pending transactions as if each account's earlier ones were applied.
///
/// What pending transactions take from an account counts (sequence and balance), so that sequences n+1, n+2, ... need
/// no waiting; what they give to others does not, so that each account can be judged again by itself when a block has
/// touched it. A transaction that is accepted here may still fail in a block; one that is refused here would have failed
/// in the next block unless another pending transaction comes to its help.
pub struct Screen {
    params: Arc<ChainParams>,
    proofs: Arc<dyn Proofs>,
    view: View,
    /// Number of accounts in memory at which those that were only read are forgotten.
    sweep_at: usize,
}

impl Screen {
    /// On the state after the settled block of `height`.
    pub fn new(params: Arc<ChainParams>, proofs: Arc<dyn Proofs>, state: State, height: Height) -> Self {
        Self { params, proofs, view: View::new(state, height), sweep_at: CLEAN_ACCOUNTS_MAX }
    }

    /// One on the same settled state, to which nothing is pending; `proofs` judges signatures there.
    #[must_use]
    pub fn without_pending(&self, proofs: Arc<dyn Proofs>) -> Self {
        Self::new(Arc::clone(&self.params), proofs, self.view.state().clone(), self.view.parent_height())
    }

    /// Judges a transaction; if it is good, its debits count from now on.
    ///
    /// # Errors
    /// [`ApplyError::Refused`] with the result code and the text for clients; [`ApplyError::State`] is ours.
    pub fn check_and_apply(&mut self, verified: &VerifiedTx) -> Result<(), ApplyError> {
        if matches!(verified.tx(), Tx::Coinbase(_)) {
            return Err(TxError::new(code::UNAUTHORIZED, "Unauthorized transaction, should skip").into());
        }
        if self.view.cached_accounts() > self.sweep_at {
            self.view.forget_clean();
            // Debited accounts stay; with many of them the next sweep must still be far.
            self.sweep_at = self.view.cached_accounts().saturating_mul(2).max(CLEAN_ACCOUNTS_MAX);
        }
        let context = Context::new(&self.params, &*self.proofs, verified, self.view.height());
        let result = tx::dispatch(&mut self.view, Runner::Screen, &context);
        match result {
            Ok(()) => self.view.keep_only(&debited(verified.tx())),
            Err(_) => self.view.discard(),
        }
        result
    }

    /// Forgets the debits of an account; its pending transactions must be judged again.
    pub fn forget(&mut self, address: &Address) {
        self.view.forget(address);
    }

    /// Goes on to the state after the settled block of `height`. Debits stay: [`Self::forget`] every account that
    /// settled blocks touched ([`crate::BlockOutcome::touched`]).
    pub fn settle(&mut self, state: State, height: Height) {
        self.view.rebase(state, height);
    }

    /// An account after what pending transactions take from it.
    ///
    /// # Errors
    /// [`StateError`] if the state cannot be read.
    pub fn account(&mut self, address: &Address) -> Result<Option<Account>, StateError> {
        self.view.account(address)
    }

    /// What ranks a pending transaction: wei of the operational token for a unit of gas (`spec/ledger.md` §10).
    pub fn effective_gas_price(&self, tx: &Tx) -> U256 {
        let gas = gas_regular(&self.params, self.view.height());
        let base_fee = gas_price_min(&self.params, self.view.height());
        effective_gas_price(tx, gas, base_fee)
    }
}

/// Accounts that a transaction takes from, each once.
pub fn debited(tx: &Tx) -> Vec<Address> {
    let one = |input: &TxInput| vec![input.address];
    match tx {
        Tx::Coinbase(_) => Vec::new(),
        Tx::Slash(t) => one(&t.proposer),
        Tx::Send(t) => t.inputs.iter().map(|input| input.address).collect(),
        Tx::ReserveFund(t) => one(&t.source),
        Tx::ReleaseFund(t) => one(&t.source),
        Tx::ServicePayment(t) => one(&t.target),
        Tx::SplitRule(t) => one(&t.initiator),
        Tx::SmartContract(t) => one(&t.from),
        Tx::DepositStake(t) => one(&t.source),
        Tx::WithdrawStake(t) => one(&t.source),
        Tx::DepositStakeV2(t) => one(&t.source),
        Tx::StakeRewardDistribution(t) => one(&t.holder),
        Tx::Ethereum(t) => vec![t.from()],
    }
}

fn effective_gas_price(tx: &Tx, gas: u64, base_fee: U256) -> U256 {
    if let Some(call) = tx.contract_call() {
        let with_tip = call.max_priority_fee_per_gas.map(|tip| base_fee.saturating_add(tip));
        return with_tip.map_or(call.max_fee_per_gas, |price| price.min(call.max_fee_per_gas));
    }
    let per_gas = |fee: &Coins| fee.tfuel / U256::from(gas.max(1));
    match tx {
        Tx::Coinbase(_) | Tx::SmartContract(_) | Tx::Ethereum(_) => U256::ZERO,
        // Without fee, but before all others: there are few, and each of them proves a fault.
        Tx::Slash(_) => U256::MAX,
        Tx::Send(t) => {
            let accounts = t.inputs.len().saturating_add(t.outputs.len()).max(2);
            t.fee.tfuel / U256::from((gas / 2).max(1)).saturating_mul(U256::from(accounts))
        }
        Tx::ReserveFund(t) => per_gas(&t.fee),
        Tx::ReleaseFund(t) => per_gas(&t.fee),
        Tx::ServicePayment(t) => per_gas(&t.fee),
        Tx::SplitRule(t) => per_gas(&t.fee),
        Tx::DepositStake(t) => per_gas(&t.fee),
        Tx::WithdrawStake(t) => per_gas(&t.fee),
        Tx::DepositStakeV2(t) => per_gas(&t.fee),
        Tx::StakeRewardDistribution(t) => per_gas(&t.fee),
    }
}
