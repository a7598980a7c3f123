//! Deposits of stake, both versions (`spec/ledger.md` §2.10).

use super::{Context, charge_fee, check_input, check_plain_fee, count};
use crate::error::{ApplyError, code, coins_text};
use crate::stake::StakeHeights;
use crate::view::View;
use crate::{keys, rules, stake};
use vigil_primitives::{
    Address, Bytes, ChainParams, Coins, DepositStake, DepositStakeV2, GuardianPool, Signature, StakePurpose, TxInput,
    U256, ValidatorPool,
};

/// A deposit of either version; version 1 is version 2 with an empty tail.
pub(super) struct Deposit<'a> {
    fee: &'a Coins,
    source: &'a TxInput,
    holder: Address,
    purpose: u8,
    bls_pubkey: Bytes,
    bls_pop: Bytes,
    holder_sig: Signature,
}

impl<'a> Deposit<'a> {
    pub(super) fn of_v1(tx: &'a DepositStake) -> Self {
        let (bls_pubkey, bls_pop, holder_sig) = (Bytes::new(), Bytes::new(), Signature::none());
        let (holder, purpose) = (tx.holder.address, tx.purpose);
        Self { fee: &tx.fee, source: &tx.source, holder, purpose, bls_pubkey, bls_pop, holder_sig }
    }

    pub(super) fn of_v2(tx: &'a DepositStakeV2) -> Self {
        Self {
            fee: &tx.fee,
            source: &tx.source,
            holder: tx.holder.address,
            purpose: tx.purpose,
            bls_pubkey: tx.bls_pubkey.clone(),
            bls_pop: tx.bls_pop.clone(),
            holder_sig: tx.holder_sig.clone(),
        }
    }

    fn coins(&self) -> &Coins {
        &self.source.coins
    }
}

pub(super) fn apply(view: &mut View, context: &Context, tx: Deposit) -> Result<(), ApplyError> {
    let source = tx.source.address;
    let account = view.account(&source)?;
    let unknown = || ApplyError::generic(format!("Failed to get the source account: {source}"));
    let mut account = account.ok_or_else(unknown)?;
    check_input(context, &account, tx.source, 0)?;
    check_plain_fee(context, tx.fee)?;
    let purpose = purpose(tx.purpose)?;
    check_coin(purpose, tx.coins())?;
    check_amount(view, context, purpose, &tx)?;
    check_balance(&account.balance, &tx)?;

    charge_fee(view, &mut account, tx.fee)?;
    let left = account.balance.checked_sub(tx.coins());
    account.balance = left.map_err(|_| ApplyError::generic("Not enough balance to stake"))?;
    match purpose {
        StakePurpose::Validator => deposit_validator(view, &tx)?,
        StakePurpose::Guardian => deposit_guardian(view, context, &tx)?,
        StakePurpose::EdgeNode => deposit_edge_node(view, context, &tx)?,
    }
    count(&mut account)?;
    view.set_account(account);
    Ok(())
}

/// The purpose with that number.
pub(super) fn purpose(number: u8) -> Result<StakePurpose, ApplyError> {
    let unknown = |_| ApplyError::refuse(code::INVALID_STAKE_PURPOSE, "Invalid stake purpose!");
    StakePurpose::try_from(number).map_err(unknown)
}

fn check_coin(purpose: StakePurpose, coins: &Coins) -> Result<(), ApplyError> {
    let (other, text) = match purpose {
        StakePurpose::Validator | StakePurpose::Guardian => {
            (coins.tfuel, "TFuel has to be zero for validator or guardian stake deposit!")
        }
        StakePurpose::EdgeNode => (coins.theta, "Theta has to be zero for elite edge node stake deposit!"),
    };
    if other.is_zero() { Ok(()) } else { Err(ApplyError::refuse(code::INVALID_STAKE, text)) }
}

/// Least deposit, and the caps of guardians and edge nodes.
fn check_amount(view: &mut View, context: &Context, purpose: StakePurpose, tx: &Deposit) -> Result<(), ApplyError> {
    let (params, coins) = (context.params, tx.coins());
    match purpose {
        StakePurpose::Validator => {
            check_min(coins.theta, rules::validator_deposit_min(params, context.height), "ThetaWei", "validator")
        }
        StakePurpose::Guardian => {
            let min = rules::guardian_deposit_min(params, context.height);
            check_min(coins.theta, min, "ThetaWei", "guardian")?;
            check_guardian_cap(view, params, tx)
        }
        StakePurpose::EdgeNode => {
            if context.height < params.forks.theta3 {
                return Err(ApplyError::generic("Elite edge node stake deposit is not supported yet"));
            }
            check_min(coins.tfuel, rules::edge_node_deposit_min(), "TFuelWei", "elite edge node")?;
            let staked = stake::edge_node_stake(view, &tx.holder)?.unwrap_or_default();
            check_cap(staked, coins.tfuel, rules::edge_node_stake_max(), "TFuelWei", "elite edge node")
        }
    }
}

