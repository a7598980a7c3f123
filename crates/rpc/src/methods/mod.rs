//! The methods of `theta.*` (`spec/rpc.md` §4), by what they are about.

mod accounts;
mod blocks;
mod broadcast;
mod contracts;
mod guardians;
mod node;
mod pools;

use crate::Backend;
use crate::answering::{Caller, Methods};
use crate::jsonrpc::{Answer, Args, Dialect, Request, RpcError};
use crate::limits::HEAVY_RANGES_MAX;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// What every method needs.
pub(crate) struct Context {
    /// The node.
    pub(crate) backend: Arc<dyn Backend>,
    /// How long a blocking broadcast waits.
    pub(crate) broadcast_wait: Duration,
    /// One permit for each heavy range that may run.
    pub(crate) heavy_ranges: Semaphore,
}

impl Context {
    pub(crate) fn new(backend: Arc<dyn Backend>, broadcast_wait: Duration) -> Self {
        Self { backend, broadcast_wait, heavy_ranges: Semaphore::new(HEAVY_RANGES_MAX) }
    }
}

#[async_trait]
impl Methods for Context {
    fn dialect(&self) -> Dialect {
        Dialect::Theta
    }

    async fn call(&self, request: &Request<'_>, _: &Caller<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
        let name = request.method.as_ref();
        let Some((service, method)) = name.rsplit_once('.') else {
            return Err(RpcError::no_method(format!("rpc: service/method request ill-formed: {name}")));
        };
        if service != "theta" {
            return Err(RpcError::no_method(format!("rpc: can't find service {name}")));
        }
        let args = Args::read(method, request.params);
        match method {
            "GetVersion" => node::version(self, &args?, out),
            "GetStatus" => node::status(self, &args?, out).await,
            "GetPeers" => node::peers(self, &args?, out).await,
            "GetPeerURLs" => node::peer_urls(self, &args?, out).await,
            "GetPendingTransactions" => node::pending_transactions(self, &args?, out).await,
            "GetAccount" => accounts::account(self, &args?, out).await,
            "GetCode" => accounts::code(self, &args?, out).await,
            "GetStorageAt" => accounts::storage(self, &args?, out).await,
            "GetSplitRule" => accounts::split_rule(self, &args?, out).await,
            "GetTransaction" => blocks::transaction(self, &args?, out).await,
            "GetBlock" => blocks::block(self, &args?, out).await,
            "GetBlockByHeight" => blocks::block_by_height(self, &args?, out).await,
            "GetBlocksByRange" => blocks::blocks_by_range(self, &args?, out).await,
            "TraceBlocks" => blocks::trace(self, &args?, out).await,
            "GetFinalityCert" => guardians::finality_cert(self, &args?, out).await,
            "GetGuardianInfo" => guardians::info(self, &args?, out),
            "GetVcpByHeight" => pools::validators(self, &args?, out).await,
            "GetGcpByHeight" => pools::guardians(self, &args?, out).await,
            "GetEenpByHeight" => pools::edge_nodes(self, &args?, out).await,
            "GetEenpStakeByHeight" => pools::edge_node_stake(self, &args?, out).await,
            "GetStakeRewardDistributionByHeight" => pools::reward_distributions(self, &args?, out).await,
            "GetEliteEdgeNodeStakeReturnsByHeight" => pools::stake_returns(self, &args?, out).await,
            "GetAllPendingEliteEdgeNodeStakeReturns" => pools::pending_stake_returns(self, &args?, out).await,
            "BroadcastRawTransaction" => broadcast::wait(self, &args?, out).await,
            "BroadcastRawTransactionAsync" => broadcast::at_once(self, &args?, out).await,
            "BroadcastRawEthTransaction" => broadcast::eth_wait(self, &args?, out).await,
            "BroadcastRawEthTransactionAsync" => broadcast::eth_at_once(self, &args?, out).await,
            "CallSmartContract" => contracts::call(self, &args?, out).await,
            _ => Err(RpcError::no_method(format!("rpc: can't find method {name}"))),
        }
    }
}
