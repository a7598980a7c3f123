//! Deposits of stake, both versions (`spec/ledger.md` §2.10).

use super::{Context, charge_fee, check_input, check_plain_fee, count};
use crate::error::{ApplyError, code, coins_text};
use crate::view::View;
use crate::{rules, stake};
use vigil_crypto::bls::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES as POSSESSION_BYTES};
use vigil_primitives::{
    Address, Bytes, ChainParams, Coins, DepositStake, DepositStakeV2, SIGNATURE_BYTES, Signature, StakePurpose,
    TxInput, U256,
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
    check_tail(purpose, &tx)?;
    check_coin(purpose, tx.coins())?;
    check_amount(view, context, purpose, &tx)?;
    check_balance(&account.balance, &tx)?;

    charge_fee(view, &mut account, tx.fee)?;
    let left = account.balance.checked_sub(tx.coins());
    account.balance = left.map_err(|_| ApplyError::generic("Not enough balance to stake"))?;
    match purpose {
        StakePurpose::Validator => stake::deposit_validator(view, source, tx.holder, tx.coins().theta)?,
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

/// Key, proof and holder's signature are absent or have their size, and a validator's deposit, which does not sign them
/// (`spec/ledger.md` §2.3), has none: whoever relays it could else change its hash, and a fee that is the same for all
/// could fill blocks with them.
fn check_tail(purpose: StakePurpose, tx: &Deposit) -> Result<(), ApplyError> {
    let tail = [
        ("BLS pubkey", &tx.bls_pubkey, PUBLIC_KEY_BYTES),
        ("BLS POP", &tx.bls_pop, POSSESSION_BYTES),
        ("holder signature", &tx.holder_sig.0, SIGNATURE_BYTES),
    ];
    let allowed = |len, full| len == 0 || (len == full && purpose != StakePurpose::Validator);
    match tail.iter().find(|(_, bytes, full)| !allowed(bytes.len(), *full)) {
        None => Ok(()),
        Some((what, bytes, _)) if purpose == StakePurpose::Validator => {
            Err(ApplyError::generic(format!("A validator deposit has no {what}, this one has {} bytes", bytes.len())))
        }
        Some((what, bytes, full)) => {
            Err(ApplyError::generic(format!("{what} has {} bytes, must have {full} or none", bytes.len())))
        }
    }
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
    let guardian = view.guardians()?.get(&tx.holder);
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

fn deposit_guardian(view: &mut View, context: &Context, tx: &Deposit) -> Result<(), ApplyError> {
    if view.guardians()?.get(&tx.holder).is_none() {
        check_bls(context, tx)?;
        // Keys are unique (DESIGN §4): two holders of one key could not be told apart in an aggregate.
        if let Some(other) = view.guardian_of_key(&tx.bls_pubkey)? {
            return Err(ApplyError::generic(format!("BLS pubkey is already used by guardian {other}")));
        }
    }
    stake::deposit_guardian(view, tx.source.address, tx.holder, tx.coins().theta, &tx.bls_pubkey)
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