fn check_min(amount: U256, min: U256, unit: &str, node: &str) -> Result<(), ApplyError> {
    if amount >= min {
        return Ok(());
    }
    let text = format!("Insufficient amount of stake, at least {min} {unit} is required for each {node} deposit");
    Err(ApplyError::refuse(code::INSUFFICIENT_STAKE, text))
}

fn check_guardian_cap(view: &mut View, params: &ChainParams, tx: &Deposit) -> Result<(), ApplyError> {
    let Some(max) = rules::guardian_stake_max(params) else { return Ok(()) };
    let pool = view.guardians()?;
    let guardian = pool.as_deref().and_then(|pool| stake::find_guardian(pool, &tx.holder));
    let staked = guardian.map_or(Some(U256::ZERO), |g| g.holder.total_stake()).unwrap_or(U256::MAX);
    check_cap(staked, tx.coins().theta, max, "ThetaWei", "guardian")
}

fn check_cap(staked: U256, amount: U256, max: U256, unit: &str, node: &str) -> Result<(), ApplyError> {
    if staked.checked_add(amount).is_some_and(|sum| sum <= max) {
        return Ok(());
    }
    let text = format!("Stake exceeds the cap, at most {max} {unit} can be deposited to each {node}");
    Err(ApplyError::refuse(code::STAKE_EXCEEDS_CAP, text))
}

fn check_balance(balance: &Coins, tx: &Deposit) -> Result<(), ApplyError> {
    let needed = tx.coins().checked_add(tx.fee);
    if needed.is_ok_and(|needed| balance.covers(&needed)) {
        return Ok(());
    }
    let needed = needed.map_or_else(|e| e.to_string(), |needed| coins_text(&needed));
    let balance = coins_text(balance);
    let text = format!("DepositStake: Source balance is {balance}, but required minimal balance is {needed}");
    Err(ApplyError::refuse(code::INSUFFICIENT_STAKE, text))
}

fn deposit_validator(view: &mut View, tx: &Deposit) -> Result<(), ApplyError> {
    let pool = view.validators()?;
    let mut pool = pool.map_or_else(ValidatorPool::default, |pool| (*pool).clone());
    stake::deposit_validator(&mut pool, tx.source.address, tx.holder, tx.coins().theta).map_err(failed)?;
    view.set_validators(pool);
    note_stake_height(view)
}

fn deposit_guardian(view: &mut View, context: &Context, tx: &Deposit) -> Result<(), ApplyError> {
    let pool = view.guardians()?;
    let mut pool = pool.map_or_else(GuardianPool::default, |pool| (*pool).clone());
    if stake::find_guardian(&pool, &tx.holder).is_none() {
        check_bls(context, tx)?;
        if let Some(other) = stake::guardian_key_in_use(&pool, &tx.holder, &tx.bls_pubkey) {
            return Err(ApplyError::generic(format!("BLS pubkey is already used by guardian {other}")));
        }
    }
    let (source, amount) = (tx.source.address, tx.coins().theta);
    stake::deposit_guardian(&mut pool, source, tx.holder, amount, &tx.bls_pubkey).map_err(failed)?;
    view.set_guardians(pool);
    Ok(())
}

fn deposit_edge_node(view: &mut View, context: &Context, tx: &Deposit) -> Result<(), ApplyError> {
    if stake::edge_node_stake(view, &tx.holder)?.is_none() {
        check_bls(context, tx)?;
    }
    stake::deposit_edge_node(view, tx.source.address, tx.holder, tx.coins().tfuel, &tx.bls_pubkey)
}

/// A new holder registers its BLS key: it signs the proof of possession, which must verify.
fn check_bls(context: &Context, tx: &Deposit) -> Result<(), ApplyError> {
    let given = [
        (tx.bls_pubkey.is_empty(), "Must provide BLS Pubkey"),
        (tx.bls_pop.is_empty(), "Must provide BLS POP"),
        (tx.holder_sig.is_none(), "Must provide Holder Signature"),
        (!context.verified.holder_valid(), "BLS key info is not properly signed"),
        (!context.pop_valid, "BLS pop is invalid"),
    ];
    match given.iter().find(|(wrong, _)| *wrong) {
        Some((_, text)) => Err(ApplyError::generic(*text)),
        None => Ok(()),
    }
}

/// Appends the block's height to the list of heights at which validator stakes changed, once a transaction.
pub(super) fn note_stake_height(view: &mut View) -> Result<(), ApplyError> {
    let mut list: StakeHeights = view.get(keys::STAKE_HEIGHTS)?.unwrap_or_default();
    list.heights.push(view.height());
    view.set(keys::STAKE_HEIGHTS.to_vec(), &list);
    Ok(())
}

fn failed(reason: String) -> ApplyError {
    ApplyError::generic(format!("Failed to deposit stake, err: {reason}"))
}
