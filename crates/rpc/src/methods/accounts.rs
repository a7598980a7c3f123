//! Accounts, contracts' code and storage, split rules.

use super::Context;
use crate::json::{AccountJson, SplitRuleJson};
use crate::jsonrpc::{Answer, Args, RpcError, lenient_address, lenient_hash};
use crate::{Read, StateAt};
use serde::Serialize;
use vigil_primitives::{Address, Bytes, Hash};

pub(super) async fn account(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let asked = args.text("address")?;
    let (height, preview) = (args.u64s("height")?, args.flag("preview")?);
    if asked.is_empty() {
        return Err(RpcError::method("Address must be specified"));
    }
    let address = lenient_address(&asked);
    let at = match (height, preview) {
        (0, true) => StateAt::Screened,
        (height, _) => state_at(height),
    };
    match ctx.backend.account(address, at).await? {
        Read::Found(account) => out.write(&AccountJson::new(&account, &asked)),
        Read::Missing if height == 0 => Err(RpcError::method(format!("Account with address {address} is not found"))),
        Read::Missing => {
            Err(RpcError::method(format!("Account with address {address} at height {height} is not found")))
        }
        Read::NoBlock => Err(no_block()),
        Read::Pruned => Err(pruned(height)),
    }
}

pub(super) async fn code(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct CodeJson<'a> {
        address: &'a str,
        code: String,
    }
    let (asked, height) = (args.text("address")?, args.u64s("height")?);
    let address = contract_address(&asked)?;
    let code = or_default(ctx.backend.code(address, state_at(height)).await?, height)?;
    let code: Bytes = code.unwrap_or_default();
    out.write(&CodeJson { address: &asked, code: hex::encode(code) })
}

/// `storage_positon` is spelt as the reference spells it.
pub(super) async fn storage(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct StorageJson {
        value: String,
    }
    let (asked, position, height) = (args.text("address")?, args.text("storage_positon")?, args.u64s("height")?);
    let address = contract_address(&asked)?;
    if position.is_empty() {
        return Err(RpcError::method("storage position must be specified"));
    }
    let word = ctx.backend.storage(address, lenient_hash(&position), state_at(height)).await?;
    let word: Hash = or_default(word, height)?.unwrap_or_default();
    out.write(&StorageJson { value: hex::encode(word) })
}

pub(super) async fn split_rule(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct NoRule {}
    let resource_id = args.text("resource_id")?;
    if resource_id.is_empty() {
        return Err(RpcError::method("Resource id must be specified"));
    }
    match ctx.backend.split_rule(&resource_id).await? {
        Some(rule) => out.write(&SplitRuleJson::from(&rule)),
        None => out.write(&NoRule {}),
    }
}

/// Height 0 means "now".
fn state_at(height: u64) -> StateAt {
    if height == 0 { StateAt::Settled } else { StateAt::Height(height) }
}

fn contract_address(asked: &str) -> Result<Address, RpcError> {
    if asked.is_empty() {
        return Err(RpcError::method("address must be specified"));
    }
    Ok(lenient_address(asked))
}

/// An account that is not there has no code and no storage.
fn or_default<T>(read: Read<T>, height: u64) -> Result<Option<T>, RpcError> {
    match read {
        Read::Found(value) => Ok(Some(value)),
        Read::Missing => Ok(None),
        Read::NoBlock => Err(no_block()),
        Read::Pruned => Err(pruned(height)),
    }
}

fn no_block() -> RpcError {
    RpcError::method("Historical data at given height is not available on current node")
}

fn pruned(height: u64) -> RpcError {
    RpcError::method(format!("the account details for height {height} is not available, it might have been pruned"))
}
