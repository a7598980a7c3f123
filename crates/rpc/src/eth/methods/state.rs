//! Accounts, code and storage.

use super::{EthMethods, Written};
use crate::eth::json::U64;
use crate::eth::tags::Tag;
use crate::jsonrpc::{Answer, Positional};
use vigil_primitives::U256;

pub(super) async fn balance(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let (address, at) = (args.address(0)?, Tag::read(args, 1)?.state(eth.backend.as_ref())?);
    out.write(&eth.backend.account(address, at).await?.balance)
}

/// `pending`: with what waits in the mempool.
pub(super) async fn transaction_count(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let (address, tag) = (args.address(0)?, Tag::read(args, 1)?);
    let nonce = match tag {
        Tag::Tip => eth.backend.nonce_pending(address).await?,
        tag => eth.backend.account(address, tag.state(eth.backend.as_ref())?).await?.nonce,
    };
    out.write(&U64::from(nonce))
}

pub(super) async fn code(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let (address, at) = (args.address(0)?, Tag::read(args, 1)?.state(eth.backend.as_ref())?);
    out.write(&eth.backend.code(address, at).await?)
}

pub(super) async fn storage(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let (address, slot) = (args.address(0)?, args.text(1, slot)?);
    let at = Tag::read(args, 2)?.state(eth.backend.as_ref())?;
    out.write(&eth.backend.storage(address, slot, at).await?)
}

/// A number or up to 32 bytes: tools send either, with leading zeros or without.
fn slot(text: &str) -> Result<U256, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    match digits.len() {
        0 => Err("empty hex string".to_owned()),
        65.. => Err("storage key too long (want at most 32 bytes)".to_owned()),
        _ if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => Err("invalid hex string".to_owned()),
        _ => U256::from_str_radix(digits, 16).map_err(|why| why.to_string()),
    }
}
