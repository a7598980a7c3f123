//! `eth_getLogs`.

use super::{EthMethods, LogQuery, Written, turn};
use crate::eth::EthError;
use crate::jsonrpc::{Answer, Positional, RpcError};
use alloy_rpc_types_eth::Log;

pub(super) async fn logs(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&matching(eth, &LogQuery::read(args, 0)?).await?)
}

/// The logs of settled blocks, or of one block, that a query asks for.
pub(super) async fn matching(eth: &EthMethods, query: &LogQuery) -> Result<Vec<Log>, RpcError> {
    let _running = turn(&eth.long_reads).await;
    if let Some(block) = query.block {
        return eth.backend.logs_of(block, &query.filter).await.map_err(|why| match why {
            EthError::UnknownBlock => RpcError::method("unknown block"),
            why => why.into(),
        });
    }
    let range = query.range(eth.backend.as_ref())?;
    match range.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(eth.backend.logs(*range.start(), *range.end(), &query.filter).await?),
    }
}
