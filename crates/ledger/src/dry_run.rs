//! A contract transaction that is run and not kept, for the wallets of the reference (`spec/rpc.md` §4.5).

use crate::contracts::Ancestors;
use crate::error::{ApplyError, StateError, code};
use crate::queries;
use crate::rules::tx_gas_max;
use crate::simulate::{AccountOverride, Simulation};
use crate::state::State;
use crate::tx::contract;
use std::sync::atomic::AtomicBool;
use vigil_evm::{Failure, Fork, Invalid, Lenience, Limits};
use vigil_primitives::{Account, Address, BlockHeader, Bytes, ChainParams, ContractCall, U256};

/// Most memory of all frames of a run together, in bytes.
pub const DRY_RUN_MEMORY_MAX: u64 = 128 * 1024 * 1024;

/// What a run leaves. An execution that fails is one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DryRun {
    /// What it returned: of a creation the code, of a revert its data.
    pub output: Bytes,
    /// The account that was created or called; zero if a creation failed.
    pub contract: Address,
    /// Gas that it would pay for.
    pub gas_used: u64,
    /// Why it failed, in the reference's words; empty if it did not.
    pub error: String,
}

/// Runs `call` on `state` as if in the block of `header`. Whether its signature, its sequence and its gas price are right
/// and whether its sender can pay the fee does not count; coins that go along must be there. It ends soon after `stop` is set.
///
/// # Errors
/// [`ApplyError::Refused`]: it could be in no block. [`ApplyError::State`]: the state cannot be read, or the run was stopped.
pub fn dry_run(
    params: &ChainParams,
    state: State,
    header: &BlockHeader,
    ancestors: &dyn Ancestors,
    call: &ContractCall<'_>,
    stop: &AtomicBool,
) -> Result<DryRun, ApplyError> {
    let first = params.forks.smart_contract;
    if header.height < first {
        return Err(ApplyError::generic(format!("Smart contract feature not enabled until block height {first}.")));
    }
    let max = tx_gas_max(params, header.height);
    if call.gas_limit > max {
        let text = format!("Invalid gas limit. Gas limit needs to be at most {max}");
        return Err(ApplyError::refuse(code::GAS_LIMIT, text));
    }
    let parent_height = header.height.saturating_sub(1);
    let sender = queries::account(&state, parent_height, &call.from)?;
    let sender = sender.unwrap_or_else(|| Account::new(call.from, parent_height));
    let mut message = contract::message(call)?;
    message.nonce = sender.sequence;
    let fork = Fork::from_name(&params.evm_fork).expect("a valid genesis names a fork");
    match message.precheck(fork) {
        Ok(()) => {}
        Err(Invalid::IntrinsicGas { limit, .. }) => return Ok(not_begun("out of gas", limit)),
        Err(invalid) => return Err(ApplyError::refuse(code::EVM, invalid.to_string())),
    }
    if call.value > sender.balance.tfuel {
        return Ok(not_begun("insufficient balance for transfer", message.gas_needed(fork)));
    }
    if call.theta > sender.balance.theta {
        return Ok(not_begun("insufficient Theta balance for transfer", message.gas_needed(fork)));
    }
    let mut simulation = Simulation::new(params, state, header, ancestors);
    // The sender gets what the run takes as its fee, so that contracts see the balance that is there.
    let fee = U256::from(message.gas_limit).saturating_mul(U256::from(message.max_fee_per_gas));
    let balance = Some(sender.balance.tfuel.saturating_add(fee));
    simulation.set_account(call.from, AccountOverride { balance, ..AccountOverride::default() })?;
    let lenience =
        Lenience { base_fee: true, sender: true, memory_max: Some(DRY_RUN_MEMORY_MAX), ..Lenience::default() };
    // Nothing is traced.
    let limits = Limits { stop, trace_bytes_max: usize::MAX };
    let executed = simulation.call(message, lenience, limits).map_err(|failure| match failure {
        Failure::World(error) => ApplyError::State(error),
        Failure::Stopped(why) => ApplyError::State(StateError::Evm(why)),
        Failure::Invalid(invalid) => ApplyError::refuse(code::EVM, invalid.to_string()),
    })?;
    Ok(DryRun {
        error: contract::error_text(&executed.status),
        contract: executed.created.or(call.to).unwrap_or_default(),
        gas_used: executed.gas_used,
        output: executed.output,
    })
}

/// A run that fails before the first instruction.
fn not_begun(error: &str, gas_used: u64) -> DryRun {
    DryRun { error: error.to_owned(), gas_used, ..DryRun::default() }
}
