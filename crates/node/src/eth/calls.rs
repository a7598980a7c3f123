//! Calls, estimates and access lists.

use super::Answer;
use super::simulated::{Ground, limits};
use crate::backend::NodeBackend;
use alloy_rpc_types_eth::AccessListResult;
use std::sync::atomic::AtomicBool;
use vigil_evm::{Access, Executed, Failure, Lenience, Message, Status};
use vigil_ledger::{Simulation, StateError};
use vigil_primitives::U256;
use vigil_rpc::eth::{CallArgs, CallOutcome, Estimate, EthError};

/// The search for the least gas ends when it is known this well: in parts of a thousand.
const PRECISION: u64 = 15;
/// Gas that a call with coins gives its callee for nothing (EIP-150's stipend); it must be there beforehand.
const STIPEND: u64 = 2_300;
/// Most executions in the search for an access list: each may touch more than the one before.
const ACCESS_ROUNDS: usize = 8;

/// Finds what a call runs on, and runs `work` there on a thread for calls.
pub(super) async fn on_ground<T: Send + 'static>(
    node: &NodeBackend,
    args: CallArgs,
    work: impl FnOnce(&Ground, &mut Simulation<'_>, (Message, Lenience), &AtomicBool) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let ground = Ground::find(node, args.at, args.overrides)?;
    let job = move |stop: &AtomicBool| {
        let message = ground.message(&args.request);
        ground.simulate(|simulation| work(&ground, simulation, message, stop))
    };
    node.calls.run(job).await.map_err(EthError::new)?
}

pub(super) async fn call(node: &NodeBackend, args: CallArgs) -> Answer<CallOutcome> {
    on_ground(node, args, |ground, simulation, (message, lenience), stop| {
        let executed = simulation.call(message, lenience, limits(stop));
        executed.map(outcome).map_err(|failure| failed(ground, failure))
    })
    .await
}

/// Why a message was not run.
pub(super) fn failed(ground: &Ground, failure: Failure<StateError>) -> EthError {
    match failure {
        Failure::World(error) => ground.state_error(error),
        Failure::Invalid(invalid) => EthError::new(invalid),
        Failure::Stopped(why) => EthError::new(why),
    }
}

pub(super) fn outcome(executed: Executed) -> CallOutcome {
    let Executed { gas_used, output, .. } = executed;
    match executed.status {
        Status::Success => CallOutcome::Success { output, gas_used },
        Status::Reverted => CallOutcome::Revert { output, gas_used },
        Status::Halted(halt) => CallOutcome::Halt { reason: halt.ethereum, gas_used },
    }
}

pub(super) async fn estimate_gas(node: &NodeBackend, args: CallArgs) -> Answer<Estimate> {
    on_ground(node, args, |ground, simulation, (mut message, lenience), stop| {
        message.gas_limit = message.gas_limit.min(affordable(ground, simulation, &message)?);
        let mut run = |gas_limit: u64| {
            let message = Message { gas_limit, ..message.clone() };
            simulation.call(message, lenience, limits(stop))
        };
        let most = message.gas_limit;
        let first = run(most).map_err(|failure| failed(ground, failure))?;
        if !first.status.is_success() {
            return Ok(Estimate::Fails(outcome(first)));
        }
        // What was used may not be enough: calls keep a 64th back, refunds come at the end.
        let (mut low, mut high) = (first.gas_used.saturating_sub(1), most);
        let guess = (first.gas_used + first.gas_refunded + STIPEND).saturating_mul(64) / 63;
        let mut next = guess;
        while low + 1 < high {
            if (high - low).saturating_mul(1_000) < high.saturating_mul(PRECISION) {
                break;
            }
            let gas = if next < high { next } else { low + (high - low) / 2 };
            next = u64::MAX;
            match run(gas) {
                Ok(executed) if executed.status.is_success() => high = gas,
                // Too little for its bytes is too little, too.
                Ok(_) | Err(Failure::Invalid(_)) => low = gas,
                Err(failure) => return Err(failed(ground, failure)),
            }
            if low == guess {
                continue;
            }
            // Most need little more than what they used.
            let near = low.saturating_mul(2);
            if near < high && near > low + (high - low) / 2 {
                next = near;
            }
        }
        Ok(Estimate::Gas(high))
    })
    .await
}

/// Gas that the sender can pay for; any amount if it is asked to pay nothing.
fn affordable(ground: &Ground, simulation: &mut Simulation<'_>, message: &Message) -> Answer<u64> {
    if message.max_fee_per_gas == 0 {
        return Ok(u64::MAX);
    }
    let (_, balance) = simulation.account(&message.from).map_err(|error| ground.state_error(error))?;
    let Some(left) = balance.checked_sub(message.value) else {
        return Err(EthError::new("insufficient funds for transfer"));
    };
    let gas: U256 = left / U256::from(message.max_fee_per_gas);
    match gas.saturating_to::<u64>() {
        gas if gas < 21_000 => Err(EthError::new(format!("gas required exceeds allowance ({gas})"))),
        gas => Ok(gas),
    }
}

pub(super) async fn create_access_list(node: &NodeBackend, args: CallArgs) -> Answer<AccessListResult> {
    on_ground(node, args, |ground, simulation, (mut message, lenience), stop| {
        for round in 1.. {
            let ran = simulation.access_list(message.clone(), lenience, limits(stop));
            let (executed, list) = ran.map_err(|failure| failed(ground, failure))?;
            let access: Vec<Access> =
                list.0.iter().map(|item| Access { address: item.address, slots: item.storage_keys.clone() }).collect();
            if message.access_list.as_ref() == Some(&access) || round == ACCESS_ROUNDS {
                let error = match &executed.status {
                    Status::Success => None,
                    Status::Reverted => Some("execution reverted".to_owned()),
                    Status::Halted(halt) => Some(halt.ethereum.clone()),
                };
                let gas_used = U256::from(executed.gas_used);
                return Ok(AccessListResult { access_list: list, gas_used, error });
            }
            message.access_list = Some(access);
        }
        unreachable!("the last round answers")
    })
    .await
}
