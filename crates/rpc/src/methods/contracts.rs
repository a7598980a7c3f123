//! Contract transactions that are run and not kept.

use super::Context;
use crate::ContractRun;
use crate::json::U64s;
use crate::jsonrpc::{Answer, Args, RpcError, strict_hex};
use serde::Serialize;
use vigil_primitives::{Address, SmartContract, Tx, TxType};

#[derive(Serialize)]
struct RunJson {
    vm_return: String,
    contract_address: Address,
    gas_used: U64s,
    vm_error: String,
}

/// An execution that fails is no error: `vm_error` says why, and `vm_return` holds what a revert returned.
pub(super) async fn call(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let run = ctx.backend.run_contract(transaction(args)?).await?;
    let ContractRun { output, contract, gas_used, error } = run;
    out.write(&RunJson {
        vm_return: hex::encode(output),
        contract_address: contract,
        gas_used: U64s(gas_used),
        vm_error: error,
    })
}

fn transaction(args: &Args<'_>) -> Result<SmartContract, RpcError> {
    let raw = strict_hex(&args.text("sctx_bytes")?)?;
    match Tx::from_raw(&raw) {
        Ok(Tx::SmartContract(tx)) => Ok(tx),
        Ok(other) => {
            let (got, want) = (other.tx_type() as u8, TxType::SmartContract as u8);
            Err(RpcError::method(format!("sctx_bytes holds a transaction of type {got}, want {want}: smart contract")))
        }
        Err(why) => Err(RpcError::method(format!("Error decoding tx: {why}"))),
    }
}
