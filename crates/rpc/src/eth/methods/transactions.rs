//! Transactions and their receipts. Unknown ones are `null`.

use super::{EthMethods, Written, blocks};
use crate::eth::json::{ReceiptJson, TxJson, places};
use crate::eth::tags::height;
use crate::eth::values::{EthBlock, EthFound};
use crate::jsonrpc::{Answer, Positional};

pub(super) async fn send_raw(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let hash = eth.backend.send_raw(args.bytes(0)?).await?;
    out.write(&hash)
}

pub(super) async fn by_hash(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let found = eth.backend.transaction(args.hash(0)?).await?;
    let base_fee = eth.rules().base_fee;
    out.write(&found.as_ref().map(|found| match found {
        EthFound::Pending(tx) => TxJson::pending(tx),
        EthFound::Settled(info, place) => TxJson::settled(&info.tx, place, base_fee),
    }))
}

pub(super) async fn receipt(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let base_fee = eth.rules().base_fee;
    match eth.backend.transaction(args.hash(0)?).await? {
        Some(EthFound::Settled(info, place)) => out.write(&ReceiptJson::new(&info, &place, base_fee)),
        _ => out.write(&()),
    }
}

pub(super) async fn by_block_hash(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let index = args.text(1, height)?;
    one_of(eth, blocks::hashed(eth, args).await?.as_deref(), index, out)
}

pub(super) async fn by_block_number(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let index = args.text(1, height)?;
    one_of(eth, blocks::numbered(eth, args).await?.as_deref(), index, out)
}

fn one_of(eth: &EthMethods, block: Option<&EthBlock>, index: u64, out: &mut Answer<'_>) -> Written {
    let found = block.and_then(|block| places(block).find(|(_, place)| place.index == index));
    let base_fee = eth.rules().base_fee;
    out.write(&found.as_ref().map(|(info, place)| TxJson::settled(&info.tx, place, base_fee)))
}
