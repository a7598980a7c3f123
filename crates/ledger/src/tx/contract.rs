//! Contract transactions, native and Ethereum's (`spec/ledger.md` §2.9, §9).

mod changes;
mod check;
mod stakes;
mod world;

use super::{Context, count};
use crate::contracts::Contracts;
use crate::error::{ApplyError, StateError, code};
use crate::view::View;
use check::{check, most_it_costs};
use vigil_evm::{Executed, Failure, Fees, Message, Status};
use vigil_primitives::{Address, ChainParams, ContractCall, Hash, Receipt, U256};

pub(crate) use check::message;
pub(crate) use world::Ledger;

/// Runs a contract. A run that fails is a transaction that succeeds: it pays its gas.
pub(super) fn apply(
    view: &mut View,
    contracts: &Contracts,
    context: &Context,
    call: &ContractCall,
) -> Result<(), ApplyError> {
    let message = prepare(view, context, call)?;
    run(view, contracts, context.params, message, (context.verified.hash(), call.eth_type))
}

/// Checks a transaction, and readies its sender: expired funds are released, so that what was in them can be spent.
pub(crate) fn prepare(view: &mut View, context: &Context, call: &ContractCall) -> Result<Message, ApplyError> {
    let (account, message) = check(view, context, call)?;
    view.set_account(account);
    Ok(message)
}

/// Runs a message and writes what it changed, and its receipt. `receipt`: native hash and Ethereum type.
pub(crate) fn run(
    view: &mut View,
    contracts: &Contracts,
    params: &ChainParams,
    message: Message,
    (tx_hash, eth_type): (Hash, u8),
) -> Result<(), ApplyError> {
    let left = contracts.block.gas_max.saturating_sub(view.gas_used());
    if message.gas_limit > left {
        let text = format!("exceeds block gas limit: have {}, {left} are left", message.gas_limit);
        return Err(ApplyError::refuse(code::GAS_LIMIT, text));
    }
    let (from, to, price) = (message.from, message.to, gas_price(&message, contracts.block.base_fee));
    let mut ledger = Ledger::new(view, params, contracts);
    let executed = contracts.machine(|machine| machine.run(&mut ledger, message)).map_err(|failure| match failure {
        Failure::World(error) => ApplyError::State(error),
        Failure::Stopped(why) => ApplyError::State(StateError::Evm(why)),
        Failure::Invalid(invalid) => ApplyError::refuse(code::EVM, invalid.to_string()),
    })?;
    let staked = ledger.into_staked()?;
    let moved = changes::write_changes(view, &executed)?;
    if contracts.rules.fees == Fees::Burned {
        view.burn(&moved.burned(&staked)?)?;
    }
    let balance_changes = match executed.status {
        Status::Success => {
            moved.balance_changes(&from, U256::from(price).saturating_mul(U256::from(executed.gas_used)))
        }
        _ => Vec::new(),
    };
    let cumulative_gas_used = view.gas_used().saturating_add(executed.gas_used);
    let receipt = Receipt { tx_hash, from, eth_type, cumulative_gas_used, balance_changes, ..receipt(executed, to) };
    view.note_receipt(receipt);
    Ok(())
}

/// The receipt of an execution, without what does not depend on it.
fn receipt(executed: Executed, to: Option<Address>) -> Receipt {
    Receipt {
        tx_hash: Hash::ZERO,
        from: Address::ZERO,
        eth_type: 0,
        success: executed.status.is_success(),
        gas_used: executed.gas_used,
        cumulative_gas_used: 0,
        logs: executed.logs,
        output: executed.output,
        contract: executed.created.or(to).unwrap_or_default(),
        created: executed.created.is_some(),
        error: error_text(&executed.status),
        balance_changes: Vec::new(),
    }
}

/// Why an execution failed, in the reference's words; empty if it did not.
pub(crate) fn error_text(status: &Status) -> String {
    match status {
        Status::Success => String::new(),
        Status::Reverted => "evm: execution reverted".to_owned(),
        Status::Halted(halt) => halt.theta.clone(),
    }
}

/// What a unit of its gas costs, in wei.
fn gas_price(message: &Message, base_fee: u64) -> u128 {
    let tip = message.max_priority_fee_per_gas.map(|tip| u128::from(base_fee).saturating_add(tip));
    tip.map_or(message.max_fee_per_gas, |price| price.min(message.max_fee_per_gas))
}

/// What the mempool needs to know: whether the transaction could be in the next block, and what it may cost at most.
pub(super) fn screen(view: &mut View, context: &Context, call: &ContractCall) -> Result<(), ApplyError> {
    let (mut account, _) = check(view, context, call)?;
    let left = most_it_costs(call).and_then(|cost| account.balance.checked_sub(&cost).ok());
    account.balance = left.ok_or_else(|| ApplyError::generic("it costs more than the account has"))?;
    count(&mut account)?;
    view.set_account(account);
    Ok(())
}
