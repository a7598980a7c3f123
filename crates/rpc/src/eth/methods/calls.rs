//! Messages that are run and not kept.

use super::{EthMethods, Written};
use crate::eth::json::U64;
use crate::eth::revert::reverted;
use crate::eth::tags::Tag;
use crate::eth::values::{CallArgs, CallOutcome, Estimate};
use crate::jsonrpc::{Answer, Positional, RpcError, invalid};
use alloy_rpc_types_eth::state::{EvmOverrides, StateOverride};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use vigil_primitives::U256;

pub(super) async fn call(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    match eth.backend.call(read(eth, args)?).await? {
        CallOutcome::Success { output, .. } => out.write(&output),
        failed => Err(failure(failed)),
    }
}

pub(super) async fn estimate_gas(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    match eth.backend.estimate_gas(read(eth, args)?).await? {
        Estimate::Gas(gas) => out.write(&U64::from(gas)),
        Estimate::Fails(outcome) => Err(failure(outcome)),
    }
}

/// A message that fails still has a list; the error stands beside it.
pub(super) async fn create_access_list(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&eth.backend.create_access_list(read(eth, args)?).await?)
}

fn failure(outcome: CallOutcome) -> RpcError {
    match outcome {
        CallOutcome::Revert { output, .. } => reverted(output),
        CallOutcome::Halt { reason, .. } => RpcError::method(reason),
        CallOutcome::Success { .. } => RpcError::method("the estimate failed though the message did not"),
    }
}

/// A message, a block, and what is overridden.
fn read(eth: &EthMethods, args: &Positional<'_>) -> Result<CallArgs, RpcError> {
    let request = message(eth, args)?;
    let at = Tag::read(args, 1)?.state(eth.backend.as_ref())?;
    let (state, block) = (args.optional(2)?, args.optional(3)?);
    Ok(CallArgs { request, at, overrides: overrides(2, state, block)? })
}

/// What is overridden; `at`: the argument that says so.
pub(super) fn overrides(
    at: usize,
    state: Option<StateOverride>,
    block: Option<BlockOverrides>,
) -> Result<EvmOverrides, RpcError> {
    for (address, account) in state.iter().flatten() {
        if account.state.is_some() && account.state_diff.is_some() {
            return Err(invalid(at, format!("account {address} has both 'state' and 'stateDiff'")));
        }
        if account.move_precompile_to.is_some() {
            return Err(invalid(at, format!("account {address}: precompiles cannot be moved")));
        }
    }
    Ok(EvmOverrides { state, block: block.map(Box::new) })
}

/// The message at argument 0. Unknown keys are ignored, `to: null` creates, `input` and `data` are the same.
pub(super) fn message(eth: &EthMethods, args: &Positional<'_>) -> Result<TransactionRequest, RpcError> {
    let mut request = match without_chain_id(eth, args)? {
        Some(rest) => serde_json::from_str(rest.get()).map_err(|why| invalid(0, why))?,
        None => args.json::<TransactionRequest>(0)?,
    };
    check(&request).map_err(|why| invalid(0, why))?;
    request.normalize_input();
    Ok(request)
}

/// The chain id is checked here, as it may have 256 bits, which no common type of requests has room for; then the message
/// is read without it.
fn without_chain_id(eth: &EthMethods, args: &Positional<'_>) -> Result<Option<Box<RawValue>>, RpcError> {
    #[derive(Deserialize)]
    struct Message {
        #[serde(rename = "chainId")]
        chain_id: Option<U256>,
    }
    let Message { chain_id: Some(have) } = args.json(0)? else { return Ok(None) };
    let want = eth.rules().chain_number;
    if have != want {
        return Err(invalid(0, format!("chainId does not match node's (have={have}, want={want})")));
    }
    let mut fields: BTreeMap<String, &RawValue> =
        serde_json::from_str(args.required(0)?.get()).map_err(|why| invalid(0, why))?;
    fields.remove("chainId");
    to_raw_value(&fields).map(Some).map_err(|why| invalid(0, why))
}

fn check(request: &TransactionRequest) -> Result<(), String> {
    let input = &request.input;
    if input.input.is_some() && input.data.is_some() && input.input != input.data {
        return Err("both \"data\" and \"input\" are set and not equal".to_owned());
    }
    let dynamic = request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some();
    if request.gas_price.is_some() && dynamic {
        return Err("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified".to_owned());
    }
    if let (Some(most), Some(tip)) = (request.max_fee_per_gas, request.max_priority_fee_per_gas)
        && most < tip
    {
        return Err(format!("maxFeePerGas ({most}) < maxPriorityFeePerGas ({tip})"));
    }
    if request.max_fee_per_blob_gas.is_some() || request.blob_versioned_hashes.is_some() || request.sidecar.is_some() {
        return Err("this chain has no blob transactions".to_owned());
    }
    match request.authorization_list {
        Some(_) => Err("this chain has no transactions with authorizations".to_owned()),
        None => Ok(()),
    }
}
