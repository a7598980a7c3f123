//! What must hold before a contract runs, in the reference's order.

use crate::error::{ApplyError, code, coins_text};
use crate::rules::{gas_price_min, tx_gas_max};
use crate::tx::{Context, check_sequence, signature_text};
use crate::view::View;
use vigil_evm::{Access, Fork, Invalid, Message};
use vigil_primitives::{Account, Coins, ContractCall, Tx, U256};

/// Longest fee limit, in bits.
const FEE_LIMIT_BITS: usize = 255;

/// Checks a transaction; answers its sender, with expired funds released, and what is to be run.
pub(super) fn check(view: &mut View, context: &Context, call: &ContractCall) -> Result<(Account, Message), ApplyError> {
    check_signature(context, call)?;
    let unknown = || ApplyError::generic("Failed to get the account (the address has no Theta nor TFuel)");
    let account = view.account(&call.from)?.ok_or_else(unknown)?;
    check_sequence(&account, call.sequence)?;
    let coins = Coins::new(call.theta, call.value);
    if !account.balance.covers(&coins) {
        let (balance, coins) = (coins_text(&account.balance), coins_text(&coins));
        let text = format!("Insufficient fund: balance is {balance}, tried to send {coins}");
        return Err(ApplyError::refuse(code::INSUFFICIENT_FUND, text));
    }
    let min = gas_price_min(context.params, context.height);
    if call.max_fee_per_gas < min {
        let text = format!("Insufficient gas price. Gas price needs to be at least {min} TFuelWei");
        return Err(ApplyError::refuse(code::GAS_PRICE, text));
    }
    let max = tx_gas_max(context.params, context.height);
    if call.gas_limit > max {
        let text = format!("Invalid gas limit. Gas limit needs to be at most {max}");
        return Err(ApplyError::refuse(code::GAS_LIMIT, text));
    }
    let message = message(call)?;
    let fork = Fork::from_name(&context.params.evm_fork).expect("a valid genesis names a fork");
    message.precheck(fork).map_err(|invalid| match invalid {
        Invalid::IntrinsicGas { .. } => {
            ApplyError::refuse(code::GAS_LIMIT, format!("Intrinsic gas check failed: out of gas: {invalid}"))
        }
        Invalid::Tip => ApplyError::refuse(code::GAS_PRICE, invalid.to_string()),
        other => ApplyError::refuse(code::EVM, other.to_string()),
    })?;
    let cost = most_it_costs(call).filter(|cost| cost.tfuel.bit_len() <= FEE_LIMIT_BITS);
    let cost = cost.ok_or_else(|| ApplyError::refuse(code::FEE_LIMIT, "Fee limit too high"))?;
    if !account.balance.covers(&cost) {
        let (balance, cost) = (coins_text(&account.balance), coins_text(&cost));
        let text = format!("Source balance is {balance}, but required minimal balance is {cost}");
        return Err(ApplyError::refuse(code::INSUFFICIENT_FUND, text));
    }
    Ok((account, message))
}

/// Its coins, and all the gas that it allows at the highest price that it allows. `None`: more than 256 bits.
pub(super) fn most_it_costs(call: &ContractCall) -> Option<Coins> {
    let fee = call.max_fee_per_gas.checked_mul(U256::from(call.gas_limit))?;
    Some(Coins::new(call.theta, fee.checked_add(call.value)?))
}

fn check_signature(context: &Context, call: &ContractCall) -> Result<(), ApplyError> {
    if context.verified.valid_at(0, context.height) {
        return Ok(());
    }
    let is_ethereum = match context.verified.tx() {
        Tx::SmartContract(tx) => tx.from.signature.as_array().is_some_and(|signature| signature[64] >= 27),
        _ => true,
    };
    if is_ethereum && !call.theta.is_zero() {
        return Err(ApplyError::generic("Sending Theta with ETH transaction is not allowed"));
    }
    let text = if is_ethereum { format!("ETH {}", signature_text(context)) } else { signature_text(context) };
    Err(ApplyError::refuse(code::INVALID_SIGNATURE, text))
}

/// The transaction as contracts see it.
pub(crate) fn message(call: &ContractCall) -> Result<Message, ApplyError> {
    // What cannot be paid by all the coins there are.
    let too_high = |_| ApplyError::refuse(code::FEE_LIMIT, "Fee limit too high");
    let access =
        call.access_list.iter().map(|item| Access { address: item.address, slots: item.storage_keys.to_vec() });
    Ok(Message {
        from: call.from,
        to: call.to,
        nonce: call.sequence.saturating_sub(1),
        value: call.value,
        stake_token: call.theta,
        data: call.data.clone(),
        gas_limit: call.gas_limit,
        max_fee_per_gas: call.max_fee_per_gas.try_into().map_err(too_high)?,
        max_priority_fee_per_gas: call.max_priority_fee_per_gas.map(u128::try_from).transpose().map_err(too_high)?,
        access_list: (call.eth_type > 0).then(|| access.collect()),
        ..Message::default()
    })
}
