//! The methods of the Ethereum side, by what they are about.

mod blocks;
mod calls;
mod chain;
mod debug;
mod fees;
mod filters;
mod log_query;
mod logs;
mod pool;
mod state;
mod subscriptions;
mod transactions;

pub(super) use log_query::LogQuery;

use super::EthBackend;
use super::error::EthError;
use super::filters::Filters;
use super::values::EthRules;
use crate::answering::{Caller, Methods};
use crate::jsonrpc::{Answer, Dialect, Positional, Request, RpcError};
use crate::limits::{BLOCK_READS_MAX, FILTERS_MAX, HEAVY_READS_MAX, POOL_READS_MAX};
use crate::quota::{Quota, Seat};
use async_trait::async_trait;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Semaphore, SemaphorePermit};

/// What every method needs.
pub(super) struct EthMethods {
    backend: Arc<dyn EthBackend>,
    filters: Filters,
    /// One for each filter and each subscription.
    seats: Quota,
    /// One permit for each long read that may run.
    long_reads: Semaphore,
    /// The same for whole blocks.
    block_reads: Semaphore,
    /// The same for the mempool.
    pool_reads: Semaphore,
}

type Written = Result<(), RpcError>;

impl EthMethods {
    pub(super) fn new(backend: Arc<dyn EthBackend>) -> Self {
        Self {
            backend,
            filters: Filters::default(),
            seats: Quota::new(FILTERS_MAX),
            long_reads: Semaphore::new(HEAVY_READS_MAX),
            block_reads: Semaphore::new(BLOCK_READS_MAX),
            pool_reads: Semaphore::new(POOL_READS_MAX),
        }
    }

    fn rules(&self) -> EthRules {
        self.backend.rules()
    }

    /// For a filter or a subscription.
    fn seat(&self, from: IpAddr) -> Result<Seat, RpcError> {
        self.filters.expire(Instant::now());
        self.seats.seat(from).ok_or_else(|| {
            RpcError::method("too many filters and subscriptions: uninstall some, or wait until some expire")
        })
    }
}

/// Waits until one more may run.
async fn turn(turns: &Semaphore) -> SemaphorePermit<'_> {
    turns.acquire().await.expect("the semaphore is never closed")
}

impl From<EthError> for RpcError {
    fn from(error: EthError) -> Self {
        let code = match &error {
            EthError::TooManyLogs(_) | EthError::TooMuchLogData(_) => LIMIT_EXCEEDED,
            EthError::Other { code, .. } => *code,
            _ => -32000,
        };
        Self::new(code, error.to_string())
    }
}

/// EIP-1474: a request exceeds a limit.
const LIMIT_EXCEEDED: i32 = -32005;

#[async_trait]
impl Methods for EthMethods {
    fn dialect(&self) -> Dialect {
        Dialect::Ethereum
    }

    async fn call(&self, request: &Request<'_>, caller: &Caller<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
        let name = request.method.as_ref();
        let args = |max| Positional::read(request.params, max);
        match name {
            "web3_clientVersion" => chain::client_version(self, &args(0)?, out),
            "web3_sha3" => chain::sha3(&args(1)?, out),
            "net_version" => chain::net_version(self, &args(0)?, out),
            "net_listening" => chain::listening(&args(0)?, out),
            "net_peerCount" => chain::peer_count(self, &args(0)?, out),
            "rpc_modules" => chain::modules(&args(0)?, out),
            "eth_chainId" => chain::chain_id(self, &args(0)?, out),
            "eth_protocolVersion" => chain::protocol_version(&args(0)?, out),
            "eth_syncing" => chain::syncing(self, &args(0)?, out),
            "eth_accounts" => chain::accounts(&args(0)?, out),
            "eth_blockNumber" => chain::block_number(self, &args(0)?, out),
            "eth_gasPrice" | "eth_baseFee" => fees::base_fee(self, &args(0)?, out),
            "eth_maxPriorityFeePerGas" => fees::max_priority_fee(&args(0)?, out),
            "eth_feeHistory" => fees::history(self, &args(3)?, out).await,
            "eth_getBalance" => state::balance(self, &args(2)?, out).await,
            "eth_getTransactionCount" => state::transaction_count(self, &args(2)?, out).await,
            "eth_getCode" => state::code(self, &args(2)?, out).await,
            "eth_getStorageAt" => state::storage(self, &args(3)?, out).await,
            "eth_call" => calls::call(self, &args(4)?, out).await,
            "eth_estimateGas" => calls::estimate_gas(self, &args(4)?, out).await,
            "eth_createAccessList" => calls::create_access_list(self, &args(3)?, out).await,
            "eth_sendRawTransaction" => transactions::send_raw(self, &args(1)?, out).await,
            "eth_getBlockByNumber" => blocks::by_number(self, &args(2)?, out).await,
            "eth_getBlockByHash" => blocks::by_hash(self, &args(2)?, out).await,
            "eth_getBlockTransactionCountByNumber" => blocks::count_by_number(self, &args(1)?, out).await,
            "eth_getBlockTransactionCountByHash" => blocks::count_by_hash(self, &args(1)?, out).await,
            "eth_getBlockReceipts" => blocks::receipts(self, &args(1)?, out).await,
            "eth_getUncleCountByBlockNumber" => blocks::uncles_by_number(self, &args(1)?, out).await,
            "eth_getUncleCountByBlockHash" => blocks::uncles_by_hash(self, &args(1)?, out).await,
            "eth_getUncleByBlockNumberAndIndex" | "eth_getUncleByBlockHashAndIndex" => blocks::uncle(&args(2)?, out),
            "eth_getTransactionByHash" => transactions::by_hash(self, &args(1)?, out).await,
            "eth_getTransactionByBlockHashAndIndex" => transactions::by_block_hash(self, &args(2)?, out).await,
            "eth_getTransactionByBlockNumberAndIndex" => transactions::by_block_number(self, &args(2)?, out).await,
            "eth_getTransactionReceipt" => transactions::receipt(self, &args(1)?, out).await,
            "eth_getLogs" => logs::logs(self, &args(1)?, out).await,
            "eth_newFilter" => filters::new_logs(self, &args(1)?, caller, out),
            "eth_newBlockFilter" => filters::new_blocks(self, &args(0)?, caller, out),
            "eth_newPendingTransactionFilter" => filters::new_pending(self, &args(1)?, caller, out),
            "eth_getFilterChanges" => filters::changes(self, &args(1)?, out).await,
            "eth_getFilterLogs" => filters::logs(self, &args(1)?, out).await,
            "eth_uninstallFilter" => filters::uninstall(self, &args(1)?, out),
            "eth_subscribe" => subscriptions::subscribe(self, &args(2)?, caller, out),
            "eth_unsubscribe" => subscriptions::unsubscribe(&args(1)?, caller, out),
            "txpool_status" => pool::status(self, &args(0)?, out).await,
            "txpool_content" => pool::content(self, &args(0)?, out).await,
            "txpool_contentFrom" => pool::content_from(self, &args(1)?, out).await,
            "txpool_inspect" => pool::inspect(self, &args(0)?, out).await,
            "debug_traceTransaction" => debug::transaction(self, &args(2)?, out).await,
            "debug_traceCall" => debug::call(self, &args(3)?, out).await,
            "debug_traceBlockByNumber" => debug::block_by_number(self, &args(2)?, out).await,
            "debug_traceBlockByHash" => debug::block_by_hash(self, &args(2)?, out).await,
            _ => Err(RpcError::no_method(format!("the method {name} does not exist/is not available"))),
        }
    }
}
