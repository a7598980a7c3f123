//! Applying one transaction: checks in the reference's order, then effects (`spec/ledger.md` §2). One file a type.
//!
//! Effects go into the transaction's part of the [`View`], so that a check that fails late leaves nothing behind.

mod coinbase;
pub(crate) mod contract;
mod deposit_stake;
mod reward_distribution;
mod send;
pub(crate) mod slash;
mod withdraw_stake;

use crate::contracts::Contracts;
use crate::env::Proofs;
use crate::error::{ApplyError, code, coins_text};
use crate::rules::fee_min;
use crate::view::View;
use alloy_primitives::hex;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Account, ChainParams, Coins, Height, SignBytes, Tx, TxInput, TxWrapper, U256};

/// What an executor needs besides the view: the rules, a judge of evidence, the transaction's body and the verdicts on its
/// signatures.
pub(crate) struct Context<'a> {
    params: &'a ChainParams,
    proofs: &'a dyn Proofs,
    verified: &'a VerifiedTx,
    height: Height,
    /// Verdict on a deposit's proof of possession; apart, so that the vectors' replay can take the reference's.
    pop_valid: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        params: &'a ChainParams,
        proofs: &'a dyn Proofs,
        verified: &'a VerifiedTx,
        height: Height,
    ) -> Self {
        Self { params, proofs, verified, height, pop_valid: verified.pop_valid() }
    }

    /// Replaces the verdict on the proof of possession: the reference's proofs have another form (DESIGN §4).
    #[cfg(test)]
    pub(crate) fn assume_pop_valid(mut self) -> Self {
        self.pop_valid = true;
        self
    }
}

/// What becomes of contracts.
#[derive(Clone, Copy)]
pub(crate) enum Runner<'a> {
    /// They run.
    Block(&'a Contracts<'a>),
    /// What they could cost is taken from the sender, for the mempool.
    Screen,
}

/// Applies a transaction to the view. On success its changes are kept; else the view is as before.
pub(crate) fn apply(view: &mut View, runner: Runner, context: &Context) -> Result<(), ApplyError> {
    match dispatch(view, runner, context) {
        Ok(()) => Ok(view.keep()?),
        Err(error) => {
            view.discard();
            Err(error)
        }
    }
}

/// Runs the executor of the type; leaves its changes pending.
pub(crate) fn dispatch(view: &mut View, runner: Runner, context: &Context) -> Result<(), ApplyError> {
    let tx = context.verified.tx();
    if let Some(call) = tx.contract_call() {
        if context.height < context.params.forks.smart_contract {
            return Err(unsupported());
        }
        return match runner {
            Runner::Block(contracts) => contract::apply(view, contracts, context, &call),
            Runner::Screen => contract::screen(view, context, &call),
        };
    }
    match tx {
        Tx::Coinbase(tx) => coinbase::apply(view, context, tx),
        Tx::Send(tx) => send::apply(view, context, tx),
        Tx::DepositStake(tx) => deposit_stake::apply(view, context, deposit_stake::Deposit::of_v1(tx)),
        Tx::DepositStakeV2(tx) => {
            if context.height < context.params.forks.theta2 {
                return Err(unsupported());
            }
            deposit_stake::apply(view, context, deposit_stake::Deposit::of_v2(tx))
        }
        Tx::WithdrawStake(tx) => withdraw_stake::apply(view, context, tx),
        Tx::StakeRewardDistribution(tx) if context.height >= context.params.forks.theta3 => {
            reward_distribution::apply(view, context, tx)
        }
        Tx::Slash(tx) => slash::apply(view, context, tx),
        Tx::StakeRewardDistribution(_)
        | Tx::ReserveFund(_)
        | Tx::ReleaseFund(_)
        | Tx::ServicePayment(_)
        | Tx::SplitRule(_)
        | Tx::SmartContract(_)
        | Tx::Ethereum(_) => Err(unsupported()),
    }
}

fn unsupported() -> ApplyError {
    ApplyError::generic("tx type not supported yet")
}

/// `validateInputAdvanced`: sequence, balance in both coins, signature, in this order.
fn check_input(context: &Context, account: &Account, input: &TxInput, slot: usize) -> Result<(), ApplyError> {
    check_sequence(account, input.sequence)?;
    if !account.balance.covers(&input.coins) {
        let (balance, coins) = (coins_text(&account.balance), coins_text(&input.coins));
        let text = format!("Insufficient fund: balance is {balance}, tried to send {coins}");
        return Err(ApplyError::refuse(code::INSUFFICIENT_FUND, text));
    }
    if !context.verified.valid_at(slot, context.height) {
        return Err(ApplyError::refuse(code::INVALID_SIGNATURE, signature_text(context)));
    }
    Ok(())
}

fn check_sequence(account: &Account, got: u64) -> Result<(), ApplyError> {
    // An account that has used every sequence can make no more transactions.
    let expected = account.sequence.checked_add(1);
    if expected == Some(got) {
        return Ok(());
    }
    let expected = expected.map_or_else(|| "none".to_owned(), |n| n.to_string());
    let text = format!("ValidateInputAdvanced: Got {got}, expected {expected}. (acc.seq={})", account.sequence);
    Err(ApplyError::refuse(code::INVALID_SEQUENCE, text))
}

fn signature_text(context: &Context) -> String {
    let bytes = SignBytes::of(&context.params.chain_id, context.verified.tx()).wrapped(TxWrapper::V1);
    format!("Signature verification failed, SignBytes: {}", hex::encode(bytes))
}

/// A fee must be at least `min` of the operational token and nothing of the other.
fn check_fee(fee: &Coins, min: U256) -> Result<(), ApplyError> {
    if fee.theta.is_zero() && fee.tfuel >= min {
        return Ok(());
    }
    let text = format!("Insufficient fee. Transaction fee needs to be at least {min} TFuelWei");
    Err(ApplyError::refuse(code::INVALID_FEE, text))
}

/// [`check_fee`] with the least fee of most types.
fn check_plain_fee(context: &Context, fee: &Coins) -> Result<(), ApplyError> {
    check_fee(fee, fee_min(context.params, context.height))
}

/// Takes the fee from the account and the supply.
fn charge_fee(view: &mut View, account: &mut Account, fee: &Coins) -> Result<(), ApplyError> {
    let left = account.balance.checked_sub(fee).map_err(|_| ApplyError::generic("Failed to charge transaction fee"))?;
    account.balance = left;
    Ok(view.burn(fee)?)
}

/// Moves an account on by one transaction; its next sequence was checked by [`check_input`].
fn count(account: &mut Account) -> Result<(), ApplyError> {
    account.sequence = account.sequence.checked_add(1).ok_or_else(|| ApplyError::generic("no sequence is left"))?;
    Ok(())
}
