//! Stake operations of contracts: one after the other, each can be taken back.

use crate::error::{ApplyError, StateError};
use crate::rules::{edge_node_deposit_min, edge_node_stake_max, guardian_deposit_min, guardian_stake_max};
use crate::stake;
use crate::view::{StakesBefore, View};
use vigil_crypto::{bls, keccak256, verify_digest};
use vigil_evm::{Deposit, StakeOp};
use vigil_primitives::{ChainParams, Coins, Guardian, Hash, SIGNATURE_BYTES, Signature, U256};

/// The operations of a transaction that stand.
#[derive(Default)]
pub(super) struct Stakes {
    stack: Vec<Applied>,
}

/// An operation, and what was before it.
struct Applied {
    before: StakesBefore,
    /// What went from balances into stakes.
    coins: Coins,
}

impl Stakes {
    /// What the operations took from balances, in wei.
    pub(super) fn coins(&self) -> Result<Coins, StateError> {
        let add = |sum: Coins, op: &Applied| sum.checked_add(&op.coins);
        self.stack.iter().try_fold(Coins::ZERO, add).map_err(|_| StateError::Overflow("stakes of a transaction"))
    }

    /// Applies an operation. False: it is not allowed, and nothing changed.
    pub(super) fn push(&mut self, view: &mut View, params: &ChainParams, op: &StakeOp) -> Result<bool, StateError> {
        let before = match op {
            StakeOp::DepositGuardian(Deposit { holder, .. }) | StakeOp::WithdrawGuardian { holder, .. } => {
                view.guardian_before(holder)?
            }
            StakeOp::DepositEdgeNode(Deposit { holder, .. }) | StakeOp::WithdrawEdgeNode { holder, .. } => {
                view.edge_node_before(holder)
            }
        };
        match apply(view, params, op) {
            Ok(coins) => {
                self.stack.push(Applied { before, coins });
                Ok(true)
            }
            Err(ApplyError::Refused(_)) => {
                view.restore_stakes(before);
                Ok(false)
            }
            Err(ApplyError::State(error)) => Err(error),
        }
    }

    /// Takes back the last operation.
    pub(super) fn pop(&mut self, view: &mut View) {
        if let Some(applied) = self.stack.pop() {
            view.restore_stakes(applied.before);
        }
    }
}

/// True if the node of a deposit has a key.
pub(super) fn is_registered(view: &mut View, op: &StakeOp) -> Result<bool, StateError> {
    Ok(match op {
        StakeOp::DepositGuardian(deposit) => view.guardians()?.get(&deposit.holder).is_some(),
        StakeOp::DepositEdgeNode(deposit) => stake::edge_node_stake(view, &deposit.holder)?.is_some(),
        StakeOp::WithdrawGuardian { .. } | StakeOp::WithdrawEdgeNode { .. } => true,
    })
}

/// Applies an operation and answers what it took from the source's balance. The rules are those of the transactions
/// that do the same (`spec/ledger.md` §2.10, §2.11), but what is changed is not noted under `ls/sthl`.
fn apply(view: &mut View, params: &ChainParams, op: &StakeOp) -> Result<Coins, ApplyError> {
    let return_height = view.parent_height().saturating_add(params.return_locking_period);
    let registered = is_registered(view, op)?;
    match op {
        StakeOp::DepositGuardian(deposit) => {
            let staked = view.guardians()?.get(&deposit.holder).map(|guardian| guardian.holder.total_stake());
            let staked = staked.unwrap_or(Some(U256::ZERO)).unwrap_or(U256::MAX);
            let max = guardian_stake_max(params).unwrap_or(U256::MAX);
            check_amount(deposit.amount, staked, guardian_deposit_min(params, view.height()), max)?;
            if !registered {
                check_key(deposit)?;
                let same_key = |guardian: &Guardian| guardian.bls_pubkey == deposit.bls_pubkey;
                if view.guardian_of_key(&deposit.bls_pubkey)?.is_some() || view.guardians()?.written().any(same_key) {
                    return Err(ApplyError::generic("BLS pubkey is already used"));
                }
            }
            let Deposit { source, holder, amount, bls_pubkey, .. } = deposit;
            stake::deposit_guardian(view, *source, *holder, *amount, bls_pubkey)?;
            Ok(Coins::theta(*amount))
        }
        StakeOp::DepositEdgeNode(deposit) => {
            if view.height() < params.forks.theta3 {
                return Err(ApplyError::generic("Elite edge node stake deposit is not supported yet"));
            }
            let staked = stake::edge_node_stake(view, &deposit.holder)?.unwrap_or_default();
            check_amount(deposit.amount, staked, edge_node_deposit_min(), edge_node_stake_max())?;
            if !registered {
                check_key(deposit)?;
            }
            let Deposit { source, holder, amount, bls_pubkey, .. } = deposit;
            stake::deposit_edge_node(view, *source, *holder, *amount, bls_pubkey)?;
            Ok(Coins::tfuel(*amount))
        }
        StakeOp::WithdrawGuardian { source, holder } => {
            stake::withdraw_guardian(view, *source, *holder, return_height)?;
            Ok(Coins::ZERO)
        }
        StakeOp::WithdrawEdgeNode { source, holder } => {
            stake::withdraw_edge_node(view, *source, *holder, return_height)?;
            Ok(Coins::ZERO)
        }
    }
}

fn check_amount(amount: U256, staked: U256, min: U256, max: U256) -> Result<(), ApplyError> {
    let sum = staked.checked_add(amount);
    if amount >= min && sum.is_some_and(|sum| sum <= max) {
        return Ok(());
    }
    Err(ApplyError::generic(format!("a stake of {amount} beside {staked}: at least {min}, in all at most {max}")))
}

/// The holder signed the proof of possession of its key, and the proof is right.
fn check_key(deposit: &Deposit) -> Result<(), ApplyError> {
    let signature = Signature(deposit.holder_sig.clone());
    debug_assert_eq!(signature.0.len(), SIGNATURE_BYTES);
    let signed: Hash = keccak256(&deposit.bls_pop);
    if !verify_digest(&deposit.holder, &signed, &signature) {
        return Err(ApplyError::generic("BLS key info is not properly signed"));
    }
    let key = bls::PublicKey::from_bytes(&deposit.bls_pubkey);
    let proof = bls::Signature::from_bytes(&deposit.bls_pop);
    match (key, proof) {
        (Ok(key), Ok(proof)) if key.verify_possession(&proof) => Ok(()),
        _ => Err(ApplyError::generic("BLS pop is invalid")),
    }
}
